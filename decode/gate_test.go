package decode

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFeatures takes one feature away from a processor that has them all.
func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		mode        Mode
		lacks       Feature
		want        Op // 0: undefined
	}{
		{"LZCNT is BSR", "f30fbdc1", Mode32, FeatLZCNT, BSR},
		{"TZCNT is BSF", "f3480fbcc1", Mode64, FeatBMI1, BSF},
		{"PAUSE is NOP", "f390", Mode32, FeatSSE2, NOP},
		{"ENDBR64 is NOP", "f30f1efa", Mode64, FeatCET, NOP},
		{"ENDBR32 is NOP", "f30f1efb", Mode32, FeatCET, NOP},
		{"RDSSP is NOP", "f3480f1ec8", Mode64, FeatCET, NOP},
		{"INCSSP", "f30faee8", Mode64, FeatCET, 0},
		{"PREFETCHT0 is NOP on a P6", "0f1808", Mode32, FeatSSE, NOP},
		{"0F 18 before the P6", "0f1808", Mode32, FeatSSE | FeatP6, 0},
		{"multi-byte NOP before the P6", "0f1f00", Mode32, FeatP6, 0},
		{"0F 19 before the P6", "0f1900", Mode32, FeatP6, 0},
		{"PREFETCHW is NOP on a 64-bit processor", "0f0d08", Mode64, FeatPREFETCHW, NOP},
		{"0F 0D before", "0f0d08", Mode32, FeatPREFETCHW | FeatLM, 0},
		{"WBNOINVD is WBINVD", "f30f09", Mode32, FeatWBNOINVD, WBINVD},
		{"BSWAP", "0fc8", Mode32, FeatI486, 0},
		{"XADD", "0fc101", Mode32, FeatI486, 0},
		{"CMPXCHG", "0fb101", Mode32, FeatI486, 0},
		{"INVLPG", "0f0138", Mode32, FeatI486, 0},
		{"WBINVD", "0f09", Mode32, FeatI486, 0},
		{"INVD", "0f08", Mode32, FeatI486, 0},
		{"CPUID", "0fa2", Mode32, FeatCPUID, 0},
		{"MOV to CR4", "0f22e0", Mode32, FeatCPUID, 0},
		{"MOV from CR3 needs nothing", "0f20d8", Mode32, FeatCPUID, MOV},
		{"CR8", "440f20c0", Mode64, FeatLM, 0},
		{"RDTSC", "0f31", Mode32, FeatTSC, 0},
		{"RDMSR", "0f32", Mode32, FeatMSR, 0},
		{"RDPMC", "0f33", Mode32, FeatP6, 0},
		{"CMPXCHG8B", "0fc708", Mode32, FeatCX8, 0},
		{"CMPXCHG16B", "480fc708", Mode64, FeatCX16, 0},
		{"CMPXCHG8B without CX16", "0fc708", Mode64, FeatCX16, CMPXCHG8B},
		{"CMOV", "0f44c1", Mode32, FeatCMOV, 0},
		{"FCMOV", "dac1", Mode32, FeatCMOV, 0},
		{"FCOMI", "dbf1", Mode32, FeatCMOV, 0},
		{"ESC without a coprocessor is for CR0", "d8c1", Mode32, FeatFPU, FADD},
		{"SYSENTER", "0f34", Mode32, FeatSEP, 0},
		{"SYSCALL", "0f05", Mode64, FeatSYSCALL, 0},
		{"FXSAVE", "0fae00", Mode32, FeatFXSR, 0},
		{"SFENCE", "0faef8", Mode32, FeatSSE, 0},
		{"LFENCE", "0faee8", Mode32, FeatSSE2, 0},
		{"MOVNTI", "0fc300", Mode32, FeatSSE2, 0},
		{"CLFLUSH", "0fae38", Mode32, FeatCLFLUSH, 0},
		{"CLFLUSHOPT", "660fae38", Mode32, FeatCLFLUSHOPT, 0},
		{"CLWB", "660fae30", Mode32, FeatCLWB, 0},
		{"MONITOR", "0f01c8", Mode32, FeatMONITOR, 0},
		{"LAHF in 64-bit mode", "9f", Mode64, FeatLAHF64, 0},
		{"LAHF elsewhere", "9f", Mode32, FeatLAHF64, LAHF},
		{"MOVBE", "0f38f000", Mode32, FeatMOVBE, 0},
		{"POPCNT", "f30fb8c1", Mode32, FeatPOPCNT, 0},
		{"CRC32", "f20f38f0c1", Mode32, FeatSSE42, 0},
		{"ADCX", "660f38f6c1", Mode32, FeatADX, 0},
		{"RDRAND", "0fc7f0", Mode32, FeatRDRAND, 0},
		{"RDSEED", "0fc7f8", Mode32, FeatRDSEED, 0},
		{"RDPID", "f30fc7f8", Mode64, FeatRDPID, 0},
		{"RDTSCP", "0f01f9", Mode64, FeatRDTSCP, 0},
		{"RDFSBASE", "f30faec0", Mode64, FeatFSGSBASE, 0},
		{"CLAC", "0f01ca", Mode32, FeatSMAP, 0},
		{"INVPCID", "660f388200", Mode32, FeatINVPCID, 0},
		{"RDPKRU", "0f01ee", Mode32, FeatPKU, 0},
		{"XGETBV", "0f01d0", Mode32, FeatXSAVE, 0},
		{"XSAVEOPT", "0fae30", Mode32, FeatXSAVEOPT, 0},
		{"SWAPGS", "0f01f8", Mode64, FeatLM, 0},
		{"VMCALL", "0f01c1", Mode32, FeatVMX, 0},
		{"VMMCALL", "0f01d9", Mode32, FeatSVM, 0},
		{"MMX", "0ffcc1", Mode32, FeatMMX, 0},
		{"MMX of SSE", "0fe0c1", Mode32, FeatSSE, 0},
		{"MMX of SSE2", "0fd4c1", Mode32, FeatSSE2, 0},
		{"SSE", "0f58c1", Mode32, FeatSSE, 0},
		{"SSE scalar", "f30f58c1", Mode32, FeatSSE, 0},
		{"SSE2", "660f58c1", Mode32, FeatSSE2, 0},
		{"SSE2 integer", "660ffcc1", Mode32, FeatSSE2, 0},
		{"SSE2 on a processor without MMX's bit", "660ffcc1", Mode32, FeatMMX, PADDB},
		{"SSE3", "f30f12c1", Mode32, FeatSSE3, 0},
		{"FISTTP", "db08", Mode32, FeatSSE3, 0},
		{"SSSE3", "0f3800c1", Mode32, FeatSSSE3, 0},
		{"SSE4.1", "660f3817c1", Mode32, FeatSSE41, 0},
		{"SSE4.2", "660f3837c1", Mode32, FeatSSE42, 0},
		{"AES", "660f38dcc1", Mode32, FeatAES, 0},
		{"PCLMULQDQ", "660f3a44c100", Mode32, FeatPCLMULQDQ, 0},
		{"SHA", "0f38c8c1", Mode32, FeatSHA, 0},
		{"TSX", "0f01d5", Mode32, FeatRTM, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := padded(unhex(t, c.bytes))
			var in Inst
			all := Decoder{Features: FeatAll}
			assert.Equal(t, OK, all.Decode(&in, b, c.mode), "with all features")
			assert.Equal(t, len(c.bytes)/2, int(in.Len))
			d := Decoder{Features: FeatAll &^ c.lacks}
			st := d.Decode(&in, b, c.mode)
			assert.Equal(t, c.want, in.Op)
			assert.Equal(t, c.want == 0, st == Undef)
			assert.Equal(t, len(c.bytes)/2, int(in.Len))
		})
	}
}

// TestThe386 checks what a processor without any feature keeps.
func TestThe386(t *testing.T) {
	var d Decoder
	for _, c := range []struct {
		bytes string
		want  Op
	}{
		{"0f0b", UD2}, {"0fb6c1", MOVZX}, {"0fa4c101", SHLD}, {"0fbcc1", BSF}, {"f30fbcc1", BSF}, {"f390", NOP}, {"d6", SALC},
		{"f1", ICEBP}, {"0f0000", SLDT}, {"0f01e0", SMSW}, {"0f20c0", MOV}, {"0f21f8", MOV}, {"0f06", CLTS}, {"9b", FWAIT},
		{"0f94c0", SETE}, {"0fb200", LSS}, {"82c001", ADD}, {"f30f1efa", 0}, {"0fa2", 0}, {"0f20e0", 0}, {"0f3100", 0},
	} {
		var in Inst
		d.Decode(&in, padded(unhex(t, c.bytes)), Mode32)
		assert.Equal(t, c.want, in.Op, c.bytes)
	}
}
