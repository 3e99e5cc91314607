package decode

import "strings"

// GNU prints the instruction in AT&T syntax, as objdump spells it. pc is the
// instruction's address, see Intel.
func (in *Inst) GNU(pc uint64) string {
	if in.Op == 0 {
		return undefText
	}
	var b strings.Builder
	b.WriteString(in.prefixWords())
	b.WriteString(in.gnuMnemonic())
	args := make([]string, 0, len(in.Args))
	if in.isXchgNop() {
		a := "%" + gpr(0, in.OpSize)
		args = append(args, a, a)
	}
	for i, a := range in.Args[:in.NArgs] {
		if s := in.gnuArg(i, a, pc); s != "" {
			args = append(args, s)
		}
	}
	// Operands stand in reverse, source first; ENTER and BOUND keep their order.
	if in.Op != ENTER && in.Op != BOUND {
		for i, j := 0, len(args)-1; i < j; i, j = i+1, j-1 {
			args[i], args[j] = args[j], args[i]
		}
	}
	if len(args) > 0 {
		b.WriteByte(' ')
		b.WriteString(strings.Join(args, ","))
	}
	b.WriteString(in.ripComment(pc))
	return b.String()
}

func (in *Inst) gnuArg(i int, a Arg, pc uint64) string {
	star := ""
	switch in.Op {
	case CALL, JMP, LCALL, LJMP:
		star = "*"
	case IN, OUT:
		if a.Kind == ArgReg && a.Num == 2 {
			return "(%dx)"
		}
	case INSB, INSW, INSD, OUTSB, OUTSW, OUTSD:
		if a.Kind == ArgReg {
			return "(%dx)"
		}
	}
	switch a.Kind {
	case ArgMem:
		return star + in.gnuMem()
	case ArgStr:
		return "%" + in.strSegment(a) + ":(%" + gpr(a.Num, in.AddrSize) + ")"
	case ArgImm:
		if in.Op == INT && in.shape()&immMask == immNone {
			return ""
		}
		return "$" + hexText(in.immediate())
	case ArgImm2:
		return "$" + hexText(uint64(in.Imm2))
	case ArgOne:
		return ""
	case ArgRel:
		return hexText(in.target(pc))
	case ArgFar:
		return "$" + hexText(uint64(in.Imm2)) + ",$" + hexText(truncate(uint64(in.Imm), in.OpSize))
	case ArgST:
		if in.impliedST(i) {
			return "%st"
		}
	case ArgNone:
		return ""
	}
	return star + "%" + a.regName()
}

func (in *Inst) gnuMem() string {
	s := ""
	if in.Prefix&PrefixSeg != 0 {
		s = "%" + segNames[in.Seg] + ":"
	}
	if in.Base == NoReg && in.Index == NoReg {
		return s + hexText(in.absolute())
	}
	if in.Disp != 0 || in.hasDisp() {
		s += signedHex(in.Disp, false)
	}
	s += "("
	switch {
	case in.Base == RegRIP:
		return s + "%" + ripNames[in.AddrSize] + ")"
	case in.Base != NoReg:
		s += "%" + gpr(in.Base, in.AddrSize)
	}
	if in.Index != NoReg {
		s += ",%" + gpr(in.Index, in.AddrSize)
		if in.AddrSize != 2 {
			s += "," + scaleDigits[in.Scale&3]
		}
	}
	return s + ")"
}

// gnuNames lists mnemonics that differ from Intel's beyond a suffix.
var gnuNames = map[Op]string{
	CBW: "cbtw", CWDE: "cwtl", CDQE: "cltq", CWD: "cwtd", CDQ: "cltd", CQO: "cqto",
	LRET: "lret", LJMP: "ljmp", LCALL: "lcall",
}

// gnuSwapped lists what AT&T syntax exchanges in the register forms of DC and DE.
var gnuSwapped = map[Op]string{
	FSUB: "fsubr", FSUBR: "fsub", FDIV: "fdivr", FDIVR: "fdiv",
	FSUBP: "fsubrp", FSUBRP: "fsubp", FDIVP: "fdivrp", FDIVRP: "fdivp",
}

// gnuMnemonic gives the AT&T spelling, with a size suffix where no register
// operand tells the size.
func (in *Inst) gnuMnemonic() string {
	name := in.mnemonic("l")
	if n, ok := gnuNames[in.Op]; ok {
		name = n
	}
	if swapped, ok := gnuSwapped[in.Op]; ok && in.Opcode&0xfd == 0xdc && in.ModRM >= 0xc0 {
		return swapped
	}
	switch in.Op {
	case LRET:
		return "lret" + in.farSuffix("l")
	case MOVSX, MOVZX:
		from := in.Args[1].Size
		return name[:4] + sizeSuffix(from, "l") + sizeSuffix(in.OpSize, "l")
	case MOVSXD:
		if in.OpSize == 8 {
			return "movslq"
		}
		return "movsxd"
	case INSB, INSW, INSD, OUTSB, OUTSW, OUTSD, MOVSB, MOVSW, MOVSD, MOVSQ, CMPSB, CMPSW, CMPSD, CMPSQ:
		return name + sizeSuffix(in.OpSize, "l")
	case LCALL, LJMP:
		return name + in.farSuffix("l")
	}
	mem, ok := in.memArg()
	if !ok {
		return name
	}
	for _, a := range in.Args[:in.NArgs] {
		// A general register tells the size, but not CL as a count.
		if a.Kind == ArgReg && !in.isShift() {
			return name
		}
	}
	switch in.Op {
	case CALL, JMP, PUSH, POP:
		if in.OpSize == uint8(in.Mode)>>3 {
			return name
		}
	case ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, NOT, NEG, MUL, IMUL, DIV, IDIV, INC, DEC, NOP,
		ROL, ROR, RCL, RCR, SHL, SHR, SAR, BT, BTC, BTR, BTS:
	case MOV:
		if in.Args[0].Kind == ArgSeg || in.Args[1].Kind == ArgSeg {
			return name
		}
	case FLD, FST, FSTP, FADD, FMUL, FCOM, FCOMP, FSUB, FSUBR, FDIV, FDIVR:
		return name + floatSuffix(mem.Size)
	case FILD, FIST, FISTP, FISTTP, FIADD, FIMUL, FICOM, FICOMP, FISUB, FISUBR, FIDIV, FIDIVR:
		return name + intSuffix(mem.Size)
	case CVTSI2SD, CVTSI2SS:
	default:
		return name
	}
	return name + sizeSuffix(mem.Size, "l")
}

// isShift tells whether the operation shifts or rotates one operand.
func (in *Inst) isShift() bool {
	switch in.Op {
	case SHL, SHR, SAR, ROL, ROR, RCL, RCR:
		return true
	}
	return false
}

// memArg gives the explicit memory operand.
func (in *Inst) memArg() (Arg, bool) {
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == ArgMem {
			return a, true
		}
	}
	return Arg{}, false
}

// floatSuffix is the letter of an x87 floating-point operand.
func floatSuffix(size uint8) string {
	switch size {
	case 4:
		return "s"
	case 8:
		return "l"
	}
	return "t"
}

// intSuffix is that of an x87 integer operand.
func intSuffix(size uint8) string {
	switch size {
	case 2:
		return "s"
	case 4:
		return "l"
	}
	return "ll"
}
