package decode

// Flag bits as FlagsRead and FlagsWrit hold them, at their places in EFLAGS.
const (
	flagCF   = 1 << 0
	flagPF   = 1 << 2
	flagAF   = 1 << 4
	flagZF   = 1 << 6
	flagSF   = 1 << 7
	flagTF   = 1 << 8
	flagIF   = 1 << 9
	flagDF   = 1 << 10
	flagOF   = 1 << 11
	flagIOPL = 3 << 12
	flagNT   = 1 << 14

	arith    = flagCF | flagPF | flagAF | flagZF | flagSF | flagOF
	allFlags = arith | flagTF | flagIF | flagDF | flagIOPL | flagNT
)

// What an operation does with a memory operand in the first place. Any
// other memory operand is read.
const (
	destReadWrite = iota
	destWrite
	destRead
	destNone // the address alone matters
)

// fact is what is true of an operation in all its forms.
type fact struct {
	props      Props
	read, writ uint16
	dest       uint8
	lockable   bool
}

// facts is indexed by Op.
var facts = buildFacts()

func buildFacts() *[NumOps]fact {
	t := new([NumOps]fact)
	set := func(ops []Op, change func(f *fact)) {
		for _, op := range ops {
			change(&t[op])
		}
	}
	for _, g := range flagFacts {
		set(g.ops, func(f *fact) { f.read, f.writ = g.read, g.writ })
	}
	for _, g := range propFacts {
		set(g.ops, func(f *fact) { f.props |= g.props })
	}
	set(lockable, func(f *fact) { f.lockable = true })
	set(destWrites, func(f *fact) { f.dest = destWrite })
	set(destReads, func(f *fact) { f.dest = destRead })
	set(destNothing, func(f *fact) { f.dest = destNone })
	for _, c := range conditions {
		set(c.ops, func(f *fact) { f.read |= c.read })
	}
	return t
}

// flagFacts lists the flags that operations read and write; what is not here
// touches none. Where the manual leaves a flag undefined it counts as
// written, and also as read if real processors tend to leave it as it was
// (bit tests and scans, divisions, decimal adjustment): an optimiser then
// keeps what an executor may keep. A shift whose count may be zero reads all
// that it writes; apply knows better where the count is an immediate.
// [SDM 1, EFLAGS Cross-Reference]
var flagFacts = []struct {
	ops        []Op
	read, writ uint16
}{
	{ops: []Op{ADD, SUB, CMP, NEG, XADD, CMPXCHG, AND, OR, XOR, TEST, MUL, IMUL, POPCNT, RDRAND, RDSEED,
		COMISD, COMISS, UCOMISD, UCOMISS, FCOMI, FCOMIP, FUCOMI, FUCOMIP, PTEST,
		PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM, XTEST, ENQCMD, ENQCMDS,
		VMCALL, VMCLEAR, VMLAUNCH, VMPTRLD, VMPTRST, VMREAD, VMRESUME, VMWRITE, VMXOFF, VMXON, INVEPT, INVVPID},
		writ: arith},
	{ops: []Op{ADC, SBB}, read: flagCF, writ: arith},
	{ops: []Op{ADCX}, read: flagCF, writ: flagCF},
	{ops: []Op{ADOX}, read: flagOF, writ: flagOF},
	{ops: []Op{INC, DEC}, writ: arith &^ flagCF},
	{ops: []Op{DIV, IDIV}, read: arith, writ: arith},
	{ops: []Op{BSF, BSR}, read: arith &^ flagZF, writ: arith},
	{ops: []Op{LZCNT, TZCNT}, read: arith &^ (flagZF | flagCF), writ: arith},
	{ops: []Op{BT, BTC, BTR, BTS}, read: arith &^ (flagZF | flagCF), writ: arith &^ flagZF},
	{ops: []Op{SHL, SHR, SAR, SHLD, SHRD}, read: arith, writ: arith},
	{ops: []Op{ROL, ROR, RCL, RCR}, read: flagCF | flagOF, writ: flagCF | flagOF},
	{ops: []Op{AAA, AAS, DAA, DAS, AAD, AAM}, read: arith, writ: arith},
	{ops: []Op{SALC}, read: flagCF},
	{ops: []Op{LAHF}, read: arith &^ flagOF},
	{ops: []Op{SAHF}, writ: arith &^ flagOF},
	{ops: []Op{CLC, STC}, writ: flagCF},
	{ops: []Op{CMC}, read: flagCF, writ: flagCF},
	{ops: []Op{CLD, STD}, writ: flagDF},
	{ops: []Op{CLI, STI}, read: flagIOPL, writ: flagIF},
	{ops: []Op{PUSHF, PUSHFD, PUSHFQ}, read: allFlags},
	{ops: []Op{POPF, POPFD, POPFQ, IRET, IRETD, IRETQ, RSM, SYSCALL, SYSRET, LCALL, LJMP, INT, INTO, ICEBP},
		read: allFlags, writ: allFlags},
	{ops: []Op{SYSENTER}, writ: flagIF},
	{ops: []Op{UMWAIT, TPAUSE, RDPRU}, writ: arith},
	{ops: []Op{ARPL, LAR, LSL, VERR, VERW, CMPXCHG8B, CMPXCHG16B}, writ: flagZF},
	{ops: []Op{MOVSB, MOVSW, MOVSD, MOVSQ, LODSB, LODSW, LODSD, LODSQ, STOSB, STOSW, STOSD, STOSQ,
		INSB, INSW, INSD, OUTSB, OUTSW, OUTSD}, read: flagDF},
	{ops: []Op{CMPSB, CMPSW, CMPSD, CMPSQ, SCASB, SCASW, SCASD, SCASQ}, read: flagDF, writ: arith},
}

