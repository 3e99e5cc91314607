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

// What the host may work on has an exponent in the middle half of its format's range:
// its two top bits differ. The places of the upper one, for a double and for two singles:
const (
	middle64 = 1 << 62
	middle32 = 1<<62 | 1<<30
)

// plain64 tells whether a double is zero or in the middle.
func plain64(v uint64) bool {
	return (v^v<<1)&middle64 != 0 || v<<1 == 0
}

// plain32 tells whether both singles of a quadword are zero or in the middle.
func plain32(v uint64) bool {
	m := (v ^ v<<1) & middle32
	return m == middle32 || (m>>30&1 != 0 || v<<33 == 0) && (m>>62 != 0 || v>>32<<33 == 0)
}

// host64 computes op on doubles; ok is false where the other way must be taken.
func (e *Env) host64(op Operation, a, b uint64) (v uint64, ok bool) {
	if !plain64(a) || !plain64(b) {
		return 0, false
	}
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	var r float64
	switch op {
	case OpSub:
		y = -y
		fallthrough
	case OpAdd:
		r = x + y
	case OpMul:
		r = float64(x * y)
	case OpDiv:
		if y == 0 {
			return 0, false
		}
		r = x / y
	case OpSqrt:
		if y < 0 {
			return 0, false
		}
		r = math.Sqrt(y)
	}
	v = math.Float64bits(r)
	if !plain64(v) || r == 0 && op >= OpMul && x != 0 {
		return 0, false
	}
	if e.Flags&Inexact == 0 && rest64(op, x, y, r) != 0 {
		e.raise(Inexact)
	}
	return v, true
}

// rest64 is what rounding lost, exactly, or something else that is zero only if nothing was.
func rest64(op Operation, x, y, r float64) float64 {
	switch op {
	case OpMul:
		return math.FMA(x, y, -r)
	case OpDiv:
		return math.FMA(r, y, -x)
	case OpSqrt:
		return math.FMA(r, r, -y)
	}
	t := float64(r - x)
	return float64(x-float64(r-t)) + float64(y-t)
}

// host32 computes op on both singles of a quadword.
func (e *Env) host32(op Operation, a, b uint64) (v uint64, ok bool) {
	if !plain32(a) || !plain32(b) {
		return 0, false
	}
	x, x2 := math.Float32frombits(uint32(a)), math.Float32frombits(uint32(a>>32))
	y, y2 := math.Float32frombits(uint32(b)), math.Float32frombits(uint32(b>>32))
	var r, r2 float32
	switch op {
	case OpSub:
		y, y2 = -y, -y2
		fallthrough
	case OpAdd:
		r, r2 = x+y, x2+y2
	case OpMul:
		r, r2 = float32(x*y), float32(x2*y2)
	case OpDiv:
		if y == 0 || y2 == 0 {
			return 0, false
		}
		r, r2 = x/y, x2/y2
	case OpSqrt:
		if y < 0 || y2 < 0 {
			return 0, false
		}
		r, r2 = float32(math.Sqrt(float64(y))), float32(math.Sqrt(float64(y2)))
	}
	v = uint64(math.Float32bits(r)) | uint64(math.Float32bits(r2))<<32
	if !plain32(v) || op >= OpMul && (r == 0 && x != 0 || r2 == 0 && x2 != 0) {
		return 0, false
	}
	if e.Flags&Inexact == 0 && (lost32(op, float64(x), float64(y), float64(r)) || lost32(op, float64(x2), float64(y2), float64(r2))) {
		e.raise(Inexact)
	}
	return v, true
}

// lost32 tells whether rounding lost something: products of singles are exact in double.
func lost32(op Operation, x, y, r float64) bool {
	switch op {
	case OpMul:
		return r != float64(x*y)
	case OpDiv:
		return float64(r*y) != x
	case OpSqrt:
		return float64(r*r) != y
	}
	s := x + y
	t := float64(s - x)
	return r != s || float64(x-float64(s-t))+float64(y-t) != 0
}

// ordinary gives a zero or a number in bounds as the host's. Comparing such and
// what is exact raises no flags, whatever the modes.
func ordinary(f *Format, v uint64) (float64, bool) {
	if f == &Double {
		return math.Float64frombits(v), plain64(v)
	}
	return float64(math.Float32frombits(uint32(v))), plain32(uint64(uint32(v)))
}

// order compares what are no NaNs.
func order(x, y float64) Order {
	switch {
	case x < y:
		return Less
	case x > y:
		return Greater
	}
	return Equal
}

// hostFromInt converts an integer that the format holds exactly.
func hostFromInt(f *Format, v int64) (uint64, bool) {
	if f == &Double {
		return math.Float64bits(float64(v)), -1<<53 <= v && v <= 1<<53
	}
	return uint64(math.Float32bits(float32(v))), -1<<24 <= v && v <= 1<<24
}

// hostToInt converts to an integer by truncation or to the nearest.
func (e *Env) hostToInt(f *Format, v uint64, width uint, round Rounding) (uint64, bool) {
	x, ok := ordinary(f, v)
	if limit := float64(uint64(1) << (width - 2)); !ok || x >= limit || x <= -limit || round != Zero && round != Nearest {
		return 0, false
	}
	i := int64(x)
	if float64(i) != x {
		if round == Nearest {
			i = int64(math.RoundToEven(x))
		}
		e.raise(Inexact)
	}
	return uint64(i) & (^uint64(0) >> (64 - width)), true
}

// hostConvert converts a single to a double, or back.
func (e *Env) hostConvert(from *Format, v uint64) (uint64, bool) {
	x, ok := ordinary(from, v)
	if from == &Single {
		return math.Float64bits(x), ok
	}
	r := float32(x)
	bits := uint64(math.Float32bits(r))
	if !ok || !e.host() || !plain32(bits) || r == 0 && x != 0 {
		return 0, false
	}
	if float64(r) != x {
		e.raise(Inexact)
	}
	return bits, true
}
