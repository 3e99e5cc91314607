package fp

import "math/bits"

// Partial is the outcome of a partial remainder.
type Partial struct {
	Quotient uint8 // its low three bits
	More     bool  // the remainder is not complete (C2)
	None     bool  // there is no quotient: an operand is a NaN or the operation invalid
}

// Remainder80 is FPREM, or FPREM1 with nearest set: x - q*y, q the quotient
// truncated or rounded to the nearest even integer. If the exponents differ by 64
// or more, it only takes a multiple of y off, and says so.
// [SDM 2, FPREM; FPREM1]
func (e *Env) Remainder80(a, b F80, nearest bool) (F80, Partial) {
	x, y := unpack80(a), unpack80(b)
	if r, done := e.special(&x, &y); done {
		return e.pack80(&r), Partial{None: true}
	}
	if x.class == infinite || y.class == zero {
		r := e.invalid()
		return e.pack80(&r), Partial{None: true}
	}
	e.denormals(&x, &y)
	if e.stops() {
		return F80{}, Partial{}
	}
	if x.class == zero || y.class == infinite {
		return e.round64(x), Partial{}
	}
	d := x.exp - y.exp
	if d >= 64 {
		// Between 32 and 63 bits of the quotient, so that the rest shrinks fast.
		n := uint(32 + d%32)
		r := x
		_, rest := longDiv(x.hi, y.hi, n)
		r.exp = x.exp - int32(n)
		r.hi, r.lo = rest, 0
		if rest == 0 {
			return e.round64(number{neg: x.neg}), Partial{More: true}
		}
		r.normalize()
		return e.round64(r), Partial{More: true}
	}
	var q, rest uint64
	switch {
	case d < -1 || d == -1 && !nearest:
		return e.round64(x), Partial{}
	case d == -1:
		rest = x.hi // relative to x's exponent; below y
	default:
		// The quotient has at most 65 bits; only its low ones count.
		q, rest = longDiv(x.hi, y.hi, uint(d))
	}
	r := number{class: finite, neg: x.neg, exp: y.exp, hi: rest}
	if nearest {
		if d == -1 {
			// x is below y: half of y is y.hi at x's exponent.
			r.exp = x.exp
			if rest > y.hi {
				// y - x, at x's exponent.
				r.neg, r.hi, q = !x.neg, y.hi<<1-rest, 1
			}
		} else if twice, carry := rest<<1, rest>>63 != 0; carry || twice > y.hi || twice == y.hi && q&1 != 0 {
			r.neg, r.hi = !x.neg, y.hi-rest
			q++
		}
	}
	if r.hi == 0 {
		return e.round64(number{neg: x.neg}), Partial{Quotient: uint8(q & 7)}
	}
	r.normalize()
	return e.round64(r), Partial{Quotient: uint8(q & 7)}
}

// longDiv divides x * 2^n by y, both with bit 63 set, n below 64: the quotient
// modulo 2^64, and the rest.
func longDiv(x, y uint64, n uint) (q, rest uint64) {
	if x >= y {
		q, x = 1, x-y
	}
	hi, lo := x>>(64-n), x<<n
	if n == 0 {
		return q, x
	}
	low, rest := bits.Div64(hi, lo, y)
	return q<<n | low, rest
}

// Scale80 is FSCALE: x * 2^trunc(y). [SDM 2, FSCALE]
func (e *Env) Scale80(a, b F80) F80 {
	x, y := unpack80(a), unpack80(b)
	if r, done := e.special(&x, &y); done {
		return e.pack80(&r)
	}
	if y.class == infinite {
		switch {
		case x.class == zero && !y.neg, x.class == infinite && y.neg:
			x = e.invalid()
		case y.neg:
			e.denormals(&x, &x)
			x = number{neg: x.neg}
		default:
			e.denormals(&x, &x)
			x = number{class: infinite, neg: x.neg}
		}
		return e.pack80(&x)
	}
	e.denormals(&x, &y)
	if e.stops() || x.class != finite {
		return e.pack80(&x)
	}
	by := int32(0)
	switch {
	case y.class == zero || y.exp < 0:
	case y.exp > 16:
		by = 1 << 17 // out of every range
	default:
		by = int32(y.hi >> (63 - y.exp))
	}
	if y.neg {
		by = -by
	}
	x.exp += by
	return e.round64(x)
}

// Extract80 is FXTRACT: the significand as a number in [1, 2), and the exponent.
// [SDM 2, FXTRACT]
func (e *Env) Extract80(a F80) (sig, exp F80) {
	x := unpack80(a)
	switch {
	case x.class == unsupported:
		n := e.invalid()
		v := e.pack80(&n)
		return v, v
	case x.nan():
		n := e.quieten(&x)
		v := e.pack80(&n)
		return v, v
	case x.class == infinite:
		return a, F80{1 << 63, 0x7fff}
	case x.class == zero:
		e.raise(ZeroDiv)
		return a, F80{1 << 63, 0xffff}
	}
	e.denormals(&x, &x)
	n := x.exp
	x.exp = 0
	return e.round64(x), FromInt80(int64(n))
}

// ToDecimal converts to 18 packed decimal digits and a sign, 10 bytes; what has
// more is Invalid and gives the packed indefinite. [SDM 2, FBSTP]
func (e *Env) ToDecimal(v F80) (d [10]uint8) {
	n := unpack80(v)
	var whole uint64
	inexact := false
	valid := n.class == zero
	if n.class == finite && n.exp < 63 {
		whole, inexact = e.whole(&n, e.Round)
		valid = whole < 1e18
	}
	if !valid {
		e.raise(Invalid)
		e.RoundedUp = false
		return [10]uint8{7: 0xc0, 8: 0xff, 9: 0xff}
	}
	if inexact {
		e.raise(Inexact)
	}
	for i := range 9 {
		d[i] = uint8(whole%10 | whole/10%10<<4)
		whole /= 100
	}
	if n.neg {
		d[9] = 0x80
	}
	return d
}

// FromDecimal converts packed decimal, exactly. Digits beyond 9 count as they
// are. [SDM 2, FBLD]
func FromDecimal(d [10]uint8) F80 {
	v := uint64(0)
	for i := 8; i >= 0; i-- {
		v = v*100 + uint64(d[i]>>4)*10 + uint64(d[i]&15)
	}
	r := FromInt80(int64(v))
	r.SE |= uint16(d[9]&0x80) << 8
	return r
}
