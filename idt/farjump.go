package idt

import "x86emu/decode"

// FarJump is JMP to another code segment, through a call gate, or to another
// task; off is the offset given with the selector, already cut to the operand
// size (in bytes). next is the address of the following instruction, which a
// task switch saves. Failures are as for IRET. [SDM 2, JMP]
func FarJump(c CPU, sel uint16, off uint64, opSize uint8, next uint64) *Event {
	p := begin(c)
	off = cut(off, opSize)
	if !p.protected() || p.v86() {
		return p.result(p.jumpReal(sel, off))
	}
	return p.result(p.jumpProtected(sel, off, next))
}

// cut truncates to a size of 2, 4 or 8 bytes.
func cut(v uint64, size uint8) uint64 {
	if size >= 8 {
		return v
	}
	return v & (1<<(8*size) - 1)
}

func (p *Core) jumpReal(sel uint16, off uint64) bool {
	// The offset must lie within the CS limit, else #GP(0). [SDM 2, JMP, REAL-ADDRESS-MODE]
	if !p.pass(RuleTargetLimit, off <= uint64(p.r.Seg[decode.CS].Limit)) {
		return p.fail(VecGP, 0)
	}
	p.loadRealSegment(decode.CS, sel)
	p.r.RIP = off
	return true
}

func (p *Core) jumpProtected(sel uint16, off, next uint64) bool {
	e, ok := p.farEntry(sel)
	if !ok {
		return false
	}
	if e.attr()&AttrS != 0 {
		return p.farCode(&e, sel) && p.jumpCode(&e, off)
	}
	switch e.system() {
	case typeCall16, typeCall32:
		cs, g, ok := p.callGate(&e, true)
		return ok && p.jumpCode(&cs, g.Offset)
	case typeTaskGate:
		return p.farTaskGate(&e, taskJump, next)
	}
	return p.farTSS(&e, taskJump, next)
}

// jumpCode enters checked code at the current CPL.
func (p *Core) jumpCode(cs *entry, off uint64) bool {
	seg := cs.segment(cs.sel&^3 | uint16(p.r.CPL))
	// The target must lie within the new code segment, else #GP(0). [SDM 2, JMP]
	if !p.targetWithin(&seg, off) || !p.canAccess(cs) || !p.setAccessed(cs) {
		return false
	}
	p.r.Seg[decode.CS] = seg
	p.r.RIP = off
	return true
}

// farEntry reads the descriptor that a far JMP or CALL names.
// [SDM 2, JMP; CALL]
func (p *Core) farEntry(sel uint16) (entry, bool) {
	// The selector must not be null, else #GP(0).
	if !p.pass(RuleFarNull, !isNull(sel)) {
		return entry{}, p.fail(VecGP, 0)
	}
	// Its index must lie within its table, else #GP(selector).
	e, ok := p.entry(sel, RuleFarLimit, VecGP)
	if !ok {
		return e, false
	}
	// It must be code, a call gate or, outside IA-32e mode, a task gate or TSS, else #GP(selector).
	known := e.isCode()
	switch e.system() {
	case typeCall32:
		known = true
	case typeCall16, typeTaskGate, typeTSS16, typeBusy16, typeTSS32, typeBusy32:
		known = !p.long
	}
	if !p.pass(RuleFarType, known) {
		return e, p.fail(VecGP, selCode(sel))
	}
	return e, true
}

// farCode checks a code segment that is entered directly, without change of
// CPL. [SDM 2, JMP; CALL, CONFORMING-CODE-SEGMENT; NONCONFORMING-CODE-SEGMENT]
func (p *Core) farCode(e *entry, sel uint16) bool {
	// In IA-32e mode L and D must not both be set, else #GP(selector).
	if !p.pass(RuleFarLD, !p.long || e.attr()&(AttrL|AttrDB) != AttrL|AttrDB) {
		return p.fail(VecGP, selCode(sel))
	}
	if e.conforming() {
		// The DPL of conforming code must not exceed the CPL, else #GP(selector).
		if !p.pass(RuleFarDPL, e.dpl() <= p.r.CPL) {
			return p.fail(VecGP, selCode(sel))
		}
	} else if !p.pass(RuleFarDPL, rpl(sel) <= p.r.CPL && e.dpl() == p.r.CPL) {
		// Other code needs RPL <= CPL and DPL = CPL, else #GP(selector).
		return p.fail(VecGP, selCode(sel))
	}
	// It must be present, else #NP(selector).
	if !p.pass(RuleFarPresent, e.present()) {
		return p.fail(VecNP, selCode(sel))
	}
	return true
}

