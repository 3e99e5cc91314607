package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

const (
	nonCanonical = 0x8000_0000_0000_0000
	high48       = 0xffff_8000_0000_0000
	high57       = 0xff00_0000_0000_0000
)

func TestWRMSR(t *testing.T) {
	tests := []struct {
		name  string
		model string
		msr   uint32
		v     uint64
		fault *idt.Event
		want  uint64 // read back, if no fault
	}{
		{"unknown MSR", "max", 0x12345678, 0, faultGP0, 0},
		{"LSTAR", "max", msrLSTAR, high48 | 1, nil, high48 | 1},
		{"LSTAR not canonical", "max", msrLSTAR, nonCanonical, faultGP0, 0},
		{"LSTAR takes 57 bits with four levels on a processor with LA57", "max", msrLSTAR, high57, nil, high57},
		{"LSTAR takes 48 bits on a processor without LA57", "core2", msrLSTAR, high57, faultGP0, 0},
		{"STAR", "max", msrSTAR, ^uint64(0), nil, ^uint64(0)},
		{"CSTAR not canonical", "max", msrCSTAR, nonCanonical, faultGP0, 0},
		{"SFMASK upper half", "max", msrSFMASK, 1 << 32, faultGP0, 0},
		{"FSBASE", "max", msrFSBase, high48, nil, high48},
		{"FSBASE not canonical", "max", msrFSBase, nonCanonical, faultGP0, 0},
		{"KERNEL_GS_BASE not canonical", "max", msrKernelGSBase, nonCanonical, faultGP0, 0},
		{"SYSENTER_EIP not canonical", "max", msrSysenterEIP, nonCanonical, faultGP0, 0},
		{"SYSENTER_ESP on a 32-bit processor", "pentium3", msrSysenterESP, 0x12345678, nil, 0x12345678},
		{"no SYSENTER MSRs before SEP", "pentium", msrSysenterCS, 8, faultGP0, 0},
		{"no EFER before NX and long mode", "pentium3", msrEFER, 0, faultGP0, 0},
		{"EFER reserved bit", "max", msrEFER, 1 << 1, faultGP0, 0},
		{"EFER.LME with paging on", "max", msrEFER, mmu.EFERSCE, faultGP0, 0},
		{"EFER.LMA is not written", "max", msrEFER, mmu.EFERLME | mmu.EFERNXE, nil, mmu.EFERLME | mmu.EFERLMA | mmu.EFERNXE},
		{"TSC_AUX", "max", msrTSCAux, 7, nil, 7},
		{"TSC_AUX upper half", "max", msrTSCAux, 1 << 32, faultGP0, 0},
		{"no TSC_AUX without RDTSCP", "core2", msrTSCAux, 7, faultGP0, 0},
		{"PAT", "max", msrPAT, 0x0007010600070106, nil, 0x0007010600070106},
		{"PAT with a reserved type", "max", msrPAT, 0x02, faultGP0, 0},
		{"MTRRCAP is read only", "max", msrMTRRCap, 0, faultGP0, 0},
		{"MTRR default type", "max", msrMTRRDefType, 0xc06, nil, 0xc06},
		{"MTRR default type reserved", "max", msrMTRRDefType, 0xc07, faultGP0, 0},
		{"MTRR default type reserved bit", "max", msrMTRRDefType, 1 << 8, faultGP0, 0},
		{"MTRR base", "max", msrMTRRPhys0 + 2, 0xff_fffff006, nil, 0xff_fffff006},
		{"MTRR base with reserved type", "max", msrMTRRPhys0 + 2, 2, faultGP0, 0},
		{"MTRR base above MAXPHYADDR", "max", msrMTRRPhys0 + 2, 1<<40 | 6, faultGP0, 0},
		{"MTRR mask", "max", msrMTRRPhys0 + 3, 0xff_80000800, nil, 0xff_80000800},
		{"MTRR mask reserved bit", "max", msrMTRRPhys0 + 3, 1, faultGP0, 0},
		{"fixed MTRR", "max", msrMTRRFix4K + 7, 0x0606060606060606, nil, 0x0606060606060606},
		{"fixed MTRR with reserved type", "max", msrMTRRFix16K + 1, 0x0600060606060307, faultGP0, 0},
		{"a hole between the fixed MTRRs", "max", msrMTRRFix64K + 1, 0, faultGP0, 0},
		{"microcode revision write is passed over", "max", msrBIOSSign, 0, nil, microcode << 32},
		{"APIC base, no APIC to enable", "max", msrAPICBase, 0xfee00800, faultGP0, 0},
		{"MISC_ENABLE keeps what cannot be changed", "max", msrMiscEnable, 0, nil, miscBTSUnavail | miscPEBSUnavail},
		{"ARCH_CAPABILITIES is read only", "max", msrArchCaps, 0, faultGP0, 0},
		{"MCG_STATUS takes zero", "max", msrMCGStatus, 0, nil, 0},
		{"MCG_STATUS takes nothing else", "max", msrMCGStatus, 1, faultGP0, 0},
		{"DEBUGCTL reserved bit", "max", msrDebugCtl, 1 << 2, faultGP0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mode := "pm32"
			if m := model(t, tt.model); m.has(decode.FeatLM) {
				mode = "long"
			}
			c := newTestModel(t, tt.model, mode)
			c.r[rCX] = uint64(tt.msr)
			c.r[rAX], c.r[rDX] = 0xffffffff<<32|tt.v&0xffffffff, tt.v>>32
			at := c.ip
			c.requireFault(tt.fault, c.exec1("0f 30"), at)
			if tt.fault == nil {
				c.mustExec("0f 32")
				assert.Equal(t, tt.want, c.r[rDX]<<32|c.r[rAX], "read back")
			}
		})
	}
}

