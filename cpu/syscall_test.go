package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

const (
	sysBase = 0x28 // STAR's base of SYSRET: user code32, data, code64
	entry   = 0xa000
)

// newSyscallCPU is in 64-bit user code, with the system's entry set up.
func newSyscallCPU(t testing.TB) *testCPU {
	c := newTestCPU(t, "long")
	c.s.MSR.STAR = sysBase<<48 | selCode64<<32
	c.s.MSR.LSTAR = entry
	c.s.MSR.SFMASK = idt.FlagIF | idt.FlagDF
	return c.user()
}

func TestSYSCALL(t *testing.T) {
	c := newSyscallCPU(t)
	c.setFlags(c.flags() | idt.FlagIF | idt.FlagCF)
	c.mustExec("0f 05")
	assert.Equal(t, uint64(entry), c.ip)
	assert.Equal(t, uint64(testCode+2), c.r[rCX])
	assert.Equal(t, uint64(idt.Flag1|idt.FlagIF|idt.FlagCF), c.r[r11])
	assert.Equal(t, uint64(idt.Flag1|idt.FlagCF), c.flags(), "masked with SFMASK")
	assert.Equal(t, uint8(0), c.s.CPL)
	assert.Equal(t, idt.Segment{Sel: selCode64, Attr: flatCode64, Limit: 0xffffffff}, c.s.Seg[decode.CS])
	assert.Equal(t, idt.Segment{Sel: selData, Attr: flatStack, Limit: 0xffffffff}, c.s.Seg[decode.SS])

	c.mustExec("48 0f 07")
	assert.Equal(t, uint64(testCode+2), c.ip)
	assert.Equal(t, uint8(3), c.s.CPL)
	assert.Equal(t, idt.Segment{Sel: selUser64, Attr: flatCode64 | 3<<5, Limit: 0xffffffff}, c.s.Seg[decode.CS])
	assert.Equal(t, idt.Segment{Sel: selUserDat, Attr: flatStack | 3<<5, Limit: 0xffffffff}, c.s.Seg[decode.SS])
	assert.Equal(t, uint64(idt.Flag1|idt.FlagIF|idt.FlagCF), c.flags())
}

func TestSYSRETToCompatibilityMode(t *testing.T) {
	c := newSyscallCPU(t)
	c.mustExec("0f 05")
	c.r[rCX], c.r[r11] = 0xffff_ffff_0000_8000, idt.FlagRF|idt.FlagVM|idt.FlagZF
	c.mustExec("0f 07")
	assert.Equal(t, uint64(0x8000), c.ip)
	assert.Equal(t, uint16(selUser32), c.s.Seg[decode.CS].Sel)
	assert.Equal(t, decode.Mode32, c.mode)
	assert.Equal(t, uint64(idt.Flag1|idt.FlagZF), c.flags(), "RF and VM cleared")
}

func TestFastCallFaults(t *testing.T) {
	noSCE := func(c *testCPU) { c.mmu.SetEFER(c.mmu.Ctl.EFER &^ mmu.EFERSCE) }
	enter := func(c *testCPU) { c.s.MSR.SysenterCS = 8 }
	tests := []struct {
		name  string
		model string
		mode  string
		setup func(c *testCPU)
		code  string
		fault *idt.Event
	}{
		{"SYSCALL without SCE", "max", "long", noSCE, "0f 05", faultUD},
		{"SYSCALL in compatibility mode", "max", "compat", nil, "0f 05", faultUD},
		{"SYSCALL in protected mode", "max", "pm32", nil, "0f 05", faultUD},
		{"SYSRET without SCE at CPL 3", "max", "long", func(c *testCPU) { noSCE(c); c.user() }, "0f 07", faultUD},
		{"SYSRET at CPL 3", "max", "long", func(c *testCPU) { c.user() }, "48 0f 07", faultGP0},
		{"SYSRET to a non-canonical address, at CPL 0", "max", "long", func(c *testCPU) { c.r[rCX] = nonCanonical }, "48 0f 07", faultGP0},
		{"SYSENTER in real mode", "max", "real", enter, "0f 34", faultGP0},
		{"SYSENTER with null CS", "max", "pm32", func(c *testCPU) { c.s.MSR.SysenterCS = 3 }, "0f 34", faultGP0},
		{"SYSENTER on a model without SEP", "pentium", "pm32", enter, "0f 34", faultUD},
		{"SYSEXIT with null CS", "max", "pm32", nil, "0f 35", faultGP0},
		{"SYSEXIT at CPL 3", "max", "pm32", func(c *testCPU) { enter(c); c.user() }, "0f 35", faultGP0},
		{"SYSEXIT in real mode", "max", "real", enter, "0f 35", faultGP0},
		{"SYSEXIT to a non-canonical address", "max", "long", func(c *testCPU) { enter(c); c.r[rDX] = nonCanonical }, "48 0f 35", faultGP0},
		{"SYSEXIT to a non-canonical stack", "max", "long", func(c *testCPU) { enter(c); c.r[rCX] = nonCanonical }, "48 0f 35", faultGP0},
		{"SWAPGS at CPL 3", "max", "long", func(c *testCPU) { c.user() }, "0f 01 f8", faultGP0},
		{"SWAPGS outside 64-bit mode", "max", "compat", nil, "0f 01 f8", faultUD},
		{"RDFSBASE without CR4.FSGSBASE", "max", "long", nil, "f3 48 0f ae c0", faultUD},
		{"WRGSBASE not canonical", "max", "long", func(c *testCPU) { c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4FSGSBASE); c.r[rAX] = nonCanonical }, "f3 48 0f ae d8", faultGP0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestModel(t, tt.model, tt.mode)
			if tt.setup != nil {
				tt.setup(c)
				c.modeChanged()
			}
			before := c.State()
			at := c.ip
			c.requireFault(tt.fault, c.exec1(tt.code), at)
			assert.Equal(t, before, c.State(), "a fault changes nothing")
		})
	}
}

