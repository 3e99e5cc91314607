package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/idt"
	"x86emu/mmu"
)

func TestMovDR(t *testing.T) {
	const (
		toDR0, toDR4, toDR6, toDR7 = "0f 23 c0", "0f 23 e0", "0f 23 f0", "0f 23 f8"
		fromDR5, fromDR7           = "0f 21 e8", "0f 21 f8"
	)
	gd := &idt.Event{Vector: idt.VecDB, DR6: dr6BD}
	tests := []struct {
		name  string
		mode  string
		setup func(c *testCPU)
		rax   uint64
		code  string
		fault *idt.Event
		check func(t *testing.T, c *testCPU)
	}{
		{name: "DR0 of 64 bits", mode: "long", rax: nonCanonical, code: toDR0,
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(nonCanonical), c.s.DR[0]) }},
		{name: "DR6 keeps fixed bits", mode: "pm32", rax: 0, code: toDR6,
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(0xffff0ff0), c.s.DR[6]) }},
		{name: "DR7 keeps fixed bits", mode: "pm32", rax: 0xffffffff &^ dr7GD, code: toDR7,
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(0xffff07ff), c.s.DR[7]) }},
		{name: "DR4 is DR6", mode: "pm32", rax: 1, code: toDR4,
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(0xffff0ff1), c.s.DR[6]) }},
		{name: "DR5 is DR7", mode: "pm32", code: fromDR5,
			check: func(t *testing.T, c *testCPU) { assert.Equal(t, uint64(0x400), c.r[rAX]) }},
		{name: "DR4 with CR4.DE", mode: "long", setup: func(c *testCPU) { c.mmu.SetCR4(c.mmu.Ctl.CR4 | mmu.CR4DE) }, code: toDR4, fault: faultUD},
		{name: "DR6 bits 63:32", mode: "long", rax: 1 << 32, code: toDR6, fault: faultGP0},
		{name: "DR7 bits 63:32", mode: "long", rax: 1 << 32, code: toDR7, fault: faultGP0},
		{name: "CPL 3", mode: "long", setup: func(c *testCPU) { c.user() }, code: toDR0, fault: faultGP0},
		{name: "GD, writing", mode: "long", setup: func(c *testCPU) { c.s.DR[7] |= dr7GD }, code: toDR0, fault: gd},
		{name: "GD, reading", mode: "pm32", setup: func(c *testCPU) { c.s.DR[7] |= dr7GD }, code: fromDR7, fault: gd},
		{name: "CPL 3 before GD", mode: "long", setup: func(c *testCPU) { c.user(); c.s.DR[7] |= dr7GD }, code: toDR0, fault: faultGP0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, tt.mode)
			if tt.setup != nil {
				tt.setup(c)
			}
			c.r[rAX] = tt.rax
			c.requireFault(tt.fault, c.exec1(tt.code), testCode)
			if tt.check != nil {
				tt.check(t, c)
			}
		})
	}
}

// arm sets breakpoint i of DR7.
func arm(i int, kind, length uint64) uint64 {
	return 1<<(2*i) | kind<<(16+4*i) | length<<(18+4*i)
}

