package simd

import "math/bits"

// Addition and subtraction, wrapping. [SDM 2, PADDB/PADDW/PADDD/PADDQ; PSUBB/PSUBW/PSUBD; PSUBQ]
func PADDB(d, s Vec, _ int) Vec { return Vec{add(d.Lo, s.Lo, 8), add(d.Hi, s.Hi, 8)} }
func PADDW(d, s Vec, _ int) Vec { return Vec{add(d.Lo, s.Lo, 16), add(d.Hi, s.Hi, 16)} }
func PADDD(d, s Vec, _ int) Vec { return Vec{add(d.Lo, s.Lo, 32), add(d.Hi, s.Hi, 32)} }
func PADDQ(d, s Vec, _ int) Vec { return Vec{d.Lo + s.Lo, d.Hi + s.Hi} }
func PSUBB(d, s Vec, _ int) Vec { return Vec{sub(d.Lo, s.Lo, 8), sub(d.Hi, s.Hi, 8)} }
func PSUBW(d, s Vec, _ int) Vec { return Vec{sub(d.Lo, s.Lo, 16), sub(d.Hi, s.Hi, 16)} }
func PSUBD(d, s Vec, _ int) Vec { return Vec{sub(d.Lo, s.Lo, 32), sub(d.Hi, s.Hi, 32)} }
func PSUBQ(d, s Vec, _ int) Vec { return Vec{d.Lo - s.Lo, d.Hi - s.Hi} }

// Addition and subtraction, saturating. [SDM 2, PADDSB/PADDSW; PADDUSB/PADDUSW; PSUBSB/PSUBSW; PSUBUSB/PSUBUSW]
func PADDSB(d, s Vec, _ int) Vec {
	return Vec{addSigned(d.Lo, s.Lo, 8), addSigned(d.Hi, s.Hi, 8)}
}
func PADDSW(d, s Vec, _ int) Vec {
	return Vec{addSigned(d.Lo, s.Lo, 16), addSigned(d.Hi, s.Hi, 16)}
}
func PADDUSB(d, s Vec, _ int) Vec { return Vec{addUnsigned(d.Lo, s.Lo, 8), addUnsigned(d.Hi, s.Hi, 8)} }
func PADDUSW(d, s Vec, _ int) Vec {
	return Vec{addUnsigned(d.Lo, s.Lo, 16), addUnsigned(d.Hi, s.Hi, 16)}
}
func PSUBSB(d, s Vec, _ int) Vec {
	return Vec{subSigned(d.Lo, s.Lo, 8), subSigned(d.Hi, s.Hi, 8)}
}
func PSUBSW(d, s Vec, _ int) Vec {
	return Vec{subSigned(d.Lo, s.Lo, 16), subSigned(d.Hi, s.Hi, 16)}
}
func PSUBUSB(d, s Vec, _ int) Vec { return Vec{subUnsigned(d.Lo, s.Lo, 8), subUnsigned(d.Hi, s.Hi, 8)} }
func PSUBUSW(d, s Vec, _ int) Vec {
	return Vec{subUnsigned(d.Lo, s.Lo, 16), subUnsigned(d.Hi, s.Hi, 16)}
}

// Multiplication. [SDM 2, PMULLW; PMULHW; PMULHUW; PMULHRSW; PMULLD; PMULUDQ; PMULDQ; PMADDWD; PMADDUBSW]
func PMULLW(d, s Vec, _ int) Vec {
	return Vec{words(d.Lo, s.Lo, mulLow16), words(d.Hi, s.Hi, mulLow16)}
}
func PMULHW(d, s Vec, _ int) Vec { return Vec{words(d.Lo, s.Lo, mulHigh), words(d.Hi, s.Hi, mulHigh)} }
func PMULHUW(d, s Vec, _ int) Vec {
	return Vec{words(d.Lo, s.Lo, mulHighUnsigned), words(d.Hi, s.Hi, mulHighUnsigned)}
}
func PMULHRSW(d, s Vec, _ int) Vec {
	return Vec{words(d.Lo, s.Lo, mulRounded), words(d.Hi, s.Hi, mulRounded)}
}
func PMADDUBSW(d, s Vec, _ int) Vec {
	return Vec{words(d.Lo, s.Lo, mulBytes), words(d.Hi, s.Hi, mulBytes)}
}
func PMADDWD(d, s Vec, _ int) Vec {
	return Vec{dwords(d.Lo, s.Lo, mulWords), dwords(d.Hi, s.Hi, mulWords)}
}
func PMULLD(d, s Vec, _ int) Vec {
	return Vec{dwords(d.Lo, s.Lo, mulLow32), dwords(d.Hi, s.Hi, mulLow32)}
}
func PMULUDQ(d, s Vec, _ int) Vec {
	return Vec{uint64(uint32(d.Lo)) * uint64(uint32(s.Lo)), uint64(uint32(d.Hi)) * uint64(uint32(s.Hi))}
}
func PMULDQ(d, s Vec, _ int) Vec {
	return Vec{uint64(int64(int32(d.Lo)) * int64(int32(s.Lo))), uint64(int64(int32(d.Hi)) * int64(int32(s.Hi)))}
}

