package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/mmu"
)

const allFlags = flagsValid | Flag1

// TestIRETFlags: which flags IRET takes from its image, by mode, CPL, IOPL and
// operand size. The image is all ones, or all zeros upon flags all ones.
func TestIRETFlags(t *testing.T) {
	const (
		arith = FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagOF | FlagTF | FlagDF | FlagNT
		wide  = FlagRF | FlagAC | FlagID
		high  = FlagVIF | FlagVIP
	)
	for _, c := range []struct {
		name string
		mode mode
		cpl  uint8
		iopl uint64
		size uint8
		want uint64 // flags that change
	}{
		{"CPL 0, 32-bit", prot, 0, 0, 4, arith | wide | FlagIF | FlagIOPL | high},
		{"CPL 0, 16-bit", prot, 0, 0, 2, arith | FlagIF | FlagIOPL},
		{"CPL 3, IOPL 0, 32-bit", prot, 3, 0, 4, arith | wide},
		{"CPL 3, IOPL 3, 32-bit", prot, 3, 3, 4, arith | wide | FlagIF},
		{"CPL 3, IOPL 0, 16-bit", prot, 3, 0, 2, arith},
		{"CPL 1, IOPL 1, 32-bit", prot, 1, 1, 4, arith | wide | FlagIF},
		{"64-bit, CPL 0", long64, 0, 0, 8, arith | wide | FlagIF | FlagIOPL | high},
		{"64-bit, CPL 3", long64, 3, 0, 8, arith | wide},
		{"real mode, 16-bit", real16, 0, 0, 2, arith | FlagIF | FlagIOPL},
		{"real mode, 32-bit", real16, 0, 0, 4, arith | FlagIF | FlagIOPL | wide},
		{"VM86, IOPL 3, 16-bit", v86, 3, 3, 2, arith | FlagIF},
		{"VM86, IOPL 3, 32-bit", v86, 3, 3, 4, arith | FlagIF | wide},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, image := range []uint64{0, allFlags &^ FlagVM} {
				w := newWorld(t, c.mode)
				if c.mode != real16 && c.mode != v86 {
					w.ring(c.cpl)
				}
				old := Flag1 | c.iopl<<12
				if image == 0 {
					old = allFlags&^(FlagVM|FlagIOPL|FlagNT) | c.iopl<<12
				}
				if c.mode == v86 {
					old |= FlagVM
				}
				w.r.RFLAGS = old
				w.stackWords(uint(c.size), 0x1230, uint64(w.r.Seg[decode.CS].Sel), image, w.g[4], uint64(w.r.Seg[decode.SS].Sel))
				ev, ok := told(IRET(w.fake, c.size, 0))
				require.True(t, ok, "%v", ev)
				assert.Equal(t, old&^c.want|image&c.want|Flag1, w.r.RFLAGS)
			}
		})
	}
}

