package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// regVals gives registers by number.
type regVals map[uint8]uint64

// memVals gives memory by address, size bytes each.
type memVals map[mmu.Phys]uint64

// instCase is one instruction with what it starts from and what it leaves.
type instCase struct {
	rule  string
	mode  string
	code  string
	prep  func(c *testCPU)
	regs  regVals // before
	mem   memVals // before, quadwords
	want  regVals
	wmem  memVals    // after, quadwords
	ip    uint64     // after; 0: the next instruction
	fault *idt.Event // then nothing may have changed
}

func runInstCases(t *testing.T, cases []instCase) {
	for _, k := range cases {
		t.Run(k.rule+"/"+k.mode, func(t *testing.T) {
			c := newTestCPU(t, k.mode)
			for r, v := range k.regs {
				c.r[r] = v
			}
			for a, v := range k.mem {
				c.mmu.Mem.Write(a, 8, v)
			}
			if k.prep != nil {
				k.prep(c)
			}
			at := c.ip
			before, mem := c.State(), c.mmu.Mem.Fork()
			ev := c.exec1(k.code)
			c.requireFault(k.fault, ev, at)
			if ev != nil {
				after := c.State()
				require.Equal(t, before, after)
				for a := mmu.Phys(0); a < testCode; a += 8 {
					require.Equal(t, mem.Read(a, 8), c.mmu.Mem.Read(a, 8), "memory at %x", uint64(a))
				}
				return
			}
			for r, v := range k.want {
				require.Equal(t, v, c.r[r], "register %d: %x", r, c.r[r])
			}
			for a, v := range k.wmem {
				got := c.mmu.Mem.Read(a, 8)
				require.Equal(t, v, got, "memory at %x: %x", uint64(a), got)
			}
			if k.ip != 0 {
				require.Equal(t, k.ip, c.ip, "rIP %x", c.ip)
			}
		})
	}
}

func stackLimit(limit uint32) func(*testCPU) {
	return func(c *testCPU) { c.s.Seg[decode.SS].Limit = limit }
}

