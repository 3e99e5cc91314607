package idt

import "x86emu/decode"

// This file holds what IRET and RETF share: the checks of the code and stack
// segments that are returned to, and the change to an outer level.

// returnCode reads and checks the code segment of a return.
// [SDM 2, IRET/IRETD/IRETQ; RET, RETURN-FROM-PROTECTED-MODE]
func (p *Core) returnCode(sel uint16) *known {
	if k := p.recall(&p.returns, sel, p.asker(sel)); k != nil {
		return k
	}
	// The selector must not be null, else #GP(0).
	if !p.pass(RuleReturnNull, !isNull(sel)) {
		return p.refuse(VecGP, 0)
	}
	// Its index must lie within its table, else #GP(selector).
	e, ok := p.entry(sel, RuleReturnLimit, VecGP)
	if !ok {
		return nil
	}
	// It must be a code segment, in IA-32e mode not with both L and D, else #GP(selector).
	if !p.pass(RuleReturnType, e.isCode() && !(p.long && e.attr()&(AttrL|AttrDB) == AttrL|AttrDB)) {
		return p.refuse(VecGP, selCode(sel))
	}
	// Its RPL must not be below the CPL, else #GP(selector).
	if !p.pass(RuleReturnRPL, rpl(sel) >= p.r.CPL) {
		return p.refuse(VecGP, selCode(sel))
	}
	// The DPL of conforming code must not exceed the RPL, that of other code must be it, else #GP(selector).
	if !p.pass(RuleReturnDPL, e.dpl() == rpl(sel) || e.conforming() && e.dpl() < rpl(sel)) {
		return p.refuse(VecGP, selCode(sel))
	}
	// It must be present, else #NP(selector).
	if !p.pass(RuleReturnPresent, e.present()) {
		return p.refuse(VecNP, selCode(sel))
	}
	return p.keep(&p.returns, e, p.asker(sel))
}

// returnSS reads and checks the stack segment of a return to code cs. A null
// selector, with which the entry stays empty, is for 64-bit code at CPL 0 to 2.
// [SDM 2, IRET/IRETD/IRETQ; RET, RETURN-TO-OUTER-PRIVILEGE-LEVEL]
func (p *Core) returnSS(sel uint16, cs *known) *known {
	cpl := rpl(cs.sel)
	if isNull(sel) {
		// A null SS needs 64-bit code, a CPL below 3 and RPL = CPL, else #GP(0).
		if !p.pass(RuleReturnSSNull, p.long && cs.code64() && cpl != 3 && rpl(sel) == cpl) {
			return p.refuse(VecGP, 0)
		}
		p.null.sel = sel
		return &p.null
	}
	if k := p.recall(&p.stacks, sel, stackAsker(sel, cpl)); k != nil {
		return k
	}
	// The index must lie within its table, else #GP(selector).
	e, ok := p.entry(sel, RuleReturnSSLimit, VecGP)
	if !ok {
		return nil
	}
	// The RPL must be the new CPL, else #GP(selector).
	if !p.pass(RuleReturnSSRPL, rpl(sel) == cpl) {
		return p.refuse(VecGP, selCode(sel))
	}
	// It must be writable data, else #GP(selector).
	if !p.pass(RuleReturnSSType, e.writableData()) {
		return p.refuse(VecGP, selCode(sel))
	}
	// Its DPL must be the new CPL, else #GP(selector).
	if !p.pass(RuleReturnSSDPL, e.dpl() == cpl) {
		return p.refuse(VecGP, selCode(sel))
	}
	// It must be present, else #SS(selector).
	if !p.pass(RuleReturnSSPresent, e.present()) {
		return p.refuse(VecSS, selCode(sel))
	}
	return p.keep(&p.stacks, e, stackAsker(sel, cpl))
}

// returnTo loads CS:RIP and, where ss is given, SS:RSP, when nothing but the
// accessed bits can fail any more. A return to an outer level nulls the data
// segments that are not its to use. RSP is cut to the new stack's width.
func (p *Core) returnTo(cs *known, ip uint64, ss *known, sp uint64) bool {
	r := p.r
	touchSS := ss != nil && !isNull(ss.sel)
	if !p.canAccess(&cs.entry) || touchSS && !p.canAccess(&ss.entry) {
		return false
	}
	if !p.setAccessed(&cs.entry) || touchSS && !p.setAccessed(&ss.entry) {
		return false
	}
	outer := rpl(cs.sel) > r.CPL
	p.stayed = !outer && r.Seg[decode.CS] == cs.seg && (ss == nil || touchSS && r.Seg[decode.SS] == ss.seg)
	r.Seg[decode.CS] = cs.seg
	r.RIP = ip
	r.CPL = rpl(cs.sel)
	if ss != nil {
		if touchSS {
			r.Seg[decode.SS] = ss.seg
		} else {
			p.loadNull(decode.SS, ss.sel)
		}
		p.setSP(stackMask(&r.Seg[decode.SS], p.mode64()), sp)
	}
	if outer {
		p.dropInnerSegments()
	}
	return true
}

// dropInnerSegments makes null each data segment register that the new, outer
// CPL could not have loaded: data or non-conforming code of a DPL below it.
// Bases stay: those of null FS and GS are in use in 64-bit mode.
// [SDM 2, IRET/IRETD/IRETQ; RET, RETURN-TO-OUTER-PRIVILEGE-LEVEL]
func (p *Core) dropInnerSegments() {
	for _, reg := range [...]decode.SegReg{decode.ES, decode.DS, decode.FS, decode.GS} {
		s := &p.r.Seg[reg]
		null := isNull(s.Sel)
		conforming := s.Attr&(AttrCode|AttrDown) == AttrCode|AttrDown
		if null || s.Attr.DPL() < p.r.CPL && !conforming {
			s.Sel = 0
			s.Attr = s.Attr&(AttrG|AttrDB) | AttrUnusable
		}
	}
}
