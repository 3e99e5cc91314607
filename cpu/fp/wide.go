package fp

import "math/bits"

// Arithmetic on zeros and finite numbers of 128 bits, truncated, for series whose
// sum is then rounded to 64. Nothing here overflows: exponents have 32 bits.

// plus is x + y, a sum of nothing being +0. What is shifted out is kept as sticky.
func plus(x, y number) number {
	switch {
	case x.class == zero:
		return y
	case y.class == zero:
		return x
	}
	if x.exp < y.exp || x.exp == y.exp && (x.hi < y.hi || x.hi == y.hi && x.lo < y.lo) {
		x, y = y, x
	}
	hi, lo := shiftRight(y.hi, y.lo, uint(x.exp-y.exp))
	r := number{class: finite, neg: x.neg, exp: x.exp}
	var c uint64
	if x.neg == y.neg {
		r.lo, c = bits.Add64(x.lo, lo, 0)
		r.hi, c = bits.Add64(x.hi, hi, c)
		if c != 0 {
			r.hi, r.lo = shiftRight(r.hi, r.lo, 1)
			r.hi |= 1 << 63
			r.exp++
		}
		return r
	}
	r.lo, c = bits.Sub64(x.lo, lo, 0)
	r.hi, _ = bits.Sub64(x.hi, hi, c)
	if r.hi|r.lo == 0 {
		return number{}
	}
	r.normalize()
	return r
}

func minus(x, y number) number {
	y.neg = !y.neg
	return plus(x, y)
}

// times is x * y.
func times(x, y number) number {
	if x.class == zero || y.class == zero {
		return number{neg: x.neg != y.neg}
	}
	r := number{class: finite, neg: x.neg != y.neg, exp: x.exp + y.exp + 1}
	h, l := bits.Mul64(x.hi, y.hi)
	a, _ := bits.Mul64(x.hi, y.lo)
	b, _ := bits.Mul64(x.lo, y.hi)
	var c uint64
	l, c = bits.Add64(l, a, 0)
	h += c
	l, c = bits.Add64(l, b, 0)
	h += c
	r.hi, r.lo = h, l
	r.normalize()
	return r
}

// over is x / y.
func over(x, y number) number {
	if x.class == zero {
		return number{neg: x.neg != y.neg}
	}
	r := number{class: finite, neg: x.neg != y.neg, exp: x.exp - y.exp}
	// One bit of the quotient at a time, the first of them bit 127 or 126.
	hi, lo, carry := x.hi, x.lo, false
	for range 128 {
		r.hi = r.hi<<1 | r.lo>>63
		r.lo <<= 1
		if carry || hi > y.hi || hi == y.hi && lo >= y.lo {
			var c uint64
			lo, c = bits.Sub64(lo, y.lo, 0)
			hi, _ = bits.Sub64(hi, y.hi, c)
			r.lo |= 1
		}
		carry = hi>>63 != 0
		hi = hi<<1 | lo>>63
		lo <<= 1
	}
	r.normalize()
	return r
}

// overInt is x / n for a small n.
func overInt(x number, n uint64) number {
	if x.class == zero {
		return x
	}
	// n is shifted up so that the quotient keeps its bits.
	s := bits.LeadingZeros64(n)
	d := n << s
	r := number{class: finite, neg: x.neg, exp: x.exp - int32(63-s)}
	hi, rem := uint64(0), x.hi
	if rem >= d {
		hi, rem = 1, rem-d
	}
	mid, rem := bits.Div64(rem, x.lo, d)
	low, _ := bits.Div64(rem, 0, d)
	// The quotient hi:mid:low has its point below hi.
	r.hi, r.lo = hi<<63|mid>>1, mid<<63|low>>1
	r.normalize()
	return r
}

// scaled is x * 2^by.
func scaled(x number, by int32) number {
	if x.class == finite {
		x.exp += by
	}
	return x
}
