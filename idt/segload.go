package idt

import "x86emu/decode"

// LoadSegment loads ES, SS, DS, FS or GS with a selector as MOV, POP and LxS
// do, in any mode. CS is not a register that they can load.
// [SDM 2, MOV; SDM 3A, Privilege Level Checking When Accessing Data Segments]
func LoadSegment(c CPU, reg decode.SegReg, sel uint16) *Event {
	p := begin(c)
	if !p.protected() || p.v86() {
		p.loadRealSegment(reg, sel)
		return nil
	}
	if reg == decode.SS {
		return p.result(p.loadSS(sel))
	}
	return p.result(p.loadData(reg, sel))
}

// loadRealSegment loads a segment register in real or VM86 mode: the base is
// the selector times 16. In real mode limit and rights stay what they were,
// which is what makes big real mode.
// [SDM 3B, Address Translation in Real-Address Mode; Entering Virtual-8086 Mode]
func (p *Core) loadRealSegment(reg decode.SegReg, sel uint16) {
	s := &p.r.Seg[reg]
	if p.v86() {
		p.loadV86Segment(reg, sel)
		return
	}
	if s.Attr&AttrUnusable != 0 {
		// A null selector of protected mode left no rights behind.
		*s = Segment{Attr: AttrPresent | AttrS | AttrWritable | AttrAccessed, Limit: 0xffff}
	}
	s.Sel, s.Base = sel, uint64(sel)<<4
}

// loadV86Segment gives a segment register what it holds in VM86 mode: 64 KiB
// of writable data at DPL 3.
func (p *Core) loadV86Segment(reg decode.SegReg, sel uint16) {
	p.r.Seg[reg] = Segment{
		Sel: sel, Base: uint64(sel) << 4, Limit: 0xffff,
		Attr: AttrPresent | 3<<5 | AttrS | AttrWritable | AttrAccessed,
	}
}

// loadNull makes a segment register null: unusable except in 64-bit mode,
// where its base counts as 0. Limit, G and D/B stay, as on silicon.
func (p *Core) loadNull(reg decode.SegReg, sel uint16) {
	s := &p.r.Seg[reg]
	*s = Segment{Sel: sel, Limit: s.Limit, Attr: s.Attr&(AttrG|AttrDB) | AttrUnusable}
}

// loadSS loads SS in protected mode. [SDM 2, MOV]
func (p *Core) loadSS(sel uint16) bool {
	cpl := p.r.CPL
	if isNull(sel) {
		// A null SS is for 64-bit mode at CPL 0 to 2 with RPL = CPL, else #GP(0).
		if !p.pass(RuleSSNull, p.mode64() && cpl != 3 && rpl(sel) == cpl) {
			return p.fail(VecGP, 0)
		}
		p.loadNull(decode.SS, sel)
		return true
	}
	if k := p.recall(&p.stacks, sel, stackAsker(sel, cpl)); k != nil {
		return p.loadKnown(decode.SS, k)
	}
	// The index must lie within its table, else #GP(selector).
	e, ok := p.entry(sel, RuleSSLimit, VecGP)
	if !ok {
		return false
	}
	// The RPL must be the CPL, else #GP(selector).
	if !p.pass(RuleSSRPL, rpl(sel) == cpl) {
		return p.fail(VecGP, selCode(sel))
	}
	// It must be writable data, else #GP(selector).
	if !p.pass(RuleSSType, e.writableData()) {
		return p.fail(VecGP, selCode(sel))
	}
	// Its DPL must be the CPL, else #GP(selector).
	if !p.pass(RuleSSDPL, e.dpl() == cpl) {
		return p.fail(VecGP, selCode(sel))
	}
	// It must be present, else #SS(selector).
	if !p.pass(RuleSSPresent, e.present()) {
		return p.fail(VecSS, selCode(sel))
	}
	return p.loadKnown(decode.SS, p.keep(&p.stacks, e, stackAsker(sel, cpl)))
}

// loadData loads DS, ES, FS or GS in protected mode.
func (p *Core) loadData(reg decode.SegReg, sel uint16) bool {
	if isNull(sel) {
		p.loadNull(reg, sel)
		return true
	}
	k := p.dataSegment(sel, VecGP)
	return k != nil && p.loadKnown(reg, k)
}

// dataSegment reads and checks a data segment's descriptor for the CPL. v is
// the fault of all checks but the last: #GP, or #TS in a task switch.
// [SDM 2, MOV; SDM 3A, Privilege Level Checking When Accessing Data Segments]
func (p *Core) dataSegment(sel uint16, v Vector) *known {
	if k := p.recall(&p.data, sel, p.asker(sel)); k != nil {
		return k
	}
	// The index must lie within its table, else #GP(selector).
	e, ok := p.entry(sel, RuleDataLimit, v)
	if !ok {
		return nil
	}
	// It must be data or readable code, else #GP(selector).
	if !p.pass(RuleDataType, e.readable()) {
		return p.refuse(v, selCode(sel))
	}
	// Unless it is conforming code, neither RPL nor CPL may exceed its DPL, else #GP(selector).
	if !p.pass(RuleDataDPL, e.conforming() || rpl(sel) <= e.dpl() && p.r.CPL <= e.dpl()) {
		return p.refuse(v, selCode(sel))
	}
	// It must be present, else #NP(selector).
	if !p.pass(RuleDataPresent, e.present()) {
		return p.refuse(VecNP, selCode(sel))
	}
	return p.keep(&p.data, e, p.asker(sel))
}

// loadKnown loads a segment register with a checked descriptor and marks that
// accessed.
func (p *Core) loadKnown(reg decode.SegReg, k *known) bool {
	if !p.canAccess(&k.entry) || !p.setAccessed(&k.entry) {
		return false
	}
	p.r.Seg[reg] = k.seg
	return true
}
