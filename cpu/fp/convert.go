package fp

// FromInt converts a signed integer.
func (e *Env) FromInt(f *Format, v int64) uint64 {
	if r, ok := hostFromInt(f, v); ok {
		return r
	}
	n := fromInt(v)
	return f.pack(e, &n)
}

func fromInt(v int64) number {
	if v == 0 {
		return number{}
	}
	n := number{class: finite, neg: v < 0, exp: 63, hi: uint64(v)}
	if n.neg {
		n.hi = -n.hi
	}
	n.normalize()
	return n
}

// ToInt converts to a signed integer of the given width (16, 32, 64), in two's complement,
// the bits above clear. What has no such integer is Invalid and gives
// the integer indefinite, the most negative one. Denormal is never raised.
// [SDM 1, Indefinite Integer; SDM 2, CVTSD2SI]
func (e *Env) ToInt(f *Format, v uint64, width uint, round Rounding) uint64 {
	if r, ok := e.hostToInt(f, v, width, round); ok {
		return r
	}
	n := e.load(f, v)
	return e.toInt(&n, width, round)
}

func (e *Env) toInt(n *number, width uint, round Rounding) uint64 {
	indefinite := uint64(1) << (width - 1)
	switch {
	case n.class == zero:
		return 0
	case n.class != finite || n.exp > 63:
		e.raise(Invalid)
		return indefinite
	}
	whole, inexact := e.whole(n, round)
	// The most negative integer has no positive counterpart.
	if limit := indefinite; n.neg && whole > limit || !n.neg && whole >= limit {
		e.raise(Invalid)
		e.RoundedUp = false
		return indefinite
	}
	if inexact {
		e.raise(Inexact)
	}
	if n.neg {
		whole = -whole
	}
	return whole & (^uint64(0) >> (64 - width))
}

// whole rounds the absolute value of a finite number below 2^64 to an integer.
// One that rounds to 2^64 is not told from 2^64-1: both are too large for any
// caller.
func (e *Env) whole(n *number, round Rounding) (v uint64, inexact bool) {
	hi, lo := shiftRight(n.hi, n.lo, uint(min(63-n.exp, 128)))
	up := false
	switch round {
	case Nearest:
		up = lo>>63 != 0 && (lo<<1 != 0 || hi&1 != 0)
	case Down:
		up = n.neg && lo != 0
	case Up:
		up = !n.neg && lo != 0
	}
	e.RoundedUp = up
	if up && hi != ^uint64(0) {
		hi++
	}
	return hi, lo != 0
}

// Convert converts from one format of SSE to the other.
func (e *Env) Convert(from, to *Format, v uint64) uint64 {
	if r, ok := e.hostConvert(from, v); ok {
		return r
	}
	n := e.load(from, v)
	r := e.converted(&n)
	return to.pack(e, &r)
}

// converted is a number on its way to another format.
func (e *Env) converted(n *number) number {
	if n.nan() {
		return e.quieten(n)
	}
	e.denormals(n, n)
	return *n
}

// Integral rounds to an integer in the same format. Inexact is raised only if
// precise is set; a denormal operand raises nothing. [SDM 2, ROUNDSD]
func (e *Env) Integral(f *Format, v uint64, round Rounding, precise bool) uint64 {
	n := e.load(f, v)
	r := n
	switch {
	case n.nan():
		r = e.quieten(&n)
	case n.class == finite:
		r = e.integral(&n, round, precise)
	}
	return f.pack(e, &r)
}

func (e *Env) integral(n *number, round Rounding, precise bool) number {
	if n.exp >= 63 {
		return *n
	}
	whole, inexact := e.whole(n, round)
	if inexact && precise {
		e.raise(Inexact)
	}
	up := e.RoundedUp
	r := number{neg: n.neg}
	if whole != 0 {
		r.class, r.exp, r.hi = finite, 63, whole
		r.normalize()
	}
	e.RoundedUp = up
	return r
}
