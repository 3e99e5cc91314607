package simd

import "math/bits"

// Addition and subtraction, wrapping. [SDM 2, PADDB/PADDW/PADDD/PADDQ; PSUBB/PSUBW/PSUBD; PSUBQ]
func PADDB(d, s Vec, _ int) Vec { return Vec{addLanes(d[0], s[0], top8), addLanes(d[1], s[1], top8)} }
func PADDW(d, s Vec, _ int) Vec { return Vec{addLanes(d[0], s[0], top16), addLanes(d[1], s[1], top16)} }
func PADDD(d, s Vec, _ int) Vec { return Vec{addLanes(d[0], s[0], top32), addLanes(d[1], s[1], top32)} }
func PADDQ(d, s Vec, _ int) Vec { return Vec{d[0] + s[0], d[1] + s[1]} }
func PSUBB(d, s Vec, _ int) Vec { return Vec{subLanes(d[0], s[0], top8), subLanes(d[1], s[1], top8)} }
func PSUBW(d, s Vec, _ int) Vec { return Vec{subLanes(d[0], s[0], top16), subLanes(d[1], s[1], top16)} }
func PSUBD(d, s Vec, _ int) Vec { return Vec{subLanes(d[0], s[0], top32), subLanes(d[1], s[1], top32)} }
func PSUBQ(d, s Vec, _ int) Vec { return Vec{d[0] - s[0], d[1] - s[1]} }

// Saturation to signed and unsigned lanes.

func ssat8(v int32) uint8   { return uint8(int8(min(max(v, -0x80), 0x7f))) }
func usat8(v int32) uint8   { return uint8(min(max(v, 0), 0xff)) }
func ssat16(v int32) uint16 { return uint16(int16(min(max(v, -0x8000), 0x7fff))) }
func usat16(v int32) uint16 { return uint16(min(max(v, 0), 0xffff)) }

// Addition and subtraction, saturating. [SDM 2, PADDSB/PADDSW; PADDUSB/PADDUSW; PSUBSB/PSUBSW; PSUBUSB/PSUBUSW]
func PADDSB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return ssat8(int32(int8(a)) + int32(int8(b))) })
	})
}
func PADDSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return ssat16(int32(int16(a)) + int32(int16(b))) })
	})
}
func PADDUSB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return usat8(int32(a) + int32(b)) })
	})
}
func PADDUSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return usat16(int32(a) + int32(b)) })
	})
}
func PSUBSB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return ssat8(int32(int8(a)) - int32(int8(b))) })
	})
}
func PSUBSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return ssat16(int32(int16(a)) - int32(int16(b))) })
	})
}
func PSUBUSB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return usat8(int32(a) - int32(b)) })
	})
}
func PSUBUSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return usat16(int32(a) - int32(b)) })
	})
}

// Multiplication. [SDM 2, PMULLW; PMULHW; PMULHUW; PMULHRSW; PMULLD; PMULUDQ; PMULDQ; PMADDWD; PMADDUBSW]
func PMULLW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return a * b })
	})
}
func PMULHW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16(int32(int16(a)) * int32(int16(b)) >> 16) })
	})
}
func PMULHUW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) })
	})
}
func PMULHRSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16((int32(int16(a))*int32(int16(b))>>14 + 1) >> 1) })
	})
}
func PMULLD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return a * b })
	})
}
func PMULUDQ(d, s Vec, _ int) Vec {
	return Vec{uint64(uint32(d[0])) * uint64(uint32(s[0])), uint64(uint32(d[1])) * uint64(uint32(s[1]))}
}
func PMULDQ(d, s Vec, _ int) Vec {
	return Vec{uint64(int64(int32(d[0])) * int64(int32(s[0]))), uint64(int64(int32(d[1])) * int64(int32(s[1])))}
}
func PMADDWD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 {
			return uint32(int32(int16(a))*int32(int16(b)) + int32(a)>>16*(int32(b)>>16))
		})
	})
}
func PMADDUBSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 {
			return ssat16(int32(a&0xff)*int32(int8(b)) + int32(a>>8)*int32(int8(b>>8)))
		})
	})
}