func mulLow16(a, b uint16) uint16        { return a * b }
func mulLow32(a, b uint32) uint32        { return a * b }
func mulHigh(a, b uint16) uint16         { return uint16(int32(int16(a)) * int32(int16(b)) >> 16) }
func mulHighUnsigned(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) }
func mulRounded(a, b uint16) uint16 {
	return uint16((int32(int16(a))*int32(int16(b))>>14 + 1) >> 1)
}

// mulWords adds the products of two pairs of words, mulBytes those of unsigned bytes with signed ones.
func mulWords(a, b uint32) uint32 {
	return uint32(int32(int16(a))*int32(int16(b)) + int32(a)>>16*(int32(b)>>16))
}
func mulBytes(a, b uint16) uint16 {
	sum := int32(a&0xff)*int32(int8(b)) + int32(a>>8)*int32(int8(b>>8))
	return uint16(min(max(sum, -0x8000), 0x7fff))
}

// Average, minimum, maximum. [SDM 2, PAVGB/PAVGW; PMINUB/PMINUW; PMAXSB/PMAXSW/PMAXSD; ...]
func PAVGB(d, s Vec, _ int) Vec {
	return Vec{(d.Lo | s.Lo) - (d.Lo^s.Lo)>>1&^top[8], (d.Hi | s.Hi) - (d.Hi^s.Hi)>>1&^top[8]}
}
func PAVGW(d, s Vec, _ int) Vec {
	return Vec{(d.Lo | s.Lo) - (d.Lo^s.Lo)>>1&^top[16], (d.Hi | s.Hi) - (d.Hi^s.Hi)>>1&^top[16]}
}
func PMINUB(d, s Vec, _ int) Vec {
	return Vec{pick(less(d.Lo, s.Lo, 8), d.Lo, s.Lo), pick(less(d.Hi, s.Hi, 8), d.Hi, s.Hi)}
}
func PMINUW(d, s Vec, _ int) Vec {
	return Vec{pick(less(d.Lo, s.Lo, 16), d.Lo, s.Lo), pick(less(d.Hi, s.Hi, 16), d.Hi, s.Hi)}
}
func PMINUD(d, s Vec, _ int) Vec {
	return Vec{pick(less(d.Lo, s.Lo, 32), d.Lo, s.Lo), pick(less(d.Hi, s.Hi, 32), d.Hi, s.Hi)}
}
func PMAXUB(d, s Vec, _ int) Vec {
	return Vec{pick(less(d.Lo, s.Lo, 8), s.Lo, d.Lo), pick(less(d.Hi, s.Hi, 8), s.Hi, d.Hi)}
}
func PMAXUW(d, s Vec, _ int) Vec {
	return Vec{pick(less(d.Lo, s.Lo, 16), s.Lo, d.Lo), pick(less(d.Hi, s.Hi, 16), s.Hi, d.Hi)}
}
func PMAXUD(d, s Vec, _ int) Vec {
	return Vec{pick(less(d.Lo, s.Lo, 32), s.Lo, d.Lo), pick(less(d.Hi, s.Hi, 32), s.Hi, d.Hi)}
}
func PMINSB(d, s Vec, _ int) Vec {
	return Vec{pick(lessSigned(d.Lo, s.Lo, 8), d.Lo, s.Lo), pick(lessSigned(d.Hi, s.Hi, 8), d.Hi, s.Hi)}
}
func PMINSW(d, s Vec, _ int) Vec {
	return Vec{pick(lessSigned(d.Lo, s.Lo, 16), d.Lo, s.Lo), pick(lessSigned(d.Hi, s.Hi, 16), d.Hi, s.Hi)}
}
func PMINSD(d, s Vec, _ int) Vec {
	return Vec{pick(lessSigned(d.Lo, s.Lo, 32), d.Lo, s.Lo), pick(lessSigned(d.Hi, s.Hi, 32), d.Hi, s.Hi)}
}
func PMAXSB(d, s Vec, _ int) Vec {
	return Vec{pick(lessSigned(d.Lo, s.Lo, 8), s.Lo, d.Lo), pick(lessSigned(d.Hi, s.Hi, 8), s.Hi, d.Hi)}
}
func PMAXSW(d, s Vec, _ int) Vec {
	return Vec{pick(lessSigned(d.Lo, s.Lo, 16), s.Lo, d.Lo), pick(lessSigned(d.Hi, s.Hi, 16), s.Hi, d.Hi)}
}
func PMAXSD(d, s Vec, _ int) Vec {
	return Vec{pick(lessSigned(d.Lo, s.Lo, 32), s.Lo, d.Lo), pick(lessSigned(d.Hi, s.Hi, 32), s.Hi, d.Hi)}
}