// conditions lists the flags that conditional operations test.
// [SDM 1, EFLAGS Condition Codes]
var conditions = []struct {
	ops  []Op
	read uint16
}{
	{[]Op{JO, JNO, SETO, SETNO, CMOVO, CMOVNO}, flagOF},
	{[]Op{JB, JAE, SETB, SETAE, CMOVB, CMOVAE, FCMOVB, FCMOVNB}, flagCF},
	{[]Op{JE, JNE, SETE, SETNE, CMOVE, CMOVNE, LOOPE, LOOPNE, FCMOVE, FCMOVNE}, flagZF},
	{[]Op{JBE, JA, SETBE, SETA, CMOVBE, CMOVA, FCMOVBE, FCMOVNBE}, flagCF | flagZF},
	{[]Op{JS, JNS, SETS, SETNS, CMOVS, CMOVNS}, flagSF},
	{[]Op{JP, JNP, SETP, SETNP, CMOVP, CMOVNP, FCMOVU, FCMOVNU}, flagPF},
	{[]Op{JL, JGE, SETL, SETGE, CMOVL, CMOVGE}, flagSF | flagOF},
	{[]Op{JLE, JG, SETLE, SETG, CMOVLE, CMOVG}, flagSF | flagOF | flagZF},
}

// propFacts lists properties beside those of the explicit memory operand. The
// implicit accesses to the stack and by strings are here.
var propFacts = []struct {
	props Props
	ops   []Op
}{
	{EndsBlock, []Op{
		JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG, JCXZ, JECXZ, JRCXZ,
		LOOP, LOOPE, LOOPNE, JMP, CALL, RET, LJMP, LCALL, LRET, INT, INTO, ICEBP, IRET, IRETD, IRETQ,
		SYSCALL, SYSRET, SYSENTER, SYSEXIT, RSM, XBEGIN, XEND, XABORT, UD0, UD1, UD2,
		HLT, MWAIT, MONITOR, MWAITX, MONITORX, UMWAIT, TPAUSE, UMONITOR,
		LGDT, LIDT, LLDT, LTR, LMSW, CLTS, WRMSR, WRPKRU, XSETBV, SWAPGS, WRFSBASE, WRGSBASE,
		INVLPG, INVPCID, INVD, WBINVD, WBNOINVD, INVLPGA, INVEPT, INVVPID, CPUID, SERIALIZE,
		STI, CLI, POPF, POPFD, POPFQ, STAC, CLAC, LDS, LES, LFS, LGS, LSS,
		IN, OUT, INSB, INSW, INSD, OUTSB, OUTSW, OUTSD, XRSTOR, XRSTOR64, XRSTORS, XRSTORS64,
		VMCALL, VMLAUNCH, VMRESUME, VMXOFF, VMXON, VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT, ENCLS, ENCLU,
	}},
	{Privileged | MayFault, []Op{
		HLT, LGDT, LIDT, LLDT, LTR, LMSW, CLTS, RDMSR, WRMSR, INVD, WBINVD, WBNOINVD, INVLPG, INVPCID,
		SWAPGS, SYSRET, SYSEXIT, XSETBV, XSAVES, XSAVES64, XRSTORS, XRSTORS64, INVLPGA, ENQCMDS,
	}},
	{MayFault, []Op{
		DIV, IDIV, AAM, INT, INTO, BOUND, UD0, UD1, UD2, ICEBP, CLI, STI, IN, OUT, RDTSC, RDTSCP, RDPMC,
		CLAC, STAC, MONITOR, MWAIT, RDPKRU, WRPKRU, RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE, XGETBV,
		RDRAND, RDSEED, LAR, LSL, VERR, VERW, ARPL, SLDT, STR, SGDT, SIDT, SMSW, RSM,
		JMP, CALL, RET, JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG,
		JCXZ, JECXZ, JRCXZ, LOOP, LOOPE, LOOPNE, SYSCALL, SYSENTER, FWAIT, EMMS, CLFLUSH, CLFLUSHOPT, CLWB,
		VMCALL, VMMCALL, SERIALIZE, MWAITX, MONITORX, UMWAIT, TPAUSE, UMONITOR,
	}},
	{MayFault | MemWrite, []Op{
		PUSH, PUSHA, PUSHAD, PUSHF, PUSHFD, PUSHFQ, CALL, ENTER, INT, INTO, ICEBP,
		STOSB, STOSW, STOSD, STOSQ, INSB, INSW, INSD, MASKMOVQ, MASKMOVDQU, CLZERO, MOVDIR64B,
	}},
	{MayFault | MemRead, []Op{
		POP, POPA, POPAD, POPF, POPFD, POPFQ, RET, LEAVE, ENTER, XLATB,
		LODSB, LODSW, LODSD, LODSQ, SCASB, SCASW, SCASD, SCASQ, CMPSB, CMPSW, CMPSD, CMPSQ,
		OUTSB, OUTSW, OUTSD, LAR, LSL, VERR, VERW, LLDT,
	}},
	{MayFault | MemRead | MemWrite, []Op{
		MOVSB, MOVSW, MOVSD, MOVSQ, LCALL, LJMP, LRET, IRET, IRETD, IRETQ, LTR,
	}},
}