// Average, minimum, maximum. [SDM 2, PAVGB/PAVGW; PMINUB/PMINUW; PMAXSB/PMAXSW/PMAXSD; ...]
func PAVGB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 { return a | b - (a^b)>>1&(^uint64(top8)) })
}
func PAVGW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 { return a | b - (a^b)>>1&(^uint64(top16)) })
}
func PMINUB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return min(a, b) })
	})
}
func PMAXUB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return max(a, b) })
	})
}
func PMINSB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return uint8(min(int8(a), int8(b))) })
	})
}
func PMAXSB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return uint8(max(int8(a), int8(b))) })
	})
}
func PMINSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16(min(int16(a), int16(b))) })
	})
}
func PMAXSW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16(max(int16(a), int16(b))) })
	})
}
func PMINUW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return min(a, b) })
	})
}
func PMAXUW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return max(a, b) })
	})
}
func PMINSD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return uint32(min(int32(a), int32(b))) })
	})
}
func PMAXSD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return uint32(max(int32(a), int32(b))) })
	})
}
func PMINUD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return min(a, b) })
	})
}
func PMAXUD(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return max(a, b) })
	})
}

// Absolute values of the source, and its negation by the sign of the destination
// for PSIGN (where the roles are turned: the source holds the signs).
// [SDM 2, PABSB/PABSW/PABSD; PSIGNB/PSIGNW/PSIGND]
func PABSB(_, s Vec, w int) Vec {
	return each(s, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, _ uint8) uint8 { return uint8(max(int8(a), -int8(a))) })
	})
}
func PABSW(_, s Vec, w int) Vec {
	return each(s, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, _ uint16) uint16 { return uint16(max(int16(a), -int16(a))) })
	})
}
func PABSD(_, s Vec, w int) Vec {
	return each(s, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, _ uint32) uint32 { return uint32(max(int32(a), -int32(a))) })
	})
}
func PSIGNB(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return bytes(a, b, func(a, b uint8) uint8 { return uint8(int8(a) * sign(int32(int8(b)))) })
	})
}
func PSIGNW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return words(a, b, func(a, b uint16) uint16 { return uint16(int16(a) * int16(sign(int32(int16(b))))) })
	})
}
func PSIGND(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) uint64 {
		return dwords(a, b, func(a, b uint32) uint32 { return uint32(int32(a) * int32(sign(int32(b)))) })
	})
}

// sign is -1, 0 or 1.
func sign(v int32) int8 {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}

// PSADBW sums absolute differences of bytes in each quadword. [SDM 2, PSADBW]
func PSADBW(d, s Vec, w int) Vec {
	return each(d, s, w, func(a, b uint64) (sum uint64) {
		for i := 0; i < 64; i += 8 {
			x, y := a>>i&0xff, b>>i&0xff
			sum += max(x, y) - min(x, y)
		}
		return sum
	})
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
	return Vec{least | uint64(at)<<16}
}

// Horizontal operations: pairs of neighbours, the destination's in the lower
// half of the result. [SDM 2, PHADDW/PHADDD; PHADDSW; PHSUBW/PHSUBD; PHSUBSW]
func pairs(d, s Vec, w, size int, f func(a, b uint64) uint64) (r Vec) {
	n := w / size / 2
	for i := range n {
		r.SetLane(i, size, f(d.Lane(2*i, size), d.Lane(2*i+1, size)))
		r.SetLane(n+i, size, f(s.Lane(2*i, size), s.Lane(2*i+1, size)))
	}
	return r
}
func PHADDW(d, s Vec, w int) Vec {
	return pairs(d, s, w, 2, func(a, b uint64) uint64 { return a + b })
}
func PHADDD(d, s Vec, w int) Vec {
	return pairs(d, s, w, 4, func(a, b uint64) uint64 { return a + b })
}
func PHSUBW(d, s Vec, w int) Vec {
	return pairs(d, s, w, 2, func(a, b uint64) uint64 { return a - b })
}
func PHSUBD(d, s Vec, w int) Vec {
	return pairs(d, s, w, 4, func(a, b uint64) uint64 { return a - b })
}
func PHADDSW(d, s Vec, w int) Vec {
	return pairs(d, s, w, 2, func(a, b uint64) uint64 { return uint64(ssat16(int32(int16(a)) + int32(int16(b)))) })
}
func PHSUBSW(d, s Vec, w int) Vec {
	return pairs(d, s, w, 2, func(a, b uint64) uint64 { return uint64(ssat16(int32(int16(a)) - int32(int16(b)))) })
}

// PCLMULQDQ multiplies two quadwords without carries; the immediate's bits 0
// and 4 choose them. [SDM 2, PCLMULQDQ]
func PCLMULQDQ(d, s Vec, imm uint8) (r Vec) {
	a, b := d[imm&1], s[imm>>4&1]
	for b != 0 {
		i := bits.TrailingZeros64(b)
		b &= b - 1
		r[0] ^= a << i
		r[1] ^= a >> (64 - i)
	}
	return r
}
