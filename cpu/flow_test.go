package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// redirect puts the software interrupt redirection bitmap below an I/O map at
// 100h, the bits of all vectors set but those given.
func (c *testCPU) redirect(to8086 ...uint8) {
	c.setIOMap(0x100)
	for i := range mmu.Phys(32) {
		c.mmu.Mem.Write(testTSS+0xe0+i, 1, 0xff)
	}
	for _, v := range to8086 {
		at := testTSS + 0xe0 + mmu.Phys(v/8)
		c.mmu.Mem.Write(at, 1, c.mmu.Mem.Read(at, 1)&^(1<<(v&7)))
	}
}

func TestSoftwareInterrupts(t *testing.T) {
	event := func(kind idt.Kind, v idt.Vector, n uint64) *idt.Event {
		return &idt.Event{Vector: v, Kind: kind, Return: testCode + n}
	}
	tests := []struct {
		name  string
		mode  string
		flags uint64
		cr4   uint64
		setup func(c *testCPU)
		code  string
		want  *idt.Event // nil: the instruction completes
	}{
		{name: "INT n", mode: "pm32", code: "cd 80", want: event(idt.SoftInt, 0x80, 2)},
		{name: "INT 3 of two bytes is an INT n", mode: "pm32", code: "cd 03", want: event(idt.SoftInt, 3, 2)},
		{name: "INT3", mode: "long", code: "cc", want: event(idt.SoftExc, idt.VecBP, 1)},
		{name: "INT1", mode: "long", code: "f1", want: event(idt.SoftICEBP, idt.VecDB, 1)},
		{name: "INTO with OF", mode: "pm32", flags: idt.FlagOF, code: "ce", want: event(idt.SoftExc, idt.VecOF, 1)},
		{name: "INTO without OF", mode: "pm32", code: "ce"},
		{name: "INTO in 64-bit mode", mode: "long", code: "ce", want: faultUD},
		{name: "INT n in VM86 mode, IOPL 3", mode: "v86", flags: iopl3, code: "cd 21", want: event(idt.SoftInt, 0x21, 2)},
		{name: "INT n in VM86 mode, IOPL 0", mode: "v86", code: "cd 21", want: faultGP0},
		{name: "INT3 in VM86 mode asks no IOPL", mode: "v86", code: "cc", want: event(idt.SoftExc, idt.VecBP, 1)},
		{name: "VME, bit set, IOPL 0", mode: "v86", cr4: mmu.CR4VME, setup: func(c *testCPU) { c.redirect() }, code: "cd 21", want: faultGP0},
		{name: "VME, bit set, IOPL 3", mode: "v86", cr4: mmu.CR4VME, flags: iopl3, setup: func(c *testCPU) { c.redirect() }, code: "cd 21", want: event(idt.SoftInt, 0x21, 2)},
		{name: "VME, bit clear", mode: "v86", cr4: mmu.CR4VME, setup: func(c *testCPU) { c.redirect(0x21) }, code: "cd 21"},
		{name: "VME, bitmap beyond the TSS limit", mode: "v86", cr4: mmu.CR4VME, setup: func(c *testCPU) { c.setIOMap(0x3100) }, code: "cd 21", want: faultGP0},
		{name: "INT3 is never redirected", mode: "v86", cr4: mmu.CR4VME, setup: func(c *testCPU) { c.redirect(3) }, code: "cc", want: event(idt.SoftExc, idt.VecBP, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			c.mmu.SetCR4(c.mmu.Ctl.CR4 | tt.cr4)
			c.setFlags(c.flags() | tt.flags)
			if tt.setup != nil {
				tt.setup(c)
			}
			c.requireFault(tt.want, c.exec1(tt.code), testCode)
		})
	}
}

// TestVMEInterrupt follows INT n and IRET within virtual-8086 mode.
func TestVMEInterrupt(t *testing.T) {
	for _, tt := range []struct {
		name          string
		flags         uint64
		image         uint64 // FLAGS pushed
		during, after uint64 // RFLAGS in the handler and behind IRET
	}{
		{"IOPL 0, VIF set", idt.FlagVIF | idt.FlagIF, iopl3 | idt.FlagIF, idt.FlagIF, idt.FlagIF | idt.FlagVIF},
		{"IOPL 0, VIF clear", idt.FlagIF, iopl3, idt.FlagIF, idt.FlagIF},
		{"IOPL 3", iopl3 | idt.FlagIF, iopl3 | idt.FlagIF, iopl3, iopl3 | idt.FlagIF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "v86")
			c.mmu.SetCR4(mmu.CR4VME)
			c.redirect(0x21)
			c.mmu.Mem.Write(0x21*4, 4, 0x0100_2345)
			c.setFlags(c.flags() | tt.flags)
			const fixed = idt.Flag1 | idt.FlagVM
			c.mustExec("cd 21")
			assert.Equal(t, uint64(0x2345), c.ip)
			assert.Equal(t, uint64(0x1000), c.s.Seg[decode.CS].Base)
			assert.Equal(t, tt.during|fixed, c.flags())
			assert.Equal(t, tt.image|idt.Flag1, c.mmu.Mem.Read(testStack-2, 2))
			assert.Equal(t, uint64(testCode+2), c.mmu.Mem.Read(testStack-6, 2))
			c.mustExec("cf")
			assert.Equal(t, uint64(testCode+2), c.ip)
			assert.Equal(t, uint64(testStack), c.r[rSP])
			assert.Equal(t, tt.after|fixed, c.flags())
		})
	}
}

