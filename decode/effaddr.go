package decode

import "encoding/binary"

// addr16 holds the base and index of the eight 16-bit addressing forms.
// [SDM 2, 16-Bit Addressing Forms with the ModR/M Byte]
var addr16 = [8][2]uint8{
	{3, 6}, {3, 7}, {5, 6}, {5, 7}, // BX+SI, BX+DI, BP+SI, BP+DI
	{6, NoReg}, {7, NoReg}, {5, NoReg}, {3, NoReg}, // SI, DI, BP, BX
}

// scanMem reads what follows a ModRM byte with mod below 3: SIB and
// displacement. It gives the position after them, or -1 where the bytes end.
func (in *Inst) scanMem(src []byte, pos int, rex uint8) int {
	mod, rm := in.ModRM>>6, in.ModRM&7
	disp := [3]uint8{0, 1, 4}[mod%3]
	if in.AddrSize == 2 {
		in.Base, in.Index = addr16[rm][0], addr16[rm][1]
		if mod == 2 {
			disp = 2
		}
		if mod == 0 && rm == 6 {
			in.Base, disp = NoReg, 2
		}
	} else if rm == 4 {
		if pos >= len(src) {
			return -1
		}
		sib := src[pos]
		pos++
		// Index 4 means none; with REX.X it is R12. [SDM 2, 32-Bit Addressing Forms with the SIB Byte]
		if index := sib>>3&7 | rex&rexX<<2; index != 4 {
			in.Index, in.Scale = index, sib>>6
		}
		in.Base = sib&7 | rex&rexB<<3
		if mod == 0 && sib&7 == 5 {
			in.Base, disp = NoReg, 4
		}
	} else {
		in.Base = rm | rex&rexB<<3
		if mod == 0 && rm == 5 {
			in.Base, disp = NoReg, 4
			if in.Mode == Mode64 {
				in.Base = RegRIP
			}
		}
	}
	// The stack segment is the default where (E/R)SP or (E/R)BP is the base.
	// [SDM 1, Specifying a Segment Selector]
	if in.Base&^1 == 4 && in.Prefix&PrefixSeg == 0 {
		in.Seg = SS
	}
	if disp == 0 {
		return pos
	}
	v, next := readSigned(src, pos, disp)
	in.Disp = v
	return next
}

// readSigned reads a little-endian number of 1, 2, 4 or 8 bytes,
// sign-extended; the next position is -1 where the bytes end before it does.
func readSigned(src []byte, pos int, size uint8) (v int64, next int) {
	next = pos + int(size)
	if next > len(src) {
		return 0, -1
	}
	b := src[pos:next]
	switch size {
	case 1:
		v = int64(int8(b[0]))
	case 2:
		v = int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		v = int64(int32(binary.LittleEndian.Uint32(b)))
	default:
		v = int64(binary.LittleEndian.Uint64(b))
	}
	return v, next
}

// scanImm reads the immediates that the shape asks for and gives the position
// after them, or -1 where the bytes end.
func (in *Inst) scanImm(src []byte, pos int, kind shape) int {
	var size uint8
	switch kind {
	case immB, immTB:
		if kind == immTB && in.ModRM>>3&7 > 1 {
			return pos
		}
		if pos >= len(src) {
			return -1
		}
		in.Imm = int64(src[pos])
		return pos + 1
	case immS, immJB:
		size = 1
	case immZ, immTZ:
		if kind == immTZ && in.ModRM>>3&7 > 1 {
			return pos
		}
		size = min(dataSize(in.Mode, in.Prefix), 4)
	case immV:
		size = dataSize(in.Mode, in.Prefix)
	case immJZ:
		// Intel ignores 66 before a near branch in 64-bit mode; AMD takes a
		// 16-bit displacement. We follow Intel. [SDM 2, Jcc—Jump if Condition Is Met]
		size = 4
		if in.Mode != Mode64 {
			size = dataSize(in.Mode, in.Prefix)
		}
	case immO:
		in.Imm, pos = readSigned(src, pos, in.AddrSize)
		in.Disp, in.Imm = in.Imm&(1<<(8*in.AddrSize&63)-1), 0
		if in.AddrSize == 8 && pos > 0 {
			in.Disp, _ = readSigned(src, pos-8, 8)
		}
		return pos
	case immW:
		in.Imm, pos = readSigned(src, pos, 2)
		in.Imm &= 0xffff
		return pos
	case immE:
		if pos+3 > len(src) {
			return -1
		}
		in.Imm = int64(binary.LittleEndian.Uint16(src[pos:]))
		in.Imm2 = uint16(src[pos+2])
		return pos + 3
	case immP:
		off, next := readSigned(src, pos, min(dataSize(in.Mode, in.Prefix), 4))
		if next < 0 || next+2 > len(src) {
			return -1
		}
		in.Imm = off
		in.Imm2 = binary.LittleEndian.Uint16(src[next:])
		return next + 2
	}
	in.Imm, pos = readSigned(src, pos, size)
	return pos
}
