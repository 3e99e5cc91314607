package fp

import "math"

// The host's own arithmetic, where it provably gives the same bits and flags: all
// exceptions masked, rounding to nearest, operands and result normal numbers or
// zeros and far enough from the ends of the range that nothing overflows, is
// tiny, or makes the error of the operation itself too small for a number.
// IEEE 754 fixes sum, difference, product, quotient and root on every host;
// conversions keep a compiler from fusing them.

// host tells whether the modes allow it.
func (e *Env) host() bool { return e.Round == Nearest && e.Masked == AllFlags && !e.X87 }

// Bounds of the biased exponents of what the host may work on.
const (
	low64, high64 = 200, 2047 - 200
	low32, high32 = 40, 255 - 40
)

// plain64 tells whether a double is zero or in bounds.
func plain64(v uint64) bool {
	return v<<1 == 0 || v>>52&0x7ff-low64 < high64-low64
}

// plain32 tells whether a single is zero or in bounds.
func plain32(v uint64) bool {
	return v<<33 == 0 || v>>23&0xff-low32 < high32-low32
}

// host64 computes op on doubles; ok is false where the other way must be taken.
func (e *Env) host64(op Operation, a, b uint64) (v uint64, ok bool) {
	if !plain64(a) || !plain64(b) {
		return 0, false
	}
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	var r, rest float64
	switch op {
	case OpSub:
		y = -y
		fallthrough
	case OpAdd:
		r = x + y
		// What rounding lost, exactly.
		t := float64(r - x)
		rest = float64(x-float64(r-t)) + float64(y-t)
	case OpMul:
		r = float64(x * y)
		rest = math.FMA(x, y, -r)
	case OpDiv:
		if y == 0 {
			return 0, false
		}
		r = x / y
		rest = math.FMA(r, y, -x)
	case OpSqrt:
		if y < 0 {
			return 0, false
		}
		r = math.Sqrt(y)
		rest = math.FMA(r, r, -y)
	}
	v = math.Float64bits(r)
	if !plain64(v) || r == 0 && op >= OpMul && x != 0 {
		return 0, false
	}
	if rest != 0 {
		e.raise(Inexact)
	}
	return v, true
}

// host32 computes op on singles.
func (e *Env) host32(op Operation, a, b uint64) (v uint64, ok bool) {
	if !plain32(a) || !plain32(b) {
		return 0, false
	}
	x, y := math.Float32frombits(uint32(a)), math.Float32frombits(uint32(b))
	// Products of singles are exact in double, so that is where the rest is found.
	x2, y2 := float64(x), float64(y)
	var r float32
	inexact := false
	switch op {
	case OpSub:
		y, y2 = -y, -y2
		fallthrough
	case OpAdd:
		r = x + y
		s := x2 + y2
		t := float64(s - x2)
		inexact = float64(r) != s || float64(x2-float64(s-t))+float64(y2-t) != 0
	case OpMul:
		r = float32(x * y)
		inexact = float64(r) != float64(x2*y2)
	case OpDiv:
		if y == 0 {
			return 0, false
		}
		r = x / y
		inexact = float64(float64(r)*y2) != x2
	case OpSqrt:
		if y < 0 {
			return 0, false
		}
		r = float32(math.Sqrt(y2))
		inexact = float64(float64(r)*float64(r)) != y2
	}
	v = uint64(math.Float32bits(r))
	if !plain32(v) || r == 0 && op >= OpMul && x != 0 {
		return 0, false
	}
	if inexact {
		e.raise(Inexact)
	}
	return v, true
}
