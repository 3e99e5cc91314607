package cpu

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"

	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// The layout of the little guest that random code runs in.
const (
	fzRAM   = 1 << 20
	fzGDT   = 0x1000
	fzIDT   = 0x2000 // 256 gates
	fzTSS   = 0x4000
	fzStub  = 0x5000 // handler of vector v at fzStub + 16 v
	fzTable = 0x10000
	fzCode  = 0x8000
	fzData  = 0x20000
	fzStack = 0x30000
	fzStk0  = 0x38000 // the stack of CPL 0 while code runs at CPL 3
)

// fuzzModes are the modes in which random code runs.
var fuzzModes = []string{"real", "pm16", "pm32", "pm32 paged", "pm32 PAE", "long", "long user", "compat", "vm86", "pm32 user", "pm32 limits"}

type fakeIO struct{ n uint32 }

func (f *fakeIO) In(port uint16, size uint8) uint32 {
	f.n = f.n*1664525 + uint32(port)
	return f.n
}
func (f *fakeIO) Out(port uint16, size uint8, v uint32) { f.n ^= v + uint32(port) }
func (f *fakeIO) Ack() uint8                            { return 0x20 }

func descriptor(base, limit uint32, attr uint16) uint64 {
	return uint64(limit&0xffff) | uint64(base&0xffffff)<<16 | uint64(attr&0xff)<<40 |
		uint64(limit>>16&0xf)<<48 | uint64(attr>>12)<<52 | uint64(base>>24)<<56
}

