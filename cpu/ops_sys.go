package cpu

import (
	"x86emu/decode"
)

// General registers by name, in their encoding's order.
const (
	rAX = iota
	rCX
	rDX
	rBX
	rSP
	rBP
	rSI
	rDI
	r11 = 11
)

// The system instructions, by family. [SDM 1, System Instructions; 64-Bit Mode
// Instructions; I/O Instructions]
//
// VMX, SMX, XSAVE and SERIALIZE have no handler, as CPUID offers none of them:
// they are #UD, and so is RSM outside of system management mode.
var sysOps = map[decode.Op]handler{
	// Control registers and modes.
	decode.CLTS: execCLTS, decode.LMSW: execLMSW, decode.SMSW: execSMSW,

	// Descriptor tables and descriptors.
	decode.LGDT: execLGDT, decode.LIDT: execLIDT, decode.SGDT: execSGDT, decode.SIDT: execSIDT,
	decode.LLDT: execLLDT, decode.LTR: execLTR, decode.SLDT: execSLDT, decode.STR: execSTR,
	decode.LAR: execLAR, decode.LSL: execLSL, decode.VERR: execVERR, decode.VERW: execVERW,
	decode.ARPL: execARPL,

	// Segment loads and far transfers.
	decode.LDS: execLoadFar, decode.LES: execLoadFar, decode.LFS: execLoadFar,
	decode.LGS: execLoadFar, decode.LSS: execLoadFar,
	decode.LJMP: execJmpFar, decode.LCALL: execCallFar, decode.LRET: execRetFar,

	// Interrupts and waiting.
	decode.INT: execINT, decode.INTO: execINTO, decode.ICEBP: execINT1,
	decode.IRET: execIRET, decode.IRETD: execIRET, decode.IRETQ: execIRET,
	decode.HLT: execHLT, decode.MONITOR: execMONITOR, decode.MWAIT: execMWAIT,

	// Flags.
	decode.PUSHF: execPUSHF, decode.PUSHFD: execPUSHF, decode.PUSHFQ: execPUSHF,
	decode.POPF: execPOPF, decode.POPFD: execPOPF, decode.POPFQ: execPOPF,
	decode.CLI: execCLI, decode.STI: execSTI,

	// Ports.
	decode.IN: execIN, decode.OUT: execOUT,
	decode.INSB: execINS, decode.INSW: execINS, decode.INSD: execINS,
	decode.OUTSB: execOUTS, decode.OUTSW: execOUTS, decode.OUTSD: execOUTS,

	// Fast system calls and segment bases.
	decode.SYSCALL: execSYSCALL, decode.SYSRET: execSYSRET,
	decode.SYSENTER: execSYSENTER, decode.SYSEXIT: execSYSEXIT, decode.SWAPGS: execSWAPGS,
	decode.RDFSBASE: execRDFSBASE, decode.RDGSBASE: execRDFSBASE,
	decode.WRFSBASE: execWRFSBASE, decode.WRGSBASE: execWRFSBASE,

	// Identification, model-specific registers, counters.
	decode.CPUID: execCPUID, decode.RDMSR: execRDMSR, decode.WRMSR: execWRMSR,
	decode.RDTSC: execRDTSC, decode.RDTSCP: execRDTSCP, decode.RDPMC: execRDPMC,

	// Caches and translations.
	decode.INVD: execInvalidateCaches, decode.WBINVD: execInvalidateCaches,
	decode.INVLPG: execINVLPG, decode.INVPCID: execINVPCID,
	decode.WBNOINVD: execInvalidateCaches,
	decode.RDPKRU:   execRDPKRU, decode.WRPKRU: execWRPKRU,
	decode.CLAC: execCLAC, decode.STAC: execSTAC, decode.RDPID: execRDPID,
}

func init() {
	for op, h := range sysOps {
		handlers[op] = h
	}
	execMOVSystem, execPOPSeg = execMovSystem, execPopSeg
}

// execMovSystem is MOV with a segment, control or debug register.
func execMovSystem(c *CPU, in *decode.Inst) bool {
	switch in.Args[0].Kind {
	case decode.ArgSeg:
		return execMovToSeg(c, in)
	case decode.ArgCR:
		return execMovToCR(c, in)
	case decode.ArgDR:
		return execMovToDR(c, in)
	}
	switch in.Args[1].Kind {
	case decode.ArgCR:
		return execMovFromCR(c, in)
	case decode.ArgDR:
		return execMovFromDR(c, in)
	}
	return c.ud() // the 386's test registers
}
