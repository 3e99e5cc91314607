package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// budget runs a string instruction with a number of iterations allowed.
func (c *testCPU) budget(code string, n int64) *idt.Event {
	c.limit = c.s.Ticks + uint64(n)
	return c.exec1(code)
}

func (c *testCPU) fillRAM(seed uint64, from, to mmu.Phys) {
	r := rand.New(rand.NewPCG(seed, 1))
	for p := from; p < to; p += 8 {
		c.mmu.Mem.Write(p, 8, r.Uint64())
	}
}

func TestStrings(t *testing.T) {
	const d = testData
	df := func(c *testCPU) { c.s.RFLAGS |= idt.FlagDF; c.limit = 1 << 40 }
	run := func(c *testCPU) { c.limit = 1 << 40 }
	runInstCases(t, []instCase{
		{rule: "MOVSB without REP leaves rCX", mode: "long", code: "a4", regs: regVals{rCX: 5, rSI: d, rDI: d + 8}, mem: memVals{d: 0x1234}, wmem: memVals{d + 8: 0x34}, want: regVals{rCX: 5, rSI: d + 1, rDI: d + 9}},
		{rule: "MOVSQ downwards", mode: "long", code: "48 a5", prep: df, regs: regVals{rSI: d, rDI: d + 8}, mem: memVals{d: 0x1234}, wmem: memVals{d + 8: 0x1234}, want: regVals{rSI: d - 8, rDI: d}},
		{rule: "REP with rCX = 0 does nothing", mode: "long", code: "f3 a4", prep: run, regs: regVals{rSI: 1 << 47, rDI: 1 << 47}, want: regVals{rSI: 1 << 47}},
		{rule: "REP with 67 looks at ECX alone and writes nothing for zero", mode: "long", code: "67 f3 a4", prep: run, regs: regVals{rCX: 1 << 32, rSI: 1 << 47}, want: regVals{rCX: 1 << 32, rSI: 1 << 47}},
		{rule: "67 cuts and zero-extends the registers", mode: "long", code: "67 f3 a4", prep: run, regs: regVals{rCX: 1<<32 | 2, rSI: 1<<32 | d, rDI: 1<<32 | d + 8}, mem: memVals{d: 0x1234}, wmem: memVals{d + 8: 0x1234}, want: regVals{rCX: 0, rSI: d + 2, rDI: d + 10}},
		{rule: "REPNE repeats MOVS too", mode: "long", code: "f2 a4", prep: run, regs: regVals{rCX: 2, rSI: d, rDI: d + 8}, mem: memVals{d: 0x1234}, wmem: memVals{d + 8: 0x1234}, want: regVals{rCX: 0}},
		{rule: "16-bit addresses wrap at 64 KiB", mode: "real", code: "f3 a4", prep: run, regs: regVals{rCX: 4, rSI: 0xaaaafffe, rDI: d}, mem: memVals{0xfff8: 0x2211 << 48, 0: 0x4433}, wmem: memVals{d: 0x44332211}, want: regVals{rCX: 0, rSI: 0xaaaa0002}},
		{rule: "16-bit destinations wrap at 64 KiB", mode: "real", code: "f3 aa", prep: run, regs: regVals{rAX: 0x5a, rCX: 4, rDI: 0xfffe}, wmem: memVals{0xfff8: 0x5a5a << 48, 0: 0x5a5a}, want: regVals{rDI: 2}},
		{rule: "a segment override moves the source alone", mode: "real", code: "26 a4", prep: func(c *testCPU) { c.s.Seg[decode.ES].Base = 0x100 }, regs: regVals{rSI: d, rDI: d}, mem: memVals{d + 0x100: 0x42}, wmem: memVals{d + 0x100: 0x42}},
		{rule: "FS moves the source in 64-bit mode", mode: "long", code: "64 48 ad", prep: func(c *testCPU) { c.s.Seg[decode.FS].Base = d }, regs: regVals{rSI: 8}, mem: memVals{d + 8: 0x42}, want: regVals{rAX: 0x42, rSI: 16}},
		{rule: "LODSD clears the upper half", mode: "long", code: "ad", regs: regVals{rAX: ^uint64(0), rSI: d}, mem: memVals{d: 0x1_00000042}, want: regVals{rAX: 0x42}},
		{rule: "LODSB keeps the rest", mode: "long", code: "ac", regs: regVals{rAX: ^uint64(0), rSI: d}, mem: memVals{d: 0x42}, want: regVals{rAX: 0xffffffffffffff42}},
		{rule: "REP LODSW keeps the last", mode: "pm32", code: "f3 66 ad", prep: run, regs: regVals{rCX: 2, rSI: d}, mem: memVals{d: 0x22221111}, want: regVals{rAX: 0x2222, rCX: 0}},
		{rule: "STOSW", mode: "pm32", code: "f3 66 ab", prep: run, regs: regVals{rAX: 0xff2211, rCX: 3, rDI: d}, wmem: memVals{d: 0x0000_2211_2211_2211}},
		{rule: "REPE CMPSB ends at the first difference", mode: "long", code: "f3 a6", prep: run, regs: regVals{rCX: 9, rSI: d, rDI: d + 8}, mem: memVals{d: 0x01020304, d + 8: 0x01040304}, want: regVals{rCX: 6, rSI: d + 3, rDI: d + 11}},
		{rule: "REPNE CMPSB ends at the first match", mode: "long", code: "f2 a6", prep: run, regs: regVals{rCX: 9, rSI: d, rDI: d + 8}, mem: memVals{d: 0x01020304, d + 8: 0x01021111}, want: regVals{rCX: 6}},
		{rule: "REPNE SCASB finds", mode: "long", code: "f2 ae", prep: run, regs: regVals{rAX: 0, rCX: ^uint64(0), rDI: d}, mem: memVals{d: 0x414141}, want: regVals{rCX: ^uint64(0) - 4, rDI: d + 4}},
		{rule: "REPE SCASD compares all of EAX", mode: "long", code: "f3 af", prep: run, regs: regVals{rAX: 0x1_00000007, rCX: 3, rDI: d}, mem: memVals{d: 0x8_00000007}, want: regVals{rCX: 1, rDI: d + 8}},
		{rule: "a first iteration that faults changes nothing", mode: "pm32", code: "f3 aa", prep: func(c *testCPU) { c.limit = 1 << 40; c.s.Seg[decode.ES].Limit = d - 1 }, regs: regVals{rCX: 4, rDI: d}, fault: faultGP0},
		{rule: "ES must be writable, else #GP(0)", mode: "pm32", code: "f3 aa", prep: func(c *testCPU) { c.limit = 1 << 40; c.s.Seg[decode.ES].Attr &^= idt.AttrWritable }, regs: regVals{rCX: 4, rDI: d}, fault: faultGP0},
		{rule: "an override of SS faults with #SS(0)", mode: "pm32", code: "36 a4", prep: stackLimit(d - 1), regs: regVals{rSI: d, rDI: d}, fault: faultSS0},
	})
}

