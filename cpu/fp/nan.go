package fp

// defaultNaN is the result of an invalid operation, the indefinite.
var defaultNaN = number{class: quiet, neg: true, hi: 1 << 62}

// invalid raises Invalid and gives the indefinite.
func (e *Env) invalid() number {
	e.raise(Invalid)
	return defaultNaN
}

// quieten makes a NaN quiet, raising Invalid for a signaling one.
func (e *Env) quieten(n *number) number {
	if n.class == signaling {
		e.raise(Invalid)
	}
	return number{class: quiet, neg: n.neg, hi: n.hi | 1<<62}
}

// special settles what NaNs and unsupported operands decide, and tells a
// denormal operand; done is false where the operation itself must go on. What
// a NaN decides comes before anything that the values would raise.
// [SDM 1, Table "Rules for Handling NaNs"; Priority of Floating-Point Exceptions]
func (e *Env) special(x, y *number) (r number, done bool) {
	if x.class == unsupported || y.class == unsupported {
		return e.invalid(), true
	}
	if x.nan() || y.nan() {
		return e.propagate(x, y), true
	}
	return r, false
}

// propagate chooses the NaN that an operation on x and y gives, one of which is one.
func (e *Env) propagate(x, y *number) number {
	if x.class == signaling || y.class == signaling {
		e.raise(Invalid)
	}
	pick := x
	switch {
	case !x.nan():
		pick = y
	case !y.nan():
	case !e.X87:
		// SSE: the first operand.
	case x.class == signaling && y.class == quiet:
		pick = y
	case x.class == quiet && y.class == signaling:
	case y.hi > x.hi || y.hi == x.hi && x.neg && !y.neg:
		// The x87: the larger significand, of equal ones the positive.
		pick = y
	}
	return number{class: quiet, neg: pick.neg, hi: pick.hi | 1<<62}
}

// denormals raises Denormal if an operand is.
func (e *Env) denormals(x, y *number) {
	if x.denorm || y.denorm {
		e.raise(Denormal)
	}
}