func TestBreakpoints(t *testing.T) {
	const len1, len2, len8, len4 = 0, 1, 2, 3
	tests := []struct {
		name string
		dr   [4]uint64
		dr7  uint64
		cr4  uint64
		act  func(c *testCPU) uint64 // gives the DR6 bits found
		want uint64
	}{
		{"instruction", [4]uint64{1: testCode}, arm(1, breakExec, len1), 0, instrAt(testCode), 2},
		{"two at once", [4]uint64{1: testCode, 2: testCode}, arm(1, breakExec, len1) | arm(2, breakExec, len1), 0, instrAt(testCode), 6},
		{"another instruction", [4]uint64{testCode + 1}, arm(0, breakExec, len1), 0, instrAt(testCode), 0},
		{"not enabled", [4]uint64{testCode}, 0, 0, instrAt(testCode), 0},
		{"globally enabled", [4]uint64{testCode}, 2, 0, instrAt(testCode), 1},
		{"write", [4]uint64{testData}, arm(0, breakWrite, len4), 0, dataAt(testData+3, 1, true), 1},
		{"write breakpoint, read", [4]uint64{testData}, arm(0, breakWrite, len4), 0, dataAt(testData, 4, false), 0},
		{"access breakpoint, read", [4]uint64{testData}, arm(0, breakAccess, len4), 0, dataAt(testData, 1, false), 1},
		{"behind the range", [4]uint64{testData}, arm(0, breakAccess, len4), 0, dataAt(testData+4, 4, false), 0},
		{"before, reaching in", [4]uint64{testData}, arm(0, breakAccess, len1), 0, dataAt(testData-3, 4, false), 1},
		{"the address is aligned to the length", [4]uint64{testData + 3}, arm(0, breakAccess, len2), 0, dataAt(testData+2, 1, false), 1},
		{"length 8", [4]uint64{testData}, arm(0, breakAccess, len8), 0, dataAt(testData+7, 1, false), 1},
		{"port", [4]uint64{0x3f8}, arm(0, breakIO, len4), mmu.CR4DE, portAt(0x3fb, 1), 1},
		{"port without CR4.DE", [4]uint64{0x3f8}, arm(0, breakIO, len4), 0, portAt(0x3fb, 1), 0},
		{"port breakpoint, data", [4]uint64{testData}, arm(0, breakIO, len4), mmu.CR4DE, dataAt(testData, 4, true), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "pm32")
			copy(c.s.DR[:4], tt.dr[:])
			c.s.DR[7] |= tt.dr7
			c.mmu.SetCR4(tt.cr4)
			assert.Equal(t, tt.want, tt.act(c))
		})
	}
}

func instrAt(lin uint64) func(*testCPU) uint64 {
	return func(c *testCPU) uint64 {
		if c.checkInstrBreak(lin) {
			return c.fault.DR6
		}
		return 0
	}
}

func dataAt(lin uint64, size uint8, write bool) func(*testCPU) uint64 {
	return func(c *testCPU) uint64 { c.checkDataBreak(lin, size, write); return c.s.PendDB }
}

func portAt(port uint16, size uint8) func(*testCPU) uint64 {
	return func(c *testCPU) uint64 { c.checkIOBreak(port, size); return c.s.PendDB }
}

