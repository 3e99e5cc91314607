package fp

// Value is an operand of an x87 operation: a register, or memory of another
// format, which operations take as it is, its denormals and NaNs included.
type Value struct{ n number }

// FromRegister is a register's value.
func FromRegister(v F80) Value { return Value{unpack80(v)} }

// FromMemory is a single or double.
func FromMemory(f *Format, v uint64) Value { return Value{f.unpack(v)} }

// FromInteger is a signed integer.
func FromInteger(v int64) Value { return Value{fromInt(v)} }

// Operation is an arithmetic operation. Those of the x87 are the first four.
type Operation uint8

// The operations.
const (
	OpAdd Operation = iota
	OpSub
	OpMul
	OpDiv
	OpSqrt // of the second operand
	OpMin
	OpMax
)

// Arith80 is x op y.
func (e *Env) Arith80(op Operation, x, y Value) F80 {
	r := e.combine(&x.n, &y.n, op)
	return e.pack80(&r)
}

// Compare80 compares x with y. [SDM 2, FCOM; FUCOM; FICOM]
func (e *Env) Compare80(x, y Value, signals bool) Order { return e.compare(&x.n, &y.n, signals) }

// Class is what FXAM tells of a value, in the places of C3, C2 and C0.
type Class uint8

// The classes. Empty is for the caller to find.
const (
	ClassUnsupported Class = 0
	ClassNaN         Class = 1
	ClassNormal      Class = 2
	ClassInfinite    Class = 3
	ClassZero        Class = 4
	ClassEmpty       Class = 5
	ClassDenormal    Class = 6
)

// ClassOf classifies a value. [SDM 2, FXAM]
func ClassOf(v F80) Class {
	switch n := unpack80(v); {
	case n.class == unsupported:
		return ClassUnsupported
	case n.nan():
		return ClassNaN
	case n.class == infinite:
		return ClassInfinite
	case n.class == zero:
		return ClassZero
	case n.denorm:
		return ClassDenormal
	}
	return ClassNormal
}
