package decode

import "golang.org/x/arch/x86/x86asm"

// Operations that x86asm does not know. VEX operations of x86asm end before OwnOps.
const (
	OwnOps = Op(x86asm.VZEROUPPER) + 1 + iota

	ADCX       // add with CF alone
	ADOX       // add with OF alone
	CLAC       // clear EFLAGS.AC
	CLFLUSHOPT // flush a cache line, weakly ordered
	CLRSSBSY   // mark a supervisor shadow stack free
	CLWB       // write a cache line back
	CLZERO     // zero a cache line (AMD)
	ENCLS      // SGX
	ENCLU      // SGX
	ENDBR32    // end an indirect branch, 32-bit
	ENDBR64    // end an indirect branch, 64-bit
	ENQCMD     // enqueue a command
	ENQCMDS    // enqueue a command, supervisor
	INCSSP     // pop the shadow stack
	INVEPT     // VMX
	INVVPID    // VMX
	INVLPGA    // SVM
	CLGI       // SVM
	MONITORX   // MONITOR at any level (AMD)
	MOVDIR64B  // store 64 bytes directly
	MOVDIRI    // store a word directly
	MWAITX     // MWAIT with a timer (AMD)
	PTWRITE    // write into a processor trace
	RDPID      // read the processor ID
	RDPKRU     // read PKRU
	RDPRU      // read a processor register (AMD)
	RDSEED     // random seed
	RDSSP      // read the shadow stack pointer
	SALC       // AL = CF ? FF : 0
	SERIALIZE  // serialise
	SKINIT     // SVM
	STAC       // set EFLAGS.AC
	STGI       // SVM
	TPAUSE     // timed pause
	UMONITOR   // user MONITOR
	UMWAIT     // user MWAIT
	VMCALL     // VMX
	VMCLEAR    // VMX
	VMLAUNCH   // VMX
	VMLOAD     // SVM
	VMMCALL    // SVM
	VMPTRLD    // VMX
	VMPTRST    // VMX
	VMREAD     // VMX
	VMRESUME   // VMX
	VMRUN      // SVM
	VMSAVE     // SVM
	VMWRITE    // VMX
	VMXOFF     // VMX
	VMXON      // VMX
	WBNOINVD   // write back without invalidating
	WRPKRU     // write PKRU

	numOps
)

// NumOps is one more than the largest Op: the size of a table indexed by Op.
const NumOps = int(numOps)

var ownNames = [numOps - OwnOps]string{
	ADCX - OwnOps: "ADCX", ADOX - OwnOps: "ADOX", CLAC - OwnOps: "CLAC", CLFLUSHOPT - OwnOps: "CLFLUSHOPT",
	CLRSSBSY - OwnOps: "CLRSSBSY", CLWB - OwnOps: "CLWB", CLZERO - OwnOps: "CLZERO", ENCLS - OwnOps: "ENCLS",
	ENCLU - OwnOps: "ENCLU", ENDBR32 - OwnOps: "ENDBR32", ENDBR64 - OwnOps: "ENDBR64", ENQCMD - OwnOps: "ENQCMD",
	ENQCMDS - OwnOps: "ENQCMDS", INCSSP - OwnOps: "INCSSP", INVEPT - OwnOps: "INVEPT", INVVPID - OwnOps: "INVVPID",
	INVLPGA - OwnOps: "INVLPGA", CLGI - OwnOps: "CLGI", MONITORX - OwnOps: "MONITORX", MOVDIR64B - OwnOps: "MOVDIR64B",
	MOVDIRI - OwnOps: "MOVDIRI", MWAITX - OwnOps: "MWAITX", PTWRITE - OwnOps: "PTWRITE", RDPID - OwnOps: "RDPID",
	RDPKRU - OwnOps: "RDPKRU", RDPRU - OwnOps: "RDPRU", RDSEED - OwnOps: "RDSEED", RDSSP - OwnOps: "RDSSP",
	SALC - OwnOps: "SALC", SERIALIZE - OwnOps: "SERIALIZE", SKINIT - OwnOps: "SKINIT", STAC - OwnOps: "STAC",
	STGI - OwnOps: "STGI", TPAUSE - OwnOps: "TPAUSE", UMONITOR - OwnOps: "UMONITOR", UMWAIT - OwnOps: "UMWAIT",
	VMCALL - OwnOps: "VMCALL", VMCLEAR - OwnOps: "VMCLEAR", VMLAUNCH - OwnOps: "VMLAUNCH", VMLOAD - OwnOps: "VMLOAD",
	VMMCALL - OwnOps: "VMMCALL", VMPTRLD - OwnOps: "VMPTRLD", VMPTRST - OwnOps: "VMPTRST", VMREAD - OwnOps: "VMREAD",
	VMRESUME - OwnOps: "VMRESUME", VMRUN - OwnOps: "VMRUN", VMSAVE - OwnOps: "VMSAVE", VMWRITE - OwnOps: "VMWRITE",
	VMXOFF - OwnOps: "VMXOFF", VMXON - OwnOps: "VMXON", WBNOINVD - OwnOps: "WBNOINVD", WRPKRU - OwnOps: "WRPKRU",
}

// String is the manual's mnemonic in capitals; x86asm's where two operations
// share one (MOVSD and MOVSD_XMM).
func (op Op) String() string {
	switch {
	case op == 0:
		return "(bad)"
	case op > OwnOps && op < numOps:
		return ownNames[op-OwnOps]
	}
	return x86asm.Op(op).String()
}
