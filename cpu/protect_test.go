package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

func TestLoadTable(t *testing.T) {
	tests := []struct {
		name  string
		mode  string
		setup func(c *testCPU)
		base  uint64
		code  string
		fault *idt.Event
		want  uint64
	}{
		{name: "16-bit operand loads 24 bits", mode: "pm16", base: 0x89abcdef, code: "0f 01 16 00 90", want: 0xabcdef},
		{name: "32-bit operand in 16-bit code", mode: "pm16", base: 0x89abcdef, code: "66 0f 01 16 00 90", want: 0x89abcdef},
		{name: "real mode", mode: "real", base: 0x89abcdef, code: "0f 01 16 00 90", want: 0xabcdef},
		{name: "32-bit code", mode: "pm32", base: 0x89abcdef, code: "0f 01 15 00 90 00 00", want: 0x89abcdef},
		{name: "operand-size prefix in 32-bit code", mode: "pm32", base: 0x89abcdef, code: "66 0f 01 15 00 90 00 00", want: 0xabcdef},
		{name: "64-bit mode", mode: "long", base: high48, code: "0f 01 14 25 00 90 00 00", want: high48},
		{name: "the prefix means nothing in 64-bit mode", mode: "long", base: high48, code: "66 0f 01 14 25 00 90 00 00", want: high48},
		{name: "base not canonical", mode: "long", base: nonCanonical, code: "0f 01 14 25 00 90 00 00", fault: faultGP0},
		{name: "CPL 3", mode: "pm32", setup: func(c *testCPU) { c.user() }, code: "0f 01 15 00 90 00 00", fault: faultGP0},
		{name: "operand beyond the segment limit", mode: "pm32", setup: func(c *testCPU) { c.s.Seg[decode.DS].Limit = testData + 4 }, code: "0f 01 15 00 90 00 00", fault: faultGP0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			if tt.setup != nil {
				tt.setup(c)
			}
			c.mmu.Mem.Write(testData, 2, 0x1234)
			c.mmu.Mem.Write(testData+2, 8, tt.base)
			before, at := c.State(), c.ip
			c.requireFault(tt.fault, c.exec1(tt.code), at)
			if tt.fault != nil {
				assert.Equal(t, before, c.State(), "a fault changes nothing")
				return
			}
			assert.Equal(t, idt.Table{Base: tt.want, Limit: 0x1234}, c.s.GDTR)
		})
	}
}

func TestStoreTable(t *testing.T) {
	c := newTestCPU(t, "pm16")
	c.s.IDTR = idt.Table{Base: 0x89abcdef, Limit: 0x1234}
	c.mustExec("0f 01 0e 00 90")
	assert.Equal(t, uint64(0x89abcdef1234), c.mmu.Mem.Read(testData, 8), "SIDT stores the whole base with a 16-bit operand")

	c = newTestCPU(t, "long")
	c.s.GDTR = idt.Table{Base: high48, Limit: 0x1234}
	c.mustExec("0f 01 04 25 00 90 00 00")
	assert.Equal(t, uint64(0x1234), c.mmu.Mem.Read(testData, 2))
	assert.Equal(t, uint64(high48), c.mmu.Mem.Read(testData+2, 8))

	c = newTestCPU(t, "pm32")
	c.s.Seg[decode.DS].Limit = testData + 4
	before := c.mmu.Mem.Read(testData, 8)
	c.requireFault(faultGP0, c.exec1("0f 01 05 00 90 00 00"), testCode)
	assert.Equal(t, before, c.mmu.Mem.Read(testData, 8), "SGDT stores nothing before a fault")
}

func TestUMIP(t *testing.T) {
	for _, tt := range []struct{ name, code string }{
		{"SGDT", "0f 01 04 25 00 90 00 00"},
		{"SIDT", "0f 01 0c 25 00 90 00 00"},
		{"SLDT", "0f 00 c0"},
		{"STR", "0f 00 c8"},
		{"SMSW", "0f 01 e0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "long").user()
			assert.Nil(t, c.exec1(tt.code), "without CR4.UMIP")
			c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4UMIP)
			at := c.ip
			c.requireFault(faultGP0, c.exec1(tt.code), at)
		})
	}
}

// TestProtectedOnly: these instructions are #UD in real and virtual-8086 mode.
func TestProtectedOnly(t *testing.T) {
	for _, tt := range []struct{ name, code string }{
		{"SLDT", "0f 00 c0"}, {"STR", "0f 00 c8"}, {"LLDT", "0f 00 d0"}, {"LTR", "0f 00 d8"},
		{"VERR", "0f 00 e0"}, {"VERW", "0f 00 e8"}, {"LAR", "0f 02 c0"}, {"LSL", "0f 03 c0"}, {"ARPL", "63 c0"},
	} {
		for _, mode := range []string{"real", "v86"} {
			t.Run(tt.name+" "+mode, func(t *testing.T) {
				c := newTestCPU(t, mode)
				c.requireFault(faultUD, c.exec1(tt.code), testCode)
			})
		}
	}
}

