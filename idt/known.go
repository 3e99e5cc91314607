package idt

import "x86emu/mmu"

// known is a segment's descriptor that has passed the checks of one use. The Core keeps
// some of them: most deliveries and returns go where one went before, through the same
// bytes, and need not ask again what follows from these.
type known struct {
	entry
	seg   Segment // what the register is loaded with
	asked uint32  // by whom, or 0: see asker
}

// asker is what the checks of a use go by beside the descriptor: the selector, the CPL and
// IA-32e mode. It is not 0.
func (p *Core) asker(sel uint16) uint32 {
	a := 1<<31 | uint32(sel) | uint32(p.r.CPL)<<16
	if p.long {
		a |= 1 << 18
	}
	return a
}

// recall gives the segment of a selector if it passed before, to the same asker, with the
// descriptor that is in memory now, and if no access to that can fault. An observer
// sees every check made.
func (p *Core) recall(of *[4]known, sel uint16) *known {
	k := &of[rpl(sel)]
	if k.asked != p.asker(sel) || p.obs != nil {
		return nil
	}
	lin, in := p.locate(sel, 8)
	if !in || lin != k.lin {
		return nil
	}
	host := p.m.ReadDirect(mmu.Linear(lin), 8, mmu.Read)
	if host == nil || mmu.Load64(host, lin) != uint64(k.descriptor) {
		return nil
	}
	return k
}

// keep remembers a segment that has passed.
func (p *Core) keep(of *[4]known, e entry) *known {
	k := &of[rpl(e.sel)]
	*k = known{entry: e, seg: e.segment(e.sel), asked: p.asker(e.sel)}
	return k
}