// Absolute values of the source; the destination, negated or cleared by the sign of the source.
// [SDM 2, PABSB/PABSW/PABSD; PSIGNB/PSIGNW/PSIGND]
func PABSB(_, s Vec, _ int) Vec  { return Vec{absolute(s.Lo, 8), absolute(s.Hi, 8)} }
func PABSW(_, s Vec, _ int) Vec  { return Vec{absolute(s.Lo, 16), absolute(s.Hi, 16)} }
func PABSD(_, s Vec, _ int) Vec  { return Vec{absolute(s.Lo, 32), absolute(s.Hi, 32)} }
func PSIGNB(d, s Vec, _ int) Vec { return Vec{signed(d.Lo, s.Lo, 8), signed(d.Hi, s.Hi, 8)} }
func PSIGNW(d, s Vec, _ int) Vec { return Vec{signed(d.Lo, s.Lo, 16), signed(d.Hi, s.Hi, 16)} }
func PSIGND(d, s Vec, _ int) Vec { return Vec{signed(d.Lo, s.Lo, 32), signed(d.Hi, s.Hi, 32)} }

func absolute(v uint64, n uint) uint64 { return negate(spread(v&top[n&63], n), v, n) }

func signed(v, by uint64, n uint) uint64 {
	return negate(spread(by&top[n&63], n), v, n) &^ zero(by, n)
}

// PSADBW sums absolute differences of bytes in each quadword. [SDM 2, PSADBW]
func PSADBW(d, s Vec, _ int) Vec { return Vec{distance(d.Lo, s.Lo), distance(d.Hi, s.Hi)} }

func distance(a, b uint64) uint64 {
	below := less(a, b, 8)
	v := pick(below, b, a) - pick(below, a, b) // no lane borrows
	v = v&0x00ff00ff00ff00ff + v>>8&0x00ff00ff00ff00ff
	return v * 0x0001000100010001 >> 48
}

// MPSADBW sums absolute differences of a block of four bytes at eight places;
// bit 2 of the immediate chooses where they begin, bits 1:0 the block. [SDM 2, MPSADBW]
func MPSADBW(d, s Vec, imm uint8) (r Vec) {
	from, block := int(imm>>2&1)*4, int(imm&3)*4
	for i := range 8 {
		sum := uint64(0)
		for j := range 4 {
			x, y := d.Lane(from+i+j, 1), s.Lane(block+j, 1)
			sum += max(x, y) - min(x, y)
		}
		r.SetLane(i, 2, sum)
	}
	return r
}

// PHMINPOSUW gives the least word and its place. [SDM 2, PHMINPOSUW]
func PHMINPOSUW(_, s Vec, _ int) Vec {
	least, at := uint64(0xffff+1), 0
	for i := range 8 {
		if v := s.Lane(i, 2); v < least {
			least, at = v, i
		}
	}
	return Vec{Lo: least | uint64(at)<<16}
}

// Horizontal operations: pairs of neighbours, the destination's in the lower
// half of the result. [SDM 2, PHADDW/PHADDD; PHADDSW; PHSUBW/PHSUBD; PHSUBSW]
func PHADDW(d, s Vec, w int) Vec  { return PADDW(evens(d, s, w, 16), odds(d, s, w, 16), w) }
func PHADDD(d, s Vec, w int) Vec  { return PADDD(evens(d, s, w, 32), odds(d, s, w, 32), w) }
func PHADDSW(d, s Vec, w int) Vec { return PADDSW(evens(d, s, w, 16), odds(d, s, w, 16), w) }
func PHSUBW(d, s Vec, w int) Vec  { return PSUBW(evens(d, s, w, 16), odds(d, s, w, 16), w) }
func PHSUBD(d, s Vec, w int) Vec  { return PSUBD(evens(d, s, w, 32), odds(d, s, w, 32), w) }
func PHSUBSW(d, s Vec, w int) Vec { return PSUBSW(evens(d, s, w, 16), odds(d, s, w, 16), w) }

// PCLMULQDQ multiplies two quadwords without carries; the immediate's bits 0
// and 4 choose them. [SDM 2, PCLMULQDQ]
func PCLMULQDQ(d, s Vec, imm uint8) (r Vec) {
	a, b := d.half(imm), s.half(imm>>4)
	for b != 0 {
		i := bits.TrailingZeros64(b)
		b &= b - 1
		r.Lo ^= a << i
		r.Hi ^= a >> (64 - i)
	}
	return r
}