// newFuzzCPU builds the little guest in a mode, with code and data from rnd.
func newFuzzCPU(t testing.TB, mode string, code []byte, seed uint64, tlbOff bool) *CPU {
	rnd := rand.New(rand.NewPCG(seed, 7))
	mem := mmu.NewMemory(fzRAM, 40)
	model, ok := ModelByName("max")
	require.True(t, ok)
	m := mmu.New(mem, mmu.Config{MaxPhysBits: 40, TLBOff: tlbOff})
	c := New(model, m, &fakeIO{})
	put := func(p uint64, v uint64) { mem.Write(mmu.Phys(p), 8, v) }

	long := mode == "long" || mode == "long user" || mode == "compat"
	gdt := []uint64{0,
		descriptor(0, 0xfffff, 0xc09b),       // 08 code32
		descriptor(0, 0xfffff, 0xc093),       // 10 data
		descriptor(0, 0xfffff, 0xa09b),       // 18 code64
		descriptor(0, 0xfffff, 0xc0fb),       // 20 user code32
		descriptor(0, 0xfffff, 0xc0f3),       // 28 user data
		descriptor(0, 0xfffff, 0xa0fb),       // 30 user code64
		descriptor(fzTSS, 0x2067, 0x008b), 0, // 38 TSS (16 bytes in long mode)
		descriptor(0, 0xffff, 0x009b),      // 48 code16
		descriptor(0, 0xffff, 0x0093),      // 50 data16
		descriptor(0x100, 0x3ffff, 0x4093), // 58 odd data
		descriptor(0, 0x1000, 0xc097),      // 60 expand-down
	}
	for i, d := range gdt {
		put(fzGDT+uint64(i)*8, d)
	}
	for v := uint64(0); v < 256; v++ {
		h := fzStub + v*16
		switch {
		case long:
			put(fzIDT+v*16, h&0xffff|0x18<<16|0xee00<<32|h>>16<<48)
			put(fzIDT+v*16+8, 0)
		default:
			put(fzIDT+v*8, h&0xffff|0x08<<16|0xee00<<32|h>>16<<48)
		}
		if mode == "real" {
			mem.Write(mmu.Phys(v*4), 4, h)
		}
		// Handlers drop an error code where there is one, step over two bytes
		// of the instruction that faulted, and return.
		var stub []byte
		if long {
			stub = []byte{0x48, 0x83, 0x04, 0x24, 2, 0x48, 0xcf}
		} else {
			stub = []byte{0x83, 0x04, 0x24, 2, 0xcf}
		}
		if v == 8 || v >= 10 && v <= 14 || v == 17 {
			if long {
				stub = []byte{0x48, 0x83, 0xc4, 8, 0x48, 0x83, 0x04, 0x24, 2, 0x48, 0xcf}
			} else {
				stub = []byte{0x83, 0xc4, 4, 0x83, 0x04, 0x24, 2, 0xcf}
			}
		}
		mem.WriteBytes(mmu.Phys(h), stub)
	}
	mem.Write(fzTSS+4, 4, fzStk0) // ESP0, RSP0
	if !long {
		mem.Write(fzTSS+8, 4, 0x10)
	}
	mem.Write(fzTSS+102, 2, 104)

	s := c.State()
	flat := func(sel uint16, attr idt.Attr) idt.Segment {
		return idt.Segment{Sel: sel, Limit: 0xffffffff, Attr: attr}
	}
	s.GDTR = idt.Table{Base: fzGDT, Limit: uint16(len(gdt)*8 - 1)}
	s.IDTR = idt.Table{Base: fzIDT, Limit: 0xfff}
	s.TR = idt.Segment{Sel: 0x38, Base: fzTSS, Limit: 0x2067, Attr: 0x8b}
	s.LDTR = idt.Segment{Attr: idt.AttrUnusable}
	s.CR0 = mmu.CR0PE | mmu.CR0ET | mmu.CR0WP
	s.RFLAGS = idt.Flag1
	code32, data := idt.Attr(0xc09b), idt.Attr(0xc093)
	set := func(cs, ds idt.Segment) {
		for i := range s.Seg {
			s.Seg[i] = ds
		}
		s.Seg[decode.CS] = cs
	}
	set(flat(8, code32), flat(0x10, data))
	user := func() {
		s.CPL = 3
	}
	table := func(level int) { // identity tables with random holes
		switch level {
		case 2:
			put(fzTable, fzTable+0x1007)
			for i := uint64(0); i < 256; i++ {
				mem.Write(mmu.Phys(fzTable+0x1000+i*4), 4, i<<12|7)
			}
		default:
			put(fzTable, fzTable+0x1007)
			put(fzTable+0x1000, fzTable+0x2007)
			put(fzTable+0x2000, fzTable+0x3007)
			for i := uint64(0); i < 256; i++ {
				put(fzTable+0x3000+i*8, i<<12|7)
			}
		}
	}
	switch mode {
	case "real":
		s.CR0 = mmu.CR0ET
		real := idt.Segment{Limit: 0xffff, Attr: 0x93}
		set(idt.Segment{Limit: 0xffff, Attr: 0x9b}, real)
		s.IDTR = idt.Table{Limit: 0x3ff}
	case "pm16":
		set(idt.Segment{Sel: 0x48, Limit: 0xffff, Attr: 0x9b}, idt.Segment{Sel: 0x50, Limit: 0xffff, Attr: 0x93})
		s.Seg[decode.SS].Base = 0x20000
	case "pm32":
	case "pm32 limits":
		set(idt.Segment{Sel: 8, Limit: 0x8fff, Attr: 0x409b}, idt.Segment{Sel: 0x58, Base: 0x100, Limit: 0x3ffff, Attr: 0x4093})
	case "pm32 paged", "pm32 user":
		table(2)
		s.CR3, s.CR0 = fzTable, s.CR0|mmu.CR0PG
		if mode == "pm32 user" {
			set(flat(0x23, 0xc0fb), flat(0x2b, 0xc0f3))
			user()
		}
	case "vm86":
		s.RFLAGS |= idt.FlagVM | 3<<12
		v := idt.Segment{Limit: 0xffff, Attr: 0xf3}
		set(v, v)
		user()
	case "pm32 PAE":
		table(4)
		put(fzTable+0x800, fzTable+0x2001)
		s.CR3, s.CR4, s.CR0 = fzTable+0x800, mmu.CR4PAE, s.CR0|mmu.CR0PG
		s.PDPTE[0] = fzTable + 0x2001
	default:
		table(4)
		s.CR3, s.CR4, s.CR0 = fzTable, mmu.CR4PAE|mmu.CR4PGE, s.CR0|mmu.CR0PG
		s.EFER = mmu.EFERLME | mmu.EFERLMA | mmu.EFERSCE | mmu.EFERNXE
		switch mode {
		case "long":
			set(flat(0x18, 0xa09b), flat(0x10, data))
		case "long user":
			set(flat(0x33, 0xa0fb), flat(0x2b, 0xc0f3))
			user()
		}
	}
	pool := []uint64{0, 1, fzData, fzData + 0xffe, fzCode, 0x7fff, 0xffffffff, 0x80000000, ^uint64(0), 0x20, 0x8000000000000000}
	for i := range s.GPR {
		s.GPR[i] = pool[rnd.IntN(len(pool))] + uint64(rnd.IntN(3))
		if rnd.IntN(4) == 0 {
			s.GPR[i] = rnd.Uint64()
		}
		if s.EFER == 0 {
			s.GPR[i] &= 0xffffffff
		}
	}
	s.GPR[4] = fzStack
	if s.Seg[decode.SS].Limit == 0xffff {
		s.GPR[4] = 0xf000
	}
	s.RIP = fzCode
	if rnd.IntN(4) != 0 {
		s.CR4 |= mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT
	}
	if rnd.IntN(4) == 0 {
		s.FP.MXCSR = rnd.Uint32() & 0xffff
	}
	floats := []uint64{0, 1 << 63, 0x3ff0000000000000, 0x4004000000000000, 0xbfb999999999999a, 0x7ff0000000000000, 0x7ff8000000000001, 1, 0x3f8000003fc00000, fzData}
	for i := range s.FP.XMM {
		s.FP.XMM[i] = simd.Vec{Lo: floats[rnd.IntN(len(floats))], Hi: floats[rnd.IntN(len(floats))]}
	}
	c.SetState(s)
	for i := uint64(0); i < 0x1000; i += 8 {
		put(fzData+i, rnd.Uint64())
	}
	mem.WriteBytes(fzCode, code)
	if seed != 0 {
		spoil(mem, rnd)
	}
	return c
}

