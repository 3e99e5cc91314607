package decode

// quirk marks forms whose meaning depends on a value that is not in the key.
type quirk uint8

const (
	quirkShift quirk = 1 + iota // an immediate count: zero leaves the flags alone
	quirkCR                     // MOV to or from a control register
	quirkDR                     // MOV to or from a debug register
	quirkImm                    // the opcode implies the immediate
)

// complete fills in what follows from the key, the operation and the operands.
func (f *form) complete() {
	k := f.key
	f.opSize = k.opSize()
	fact := &facts[f.op]
	f.props, f.read, f.writ = fact.props, fact.read, fact.writ
	args := f.args[:f.nargs]
	for i := range args {
		a := &args[i].arg
		switch a.Kind {
		case ArgMem:
			if a.Size == 0 {
				a.Size = f.memSize()
			}
			f.memory(i, fact.dest)
		case ArgStr:
			a.Size = f.opSize
		case ArgSeg:
			// A new segment may change the mode, the mapping or the interrupt window.
			if i == 0 && f.op != PUSH {
				f.props |= EndsBlock | MayFault
			}
		case ArgCR, ArgDR:
			f.props |= EndsBlock | MayFault | Privileged
			f.quirk = quirkCR
			if a.Kind == ArgDR {
				f.quirk = quirkDR
			}
		case ArgST, ArgMMX, ArgXMM:
			f.props |= MayFault
		}
	}
	if k.opMap() == 0 && k.opcode()>>3 == 0xd8>>3 {
		f.props |= MayFault
	}
	f.lockable = fact.lockable && args[0].arg.Kind == ArgMem
	if f.imm != 0 {
		f.quirk = quirkImm
	}
	f.flags()
}

// memory adds the access of the explicit memory operand in place i.
func (f *form) memory(i int, dest uint8) {
	switch {
	case i > 0 && dest != destNone:
		f.props |= MayFault | MemRead
	case dest == destNone:
	case dest == destWrite, f.simd():
		f.props |= MayFault | MemWrite
	case dest == destRead:
		f.props |= MayFault | MemRead
	default:
		f.props |= MayFault | MemRead | MemWrite
	}
}

// simd tells whether an operand is an MMX or XMM register.
func (f *form) simd() bool {
	for _, t := range f.args[:f.nargs] {
		if t.arg.Kind == ArgMMX || t.arg.Kind == ArgXMM {
			return true
		}
	}
	return false
}

// memSize gives the sizes that x86asm leaves open.
func (f *form) memSize() uint8 {
	switch f.op {
	case FLD, FSTP, FBLD, FBSTP:
		return 10
	case LDS, LES, LFS, LGS, LSS:
		return f.opSize + 2
	}
	return 0
}

// flags adjusts the flags of forms that differ from their operation.
func (f *form) flags() {
	shift := false
	switch f.op {
	case LJMP, LCALL:
		// A far pointer loads six bytes or what the operand size asks for.
		for i := range f.args[:f.nargs] {
			if a := &f.args[i].arg; a.Kind == ArgMem {
				a.Size = f.opSize + 2
			}
		}
	case SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD:
		shift = true
	case CMPSB, CMPSW, CMPSD, CMPSQ, SCASB, SCASW, SCASD, SCASQ:
		// With a repeat count of zero the flags stay.
		if f.key.has(keyRep) || f.key.has(keyRepne) {
			f.read |= arith
		}
	}
	if !shift {
		return
	}
	switch f.args[f.nargs-1].arg.Kind {
	case ArgOne:
		f.read = f.carryIn()
	case ArgImm:
		f.quirk = quirkShift
	}
}

// carryIn gives the flags that a shift or rotation by a count other than zero reads.
func (f *form) carryIn() uint16 {
	if f.op == RCL || f.op == RCR {
		return flagCF
	}
	return 0
}

// apply settles what the form left open.
func (in *Inst) apply(f *form, have Feature) Status {
	switch f.quirk {
	case quirkImm:
		in.Imm = int64(f.imm)
	case quirkShift:
		mask := int64(31)
		if in.OpSize == 8 {
			mask = 63
		}
		if in.Imm&mask == 0 {
			in.FlagsRead, in.FlagsWrit = 0, 0
		} else {
			in.FlagsRead = f.carryIn()
		}
	case quirkCR:
		cr := in.Args[0].Num
		if in.Args[0].Kind != ArgCR {
			cr = in.Args[1].Num
		}
		// Of the control registers CR0, CR2, CR3, CR4 and CR8 exist, else #UD. [SDM 2, MOV—Move to/from Control Registers]
		switch {
		case cr == 4 && have&FeatCPUID == 0, cr == 8 && have&FeatLM == 0, cr > 8:
			in.Op = 0
			return Undef
		}
	case quirkDR:
		// Debug registers 8 to 15 do not exist, else #UD. [SDM 2, MOV—Move to/from Debug Registers]
		if in.Args[0].Num > 7 && in.Args[0].Kind == ArgDR || in.Args[1].Num > 7 && in.Args[1].Kind == ArgDR {
			in.Op = 0
			return Undef
		}
	}
	return OK
}
