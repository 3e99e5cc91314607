package cpu

import (
	"golang.org/x/arch/x86/x86asm"

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
var sysOps = map[x86asm.Op]handler{
	// Control registers and modes.
	x86asm.CLTS: execCLTS, x86asm.LMSW: execLMSW, x86asm.SMSW: execSMSW,

	// Descriptor tables and descriptors.
	x86asm.LGDT: execLGDT, x86asm.LIDT: execLIDT, x86asm.SGDT: execSGDT, x86asm.SIDT: execSIDT,
	x86asm.LLDT: execLLDT, x86asm.LTR: execLTR, x86asm.SLDT: execSLDT, x86asm.STR: execSTR,
	x86asm.LAR: execLAR, x86asm.LSL: execLSL, x86asm.VERR: execVERR, x86asm.VERW: execVERW,
	x86asm.ARPL: execARPL,

	// Segment loads and far transfers.
	x86asm.LDS: execLoadFar, x86asm.LES: execLoadFar, x86asm.LFS: execLoadFar,
	x86asm.LGS: execLoadFar, x86asm.LSS: execLoadFar,
	x86asm.LJMP: execJmpFar, x86asm.LCALL: execCallFar, x86asm.LRET: execRetFar,

	// Interrupts and waiting.
	x86asm.INT: execINT, x86asm.INTO: execINTO, x86asm.ICEBP: execINT1,
	x86asm.IRET: execIRET, x86asm.IRETD: execIRET, x86asm.IRETQ: execIRET,
	x86asm.HLT: execHLT,

	// Flags.
	x86asm.PUSHF: execPUSHF, x86asm.PUSHFD: execPUSHF, x86asm.PUSHFQ: execPUSHF,
	x86asm.POPF: execPOPF, x86asm.POPFD: execPOPF, x86asm.POPFQ: execPOPF,
	x86asm.CLI: execCLI, x86asm.STI: execSTI,

	// Ports.
	x86asm.IN: execIN, x86asm.OUT: execOUT,

	// Fast system calls and segment bases.
	x86asm.SYSCALL: execSYSCALL, x86asm.SYSRET: execSYSRET,
	x86asm.SYSENTER: execSYSENTER, x86asm.SYSEXIT: execSYSEXIT, x86asm.SWAPGS: execSWAPGS,
	x86asm.RDFSBASE: execRDFSBASE, x86asm.RDGSBASE: execRDFSBASE,
	x86asm.WRFSBASE: execWRFSBASE, x86asm.WRGSBASE: execWRFSBASE,

	// Identification, model-specific registers, counters.
	x86asm.CPUID: execCPUID, x86asm.RDMSR: execRDMSR, x86asm.WRMSR: execWRMSR,
	x86asm.RDTSC: execRDTSC, x86asm.RDTSCP: execRDTSCP, x86asm.RDPMC: execRDPMC,

	// Caches and translations.
	x86asm.INVD: execInvalidateCaches, x86asm.WBINVD: execInvalidateCaches,
	x86asm.INVLPG: execINVLPG, x86asm.INVPCID: execINVPCID,
}

func init() {
	for op, h := range sysOps {
		handlers[decode.FromX86asm(op)] = h
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
