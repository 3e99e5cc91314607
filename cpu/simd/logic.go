package simd

// Logic. [SDM 2, PAND; PANDN; POR; PXOR]
func PAND(d, s Vec, _ int) Vec  { return Vec{d.Lo & s.Lo, d.Hi & s.Hi} }
func PANDN(d, s Vec, _ int) Vec { return Vec{^d.Lo & s.Lo, ^d.Hi & s.Hi} }
func POR(d, s Vec, _ int) Vec   { return Vec{d.Lo | s.Lo, d.Hi | s.Hi} }
func PXOR(d, s Vec, _ int) Vec  { return Vec{d.Lo ^ s.Lo, d.Hi ^ s.Hi} }

// Comparison: lanes of ones where it holds. [SDM 2, PCMPEQB/PCMPEQW/PCMPEQD; PCMPGTB/PCMPGTW/PCMPGTD; PCMPEQQ; PCMPGTQ]
func PCMPEQB(d, s Vec, _ int) Vec { return Vec{zero(d.Lo^s.Lo, 8), zero(d.Hi^s.Hi, 8)} }
func PCMPEQW(d, s Vec, _ int) Vec { return Vec{zero(d.Lo^s.Lo, 16), zero(d.Hi^s.Hi, 16)} }
func PCMPEQD(d, s Vec, _ int) Vec { return Vec{zero(d.Lo^s.Lo, 32), zero(d.Hi^s.Hi, 32)} }
func PCMPEQQ(d, s Vec, _ int) Vec { return Vec{ones(d.Lo == s.Lo), ones(d.Hi == s.Hi)} }
func PCMPGTB(d, s Vec, _ int) Vec {
	return Vec{lessSigned(s.Lo, d.Lo, 8), lessSigned(s.Hi, d.Hi, 8)}
}
func PCMPGTW(d, s Vec, _ int) Vec {
	return Vec{lessSigned(s.Lo, d.Lo, 16), lessSigned(s.Hi, d.Hi, 16)}
}
func PCMPGTD(d, s Vec, _ int) Vec {
	return Vec{lessSigned(s.Lo, d.Lo, 32), lessSigned(s.Hi, d.Hi, 32)}
}
func PCMPGTQ(d, s Vec, _ int) Vec {
	return Vec{ones(int64(d.Lo) > int64(s.Lo)), ones(int64(d.Hi) > int64(s.Hi))}
}

func ones(b bool) uint64 {
	if b {
		return ^uint64(0)
	}
	return 0
}

// PMOVMSKB, MOVMSKPS and MOVMSKPD give the signs of the source's lanes as one number.
// [SDM 2, PMOVMSKB; MOVMSKPS; MOVMSKPD]
func PMOVMSKB(_, s Vec, w int) Vec {
	if w == 8 {
		return Vec{Lo: signs(s.Lo)}
	}
	return Vec{Lo: signs(s.Lo) | signs(s.Hi)<<8}
}
func MOVMSKPS(_, s Vec, _ int) Vec {
	return Vec{Lo: s.Lo>>31&1 | s.Lo>>63<<1 | s.Hi>>31&1<<2 | s.Hi>>63<<3}
}
func MOVMSKPD(_, s Vec, _ int) Vec { return Vec{Lo: s.Lo>>63 | s.Hi>>63<<1} }

// signs gathers the top bits of the bytes: the factor moves that of byte i to bit 56+i,
// and no two products meet.
func signs(v uint64) uint64 { return v & top[8] >> 7 * 0x0102040810204080 >> 56 }

// PTEST gives ZF and CF. [SDM 2, PTEST]
func PTEST(d, s Vec) (zf, cf bool) {
	return d.Lo&s.Lo|d.Hi&s.Hi == 0, s.Lo&^d.Lo|s.Hi&^d.Hi == 0
}

// Shifts of the lanes of size bytes by one count. A count of the lane's width and more
// gives zero, or copies of the sign. [SDM 2, PSLLW/PSLLD/PSLLQ; PSRLW/PSRLD/PSRLQ; PSRAW/PSRAD]
func Left(d Vec, n uint64, size int) Vec  { return Vec{left(d.Lo, n, size), left(d.Hi, n, size)} }
func Right(d Vec, n uint64, size int) Vec { return Vec{right(d.Lo, n, size), right(d.Hi, n, size)} }
func Arithmetic(d Vec, n uint64, size int) Vec {
	return Vec{arithmetic(d.Lo, n, size), arithmetic(d.Hi, n, size)}
}

// Lanes of 16 and 32 bits with the value 1.
const (
	one16 = 0x0001000100010001
	one32 = 0x0000000100000001
)

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

// arithmetic shifts a negative lane with all bits turned, so that ones come in.
func arithmetic(v, n uint64, size int) uint64 {
	lane := uint(8 * size)
	m := spread(v&top[lane&63], lane)
	return right(v^m, n, size) ^ m
}

// PSLLDQ and PSRLDQ shift the whole vector by n bytes. [SDM 2, PSLLDQ; PSRLDQ]
func PSLLDQ(d Vec, n uint8) Vec {
	b := 8 * uint(n)
	return Vec{d.Lo << b, d.Hi<<b | d.Lo>>(64-b) | d.Lo<<(b-64)}
}
func PSRLDQ(d Vec, n uint8) Vec {
	b := 8 * uint(n)
	return Vec{d.Lo>>b | d.Hi<<(64-b) | d.Hi>>(b-64), d.Hi >> b}
}