// spoil flips bits of the tables that the guest lives by.
func spoil(mem *mmu.Memory, rnd *rand.Rand) {
	tables := []struct{ at, size int }{
		{fzGDT, 13 * 8}, {fzIDT, 4096}, {fzTSS, 112}, {fzTable, 8}, {fzTable + 0x1000, 512}, {fzTable + 0x2000, 32}, {fzTable + 0x3000, 0x200},
	}
	for range rnd.IntN(4) {
		t := tables[rnd.IntN(len(tables))]
		p := mmu.Phys(t.at + rnd.IntN(t.size)&^7)
		mem.Write(p, 8, mem.Read(p, 8)^1<<rnd.IntN(64)^1<<rnd.IntN(64))
	}
}

// dump gives the guest's memory.
func dump(c *CPU) []byte {
	b := make([]byte, fzRAM)
	c.mmu.Mem.ReadBytes(0, b)
	return b
}

// tables gives the page tables without their A and D bits.
func tables(c *CPU) string {
	b := dump(c)[fzTable : fzTable+0x4000]
	for i := 0; i < len(b); i += 4 {
		b[i] &^= mmu.PteAccessed | mmu.PteDirty
	}
	return string(b)
}

// runTo runs until the clock reaches a tick or the processor stops for good.
func runTo(c *CPU, tick uint64, advance func() Stop) {
	for c.Ticks() < tick {
		switch advance() {
		case StopHalt, StopShutdown:
			return
		}
	}
}