// TestDebugTraps runs code with breakpoints and TF set through Step, and
// compares what the #DB handler finds.
func TestDebugTraps(t *testing.T) {
	const handler = 0xd000
	tests := []struct {
		name  string
		code  string
		flags uint64
		dr0   uint64
		dr7   uint64
		setup func(c *testCPU)
		steps int    // until the handler is entered
		ret   uint64 // the address pushed, from testCode
		rf    bool   // RF in the image pushed
		dr6   uint64
	}{
		{name: "instruction breakpoint is a fault", code: "90 90", dr0: testCode + 1, dr7: 1, steps: 2, ret: 1, dr6: 1},
		{name: "RF suppresses it once", code: "90 90", flags: idt.FlagRF, dr0: testCode, dr7: 1, setup: func(c *testCPU) { c.s.DR[1], c.s.DR[7] = testCode+1, c.s.DR[7]|4 }, steps: 2, ret: 1, dr6: 2},
		{name: "data breakpoint is a trap", code: "a3 00 90 00 00 90", dr0: testData, dr7: arm(0, breakWrite, 3), steps: 2, ret: 5, dr6: 1},
		{name: "single step is a trap", code: "90 90", flags: idt.FlagTF, steps: 2, ret: 1, dr6: dr6BS},
		{name: "single step on branches", code: "90 90 eb 01 90 90", flags: idt.FlagTF, setup: func(c *testCPU) { c.s.MSR.DebugCtl = debugCtlBTF }, steps: 4, ret: 5, dr6: dr6BS},
		{name: "single step and data breakpoint together", code: "a3 00 90 00 00 90", flags: idt.FlagTF, dr0: testData, dr7: arm(0, breakWrite, 3), steps: 2, ret: 5, dr6: dr6BS | 1},
		{name: "MOV SS holds a data breakpoint back", code: "8e 15 00 90 00 00 90 90", dr0: testData, dr7: arm(0, breakAccess, 1), setup: func(c *testCPU) { c.mmu.Mem.Write(testData, 2, selData) }, steps: 3, ret: 7, dr6: 1},
		{name: "MOV SS holds its own single step back for good", code: "8e d0 90 90", flags: idt.FlagTF, setup: func(c *testCPU) { c.r[rAX] = selData }, steps: 3, ret: 3, dr6: dr6BS},
		{name: "MOV SS hides an instruction breakpoint behind it", code: "8e d0 90 90", dr0: testCode + 2, dr7: 1, setup: func(c *testCPU) { c.r[rAX] = selData; c.s.DR[1], c.s.DR[7] = testCode+3, c.s.DR[7]|4 }, steps: 3, ret: 3, dr6: 2},
		{name: "instruction breakpoint before the bytes are fetched", code: "0f 0b", dr0: testCode, dr7: 1, steps: 1, dr6: 1},
		{name: "port breakpoint is a trap", code: "e6 e9 90", dr0: 0xe9, dr7: arm(0, breakIO, 0), setup: func(c *testCPU) { c.mmu.SetCR4(mmu.CR4DE) }, steps: 2, ret: 2, dr6: 1},
		{name: "GD", code: "0f 21 c0", dr7: dr7GD, steps: 1, rf: true, dr6: dr6BD},
		{name: "INT1", code: "f1", steps: 1, ret: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestCPU(t, "pm32")
			c.mmu.Mem.Write(testIDT+8, 8, 0x00008e0000000000|selCode32<<16|handler)
			c.write(tt.code)
			s := c.State()
			s.RFLAGS |= tt.flags
			s.DR[0] = tt.dr0
			s.DR[7] |= tt.dr7
			c.SetState(s)
			if tt.setup != nil {
				tt.setup(c)
			}
			n := 0
			for c.ip != handler && n < 10 {
				c.Step()
				n++
			}
			assert.Equal(t, tt.steps, n, "steps")
			assert.Equal(t, testCode+tt.ret, c.mmu.Mem.Read(mmu.Phys(c.r[rSP]), 4), "return address")
			assert.Equal(t, tt.rf, c.mmu.Mem.Read(mmu.Phys(c.r[rSP])+8, 4)&idt.FlagRF != 0, "RF pushed")
			assert.Equal(t, dr6Fixed|tt.dr6, c.s.DR[6], "DR6")
			assert.Zero(t, c.s.DR[7]&dr7GD, "GD is cleared for the handler")
			assert.Zero(t, c.flags()&(idt.FlagTF|idt.FlagRF))
			assert.Zero(t, c.s.MSR.DebugCtl)
		})
	}
}

// TestSingleStepSYSCALL: IA32_FMASK decides whether the system's first
// instruction is trapped.
func TestSingleStepSYSCALL(t *testing.T) {
	for _, tt := range []struct {
		name string
		mask uint64
		want uint64
	}{{"TF masked", idt.FlagTF, 0}, {"TF kept", 0, dr6BS}} {
		t.Run(tt.name, func(t *testing.T) {
			c := newSyscallCPU(t)
			c.s.MSR.SFMASK = tt.mask
			c.setFlags(c.flags() | idt.FlagTF)
			c.write("0f 05")
			c.Step()
			assert.Equal(t, uint64(entry), c.ip)
			assert.Equal(t, tt.want, c.s.PendDB)
		})
	}
}
