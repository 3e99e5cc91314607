package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/idt"
	"x86emu/mmu"
)

const (
	iopl0 = 0
	iopl3 = 3 << 12
)

func TestSystemFlags(t *testing.T) {
	const (
		vme = mmu.CR4VME
		pvi = mmu.CR4PVI
	)
	tests := []struct {
		name  string
		model string
		mode  string
		user  bool
		cr4   uint64
		flags uint64 // besides bit 1
		image uint64 // on the stack, for POPF
		code  string
		fault *idt.Event
		want  uint64 // flags besides bit 1
		sti   bool   // STI's shadow afterwards
	}{
		{name: "CLI at CPL 0", mode: "pm32", flags: idt.FlagIF, code: "fa"},
		{name: "STI from IF 0 has a shadow", mode: "pm32", code: "fb", want: idt.FlagIF, sti: true},
		{name: "STI with IF 1 has none", mode: "pm32", flags: idt.FlagIF, code: "fb", want: idt.FlagIF},
		{name: "CLI at CPL 3, IOPL 0", mode: "long", user: true, flags: idt.FlagIF, code: "fa", fault: faultGP0},
		{name: "CLI at CPL 3, IOPL 3", mode: "long", user: true, flags: idt.FlagIF | iopl3, code: "fa", want: iopl3},
		{name: "CLI at CPL 3 with PVI clears VIF", mode: "pm32", user: true, cr4: pvi, flags: idt.FlagIF | idt.FlagVIF, code: "fa", want: idt.FlagIF},
		{name: "STI at CPL 3 with PVI sets VIF without shadow", mode: "pm32", user: true, cr4: pvi, code: "fb", want: idt.FlagVIF},
		{name: "STI at CPL 3 with PVI and VIP", mode: "pm32", user: true, cr4: pvi, flags: idt.FlagVIP, code: "fb", fault: faultGP0},
		{name: "VME does nothing outside VM86 mode", mode: "pm32", user: true, cr4: vme, code: "fb", fault: faultGP0},
		{name: "CLI in VM86 mode, IOPL 3", mode: "v86", flags: idt.FlagIF | iopl3, code: "fa", want: iopl3},
		{name: "CLI in VM86 mode, IOPL 0", mode: "v86", flags: idt.FlagIF, code: "fa", fault: faultGP0},
		{name: "CLI in VM86 mode with VME clears VIF", mode: "v86", cr4: vme, flags: idt.FlagIF | idt.FlagVIF, code: "fa", want: idt.FlagIF},
		{name: "PVI does nothing in VM86 mode", mode: "v86", cr4: pvi, code: "fa", fault: faultGP0},
		{name: "STI in VM86 mode with VME and VIP", mode: "v86", cr4: vme, flags: idt.FlagVIP, code: "fb", fault: faultGP0},

		{name: "STAC", mode: "long", code: "0f 01 cb", want: idt.FlagAC},
		{name: "CLAC", mode: "long", flags: idt.FlagAC, code: "0f 01 ca"},
		{name: "STAC at CPL 3", mode: "long", user: true, code: "0f 01 cb", fault: faultUD},
		{name: "STAC on a model without SMAP", model: "core2", mode: "long", code: "0f 01 cb", fault: faultUD},

		{name: "POPFD at CPL 0 keeps VM, VIF, VIP, clears RF", mode: "pm32", flags: idt.FlagVIF | idt.FlagRF,
			image: idt.FlagVM | idt.FlagVIP | idt.FlagIF | idt.FlagAC | idt.FlagID | idt.FlagNT | iopl3 | idt.FlagCF, code: "9d",
			want: idt.FlagVIF | idt.FlagIF | idt.FlagAC | idt.FlagID | idt.FlagNT | iopl3 | idt.FlagCF},
		{name: "POPF with 16-bit operand leaves the upper half", mode: "pm32", flags: idt.FlagAC, image: 0xffff, code: "66 9d",
			want: idt.FlagAC | 0x7fd5},
		{name: "POPFQ at CPL 3, IOPL 0 keeps IF and IOPL", mode: "long", user: true, flags: idt.FlagIF, image: iopl3 | idt.FlagZF, code: "9d",
			want: idt.FlagIF | idt.FlagZF},
		{name: "POPFQ at CPL 3, IOPL 3 changes IF, keeps IOPL", mode: "long", user: true, flags: iopl3, image: idt.FlagIF, code: "9d",
			want: idt.FlagIF | iopl3},
		{name: "POPFD on the 386 cannot set AC and ID", model: "386", mode: "pm32", image: idt.FlagAC | idt.FlagID | idt.FlagCF, code: "9d", want: idt.FlagCF},
		{name: "POPF in VM86 mode, IOPL 3 keeps IOPL", mode: "v86", flags: iopl3, image: idt.FlagIF, code: "9d", want: iopl3 | idt.FlagIF},
		{name: "POPF in VM86 mode, IOPL 0", mode: "v86", code: "9d", fault: faultGP0},
		{name: "POPF in VM86 mode with VME: IF goes to VIF", mode: "v86", cr4: vme, image: idt.FlagIF | idt.FlagZF | iopl3, code: "9d", want: idt.FlagVIF | idt.FlagZF},
		{name: "POPF in VM86 mode with VME clears VIF", mode: "v86", cr4: vme, flags: idt.FlagVIF | idt.FlagIF, code: "9d", want: idt.FlagIF},
		{name: "POPF in VM86 mode with VME: VIP and IF", mode: "v86", cr4: vme, flags: idt.FlagVIP, image: idt.FlagIF, code: "9d", fault: faultGP0},
		{name: "POPF in VM86 mode with VME: TF", mode: "v86", cr4: vme, image: idt.FlagTF, code: "9d", fault: faultGP0},
		{name: "POPFD in VM86 mode with VME", mode: "v86", cr4: vme, code: "66 9d", fault: faultGP0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.model == "" {
				tt.model = "max"
			}
			c := newTestModel(t, tt.model, tt.mode)
			if tt.user {
				c.user()
			}
			c.mmu.SetCR4(c.mmu.Ctl.CR4 | tt.cr4)
			c.setFlags(c.flags() | tt.flags)
			vm := c.flags() & idt.FlagVM
			c.mmu.Mem.Write(testStack, 8, tt.image)
			before := c.State()
			at := c.ip
			c.requireFault(tt.fault, c.exec1(tt.code), at)
			if tt.fault != nil {
				assert.Equal(t, before, c.State(), "a fault changes nothing")
				return
			}
			assert.Equal(t, tt.want|idt.Flag1|vm, c.flags())
			assert.Equal(t, tt.sti, c.s.Shadow&idt.ShadowSTI != 0, "shadow")
		})
	}
}

