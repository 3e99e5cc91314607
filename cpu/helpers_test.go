package cpu

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Where a test processor keeps its things, in physical and, as pages are
// mapped to themselves, in linear memory.
const (
	testGDT    = 0x1000
	testIDT    = 0x2000
	testTSS    = 0x3000
	testStack  = 0x7000 // top
	testCode   = 0x8000
	testData   = 0x9000
	testTables = 0x100000 // page tables
	testRAM    = 0x200000
)

// Selectors of the test processor's GDT.
const (
	selCode64  = 0x08
	selData    = 0x10
	selCode32  = 0x18
	selCode16  = 0x20
	selUser32  = 0x28 | 3
	selUserDat = 0x30 | 3
	selUser64  = 0x38 | 3
	selTSS     = 0x40
)

// testPorts is an I/O bus that remembers.
type testPorts struct {
	in   uint32
	last struct {
		port uint16
		size uint8
		v    uint32
	}
	outs int
}

func (p *testPorts) In(port uint16, size uint8) uint32 { p.last.port = port; return p.in }
func (p *testPorts) Out(port uint16, size uint8, v uint32) {
	p.last.port, p.last.size, p.last.v = port, size, v
	p.outs++
}
func (p *testPorts) Ack() uint8 { return 0x20 }

// testCPU is a processor over a real MMU, ready in one of the modes.
type testCPU struct {
	*CPU
	t     testing.TB
	ports *testPorts
}

// newTestCPU makes a processor of the max model in a mode: "real", "v86",
// "pm16", "pm32" (paging off), "pae", "long" or "compat", at CPL 0 (v86: 3).
func newTestCPU(t testing.TB, mode string) *testCPU { return newTestModel(t, "max", mode) }

func newTestModel(t testing.TB, name, mode string) *testCPU {
	t.Helper()
	m, ok := ModelByName(name)
	require.True(t, ok)
	mem := mmu.NewMemory(testRAM, m.MaxPhysBits)
	ports := &testPorts{}
	c := &testCPU{New(m, mmu.New(mem, m.Paging()), ports), t, ports}
	tables := []uint64{
		selCode64 / 8:  0x00af9b000000ffff,
		selData / 8:    0x00cf93000000ffff,
		selCode32 / 8:  0x00cf9b000000ffff,
		selCode16 / 8:  0x008f9b000000ffff,
		selUser32 / 8:  0x00cffb000000ffff,
		selUserDat / 8: 0x00cff3000000ffff,
		selUser64 / 8:  0x00affb000000ffff,
		selTSS / 8:     0x0000890000002fff | testTSS<<16,
		selTSS/8 + 1:   0,
	}
	for i, d := range tables {
		mem.Write(testGDT+mmu.Phys(i)*8, 8, d)
	}
	c.tables()
	s := c.State()
	s.RIP, s.RFLAGS = testCode, idt.Flag1
	s.GPR = [16]uint64{rSP: testStack}
	s.GDTR = idt.Table{Base: testGDT, Limit: uint16(len(tables)*8 - 1)}
	s.IDTR = idt.Table{Base: testIDT, Limit: 0xfff}
	s.TR = idt.Segment{Sel: selTSS, Attr: idt.AttrPresent | 11, Limit: 0x2fff, Base: testTSS}
	s.LDTR = idt.Segment{Attr: idt.AttrUnusable}
	s.CR0 = mmu.CR0ET & m.CR0Valid
	for i := range s.Seg {
		s.Seg[i] = idt.Segment{Limit: 0xffff, Attr: flatStack &^ (idt.AttrG | idt.AttrDB)}
	}
	s.Seg[decode.CS].Attr |= idt.AttrCode
	flat := func(cs uint16, code idt.Attr, data idt.Attr) {
		s.CR0 |= mmu.CR0PE
		for i := range s.Seg {
			s.Seg[i] = idt.Segment{Sel: selData, Limit: 0xffffffff, Attr: data}
		}
		s.Seg[decode.CS] = idt.Segment{Sel: cs, Limit: 0xffffffff, Attr: code}
	}
	const paging = mmu.CR0PG | mmu.CR0WP
	switch mode {
	case "real":
	case "v86":
		s.CR0 |= mmu.CR0PE
		s.RFLAGS |= idt.FlagVM
		s.CPL = 3
		for i := range s.Seg {
			s.Seg[i].Attr |= 3 << 5
		}
		s.Seg[decode.CS].Attr &^= idt.AttrCode
	case "pm16":
		flat(selCode16, flatCode, flatStack)
	case "pm32":
		flat(selCode32, flatCode32, flatStack)
	case "pae":
		flat(selCode32, flatCode32, flatStack)
		s.CR0 |= paging
		s.CR4 = mmu.CR4PAE
		s.CR3 = testTables + 0x4000
		s.PDPTE[0] = testTables + 0x2001
	case "long", "compat":
		if mode == "long" {
			flat(selCode64, flatCode64, flatStack)
		} else {
			flat(selCode32, flatCode32, flatStack)
		}
		s.CR0 |= paging
		s.CR4 = mmu.CR4PAE
		s.CR3 = testTables
		s.EFER = mmu.EFERLME | mmu.EFERLMA | mmu.EFERSCE
	default:
		t.Fatalf("no mode %q", mode)
	}
	c.SetState(s)
	return c
}

