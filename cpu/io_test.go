package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/idt"
	"x86emu/mmu"
)

// setIOMap puts the I/O permission bitmap of the TSS at offset base, with the
// bits of the given ports set.
func (c *testCPU) setIOMap(base uint16, denied ...uint16) {
	c.mmu.Mem.Write(testTSS+0x66, 2, uint64(base))
	for _, p := range denied {
		at := testTSS + mmu.Phys(base) + mmu.Phys(p/8)
		c.mmu.Mem.Write(at, 1, c.mmu.Mem.Read(at, 1)|1<<(p&7))
	}
}

func TestIOPermission(t *testing.T) {
	tests := []struct {
		name  string
		mode  string
		iopl  uint64
		setup func(c *testCPU)
		code  string
		fault *idt.Event
	}{
		{name: "real mode needs no permission", mode: "real", code: "ec"},
		{name: "CPL 0", mode: "pm32", code: "ec"},
		{name: "CPL 3, IOPL 3", mode: "pm32", iopl: 3, setup: func(c *testCPU) { c.user() }, code: "ec"},
		{name: "CPL 3, IOPL 0, bit clear", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3f9) }, code: "ec"},
		{name: "CPL 3, IOPL 0, bit set", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3f8) }, code: "ec", fault: faultGP0},
		{name: "one of the four bits of a doubleword set", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3fb) }, code: "ed", fault: faultGP0},
		{name: "the bit beside a word", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3fa) }, code: "66 ed"},
		{name: "bits in two bytes of the map", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x400); c.r[rDX] = 0x3ff }, code: "66 ed", fault: faultGP0},
		{name: "the map ends at the TSS limit", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80); c.s.TR.Limit = 0x80 + 0x3f8/8 }, code: "ec", fault: faultGP0},
		{name: "the second byte lies within the limit", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80); c.s.TR.Limit = 0x80 + 0x3f8/8 + 1 }, code: "ec"},
		{name: "no map base within the limit", mode: "pm32", setup: func(c *testCPU) { c.user(); c.s.TR.Limit = 0x66 }, code: "ec", fault: faultGP0},
		{name: "16-bit TSS has no map", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80); c.s.TR.Attr = idt.AttrPresent | 3 }, code: "ec", fault: faultGP0},
		{name: "64-bit TSS", mode: "long", setup: func(c *testCPU) { c.user(); c.setIOMap(0x68, 0x3f8) }, code: "ee", fault: faultGP0},
		{name: "VM86 mode asks the map, IOPL 3 or not", mode: "v86", iopl: 3, setup: func(c *testCPU) { c.setIOMap(0x80, 0x3f8) }, code: "ec", fault: faultGP0},
		{name: "VM86 mode, bit clear", mode: "v86", setup: func(c *testCPU) { c.setIOMap(0x80) }, code: "ec"},
		{name: "OUT imm8", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0xe9) }, code: "e6 e9", fault: faultGP0},
		{name: "INS", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3f8) }, code: "6c", fault: faultGP0},
		{name: "REP INS of nothing", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3f8) }, code: "f3 6c", fault: faultGP0},
		{name: "REP OUTS of nothing", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3f8) }, code: "f3 6e", fault: faultGP0},
		{name: "OUTS", mode: "pm32", setup: func(c *testCPU) { c.user(); c.setIOMap(0x80, 0x3f8) }, code: "6e", fault: faultGP0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			c.r[rDX], c.r[rDI], c.r[rSI] = 0x3f8, testData, testData
			c.s.RFLAGS |= tt.iopl << 12
			if tt.setup != nil {
				tt.setup(c)
			}
			at := c.ip
			c.requireFault(tt.fault, c.exec1(tt.code), at)
			if tt.fault != nil {
				assert.Zero(t, c.ports.outs, "nothing goes out")
			}
		})
	}
}

func TestIO(t *testing.T) {
	c := newTestCPU(t, "long")
	c.ports.in = 0xa1b2c3d4
	c.r[rAX], c.r[rDX] = ^uint64(0), 0x3f8
	c.mustExec("ec")
	assert.Equal(t, ^uint64(0)&^0xff|0xd4, c.r[rAX], "in al, dx")
	c.mustExec("66 ed")
	assert.Equal(t, ^uint64(0)&^0xffff|0xc3d4, c.r[rAX], "in ax, dx")
	c.mustExec("48 ed")
	assert.Equal(t, uint64(0xa1b2c3d4), c.r[rAX], "in eax, dx: REX.W means nothing")
	c.mustExec("e7 e9")
	assert.Equal(t, uint16(0xe9), c.ports.last.port)
	assert.Equal(t, uint8(4), c.ports.last.size)
	assert.Equal(t, uint32(0xa1b2c3d4), c.ports.last.v)

	c.r[rDI], c.r[rSI], c.r[rCX] = testData, testData, 3
	c.s.Ticks, c.limit = 0, 100
	c.mustExec("f3 66 6d")
	assert.Equal(t, uint64(0xc3d4c3d4c3d4), c.mmu.Mem.Read(testData, 8), "rep insw")
	assert.Equal(t, uint64(testData+6), c.r[rDI])
	c.r[rCX], c.ports.outs = 2, 0
	c.mustExec("f3 48 6f")
	assert.Equal(t, 2, c.ports.outs, "rep outsd")
	assert.Equal(t, uint32(0xc3d4), c.ports.last.v, "REX.W means nothing")
	assert.Equal(t, uint64(testData+8), c.r[rSI])
}

// TestINSFault holds INS to reading no port before its store is sure to succeed.
func TestINSFault(t *testing.T) {
	c := newTestCPU(t, "long")
	c.r[rDX], c.r[rDI] = 0x3f8, 0x4000_0000 // not mapped
	c.ports.last.port = 0
	ev := c.exec1("6c")
	assert.Equal(t, idt.VecPF, ev.Vector)
	assert.Zero(t, c.ports.last.port)
}
