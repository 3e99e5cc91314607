package simd

// evens and odds gather the lanes of n bits at even and odd places: the
// destination's below the source's.
func evens(d, s Vec, w int, n uint) Vec {
	if w == 8 {
		return Vec{Lo: even(d.Lo, n) | even(s.Lo, n)<<32}
	}
	return Vec{even(d.Lo, n) | even(d.Hi, n)<<32, even(s.Lo, n) | even(s.Hi, n)<<32}
}

func odds(d, s Vec, w int, n uint) Vec {
	return evens(Vec{d.Lo >> n, d.Hi >> n}, Vec{s.Lo >> n, s.Hi >> n}, w, n)
}

// Packing with saturation: the destination's lanes go below the source's.
// [SDM 2, PACKSSWB/PACKSSDW; PACKUSWB; PACKUSDW]
func PACKSSWB(d, s Vec, w int) Vec { return evens(saturated(d, 16), saturated(s, 16), w, 8) }
func PACKSSDW(d, s Vec, w int) Vec { return evens(saturated(d, 32), saturated(s, 32), w, 16) }
func PACKUSWB(d, s Vec, w int) Vec { return evens(positive(d, 16), positive(s, 16), w, 8) }
func PACKUSDW(d, s Vec, w int) Vec { return evens(positive(d, 32), positive(s, 32), w, 16) }

// saturated and positive bring signed lanes of n bits into the signed or unsigned
// range of half as many, in the low half of the lane.
func saturated(v Vec, n uint) Vec { return Vec{toSigned(v.Lo, n), toSigned(v.Hi, n)} }
func positive(v Vec, n uint) Vec  { return Vec{toUnsigned(v.Lo, n), toUnsigned(v.Hi, n)} }

func toSigned(v uint64, n uint) uint64 {
	h := top[n&63]
	bias := h >> (n / 2) // the number of negative values
	upper := spread(h, n) &^ (bias<<1 - h>>(n-1))
	fits := zero(add(v, bias, n)&upper, n)
	return pick(fits, v, bias-h>>(n-1)+v&h>>(n-1))
}

func toUnsigned(v uint64, n uint) uint64 {
	h := top[n&63]
	lower := h>>(n/2-1) - h>>(n-1)
	fits := zero(v&^lower, n)
	return pick(fits, v, lower&^spread(v&h, n))
}

// Unpacking: lanes of the low or high half, the destination's and the source's in turn.
// [SDM 2, PUNPCKHBW/PUNPCKHWD/PUNPCKHDQ/PUNPCKHQDQ; PUNPCKLBW/...]
func PUNPCKLBW(d, s Vec, _ int) Vec  { return interleave(d.Lo, s.Lo, 8) }
func PUNPCKLWD(d, s Vec, _ int) Vec  { return interleave(d.Lo, s.Lo, 16) }
func PUNPCKLDQ(d, s Vec, _ int) Vec  { return interleave(d.Lo, s.Lo, 32) }
func PUNPCKLQDQ(d, s Vec, _ int) Vec { return Vec{d.Lo, s.Lo} }
func PUNPCKHBW(d, s Vec, w int) Vec  { return interleave(high(d, w), high(s, w), 8) }
func PUNPCKHWD(d, s Vec, w int) Vec  { return interleave(high(d, w), high(s, w), 16) }
func PUNPCKHDQ(d, s Vec, w int) Vec  { return interleave(high(d, w), high(s, w), 32) }
func PUNPCKHQDQ(d, s Vec, _ int) Vec { return Vec{d.Hi, s.Hi} }

// high is the high half of a vector of w bytes.
func high(v Vec, w int) uint64 {
	if w == 8 {
		return v.Lo >> 32
	}
	return v.Hi
}

func interleave(d, s uint64, n uint) Vec {
	return Vec{apart(d, n) | apart(s, n)<<n, apart(d>>32, n) | apart(s>>32, n)<<n}
}

