package diff

import (
	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// systemRoom is what stands around a system world: nothing but the collectors,
// each of which is an HLT.
type systemRoom struct{}

func newSystemRoom(g *engine) room {
	rom := make([]byte, 256*CollectorSize)
	for v := 0; v < len(rom); v += CollectorSize {
		rom[v] = 0xf4
	}
	if err := g.mem.MapROM(CollectorBase, rom); err != nil {
		panic("BUG: " + err.Error())
	}
	return systemRoom{}
}

// enter loads what the case has in its registers. A table that cannot be read
// gives null segments.
func (systemRoom) enter(g *engine, c *Case, s *cpu.State) {
	r := &c.Regs
	s.CR0, s.CR2, s.CR3, s.CR4, s.EFER, s.PKRU = r.CR0, r.CR2, r.CR3, r.CR4, r.EFER, r.PKRU
	s.DR = r.DR
	s.GDTR, s.IDTR = idt.Table(r.GDTR), idt.Table(r.IDTR)
	m := g.cpu.MMU()
	m.SetControl(s.Control)
	m.FlushAll()
	if m.Mode() == mmu.ModePAE {
		m.LoadPDPTEs(s.CR3)
		s.PDPTE = m.Ctl.PDPTE
	}
	long := s.EFER&mmu.EFERLMA != 0
	s.LDTR = g.systemSegment(s, r.LDTR, long)
	s.TR = g.systemSegment(s, r.TR, long)
	s.TR.Attr |= 2 // busy
	protected, v86 := s.CR0&mmu.CR0PE != 0, s.RFLAGS&idt.FlagVM != 0
	for i, sel := range r.Seg {
		switch {
		case !protected:
			s.Seg[i] = realSegment(sel, 0)
		case v86:
			s.Seg[i] = realSegment(sel, 3)
		default:
			s.Seg[i] = g.segment(s, sel)
		}
	}
	switch {
	case !protected:
		s.CPL = 0
	case v86:
		s.CPL = 3
	default:
		s.CPL = uint8(r.Seg[decode.CS] & 3)
	}
	if protected && !v86 {
		dropSegments(s)
	}
	mode64 := codeMode(s.Seg[decode.CS], long) == decode.Mode64
	if fs := &s.Seg[decode.FS]; mode64 || isNull(fs.Sel) && protected && !v86 {
		fs.Base = r.FSBase
	}
	if gs := &s.Seg[decode.GS]; mode64 || isNull(gs.Sel) && protected && !v86 {
		gs.Base = r.GSBase
	}
}

// dropSegments does what the IRET at the beginning does on its way from CPL 0:
// data segments that the new level may not use become null.
// [SDM 3A, Returning from a Called Procedure]
func dropSegments(s *cpu.State) {
	for _, i := range [...]decode.SegReg{decode.ES, decode.DS, decode.FS, decode.GS} {
		seg := &s.Seg[i]
		conforming := seg.Attr&(idt.AttrCode|idt.AttrDown) == idt.AttrCode|idt.AttrDown
		if seg.Attr.DPL() < s.CPL && !conforming {
			*seg = nullSegment(0)
		}
	}
}

// linear64 reads a quadword of the guest's without any effect.
func (g *engine) linear64(lin uint64) uint64 {
	var v uint64
	for i := range uint64(8) {
		if w := g.cpu.MMU().Explain(mmu.Linear(lin+i), mmu.Read); w.OK() {
			v |= g.mem.Read(w.Phys(), 1) << (8 * i)
		}
	}
	return v
}

// segment is the segment behind a selector.
func (g *engine) segment(s *cpu.State, sel uint16) idt.Segment {
	base, limit := s.GDTR.Base, uint32(s.GDTR.Limit)
	if sel&4 != 0 {
		base, limit = s.LDTR.Base, s.LDTR.Limit
	}
	if at := uint32(sel &^ 7); !isNull(sel) && at+7 <= limit {
		return segmentOf(sel, g.linear64(base+uint64(at)))
	}
	return nullSegment(sel)
}

// systemSegment is segment for LDTR and TR, whose bases have 64 bits in IA-32e
// mode. [SDM 3A, Segment Descriptor Tables in IA-32e Mode]
func (g *engine) systemSegment(s *cpu.State, sel uint16, long bool) idt.Segment {
	seg := g.segment(s, sel)
	if long && seg.Attr&idt.AttrUnusable == 0 {
		seg.Base |= g.linear64(s.GDTR.Base+uint64(sel&^7)+8) << 32
	}
	return seg
}

// ended tells whether a collector has been run.
func (systemRoom) ended(g *engine, s *cpu.State, stop cpu.Stop, r *Result) bool {
	if stop != cpu.StopHalt {
		return false
	}
	v, ok := AtCollector(s.Seg[decode.CS].Base + s.RIP - 1)
	if !ok {
		return false
	}
	s.RIP--
	r.End, r.Vector = Trapped, v
	if ev := g.cpu.LastDelivered(); uint8(ev.Vector) == v {
		r.HasError, r.Error = ev.HasCode, ev.Code
	}
	if v == uint8(idt.VecPF) {
		r.CR2 = s.CR2
	}
	systemRegs(s, r)
	return true
}

// systemRegs tells all registers as software sees them.
func systemRegs(s *cpu.State, r *Result) {
	w := &r.Regs
	w.GPR, w.RIP, w.RFLAGS = s.GPR, s.RIP, s.RFLAGS
	for i := range w.Seg {
		w.Seg[i] = s.Seg[i].Sel
	}
	w.FSBase, w.GSBase = s.Seg[decode.FS].Base, s.Seg[decode.GS].Base
	w.CR0, w.CR2, w.CR3, w.CR4, w.EFER, w.PKRU = s.CR0, s.CR2, s.CR3, s.CR4, s.EFER, s.PKRU
	w.DR = s.DR
	w.GDTR, w.IDTR = TableReg(s.GDTR), TableReg(s.IDTR)
	w.LDTR, w.TR = s.LDTR.Sel, s.TR.Sel
}
