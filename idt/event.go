package idt

// Vector is an interrupt or exception vector.
type Vector uint8

const (
	VecDE  Vector = 0  // divide error
	VecDB  Vector = 1  // debug
	VecNMI Vector = 2  // non-maskable interrupt
	VecBP  Vector = 3  // breakpoint
	VecOF  Vector = 4  // overflow
	VecBR  Vector = 5  // BOUND range exceeded
	VecUD  Vector = 6  // invalid opcode
	VecNM  Vector = 7  // device not available
	VecDF  Vector = 8  // double fault
	VecTS  Vector = 10 // invalid TSS
	VecNP  Vector = 11 // segment not present
	VecSS  Vector = 12 // stack fault
	VecGP  Vector = 13 // general protection
	VecPF  Vector = 14 // page fault
	VecMF  Vector = 16 // x87 error
	VecAC  Vector = 17 // alignment check
	VecMC  Vector = 18 // machine check
	VecXM  Vector = 19 // SIMD floating point
)

// Kind is how an event came about, which decides the privilege check on the
// gate, the EXT bit and the double-fault class.
type Kind uint8

const (
	Exception Kind = iota // fault, trap or abort found by the processor
	External              // INTR
	NMI
	SoftInt   // INT n
	SoftExc   // INT3, INTO
	SoftICEBP // INT1: a software interrupt that counts as external for EXT and skips the DPL check
)

// Event is an interrupt or exception to be delivered. It is a value, also when
// it is the fault that an instruction or a delivery came back with.
type Event struct {
	Vector  Vector
	Kind    Kind
	HasCode bool
	Code    uint32
	CR2     uint64 // #PF: the faulting linear address
	Return  uint64 // the RIP that is pushed: the instruction itself for a fault, the next one for a trap or interrupt
	DR6     uint64 // #DB: bits to be set in DR6 before delivery
}
