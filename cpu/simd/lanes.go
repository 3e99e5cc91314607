package simd

// Lanes of a quadword, and operations on all of them at once.
//
// A sum of packed lanes is made without its top bits first, which then are
// added without carry, so that no lane reaches into the next.

const (
	top8  = 0x8080808080808080
	top16 = 0x8000800080008000
	top32 = 0x8000000080000000
	one8  = 0x0101010101010101
	one16 = 0x0001000100010001
	one32 = 0x0000000100000001
)

func addLanes(a, b, top uint64) uint64 { return (a&^top + b&^top) ^ (a^b)&top }
func subLanes(a, b, top uint64) uint64 { return (a | top - b&^top) ^ (a^^b)&top }

// each applies f to both halves, or to the low one.
func each(d, s Vec, w int, f func(a, b uint64) uint64) Vec {
	r := Vec{f(d[0], s[0])}
	if w == 16 {
		r[1] = f(d[1], s[1])
	}
	return r
}

// bytes applies f to each lane of 8 bits.
func bytes(a, b uint64, f func(a, b uint8) uint8) (r uint64) {
	for i := 0; i < 64; i += 8 {
		r |= uint64(f(uint8(a>>i), uint8(b>>i))) << i
	}
	return r
}

// words applies f to each lane of 16 bits.
func words(a, b uint64, f func(a, b uint16) uint16) (r uint64) {
	for i := 0; i < 64; i += 16 {
		r |= uint64(f(uint16(a>>i), uint16(b>>i))) << i
	}
	return r
}

// dwords applies f to both lanes of 32 bits.
func dwords(a, b uint64, f func(a, b uint32) uint32) uint64 {
	return uint64(f(uint32(a), uint32(b))) | uint64(f(uint32(a>>32), uint32(b>>32)))<<32
}

// Lane reads lane i of size bytes (1, 2, 4, 8), zero-extended.
func (v *Vec) Lane(i, size int) uint64 {
	per := 8 / size
	x := v[i/per&1] >> (8 * size * (i % per))
	if size == 8 {
		return x
	}
	return x & (1<<(8*size) - 1)
}

// SetLane writes lane i of size bytes.
func (v *Vec) SetLane(i, size int, x uint64) {
	per := 8 / size
	p := &v[i/per&1]
	if size == 8 {
		*p = x
		return
	}
	sh := 8 * size * (i % per)
	mask := uint64(1)<<(8*size) - 1
	*p = *p&^(mask<<sh) | x&mask<<sh
}

// spread makes each lane whose top bit is set all ones, and the others zero.
func spread8(t uint64) uint64  { return t >> 7 & one8 * 0xff }
func spread16(t uint64) uint64 { return t >> 15 & one16 * 0xffff }
