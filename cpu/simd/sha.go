package simd

import "math/bits"

// Steps of SHA-1 and SHA-256. [SDM 2, SHA1RNDS4; SHA1NEXTE; SHA1MSG1; SHA1MSG2;
// SHA256RNDS2; SHA256MSG1; SHA256MSG2; FIPS 180-4]

// lanes32 gives the four doublewords, lane 0 first.
func (v Vec) lanes32() [4]uint32 {
	return [4]uint32{uint32(v.Lo), uint32(v.Lo >> 32), uint32(v.Hi), uint32(v.Hi >> 32)}
}

func vec32(a, b, c, d uint32) Vec { return Vec{uint64(a) | uint64(b)<<32, uint64(c) | uint64(d)<<32} }

// SHA1RNDS4 does four rounds; the immediate names the function and the constant.
func SHA1RNDS4(d, s Vec, imm uint8) Vec {
	x, w := d.lanes32(), s.lanes32()
	a, b, c, e := x[3], x[2], x[1], uint32(0)
	dd := x[0]
	k := [4]uint32{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6}[imm&3]
	for i := range 4 {
		var f uint32
		switch imm & 3 {
		case 0:
			f = b&c ^ ^b&dd
		case 2:
			f = b&c ^ b&dd ^ c&dd
		default:
			f = b ^ c ^ dd
		}
		// E is part of the first message word: SHA1NEXTE has added it.
		t := f + bits.RotateLeft32(a, 5) + w[3-i] + e + k
		a, b, c, dd, e = t, a, bits.RotateLeft32(b, 30), c, dd
	}
	return vec32(dd, c, b, a)
}

func SHA1NEXTE(d, s Vec, _ int) Vec {
	s.SetLane(3, 4, s.Lane(3, 4)+uint64(bits.RotateLeft32(uint32(d.Lane(3, 4)), 30)))
	return s
}

func SHA1MSG1(d, s Vec, _ int) Vec {
	x, y := d.lanes32(), s.lanes32()
	return vec32(y[2]^x[0], y[3]^x[1], x[0]^x[2], x[1]^x[3])
}

func SHA1MSG2(d, s Vec, _ int) Vec {
	x, y := d.lanes32(), s.lanes32()
	w16 := bits.RotateLeft32(x[3]^y[2], 1)
	w17 := bits.RotateLeft32(x[2]^y[1], 1)
	w18 := bits.RotateLeft32(x[1]^y[0], 1)
	w19 := bits.RotateLeft32(x[0]^w16, 1)
	return vec32(w19, w18, w17, w16)
}

// SHA256RNDS2 does two rounds; wk are the message words with their constants.
func SHA256RNDS2(d, s, wk Vec) Vec {
	x, y, m := d.lanes32(), s.lanes32(), wk.lanes32()
	a, b, c, dd := y[3], y[2], x[3], x[2]
	e, f, g, h := y[1], y[0], x[1], x[0]
	for i := range 2 {
		t := h + bigSigma(e, 6, 11, 25) + (e&f ^ ^e&g) + m[i]
		u := bigSigma(a, 2, 13, 22) + (a&b ^ a&c ^ b&c)
		a, b, c, dd, e, f, g, h = t+u, a, b, c, dd+t, e, f, g
	}
	return vec32(f, e, b, a)
}

func bigSigma(v uint32, i, j, k int) uint32 {
	return bits.RotateLeft32(v, -i) ^ bits.RotateLeft32(v, -j) ^ bits.RotateLeft32(v, -k)
}

func smallSigma(v uint32, i, j, k int) uint32 {
	return bits.RotateLeft32(v, -i) ^ bits.RotateLeft32(v, -j) ^ v>>k
}

func SHA256MSG1(d, s Vec, _ int) Vec {
	x, w4 := d.lanes32(), uint32(s.Lo)
	return vec32(x[0]+smallSigma(x[1], 7, 18, 3), x[1]+smallSigma(x[2], 7, 18, 3),
		x[2]+smallSigma(x[3], 7, 18, 3), x[3]+smallSigma(w4, 7, 18, 3))
}

func SHA256MSG2(d, s Vec, _ int) Vec {
	x, y := d.lanes32(), s.lanes32()
	w16 := x[0] + smallSigma(y[2], 17, 19, 10)
	w17 := x[1] + smallSigma(y[3], 17, 19, 10)
	w18 := x[2] + smallSigma(w16, 17, 19, 10)
	w19 := x[3] + smallSigma(w17, 17, 19, 10)
	return vec32(w16, w17, w18, w19)
}
