package fp

import "math/bits"

// class is what kind of value an operand is.
type class uint8

const (
	zero class = iota
	finite
	infinite
	quiet       // QNaN
	signaling   // SNaN
	unsupported // of the x87: pseudo-NaN, pseudo-infinity, unnormal
)

// number is an unpacked operand or a result that is not rounded yet. A finite
// one is (-1)^neg * hi:lo/2^127 * 2^exp with bit 127 of hi:lo set; bit 0 of lo
// is sticky: some lower bit was not zero. A NaN has its payload left-aligned in
// hi, the quiet bit at bit 62.
type number struct {
	class  class
	neg    bool
	denorm bool // the operand was denormal
	exp    int32
	hi, lo uint64
}

// nan tells a NaN of either kind.
func (n *number) nan() bool { return n.class == quiet || n.class == signaling }

// normalize shifts the leading one of a significand that is not zero to bit 127.
func (n *number) normalize() {
	if n.hi == 0 {
		n.hi, n.lo = n.lo, 0
		n.exp -= 64
	}
	if s := bits.LeadingZeros64(n.hi); s > 0 {
		n.hi = n.hi<<s | n.lo>>(64-s)
		n.lo <<= s
		n.exp -= int32(s)
	}
}

// shiftRight shifts the significand, what falls out kept as sticky.
func shiftRight(hi, lo uint64, by uint) (uint64, uint64) {
	switch {
	case by == 0:
		return hi, lo
	case by < 64:
		out := lo << (64 - by)
		return hi >> by, hi<<(64-by) | lo>>by | sticky(out)
	case by < 128:
		out := lo
		if by > 64 {
			out |= hi << (128 - by)
		}
		return 0, hi>>(by-64) | sticky(out)
	}
	return 0, sticky(hi | lo)
}

// sticky is 1 if any bit is set.
func sticky(v uint64) uint64 {
	if v != 0 {
		return 1
	}
	return 0
}
