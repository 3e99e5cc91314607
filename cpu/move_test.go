package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// readOnly makes DS refuse stores.
func readOnly(c *testCPU) { c.s.Seg[decode.DS].Attr &^= idt.AttrWritable }

func TestMoves(t *testing.T) {
	const d = testData
	runInstCases(t, []instCase{
		{rule: "MOV m16,Sreg stores two bytes whatever the size", mode: "long", code: "48 8c 18", regs: regVals{rAX: d}, mem: memVals{d: ^uint64(0)}, wmem: memVals{d: 0xffffffffffff0010}},
		{rule: "MOV r32,Sreg is zero-extended", mode: "pm32", code: "8c d8", regs: regVals{rAX: 0xffffffff}, want: regVals{rAX: selData}},
		{rule: "MOV r16,Sreg keeps the upper half", mode: "pm32", code: "66 8c d8", regs: regVals{rAX: 0xffffffff}, want: regVals{rAX: 0xffff0000 | selData}},
		{rule: "MOV AL,moffs64", mode: "long", code: "a0 0090000000000000", regs: regVals{rAX: 0x1100}, mem: memVals{d: 0x5a}, want: regVals{rAX: 0x115a}},
		{rule: "MOV moffs32,EAX", mode: "pm32", code: "a3 00900000", regs: regVals{rAX: 0x12345678}, wmem: memVals{d: 0x12345678}},
		{rule: "MOV to a read-only segment is #GP(0)", mode: "pm32", code: "89 03", regs: regVals{rBX: d}, prep: readOnly, fault: faultGP0},
		{rule: "a store below SS with rBP as base is #SS(0)", mode: "pm32", code: "89 45 00", regs: regVals{rBP: 0x9000}, prep: stackLimit(0x8fff), fault: faultSS0},
		{rule: "a non-canonical address is #GP(0)", mode: "long", code: "8b 03", regs: regVals{rBX: 1 << 47}, fault: faultGP0},
		{rule: "a non-canonical address in rBP is #SS(0)", mode: "long", code: "8b 45 00", regs: regVals{rBP: 1 << 47}, fault: faultSS0},
		{rule: "CMOV reads its source although the condition is false", mode: "long", code: "0f 44 03", regs: regVals{rBX: 1 << 47}, fault: faultGP0},
		{rule: "CMOV of 32 bits clears the upper half although the condition is false", mode: "long", code: "0f 44 c3", regs: regVals{rAX: 0xffffffff00000001}, want: regVals{rAX: 1}},
		{rule: "LEA faults at no address", mode: "long", code: "48 8d 03", regs: regVals{rBX: 1 << 47}, want: regVals{rAX: 1 << 47}},
		{rule: "LEA with 16-bit addressing", mode: "pm32", code: "67 8d 00", regs: regVals{rBX: 0xffff, rSI: 2}, want: regVals{rAX: 1}},
		{rule: "XLAT adds AL unsigned", mode: "long", code: "d7", regs: regVals{rAX: 0x1180, rBX: d - 0x80}, mem: memVals{d: 0x77}, want: regVals{rAX: 0x1177}},
		{rule: "XLAT with an override", mode: "real", code: "26 d7", regs: regVals{rAX: 2, rBX: 0xffff}, prep: func(c *testCPU) { c.s.Seg[decode.ES].Base = d - 1 }, mem: memVals{d: 0x77}, want: regVals{rAX: 0x77}},
		{rule: "MOVSXD with a 16-bit operand reads two bytes", mode: "long", code: "66 63 03", regs: regVals{rAX: ^uint64(0), rBX: d}, mem: memVals{d: 0x18000}, want: regVals{rAX: 0xffffffffffff8000}},
		{rule: "XCHG of memory needs the right to write", mode: "pm32", code: "87 03", regs: regVals{rBX: d}, prep: readOnly, fault: faultGP0},
		{rule: "CMPXCHG needs the right to write although it fails", mode: "pm32", code: "0f b1 03", regs: regVals{rBX: d, rAX: 5}, prep: readOnly, fault: faultGP0},
		{rule: "CMPXCHG8B needs the right to write", mode: "pm32", code: "0f c7 0b", regs: regVals{rBX: d, rAX: 5}, prep: readOnly, fault: faultGP0},
		{rule: "CMPXCHG8B need not be aligned", mode: "pm32", code: "0f c7 0b", regs: regVals{rBX: d + 4}, mem: memVals{d: 7 << 32}, want: regVals{rAX: 7, rDX: 0}},
		{rule: "CMPXCHG16B must be aligned, else #GP(0)", mode: "long", code: "48 0f c7 0b", regs: regVals{rBX: d + 8}, fault: faultGP0},
		{rule: "CMPXCHG16B misaligned is #GP(0) where alignment is checked too", mode: "long", code: "48 0f c7 0b", prep: checkAlignment, regs: regVals{rBX: d + 4}, fault: faultGP0},
		{rule: "CMPXCHG8B misaligned is #AC(0) where alignment is checked", mode: "long", code: "0f c7 0b", prep: checkAlignment, regs: regVals{rBX: d + 4}, fault: &idt.Event{Vector: idt.VecAC, HasCode: true}},
		{rule: "ARPL does not write what it does not change", mode: "pm32", code: "63 0b", prep: readOnly, regs: regVals{rBX: d, rCX: 1}, mem: memVals{d: 3}},
		{rule: "ARPL needs the right to write where it raises", mode: "pm32", code: "63 0b", prep: readOnly, regs: regVals{rBX: d, rCX: 3}, fault: faultGP0},
		{rule: "BT reaches memory beyond its operand, downwards", mode: "long", code: "48 0f bb 03", regs: regVals{rBX: d + 0x100, rAX: ^uint64(0)}, mem: memVals{d + 0xf8: 0}, wmem: memVals{d + 0xf8: 1 << 63}},
		{rule: "BTS with a 16-bit operand moves by words", mode: "real", code: "0f ab 07", regs: regVals{rBX: d, rAX: 0x7fff}, mem: memVals{d + 0xff8: 0}, wmem: memVals{d + 0xff8: 1 << 63}},
		{rule: "BOUND within", mode: "pm32", code: "62 03", regs: regVals{rBX: d, rAX: 0xffffffff}, mem: memVals{d: 5<<32 | 0xfffffff0}, ip: testCode + 2},
		{rule: "BOUND beyond is #BR", mode: "pm32", code: "62 03", regs: regVals{rBX: d, rAX: 6}, mem: memVals{d: 5<<32 | 0xfffffff0}, fault: &idt.Event{Vector: idt.VecBR}},
		{rule: "BOUND with 16 bits", mode: "real", code: "62 07", regs: regVals{rBX: d, rAX: 6}, mem: memVals{d: 5 << 16}, fault: &idt.Event{Vector: idt.VecBR}},
		{rule: "CLFLUSH faults as a load does", mode: "long", code: "0f ae 3b", regs: regVals{rBX: 1 << 47}, fault: faultGP0},
		{rule: "PREFETCH never faults", mode: "long", code: "0f 18 03", regs: regVals{rBX: 1 << 47}, ip: testCode + 3},
		{rule: "multi-byte NOP reads no memory", mode: "long", code: "0f 1f 03", regs: regVals{rBX: 1 << 47}, ip: testCode + 3},
		{rule: "MOVNTI", mode: "long", code: "48 0f c3 03", regs: regVals{rBX: d, rAX: 0x123456789abcdef0}, wmem: memVals{d: 0x123456789abcdef0}},
		{rule: "UD2", mode: "long", code: "0f 0b", fault: faultUD},
		{rule: "DIV by zero in memory changes nothing", mode: "long", code: "48 f7 33", regs: regVals{rBX: d, rAX: 1}, fault: &idt.Event{Vector: idt.VecDE}},
		{rule: "CLD keeps the arithmetic flags", mode: "long", code: "fc", prep: func(c *testCPU) { c.setArith(arithFlags) }, ip: testCode + 1},
	})
}

