package fp

// The operations of the x87 on the double-extended format. DAZ and FTZ do not
// apply; the result is rounded to the Env's precision.

// Sqrt80 is the square root of a.
func (e *Env) Sqrt80(a F80) F80 {
	x := unpack80(a)
	r, done := e.special(&x, &x)
	if !done {
		r = e.sqrt(&x)
	}
	return e.pack80(&r)
}

// Load80 converts a single or double to the double-extended format, exactly.
// [SDM 2, FLD]
func (e *Env) Load80(f *Format, v uint64) F80 {
	n := f.unpack(v)
	return e.round64(e.converted(&n))
}

// Store80 rounds to a single or double. [SDM 2, FST]
func (e *Env) Store80(f *Format, v F80) uint64 {
	n := unpack80(v)
	switch {
	case n.class == unsupported:
		n = e.invalid()
	case n.nan():
		n = e.quieten(&n)
	}
	v64 := f.pack(e, &n)
	if u := e.Unmasked() & (Overflow | Underflow); u != 0 {
		// Nothing is stored, so nothing is inexact.
		e.Flags &^= Inexact
		e.RoundedUp = false
	}
	return v64
}

// FromInt80 converts a signed integer, exactly. [SDM 2, FILD]
func FromInt80(v int64) F80 {
	n := fromInt(v)
	e := Env{Precision: 64, X87: true, Masked: AllFlags}
	return e.pack80(&n)
}

// ToInt80 converts to a signed integer. [SDM 2, FIST]
func (e *Env) ToInt80(v F80, width uint, round Rounding) uint64 {
	n := unpack80(v)
	return e.toInt(&n, width, round)
}

// Integral80 rounds to an integer. [SDM 2, FRNDINT]
func (e *Env) Integral80(v F80) F80 {
	n := unpack80(v)
	r, done := e.special(&n, &n)
	if !done {
		r = n
		if n.class == finite {
			e.denormals(&n, &n)
			if e.stops() {
				return F80{}
			}
			r = e.integral(&n, e.Round, true)
		}
	}
	up := e.RoundedUp
	x := e.round64(r)
	e.RoundedUp = up
	return x
}
