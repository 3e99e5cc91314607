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

// Each use has a set of four, by the RPL of the selector.
type knownSet [4]known

// asker is what the checks of code and data go by beside the descriptor: the selector,
// the CPL and IA-32e mode. It is not 0.
func (p *Core) asker(sel uint16) uint32 {
	a := 1<<31 | uint32(sel) | uint32(p.r.CPL)<<16
	if p.long {
		a |= 1 << 18
	}
	return a
}

// stackAsker is asker for the stack of a level: all who load SS want RPL and DPL to be
// the level, and writable data.
func stackAsker(sel uint16, level uint8) uint32 {
	if rpl(sel) != level {
		return nobody
	}
	return 1<<31 | uint32(sel)
}

// nobody is an asker for whom nothing is kept.
const nobody = ^uint32(0)

// recall gives the segment of a selector if it passed before, to the same asker, with the
// descriptor that is in memory now, and if no access to that can fault. An observer
// sees every check made.
func (p *Core) recall(of *knownSet, sel uint16, asker uint32) *known {
	k := &of[rpl(sel)]
	if k.asked != asker || p.obs != nil {
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

// refuse is fail for the checks of a segment.
func (p *Core) refuse(v Vector, code uint32) *known {
	p.fail(v, code)
	return nil
}

// keep remembers a segment that has passed.
func (p *Core) keep(of *knownSet, e entry, asker uint32) *known {
	k := &of[rpl(e.sel)]
	*k = known{entry: e, seg: e.segment(e.sel), asked: asker}
	return k
}
