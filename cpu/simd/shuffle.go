package simd

// Packing with saturation: the destination's lanes go below the source's.
// [SDM 2, PACKSSWB/PACKSSDW; PACKUSWB; PACKUSDW]
func pack(d, s Vec, w, size int, f func(v uint64) uint64) (r Vec) {
	n := w / size
	for i := range n {
		r.SetLane(i, size/2, f(d.Lane(i, size)))
		r.SetLane(n+i, size/2, f(s.Lane(i, size)))
	}
	return r
}
func PACKSSWB(d, s Vec, w int) Vec {
	return pack(d, s, w, 2, func(v uint64) uint64 { return uint64(ssat8(int32(int16(v)))) })
}
func PACKUSWB(d, s Vec, w int) Vec {
	return pack(d, s, w, 2, func(v uint64) uint64 { return uint64(usat8(int32(int16(v)))) })
}
func PACKSSDW(d, s Vec, w int) Vec {
	return pack(d, s, w, 4, func(v uint64) uint64 { return uint64(ssat16(int32(v))) })
}
func PACKUSDW(d, s Vec, w int) Vec {
	return pack(d, s, w, 4, func(v uint64) uint64 { return uint64(usat16(int32(v))) })
}

// Unpacking: lanes of the low or high half, the destination's and the source's in turn.
// [SDM 2, PUNPCKHBW/PUNPCKHWD/PUNPCKHDQ/PUNPCKHQDQ; PUNPCKLBW/...]
func interleave(d, s Vec, w, size int, high bool) (r Vec) {
	n := w / size / 2
	from := 0
	if high {
		from = n
	}
	for i := range n {
		r.SetLane(2*i, size, d.Lane(from+i, size))
		r.SetLane(2*i+1, size, s.Lane(from+i, size))
	}
	return r
}
func PUNPCKLBW(d, s Vec, w int) Vec  { return interleave(d, s, w, 1, false) }
func PUNPCKLWD(d, s Vec, w int) Vec  { return interleave(d, s, w, 2, false) }
func PUNPCKLDQ(d, s Vec, w int) Vec  { return interleave(d, s, w, 4, false) }
func PUNPCKLQDQ(d, s Vec, _ int) Vec { return Vec{d[0], s[0]} }
func PUNPCKHBW(d, s Vec, w int) Vec  { return interleave(d, s, w, 1, true) }
func PUNPCKHWD(d, s Vec, w int) Vec  { return interleave(d, s, w, 2, true) }
func PUNPCKHDQ(d, s Vec, w int) Vec  { return interleave(d, s, w, 4, true) }
func PUNPCKHQDQ(d, s Vec, _ int) Vec { return Vec{d[1], s[1]} }

// PSHUFB picks bytes of the destination by the source; one with its top bit
// set picks zero. [SDM 2, PSHUFB]
func PSHUFB(d, s Vec, w int) (r Vec) {
	for i := range w {
		if k := s.Lane(i, 1); k&0x80 == 0 {
			r.SetLane(i, 1, d.Lane(int(k)&(w-1), 1))
		}
	}
	return r
}

// PSHUFD, PSHUFLW, PSHUFHW and PSHUFW pick lanes by pairs of bits. [SDM 2, PSHUFD; PSHUFLW; PSHUFHW; PSHUFW]
func PSHUFD(s Vec, imm uint8) (r Vec) {
	for i := range 4 {
		r.SetLane(i, 4, s.Lane(int(imm>>(2*i)&3), 4))
	}
	return r
}
func PSHUFLW(s Vec, imm uint8) Vec {
	r := Vec{0, s[1]}
	for i := range 4 {
		r.SetLane(i, 2, s.Lane(int(imm>>(2*i)&3), 2))
	}
	return r
}
func PSHUFHW(s Vec, imm uint8) Vec {
	r := Vec{s[0]}
	for i := range 4 {
		r.SetLane(4+i, 2, s.Lane(4+int(imm>>(2*i)&3), 2))
	}
	return r
}

// SHUFPS and SHUFPD take the low half from the destination, the high one from the source.
// [SDM 2, SHUFPS; SHUFPD]
func SHUFPS(d, s Vec, imm uint8) (r Vec) {
	r.SetLane(0, 4, d.Lane(int(imm&3), 4))
	r.SetLane(1, 4, d.Lane(int(imm>>2&3), 4))
	r.SetLane(2, 4, s.Lane(int(imm>>4&3), 4))
	r.SetLane(3, 4, s.Lane(int(imm>>6), 4))
	return r
}
func SHUFPD(d, s Vec, imm uint8) Vec { return Vec{d[imm&1], s[imm>>1&1]} }

// PALIGNR takes a vector's width of bytes from destination:source, imm bytes up. [SDM 2, PALIGNR]
func PALIGNR(d, s Vec, imm uint8, w int) (r Vec) {
	for i := range w {
		switch k := i + int(imm); {
		case k < w:
			r.SetLane(i, 1, s.Lane(k, 1))
		case k < 2*w:
			r.SetLane(i, 1, d.Lane(k-w, 1))
		}
	}
	return r
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

// BlendBySign takes the lanes of the source whose mask has its top bit set.
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
