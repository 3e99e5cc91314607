package simd

import "encoding/binary"

// Operations on all lanes of a quadword at once. n is the width of a lane in
// bits: 8, 16 or 32.
//
// A sum of packed lanes is made without its top bits first, which then are
// added without carry, so that no lane reaches into the next. The top bits also
// are where comparisons and saturation find their answer, to be spread over the lane.

// top holds the top bit of each lane of n bits.
var top = [64]uint64{8: 0x8080808080808080, 16: 0x8000800080008000, 32: 0x8000000080000000}

// spread makes lanes of ones of the top bits in t.
func spread(t uint64, n uint) uint64 { return t >> (n - 1) * (1<<n - 1) }

// pick takes a where m has ones, and b elsewhere.
func pick(m, a, b uint64) uint64 { return b ^ (a^b)&m }

func add(a, b uint64, n uint) uint64 {
	h := top[n&63]
	return (a&^h + b&^h) ^ (a^b)&h
}

func sub(a, b uint64, n uint) uint64 {
	h := top[n&63]
	return (a | h - b&^h) ^ (a^^b)&h
}

// addUnsigned and subUnsigned saturate at the ends of an unsigned lane.
func addUnsigned(a, b uint64, n uint) uint64 {
	r := add(a, b, n)
	carry := (a&b | (a|b)&^r) & top[n&63]
	return r | spread(carry, n)
}

func subUnsigned(a, b uint64, n uint) uint64 { return sub(a, b, n) &^ less(a, b, n) }

// addSigned and subSigned saturate at the ends of a signed lane.
func addSigned(a, b uint64, n uint) uint64 {
	r := add(a, b, n)
	return pick(spread((r^a)&(r^b)&top[n&63], n), end(a, n), r)
}

func subSigned(a, b uint64, n uint) uint64 {
	r := sub(a, b, n)
	return pick(spread((a^b)&(a^r)&top[n&63], n), end(a, n), r)
}

// end is the end of the range on a's side: the greatest positive number, or the least negative one.
func end(a uint64, n uint) uint64 {
	h := top[n&63]
	return ^h + a&h>>(n-1)
}

// less makes lanes of ones where a is below b, unsigned.
func less(a, b uint64, n uint) uint64 {
	borrow := ^a&b | ^(a^b)&sub(a, b, n)
	return spread(borrow&top[n&63], n)
}

// lessSigned makes lanes of ones where a is below b, signed.
func lessSigned(a, b uint64, n uint) uint64 {
	h := top[n&63]
	return less(a^h, b^h, n)
}

// zero makes lanes of ones where v is zero.
func zero(v uint64, n uint) uint64 {
	h := top[n&63]
	return spread(^(v&^h+^h|v)&h, n)
}

// negate changes the sign of the lanes in which m has ones.
func negate(m, v uint64, n uint) uint64 { return sub(v^m, m, n) }

// even gathers the even lanes of a quadword in its low half.
func even(v uint64, n uint) uint64 {
	switch n {
	case 8:
		v &= 0x00ff00ff00ff00ff
		v |= v >> 8
		fallthrough
	case 16:
		v &= 0x0000ffff0000ffff
		v |= v >> 16
	}
	return uint64(uint32(v))
}

// apart puts the lanes of v's low half into the even lanes; the odd ones are zero.
func apart(v uint64, n uint) uint64 {
	v = uint64(uint32(v))
	switch n {
	case 8:
		v = (v | v<<16) & 0x0000ffff0000ffff
		v = (v | v<<8) & 0x00ff00ff00ff00ff
	case 16:
		v = (v | v<<16) & 0x0000ffff0000ffff
	}
	return v
}

// words and dwords apply f to each lane of 16 or 32 bits, where lanes cannot be worked on at once.
func words(a, b uint64, f func(a, b uint16) uint16) (r uint64) {
	for i := 0; i < 64; i += 16 {
		r |= uint64(f(uint16(a>>i), uint16(b>>i))) << i
	}
	return r
}

func dwords(a, b uint64, f func(a, b uint32) uint32) uint64 {
	return uint64(f(uint32(a), uint32(b))) | uint64(f(uint32(a>>32), uint32(b>>32)))<<32
}

// half gives the low quadword, or the high one where i is odd.
func (v Vec) half(i uint8) uint64 {
	if i&1 != 0 {
		return v.Hi
	}
	return v.Lo
}

// Lane reads lane i of size bytes (1, 2, 4, 8), zero-extended.
func (v Vec) Lane(i, size int) uint64 {
	x := v.half(uint8(i * size >> 3))
	if size == 8 {
		return x
	}
	return x >> (8 * (i * size & 7)) & (1<<(8*size) - 1)
}

// SetLane writes lane i of size bytes.
func (v *Vec) SetLane(i, size int, x uint64) {
	p := &v.Lo
	if i*size >= 8 {
		p = &v.Hi
	}
	sh := 8 * (i * size & 7)
	mask := ^uint64(0) >> (64 - 8*size) << sh
	*p = *p&^mask | x<<sh&mask
}

// bytes gives the vector's bytes, the lowest first.
func (v Vec) bytes() (b [16]uint8) {
	binary.LittleEndian.PutUint64(b[:8], v.Lo)
	binary.LittleEndian.PutUint64(b[8:], v.Hi)
	return b
}
