package decode

import "strings"

// Intel prints the instruction in Intel syntax, as objdump -M intel spells
// it. pc is the instruction's address; branch targets and RIP-relative
// addresses are computed from it.
func (in *Inst) Intel(pc uint64) string {
	if in.Op == 0 {
		return undefText
	}
	var b strings.Builder
	b.WriteString(in.prefixWords())
	b.WriteString(in.mnemonic("d"))
	if in.isXchgNop() {
		a := gpr(0, in.OpSize)
		b.WriteString(" " + a + "," + a)
	}
	sep := " "
	for i, a := range in.Args[:in.NArgs] {
		s := in.intelArg(i, a, pc)
		if s == "" {
			continue
		}
		b.WriteString(sep)
		b.WriteString(s)
		sep = ","
	}
	b.WriteString(in.ripComment(pc))
	return b.String()
}

func (in *Inst) intelArg(i int, a Arg, pc uint64) string {
	switch a.Kind {
	case ArgMem:
		return in.intelSize(a) + in.intelMem()
	case ArgStr:
		return in.intelSize(a) + in.strSegment(a) + ":[" + gpr(a.Num, in.AddrSize) + "]"
	case ArgImm:
		if in.Op == INT && in.shape()&immMask == immNone {
			return ""
		}
		return hexText(in.immediate())
	case ArgImm2:
		return hexText(uint64(in.Imm2))
	case ArgOne:
		return "1"
	case ArgRel:
		return hexText(in.target(pc))
	case ArgFar:
		return hexText(uint64(in.Imm2)) + ":" + hexText(truncate(uint64(in.Imm), in.OpSize))
	case ArgST:
		if in.impliedST(i) {
			return "st"
		}
	}
	if a.Kind == ArgDR {
		return "dr" + a.regName()[2:]
	}
	return a.regName()
}

// impliedST tells whether operand i of an x87 instruction with two of them is
// the implied ST rather than ST(i).
func (in *Inst) impliedST(i int) bool {
	if in.NArgs != 2 {
		return false
	}
	if in.Opcode == 0xdc || in.Opcode == 0xde {
		return i == 1
	}
	return i == 0
}

// intelSize is the size of a memory operand in words.
func (in *Inst) intelSize(a Arg) string {
	if in.shape()&immMask == immO {
		return ""
	}
	switch in.Op {
	case LEA:
		return ""
	case INVLPG, CLFLUSH, PREFETCHNTA, PREFETCHT0, PREFETCHT1, PREFETCHT2, PREFETCHW:
		return "BYTE PTR "
	}
	switch a.Size {
	case 1:
		return "BYTE PTR "
	case 2:
		return "WORD PTR "
	case 4:
		return "DWORD PTR "
	case 6:
		return "FWORD PTR "
	case 8:
		return "QWORD PTR "
	case 10:
		return "TBYTE PTR "
	case 16:
		return "XMMWORD PTR "
	}
	return ""
}

// strSegment names the segment of a string operand.
func (in *Inst) strSegment(a Arg) string {
	if a.Num == 7 {
		return "es"
	}
	return segNames[in.Seg]
}

func (in *Inst) intelMem() string {
	seg := ""
	if in.Prefix&PrefixSeg != 0 {
		seg = segNames[in.Seg] + ":"
	}
	if in.Base == NoReg && in.Index == NoReg {
		if seg == "" {
			seg = "ds:"
		}
		return seg + hexText(in.absolute())
	}
	s := seg + "["
	switch {
	case in.Base == RegRIP:
		return s + ripNames[in.AddrSize] + "+" + hexText(uint64(in.Disp)) + "]"
	case in.Base != NoReg:
		s += gpr(in.Base, in.AddrSize)
	}
	if in.Index != NoReg {
		if in.Base != NoReg {
			s += "+"
		}
		s += gpr(in.Index, in.AddrSize)
		if in.AddrSize != 2 {
			s += "*" + scaleDigits[in.Scale&3]
		}
	}
	if in.Disp != 0 || in.hasDisp() {
		s += signedHex(in.Disp, true)
	}
	return s + "]"
}

var (
	ripNames    = [9]string{4: "eip", 8: "rip"}
	scaleDigits = [4]string{"1", "2", "4", "8"}
)

// absolute is the address of a memory operand without registers, as printed.
func (in *Inst) absolute() uint64 {
	if in.HasModRM && in.AddrSize == 4 && in.Mode == Mode64 {
		return truncate(uint64(in.Disp), 4)
	}
	return truncate(uint64(in.Disp), in.AddrSize)
}

// hasDisp tells whether a displacement is encoded, though it may be zero.
func (in *Inst) hasDisp() bool {
	return in.HasModRM && (in.ModRM>>6 == 1 || in.ModRM>>6 == 2 || in.ModRM>>6 == 0 && in.Base == NoReg)
}

// ripComment names the address of a RIP-relative operand.
func (in *Inst) ripComment(pc uint64) string {
	if in.Base != RegRIP {
		return ""
	}
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == ArgMem {
			return " # " + hexText(in.ripTarget(pc))
		}
	}
	return ""
}