// TestIRETForms: where each form of IRET lands.
func TestIRETForms(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  mode
		prep  func(*world)
		size  uint8
		words []uint64
		ip    uint64
		cs    uint16
		sp    uint64
		ss    uint16
		cpl   uint8
	}{
		{"same level, 32-bit", prot, nil, 4, []uint64{handler, code0, Flag1}, handler, code0, stack0 - 0x100 + 12, data0, 0},
		{"same level, 16-bit", prot, nil, 2, []uint64{0x1230, code0, Flag1}, 0x1230, code0, stack0 - 0x100 + 6, data0, 0},
		{"same level to conforming code", prot, nil, 4, []uint64{handler, conf0, Flag1}, handler, conf0, stack0 - 0x100 + 12, data0, 0},
		{"outer level, 32-bit", prot, nil, 4, []uint64{handler, code3 | 3, Flag1, stack3, data3 | 3}, handler, code3 | 3, stack3, data3 | 3, 3},
		{"outer level, 16-bit", prot, nil, 2, []uint64{0x1230, code3 | 3, Flag1, 0x8000, data3 | 3}, 0x1230, code3 | 3, 0x8000, data3 | 3, 3},
		{"outer level to conforming code", prot, nil, 4, []uint64{handler, conf0 | 3, Flag1, stack3, data3 | 3}, handler, conf0 | 3, stack3, data3 | 3, 3},
		{"outer level to a 16-bit stack keeps the upper half of ESP", prot, func(w *world) {
			w.gdt(spare, desc(0x50000, 0xffff, attrData|dpl(3)))
		}, 4, []uint64{handler, code3 | 3, Flag1, 0xabcd8000, spare | 3}, handler, code3 | 3, 0, spare | 3, 3},
		{"upper halves of popped selectors are ignored", prot, nil, 4, []uint64{handler, 0xffff0000 | code3 | 3, Flag1, stack3, 0xffff0000 | data3 | 3}, handler, code3 | 3, stack3, data3 | 3, 3},
		{"VM in the image counts for nothing at CPL 3", prot, fromRing3(), 4, []uint64{handler, code3 | 3, Flag1 | FlagVM}, handler, code3 | 3, stack3 + 12, data3 | 3, 3},
		{"64-bit mode pops SS and RSP at the same level", long64, nil, 8, []uint64{handler, code0, Flag1, 0x1234567, data0}, handler, code0, 0x1234567, data0, 0},
		{"64-bit mode, same level, null SS", long64, nil, 8, []uint64{handler, code0, Flag1, 0x1234567, 0}, handler, code0, 0x1234567, 0, 0},
		{"64-bit mode to ring 3", long64, nil, 8, []uint64{handler, code3 | 3, Flag1, stack3, data3 | 3}, handler, code3 | 3, stack3, data3 | 3, 3},
		{"64-bit mode to ring 1 with a null SS", long64, nil, 8, []uint64{handler, code1 | 1, Flag1, stack1, 1}, handler, code1 | 1, stack1, 1, 1},
		{"64-bit mode, 32-bit operand", long64, nil, 4, []uint64{handler, code3 | 3, Flag1, stack3, data3 | 3}, handler, code3 | 3, stack3, data3 | 3, 3},
		{"64-bit mode to compatibility mode", long64, nil, 8, []uint64{handler, code32u | 3, Flag1, 0xffff_0000_0000_0000 | stack3, data3 | 3}, handler, code32u | 3, stack3, data3 | 3, 3},
		{"a non-canonical RSP is no fault of IRET", long64, nil, 8, []uint64{handler, code3 | 3, Flag1, 1 << 63, data3 | 3}, handler, code3 | 3, 1 << 63, data3 | 3, 3},
		{"compatibility mode, same level: no SS", compat, nil, 4, []uint64{handler, code32, Flag1}, handler, code32, stack0 - 0x100 + 12, data0, 0},
		{"compatibility mode to 64-bit code at an outer level", compat, nil, 4, []uint64{handler, code3 | 3, Flag1, stack3, data3 | 3}, handler, code3 | 3, stack3, data3 | 3, 3},
		{"real mode", real16, nil, 2, []uint64{0x5678, 0x4100, Flag1}, 0x5678, 0x4100, 0x2006, 0x5000, 0},
		{"VM86", v86, nil, 2, []uint64{0x5678, 0x4100, Flag1}, 0x5678, 0x4100, 0x2006, 0x5000, 3},
		{"from CPL 0 to VM86", paged, nil, 4, []uint64{0x5678, 0x4100, Flag1 | FlagVM, 0x2000, 0x5000, 0x200, 0x100, 0x300, 0x400}, 0x5678, 0x4100, 0x2000, 0x5000, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			if c.name == "outer level to a 16-bit stack keeps the upper half of ESP" {
				c.sp = w.g[4]&^0xffff | 0x8000
			}
			w.stackWords(uint(c.size), c.words...)
			ev, ok := told(IRET(w.fake, c.size, 0))
			require.True(t, ok, "%v", ev)
			assert.Equal(t, c.ip, w.r.RIP)
			assert.Equal(t, c.cs, w.r.Seg[decode.CS].Sel)
			assert.Equal(t, c.sp, w.g[4])
			assert.Equal(t, c.ss, w.r.Seg[decode.SS].Sel)
			assert.Equal(t, c.cpl, w.r.CPL)
		})
	}
}