func TestMachineStatusWord(t *testing.T) {
	c := newTestCPU(t, "pm32")
	c.mmu.SetCR0(c.mmu.Ctl.CR0 | mmu.CR0TS | mmu.CR0NE)
	c.mustExec("0f 01 f0") // lmsw ax: 0
	assert.Equal(t, uint64(mmu.CR0PE|mmu.CR0NE|mmu.CR0ET), c.mmu.Ctl.CR0, "LMSW cannot clear PE")
	c.r[rAX] = 0xffff
	c.mustExec("0f 01 f0")
	assert.Equal(t, uint64(mmu.CR0PE|mmu.CR0MP|mmu.CR0EM|mmu.CR0TS|mmu.CR0NE|mmu.CR0ET), c.mmu.Ctl.CR0, "LMSW sets four bits")
	c.mustExec("0f 06")
	assert.Zero(t, c.mmu.Ctl.CR0&mmu.CR0TS, "CLTS")
	c.r[rAX] = 0xffffffff
	c.mustExec("66 0f 01 e0")
	assert.Equal(t, uint64(0xffff0037), c.r[rAX], "SMSW r16")
	c.mustExec("0f 01 e0")
	assert.Equal(t, c.mmu.Ctl.CR0, c.r[rAX], "SMSW r32")

	c = newTestCPU(t, "real")
	c.r[rAX] = 1
	c.mustExec("0f 01 f0")
	assert.True(t, c.protected, "LMSW enters protected mode")
}

func TestLLDTAndLTR(t *testing.T) {
	c := newTestCPU(t, "pm32")
	c.mmu.Mem.Write(testGDT+0x48, 8, 0x0000820050000fff) // an LDT
	c.s.GDTR.Limit = 0x4f
	c.r[rAX] = 0x48
	c.mustExec("0f 00 d0")
	assert.Equal(t, uint16(0x48), c.s.LDTR.Sel)
	c.r[rBX] = ^uint64(0)
	c.mustExec("0f 00 c3")
	assert.Equal(t, uint64(0x48), c.r[rBX], "SLDT r32 zero-extends")
	c.r[rAX] = selTSS
	c.mustExec("0f 00 d8")
	assert.Equal(t, uint64(0x8b), c.mmu.Mem.Read(testGDT+selTSS+5, 1), "LTR marks the TSS busy")
	at := c.ip
	c.requireFault(&idt.Event{Vector: idt.VecGP, HasCode: true, Code: selTSS}, c.exec1("0f 00 d8"), at)
	c.user()
	at = c.ip
	c.requireFault(faultGP0, c.exec1("0f 00 d8"), at)
	at = c.ip
	c.requireFault(faultGP0, c.exec1("0f 00 d0"), at)
}

func TestInspectDescriptors(t *testing.T) {
	tests := []struct {
		name string
		code string
		sel  uint64
		zf   bool
		want uint64 // EBX after; it was all ones
	}{
		{"LAR of code", "0f 02 d8", selCode32, true, 0xcf9b00},
		{"LAR with a 16-bit operand", "66 0f 02 d8", selCode32, true, 0xffff9b00},
		{"LAR of null", "0f 02 d8", 0, false, 0xffffffff},
		{"LAR beyond the table", "0f 02 d8", 0x100, false, 0xffffffff},
		{"LAR of a TSS", "0f 02 d8", selTSS, true, 0x8900},
		{"LSL counts pages", "0f 03 d8", selData, true, 0xffffffff},
		{"LSL counts bytes", "0f 03 d8", selTSS, true, 0x2fff},
		{"VERR of data", "0f 00 e0", selData, true, 0xffffffff},
		{"VERW of code", "0f 00 e8", selCode32, false, 0xffffffff},
		{"VERR of a TSS", "0f 00 e0", selTSS, false, 0xffffffff},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "pm32")
			c.r[rAX], c.r[rBX] = tt.sel, 0xffffffff
			c.setFlags(arithFlags ^ idt.FlagZF)
			c.mustExec(tt.code)
			assert.Equal(t, tt.zf, c.zf())
			assert.Equal(t, uint64(arithFlags^idt.FlagZF), c.arith()&^idt.FlagZF, "no other flag changes")
			assert.Equal(t, tt.want, c.r[rBX])
		})
	}
}

func TestARPL(t *testing.T) {
	for _, tt := range []struct {
		name     string
		dst, src uint64
		want     uint64
		zf       bool
	}{
		{"raises", 0x10, 0x0b, 0x13, true},
		{"equal", 0x13, 0x0b, 0x13, false},
		{"higher already", 0x13, 0x08, 0x13, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "pm32")
			c.r[rAX], c.r[rBX] = 0xabcd0000|tt.dst, tt.src
			c.mustExec("63 d8")
			assert.Equal(t, 0xabcd0000|tt.want, c.r[rAX])
			assert.Equal(t, tt.zf, c.zf())
		})
	}
}
