package simd

// Logic. [SDM 2, PAND; PANDN; POR; PXOR]
func PAND(d, s Vec, _ int) Vec  { return Vec{d[0] & s[0], d[1] & s[1]} }
func PANDN(d, s Vec, _ int) Vec { return Vec{^d[0] & s[0], ^d[1] & s[1]} }
func POR(d, s Vec, _ int) Vec   { return Vec{d[0] | s[0], d[1] | s[1]} }
func PXOR(d, s Vec, _ int) Vec  { return Vec{d[0] ^ s[0], d[1] ^ s[1]} }

// Comparison: lanes of ones where it holds. [SDM 2, PCMPEQB/PCMPEQW/PCMPEQD; PCMPGTB/PCMPGTW/PCMPGTD; PCMPEQQ; PCMPGTQ]
func PCMPEQB(d, s Vec, _ int) Vec { return Vec{equal8(d[0] ^ s[0]), equal8(d[1] ^ s[1])} }
func PCMPEQW(d, s Vec, _ int) Vec { return Vec{equal16(d[0] ^ s[0]), equal16(d[1] ^ s[1])} }
func PCMPEQD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return uint32(ones(a == b)) })
	})
}
func PCMPEQQ(d, s Vec, _ int) Vec { return Vec{ones(d[0] == s[0]), ones(d[1] == s[1])} }
func PCMPGTB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return uint8(ones(int8(a) > int8(b))) })
	})
}
func PCMPGTW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16(ones(int16(a) > int16(b))) })
	})
}
func PCMPGTD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return uint32(ones(int32(a) > int32(b))) })
	})
}
func PCMPGTQ(d, s Vec, _ int) Vec {
	return Vec{ones(int64(d[0]) > int64(s[0])), ones(int64(d[1]) > int64(s[1]))}
}

func ones(b bool) uint64 {
	if b {
		return ^uint64(0)
	}
	return 0
}

// equal8 and equal16 give ones in the lanes that are zero.
func equal8(x uint64) uint64  { return spread8(^(x&^top8 + ^uint64(top8) | x) & top8) }
func equal16(x uint64) uint64 { return spread16(^(x&^top16 + ^uint64(top16) | x) & top16) }

// PMOVMSKB gives the top bit of each byte. [SDM 2, PMOVMSKB]
func PMOVMSKB(v Vec, w int) (mask uint64) {
	for i := range w {
		mask |= v.Lane(i, 1) >> 7 << i
	}
	return mask
}

// PTEST gives ZF and CF. [SDM 2, PTEST]
func PTEST(d, s Vec) (zf, cf bool) {
	return d[0]&s[0]|d[1]&s[1] == 0, s[0]&^d[0]|s[1]&^d[1] == 0
}

// Shifts of lanes by one count. A count of the lane's width and more gives zero, or copies
// of the sign. [SDM 2, PSLLW/PSLLD/PSLLQ; PSRLW/PSRLD/PSRLQ; PSRAW/PSRAD]

// shiftCount is the count of a shift by a vector: its low quadword.
func shiftCount(s Vec) uint64 { return s[0] }

func left(v, n uint64, size int) uint64 {
	switch {
	case n >= uint64(8*size):
		return 0
	case size == 2:
		return v << n & (0xffff >> n << n * one16)
	case size == 4:
		return v << n & (0xffffffff >> n << n * one32)
	}
	return v << n
}

func right(v, n uint64, size int) uint64 {
	switch {
	case n >= uint64(8*size):
		return 0
	case size == 2:
		return v >> n & (0xffff >> n * one16)
	case size == 4:
		return v >> n & (0xffffffff >> n * one32)
	}
	return v >> n
}

// Left, Right and Arithmetic shift the lanes of size bytes by a count.
func Left(d Vec, n uint64, size int) Vec  { return Vec{left(d[0], n, size), left(d[1], n, size)} }
func Right(d Vec, n uint64, size int) Vec { return Vec{right(d[0], n, size), right(d[1], n, size)} }
func Arithmetic(d Vec, n uint64, size int) Vec {
	n = min(n, 63)
	f := func(v uint64) uint64 {
		if size == 2 {
			return words(v, 0, func(a, _ uint16) uint16 { return uint16(int16(a) >> n) })
		}
		return dwords(v, 0, func(a, _ uint32) uint32 { return uint32(int32(a) >> n) })
	}
	return Vec{f(d[0]), f(d[1])}
}

func PSLLW(d, s Vec, _ int) Vec { return Left(d, shiftCount(s), 2) }
func PSLLD(d, s Vec, _ int) Vec { return Left(d, shiftCount(s), 4) }
func PSLLQ(d, s Vec, _ int) Vec { return Left(d, shiftCount(s), 8) }
func PSRLW(d, s Vec, _ int) Vec { return Right(d, shiftCount(s), 2) }
func PSRLD(d, s Vec, _ int) Vec { return Right(d, shiftCount(s), 4) }
func PSRLQ(d, s Vec, _ int) Vec { return Right(d, shiftCount(s), 8) }
func PSRAW(d, s Vec, _ int) Vec { return Arithmetic(d, shiftCount(s), 2) }
func PSRAD(d, s Vec, _ int) Vec { return Arithmetic(d, shiftCount(s), 4) }

// PSLLDQ and PSRLDQ shift the whole vector by bytes. [SDM 2, PSLLDQ; PSRLDQ]
func PSLLDQ(d Vec, n uint8) Vec {
	b := 8 * uint(n)
	return Vec{d[0] << b, d[1]<<b | d[0]>>(64-b) | d[0]<<(b-64)}
}
func PSRLDQ(d Vec, n uint8) Vec {
	b := 8 * uint(n)
	return Vec{d[0]>>b | d[1]<<(64-b) | d[1]>>(b-64), d[1] >> b}
}