func TestPUSHF(t *testing.T) {
	tests := []struct {
		name  string
		mode  string
		cr4   uint64
		flags uint64
		code  string
		fault *idt.Event
		want  uint64
		size  uint
	}{
		{"PUSHFD leaves out RF", "pm32", 0, idt.FlagRF | idt.FlagCF | idt.FlagVIF, "9c", nil, idt.FlagCF | idt.FlagVIF, 4},
		{"PUSHFQ", "long", 0, idt.FlagAC, "9c", nil, idt.FlagAC, 8},
		{"PUSHFD in VM86 mode leaves out VM", "v86", 0, iopl3, "66 9c", nil, iopl3, 4},
		{"PUSHF in VM86 mode, IOPL 0", "v86", 0, 0, "9c", faultGP0, 0, 0},
		{"PUSHF in VM86 mode with VME: IOPL 3, VIF for IF", "v86", mmu.CR4VME, idt.FlagVIF, "9c", nil, iopl3 | idt.FlagIF, 2},
		{"PUSHF in VM86 mode with VME: VIF clear", "v86", mmu.CR4VME, idt.FlagIF, "9c", nil, iopl3, 2},
		{"PUSHFD in VM86 mode with VME", "v86", mmu.CR4VME, 0, "66 9c", faultGP0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			c.mmu.SetCR4(c.mmu.Ctl.CR4 | tt.cr4)
			c.setFlags(c.flags() | tt.flags)
			at := c.ip
			c.requireFault(tt.fault, c.exec1(tt.code), at)
			if tt.fault == nil {
				assert.Equal(t, tt.want|idt.Flag1, c.mmu.Mem.Read(mmu.Phys(testStack-tt.size), tt.size))
				assert.Equal(t, uint64(testStack-tt.size), c.r[rSP])
			}
		})
	}
}

// TestIRETOfAC: EFLAGS.AC of the image counts for the accesses that follow.
func TestIRETOfAC(t *testing.T) {
	for _, ac := range []uint64{idt.FlagAC, 0} {
		c := newFuzzCPU(t, "long", []byte{0x48, 0xcf, 0x48, 0xcf}, 0, false) // IRETQ, IRETQ
		s := c.State()
		s.RFLAGS = idt.Flag1 | idt.FlagAC&^ac
		c.SetState(s)
		for i, v := range []uint64{fzCode + 2, 0x18, idt.Flag1 | ac, fzStack, 0x10} {
			c.mmu.Mem.Write(mmu.Phys(fzStack+8*i), 8, v)
		}
		c.Step()
		assert.Equal(t, uint64(fzCode+2), c.State().RIP)
		assert.Equal(t, ac != 0, c.dataAcc == mmu.AC)
		sameMode(t, c, "long", nil)
	}
}
