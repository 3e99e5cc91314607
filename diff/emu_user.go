package diff

import (
	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// userRoom is what stands around a user world's process: tables, gates and a
// stack of our own in memory that it cannot reach. Its handlers are never run:
// the delivery is the end, and the frame tells what was interrupted.
type userRoom struct{ stack mmu.Phys }

// Where they lie in physical memory; linear addresses are kernelBase above.
const (
	kernelBase  = 0xffff_8000_0000_0000
	kernelGDT   = 0x1000
	kernelIDT   = 0x2000
	kernelTSS   = 0x3000
	kernelLDT   = 0x4000
	kernelStack = 0x8000 // its end
	kernelPages = 8
	userTables  = 0x10_0000
)

func newUserRoom(g *engine) room {
	g.mapUserPages()
	put := func(p mmu.Phys, v uint64) { g.mem.Write(p, 8, v) }
	for i, d := range UserGDT {
		put(kernelGDT+8*mmu.Phys(i), d)
	}
	for i, d := range UserLDT {
		put(kernelLDT+8*mmu.Phys(i), d)
	}
	for v := range mmu.Phys(256) {
		attr := uint64(0x8e)
		if v == mmu.Phys(idt.VecBP) || v == mmu.Phys(idt.VecOF) {
			attr |= 3 << 5 // INT3 and INTO are for everybody
		}
		put(kernelIDT+16*v, 0x10<<16|attr<<40) // at offset 0 of the kernel's half
		put(kernelIDT+16*v+8, kernelBase>>32)
	}
	put(kernelTSS+4, kernelBase+kernelStack)
	g.mem.Write(kernelTSS+102, 2, 104) // no I/O bitmap

	s := &g.base
	s.GDTR = idt.Table{Base: kernelBase + kernelGDT, Limit: uint16(8*len(UserGDT) - 1)}
	s.IDTR = idt.Table{Base: kernelBase + kernelIDT, Limit: 0xfff}
	s.TR = idt.Segment{Sel: 0x40, Base: kernelBase + kernelTSS, Limit: 0x67, Attr: 0x8b}
	s.LDTR = idt.Segment{Sel: 0x50, Base: kernelBase + kernelLDT, Limit: uint32(8*len(UserLDT) - 1), Attr: 0x82}
	s.CR0 = mmu.CR0PE | mmu.CR0PG | mmu.CR0WP | mmu.CR0ET | mmu.CR0AM | mmu.CR0NE | mmu.CR0MP
	s.CR4 = g.cpu.Model.CR4Valid & (mmu.CR4PAE | mmu.CR4PGE | mmu.CR4FSGSBASE | mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT | mmu.CR4UMIP)
	s.EFER = mmu.EFERLME | mmu.EFERLMA | mmu.EFERNXE | mmu.EFERSCE
	s.CR3 = userTables
	s.CPL = 3
	return userRoom{kernelStack}
}

// mapUserPages makes the page tables.
func (g *engine) mapUserPages() {
	const table = mmu.PtePresent | mmu.PteWritable | mmu.PteUser
	next := mmu.Phys(userTables + PageSize)
	page := func(linear uint64, entry uint64) {
		at := mmu.Phys(userTables)
		for shift := 39; ; shift -= 9 {
			slot := at + mmu.Phys(linear>>shift&511)*8
			if shift == 12 {
				g.mem.Write(slot, 8, entry)
				return
			}
			e := g.mem.Read(slot, 8)
			if e == 0 {
				e = uint64(next) | table
				next += PageSize
				g.mem.Write(slot, 8, e)
			}
			at = mmu.Phys(e &^ mmu.PageMask)
		}
	}
	for p := uint64(0); p < kernelPages*PageSize; p += PageSize {
		page(kernelBase+p, p|mmu.PtePresent|mmu.PteWritable)
	}
	for _, m := range g.w.Maps {
		for n := 0; n < m.Len; n += PageSize {
			linear := m.Linear + uint64(n)
			entry := uint64((m.At + Offset(n)).Phys()) | mmu.PtePresent | mmu.PteUser
			if linear < UserReadOnly || linear >= UserReadOnly+PageSize {
				entry |= mmu.PteWritable
			}
			if linear >= UserData {
				entry |= mmu.PteXD
			}
			page(linear, entry)
		}
	}
}

func (userRoom) enter(g *engine, c *Case, s *cpu.State) {
	for i, sel := range c.Regs.Seg {
		s.Seg[i] = nullSegment(sel)
		if !isNull(sel) {
			s.Seg[i] = segmentOf(sel, UserSegment(sel))
		}
	}
	s.RFLAGS |= idt.FlagIF
	s.FP = cpu.FPState{CW: 0x37f, MXCSR: 0x1f80, XCR0: 3} // as a process starts
	if f := &c.Regs.Float; f.Used() {
		f.put(&s.FP)
	}
	long := codeMode(s.Seg[decode.CS], true) == decode.Mode64
	if fs := &s.Seg[decode.FS]; long || isNull(fs.Sel) {
		fs.Base = c.Regs.FSBase
	}
	if gs := &s.Seg[decode.GS]; long || isNull(gs.Sel) {
		gs.Base = c.Regs.GSBase
	}
}

// ended undoes a delivery.
func (u userRoom) ended(g *engine, s *cpu.State, stop cpu.Stop, r *Result) bool {
	if stop != cpu.StopDelivery {
		return false
	}
	ev := g.cpu.LastDelivered()
	r.End, r.Vector, r.HasError, r.Error = Trapped, uint8(ev.Vector), ev.HasCode, ev.Code
	if ev.Vector == idt.VecPF {
		r.CR2 = s.CR2
	}
	frame := u.stack - 40
	pop := func() uint64 {
		frame += 8
		return g.mem.Read(frame-8, 8)
	}
	w := &r.Regs
	w.GPR = s.GPR
	w.RIP = pop()
	for i := range w.Seg {
		w.Seg[i] = s.Seg[i].Sel
	}
	w.Seg[decode.CS] = uint16(pop())
	w.RFLAGS = pop()
	w.GPR[4] = pop()
	w.Seg[decode.SS] = uint16(pop())
	if g.float {
		w.Float.get(&s.FP)
	}
	w.FSBase, w.GSBase = s.Seg[decode.FS].Base, s.Seg[decode.GS].Base
	return true
}