func TestStack(t *testing.T) {
	const sp = testStack
	runInstCases(t, []instCase{
		{rule: "PUSH SP pushes the old value", mode: "long", code: "54", want: regVals{rSP: sp - 8}, wmem: memVals{sp - 8: sp}},
		{rule: "PUSH ESP pushes the old value", mode: "pm32", code: "54", want: regVals{rSP: sp - 4}, wmem: memVals{sp - 8: sp << 32}},
		{rule: "PUSH imm8 is sign-extended", mode: "long", code: "6a f0", wmem: memVals{sp - 8: ^uint64(15)}},
		{rule: "PUSH imm32 is sign-extended to 64 bits", mode: "long", code: "68 00000080", wmem: memVals{sp - 8: 0xffffffff80000000}},
		{rule: "PUSH with 66 in 64-bit mode pushes two bytes", mode: "long", code: "66 6a f0", mem: memVals{sp - 8: 0x1111111111111111},
			want: regVals{rSP: sp - 2}, wmem: memVals{sp - 8: 0xfff0111111111111}},
		{rule: "PUSH m uses the old rSP in the address", mode: "long", code: "ff 34 24", mem: memVals{sp: 0x1122334455667788}, wmem: memVals{sp - 8: 0x1122334455667788}},
		{rule: "PUSH FS is zero-extended to 64 bits", mode: "long", code: "0f a0", mem: memVals{sp - 8: ^uint64(0)}, wmem: memVals{sp - 8: selData}},
		{rule: "PUSH DS with 32 bits leaves the upper half of the slot", mode: "pm32", code: "1e", mem: memVals{sp - 8: ^uint64(0)},
			want: regVals{rSP: sp - 4}, wmem: memVals{sp - 8: 0xffff0010_ffffffff}},
		{rule: "16-bit stack wraps and keeps the upper half of ESP", mode: "real", code: "50", regs: regVals{rSP: 0x12340000, rAX: 0xabcd},
			want: regVals{rSP: 0x1234fffe}, wmem: memVals{0xfff8: 0xabcd000000000000}},
		{rule: "PUSH across the limit is #SS(0)", mode: "real", code: "50", regs: regVals{rSP: 1}, fault: faultSS0},
		{rule: "PUSH below the limit of SS is #SS(0)", mode: "pm32", code: "50", prep: stackLimit(sp - 5), fault: faultSS0},
		{rule: "POP SP takes the value", mode: "long", code: "5c", mem: memVals{sp: 0x1234}, want: regVals{rSP: 0x1234}},
		{rule: "POP SP, 16 bits, takes the value", mode: "long", code: "66 5c", mem: memVals{sp: 0x1234}, want: regVals{rSP: 0x1234}},
		{rule: "POP m computes its address after the increment", mode: "long", code: "8f 04 24", mem: memVals{sp: 0x1122334455667788, sp + 8: 1},
			want: regVals{rSP: sp + 8}, wmem: memVals{sp + 8: 0x1122334455667788}},
		{rule: "POP m that faults leaves rSP", mode: "pm32", code: "8f 00", regs: regVals{rAX: 0xfffff000},
			prep: func(c *testCPU) { c.s.Seg[decode.DS].Limit = 0xffff }, fault: faultGP0},
		{rule: "PUSHA order, old SP", mode: "real", code: "60", regs: regVals{rAX: 0xa, rCX: 0xc, rDX: 0xd, rBX: 0xb, rBP: 0xe, rSI: 0x6, rDI: 0x7},
			want: regVals{rSP: sp - 16}, wmem: memVals{sp - 8: 0x000a000c000d000b, sp - 16: sp<<48 | 0x0000_000e_0006_0007}},
		{rule: "PUSHA that runs into the limit is #SS(0) and writes nothing", mode: "real", code: "60", regs: regVals{rSP: 7}, fault: faultSS0},
		{rule: "PUSHAD below the limit writes nothing", mode: "pm32", code: "60", prep: stackLimit(sp - 17), fault: faultSS0},
		{rule: "POPA passes over SP", mode: "real", code: "61", mem: memVals{sp: 0x9999_000e_0006_0007, sp + 8: 0x000a_000c_000d_000b},
			want: regVals{rSP: sp + 16, rDI: 7, rSI: 6, rBP: 0xe, rBX: 0xb, rDX: 0xd, rCX: 0xc, rAX: 0xa}},
		{rule: "POPAD across the limit is #SS(0)", mode: "pm32", code: "61", prep: stackLimit(sp + 30), fault: faultSS0},

		{rule: "ENTER, level 0", mode: "long", code: "c8 2000 00", regs: regVals{rBP: 0x5555}, want: regVals{rBP: sp - 8, rSP: sp - 0x28}, wmem: memVals{sp - 8: 0x5555}},
		{rule: "ENTER, level 1", mode: "pm32", code: "c8 1000 01", regs: regVals{rBP: 0x5555}, want: regVals{rBP: sp - 4, rSP: sp - 0x18}, wmem: memVals{sp - 8: 0x5555<<32 | sp - 4}},
		{rule: "ENTER, level 3 copies two frame pointers", mode: "long", code: "c8 0000 03", regs: regVals{rBP: 0x6800}, mem: memVals{0x67f8: 0x11, 0x67f0: 0x22},
			want: regVals{rBP: sp - 8, rSP: sp - 32}, wmem: memVals{sp - 8: 0x6800, sp - 16: 0x11, sp - 24: 0x22, sp - 32: sp - 8}},
		{rule: "ENTER copies what it has just pushed", mode: "long", code: "c8 0000 03", regs: regVals{rBP: sp}, mem: memVals{sp - 16: 0x22},
			want: regVals{rBP: sp - 8, rSP: sp - 32}, wmem: memVals{sp - 8: sp, sp - 16: sp, sp - 24: sp, sp - 32: sp - 8}},
		{rule: "ENTER's level is modulo 32", mode: "long", code: "c8 0000 20", want: regVals{rBP: sp - 8, rSP: sp - 8}},
		{rule: "ENTER with 66 in 64-bit mode keeps the upper part of RBP", mode: "long", code: "66 c8 1000 00", regs: regVals{rBP: 0x1111222233334444},
			want: regVals{rBP: 0x1111222233330000 | sp - 2, rSP: sp - 0x12}},
		{rule: "ENTER checks the final stack pointer", mode: "pm32", code: "c8 0010 00", prep: func(c *testCPU) {
			c.s.Seg[decode.SS].Attr |= idt.AttrDown
			c.s.Seg[decode.SS].Limit = sp - 0x800
		}, fault: faultSS0},
		{rule: "ENTER reads frame pointers before it checks the final stack pointer", mode: "long", code: "c8 ffff 02", regs: regVals{rBP: nonCanonical}, fault: faultSS0},
		{rule: "ENTER whose frame pointers cannot be read changes nothing", mode: "pm32", code: "c8 0000 02", regs: regVals{rBP: sp + 0x100}, prep: stackLimit(sp + 0x7f), fault: faultSS0},
		{rule: "LEAVE", mode: "long", code: "c9", regs: regVals{rBP: 0x6800}, mem: memVals{0x6800: 0x1234}, want: regVals{rBP: 0x1234, rSP: 0x6808}},
		{rule: "LEAVE with 66 in 64-bit mode", mode: "long", code: "66 c9", regs: regVals{rBP: 0x6800}, mem: memVals{0x6800: 0x1234}, want: regVals{rBP: 0x1234, rSP: 0x6802}},
		{rule: "LEAVE on a 16-bit stack takes BP alone", mode: "real", code: "66 c9", regs: regVals{rBP: 0x12346800, rSP: 0x77770000}, mem: memVals{0x6800: 0xdeadbeef},
			want: regVals{rBP: 0xdeadbeef, rSP: 0x77776804}},
	})
}
