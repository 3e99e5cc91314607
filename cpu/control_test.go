package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

func TestMovToCR(t *testing.T) {
	const (
		toCR0 = "0f 22 c0" // mov cr0, rax
		toCR3 = "0f 22 d8"
		toCR4 = "0f 22 e0"
		toCR8 = "44 0f 22 c0"
	)
	tests := []struct {
		name  string
		model string
		mode  string
		setup func(c *testCPU)
		rax   uint64
		code  string
		fault *idt.Event
		check func(t *testing.T, c *testCPU)
	}{
		{name: "PG without PE", mode: "real", rax: mmu.CR0PG, code: toCR0, fault: faultGP0},
		{name: "NW without CD", mode: "real", rax: mmu.CR0NW, code: toCR0, fault: faultGP0},
		{name: "CR0 bits 63:32", mode: "long", rax: 1<<32 | mmu.CR0PG | mmu.CR0PE, code: toCR0, fault: faultGP0},
		{name: "reserved CR0 bits below are ignored", mode: "real", rax: 1<<7 | mmu.CR0TS, code: toCR0, check: func(t *testing.T, c *testCPU) {
			assert.Equal(t, uint64(mmu.CR0TS|mmu.CR0ET), c.mmu.Ctl.CR0)
		}},
		{name: "PG set with LME, without PAE", mode: "pm32", rax: mmu.CR0PG | mmu.CR0PE, code: toCR0, fault: faultGP0,
			setup: func(c *testCPU) { c.mmu.SetEFER(mmu.EFERLME) }},
		{name: "PG set with LME, CS.L set", mode: "pm32", rax: mmu.CR0PG | mmu.CR0PE, code: toCR0, fault: faultGP0,
			setup: func(c *testCPU) {
				c.mmu.SetEFER(mmu.EFERLME)
				c.mmu.SetCR4(mmu.CR4PAE)
				c.s.Seg[decode.CS].Attr |= idt.AttrL
			}},
		{name: "PG set with LME, 16-bit TSS in TR", mode: "pm32", rax: mmu.CR0PG | mmu.CR0PE, code: toCR0, fault: faultGP0,
			setup: func(c *testCPU) {
				c.mmu.SetEFER(mmu.EFERLME)
				c.mmu.SetCR4(mmu.CR4PAE)
				c.s.TR.Attr = idt.AttrPresent | 3
			}},
		{name: "PG set with LME activates IA-32e mode", mode: "pm32", rax: mmu.CR0PG | mmu.CR0PE, code: toCR0,
			setup: func(c *testCPU) {
				c.mmu.SetEFER(mmu.EFERLME)
				c.mmu.SetCR4(mmu.CR4PAE)
				c.mmu.SetCR3(testTables)
			},
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint64(mmu.EFERLME|mmu.EFERLMA), c.mmu.Ctl.EFER)
				assert.True(t, c.long)
				assert.Equal(t, decode.Mode32, c.mode, "compatibility mode")
			}},
		{name: "PG clear in 64-bit mode", mode: "long", rax: mmu.CR0PE, code: toCR0, fault: faultGP0},
		{name: "PG clear in compatibility mode leaves IA-32e mode", mode: "compat", rax: mmu.CR0PE, code: toCR0,
			check: func(t *testing.T, c *testCPU) { assert.Zero(t, c.mmu.Ctl.EFER&mmu.EFERLMA); assert.False(t, c.long) }},
		{name: "PG clear with PCIDE", mode: "compat", rax: mmu.CR0PE, code: toCR0, fault: faultGP0,
			setup: func(c *testCPU) { c.mmu.SetCR4(mmu.CR4PAE | mmu.CR4PCIDE) }},
		{name: "PG set with PAE loads the PDPTEs", mode: "pm32", rax: mmu.CR0PG | mmu.CR0PE, code: toCR0,
			setup: func(c *testCPU) { c.mmu.SetCR4(mmu.CR4PAE); c.mmu.SetCR3(testTables + 0x4000) },
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(testTables+0x2001), c.mmu.Ctl.PDPTE[0]) }},
		{name: "PG set with a reserved bit in a PDPTE", mode: "pm32", rax: mmu.CR0PG | mmu.CR0PE, code: toCR0, fault: faultGP0,
			setup: func(c *testCPU) {
				c.mmu.SetCR4(mmu.CR4PAE)
				c.mmu.SetCR3(testTables + 0x4000)
				c.mmu.Mem.Write(testTables+0x4008, 8, 3)
			}},
		{name: "CR0 at CPL 3", mode: "long", setup: func(c *testCPU) { c.user() }, code: toCR0, fault: faultGP0},
		{name: "CR0 in VM86 mode", mode: "v86", code: toCR0, fault: faultGP0},

		{name: "CR3 bit from MAXPHYADDR on in long mode", mode: "long", rax: 1 << 40, code: toCR3, fault: faultGP0},
		{name: "CR3 bit 63 without PCIDE", mode: "long", rax: 1<<63 | testTables, code: toCR3, fault: faultGP0},
		{name: "CR3 bit 63 with PCIDE is not kept", mode: "long", rax: 1<<63 | testTables, code: toCR3,
			setup: func(c *testCPU) { c.mmu.SetCR4(mmu.CR4PAE | mmu.CR4PCIDE) },
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(testTables), c.mmu.Ctl.CR3) }},
		{name: "CR3 with a reserved bit in a PDPTE", mode: "pae", rax: testTables + 0x5000, code: toCR3, fault: faultGP0,
			setup: func(c *testCPU) { c.mmu.Mem.Write(testTables+0x5000, 8, 0x21) }},

		{name: "reserved CR4 bit", mode: "long", rax: mmu.CR4PAE | 1<<13, code: toCR4, fault: faultGP0},
		{name: "CR4 bit that the model lacks", model: "pentium", mode: "pm32", rax: mmu.CR4PGE, code: toCR4, fault: faultGP0},
		{name: "no CR4 on the 386", model: "386", mode: "pm32", code: toCR4, fault: faultUD},
		{name: "OSFXSR and OSXMMEXCPT on max", mode: "long", rax: mmu.CR4PAE | mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT, code: toCR4,
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint64(mmu.CR4PAE|mmu.CR4OSFXSR|mmu.CR4OSXMMEXCPT), c.mmu.Ctl.CR4)
			}},
		{name: "VMXE", mode: "long", rax: mmu.CR4PAE | 1<<13, code: toCR4, fault: faultGP0},
		{name: "PAE clear in IA-32e mode", mode: "long", rax: 0, code: toCR4, fault: faultGP0},
		{name: "LA57 changed in IA-32e mode", mode: "long", rax: mmu.CR4PAE | mmu.CR4LA57, code: toCR4, fault: faultGP0},
		{name: "PCIDE outside IA-32e mode", mode: "pae", rax: mmu.CR4PAE | mmu.CR4PCIDE, code: toCR4, fault: faultGP0},
		{name: "PCIDE with CR3 bits 11:0", mode: "long", rax: mmu.CR4PAE | mmu.CR4PCIDE, code: toCR4, fault: faultGP0,
			setup: func(c *testCPU) { c.mmu.SetCR3(testTables | 0x18) }},
		{name: "PGE changed under PAE paging reloads the PDPTEs", mode: "pae", rax: mmu.CR4PAE | mmu.CR4PGE, code: toCR4, fault: faultGP0,
			setup: func(c *testCPU) { c.mmu.Mem.Write(testTables+0x4008, 8, 0x1e1) }},
		{name: "TSD changed under PAE paging does not", mode: "pae", rax: mmu.CR4PAE | mmu.CR4TSD, code: toCR4,
			setup: func(c *testCPU) { c.mmu.Mem.Write(testTables+0x4008, 8, 0x1e1) }},

		{name: "CR8 bits 63:4", mode: "long", rax: 16, code: toCR8, fault: faultGP0},
		{name: "CR8", mode: "long", rax: 9, code: toCR8, check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(9), c.s.CR8) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.model == "" {
				tt.model = "max"
			}
			c := newTestModel(t, tt.model, tt.mode)
			if tt.setup != nil {
				tt.setup(c)
				c.modeChanged()
			}
			c.r[rAX] = tt.rax
			before := c.State()
			at := c.ip
			c.requireFault(tt.fault, c.exec1(tt.code), at)
			if tt.fault != nil {
				assert.Equal(t, before, c.State(), "a fault changes nothing")
			}
			if tt.check != nil {
				tt.check(t, c)
			}
		})
	}
}