// checkWays runs the same code block by block, in slices, step by step, and
// with the TLB off, and wants the same state and memory from all.
func checkWays(t testing.TB, mode string, code []byte, seed uint64) {
	const ticks = 300
	run := newFuzzCPU(t, mode, code, seed, false)
	runTo(run, ticks, func() Stop { return run.Run(ticks) })
	want, wantMem := run.State(), dump(run)
	sameMode(t, run, mode, code)

	// Without a TLB the run is the same, unless the guest has changed its
	// tables without a flush: A and D bits apart.
	walk := newFuzzCPU(t, mode, code, seed, true)
	before := tables(walk)
	runTo(walk, ticks, func() Stop { return walk.Run(ticks) })
	if before == tables(run) && before == tables(walk) {
		sameState(t, want, walk.State(), "run and run without TLB", mode, code)
	}

	step := newFuzzCPU(t, mode, code, seed, false)
	runTo(step, ticks, step.Step)
	sameState(t, want, step.State(), "run and step", mode, code)
	require.True(t, string(wantMem) == string(dump(step)), "%s: run and step leave different memory\n%s", mode, listing(mode, code))

	slices := newFuzzCPU(t, mode, code, seed, false)
	n := uint64(0)
	runTo(slices, ticks, func() Stop { n = n*5%7 + 1; return slices.Run(min(slices.Ticks()+n, ticks)) })
	sameState(t, want, slices.State(), "run and run in slices", mode, code)
	require.True(t, string(wantMem) == string(dump(slices)), "%s: run and run in slices leave different memory\n%s", mode, listing(mode, code))
}

// sameMode wants what the processor keeps derived from its mode to be what the mode gives.
func sameMode(t testing.TB, c *CPU, mode string, code []byte) {
	t.Helper()
	derived := func() []any {
		return []any{c.mode, c.spMask, c.ipMask, c.dataAcc, c.fetchAcc, c.protected, c.v86, c.long, c.alignCheck, c.csBase, c.key, c.canonShift, fmt.Sprintf("%p", c.view)}
	}
	was := derived()
	c.modeChanged()
	require.Equal(t, derived(), was, "%s: derived anew, and as kept\n%s", mode, listing(mode, code))
}

