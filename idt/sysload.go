package idt

// LoadLDTR is LLDT, its privilege and mode checks already made.
// [SDM 2, LLDT]
func LoadLDTR(c CPU, sel uint16) *Event {
	p := begin(c)
	return p.result(p.loadLDTR(sel, VecGP, VecNP))
}

// loadLDTR loads LDTR with the descriptor of an LDT. bad is the fault of a
// wrong selector or type, absent that of a descriptor not present; a task
// switch has #TS for both. [SDM 2, LLDT; SDM 3A, Interrupt 10—Invalid TSS Exception (#TS)]
func (p *Core) loadLDTR(sel uint16, bad, absent Vector) bool {
	if isNull(sel) {
		p.r.LDTR = Segment{Sel: sel, Attr: AttrUnusable}
		return true
	}
	// The selector must name the GDT, else #GP(selector).
	if !p.pass(RuleLDTInGDT, sel&selTI == 0) {
		return p.fail(bad, selCode(sel))
	}
	// Its index must lie within the GDT, else #GP(selector).
	e, ok := p.entry(sel, RuleLDTLimit, bad)
	if !ok {
		return false
	}
	// It must be an LDT, else #GP(selector).
	if !p.pass(RuleLDTType, e.system() == typeLDT) {
		return p.fail(bad, selCode(sel))
	}
	// It must be present, else #NP(selector).
	if !p.pass(RuleLDTPresent, e.present()) {
		return p.fail(absent, selCode(sel))
	}
	base, ok := p.systemBase(&e)
	if ok {
		p.r.LDTR = Segment{Sel: sel, Attr: e.attr(), Limit: e.limit(), Base: base}
	}
	return ok
}

// systemBase is the base of an LDT or TSS: 64 bits wide in IA-32e mode.
func (p *Core) systemBase(e *entry) (uint64, bool) {
	base := e.base()
	if !p.long {
		return base, true
	}
	hi, ok := p.highHalf(e)
	if !ok {
		return 0, false
	}
	base |= hi << 32
	// The base must be canonical, else #GP(selector). [SDM 2, LLDT; LTR]
	if !p.pass(RuleBaseCanonical, p.canonical(base)) {
		return 0, p.fail(VecGP, selCode(e.sel))
	}
	return base, true
}

// LoadTR is LTR, its privilege and mode checks already made. [SDM 2, LTR]
func LoadTR(c CPU, sel uint16) *Event {
	p := begin(c)
	return p.result(p.loadTR(sel))
}

func (p *Core) loadTR(sel uint16) bool {
	// The selector must not be null, else #GP(0).
	if !p.pass(RuleTRNull, !isNull(sel)) {
		return p.fail(VecGP, 0)
	}
	// It must name the GDT, else #GP(selector).
	if !p.pass(RuleTRInGDT, sel&selTI == 0) {
		return p.fail(VecGP, selCode(sel))
	}
	// Its index must lie within the GDT, else #GP(selector).
	e, ok := p.entry(sel, RuleTRLimit, VecGP)
	if !ok {
		return false
	}
	// It must be an available TSS, in IA-32e mode a 64-bit one, else #GP(selector).
	if !p.pass(RuleTRType, e.system() == typeTSS32 || e.system() == typeTSS16 && !p.long) {
		return p.fail(VecGP, selCode(sel))
	}
	// It must be present, else #NP(selector).
	if !p.pass(RuleTRPresent, e.present()) {
		return p.fail(VecNP, selCode(sel))
	}
	base, ok := p.systemBase(&e)
	if !ok || !p.canWrite(e.lin+5, 1) || !p.setBusy(e.lin) {
		return false
	}
	p.r.TR = Segment{Sel: sel, Attr: e.attr() | typeBusyBit, Limit: e.limit(), Base: base}
	return true
}

// setBusy and clearBusy change the busy bit of the TSS descriptor at lin: a
// locked read-modify-write of the byte of its type. [SDM 3A, Automatic Locking]
func (p *Core) setBusy(lin uint64) bool {
	v, ok := p.read(lin+5, 1)
	return ok && p.write(lin+5, 1, v|uint64(typeBusyBit))
}

func (p *Core) clearBusy(lin uint64) bool {
	v, ok := p.read(lin+5, 1)
	return ok && p.write(lin+5, 1, v&^uint64(typeBusyBit))
}
