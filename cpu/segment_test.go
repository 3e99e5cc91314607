package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

func TestSegmentLoads(t *testing.T) {
	gp := func(sel uint32) *idt.Event { return &idt.Event{Vector: idt.VecGP, HasCode: true, Code: sel &^ 3} }
	tests := []struct {
		name  string
		mode  string
		setup func(c *testCPU)
		code  string
		fault *idt.Event
		check func(t *testing.T, c *testCPU)
	}{
		{name: "MOV DS in real mode", mode: "real", setup: func(c *testCPU) { c.r[rAX] = 0x1234 }, code: "8e d8",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(0x12340), c.s.Seg[decode.DS].Base) }},
		{name: "MOV DS keeps the limit of unreal mode", mode: "real",
			setup: func(c *testCPU) { c.s.Seg[decode.DS].Limit = 0xffffffff }, code: "8e d8",
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint32(0xffffffff), c.s.Seg[decode.DS].Limit)
			}},
		{name: "MOV SS has a shadow", mode: "pm32", setup: func(c *testCPU) { c.r[rAX] = selData }, code: "8e d0",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, idt.ShadowMovSS, c.s.Shadow) }},
		{name: "MOV DS has none", mode: "pm32", setup: func(c *testCPU) { c.r[rAX] = selData }, code: "8e d8",
			check: func(t *testing.T, c *testCPU) { assert.Zero(t, c.s.Shadow) }},
		{name: "MOV SS with code", mode: "pm32", setup: func(c *testCPU) { c.r[rAX] = selCode32 }, code: "8e d0", fault: gp(selCode32)},
		{name: "MOV CS", mode: "pm32", code: "8e c8", fault: faultUD},
		{name: "MOV DS from memory reads a word", mode: "pm32",
			setup: func(c *testCPU) {
				c.mmu.Mem.Write(testData, 2, selCode32)
				c.s.Seg[decode.DS].Limit = testData + 1
			}, code: "8e 1d 00 90 00 00",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint16(selCode32), c.s.Seg[decode.DS].Sel) }},
		{name: "a 16-bit stack cuts the stack pointer", mode: "pm32",
			setup: func(c *testCPU) {
				c.mmu.Mem.Write(testGDT+selUser32&^7, 8, 0x008f93000000ffff)
				c.r[rAX] = selUser32 &^ 3
			}, code: "8e d0",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(0xffff), c.spMask) }},
		{name: "POP DS", mode: "pm32", setup: func(c *testCPU) { c.mmu.Mem.Write(testStack, 4, 0xabcd0000|selCode32) }, code: "1f",
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint16(selCode32), c.s.Seg[decode.DS].Sel)
				assert.Equal(t, uint64(testStack+4), c.r[rSP])
			}},
		{name: "POP FS with a 16-bit operand", mode: "pm32", code: "66 0f a1",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(testStack+2), c.r[rSP]) }},
		{name: "POP GS in 64-bit mode", mode: "long", setup: func(c *testCPU) { c.mmu.Mem.Write(testStack, 8, selData) }, code: "0f a9",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(testStack+8), c.r[rSP]) }},
		{name: "POP SS moves the old stack's pointer, and has a shadow", mode: "pm32",
			setup: func(c *testCPU) {
				c.mmu.Mem.Write(testGDT+selUser32&^7, 8, 0x008f93000000ffff)
				c.mmu.Mem.Write(0x1fffe, 4, selUser32&^3)
				c.r[rSP] = 0x1fffe
			}, code: "17",
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint64(0x20002), c.r[rSP])
				assert.Equal(t, idt.ShadowMovSS, c.s.Shadow)
			}},
		{name: "POP DS fault leaves the stack pointer", mode: "pm32", setup: func(c *testCPU) { c.mmu.Mem.Write(testStack, 4, 0x100) }, code: "1f", fault: gp(0x100)},
		{name: "LES", mode: "pm32", setup: func(c *testCPU) { c.mmu.Mem.Write(testData, 8, selData<<32|0x12345678) }, code: "c4 05 00 90 00 00",
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint64(0x12345678), c.r[rAX])
				assert.Equal(t, uint16(selData), c.s.Seg[decode.ES].Sel)
			}},
		{name: "LSS r16 has no shadow", mode: "pm16", setup: func(c *testCPU) { c.mmu.Mem.Write(testData, 4, selData<<16|0x5678) }, code: "0f b2 26 00 90",
			check: func(t *testing.T, c *testCPU) {
				assert.Equal(t, uint64(0x5678), c.r[rSP])
				assert.Zero(t, c.s.Shadow)
			}},
		{name: "LGS m16:64", mode: "long",
			setup: func(c *testCPU) {
				c.mmu.Mem.Write(testData, 8, high48)
				c.mmu.Mem.Write(testData+8, 2, selData)
			}, code: "48 0f b5 04 25 00 90 00 00",
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(high48), c.r[rAX]) }},
		{name: "LFS fault leaves the register", mode: "pm32", setup: func(c *testCPU) { c.mmu.Mem.Write(testData, 8, 0x100<<32|1) }, code: "0f b4 05 00 90 00 00", fault: gp(0x100)},
		{name: "LDS with a register", mode: "pm32", code: "c5 c0", fault: faultUD},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			if tt.setup != nil {
				tt.setup(c)
			}
			before, at := c.State(), c.ip
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

