// Package decode turns the bytes of one x86 instruction into an Inst that an
// interpreter can execute without looking at the bytes again.
//
//	bytes -> scan (prefixes, opcode, ModRM, SIB, displacement, immediates)
//	      -> form key -> form (operation, operand template, facts)
//	      -> Inst
//
// The scan is this package's own and is the only source of the length, the
// effective sizes and every field. The operation and the kinds of its operands
// depend only on a few bits of the encoding, the form key; they are learned
// once per form from golang.org/x/arch/x86/x86asm, corrected by the tables in
// supplement.go, and remembered in one table for the whole process.
//
// Modelled: 16-, 32- and 64-bit code; the integer and system instructions,
// x87, MMX and SSE to SSE4.2 with AES, SHA and PCLMULQDQ; legality of LOCK, of
// registers and of encodings as Intel processors judge it; what an older
// processor without a feature makes of an encoding. VEX, EVEX and XOP
// encodings are #UD, as on a processor without AVX. Rules that need more than
// the bytes (CPL, CR0, virtual-8086 mode) are the processor's.
//
// [SDM 2, Instruction Format; Opcode Map]
package decode

// MaxLen is the longest instruction in bytes. [SDM 2, Instruction Prefixes]
const MaxLen = 15

// Decoder decodes for one CPU model. It is a plain value and may be copied;
// the table of learned forms behind it is shared and safe for concurrent use.
type Decoder struct {
	// Features of the model. An instruction whose feature is missing is
	// Undef, or takes its older meaning.
	Features Feature
}

// Decode decodes the instruction at the start of src in the given mode.
//
// src holds the bytes that can be fetched: MaxLen of them, or fewer where a
// page or segment ends. Bytes past MaxLen are ignored. NeedMore comes before
// Undef for as long as more bytes are needed to know the length, as a fetch
// comes before a decode fault. [SDM 3A, Priority Among Concurrent Events]
//
// For a status other than OK, Op is zero and the other fields hold what had
// been scanned.
func (d *Decoder) Decode(in *Inst, src []byte, mode Mode) Status {
	if len(src) > MaxLen {
		src = src[:MaxLen]
	}
	*in = Inst{Mode: mode, Seg: DS, Base: NoReg, Index: NoReg}

	// Prefixes. Of a group the last one is in force; REX counts only directly
	// before the opcode.
	pos, rex := 0, uint8(0)
	for ; ; pos++ {
		if pos >= len(src) {
			return in.short(src)
		}
		b := src[pos]
		class := prefixClass[b]
		if class == notPrefix {
			break
		}
		if class == rexPrefix {
			if mode != Mode64 {
				break
			}
			rex = b
			continue
		}
		rex = 0
		in.prefix(b, class)
	}
	if rex != 0 {
		in.Prefix |= PrefixREX
		if rex&rexW != 0 {
			in.Prefix |= PrefixRexW
		}
	}
	in.AddrSize = addrSize(mode, in.Prefix)

	// Opcode.
	op := src[pos]
	pos++
	if op == 0x0f {
		if pos >= len(src) {
			return in.short(src)
		}
		in.Map, op = 1, src[pos]
		pos++
		if op == 0x38 || op == 0x3a {
			in.Map = 2
			if op == 0x3a {
				in.Map = 3
			}
			if pos >= len(src) {
				return in.short(src)
			}
			op = src[pos]
			pos++
		}
	}
	in.Opcode = op
	shape := shapes[in.Map&3][op]
	if shape&vexEscape != 0 && in.Map == 0 {
		if pos >= len(src) {
			return in.short(src)
		}
		// LES, LDS and BOUND exist outside 64-bit mode and need a memory
		// operand; all else is VEX or EVEX, which no model has, so #UD.
		// [SDM 2, Instruction Encoding with VEX]
		if mode == Mode64 || src[pos]>>6 == 3 {
			in.Len = vexLen(src, pos)
			return Undef
		}
	}

	// ModRM and memory operand.
	key := newKey(in, op)
	regs := [4]uint8{fromOpcode: op&7 | rex&rexB<<3}
	if shape&hasModRM != 0 {
		if pos >= len(src) {
			return in.short(src)
		}
		m := src[pos]
		pos++
		in.ModRM, in.HasModRM = m, true
		regs[fromReg] = m>>3&7 | rex&rexR<<1
		regs[fromRM] = m&7 | rex&rexB<<3
		key |= formKey(m>>3&7) << keyReg
		if m >= 0xc0 || shape&modIgnored != 0 {
			key |= 1 << keyMod3
			if shape&rmInKey != 0 {
				key |= formKey(m&7) << keyRM
			}
		} else if pos = in.scanMem(src, pos, rex); pos < 0 {
			return in.short(src)
		}
	} else if op == 0x90 && in.Map == 0 {
		// With REX.B 90 is XCHG r8 with rAX, and F3 does not make it PAUSE.
		// [SDM 2, XCHG; observed on AMD Zen 4]
		if rex&rexB != 0 {
			key = key&^(1<<keyRep) | 1<<keyB
		}
	}

	// Immediates.
	if shape&immMask != 0 {
		if pos = in.scanImm(src, pos, shape&immMask); pos < 0 {
			return in.short(src)
		}
	}
	in.Len = uint8(pos)
	// The opcode must be valid in 64-bit mode, else #UD. [SDM 2, Opcode Map]
	if shape&invalid64 != 0 && mode == Mode64 {
		return Undef
	}

	// Operation.
	f := forms.lookup(key)
	for f.need&^d.Features != 0 {
		if f = f.older; f == nil {
			return Undef
		}
	}
	if f.op == 0 {
		return Undef
	}
	// LOCK needs a lockable instruction with a memory destination, else #UD.
	// [SDM 2, LOCK—Assert LOCK# Signal Prefix]
	if in.Prefix&PrefixLock != 0 && !f.lockable {
		return Undef
	}
	in.Op = f.op
	in.OpSize = f.opSize
	in.Props = f.props
	in.FlagsRead, in.FlagsWrit = f.read, f.writ
	in.NArgs = f.nargs
	for i := range f.args {
		if i == int(f.nargs) {
			break
		}
		in.fillArg(&in.Args[i], &f.args[i], &regs, rex)
	}
	if f.quirk != 0 {
		return in.apply(f, d.Features)
	}
	return OK
}

// short reports that the bytes end inside the instruction.
func (in *Inst) short(src []byte) Status {
	in.Len = uint8(len(src))
	if len(src) == MaxLen {
		// The instruction must not be longer than 15 bytes, else #GP(0). [SDM 2, Instruction Prefixes]
		return TooLong
	}
	return NeedMore
}

// fillArg makes an operand from its template.
func (in *Inst) fillArg(a *Arg, t *template, regs *[4]uint8, rex uint8) {
	*a = t.arg
	if t.from == fixed {
		return
	}
	a.Num = regs[t.from&3] & t.mask
	// Without REX, byte registers 4 to 7 are AH, CH, DH, BH. [SDM 2, REX Prefixes]
	if a.Size == 1 && rex == 0 && a.Num >= 4 && a.Kind == ArgReg {
		a.Num -= 4
		a.High = true
	}
}
