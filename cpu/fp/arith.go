package fp

import "math/bits"

// combine is the operation on any two operands; its result is not rounded yet.
func (e *Env) combine(x, y *number, op Operation) number {
	if r, done := e.special(x, y); done {
		return r
	}
	switch op {
	case OpAdd:
		return e.add(x, y)
	case OpSub:
		y.neg = !y.neg
		return e.add(x, y)
	case OpMul:
		return e.mul(x, y)
	}
	return e.div(x, y)
}

// What follows takes operands that are no NaNs.

// add is x + y. [SDM 1, Numeric operations; IEEE 754, 6.3 The sign bit]
func (e *Env) add(x, y *number) number {
	switch {
	case x.class == infinite && y.class == infinite && x.neg != y.neg:
		// Infinities of opposite signs have no sum.
		return e.invalid()
	case x.class == infinite, y.class == infinite:
		e.denormals(x, y)
		if x.class == infinite {
			return *x
		}
		return *y
	}
	e.denormals(x, y)
	if x.class == zero && y.class == zero && x.neg == y.neg {
		return *x
	}
	r := plus(*x, *y)
	if r.class == zero {
		r.neg = e.Round == Down
	}
	return r
}

// mul is x * y.
func (e *Env) mul(x, y *number) number {
	r := number{neg: x.neg != y.neg}
	switch {
	case x.class == infinite && y.class == zero, x.class == zero && y.class == infinite:
		return e.invalid()
	case x.class == infinite || y.class == infinite:
		r.class = infinite
	case x.class == finite && y.class == finite:
		r.class, r.exp = finite, x.exp+y.exp+1
		r.hi, r.lo = bits.Mul64(x.hi, y.hi)
		r.normalize()
	}
	e.denormals(x, y)
	return r
}

// div is x / y. [SDM 1, Divide-By-Zero Exception (#Z)]
func (e *Env) div(x, y *number) number {
	r := number{neg: x.neg != y.neg}
	switch {
	case x.class == y.class && x.class != finite:
		return e.invalid() // 0/0, inf/inf
	case x.class == finite && y.class == zero:
		e.raise(ZeroDiv)
		r.class = infinite
		return r
	case x.class == infinite:
		r.class = infinite
	case x.class == finite && y.class == finite:
		r.class, r.exp = finite, x.exp-y.exp
		// The dividend is halved where needed, so that 64 bits hold the quotient.
		hi, lo := x.hi>>1, x.hi<<63
		if x.hi < y.hi {
			hi, lo = x.hi, 0
			r.exp--
		}
		var rem uint64
		r.hi, rem = bits.Div64(hi, lo, y.hi)
		r.lo, rem = bits.Div64(rem, 0, y.hi)
		r.lo |= sticky(rem)
	}
	e.denormals(x, y)
	return r
}

// sqrt is the square root of x.
func (e *Env) sqrt(x *number) number {
	switch {
	case x.class == zero:
		return *x
	case x.neg:
		return e.invalid()
	case x.class == infinite:
		return *x
	}
	e.denormals(x, x)
	// The root of a 127- or 128-bit integer has 64 bits: the exponent is made even.
	r := number{class: finite, exp: x.exp >> 1}
	hi, lo := x.hi>>1, x.hi<<63
	if x.exp&1 != 0 {
		hi, lo = x.hi, 0
	}
	root := isqrt(hi, lo)
	h, l := bits.Mul64(root, root)
	l, c := bits.Sub64(lo, l, 0)
	h, _ = bits.Sub64(hi, h, c)
	r.hi = root
	// What is left, h:l, tells the next bit: it is set if the rest exceeds the root.
	if h != 0 || l > root {
		r.lo = 1<<63 | 1
	} else {
		r.lo = sticky(l)
	}
	return r
}

// isqrt is the integer square root of hi:lo, hi at least 2^62.
func isqrt(hi, lo uint64) uint64 {
	// Newton's method from above: it falls until it stands.
	r := ^uint64(0)
	if hi>>62 == 1 {
		r = 0xb504f333f9de6485 // the root of the largest 127-bit integer, rounded up
	}
	for {
		if hi >= r {
			return r // the quotient would not fit: r is the largest root there is
		}
		q, _ := bits.Div64(hi, lo, r)
		if q >= r {
			return r
		}
		r = q + (r-q)>>1
	}
}
