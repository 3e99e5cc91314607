package idt

import "x86emu/decode"

// deliverLong delivers through a 64-bit gate: IA-32e mode has no other kind
// and no task gates, whether the event came in 64-bit or compatibility mode.
// [SDM 2, INT n/INTO/INT3/INT1, IA-32e-MODE; SDM 3A, Exception and Interrupt Handling in 64-bit Mode]
func (p *Core) deliverLong(ev *Event) bool {
	at := uint32(ev.Vector) * 16
	// The gate must lie within the IDT's limit, else #GP(vector*8+IDT+EXT).
	if !p.pass(RuleIDTLimit, at+15 <= uint32(p.r.IDTR.Limit)) {
		return p.fail(VecGP, vectorCode(ev.Vector))
	}
	lo, hi, ok := p.readPair(p.r.IDTR.Base + uint64(at))
	if !ok {
		return false
	}
	d := descriptor(lo)
	g := d.gate()
	g.Offset |= hi << 32
	if p.obs != nil {
		p.emitGate(p.r.IDTR.Base+uint64(at), lo, hi, &g)
	}
	// It must be a 64-bit interrupt or trap gate, else #GP(vector*8+IDT+EXT).
	if !p.pass(RuleGateType, Attr(g.Type) == typeInt32 || Attr(g.Type) == typeTrap32) {
		return p.fail(VecGP, vectorCode(ev.Vector))
	}
	if !p.gateAllows(ev, &g, d.present()) {
		return false
	}
	cs := p.handlerCode(g.Selector)
	if cs == nil {
		return false
	}
	cpl := p.r.CPL
	if !cs.conforming() {
		cpl = cs.dpl()
	}
	return p.enterLong(ev, &g, cs, cpl)
}

// enterLong pushes the 64-bit frame, always with SS and RSP, on a stack that
// is aligned to 16 bytes, and enters the handler at the given CPL.
// [SDM 3A, 64-Bit Mode Stack Frame; Stack Switching in IA-32e Mode; Interrupt Stack Table]
//
//	high   SS RSP RFLAGS CS RIP
//	low    error code    where the exception has one
func (p *Core) enterLong(ev *Event, g *Gate, cs *known, cpl uint8) bool {
	r := p.r
	inner := cpl < r.CPL
	f := p.newFrame(8)
	f.flat, f.mask = true, ^uint64(0)
	f.acc, f.sp = p.access(cpl), p.g[regSP]
	if inner || g.IST != 0 {
		var ok bool
		if f.sp, ok = p.innerRSP(cpl, g.IST); !ok {
			return false
		}
	}
	// The new RSP must be canonical, else #SS(EXT).
	if !p.pass(RuleStackCanonical, p.canonical(f.sp)) {
		return p.fail(VecSS, 0)
	}
	f.sp &^= 15
	if p.obs != nil {
		f.seg = &Segment{Sel: r.Seg[decode.SS].Sel}
		if inner {
			f.seg.Sel = uint16(cpl)
		}
		p.emitStack(&f.stack, inner, g.IST)
	}
	f.words[0], f.words[1] = uint64(r.Seg[decode.SS].Sel), p.g[regSP]
	f.words[2], f.words[3], f.words[4] = ev.flagsImage(r.RFLAGS), uint64(r.Seg[decode.CS].Sel), ev.Return
	f.n = 5
	if ev.pushesCode() {
		f.push(uint64(ev.Code))
	}
	// Every push must go to a canonical address, else #SS(EXT).
	if !p.room(f, 0) {
		return false
	}
	// The handler's entry must be canonical, else #GP(EXT).
	if !p.pass(RuleTargetCanonical, p.canonical(g.Offset)) {
		return p.fail(VecGP, 0)
	}
	if !p.canPush(f) || !p.canAccess(&cs.entry) || !p.writeFrame(f) || !p.setAccessed(&cs.entry) {
		return false
	}
	if inner {
		// A null SS carries the new CPL. [SDM 3A, Stack Switching in IA-32e Mode]
		p.loadNull(decode.SS, uint16(cpl))
	}
	p.moveSP(f)
	p.enterHandler(cs, g, cpl)
	return true
}
