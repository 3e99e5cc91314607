package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
)

func TestLoadSegment(t *testing.T) {
	flat := attrData | AttrG | AttrDB
	for _, c := range []struct {
		name string
		mode mode
		prep func(*world)
		reg  decode.SegReg
		sel  uint16
		want Segment
	}{
		{"real mode: base, not limit or rights", real16, func(w *world) { w.r.Seg[decode.DS].Limit = 0xffffffff }, decode.DS, 0x1234,
			Segment{Sel: 0x1234, Base: 0x12340, Limit: 0xffffffff, Attr: attrData}},
		{"real mode after a null selector of protected mode", real16, func(w *world) { w.r.Seg[decode.DS] = Segment{Limit: 0, Attr: AttrUnusable} }, decode.DS, 0x1234,
			Segment{Sel: 0x1234, Base: 0x12340, Limit: 0xffff, Attr: attrData}},
		{"VM86", v86, nil, decode.GS, 0x1234, Segment{Sel: 0x1234, Base: 0x12340, Limit: 0xffff, Attr: attrData | dpl(3)}},
		{"data", prot, nil, decode.DS, data0, Segment{Sel: data0, Limit: 0xffffffff, Attr: flat}},
		{"base and byte limit", prot, spareDesc(desc(0x12345678, 0xabcde, attrData)), decode.DS, spare,
			Segment{Sel: spare, Base: 0x12345678, Limit: 0xabcde, Attr: attrData}},
		{"data of a lower privilege, RPL 3", prot, nil, decode.DS, data3 | 3, Segment{Sel: data3 | 3, Limit: 0xffffffff, Attr: flat | dpl(3)}},
		{"conforming code of DPL 0 at CPL 3", prot, fromRing3(), decode.DS, conf0 | 3, Segment{Sel: conf0 | 3, Limit: 0xffffffff, Attr: attrCode | AttrG | AttrDB | AttrDown}},
		{"from the LDT", prot, nil, decode.DS, data0 | 4, Segment{Sel: data0 | 4, Limit: 0xffffffff, Attr: flat}},
		{"null keeps the RPL", prot, nil, decode.DS, 3, Segment{Sel: 3, Limit: 0xffffffff, Attr: AttrUnusable | AttrG | AttrDB}},
		{"SS", prot, nil, decode.SS, data0, Segment{Sel: data0, Limit: 0xffffffff, Attr: flat}},
		{"null SS at CPL 0 of 64-bit mode", long64, nil, decode.SS, 0, Segment{Limit: 0xffffffff, Attr: AttrUnusable | AttrG | AttrDB}},
		{"64-bit mode loads a 32-bit base", long64, spareDesc(desc(0xf2345678, 0, attrData)), decode.FS, spare,
			Segment{Sel: spare, Base: 0xf2345678, Attr: attrData}},
	} {
		t.Run(string(c.mode)+"/"+c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			ev, ok := told(LoadSegment(w.fake, c.reg, c.sel))
			require.True(t, ok, "%v", ev)
			assert.Equal(t, c.want, w.r.Seg[c.reg])
		})
	}
}

// TestLoadSetsAccessed: a load marks the descriptor, in memory and register.
func TestLoadSetsAccessed(t *testing.T) {
	w := newWorld(t, paged)
	w.edit(data0, AttrAccessed, 0)
	w.pte(gdtAt, 5)
	ev, ok := told(LoadSegment(w.fake, decode.DS, data0))
	assert.Equal(t, "#PF(0x3) 0x1015", short(ev, ok))
	w.pte(gdtAt, 7)
	_, ok = told(LoadSegment(w.fake, decode.DS, data0))
	assert.True(t, ok)
	assert.NotZero(t, w.r.Seg[decode.DS].Attr&AttrAccessed)
	assert.NotZero(t, descriptor(w.peek(gdtAt+data0, 8)).attr()&AttrAccessed)
}