// The flags after a repeated comparison are those of the last one.
func TestComparisonFlags(t *testing.T) {
	c := newTestCPU(t, "long")
	c.mmu.Mem.Write(testData, 8, 0x0000000000030201)
	c.r[rAX], c.r[rCX], c.r[rDI] = 2, 2, testData
	require.Nil(t, c.budget("f3 ae", 100))
	require.Equal(t, uint64(1), c.r[rCX], "2 - 1 is not equal")
	require.Zero(t, c.arith())
	c.ip = testCode
	require.Nil(t, c.budget("f3 ae", 100))
	require.Zero(t, c.r[rCX])
	require.Equal(t, uint64(idt.FlagZF|idt.FlagPF), c.arith())
}

// A fault in an iteration leaves those before it done.
func TestRepeatCommitsEachIteration(t *testing.T) {
	for _, code := range []string{"f3 a4", "f3 aa", "f3 48 a5", "f3 48 ab"} {
		c := newTestCPU(t, "long")
		c.mmu.Mem.Write(testTables+0x2000, 8, testTables+0x5007) // 4 KiB pages
		for i := range mmu.Phys(16) {
			c.mmu.Mem.Write(testTables+0x5000+8*i, 8, uint64(i)<<12|7)
		}
		c.mmu.Mem.Write(testTables+0x5000+8*13, 8, 0)
		c.mmu.FlushAll()
		c.r[rCX], c.r[rSI], c.r[rDI], c.r[rAX] = 1000, 0xa003, 0xcf00, 0x4242424242424242
		ev := c.budget(code, 1<<30)
		require.NotNil(t, ev, code)
		require.Equal(t, idt.Event{Vector: idt.VecPF, HasCode: true, Code: mmu.PFWrite, CR2: 0xd000, Return: testCode}, *ev, code)
		size := uint64(1)
		if len(code) > 5 {
			size = 8
		}
		require.Equal(t, uint64(0xd000), c.r[rDI], code)
		require.Equal(t, 1000-0x100/size, c.r[rCX], code)
		require.Equal(t, int64(0x100/size), c.repDone, code)
		if code == "f3 a4" || code == "f3 48 a5" {
			require.Equal(t, uint64(0xa103), c.r[rSI], code)
		}
	}
}

// An element that crosses into a page that faults is not half-written.
func TestRepeatAcrossAPageFaultWritesWholeElements(t *testing.T) {
	c := newTestCPU(t, "pm32")
	c.s.Seg[decode.ES].Limit = 0xa002
	c.r[rAX], c.r[rCX], c.r[rDI] = 0x44332211, 10, 0xa000-5
	ev := c.budget("f3 ab", 1<<30)
	c.requireFault(faultGP0, ev, testCode)
	require.Equal(t, uint64(0xa003), c.r[rDI])
	require.Equal(t, uint64(8), c.r[rCX])
	require.Equal(t, uint64(0x443322), c.mmu.Mem.Read(0xa000, 8))
}

