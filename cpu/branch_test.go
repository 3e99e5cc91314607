package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
)

func codeLimit(limit uint32) func(*testCPU) {
	return func(c *testCPU) { c.s.Seg[decode.CS].Limit = limit }
}

func TestBranch(t *testing.T) {
	const sp, ip = testStack, testCode
	runInstCases(t, []instCase{
		{rule: "JMP rel8 backwards", mode: "long", code: "eb f0", ip: ip + 2 - 16},
		{rule: "JMP rel16 wraps IP", mode: "real", code: "e9 0080", ip: 3},
		{rule: "JMP with a 16-bit operand clears the upper half of EIP", mode: "pm32", code: "66 e9 0080", ip: 4},
		{rule: "66 is ignored by near branches in 64-bit mode", mode: "long", code: "66 e9 00010000", ip: ip + 6 + 0x100},
		{rule: "JMP r64", mode: "long", code: "ff e0", regs: regVals{rAX: 0xffff800000001234}, ip: 0xffff800000001234},
		{rule: "JMP to a non-canonical address is #GP(0)", mode: "long", code: "ff e0", regs: regVals{rAX: 0x800000000000}, fault: faultGP0},
		{rule: "JMP beyond the CS limit is #GP(0)", mode: "pm32", code: "ff e0", regs: regVals{rAX: ip + 0x1000}, prep: codeLimit(ip + 0xfff), fault: faultGP0},
		{rule: "JMP to the CS limit", mode: "pm32", code: "ff e0", regs: regVals{rAX: ip + 0xfff}, prep: codeLimit(ip + 0xfff), ip: ip + 0xfff},
		{rule: "Jcc not taken looks at no target", mode: "pm32", code: "74 7f", prep: codeLimit(ip + 2), ip: ip + 2},
		{rule: "Jcc taken beyond the limit is #GP(0)", mode: "pm32", code: "75 7f", prep: codeLimit(ip + 2), fault: faultGP0},
		{rule: "CALL rel32", mode: "long", code: "e8 00010000", want: regVals{rSP: sp - 8}, wmem: memVals{sp - 8: ip + 5}, ip: ip + 0x105},
		{rule: "CALL with a 16-bit operand pushes IP", mode: "pm32", code: "66 e8 0001", want: regVals{rSP: sp - 2}, wmem: memVals{sp - 8: (ip + 4) << 48}, ip: ip + 0x104},
		{rule: "CALL [rSP] reads before it pushes", mode: "long", code: "ff 14 24", mem: memVals{sp: 0xffff800000005000}, wmem: memVals{sp - 8: ip + 3}, ip: 0xffff800000005000},
		{rule: "CALL to a bad target pushes nothing", mode: "pm32", code: "ff d0", regs: regVals{rAX: 0x9000}, prep: codeLimit(ip + 0x10), fault: faultGP0},
		{rule: "CALL without room on the stack is #SS(0)", mode: "real", code: "e8 0000", regs: regVals{rSP: 1}, fault: faultSS0},
		{rule: "JMP m16", mode: "real", code: "ff 27", regs: regVals{rBX: testData}, mem: memVals{testData: 0x99991234}, ip: 0x1234},
		{rule: "CALL m32", mode: "pm32", code: "ff 13", regs: regVals{rBX: testData}, mem: memVals{testData: 0x99_00001234}, ip: 0x1234},
		{rule: "RET", mode: "long", code: "c3", mem: memVals{sp: 0x5000}, want: regVals{rSP: sp + 8}, ip: 0x5000},
		{rule: "RET imm16 is unsigned", mode: "pm32", code: "c2 00ff", mem: memVals{sp: 0x5000}, want: regVals{rSP: sp + 4 + 0xff00}, ip: 0x5000},
		{rule: "RET to a non-canonical address is #GP(0) and keeps RSP", mode: "long", code: "c3", mem: memVals{sp: 1 << 47}, fault: faultGP0},
		{rule: "RET with a 16-bit operand", mode: "pm32", code: "66 c3", mem: memVals{sp: 0x99995000}, want: regVals{rSP: sp + 2}, ip: 0x5000},
		{rule: "LOOP counts in RCX", mode: "long", code: "e2 10", regs: regVals{rCX: 0x100000000}, want: regVals{rCX: 0xffffffff}, ip: ip + 0x12},
		{rule: "LOOP with 67 counts in ECX", mode: "long", code: "67 e2 10", regs: regVals{rCX: 0x500000001}, want: regVals{rCX: 0}, ip: ip + 3},
		{rule: "LOOP with 67 in 16-bit code counts in ECX", mode: "real", code: "67 e2 10", regs: regVals{rCX: 0x10000}, want: regVals{rCX: 0xffff}, ip: ip + 0x13},
		{rule: "LOOP in 16-bit code counts in CX", mode: "real", code: "e2 10", regs: regVals{rCX: 0x10000}, want: regVals{rCX: 0x1ffff}, ip: ip + 0x12},
		{rule: "LOOPE stops at ZF = 0", mode: "long", code: "e1 10", regs: regVals{rCX: 5}, want: regVals{rCX: 4}, ip: ip + 2},
		{rule: "LOOPNE goes on at ZF = 0", mode: "long", code: "e0 10", regs: regVals{rCX: 5}, want: regVals{rCX: 4}, ip: ip + 0x12},
		{rule: "LOOP to a bad target leaves the count", mode: "pm32", code: "e2 10", regs: regVals{rCX: 5}, prep: codeLimit(ip + 2), fault: faultGP0},
		{rule: "JRCXZ", mode: "long", code: "e3 10", regs: regVals{rCX: 1 << 32}, ip: ip + 2},
		{rule: "JECXZ in 64-bit mode", mode: "long", code: "67 e3 10", regs: regVals{rCX: 1 << 32}, ip: ip + 0x13},
		{rule: "JCXZ in 32-bit code", mode: "pm32", code: "67 e3 10", regs: regVals{rCX: 1 << 16}, ip: ip + 0x13},
	})
}

// In compatibility mode a register may still have what 64-bit code left in its upper half.
func TestBranchByRegisterTakes32Bits(t *testing.T) {
	checkWays(t, "compat", []byte{0x31, 0xc9, 0xff, 0xe0}, 0) // xor ecx,ecx; jmp eax
	c := newFuzzCPU(t, "compat", []byte{0xff, 0xe0}, 0, false)
	s := c.State()
	s.GPR[0] = 0x5_0000_0000 + fzCode
	c.SetState(s)
	c.Run(c.Ticks() + 1)
	assert.EqualValues(t, fzCode, c.State().RIP)
}