func TestLoadSystem(t *testing.T) {
	w := newWorld(t, prot)
	_, ok := told(LoadTR(w.fake, tss2Sel|3))
	require.True(t, ok)
	assert.Equal(t, Segment{Sel: tss2Sel | 3, Base: tss2At, Limit: 0x67, Attr: AttrPresent | typeBusy32}, w.r.TR)
	assert.True(t, busy(w, tss2Sel))
	_, ok = told(LoadLDTR(w.fake, ldtSel))
	require.True(t, ok)
	assert.Equal(t, Segment{Sel: ldtSel, Base: ldtAt, Limit: 0x7f, Attr: AttrPresent | typeLDT}, w.r.LDTR)
	_, ok = told(LoadLDTR(w.fake, 2))
	require.True(t, ok)
	assert.Equal(t, Segment{Sel: 2, Attr: AttrUnusable}, w.r.LDTR)

	w = newWorld(t, long64)
	w.gdt(tss2Sel+8, 0xffffffff_ffff8000&0xffffffff)
	_, ok = told(LoadTR(w.fake, tss2Sel))
	require.True(t, ok)
	assert.Equal(t, uint64(0xffff8000_00000000|tss2At), w.r.TR.Base)
}

// TestQuery: LAR, LSL, VERR and VERW, and that they fault on paging alone.
func TestQuery(t *testing.T) {
	type row struct {
		name     string
		mode     mode
		cpl      uint8
		sel      uint16
		lar      uint32 // 0: ZF = 0
		lsl      uint32
		verr, vw bool
	}
	for _, c := range []row{
		{"flat data", prot, 0, data0, 0x00cf9300, 0xffffffff, true, true},
		{"code, readable", prot, 0, code0, 0x00cf9b00, 0xffffffff, true, false},
		{"null", prot, 0, 3, 0, 0, false, false},
		{"outside the GDT", prot, 0, gdtSize, 0, 0, false, false},
		{"more privileged", prot, 3, data0, 0, 0, false, false},
		{"RPL above DPL", prot, 0, data0 | 3, 0, 0, false, false},
		{"conforming code at CPL 3", prot, 3, conf0 | 3, 0x00cf9f00, 0xffffffff, true, false},
		{"TSS", prot, 0, tss2Sel, 0x00008900, 0x67, false, false},
		{"busy TSS", prot, 0, tssSel, 0x00008b00, 0x67, false, false},
		{"16-bit TSS", prot, 0, t16Sel, 0x00008100, 0x2b, false, false},
		{"16-bit TSS in IA-32e mode", long64, 0, t16Sel, 0, 0, false, false},
		{"LDT", long64, 0, ldtSel, 0x00008200, 0x7f, false, false},
	} {
		t.Run(string(c.mode)+"/"+c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			w.ring(c.cpl)
			v, zf, fault := AccessRights(w.fake, c.sel)
			assert.Nil(t, fault)
			assert.Equal(t, c.lar != 0, zf)
			assert.Equal(t, c.lar, v)
			v, zf, fault = SegmentLimit(w.fake, c.sel)
			assert.Nil(t, fault)
			assert.Equal(t, c.lsl != 0, zf)
			assert.Equal(t, c.lsl, v)
			zf, fault = Verify(w.fake, c.sel, false)
			assert.Nil(t, fault)
			assert.Equal(t, c.verr, zf)
			zf, fault = Verify(w.fake, c.sel, true)
			assert.Nil(t, fault)
			assert.Equal(t, c.vw, zf)
		})
	}
	t.Run("gates have rights but no limit", func(t *testing.T) {
		w := newWorld(t, prot)
		w.gdt(gateSel, gate(code0, handler, AttrPresent|typeCall32, 0))
		v, zf, _ := AccessRights(w.fake, gateSel)
		assert.True(t, zf)
		assert.Equal(t, uint32(0x00048c00), v)
		_, zf, _ = SegmentLimit(w.fake, gateSel)
		assert.False(t, zf)
	})
	t.Run("an unmapped GDT is a page fault", func(t *testing.T) {
		w := newWorld(t, paged)
		w.r.GDTR.Base = guard
		_, _, fault := AccessRights(w.fake, data0)
		assert.Equal(t, "#PF(0x0) 0x60010", short(told(fault)))
	})
}