func TestIRETInVM86(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cr4   uint64
		flags uint64
		image uint64
		code  string
	}{
		{"IOPL 0 without VME", 0, 0, 0, "cf"},
		{"IOPL 0 with VME, 32-bit frame", mmu.CR4VME, 0, 0, "66 cf"},
		{"IOPL 0 with VME: VIP and IF", mmu.CR4VME, idt.FlagVIP, idt.FlagIF, "cf"},
		{"IOPL 0 with VME: TF", mmu.CR4VME, 0, idt.FlagTF, "cf"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "v86")
			c.mmu.SetCR4(tt.cr4)
			c.setFlags(c.flags() | tt.flags)
			c.mmu.Mem.Write(testStack+4, 2, tt.image)
			before := c.State()
			c.requireFault(faultGP0, c.exec1(tt.code), testCode)
			assert.Equal(t, before, c.State(), "a fault changes nothing")
		})
	}
}

func TestIRET(t *testing.T) {
	c := newTestCPU(t, "long")
	for i, v := range []uint64{0xb000, selUser64, idt.FlagIF | idt.FlagRF | idt.Flag1, 0x6000, selUserDat} {
		c.mmu.Mem.Write(testStack+mmu.Phys(i)*8, 8, v)
	}
	c.s.NMIBlocked = true
	c.mustExec("48 cf")
	assert.Equal(t, uint64(0xb000), c.ip)
	assert.Equal(t, uint64(0x6000), c.r[rSP])
	assert.Equal(t, uint8(3), c.s.CPL)
	assert.Equal(t, uint64(idt.FlagIF|idt.FlagRF|idt.Flag1), c.flags())
	assert.False(t, c.s.NMIBlocked)
	assert.Equal(t, mmu.User, c.dataAcc)

	c = newTestModel(t, "386", "pm32")
	c.mmu.Mem.Write(testStack, 8, selCode32<<32|0xb000)
	c.mmu.Mem.Write(testStack+8, 4, idt.FlagAC|idt.FlagID|idt.FlagCF)
	c.mustExec("cf")
	assert.Equal(t, uint64(idt.FlagCF|idt.Flag1), c.flags(), "a 386 has neither AC nor ID")
}

func TestHLT(t *testing.T) {
	c := newTestCPU(t, "long")
	c.mustExec("f4")
	assert.True(t, c.s.Halted)
	c = newTestCPU(t, "long").user()
	c.requireFault(faultGP0, c.exec1("f4"), testCode)
	c = newTestCPU(t, "v86")
	c.requireFault(faultGP0, c.exec1("f4"), testCode)
}

func TestMONITOR(t *testing.T) {
	const monitor, mwait = "0f 01 c8", "0f 01 c9"
	tests := []struct {
		name    string
		between func(c *testCPU)
		ecx     uint64
		waits   bool
	}{
		{name: "waits", waits: true},
		{name: "line written in between", between: func(c *testCPU) { c.mmu.Mem.Write(testData+63, 1, 1) }},
		{name: "the line beside it", between: func(c *testCPU) { c.mmu.Mem.Write(testData+64, 1, 1) }, waits: true},
		{name: "interrupts break it though masked: does not wait", ecx: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "long")
			c.r[rAX] = testData + 5
			c.mustExec(monitor)
			if tt.between != nil {
				tt.between(c)
			}
			c.r[rCX] = tt.ecx
			c.mustExec(mwait)
			assert.Equal(t, tt.waits, c.s.Halted)
			c.s.Halted = false
			c.r[rCX] = 0
			c.mustExec(mwait)
			assert.False(t, c.s.Halted, "MWAIT without MONITOR does not wait")
		})
	}
	c := newTestCPU(t, "long")
	c.r[rCX] = 2
	c.requireFault(faultGP0, c.exec1(monitor), testCode)
	c.requireFault(faultGP0, c.exec1(mwait), testCode)
	c.r[rCX], c.r[rAX] = 0, nonCanonical
	c.requireFault(faultGP0, c.exec1(monitor), testCode)
	c.r[rAX] = 0x4000_0000
	assert.Equal(t, idt.VecPF, c.exec1(monitor).Vector)
	c.user()
	c.requireFault(faultUD, c.exec1(monitor), testCode)
	c.requireFault(faultUD, c.exec1(mwait), testCode)
}