// When the budget is used up the instruction comes again, and pieces give what
// the whole gives.
func TestRepeatBudget(t *testing.T) {
	for _, code := range []string{"f3 a4", "f3 aa", "f2 ae", "f3 a6", "f3 ac"} {
		whole, pieces := newTestCPU(t, "long"), newTestCPU(t, "long")
		for _, c := range []*testCPU{whole, pieces} {
			c.r[rCX], c.r[rSI], c.r[rDI] = 100, testData, testData+0x1000-20
		}
		require.Nil(t, whole.budget(code, 1<<30))
		require.Equal(t, uint64(testCode+2), whole.ip, code)
		for n := int64(1); pieces.ip == testCode; n = n%7 + 1 {
			before := pieces.r[rCX]
			require.Nil(t, pieces.budget(code, n))
			require.LessOrEqual(t, pieces.repDone, n)
			require.Equal(t, before-uint64(pieces.repDone), pieces.r[rCX])
		}
		require.Equal(t, whole.State(), pieces.State(), code)
		require.True(t, whole.mmu.Mem.Equal(pieces.mmu.Mem), code)
	}
}

// Bulk runs and single elements give the same registers, memory and faults:
// any overlap, size, direction, address size and limit.
func TestBulkStringsEqualElements(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	ops := []string{"a4", "a5", "aa", "ab", "ae", "a6"}
	for i := range 600 {
		mode := []string{"real", "pm32", "long", "compat"}[r.IntN(4)]
		code := []string{"f3 ", "f2 "}[r.IntN(2)]
		if r.IntN(3) == 0 {
			code += "66 "
		}
		if r.IntN(4) == 0 {
			code += "67 "
		}
		if mode == "long" && r.IntN(2) == 0 {
			code += "48 "
		}
		code += ops[r.IntN(len(ops))]
		page := 0xa000 + uint64(r.IntN(4))<<12
		src := page + uint64(r.IntN(3))*0xff0 + uint64(r.IntN(20))
		dst := src + uint64(r.IntN(64)) - 32
		if r.IntN(3) == 0 {
			dst = 0xfff0 + uint64(r.IntN(32))
		}
		count := uint64(r.IntN(400))
		if r.IntN(8) == 0 {
			count = 9000
		}
		limit := uint32(0xffff)
		if r.IntN(3) == 0 {
			limit = uint32(dst) + uint32(r.IntN(600))
		}
		ax, down := r.Uint64(), r.IntN(6) == 0
		run := func(bulk bool) (*testCPU, *idt.Event) {
			c := newTestCPU(t, mode)
			c.fillRAM(3, 0x9000, 0x12000)
			c.r[rSI], c.r[rDI], c.r[rCX], c.r[rAX] = src, dst, count, ax
			if down {
				c.s.RFLAGS |= idt.FlagDF
			}
			c.s.Seg[decode.ES].Limit = limit
			for p := mmu.Linear(0x9000); p < 0x12000; p += mmu.PageSize { // warm the view
				c.mmu.Read(p, 1, c.dataAcc)
				c.mmu.Probe(p, 1, c.dataAcc|mmu.Write)
			}
			if !bulk {
				c.view = mmu.NoView()
			}
			ev := c.budget(code, 20000)
			c.view = nil
			return c, ev
		}
		a, aev := run(true)
		b, bev := run(false)
		what := fmt.Sprintf("case %d: %s %s si=%x di=%x cx=%x limit=%x", i, mode, code, src, dst, count, limit)
		require.Equal(t, bev, aev, what)
		require.Equal(t, b.State(), a.State(), what)
		require.Equal(t, b.repDone, a.repDone, what)
		require.True(t, a.mmu.Mem.Equal(b.mmu.Mem), what)
	}
}

func BenchmarkStrings(b *testing.B) {
	for _, k := range []struct {
		name, code string
		count      uint64
		size       int64
	}{
		{"MOVSB-4096", "f3 a4", 4096, 1}, {"MOVSB-64", "f3 a4", 64, 1}, {"MOVSQ-512", "f3 48 a5", 512, 8},
		{"MOVSQ-8192", "f3 48 a5", 8192, 8}, {"STOSQ-512", "f3 48 ab", 512, 8}, {"SCASB-4096", "f2 ae", 4096, 1},
	} {
		b.Run(k.name, func(b *testing.B) {
			c := newTestCPU(b, "long")
			c.r[rAX] = 0x0101010101010102
			require.Nil(b, c.exec1("90"))
			c.ip = testCode
			c.r[rDI] = 0x50003
			require.Nil(b, c.budget(k.code, 1))
			var in decode.Inst
			c.ip = testCode
			require.True(b, c.fetchInst(&in))
			c.limit = 1 << 62
			b.SetBytes(int64(k.count) * k.size)
			b.ReportAllocs()
			for b.Loop() {
				c.r[rCX], c.r[rSI], c.r[rDI] = k.count, 0x30000, 0x50003
				if !c.exec(&in) {
					b.Fatal(c.fault)
				}
			}
		})
	}
}
