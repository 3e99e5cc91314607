package fp

// The operations of SSE on one element. Values are in the low bits of a
// uint64. Each raises its flags in the Env; where one of them is not masked
// the result means nothing.

// load unpacks an operand, DAZ applied. [SDM 1, Denormals-Are-Zeros]
func (e *Env) load(f *Format, v uint64) number {
	n := f.unpack(v)
	if n.denorm && e.DAZ {
		return number{neg: n.neg}
	}
	return n
}

// binary is an operation on two operands that rounds its result.
func (e *Env) binary(f *Format, a, b uint64, op Operation) uint64 {
	x, y := e.load(f, a), e.load(f, b)
	r := e.combine(&x, &y, op)
	return f.pack(e, &r)
}

// Apply is a op b.
func (e *Env) Apply(op Operation, f *Format, a, b uint64) uint64 {
	if op <= OpSqrt && e.host() {
		if op == OpSqrt {
			a = b // which is all that counts
		}
		if f == &Double {
			if v, ok := e.host64(op, a, b); ok {
				return v
			}
		} else if v, ok := e.host32(op, a|oneAbove, b|oneAbove); ok {
			return uint64(uint32(v))
		}
	}
	switch op {
	case OpSqrt:
		return e.Sqrt(f, b)
	case OpMin:
		return e.Min(f, a, b)
	case OpMax:
		return e.Max(f, a, b)
	}
	return e.binary(f, a, b, op)
}

// oneAbove is the number 1 in the upper single of a quadword: all that is done to it is exact.
const oneAbove = 0x3f800000 << 32

// Apply2 is a op b on both singles of quadwords.
func (e *Env) Apply2(op Operation, a, b uint64) uint64 {
	if op <= OpSqrt && e.host() {
		if op == OpSqrt {
			a = b
		}
		if v, ok := e.host32(op, a, b); ok {
			return v
		}
	}
	low := e.Apply(op, &Single, uint64(uint32(a)), uint64(uint32(b)))
	return low | e.Apply(op, &Single, a>>32, b>>32)<<32
}

// Add is a + b.
func (e *Env) Add(f *Format, a, b uint64) uint64 { return e.binary(f, a, b, OpAdd) }

// Sub is a - b.
func (e *Env) Sub(f *Format, a, b uint64) uint64 { return e.binary(f, a, b, OpSub) }

// Mul is a * b.
func (e *Env) Mul(f *Format, a, b uint64) uint64 { return e.binary(f, a, b, OpMul) }

// Div is a / b.
func (e *Env) Div(f *Format, a, b uint64) uint64 { return e.binary(f, a, b, OpDiv) }

// Sqrt is the square root of a.
func (e *Env) Sqrt(f *Format, a uint64) uint64 {
	x := e.load(f, a)
	var r number
	if x.nan() {
		r = e.quieten(&x)
	} else {
		r = e.sqrt(&x)
	}
	return f.pack(e, &r)
}

// Min is MIN: b if either is a NaN or both are zeros, else the lesser.
// [SDM 2, MINSD]
func (e *Env) Min(f *Format, a, b uint64) uint64 {
	if e.Compare(f, a, b, true) == Less {
		return e.flushed(f, a)
	}
	return e.flushed(f, b)
}

// Max is MAX: b if either is a NaN or both are zeros, else the greater.
// [SDM 2, MAXSD]
func (e *Env) Max(f *Format, a, b uint64) uint64 {
	if e.Compare(f, a, b, true) == Greater {
		return e.flushed(f, a)
	}
	return e.flushed(f, b)
}

// flushed is a value with DAZ applied.
func (e *Env) flushed(f *Format, v uint64) uint64 {
	if !e.DAZ {
		return v
	}
	if n := f.unpack(v); n.denorm {
		return f.encode(n.neg, 0, 0)
	}
	return v
}

// Order is how two values compare.
type Order uint8

// The four orders.
const (
	Less Order = iota
	Equal
	Greater
	Unordered
)

// Compare compares a with b. A QNaN is Invalid only if signals is set; an SNaN
// always is. [SDM 2, COMISD; UCOMISD]
func (e *Env) Compare(f *Format, a, b uint64, signals bool) Order {
	if x, ok := ordinary(f, a); ok {
		if y, ok := ordinary(f, b); ok {
			return order(x, y)
		}
	}
	x, y := e.load(f, a), e.load(f, b)
	return e.compare(&x, &y, signals)
}

func (e *Env) compare(x, y *number, signals bool) Order {
	if x.class == unsupported || y.class == unsupported {
		e.raise(Invalid)
		return Unordered
	}
	if x.nan() || y.nan() {
		if signals || x.class == signaling || y.class == signaling {
			e.raise(Invalid)
		}
		return Unordered
	}
	e.denormals(x, y)
	if x.class == zero && y.class == zero {
		return Equal
	}
	if x.neg != y.neg {
		// The sign decides: where one is a zero, that of the other.
		if x.neg {
			return Less
		}
		return Greater
	}
	o := magnitude(x, y)
	if x.neg && o != Equal {
		o = Less + Greater - o
	}
	return o
}

// magnitude compares the absolute values of two that are no NaNs.
func magnitude(x, y *number) Order {
	switch {
	case x.class != y.class:
		if x.class < y.class {
			return Less
		}
		return Greater
	case x.class != finite:
		return Equal
	case x.exp != y.exp:
		if x.exp < y.exp {
			return Less
		}
		return Greater
	case x.hi != y.hi:
		if x.hi < y.hi {
			return Less
		}
		return Greater
	}
	return Equal
}
