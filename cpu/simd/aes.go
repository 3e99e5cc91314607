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

// times multiplies in GF(2^8).
func times(v, by uint8) (r uint8) {
	for ; by != 0; by >>= 1 {
		r ^= by & 1 * v
		v = double(v)
	}
	return r
}

type state [16]uint8

func (v Vec) state() (s state) {
	for i := range s {
		s[i] = uint8(v.Lane(i, 1))
	}
	return s
}

func (s *state) vec() (v Vec) {
	for i, b := range s {
		v.SetLane(i, 1, uint64(b))
	}
	return v
}

// shiftRows moves row r (bytes r, r+4, ...) r columns to the left, or back.
func (s *state) shiftRows(step int) (r state) {
	for i := range r {
		r[i] = s[(i+step*4*(i%4)+16)%16]
	}
	return r
}

func (s *state) substitute(box *[256]uint8) {
	for i, b := range s {
		s[i] = box[b]
	}
}

// mixColumns multiplies each column by a circulant matrix.
func (s *state) mixColumns(m [4]uint8) (r state) {
	for i := range r {
		column := i &^ 3
		for k := range 4 {
			r[i] ^= times(s[column+k], m[(k-i%4+4)%4])
		}
	}
	return r
}

var (
	mix   = [4]uint8{2, 3, 1, 1}
	unmix = [4]uint8{14, 11, 13, 9}
)

func AESENC(d, s Vec, _ int) Vec {
	t := d.state()
	t = t.shiftRows(1)
	t.substitute(&sbox)
	t = t.mixColumns(mix)
	return PXOR(t.vec(), s, 16)
}

func AESENCLAST(d, s Vec, _ int) Vec {
	t := d.state()
	t = t.shiftRows(1)
	t.substitute(&sbox)
	return PXOR(t.vec(), s, 16)
}

func AESDEC(d, s Vec, _ int) Vec {
	t := d.state()
	t = t.shiftRows(-1)
	t.substitute(&inverse)
	t = t.mixColumns(unmix)
	return PXOR(t.vec(), s, 16)
}

func AESDECLAST(d, s Vec, _ int) Vec {
	t := d.state()
	t = t.shiftRows(-1)
	t.substitute(&inverse)
	return PXOR(t.vec(), s, 16)
}

func AESIMC(_, s Vec, _ int) Vec {
	t := s.state()
	t = t.mixColumns(unmix)
	return t.vec()
}

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