// callGate checks a call gate and the code segment that it names.
// [SDM 2, JMP; CALL, CALL-GATE; SDM 3A, Accessing a Code Segment Through a Call Gate]
func (p *Core) callGate(e *entry, jump bool) (cs entry, g Gate, ok bool) {
	g = e.gate()
	code := selCode(e.sel)
	var hi uint64
	if p.long {
		if hi, ok = p.highHalf(e); !ok {
			return cs, g, false
		}
		g.Offset |= hi << 32
	}
	if p.obs != nil {
		p.emitGate(e.lin, uint64(e.descriptor), hi, &g)
	}
	// The gate's DPL must not be below CPL or RPL, else #GP(gate selector).
	if !p.pass(RuleCallGateDPL, g.DPL >= p.r.CPL && g.DPL >= rpl(e.sel)) {
		return cs, g, p.fail(VecGP, code)
	}
	// The gate must be present, else #NP(gate selector).
	if !p.pass(RuleCallGatePresent, e.present()) {
		return cs, g, p.fail(VecNP, code)
	}
	// Its code selector must not be null, else #GP(0).
	if !p.pass(RuleCallGateNull, !isNull(g.Selector)) {
		return cs, g, p.fail(VecGP, 0)
	}
	// The index must lie within its table, else #GP(code selector).
	if cs, ok = p.entry(g.Selector, RuleCallGateLimit, VecGP); !ok {
		return cs, g, false
	}
	// It must be code, in IA-32e mode 64-bit code, else #GP(code selector).
	if !p.pass(RuleCallGateType, cs.isCode() && (!p.long || cs.code64())) {
		return cs, g, p.fail(VecGP, selCode(g.Selector))
	}
	// The DPL must not exceed the CPL; JMP to non-conforming code needs DPL = CPL; else #GP(code selector).
	if !p.pass(RuleCallGateCodeDPL, cs.dpl() == p.r.CPL || cs.dpl() < p.r.CPL && (!jump || cs.conforming())) {
		return cs, g, p.fail(VecGP, selCode(g.Selector))
	}
	// It must be present, else #NP(code selector).
	if !p.pass(RuleCallGateCodePresent, cs.present()) {
		return cs, g, p.fail(VecNP, selCode(g.Selector))
	}
	return cs, g, true
}

// farTaskGate switches to the task of a task gate. [SDM 2, JMP; CALL, TASK-GATE]
func (p *Core) farTaskGate(e *entry, kind taskKind, next uint64) bool {
	// The gate's DPL must not be below CPL or RPL, else #GP(gate selector).
	if !p.pass(RuleTaskGateDPL, e.dpl() >= p.r.CPL && e.dpl() >= rpl(e.sel)) {
		return p.fail(VecGP, selCode(e.sel))
	}
	// The gate must be present, else #NP(gate selector).
	if !p.pass(RuleTaskGatePresent, e.present()) {
		return p.fail(VecNP, selCode(e.sel))
	}
	tss, ok := p.taskOfGate(e.gate().Selector)
	return ok && p.farSwitch(&tss, kind, next)
}

// farTSS switches to the task of a TSS descriptor.
// [SDM 2, JMP; CALL, TASK-STATE-SEGMENT]
func (p *Core) farTSS(e *entry, kind taskKind, next uint64) bool {
	// The TSS's DPL must not be below CPL or RPL, else #GP(TSS selector).
	if !p.pass(RuleTSSDPL, e.dpl() >= p.r.CPL && e.dpl() >= rpl(e.sel)) {
		return p.fail(VecGP, selCode(e.sel))
	}
	tss, ok := p.taskOfGate(e.sel)
	return ok && p.farSwitch(&tss, kind, next)
}

func (p *Core) farSwitch(tss *entry, kind taskKind, next uint64) bool {
	if !p.switchTask(tss, kind, next, p.r.RFLAGS) {
		return false
	}
	// EIP must lie within the new task's code segment, else #GP(0) in the new task.
	return p.targetWithin(&p.r.Seg[decode.CS], p.r.RIP)
}
