package decode

// Decoder decodes for one CPU model. It is a plain value and may be copied;
// the table of learned forms behind it is shared and safe for concurrent use.
type Decoder struct {
	// Features of the model. An instruction whose feature is missing is
	// Undef, or takes its older meaning.
	Features Feature
}

// Feature is a set of instruction-set features of a CPU model.
type Feature uint64

const (
	FeatI486       Feature = 1 << iota // BSWAP, XADD, CMPXCHG, INVLPG, INVD, WBINVD
	FeatCPUID                          // CPUID
	FeatTSC                            // RDTSC
	FeatMSR                            // RDMSR, WRMSR
	FeatCX8                            // CMPXCHG8B
	FeatP6                             // UD2 documented, multi-byte NOP, RDPMC
	FeatCMOV                           // CMOVcc
	FeatSEP                            // SYSENTER, SYSEXIT
	FeatSYSCALL                        // SYSCALL, SYSRET (in 64-bit mode)
	FeatFXSR                           // FXSAVE, FXRSTOR
	FeatSSE                            // PREFETCHh, SFENCE
	FeatSSE2                           // LFENCE, MFENCE, MOVNTI
	FeatCLFLUSH                        // CLFLUSH
	FeatCLFLUSHOPT                     // CLFLUSHOPT
	FeatCLWB                           // CLWB
	FeatMONITOR                        // MONITOR, MWAIT
	FeatCX16                           // CMPXCHG16B
	FeatLAHF64                         // LAHF, SAHF in 64-bit mode
	FeatMOVBE                          // MOVBE
	FeatPOPCNT                         // POPCNT
	FeatSSE42                          // CRC32
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
	FeatXSAVE                          // XSAVE family, XGETBV, XSETBV
	FeatPREFETCHW                      // 0F 0D
	FeatLM                             // SWAPGS and the other 64-bit system instructions
)
