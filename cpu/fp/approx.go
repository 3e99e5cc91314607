package fp

// RCPSS and RSQRTSS are approximations: the manual bounds their relative error by
// 1.5 * 2^-12, and processors differ below that. Here both take the middle of the
// interval that the first 12 bits of the fraction name, and round to 13 bits.
// They raise nothing, round always alike, take denormals for zeros and give no
// denormals. [SDM 2, RCPSS; RSQRTSS]

// steps is the number of intervals between two powers of two.
const steps = 12

// Reciprocal approximates 1/v, v a single.
func Reciprocal(v uint64) uint64 {
	n := Single.unpack(v)
	if r, done := approximated(&n, v); done {
		return r
	}
	m := middle(&n)
	q := (1<<(2*steps+2) + m/2) / m // 2^13/m', m' = m/2^13 in [1, 2)
	exp := -n.exp - 1
	if exp < -126 {
		return Single.encode(n.neg, 0, 0)
	}
	return Single.encode(n.neg, uint64(exp+127), q<<(23-steps)&(1<<23-1))
}

// ReciprocalRoot approximates the reciprocal of the square root of v, a single.
func ReciprocalRoot(v uint64) uint64 {
	n := Single.unpack(v)
	if n.neg && (n.class == finite && !n.denorm || n.class == infinite) {
		return Indefinite32
	}
	if r, done := approximated(&n, v); done {
		return r
	}
	m := middle(&n) << (n.exp & 1)
	// 2^13/sqrt(m'), m' in [1, 4), with one bit more, rounded.
	q := min((root64(1<<(3*steps+5)/m)+1)/2, 1<<(steps+1)-1)
	return Single.encode(false, uint64(-(n.exp>>1)-1+127), q<<(23-steps)&(1<<23-1))
}

// approximated gives what both give for operands that are no normal numbers.
func approximated(n *number, v uint64) (r uint64, done bool) {
	switch {
	case n.nan():
		return v | 1<<22, true
	case n.class == infinite:
		return Single.encode(n.neg, 0, 0), true
	case n.class == zero || n.denorm:
		return Single.encode(n.neg, 255, 0), true
	}
	return 0, false
}

// middle is the middle of the operand's interval, times 2^13.
func middle(n *number) uint64 { return n.hi>>(63-steps)<<1 | 1 }

// root64 is the integer square root.
func root64(v uint64) uint64 {
	r := uint64(1) << 32
	for {
		q := (r + v/r) / 2
		if q >= r {
			return r
		}
		r = q
	}
}
