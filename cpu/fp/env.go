package fp

// Flags are exceptions, in the places that MXCSR and the x87 status word have them.
// [SDM 1, MXCSR Control and Status Register; x87 FPU Status Register]
type Flags uint8

// The exceptions.
const (
	Invalid   Flags = 1 << iota // IE
	Denormal                    // DE: an operand is denormal
	ZeroDiv                     // ZE
	Overflow                    // OE
	Underflow                   // UE
	Inexact                     // PE

	AllFlags = 1<<iota - 1
)

// Rounding is a rounding mode, as RC encodes it. [SDM 1, Rounding]
type Rounding uint8

// The rounding modes.
const (
	Nearest Rounding = iota // to the nearest, a tie to the even one
	Down                    // toward minus infinity
	Up                      // toward plus infinity
	Zero                    // truncate
)

// Env is the state of the unit that an operation runs on.
type Env struct {
	Round Rounding
	// Precision is the number of bits that an x87 operation rounds to: 24, 53 or
	// 64. Formats of SSE have their own.
	Precision uint8
	Masked    Flags // the exceptions that do not fault
	DAZ       bool  // denormal operands count as zeros
	FTZ       bool  // tiny results become zeros, where Underflow is masked
	// X87 tells the rules of the x87 from those of SSE: which NaN of two is the
	// result, and what an unmasked overflow or underflow leaves.
	X87 bool

	Flags     Flags // raised since the caller cleared them
	RoundedUp bool  // the last rounding was away from zero (C1)
}

func (e *Env) raise(f Flags) { e.Flags |= f }

// stops tells that an exception found before the computation is not masked:
// there is no result then, and nothing that rounding would raise.
// [SDM 1, Priority of Floating-Point Exceptions]
func (e *Env) stops() bool { return e.Flags&^e.Masked&(Invalid|Denormal|ZeroDiv) != 0 }

// Unmasked gives those exceptions raised that fault.
func (e *Env) Unmasked() Flags { return e.Flags &^ e.Masked }