func TestIRETToV86LoadsSegments(t *testing.T) {
	w := newWorld(t, paged)
	w.stackWords(4, 0x5678, 0x4100, Flag1|FlagVM|FlagIF|FlagIOPL|FlagVIF, 0xffff2000, 0x5000, 0x200, 0x100, 0x300, 0x400)
	_, ok := told(IRET(w.fake, 4, 0))
	require.True(t, ok)
	for reg, sel := range map[decode.SegReg]uint16{decode.CS: 0x4100, decode.SS: 0x5000, decode.ES: 0x200, decode.DS: 0x100, decode.FS: 0x300, decode.GS: 0x400} {
		assert.Equal(t, Segment{Sel: sel, Base: uint64(sel) << 4, Limit: 0xffff, Attr: attrData | dpl(3)}, w.r.Seg[reg])
	}
	assert.Equal(t, uint64(Flag1|FlagVM|FlagIF|FlagIOPL|FlagVIF), w.r.RFLAGS)
	assert.Equal(t, uint64(0xffff2000), w.g[4])
}

// TestVMEIRET: with VME a 16-bit IRET moves IF of the image to VIF.
func TestVMEIRET(t *testing.T) {
	for _, image := range []uint64{0, FlagIF} {
		w := newWorld(t, v86)
		virtual(FlagVIF, image)(w)
		_, ok := told(IRET(w.fake, 2, 0))
		require.True(t, ok)
		assert.Equal(t, image != 0, w.r.RFLAGS&FlagVIF != 0)
		assert.NotZero(t, w.r.RFLAGS&FlagIF, "IF itself stays")
		assert.Equal(t, uint64(0x1111), w.r.RIP)
	}
}

// TestOuterReturnDropsSegments: which data segments survive the way out.
func TestOuterReturnDropsSegments(t *testing.T) {
	w := newWorld(t, long64)
	w.load(decode.DS, data0)
	w.load(decode.ES, conf0)
	w.load(decode.FS, data1)
	w.r.Seg[decode.GS] = Segment{Sel: 2, Base: 0x7000, Attr: AttrUnusable}
	w.stackWords(8, handler, code3|3, Flag1, stack3, data3|3)
	_, ok := told(IRET(w.fake, 8, 0))
	require.True(t, ok)
	assert.Zero(t, w.r.Seg[decode.DS].Sel)
	assert.NotZero(t, w.r.Seg[decode.DS].Attr&AttrUnusable, "data of DPL 0")
	assert.Equal(t, uint16(conf0), w.r.Seg[decode.ES].Sel, "conforming code stays")
	assert.Zero(t, w.r.Seg[decode.FS].Sel, "data of DPL 1")
	assert.Zero(t, w.r.Seg[decode.GS].Sel, "a null selector becomes 0")
	assert.Equal(t, uint64(0x7000), w.r.Seg[decode.GS].Base, "and keeps its base")
}

// TestIRETStackFaults: the words are read from the lowest up, segment limits
// first.
func TestIRETStackFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		mode mode
		prep func(*world)
		size uint8
		want string
	}{
		{"first word not mapped", paged, func(w *world) { w.g[4] = guard + 0xff8 }, 4, "#PF(0x0) 0x60ff8"},
		{"third word not mapped", paged, func(w *world) { w.g[4] = guard - 8; w.stackWords(4, handler, code0) }, 4, "#PF(0x0) 0x60000"},
		{"SS of an outer return not mapped", paged, func(w *world) { w.g[4] = guard - 16; w.stackWords(4, handler, code3|3, Flag1, stack3) }, 4, "#PF(0x0) 0x60000"},
		{"the limit comes before the page", paged, func(w *world) { w.g[4] = guard + 0xff8; w.r.Seg[decode.SS].Limit = guard + 0xfff }, 4, "#SS(0x0)"},
		{"pops at CPL 3 need user pages", paged, fromRing3(func(w *world) { w.pte(stack3, 3) }), 4, "#PF(0x5) 0x58000"},
		{"SMAP stops pops from user pages", paged, func(w *world) { w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4SMAP) }, 4, "#PF(0x1) 0x51f00"},
		{"64-bit frame", long64, func(w *world) { w.g[4] = guard + 0xff8 }, 8, "#PF(0x0) 0x60ff8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			c.prep(w)
			before, gpr := w.r, w.g
			ev, ok := told(IRET(w.fake, c.size, 0))
			assert.Equal(t, c.want, short(ev, ok))
			assert.Equal(t, before, w.r)
			assert.Equal(t, gpr, w.g)
		})
	}
}
