// Package mutants tests the tests: each deliberate bug of a list, put into a
// handler of the emulator, must be found by a campaign of x86emu diff within
// 50,000 cases.
package mutants

// Mutant is one deliberate bug: a piece of a file that is there once, and what
// stands there instead.
type Mutant struct {
	Name     string
	File     string // from the root of the repository
	Old, New string
	Gen      string // the generator that finds it
	Against  string // the oracle that tells
}

// All is the list.
var All = []Mutant{
	{"IDIV: the remainder has the divisor's sign", "cpu/muldiv.go",
		"if negDividend {\n\t\tr = -r", "if negDivisor {\n\t\tr = -r", "insn", "native"},
	{"RCR turns through the carry one step too few times", "cpu/shift.go",
		"if r := n % (w + 1); r != 0 {", "if r := n % w; r != 0 {", "insn", "native"},
	{"BTR in memory takes its offset without a sign", "cpu/bit.go",
		"words := int64(signExtend(off, size)) >> bits", "words := int64(off) >> bits", "insn", "native"},
	{"CMPXCHG compares the wrong way round", "cpu/exchange.go",
		"c.flagsSub(acc, dst, acc-dst, size)", "c.flagsSub(dst, acc, dst-acc, size)", "insn", "native"},
	{"MOVS goes backwards on rDI only", "cpu/string.go",
		"\tc.passElements(regSI, in, 1)\n\tc.passElements(regDI, in, 1)\n\treturn true\n}\n\nfunc stos",
		"\tc.setGPR(regSI, in.AddrSize, c.r[regSI]+uint64(stringSize(in)))\n\tc.passElements(regDI, in, 1)\n\treturn true\n}\n\nfunc stos", "insn", "native"},
	{"AAA keeps the upper digit of AL", "cpu/bcd.go",
		"c.setGPR(0, 2, (ax+adjust)&0xff0f)", "c.setGPR(0, 2, ax+adjust)", "insn", "native"},
	{"SHRD takes CF one bit too high", "cpu/shift.go",
		"cf = bitOf(v, (n-1)&63)", "cf = bitOf(v, n&63)", "insn", "native"},
	{"INC changes CF", "cpu/alu.go",
		"\told := c.aux\n\tc.flagsAdd(a, 1, a+1, in.Args[0].Size)\n\tc.keepCF(old)", "\tc.flagsAdd(a, 1, a+1, in.Args[0].Size)", "insn", "native"},
	{"ENTER of a nesting level copies one frame less", "cpu/stack.go",
		"if i > 0 && i < level {\n\t\t\tv, _", "if i > 1 && i < level {\n\t\t\tv, _", "insn", "native"},
	{"SMAP spares no access with AC set", "mmu/check.go",
		"if user && m.smap && a&(User|AC) == 0 {", "if user && m.smap && a&User == 0 {", "paging", "model"},
	{"a write makes every entry dirty", "mmu/walk.go",
		"if l == p.low && a&Write != 0 {\n\t\t\tset |= PteDirty", "if a&Write != 0 {\n\t\t\tset |= PteDirty", "paging", "model"},
	{"a 64-bit frame is aligned to 8 bytes", "idt/deliver64.go",
		"f.sp &^= 15", "f.sp &^= 7", "delivery", "model"},
	{"IRET within a level leaves the stack in 64-bit mode", "idt/iret.go",
		"if rpl(cs.sel) > r.CPL || p.mode64() {", "if rpl(cs.sel) > r.CPL {", "delivery", "model"},
}