func TestSYSENTER(t *testing.T) {
	for _, mode := range []string{"pm32", "compat", "long"} {
		t.Run(mode, func(t *testing.T) {
			c := newTestCPU(t, mode).user()
			m := &c.s.MSR
			m.SysenterCS, m.SysenterESP, m.SysenterEIP = 8, 0xffff8000_00007000, 0xffff8000_0000a000
			c.setFlags(c.flags() | idt.FlagIF)
			c.mustExec("0f 34")
			assert.Equal(t, uint8(0), c.s.CPL)
			assert.Zero(t, c.flags()&idt.FlagIF)
			assert.Equal(t, uint16(8), c.s.Seg[decode.CS].Sel)
			assert.Equal(t, uint16(16), c.s.Seg[decode.SS].Sel)
			if mode == "pm32" {
				assert.Equal(t, [2]uint64{0xa000, 0x7000}, [2]uint64{c.ip, c.r[rSP]})
				assert.Equal(t, decode.Mode32, c.mode)
			} else {
				assert.Equal(t, [2]uint64{m.SysenterEIP, m.SysenterESP}, [2]uint64{c.ip, c.r[rSP]})
				assert.Equal(t, decode.Mode64, c.mode)
			}
		})
	}
}

func TestSYSEXIT(t *testing.T) {
	tests := []struct {
		name, mode, code string
		cs, ss           uint16
		mode2            decode.Mode
		ip, sp           uint64
	}{
		{"32-bit", "pm32", "0f 35", 0x1b, 0x23, decode.Mode32, 0x8100, 0x6000},
		{"to compatibility mode", "long", "0f 35", 0x1b, 0x23, decode.Mode32, 0x8100, 0x6000},
		{"to 64-bit mode", "long", "48 0f 35", 0x2b, 0x33, decode.Mode64, 0x7fff_0000_8100, 0x7fff_0000_6000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			c.s.MSR.SysenterCS = 8
			c.r[rDX], c.r[rCX] = 0x7fff_0000_8100, 0x7fff_0000_6000
			c.mustExec(tt.code)
			assert.Equal(t, uint8(3), c.s.CPL)
			assert.Equal(t, tt.cs, c.s.Seg[decode.CS].Sel)
			assert.Equal(t, tt.ss, c.s.Seg[decode.SS].Sel)
			assert.Equal(t, tt.mode2, c.mode)
			assert.Equal(t, [2]uint64{tt.ip, tt.sp}, [2]uint64{c.ip, c.r[rSP]})
		})
	}
}

func TestSegmentBases(t *testing.T) {
	c := newTestCPU(t, "long")
	c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4FSGSBASE)
	c.s.Seg[decode.GS].Base, c.s.MSR.KernelGSBase = 0x1111, high48
	c.mustExec("0f 01 f8")
	assert.Equal(t, [2]uint64{high48, 0x1111}, [2]uint64{c.s.Seg[decode.GS].Base, c.s.MSR.KernelGSBase})
	c.mustExec("f3 48 0f ae c8") // rdgsbase rax
	assert.Equal(t, uint64(high48), c.r[rAX])
	c.r[rBX] = 0xffffffff_12345678
	c.mustExec("f3 0f ae d3") // wrfsbase ebx
	assert.Equal(t, uint64(0x12345678), c.s.Seg[decode.FS].Base)
	c.mustExec("f3 0f ae c1") // rdfsbase ecx
	assert.Equal(t, uint64(0x12345678), c.r[rCX])
}

// BenchmarkSyscall is a round trip of SYSCALL, SWAPGS twice and SYSRET, by handlers alone.
func BenchmarkSyscall(b *testing.B) {
	c := newSyscallCPU(b)
	call := decode.Inst{Op: decode.SYSCALL}
	ret := decode.Inst{Op: decode.SYSRET, Prefix: decode.PrefixREX | decode.PrefixRexW}
	swap := decode.Inst{Op: decode.SWAPGS}
	b.ReportAllocs()
	for b.Loop() {
		if !execSYSCALL(c.CPU, &call) || !execSWAPGS(c.CPU, &swap) || !execSWAPGS(c.CPU, &swap) || !execSYSRET(c.CPU, &ret) {
			b.Fatal("fault")
		}
	}
}

// BenchmarkRing is the same round trip through the run loop, with a jump.
func BenchmarkRing(b *testing.B) {
	c := newSyscallCPU(b)
	c.write("0f 05 eb fc") // syscall; jmp
	user := c.ip
	c.ip = entry
	c.write("48 0f 07") // sysretq
	c.ip = user
	b.ReportAllocs()
	b.ResetTimer()
	c.Run(3 * uint64(b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mtrips/s")
}