// lockable lists what LOCK goes with, given a memory destination.
// [SDM 2, LOCK—Assert LOCK# Signal Prefix]
var lockable = []Op{
	ADD, ADC, AND, BTC, BTR, BTS, CMPXCHG, CMPXCHG8B, CMPXCHG16B, DEC, INC, NEG, NOT, OR, SBB, SUB, XOR, XADD, XCHG,
}

// destWrites lists integer and x87 operations that only write a memory operand in the first place.
var destWrites = []Op{
	MOV, MOVBE, MOVNTI, MOVDIRI, POP, SMSW, SLDT, STR, SGDT, SIDT, STMXCSR, FXSAVE, FXSAVE64,
	SETO, SETNO, SETB, SETAE, SETE, SETNE, SETBE, SETA, SETS, SETNS, SETP, SETNP, SETL, SETGE, SETLE, SETG,
	FST, FSTP, FIST, FISTP, FISTTP, FBSTP, FNSTCW, FNSTSW, FNSTENV, FNSAVE, VMREAD, VMPTRST,
}

// destReads lists operations that only read it.
var destReads = []Op{
	CMP, TEST, BT, PUSH, JMP, CALL, LJMP, LCALL, MUL, IMUL, DIV, IDIV, LGDT, LIDT, LLDT, LTR, LMSW, VERR, VERW,
	LDMXCSR, FXRSTOR, FXRSTOR64, XRSTOR, XRSTOR64, XRSTORS, XRSTORS64, PTWRITE, VMPTRLD, VMCLEAR, VMXON,
	FADD, FMUL, FCOM, FCOMP, FSUB, FSUBR, FDIV, FDIVR, FIADD, FIMUL, FICOM, FICOMP, FISUB, FISUBR, FIDIV, FIDIVR,
	FLD, FILD, FBLD, FLDENV, FLDCW, FRSTOR, CLFLUSH, CLFLUSHOPT, CLWB,
}

// destNothing lists operations that take an address only.
var destNothing = []Op{NOP, UD0, UD1, LEA, INVLPG, PREFETCHNTA, PREFETCHT0, PREFETCHT1, PREFETCHT2, PREFETCHW}
