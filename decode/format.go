package decode

import (
	"strconv"
	"strings"
)

// This file holds what the two printed forms share; intel.go and gnu.go the
// forms. Both follow objdump in spelling, with one space after the mnemonic
// and without prefixes that change nothing.

const undefText = "(bad)"

var (
	regNames8 = [16]string{"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil",
		"r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"}
	regNamesHigh = [4]string{"ah", "ch", "dh", "bh"}
	regNames16   = [16]string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
		"r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"}
	regNames32 = [16]string{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
		"r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"}
	regNames64 = [16]string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}
	segNames = [8]string{"es", "cs", "ss", "ds", "fs", "gs", "?", "?"}
)

// gpr names a general register.
func gpr(num, size uint8) string {
	switch size {
	case 1:
		return regNames8[num&15]
	case 2:
		return regNames16[num&15]
	case 4:
		return regNames32[num&15]
	}
	return regNames64[num&15]
}

// regName names the register of an operand; "" where it is none.
func (a Arg) regName() string {
	n := strconv.Itoa(int(a.Num))
	switch a.Kind {
	case ArgReg:
		if a.High {
			return regNamesHigh[a.Num&3]
		}
		return gpr(a.Num, a.Size)
	case ArgSeg:
		return segNames[a.Num&7]
	case ArgCR:
		return "cr" + n
	case ArgDR:
		return "db" + n
	case ArgST:
		return "st(" + n + ")"
	case ArgMMX:
		return "mm" + n
	case ArgXMM:
		return "xmm" + n
	}
	return ""
}

// hex prints a number as objdump does.
func hexText(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }

// signedHex prints a displacement with its sign; always, with plus.
func signedHex(v int64, plus bool) string {
	switch {
	case v < 0:
		return "-" + hexText(uint64(-v))
	case plus:
		return "+" + hexText(uint64(v))
	}
	return hexText(uint64(v))
}

// truncate keeps the low size bytes; 0 and 8 keep all.
func truncate(v uint64, size uint8) uint64 {
	if size == 0 || size >= 8 {
		return v
	}
	return v & (1<<(8*size) - 1)
}

// target is where a relative branch at pc goes.
func (in *Inst) target(pc uint64) uint64 {
	size := in.OpSize
	if in.Mode == Mode64 {
		size = 8
	}
	return truncate(pc+uint64(in.Len)+uint64(in.Imm), size)
}

// ripTarget is the address that a RIP-relative operand names.
func (in *Inst) ripTarget(pc uint64) uint64 {
	return truncate(pc+uint64(in.Len)+uint64(in.Disp), in.AddrSize)
}

// immediate is the first immediate as it is printed: cut to the size of the
// operand it meets.
func (in *Inst) immediate() uint64 {
	size := in.OpSize
	switch in.shape() & immMask {
	case immB, immTB:
		size = 1
	case immW, immE:
		size = 2
	}
	if in.Op == PUSH && in.OpSize == 8 {
		size = 8
	}
	return truncate(uint64(in.Imm), size)
}

func (in *Inst) shape() shape { return shapes[in.Map&3][in.Opcode] }

// prefixWords gives the prefixes that have a word of their own.
func (in *Inst) prefixWords() string {
	s := ""
	if in.Prefix&PrefixLock != 0 {
		s = "lock "
	}
	rep := in.Prefix & (PrefixRep | PrefixRepne)
	if rep == 0 {
		return s
	}
	switch in.Op {
	case CMPSB, CMPSW, CMPSD, CMPSQ, SCASB, SCASW, SCASD, SCASQ:
		if rep == PrefixRep {
			return s + "repz "
		}
		return s + "repnz "
	case MOVSB, MOVSW, MOVSD, MOVSQ, LODSB, LODSW, LODSD, LODSQ, STOSB, STOSW, STOSD, STOSQ,
		INSB, INSW, INSD, OUTSB, OUTSW, OUTSD:
		if rep == PrefixRep {
			return s + "rep "
		}
		return s + "repnz "
	case RET, CALL, JMP:
		if rep == PrefixRepne {
			return s + "bnd "
		}
		if in.Op == RET {
			return s + "repz "
		}
	}
	if rep == PrefixRepne && in.shape()&immMask == immJB|immJZ && facts[in.Op].read != 0 {
		return s + "bnd "
	}
	return s
}