func TestMSRPrivilege(t *testing.T) {
	for _, code := range []string{"0f 30", "0f 32"} {
		c := newTestCPU(t, "long").user()
		c.r[rCX] = msrLSTAR
		c.requireFault(faultGP0, c.exec1(code), c.ip)
	}
	c := newTestModel(t, "486", "pm32")
	c.requireFault(faultUD, c.exec1("0f 32"), c.ip)
}

// TestXDDisable: with IA32_MISC_ENABLE bit 34 set CPUID hides NX, and EFER.NXE is reserved.
func TestXDDisable(t *testing.T) {
	c := newTestCPU(t, "long")
	require.True(t, c.writeMSR(msrMiscEnable, miscXDDisable))
	assert.Zero(t, c.cpuid(0x80000001, 0)[edx]>>20&1)
	assert.False(t, c.writeMSR(msrEFER, c.mmu.Ctl.EFER|mmu.EFERNXE))
}

func TestCPUIDFollowsState(t *testing.T) {
	c := newTestCPU(t, "long")
	c.r[rAX], c.r[rCX] = 0xffffffff_80000001, 0
	c.mustExec("0f a2")
	assert.Equal(t, uint64(1), c.r[rDX]>>11&1, "SYSCALL is reported in 64-bit mode")
	assert.Zero(t, c.r[rBX]>>32)
	assert.Zero(t, c.cpuid(7, 0)[ecx]>>4&1, "OSPKE")
	c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4PKE)
	assert.Equal(t, uint32(1), c.cpuid(7, 0)[ecx]>>4&1, "OSPKE follows CR4.PKE")
	require.True(t, c.writeMSR(msrMiscEnable, miscLimitCPUID))
	assert.Equal(t, uint32(2), c.cpuid(0, 0)[eax], "limited to leaf 2")
	assert.Zero(t, c.cpuid(1, 0)[ecx]>>3&1, "MONITOR switched off")

	assert.Zero(t, newTestCPU(t, "compat").cpuid(0x80000001, 0)[edx]>>11&1, "and in no other")
}

func TestTSC(t *testing.T) {
	c := newTestCPU(t, "long")
	c.s.Ticks = 0x1_0000_0005
	c.r[rAX], c.r[rDX] = ^uint64(0), ^uint64(0)
	c.mustExec("0f 31")
	assert.Equal(t, [2]uint64{5, 1}, [2]uint64{c.r[rAX], c.r[rDX]})
	require.True(t, c.writeMSR(msrTSC, 100))
	c.s.Ticks += 11
	c.s.MSR.TSCAux = 3
	c.mustExec("0f 01 f9")
	assert.Equal(t, [3]uint64{111, 0, 3}, [3]uint64{c.r[rAX], c.r[rDX], c.r[rCX]}, "rdtscp")
	c.mustExec("f3 0f c7 f8")
	assert.Equal(t, uint64(3), c.r[rAX], "rdpid")

	c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4TSD)
	c.mustExec("0f 31")
	c.user()
	c.requireFault(faultGP0, c.exec1("0f 31"), c.ip)
	c.requireFault(faultGP0, c.exec1("0f 01 f9"), c.ip)
	c.requireFault(faultGP0, c.exec1("0f 33"), c.ip)
}

// TestEveryMSR reads and writes all numbers where MSRs are found, on every
// model: what was written and accepted reads back, and nothing else happens.
func TestEveryMSR(t *testing.T) {
	for _, m := range models {
		c := newTestModel(t, m.Name, "pm32")
		for _, r := range [][2]uint32{{0, 0x1000}, {0xc0000000, 0xc0000200}, {0xffffffff, 0xffffffff}} {
			for n := r[0]; ; n++ {
				v, ok := c.readMSR(n)
				assert.Equal(t, ok || n == msrBIOSUpdate && m.is(traitP6), m.msrExists(n), "%s: MSR %xh", m.Name, n)
				if ok && c.writeMSR(n, v) {
					again, _ := c.readMSR(n)
					assert.Equal(t, v, again, "%s: MSR %xh", m.Name, n)
				}
				c.writeMSR(n, ^uint64(0))
				if n == r[1] {
					break
				}
			}
		}
	}
}