// tables maps the RAM to itself for all, in two-megabyte pages: for 4-level
// paging from testTables, for PAE paging from testTables + 4000h.
func (c *testCPU) tables() {
	mem := c.mmu.Mem
	mem.Write(testTables, 8, testTables+0x1007)
	mem.Write(testTables+0x1000, 8, testTables+0x2007)
	for i := range mmu.Phys(testRAM >> 21) {
		mem.Write(testTables+0x2000+8*i, 8, uint64(i)<<21|0x87)
	}
	mem.Write(testTables+0x4000, 8, testTables+0x2001)
}

// user puts the processor at CPL 3.
func (c *testCPU) user() *testCPU {
	for i := range c.s.Seg {
		c.s.Seg[i].Attr |= 3 << 5
		c.s.Seg[i].Sel |= 3
	}
	c.s.CPL = 3
	c.modeChanged()
	return c
}

// write puts code, given as hexadecimal bytes, at CS:RIP and gives its length.
func (c *testCPU) write(code string) int {
	c.t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(code, " ", ""))
	require.NoError(c.t, err)
	for i, v := range b {
		c.mmu.Mem.Write(mmu.Phys(c.csBase+c.ip)+mmu.Phys(i), 1, uint64(v))
	}
	return len(b)
}

// exec1 runs one instruction, given as hexadecimal bytes, and gives its fault
// or nil. Nothing is delivered.
func (c *testCPU) exec1(code string) *idt.Event {
	c.t.Helper()
	n := c.write(code)
	var in decode.Inst
	fetched := c.fetchInst(&in)
	c.blocks.stale = false
	c.s.RFLAGS &^= idt.FlagRF
	if !fetched || !c.exec(&in) {
		ev := c.fault
		if ev.Kind == idt.Exception {
			ev.Return = c.ip
		}
		return &ev
	}
	require.Equal(c.t, n, int(in.Len), "length of %s", code)
	c.ip = c.next
	return nil
}

// mustExec runs one instruction that must not fault.
func (c *testCPU) mustExec(code string) {
	c.t.Helper()
	require.Nil(c.t, c.exec1(code), "fault of %s", code)
}

// Faults as tests expect them.
var (
	faultUD  = &idt.Event{Vector: idt.VecUD}
	faultGP0 = &idt.Event{Vector: idt.VecGP, HasCode: true}
	faultSS0 = &idt.Event{Vector: idt.VecSS, HasCode: true}
)

// requireFault compares a fault; of a fault that is expected at the
// instruction itself Return is filled in.
func (c *testCPU) requireFault(want, got *idt.Event, at uint64) {
	c.t.Helper()
	if want == nil {
		require.Nil(c.t, got)
		return
	}
	require.NotNil(c.t, got, "no fault")
	w := *want
	if w.Kind == idt.Exception {
		w.Return = at
	}
	require.Equal(c.t, w, *got)
}

// checkAlignment arms alignment checks.
func checkAlignment(c *testCPU) {
	c.user()
	c.mmu.Ctl.CR0 |= mmu.CR0AM
	c.setFlags(c.flags() | idt.FlagAC)
}
