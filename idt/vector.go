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

// Type says where an exception leaves the return address.
// [SDM 3A, Exception Classifications]
type Type uint8

const (
	Interrupt Type = iota // not an exception: between instructions
	Fault                 // on the instruction, which can be restarted
	Trap                  // after the instruction
	Abort                 // nowhere reliable
	FaultTrap             // #DB, which is either
)

// Class decides what a second fault makes of a first one.
// [SDM 3A, Interrupt 8—Double Fault Exception (#DF), Interrupt and Exception Classes]
type Class uint8

const (
	Benign Class = iota
	Contributory
	PageFault
	DoubleFault
)

// Info is what is fixed about an exception's vector.
type Info struct {
	Mnemonic string
	Type     Type
	Class    Class
	Code     bool // an error code is pushed
}

// vectors holds the architecture's exceptions. Every other vector, and every
// vector that comes from INT n, INTR or NMI, is benign and has no error code.
// [SDM 3A, Table "Protected-Mode Exceptions and Interrupts"]
var vectors = [32]Info{
	0:  {"#DE", Fault, Contributory, false},
	1:  {"#DB", FaultTrap, Benign, false},
	2:  {"NMI", Interrupt, Benign, false},
	3:  {"#BP", Trap, Benign, false},
	4:  {"#OF", Trap, Benign, false},
	5:  {"#BR", Fault, Benign, false},
	6:  {"#UD", Fault, Benign, false},
	7:  {"#NM", Fault, Benign, false},
	8:  {"#DF", Abort, DoubleFault, true},
	9:  {"CSO", Fault, Benign, false},
	10: {"#TS", Fault, Contributory, true},
	11: {"#NP", Fault, Contributory, true},
	12: {"#SS", Fault, Contributory, true},
	13: {"#GP", Fault, Contributory, true},
	14: {"#PF", Fault, PageFault, true},
	16: {"#MF", Fault, Benign, false},
	17: {"#AC", Fault, Benign, true},
	18: {"#MC", Abort, Benign, false},
	19: {"#XM", Fault, Benign, false},
	20: {"#VE", Fault, PageFault, false},
	21: {"#CP", Fault, Contributory, true},
}

// Info gives the fixed facts of a vector as an exception; for a vector that is
// no exception's they are those of an interrupt.
func (v Vector) Info() Info {
	if int(v) < len(vectors) {
		return vectors[v]
	}
	return Info{}
}

// String is the mnemonic, or the number where there is none.
func (v Vector) String() string {
	if m := v.Info().Mnemonic; m != "" {
		return m
	}
	const digits = "0123456789abcdef"
	return "vector 0x" + string([]byte{digits[v>>4], digits[v&15]})
}
