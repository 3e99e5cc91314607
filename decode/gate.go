package decode

// opFeatures gives the features that operations need, where the kind of the
// registers and the encoding do not tell.
var opFeatures = buildOpFeatures()

func buildOpFeatures() *[NumOps]Feature {
	t := new([NumOps]Feature)
	for _, g := range []struct {
		need Feature
		ops  []Op
	}{
		{FeatI486, []Op{BSWAP, XADD, CMPXCHG, INVLPG, INVD, WBINVD}},
		{FeatCPUID, []Op{CPUID, RSM}},
		{FeatTSC, []Op{RDTSC}},
		{FeatMSR, []Op{RDMSR, WRMSR}},
		{FeatCX8, []Op{CMPXCHG8B}},
		{FeatP6, []Op{RDPMC}},
		{FeatCMOV, []Op{CMOVA, CMOVAE, CMOVB, CMOVBE, CMOVE, CMOVG, CMOVGE, CMOVL, CMOVLE, CMOVNE, CMOVNO, CMOVNP,
			CMOVNS, CMOVO, CMOVP, CMOVS, FCMOVB, FCMOVBE, FCMOVE, FCMOVNB, FCMOVNBE, FCMOVNE, FCMOVNU, FCMOVU,
			FCOMI, FCOMIP, FUCOMI, FUCOMIP}},
		{FeatSEP, []Op{SYSENTER, SYSEXIT}},
		{FeatSYSCALL, []Op{SYSCALL, SYSRET}},
		{FeatFXSR, []Op{FXSAVE, FXSAVE64, FXRSTOR, FXRSTOR64}},
		{FeatSSE, []Op{LDMXCSR, STMXCSR, SFENCE, PAVGB, PAVGW, PEXTRW, PINSRW, PMAXSW, PMAXUB, PMINSW, PMINUB, PMOVMSKB,
			PMULHUW, PSADBW, PSHUFW, MASKMOVQ, MOVNTQ}},
		{FeatSSE2, []Op{LFENCE, MFENCE, MOVNTI, PADDQ, PSUBQ, PMULUDQ, MOVDQ2Q, MOVQ2DQ}},
		{FeatCLFLUSH, []Op{CLFLUSH}},
		{FeatMONITOR, []Op{MONITOR, MWAIT}},
		{FeatCX16, []Op{CMPXCHG16B}},
		{FeatMOVBE, []Op{MOVBE}},
		{FeatPOPCNT, []Op{POPCNT}},
		{FeatSSE42, []Op{CRC32, PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM, PCMPGTQ}},
		{FeatLZCNT, []Op{LZCNT}},
		{FeatBMI1, []Op{TZCNT}},
		{FeatRDTSCP, []Op{RDTSCP}},
		{FeatFSGSBASE, []Op{RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE}},
		{FeatINVPCID, []Op{INVPCID}},
		{FeatXSAVE, []Op{XSAVE, XSAVE64, XRSTOR, XRSTOR64, XGETBV, XSETBV}},
		{FeatXSAVEOPT, []Op{XSAVEOPT, XSAVEOPT64}},
		{FeatXSAVEC, []Op{XSAVEC, XSAVEC64}},
		{FeatXSAVES, []Op{XSAVES, XSAVES64, XRSTORS, XRSTORS64}},
		{FeatLM, []Op{SWAPGS}},
		{FeatMMX, []Op{EMMS}},
		{FeatSSE3, []Op{ADDSUBPD, ADDSUBPS, HADDPD, HADDPS, HSUBPD, HSUBPS, LDDQU, MOVDDUP, MOVSHDUP, MOVSLDUP, FISTTP}},
		{FeatSSSE3, []Op{PABSB, PABSD, PABSW, PALIGNR, PHADDD, PHADDSW, PHADDW, PHSUBD, PHSUBSW, PHSUBW, PMADDUBSW,
			PMULHRSW, PSHUFB, PSIGNB, PSIGND, PSIGNW}},
		{FeatSSE41, []Op{BLENDPD, BLENDPS, BLENDVPD, BLENDVPS, DPPD, DPPS, EXTRACTPS, INSERTPS, MOVNTDQA, MPSADBW,
			PACKUSDW, PBLENDVB, PBLENDW, PCMPEQQ, PEXTRB, PEXTRD, PEXTRQ, PHMINPOSUW, PINSRB, PINSRD, PINSRQ,
			PMAXSB, PMAXSD, PMAXUD, PMAXUW, PMINSB, PMINSD, PMINUD, PMINUW,
			PMOVSXBD, PMOVSXBQ, PMOVSXBW, PMOVSXDQ, PMOVSXWD, PMOVSXWQ, PMOVZXBD, PMOVZXBQ, PMOVZXBW, PMOVZXDQ,
			PMOVZXWD, PMOVZXWQ, PMULDQ, PMULLD, PTEST, ROUNDPD, ROUNDPS, ROUNDSD, ROUNDSS}},
		{FeatAES, []Op{AESDEC, AESDECLAST, AESENC, AESENCLAST, AESIMC, AESKEYGENASSIST}},
		{FeatPCLMULQDQ, []Op{PCLMULQDQ}},
		{FeatSHA, []Op{SHA1MSG1, SHA1MSG2, SHA1NEXTE, SHA1RNDS4, SHA256MSG1, SHA256MSG2, SHA256RNDS2}},
		{FeatRTM, []Op{XBEGIN, XEND, XABORT, XTEST}},
	} {
		for _, op := range g.ops {
			t[op] |= g.need
		}
	}
	return t
}

// featureOf gives the features that a form of x86asm needs.
func featureOf(f *form) Feature {
	need := opFeatures[f.op]
	if (f.op == LAHF || f.op == SAHF) && f.key.mode() == Mode64 {
		need |= FeatLAHF64
	}
	var mmx, xmm bool
	for _, t := range f.args[:f.nargs] {
		mmx = mmx || t.arg.Kind == ArgMMX
		xmm = xmm || t.arg.Kind == ArgXMM
	}
	switch {
	case xmm && sse1(f.key):
		need |= FeatSSE
	case xmm && need&(FeatSSE41|FeatSSE42|FeatSSSE3|FeatSSE3|FeatAES|FeatPCLMULQDQ|FeatSHA) == 0:
		need |= FeatSSE2
	case mmx && need&(FeatSSE|FeatSSE2|FeatSSSE3) == 0:
		need |= FeatMMX
	}
	return need
}

// sse1 tells whether an instruction on XMM registers was in the first SSE:
// single-precision encodings have no mandatory prefix or F3.
func sse1(k formKey) bool {
	if k.opMap() != 1 || k.pfx() != np && k.pfx() != pF3 {
		return false
	}
	switch op := k.opcode(); {
	case k.pfx() == pF3 && (op == 0x12 || op == 0x16), op == 0x5a, op == 0x5b, op == 0xe6:
		return false
	case op >= 0x10 && op <= 0x17, op >= 0x28 && op <= 0x2f, op >= 0x50 && op <= 0x5f, op == 0xc2, op == 0xc6:
		return true
	}
	return false
}
