package decode

// Feature is a set of instruction-set features of a CPU model. The zero set
// is a 386 without a coprocessor.
type Feature uint64

const (
	FeatI486       Feature = 1 << iota // BSWAP, XADD, CMPXCHG, INVLPG, INVD, WBINVD
	FeatCPUID                          // CPUID, CR4
	FeatTSC                            // RDTSC
	FeatMSR                            // RDMSR, WRMSR
	FeatCX8                            // CMPXCHG8B
	FeatP6                             // multi-byte NOP, RDPMC
	FeatCMOV                           // CMOVcc, FCMOVcc, FCOMI
	FeatSEP                            // SYSENTER, SYSEXIT
	FeatSYSCALL                        // SYSCALL, SYSRET (in 64-bit mode)
	FeatFXSR                           // FXSAVE, FXRSTOR
	FeatSSE                            // SSE, PREFETCHh, SFENCE
	FeatSSE2                           // SSE2, LFENCE, MFENCE, MOVNTI, PAUSE
	FeatCLFLUSH                        // CLFLUSH
	FeatCLFLUSHOPT                     // CLFLUSHOPT
	FeatCLWB                           // CLWB
	FeatMONITOR                        // MONITOR, MWAIT
	FeatCX16                           // CMPXCHG16B
	FeatLAHF64                         // LAHF, SAHF in 64-bit mode
	FeatMOVBE                          // MOVBE
	FeatPOPCNT                         // POPCNT
	FeatSSE42                          // SSE4.2, CRC32
	FeatLZCNT                          // LZCNT, else BSR
	FeatBMI1                           // TZCNT, else BSF
	FeatADX                            // ADCX, ADOX
	FeatRDRAND                         // RDRAND
	FeatRDSEED                         // RDSEED
	FeatRDPID                          // RDPID
	FeatRDTSCP                         // RDTSCP
	FeatFSGSBASE                       // RDFSBASE and its kin
	FeatSMAP                           // CLAC, STAC
	FeatINVPCID                        // INVPCID
	FeatPKU                            // RDPKRU, WRPKRU
	FeatXSAVE                          // XSAVE, XRSTOR, XGETBV, XSETBV
	FeatPREFETCHW                      // PREFETCHW; the rest of 0F 0D is a NOP
	FeatLM                             // 64-bit mode: SWAPGS, CR8
	FeatMMX                            // MMX
	FeatSSE3                           // SSE3, FISTTP
	FeatSSSE3                          // SSSE3
	FeatSSE41                          // SSE4.1
	FeatAES                            // AESENC and its kin
	FeatPCLMULQDQ                      // PCLMULQDQ
	FeatSHA                            // SHA1 and SHA256 steps
	FeatXSAVEOPT                       // XSAVEOPT
	FeatXSAVEC                         // XSAVEC
	FeatXSAVES                         // XSAVES, XRSTORS
	FeatRTM                            // XBEGIN, XEND, XABORT, XTEST
	FeatCET                            // ENDBR, RDSSP, INCSSP, else NOP or undefined
	FeatSERIALIZE                      // SERIALIZE
	FeatMOVDIRI                        // MOVDIRI
	FeatMOVDIR64B                      // MOVDIR64B
	FeatENQCMD                         // ENQCMD, ENQCMDS
	FeatWAITPKG                        // UMONITOR, UMWAIT, TPAUSE
	FeatPTWRITE                        // PTWRITE
	FeatWBNOINVD                       // WBNOINVD, else WBINVD
	FeatSGX                            // ENCLS, ENCLU
	FeatVMX                            // VMCALL and its kin
	FeatSVM                            // VMMCALL and its kin
	FeatMONITORX                       // MONITORX, MWAITX
	FeatCLZERO                         // CLZERO
	FeatRDPRU                          // RDPRU

	// FeatFPU says that there is a coprocessor. It gates nothing here: without
	// one an ESC instruction is #NM or does nothing, by CR0, and never #UD.
	FeatFPU

	featEnd
)

// FeatAll has every feature: for a disassembler.
const FeatAll = featEnd - 1
