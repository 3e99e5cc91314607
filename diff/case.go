package diff

// Kind says what a case is about. It decides which oracles can answer, which
// fields are compared, and what the minimiser may take away.
type Kind uint8

const (
	// Insn is one instruction in the user world.
	Insn Kind = iota
	// Sequence is 2 to 20 instructions in the user world.
	Sequence
	// Paging is one access through page tables of the case.
	Paging
	// Delivery is one event, return or far transfer through tables of the case.
	Delivery
)

// Case is one question. The answer depends on nothing else: whoever has the
// case, the world of its name and the processor model can answer it again.
type Case struct {
	ID    string // unique in its campaign or corpus: "insn/64/seed/number"
	Kind  Kind
	World string // a name of Worlds
	Model string // the processor model, as of cpu.ModelByName
	Rule  string // what the generator had in mind: a form, "pte0.P=0", "gate.P=0 + tss.limit"

	Regs    Regs    // at the start
	Code    []byte  // at RIP; it may reach into a page that is missing
	Patches []Patch // applied to the world's arena, before Code

	// Steps bounds a run that no trap ends: an oracle that counts gives up, Silent,
	// after that many instructions and iterations of repeated ones; 0 is
	// DefaultSteps. Oracles that do not count have a bound in time.
	Steps int

	// Except is what must not be compared with an expected answer, beyond what the
	// table of undefined things says; nil: nothing.
	Except *Mask

	// Access is what a Paging case does, for an oracle that decodes nothing.
	Access *Access
	// Event is what a Delivery case does, for an oracle that decodes nothing.
	Event *Event
}

// DefaultSteps is the bound of a case that names none.
const DefaultSteps = 100_000

// Access is a single access to memory.
type Access struct {
	Linear uint64
	Size   int  // bytes: 1, 2, 4, 8
	Write  bool // a store, or the load of a read-modify-write
	Fetch  bool // the fetch of an instruction
	User   bool // at CPL 3
	// Poke is what a store by the program changes before; nil: there is none.
	Poke *Patch
	// CR3 is what MOV to CR3 loads before the access, behind Poke; 0: there is no such
	// instruction.
	CR3 uint64
	// Implicit: the processor's own access to a descriptor table or TSS, which is a
	// supervisor's whatever the CPL.
	Implicit bool
}

// Event is what a Delivery case makes happen.
type Event struct {
	How      How
	Vector   uint8  // of an exception or INT n
	Error    uint32 // of an exception that has one
	CR2      uint64 // of a page fault
	Selector uint16 // of a far transfer or load
	Offset   uint64 // of a far transfer
	OpSize   int    // of a return or far transfer: 2, 4, 8 bytes
	Release  uint16 // bytes that a RETF imm16 releases
	Register int    // of a load, as in Regs.Seg
}

// How says by which door a Delivery case enters.
type How uint8

// The doors of a Delivery case.
const (
	ByFault   How = iota // an exception of the instruction at RIP
	ByINT                // INT n
	ByINT3               // INT3
	ByINTO               // INTO
	ByICEBP              // INT1
	ByIRET               // IRET
	ByFarJMP             // JMP ptr or m:
	ByFarCALL            // CALL ptr or m:
	ByFarRET             // RETF
	BySegment            // a load of a segment register
)

// End says how a run ended.
type End uint8

const (
	// Trapped: an exception or interrupt arrived; Vector says which.
	Trapped End = iota
	// Shutdown: the processor met a fault while it delivered a double fault.
	Shutdown
	// Stopped: the bound of the run was reached, or HLT.
	Stopped
	// Silent: the oracle has no answer; Note says why. It differs from nobody.
	Silent
)

// Result is one answer.
//
// In the user world Regs are those of the interrupted code, as a debugger would
// see them. In a system world they are those at the first instruction of the
// handler: the frame that was pushed is among Mem.
type Result struct {
	End      End
	Vector   uint8
	HasError bool
	Error    uint32
	CR2      uint64 // of a page fault
	Regs     Regs
	Mem      []Word // what differs from the arena at the start, in order
	Note     string
}
