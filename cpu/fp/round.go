package fp

// rounded is what comes of rounding: a significand, left-aligned in 64 bits, and
// a biased exponent. Exponent 0 with bit 63 clear is denormal or zero.
type rounded struct {
	sig uint64
	exp int32
}

// cut rounds a 128-bit significand to its first prec bits, left-aligned.
// carry tells that it overflowed to the next power of two, which is returned
// as such.
func (e *Env) cut(neg bool, hi, lo uint64, prec uint8) (sig uint64, carry, inexact bool) {
	ulp := uint64(1) << (64 - prec)
	rest, half := hi&(ulp-1), lo>>63 != 0
	below := lo << 1
	if prec < 64 {
		half = rest&(ulp>>1) != 0
		below = rest&(ulp>>1-1) | lo
	}
	sig = hi &^ (ulp - 1)
	inexact = rest|lo != 0
	up := false
	switch e.Round {
	case Nearest:
		up = half && (below != 0 || sig&ulp != 0)
	case Down:
		up = neg && inexact
	case Up:
		up = !neg && inexact
	}
	if up {
		sig += ulp
		if sig == 0 {
			sig, carry = 1<<63, true
		}
	}
	e.RoundedUp = up
	return sig, carry, inexact
}

// wrap is what the x87 adds to the exponent of a result whose underflow is not
// masked, and takes off after an overflow.
// [SDM 1, Numeric Overflow Exception (#O); Numeric Underflow Exception (#U)]
const wrap = 3 << 13

// round rounds a finite number to prec bits in a format with the given bias.
// [SDM 1, Floating-Point Exception Conditions]
func (e *Env) round(n *number, prec uint8, bias int32) rounded {
	sig, carry, inexact := e.cut(n.neg, n.hi, n.lo, prec)
	exp := n.exp + bias
	if carry {
		exp++
	}
	switch {
	case exp <= 0:
		return e.tiny(n, prec, bias, rounded{sig, exp}, inexact)
	case exp > 2*bias:
		return e.huge(n.neg, prec, bias, rounded{sig, exp}, inexact)
	}
	if inexact {
		e.raise(Inexact)
	}
	return rounded{sig, exp}
}

// tiny is round where the result, rounded as r with an unbounded exponent, is
// too small. [SDM 1, Numeric Underflow Exception (#U)]
func (e *Env) tiny(n *number, prec uint8, bias int32, r rounded, inexact bool) rounded {
	if e.Masked&Underflow == 0 {
		e.raise(Underflow)
		if inexact {
			e.raise(Inexact)
		}
		if e.X87 {
			// FSCALE may be farther out than the added exponent brings back.
			if r.exp += wrap; r.exp <= 0 {
				e.raise(Inexact)
				return rounded{}
			}
		}
		return r
	}
	if e.FTZ {
		e.raise(Underflow | Inexact)
		return rounded{}
	}
	hi, lo := shiftRight(n.hi, n.lo, uint(min(1-(n.exp+bias), 128)))
	sig, _, inexact := e.cut(n.neg, hi, lo, prec)
	if inexact {
		e.raise(Underflow | Inexact)
	}
	if sig>>63 != 0 {
		return rounded{sig, 1}
	}
	return rounded{sig, 0}
}

// huge is round where the result is too large.
// [SDM 1, Numeric Overflow Exception (#O)]
func (e *Env) huge(neg bool, prec uint8, bias int32, r rounded, inexact bool) rounded {
	e.raise(Overflow)
	if e.Masked&Overflow == 0 {
		if inexact {
			e.raise(Inexact)
		}
		if e.X87 {
			if r.exp -= wrap; r.exp > 2*bias {
				e.raise(Inexact)
				e.RoundedUp = true
				return rounded{1 << 63, 2*bias + 1}
			}
		}
		return r
	}
	e.raise(Inexact)
	if e.Round == Zero || e.Round == Up && neg || e.Round == Down && !neg {
		e.RoundedUp = false
		return rounded{^uint64(0) << (64 - prec), 2 * bias}
	}
	e.RoundedUp = true
	return rounded{1 << 63, 2*bias + 1}
}

// pack rounds a result into a format of SSE.
func (f *Format) pack(e *Env, n *number) uint64 {
	switch {
	case e.stops():
		return 0
	case n.class == zero:
		return f.encode(n.neg, 0, 0)
	case n.class == infinite:
		return f.encode(n.neg, uint64(2*f.bias+1), 0)
	case n.class == quiet:
		return f.encode(n.neg, uint64(2*f.bias+1), n.hi<<1>>(65-f.Precision))
	}
	r := e.round(n, f.Precision, f.bias)
	return f.encode(n.neg, uint64(r.exp)&uint64(2*f.bias+1), r.sig<<1>>(65-f.Precision))
}

// pack80 rounds a result to the precision of the Env, into the x87's format.
func (e *Env) pack80(n *number) F80 {
	switch {
	case e.stops():
		return F80{}
	case n.class == zero:
		return F80{0, sign80(n.neg)}
	case n.class == infinite:
		return F80{1 << 63, sign80(n.neg) | 0x7fff}
	case n.class == quiet:
		return F80{n.hi | 1<<63, sign80(n.neg) | 0x7fff}
	}
	r := e.round(n, e.Precision, Extended.bias)
	return F80{r.sig, sign80(n.neg) | uint16(r.exp)&0x7fff}
}
