package idt

import "fmt"

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

// DR6 bits that say why a #DB came. [SDM 3B, Debug Status Register (DR6)]
const (
	DR6BD = 1 << 13 // access to a debug register with DR7.GD set: a fault
	DR6BS = 1 << 14 // single step
	DR6BT = 1 << 15 // task switch to a TSS with the T flag
)

// dr7GD and dr7Local are the bits of DR7 that a #DB and a task switch clear.
// [SDM 3B, Debug Control Register (DR7)]
const (
	dr7GD    = 1 << 13
	dr7Local = 0x155 // L0 to L3 and LE
)

// Class is the event's double-fault class.
func (e *Event) Class() Class {
	if e.Kind != Exception {
		return Benign
	}
	return e.Vector.Info().Class
}

// ext is the EXT bit of the error code of a fault met while the event is
// delivered: set unless the program itself asked for it with INT n, INT3 or
// INTO. [SDM 3A, Error Code]
func (e *Event) ext() uint32 {
	if e.Kind == SoftInt || e.Kind == SoftExc {
		return 0
	}
	return 1
}

// pushesCode tells whether an error code goes onto the handler's stack.
func (e *Event) pushesCode() bool { return e.HasCode && e.Kind == Exception }

// flagsImage is the EFLAGS image pushed or saved for the event. RF is set for
// faults, so that an instruction breakpoint does not hit again on the way back
// (an instruction breakpoint's own #DB leaves that to its handler), is clear
// for software interrupts, and stays for the rest: a processor that interrupts
// a repeated string instruction sets RF in Regs beforehand.
// [SDM 3B, Instruction-Breakpoint Exception Condition; SDM 3A, System Flags and Fields in the EFLAGS Register]
func (e *Event) flagsImage(flags uint64) uint64 {
	switch e.Kind {
	case SoftInt, SoftExc, SoftICEBP:
		return flags &^ FlagRF
	case Exception:
		if t := e.Vector.Info().Type; t == Fault || t == FaultTrap && e.DR6&DR6BD != 0 {
			return flags | FlagRF
		}
	}
	return flags
}

// String prints the event on one line.
func (e Event) String() string {
	s := e.Name()
	if e.HasCode {
		s += fmt.Sprintf(" code=%#x", e.Code)
	}
	if e.IsPageFault() {
		s += fmt.Sprintf(" CR2=%#x", e.CR2)
	}
	return s + fmt.Sprintf(" at %#x", e.Return)
}