// isXchgNop tells whether a NOP is 66 90, which is printed as the exchange that it encodes.
func (in *Inst) isXchgNop() bool {
	return in.Op == NOP && in.Map == 0 && in.Prefix&(PrefixOpSize|PrefixRexW) == PrefixOpSize
}

// sized adds a suffix where the operand size of an operation whose operands
// do not show it is not the mode's own.
func (in *Inst) sized(name, four string) string {
	usual := uint8(in.Mode) >> 3
	if in.Op == IRET || in.Op == IRETD || in.Op == IRETQ {
		usual = min(usual, 4)
	}
	if in.OpSize == usual {
		return name
	}
	return name + sizeSuffix(in.OpSize, four)
}

// farSuffix is the suffix of a far transfer whose operand size is not usual.
func (in *Inst) farSuffix(four string) string {
	if in.OpSize == min(uint8(in.Mode)>>3, 4) {
		return ""
	}
	return sizeSuffix(in.OpSize, four)
}

// sizeSuffix is the letter of an operand size in bytes.
func sizeSuffix(size uint8, four string) string {
	switch size {
	case 1:
		return "b"
	case 2:
		return "w"
	case 4:
		return four
	}
	return "q"
}

// mnemonic gives the spelling that both syntaxes build on; four is the suffix
// of a four-byte operation, Intel's d or AT&T's l.
func (in *Inst) mnemonic(four string) string {
	name := strings.ToLower(in.Op.String())
	switch in.Op {
	case PUSHF, PUSHFD, PUSHFQ:
		return in.sized("pushf", four)
	case POPF, POPFD, POPFQ:
		return in.sized("popf", four)
	case PUSHA, PUSHAD:
		return in.sized("pusha", four)
	case POPA, POPAD:
		return in.sized("popa", four)
	case IRET, IRETD, IRETQ:
		return in.sized("iret", four)
	case RET, LEAVE, ENTER:
		return in.sized(name, four)
	case PUSH, POP:
		if k := in.Args[0].Kind; k == ArgImm || k == ArgSeg {
			return in.sized(name, four)
		}
	case CALL, JMP:
		if in.Args[0].Kind == ArgRel {
			return in.sized(name, four)
		}
	case LGDT, LIDT, SGDT, SIDT:
		if in.Mode != Mode64 {
			return name + sizeSuffix(in.OpSize, four)
		}
	case MOVSB, MOVSW, MOVSD, MOVSQ:
		return "movs"
	case CMPSB, CMPSW, CMPSD, CMPSQ:
		return "cmps"
	case SCASB, SCASW, SCASD, SCASQ:
		return "scas"
	case LODSB, LODSW, LODSD, LODSQ:
		return "lods"
	case STOSB, STOSW, STOSD, STOSQ:
		return "stos"
	case INSB, INSW, INSD:
		return "ins"
	case OUTSB, OUTSW, OUTSD:
		return "outs"
	case XLATB:
		return "xlat"
	case LJMP:
		return "jmp"
	case LCALL:
		return "call"
	case LRET:
		return "retf" + in.farSuffix(four)
	case NOP:
		if in.isXchgNop() {
			return "xchg"
		}
	case ICEBP:
		return "int1"
	case INT:
		if in.shape()&immMask == immNone {
			return "int3"
		}
	case MOVSD_XMM:
		return "movsd"
	case CMPSD_XMM:
		return "cmpsd"
	case MOV:
		if in.shape()&immMask == immO && in.AddrSize == 8 || in.shape()&immMask == immV && in.OpSize == 8 {
			return "movabs"
		}
	case SYSRET, SYSEXIT:
		if in.Mode == Mode64 {
			return name + sizeSuffix(in.OpSize, four)
		}
	case RDSSP, INCSSP:
		if in.Prefix&PrefixRexW != 0 {
			return name + "q"
		}
		return name + "d"
	}
	return name
}