// PSHUFB picks bytes of the destination by the source; one with its top bit
// set picks zero. [SDM 2, PSHUFB]
func PSHUFB(d, s Vec, w int) Vec {
	if w == 8 {
		d.Hi = d.Lo
	}
	b := d.bytes()
	return Vec{picked(&b, s.Lo), picked(&b, s.Hi)}
}

func picked(from *[16]uint8, by uint64) (r uint64) {
	for i := 0; i < 64; i += 8 {
		r |= uint64(from[by>>i&15]) << i
	}
	return r &^ spread(by&top[8], 8)
}

// PSHUFD, PSHUFLW, PSHUFHW and PSHUFW pick lanes by pairs of bits. [SDM 2, PSHUFD; PSHUFLW; PSHUFHW; PSHUFW]
func PSHUFD(s Vec, imm uint8) Vec  { return SHUFPS(s, s, imm) }
func PSHUFLW(s Vec, imm uint8) Vec { return Vec{words4(s.Lo, imm), s.Hi} }
func PSHUFHW(s Vec, imm uint8) Vec { return Vec{s.Lo, words4(s.Hi, imm)} }

func words4(v uint64, imm uint8) uint64 {
	word := func(i uint8) uint64 { return v >> (16 * (imm >> (2 * i) & 3)) & 0xffff }
	return word(0) | word(1)<<16 | word(2)<<32 | word(3)<<48
}

// SHUFPS and SHUFPD take the low half from the destination, the high one from the source.
// [SDM 2, SHUFPS; SHUFPD]
func SHUFPS(d, s Vec, imm uint8) Vec {
	return Vec{dword(d, imm) | dword(d, imm>>2)<<32, dword(s, imm>>4) | dword(s, imm>>6)<<32}
}
func SHUFPD(d, s Vec, imm uint8) Vec { return Vec{d.half(imm), s.half(imm >> 1)} }

// dword gives lane i of 32 bits.
func dword(v Vec, i uint8) uint64 { return uint64(uint32(v.half(i>>1) >> (32 * (i & 1)))) }

// PALIGNR takes a vector's width of bytes from destination:source, imm bytes up. [SDM 2, PALIGNR]
func PALIGNR(d, s Vec, imm uint8, w int) Vec {
	if w == 8 {
		return PSRLDQ(Vec{s.Lo, d.Lo}, imm)
	}
	// Two of the three are shifted out wholly, or one of them and the shift is whole.
	return POR(PSRLDQ(s, imm), POR(PSLLDQ(d, 16-imm), PSRLDQ(d, imm-16), w), w)
}

// Blend takes the lanes of the source whose bit is set. [SDM 2, BLENDPS; BLENDPD; PBLENDW]
func Blend(d, s Vec, mask uint8, size int) Vec {
	for i := range 16 / size {
		if mask>>i&1 != 0 {
			d.SetLane(i, size, s.Lane(i, size))
		}
	}
	return d
}

// BlendBySign takes the lanes of the source, of size bytes, whose mask has its top bit set.
// [SDM 2, BLENDVPS; BLENDVPD; PBLENDVB]
func BlendBySign(d, s, mask Vec, size int) Vec {
	for i := range 16 / size {
		if mask.Lane(i, size)>>(8*size-1) != 0 {
			d.SetLane(i, size, s.Lane(i, size))
		}
	}
	return d
}

// Extend widens the low lanes of from bytes to lanes of to bytes, with zeros or signs.
// [SDM 2, PMOVSX; PMOVZX]
func Extend(s Vec, from, to int, signed bool) (r Vec) {
	for i := range 16 / to {
		v := s.Lane(i, from)
		if sh := 64 - 8*from; signed {
			v = uint64(int64(v<<sh) >> sh)
		}
		r.SetLane(i, to, v)
	}
	return r
}

// INSERTPS puts a lane of the source into the destination and clears those
// that the low four bits name; the register form's source lane is in bits 7:6.
// [SDM 2, INSERTPS]
func INSERTPS(d Vec, lane uint64, imm uint8) Vec {
	d.SetLane(int(imm>>4&3), 4, lane)
	for i := range 4 {
		if imm>>i&1 != 0 {
			d.SetLane(i, 4, 0)
		}
	}
	return d
}