// A read-modify-write of a read-only page is a write fault and leaves all as it was.
func TestReadModifyWriteFaultsAsAWrite(t *testing.T) {
	for _, code := range []string{"01 03", "f7 13", "fe 03", "d1 23", "0f ab 03", "87 03", "0f b1 03", "0f c1 03", "48 0f c7 0b", "0f a4 03 00"} {
		c := newTestCPU(t, "long").user()
		c.mmu.Mem.Write(testTables+0x2000, 8, 0x85) // read-only
		c.mmu.FlushAll()
		c.r[rBX] = testData
		c.r[rAX] = 1
		before := c.State()
		ev := c.exec1(code)
		require.NotNil(t, ev, code)
		require.Equal(t, idt.Event{Vector: idt.VecPF, HasCode: true, Code: mmu.PFPresent | mmu.PFWrite | mmu.PFUser, CR2: testData, Return: testCode}, *ev, code)
		after := c.State()
		after.CR2 = before.CR2
		require.Equal(t, before, after, code)
	}
}

// RDRAND is a sequence that the seed fixes.
func TestRandomIsSeeded(t *testing.T) {
	run := func(seed uint64) (v []uint64) {
		c := newTestCPU(t, "long")
		c.s.Seed = seed
		for _, code := range []string{"48 0f c7 f0", "0f c7 f0", "48 0f c7 f8", "66 0f c7 f0"} {
			c.r[rAX] = 0
			c.setArith(arithFlags)
			c.mustExec(code)
			require.Equal(t, uint64(idt.FlagCF), c.arith())
			v = append(v, c.r[rAX])
		}
		return v
	}
	a := run(1)
	require.Equal(t, a, run(1))
	require.NotEqual(t, a, run(2))
	require.Less(t, a[1], uint64(1)<<32)
	require.Less(t, a[3], uint64(1)<<16)
}

// CLFLUSH may name an execute-only segment, which no load may.
func TestCLFLUSHOfAnExecuteOnlySegment(t *testing.T) {
	c := newTestCPU(t, "pm32")
	c.s.Seg[decode.CS].Attr &^= idt.AttrWritable // not readable
	c.r[rBX] = testData
	c.mustExec("2e 0f ae 3b")
	c.requireFault(faultGP0, c.exec1("2e 8a 03"), testCode+4)
	c.s.Seg[decode.CS].Limit = testData - 1
	c.requireFault(faultGP0, c.exec1("2e 0f ae 3b"), testCode+4)
}
