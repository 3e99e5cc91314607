package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/idt"
	"x86emu/mmu"
)

func TestINVPCID(t *testing.T) {
	tests := []struct {
		name  string
		kind  uint64
		pcid  uint64
		lin   uint64
		pcide bool
		user  bool
		fault *idt.Event
	}{
		{name: "one address", kind: 0, pcid: 0},
		{name: "unknown kind", kind: 4, fault: faultGP0},
		{name: "descriptor bits 63:12", kind: 2, pcid: 1 << 12, fault: faultGP0},
		{name: "PCID without CR4.PCIDE", kind: 1, pcid: 5, fault: faultGP0},
		{name: "PCID with CR4.PCIDE", kind: 1, pcid: 5, pcide: true},
		{name: "PCID plays no part for all contexts", kind: 3, pcid: 5},
		{name: "address not canonical", kind: 0, lin: nonCanonical, fault: faultGP0},
		{name: "address plays no part for a context", kind: 1, lin: nonCanonical},
		{name: "CPL 3", kind: 0, user: true, fault: faultGP0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "long")
			if tt.pcide {
				c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4PCIDE)
			}
			if tt.user {
				c.user()
			}
			c.mmu.Mem.Write(testData, 8, tt.pcid)
			c.mmu.Mem.Write(testData+8, 8, tt.lin)
			c.r[rAX] = tt.kind
			c.requireFault(tt.fault, c.exec1("66 0f 38 82 04 25 00 90 00 00"), testCode)
		})
	}
}

// TestINVLPG changes a translation that is cached: INVLPG of the page, and of
// no other, lets the change be seen.
func TestINVLPG(t *testing.T) {
	c := newTestCPU(t, "long")
	const page = 0x40000000
	mem := c.mmu.Mem
	mem.Write(testTables+0x1008, 8, testTables+0x5007)
	mem.Write(testTables+0x5000, 8, testTables+0x6007)
	mem.Write(testTables+0x6000, 8, 0xa007)
	mem.Write(0xa000, 8, 1)
	mem.Write(0xb000, 8, 2)
	read := func() uint64 {
		v, ok := c.mmu.Read(page, 8, 0)
		assert.True(t, ok)
		return v
	}
	assert.Equal(t, uint64(1), read())
	mem.Write(testTables+0x6000, 8, 0xb007)
	c.r[rAX] = page + 0x1000
	c.mustExec("0f 01 38")
	assert.Equal(t, uint64(1), read(), "the old translation is kept")
	c.r[rAX] = nonCanonical
	c.mustExec("0f 01 38")
	c.r[rAX] = page + 0x123
	c.mustExec("0f 01 38")
	assert.Equal(t, uint64(2), read())
	c.user()
	c.requireFault(faultGP0, c.exec1("0f 01 38"), c.ip)
}

func TestPKRU(t *testing.T) {
	const rdpkru, wrpkru = "0f 01 ee", "0f 01 ef"
	c := newTestCPU(t, "long").user()
	c.requireFault(faultUD, c.exec1(rdpkru), testCode)
	c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4PKE)
	c.r[rAX] = 0xffffffff_12345678
	c.mustExec(wrpkru)
	c.r[rAX], c.r[rDX] = 0, ^uint64(0)
	c.mustExec(rdpkru)
	assert.Equal(t, [2]uint64{0x12345678, 0}, [2]uint64{c.r[rAX], c.r[rDX]})
	at := c.ip
	c.r[rDX] = 1
	c.requireFault(faultGP0, c.exec1(wrpkru), at)
	c.r[rCX] = 1
	c.requireFault(faultGP0, c.exec1(rdpkru), at)
}

// TestNotOffered: what CPUID does not report is #UD.
func TestNotOffered(t *testing.T) {
	for _, tt := range []struct{ name, model, code string }{
		{"XGETBV", "max", "0f 01 d0"},
		{"XSETBV", "max", "0f 01 d1"},
		{"XSAVE", "max", "0f ae 23"},
		{"SERIALIZE", "max", "0f 01 e8"},
		{"VMCALL", "max", "0f 01 c1"},
		{"VMMCALL", "max", "0f 01 d9"},
		{"RSM", "max", "0f aa"},
		{"GETSEC", "max", "0f 37"},
		{"CPUID on the 386", "386", "0f a2"},
		{"INVLPG on the 386", "386", "0f 01 38"},
		{"WBINVD on the 386", "386", "0f 09"},
		{"RDTSC on the 486", "486", "0f 31"},
		{"RDPMC on the Pentium", "pentium", "0f 33"},
		{"RDTSCP on the Core 2", "core2", "0f 01 f9"},
		{"INVPCID on the Core 2", "core2", "66 0f 38 82 00"},
		{"MONITOR on the Pentium III", "pentium3", "0f 01 c8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestModel(t, tt.model, "pm32")
			c.requireFault(faultUD, c.exec1(tt.code), testCode)
		})
	}
}

func TestCachesAreNothing(t *testing.T) {
	for _, code := range []string{"0f 08", "0f 09"} {
		c := newTestCPU(t, "long")
		c.mustExec(code)
		c.user()
		at := c.ip
		c.requireFault(faultGP0, c.exec1(code), at)
	}
}