// sameState fails with the fields that differ.
func sameState(t testing.TB, a, b State, what, mode string, code []byte) {
	t.Helper()
	if a == b {
		return
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	diff := ""
	for i := range x.NumField() {
		if f, g := fmt.Sprintf("%+x", x.Field(i)), fmt.Sprintf("%+x", y.Field(i)); f != g {
			diff += fmt.Sprintf("%s:\n  %s\n  %s\n", x.Type().Field(i).Name, f, g)
		}
	}
	t.Fatalf("%s: %s differ\n%s%s", mode, what, diff, listing(mode, code))
}

func listing(mode string, code []byte) string {
	out := fmt.Sprintf("% x\n", code)
	m := decode.Mode32
	switch mode {
	case "real", "pm16", "vm86":
		m = decode.Mode16
	case "long", "long user":
		m = decode.Mode64
	}
	var d decode.Decoder
	d.Features = ^decode.Feature(0)
	for pos := 0; pos < len(code); {
		var in decode.Inst
		if d.Decode(&in, code[pos:min(len(code), pos+15)], m) != decode.OK {
			out += fmt.Sprintf("%4x (bad)\n", fzCode+pos)
			pos++
			continue
		}
		out += fmt.Sprintf("%4x %v\n", fzCode+pos, x86asm.Op(in.Op))
		pos += int(in.Len)
	}
	return out
}

// FuzzRun runs random code in every mode: nothing panics, and blocks, slices
// and single steps agree.
func FuzzRun(f *testing.F) {
	for i := range fuzzModes {
		f.Add(uint8(i), uint64(i), []byte("\x01\xd8\x89\x03\x50\x58\x75\xf8\xf3\xa4\xc3"))
	}
	f.Fuzz(func(t *testing.T, mode uint8, seed uint64, code []byte) {
		if len(code) > 256 {
			code = code[:256]
		}
		checkWays(t, fuzzModes[int(mode)%len(fuzzModes)], code, seed)
	})
}

// pick is a pool of opcodes that random code is made of, so that it gets
// further than random bytes do.
var pick = [][]byte{
	{0x01}, {0x03}, {0x29}, {0x2b}, {0x31}, {0x33}, {0x39}, {0x3b}, {0x09}, {0x21}, {0x11}, {0x19}, {0x85}, {0x84}, {0x88}, {0x8a}, {0x89}, {0x8b}, {0x8d},
	{0x00}, {0x02}, {0x28}, {0x38}, {0x3a}, {0x30}, {0x50}, {0x51}, {0x58}, {0x5b}, {0x90}, {0x40}, {0x48}, {0x4b}, {0x83}, {0x81}, {0x80}, {0xc1}, {0xd1}, {0xd3}, {0xc0},
	{0x0f, 0xb6}, {0x0f, 0xb7}, {0x0f, 0xbe}, {0x0f, 0xaf}, {0x69}, {0x6b}, {0xf7}, {0xff}, {0x74, 3}, {0x75, 2}, {0x72, 1}, {0x7c, 0}, {0x7f, 4}, {0xe8, 1, 0, 0, 0}, {0xc3},
	{0xeb, 2}, {0xa4}, {0xaa}, {0xf3, 0xa4}, {0xf3, 0xaa}, {0xf3, 0xa6}, {0x6a, 5}, {0x68}, {0xb8}, {0xbb}, {0xc7, 0x03}, {0x0f, 0x94}, {0x0f, 0x44}, {0x9c}, {0x9d}, {0xcc}, {0xcd, 0x30},
	{0x0f, 0x28}, {0x0f, 0x29}, {0x66, 0x0f, 0x6f}, {0x66, 0x0f, 0x7f}, {0xf3, 0x0f, 0x6f}, {0xf3, 0x0f, 0x7f}, {0x66, 0x0f, 0x6e}, {0x66, 0x0f, 0x7e}, {0xf3, 0x0f, 0x7e},
	{0xf3, 0x0f, 0x10}, {0xf2, 0x0f, 0x10}, {0xf2, 0x0f, 0x11}, {0xf2, 0x0f, 0x58}, {0x66, 0x0f, 0x59}, {0x0f, 0x5c}, {0xf3, 0x0f, 0x5e}, {0xf2, 0x0f, 0x51}, {0xf2, 0x0f, 0x5f},
	{0x66, 0x0f, 0xef}, {0x66, 0x0f, 0xfe}, {0x66, 0x0f, 0x60}, {0x66, 0x0f, 0x70}, {0x66, 0x0f, 0x73}, {0x66, 0x0f, 0xd3}, {0x66, 0x0f, 0xd7}, {0x0f, 0xc6}, {0x0f, 0x06}, {0x0f, 0x22, 0xc0}, {0x0f, 0x20, 0xd0},
	{0xfb}, {0xfa}, {0xf5}, {0x0f, 0xab}, {0x0f, 0xb1}, {0x0f, 0xa2}, {0x87}, {0x66, 0x89}, {0x66, 0x01}, {0x64, 0x8b}, {0x65, 0x89}, {0x67, 0x8b}, {0xf0, 0x01}, {0x48, 0x01}, {0x4c, 0x8b}, {0x49, 0x89}, {0x8e}, {0x8c}, {0x0f, 0x31}, {0xcf},
}

func randomCode(rnd *rand.Rand) []byte {
	var code []byte
	for len(code) < 80 {
		code = append(code, pick[rnd.IntN(len(pick))]...)
		for range rnd.IntN(4) {
			code = append(code, byte(rnd.Uint32()))
		}
	}
	return code
}

func TestRunAndStepAgree(t *testing.T) {
	n := 40
	if testing.Short() {
		n = 20
	}
	for _, mode := range fuzzModes {
		t.Run(mode, func(t *testing.T) {
			for seed := range uint64(n) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				checkWays(t, mode, randomCode(rnd), seed)
			}
		})
	}
}