func TestFarTransfers(t *testing.T) {
	c := newTestCPU(t, "pm32")
	c.mustExec("ea 00 a0 00 00 20 00") // jmp 20h:0000a000h
	assert.Equal(t, decode.Mode16, c.mode)
	assert.Equal(t, uint64(0xa000), c.ip)
	c.mustExec("66 9a 00 b0 00 00 18 00") // call 18h:0000b000h
	assert.Equal(t, decode.Mode32, c.mode)
	assert.Equal(t, uint64(0xb000), c.ip)
	assert.Equal(t, uint64(0xa008), c.mmu.Mem.Read(testStack-8, 4))
	assert.Equal(t, uint64(selCode16), c.mmu.Mem.Read(testStack-4, 2))
	c.mustExec("cb") // retf
	assert.Equal(t, uint64(0xa008), c.ip)
	assert.Equal(t, decode.Mode16, c.mode)
	assert.Equal(t, uint64(testStack), c.r[rSP])

	c.mmu.Mem.Write(testData, 4, selCode32<<16|0xb000)
	c.mustExec("ff 2e 00 90") // jmp far [9000h]
	assert.Equal(t, uint64(0xb000), c.ip)
	assert.Equal(t, decode.Mode32, c.mode)

	at := c.ip
	c.requireFault(&idt.Event{Vector: idt.VecGP, HasCode: true, Code: selData}, c.exec1("ea 00 a0 00 00 10 00"), at)
	assert.Equal(t, at, c.ip)

	c = newTestCPU(t, "real")
	c.mustExec("ea 05 00 00 a0") // jmp a000h:5
	assert.Equal(t, uint64(0xa0000), c.s.Seg[decode.CS].Base)
	assert.Equal(t, uint64(5), c.ip)

	c = newTestCPU(t, "long")
	c.mmu.Mem.Write(testData, 8, 0xb000)
	c.mmu.Mem.Write(testData+8, 2, selCode64)
	c.mustExec("48 ff 1c 25 00 90 00 00") // call m16:64
	assert.Equal(t, uint64(0xb000), c.ip)
	assert.Equal(t, uint64(testStack-16), c.r[rSP])
	c.mustExec("48 ca 08 00") // retfq 8
	assert.Equal(t, uint64(testCode+8), c.ip)
	assert.Equal(t, uint64(testStack+8), c.r[rSP])
}

// TestJumpToTask: what the old task's TSS gets as EIP is the next instruction's address.
func TestJumpToTask(t *testing.T) {
	c := newTestCPU(t, "pm32")
	const other = 0xc000
	c.mmu.Mem.Write(testGDT+0x48, 8, 0x000089000000_0067|other<<16)
	c.s.GDTR.Limit = 0x4f
	c.mmu.Mem.Write(testGDT+selTSS, 8, 0x00008b0000002fff|testTSS<<16)
	for off, v := range map[mmu.Phys]uint64{32: 0xb000, 36: 2, 56: 0x6000, 72: selData, 76: selCode32, 80: selData, 84: selData} {
		c.mmu.Mem.Write(other+off, 4, v)
	}
	c.mustExec("ea 00 00 00 00 48 00")
	assert.Equal(t, uint64(0xb000), c.ip)
	assert.Equal(t, uint64(0x6000), c.r[rSP])
	assert.Equal(t, uint16(0x48), c.s.TR.Sel)
	assert.Equal(t, uint64(testCode+7), c.mmu.Mem.Read(testTSS+32, 4))
	assert.NotZero(t, c.mmu.Ctl.CR0&mmu.CR0TS)
}

// The instruction behind a block is beyond the limit of CS and on a page that
// is not present: the limit is checked first.
func TestCodeLimitBeforePageFault(t *testing.T) {
	c := newTestCPU(t, "pae")
	c.s.Seg[decode.CS].Limit = testRAM - 1
	c.modeChanged()
	c.ip = testRAM - 2
	c.write("90 90")
	c.limit = c.s.Ticks + 10
	assert.Equal(t, exitStep, c.runBlocks())
	assert.Equal(t, uint64(testRAM), c.ip)
	c.requireFault(faultGP0, c.exec1(""), testRAM)
}
