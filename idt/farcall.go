package idt

import "x86emu/decode"

// FarCall is CALL to another code segment, through a call gate, or to another
// task, which is then nested in this one; off is the offset given with the
// selector, opSize the width in bytes of what a direct call pushes, next the
// address to return to. Failures are as for IRET. [SDM 2, CALL]
func FarCall(c CPU, sel uint16, off uint64, opSize uint8, next uint64) *Event {
	p := begin(c)
	off = cut(off, opSize)
	if !p.protected() || p.v86() {
		return p.result(p.callReal(sel, off, opSize, next))
	}
	return p.result(p.callProtected(sel, off, opSize, next))
}

func (p *Core) callReal(sel uint16, off uint64, opSize uint8, next uint64) bool {
	f := p.callFrame(uint64(opSize), next)
	// The stack must have room for the return address, else #SS(0). [SDM 2, CALL, REAL-ADDRESS-MODE]
	if !p.room(f, 0) {
		return false
	}
	// The offset must lie within the CS limit, else #GP(0).
	if !p.pass(RuleTargetLimit, off <= uint64(p.r.Seg[decode.CS].Limit)) {
		return p.fail(VecGP, 0)
	}
	if !p.canPush(f) || !p.writeFrame(f) {
		return false
	}
	p.moveSP(f)
	p.loadRealSegment(decode.CS, sel)
	p.r.RIP = off
	return true
}

// callFrame is the frame of a return address on the current stack.
func (p *Core) callFrame(size, next uint64) *frame {
	f := p.newFrame(size)
	f.call = true
	p.currentStack(&f.stack)
	if size == 8 && !f.flat {
		// A 64-bit call gate leaves compatibility mode before it pushes. [SDM 2, CALL, SAME-PRIVILEGE]
		f.setSegment(nil, true)
		f.sp = p.g[regSP]
	}
	f.align = p.checksAlignment()
	f.push(uint64(p.r.Seg[decode.CS].Sel))
	f.push(next)
	return f
}

func (p *Core) callProtected(sel uint16, off uint64, opSize uint8, next uint64) bool {
	e, ok := p.farEntry(sel)
	if !ok {
		return false
	}
	if e.attr()&AttrS != 0 {
		return p.farCode(&e, sel) && p.callCode(&e, off, uint64(opSize), next)
	}
	switch e.system() {
	case typeCall16, typeCall32:
		cs, g, ok := p.callGate(&e, false)
		if !ok {
			return false
		}
		if cs.conforming() || cs.dpl() == p.r.CPL {
			return p.callCode(&cs, g.Offset, g.size(p.long), next)
		}
		return p.callInner(&cs, &g, next)
	case typeTaskGate:
		return p.farTaskGate(&e, taskCall, next)
	}
	return p.farTSS(&e, taskCall, next)
}

// callCode calls checked code at the current CPL. [SDM 2, CALL]
func (p *Core) callCode(cs *entry, off, size, next uint64) bool {
	f := p.callFrame(size, next)
	// The stack must have room for the return address, else #SS(0).
	if !p.room(f, 0) {
		return false
	}
	seg := cs.segment(cs.sel&^3 | uint16(p.r.CPL))
	// The target must lie within the new code segment, else #GP(0).
	if !p.targetWithin(&seg, off) {
		return false
	}
	if !p.canPush(f) || !p.canAccess(cs) || !p.writeFrame(f) || !p.setAccessed(cs) {
		return false
	}
	p.moveSP(f)
	p.r.Seg[decode.CS] = seg
	p.r.RIP = off
	return true
}

// callInner calls more privileged code on that level's own stack, with the
// gate's number of parameters copied from the old one.
// [SDM 2, CALL, MORE-PRIVILEGE; SDM 3A, Stack Switching]
//
//	high   SS RSP
//	       parameters   16- and 32-bit gates
//	low    CS RIP
func (p *Core) callInner(cs *entry, g *Gate, next uint64) bool {
	r := p.r
	cpl := cs.dpl()
	size := g.size(p.long)
	f := p.newFrame(size)
	f.call = true
	f.acc = p.access(cpl)
	var ss *known
	full := uint32(0) // #SS error code
	if p.long {
		rsp, ok := p.innerRSP(cpl, 0)
		if !ok {
			return false
		}
		// The new RSP must be canonical, else #SS(0).
		if !p.pass(RuleStackCanonical, p.canonical(rsp)) {
			return p.fail(VecSS, 0)
		}
		f.flat, f.mask, f.sp = true, ^uint64(0), rsp
	} else {
		sel, sp, ok := p.innerStack(cpl)
		if !ok {
			return false
		}
		if ss = p.innerSS(sel, cpl); ss == nil {
			return false
		}
		f.setSegment(&ss.seg, false)
		f.sp = sp
		full = selCode(sel)
	}
	if p.obs != nil {
		p.emitStack(&f.stack, true, 0)
	}
	f.push(uint64(r.Seg[decode.SS].Sel))
	f.push(p.g[regSP])
	if !p.long && g.Params > 0 {
		var s stack
		var params [31]uint64
		p.currentStack(&s)
		n := int(g.Params)
		if !p.pop(&s, 0, size, params[:n]) {
			return false
		}
		for i := n - 1; i >= 0; i-- {
			f.push(params[i])
		}
	}
	f.push(uint64(r.Seg[decode.CS].Sel))
	f.push(next)
	// The new stack must have room for the frame, else #SS(SS).
	if !p.room(f, full) {
		return false
	}
	seg := cs.segment(cs.sel&^3 | uint16(cpl))
	// The gate's entry must lie within its code segment, else #GP(0).
	if !p.targetWithin(&seg, g.Offset) {
		return false
	}
	if !p.canPush(f) || !p.canAccess(cs) || !p.long && !p.canAccess(&ss.entry) {
		return false
	}
	if !p.writeFrame(f) || !p.setAccessed(cs) || !p.long && !p.setAccessed(&ss.entry) {
		return false
	}
	if p.long {
		p.loadNull(decode.SS, uint16(cpl))
	} else {
		r.Seg[decode.SS] = *f.seg
		p.g[regSP] = f.sp
	}
	p.moveSP(f)
	r.Seg[decode.CS] = seg
	r.CPL = cpl
	r.RIP = g.Offset
	return true
}
