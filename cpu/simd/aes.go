package simd

import "math/bits"

// AES steps on a state of 16 bytes, byte 0 lowest, columns of four.
// [SDM 2, AESENC; AESDEC; AESIMC; AESKEYGENASSIST; FIPS 197]

// sbox and inverse are SubBytes and InvSubBytes, made from their definition.
var sbox, inverse = makeBoxes()

// makeBoxes takes inverses in GF(2^8) and maps them affinely. [FIPS 197, SubBytes() Transformation]
func makeBoxes() (s, inv [256]uint8) {
	// 3 generates the field: p runs through all of it, q through the inverses.
	p, q := uint8(1), uint8(1)
	for {
		p ^= double(p)
		// q divided by 3 is q times F6.
		q ^= q << 1
		q ^= q << 2
		q ^= q << 4
		if q&0x80 != 0 {
			q ^= 0x09
		}
		v := q ^ bits.RotateLeft8(q, 1) ^ bits.RotateLeft8(q, 2) ^ bits.RotateLeft8(q, 3) ^ bits.RotateLeft8(q, 4) ^ 0x63
		s[p], inv[v] = v, p
		if p == 1 {
			break
		}
	}
	s[0], inv[0x63] = 0x63, 0
	return s, inv
}

// double multiplies by 2 in GF(2^8).
func double(v uint8) uint8 { return v<<1 ^ v>>7*0x1b }

// doubles multiplies eight bytes by 2.
func doubles(v uint64) uint64 { return v&^top[8]<<1 ^ v&top[8]>>7*0x1b }

// turned rotates both columns of a quadword by n bits: each byte gives way to the one n/8 below it.
func turned(v uint64, n int) uint64 {
	return uint64(bits.RotateLeft32(uint32(v), -n)) | uint64(bits.RotateLeft32(uint32(v>>32), -n))<<32
}

// mixed multiplies columns by the circulant matrix of 2, 3, 1, 1, two at a time.
// [FIPS 197, MixColumns() Transformation]
func mixed(v uint64) uint64 {
	next := turned(v, 8)
	return doubles(v^next) ^ next ^ turned(v, 16) ^ turned(v, 24)
}

// unmixed multiplies them by that of 14, 11, 13, 9, which is the other one after
// that of 5, 0, 4, 0. [FIPS 197, InvMixColumns() Transformation]
func unmixed(v uint64) uint64 { return mixed(v ^ doubles(doubles(v^turned(v, 16)))) }

// substituted replaces each byte by its entry in the box, and moves row r (bytes r,
// r+4, ...) r columns to the left, or with a step of -1 to the right. Neither minds which comes first.
// [FIPS 197, ShiftRows() Transformation; SubBytes() Transformation]
func substituted(v Vec, box *[256]uint8, step int) (r Vec) {
	b := v.bytes()
	for i := range 8 {
		shift := step * 4 * (i % 4)
		r.Lo |= uint64(box[b[(i+shift)&15]]) << (8 * i)
		r.Hi |= uint64(box[b[(i+8+shift)&15]]) << (8 * i)
	}
	return r
}

func AESENC(d, s Vec, _ int) Vec {
	t := substituted(d, &sbox, 1)
	return Vec{mixed(t.Lo) ^ s.Lo, mixed(t.Hi) ^ s.Hi}
}
func AESENCLAST(d, s Vec, w int) Vec { return PXOR(substituted(d, &sbox, 1), s, w) }
func AESDEC(d, s Vec, _ int) Vec {
	t := substituted(d, &inverse, -1)
	return Vec{unmixed(t.Lo) ^ s.Lo, unmixed(t.Hi) ^ s.Hi}
}
func AESDECLAST(d, s Vec, w int) Vec { return PXOR(substituted(d, &inverse, -1), s, w) }
func AESIMC(_, s Vec, _ int) Vec     { return Vec{unmixed(s.Lo), unmixed(s.Hi)} }

func AESKEYGENASSIST(s Vec, imm uint8) (r Vec) {
	for i := range 2 {
		x := uint32(s.Lane(2*i+1, 4))
		sub := uint32(0)
		for b := 0; b < 32; b += 8 {
			sub |= uint32(sbox[uint8(x>>b)]) << b
		}
		r.SetLane(i, 8, uint64(sub)|uint64(bits.RotateLeft32(sub, -8)^uint32(imm))<<32)
	}
	return r
}
