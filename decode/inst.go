package decode

// Mode is the default code size: CS.D, or 64-bit mode.
type Mode uint8

const (
	Mode16 Mode = 16 // real mode, virtual-8086 mode, or CS.D = 0
	Mode32 Mode = 32 // CS.D = 1
	Mode64 Mode = 64 // CS.L = 1 with EFER.LMA = 1
)

// Op is an operation. Values below OwnOps are x86asm's; those from OwnOps on
// are operations that x86asm v0.32.0 does not know.
type Op uint16

// ArgKind tells what an operand is.
type ArgKind uint8

const (
	ArgNone ArgKind = iota
	ArgReg          // general register Num, Size bytes; High for AH, CH, DH, BH (Num is then 0 to 3)
	ArgMem          // memory, Size bytes (0 where the operation sets the size: LEA, LGDT, FXSAVE, INVLPG ...)
	ArgImm          // Inst.Imm
	ArgImm2         // Inst.Imm2: ENTER's second immediate
	ArgRel          // branch target, Inst.Imm bytes after the next instruction
	ArgFar          // far pointer in the code: selector Inst.Imm2, offset Inst.Imm
	ArgSeg          // segment register Num
	ArgCR           // control register Num
	ArgDR           // debug register Num
	ArgST           // x87 register Num
	ArgMMX          // MMX register Num
	ArgXMM          // XMM register Num
	ArgStr          // string source or destination: Num is RSI (6) or RDI (7), or RBX (3) for XLAT; Size bytes
	ArgOne          // the constant 1 of a shift by one
)

// Arg is one operand of an instruction, pointer-free.
type Arg struct {
	Kind ArgKind
	Num  uint8 // register number 0 to 15, REX already applied
	Size uint8 // bytes: 1, 2, 4, 8, 10, 16, or 0
	High bool  // AH, CH, DH or BH
}

// SegReg numbers a segment register as the manual's Sreg field does.
type SegReg uint8

const (
	ES SegReg = iota
	CS
	SS
	DS
	FS
	GS
)

func (s SegReg) String() string {
	return [...]string{"ES", "CS", "SS", "DS", "FS", "GS", "?6", "?7"}[s&7]
}

// Prefix is the set of prefixes that are in force, after last-wins and
// ignored-in-64-bit-mode rules.
type Prefix uint16

const (
	PrefixLock   Prefix = 1 << iota
	PrefixRep           // F3
	PrefixRepne         // F2
	PrefixOpSize        // 66
	PrefixAddr          // 67
	PrefixSeg           // a segment override is in force (Inst.Seg)
	PrefixREX           // any REX
	PrefixRexW          // REX.W
)

// Register numbers that stand for "none" in Inst.Base and Inst.Index, and for
// an instruction-pointer base.
const (
	NoReg  = 0xff
	RegRIP = 0xfe
)

// Inst is one decoded instruction, complete and pointer-free.
type Inst struct {
	Op       Op
	Prefix   Prefix
	Mode     Mode
	Len      uint8 // bytes, 1 to 15
	Map      uint8 // 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A
	Opcode   uint8
	ModRM    uint8 // 0 where the instruction has none
	HasModRM bool
	OpSize   uint8 // effective operand size in bytes: 1 for byte forms, else 2, 4, 8 (default-64 rule applied)
	AddrSize uint8 // effective address size in bytes: 2, 4, 8
	NArgs    uint8
	Args     [4]Arg // in the manual's order; strings too: MOVS is [RDI], [RSI], CMPS is [RSI], [RDI]

	// The memory operand, if any: [Base + Index<<Scale + Disp] in Seg.
	Base, Index uint8  // 0 to 15, NoReg, or RegRIP (base only)
	Scale       uint8  // shift: 0 to 3
	Seg         SegReg // override or default; for strings and XLAT that of RSI or RBX (RDI's is always ES)
	Disp        int64  // sign-extended (moffs: zero-extended); mask the sum with AddrSize

	Imm  int64  // sign-extended as the instruction demands; byte immediates of byte forms are unsigned
	Imm2 uint16 // ENTER's level, a far pointer's selector

	Props     Props
	FlagsRead uint16 // EFLAGS bits (CF, PF, AF, ZF, SF, OF, DF ...) that the result depends on
	FlagsWrit uint16 // EFLAGS bits written or left undefined
}

// Props are facts about an operation that an executor needs. MemRead and
// MemWrite include the stack and what string operations reach; INT 3 by CC has
// Imm 3 and no immediate in the code.
type Props uint16

const (
	EndsBlock Props = 1 << iota // the next instruction is not simply the following one, or mode or mapping may change
	MayFault                    // memory, I/O, privilege, or divide
	MemRead
	MemWrite
	Privileged // #GP(0) unless CPL is 0
)

// Status is what Decode found.
type Status uint8

const (
	OK       Status = iota
	NeedMore        // the bytes end inside the instruction: fetch more, #PF before #UD
	Undef           // #UD; Inst.Len holds the length as far as it is known
	TooLong         // over 15 bytes: #GP(0)
)
