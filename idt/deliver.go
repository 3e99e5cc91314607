package idt

import (
	"x86emu/decode"
)

// Outcome tells how a delivery ended: with the last event of Chain delivered,
// or with shutdown. Chain keeps the event first given and those that followed
// from it while it was delivered; the longest is INT n, #GP, #PF, a second
// fault, #DF, a third fault.
type Outcome struct {
	Shutdown bool
	N        uint8    // events in Chain
	Chain    [6]Event // valid up to N
}

// Last is the event that was delivered, or the one that led to shutdown.
func (o *Outcome) Last() Event { return o.Chain[o.N-1] }

func (o *Outcome) add(e *Event) {
	o.Chain[o.N] = *e
	o.N++
}

// Deliver delivers ev through the IVT or IDT and records in out how. Faults met on the way are
// delivered in its place, or become #DF with it, or end in shutdown, in which
// case Regs are those of the last moment before. Regs.RIP must be the address
// of the current instruction: it is what a fault met on the way returns to.
func Deliver(c CPU, ev *Event, out *Outcome) {
	p := begin(c)
	out.Shutdown, out.N = false, 0
	var next Event
	for {
		out.add(ev)
		p.take(ev)
		p.ext = ev.ext()
		if p.deliver(ev) {
			p.r.Shadow = 0
			// A fault met on the way may be that of a new task, and not know what was before.
			p.stayed = p.stayed && out.N == 1
			if p.obs != nil {
				p.emitEntered(ev)
			}
			return
		}
		second := &p.fault
		switch escalate[ev.Class()][second.Class()] {
		case serially:
			next = *second
		case doubled:
			out.add(second)
			p.take(second)
			// #DF has the error code 0. [SDM 3A, Interrupt 8—Double Fault Exception (#DF)]
			next = Event{Vector: VecDF, HasCode: true, Return: p.r.RIP}
		case shutdown:
			out.add(second)
			p.take(second)
			out.Shutdown = true
			if p.obs != nil {
				p.emitStage(StageShutdown, second)
			}
			return
		}
		ev = &next
	}
}

// take applies what an event does before its delivery and whatever comes of it.
func (p *Core) take(ev *Event) {
	switch {
	case ev.Kind == NMI:
		// Further NMIs wait for IRET. [SDM 3A, Handling Multiple NMIs]
		p.r.NMIBlocked = true
	case ev.Kind != Exception:
	case ev.Vector == VecPF:
		// CR2 takes the address of every page fault, delivered or not.
		// [SDM 3A, Interrupt 14—Page-Fault Exception (#PF)]
		p.m.Ctl.CR2 = ev.CR2
	case ev.Vector == VecDB:
		*p.c.DR6() |= ev.DR6
	}
	if p.obs != nil {
		p.emitStage(StageEvent, ev)
	}
}

// deliver makes one attempt at one event; false leaves its fault in p.fault.
func (p *Core) deliver(ev *Event) bool {
	ok := false
	switch {
	case !p.protected():
		ok = p.deliverReal(ev)
	case p.long:
		ok = p.deliverLong(ev)
	default:
		ok = p.deliverProtected(ev)
	}
	if ok && ev.Vector == VecDB && (ev.Kind == Exception || ev.Kind == SoftICEBP) {
		// The debug handler may use the debug registers. [SDM 3B, Debug Control Register (DR7)]
		*p.c.DR7() &^= dr7GD
	}
	return ok
}

// vectorCode is a vector as an error code has it, IDT set. [SDM 3A, Error Code]
func vectorCode(v Vector) uint32 { return uint32(v)<<3 | 2 }

// gateAllows makes the checks that every gate of the IDT passes once its type
// is known. [SDM 2, INT n/INTO/INT3/INT1, PROTECTED-MODE; IA-32e-MODE]
func (p *Core) gateAllows(ev *Event, g *Gate, present bool) bool {
	// INT n, INT3 and INTO need a gate DPL not below the CPL, else #GP(vector*8+IDT).
	if ev.Kind == SoftInt || ev.Kind == SoftExc {
		if !p.pass(RuleGateDPL, g.DPL >= p.r.CPL) {
			return p.fail(VecGP, vectorCode(ev.Vector))
		}
	}
	// The gate must be present, else #NP(vector*8+IDT+EXT).
	if !p.pass(RuleGatePresent, present) {
		return p.fail(VecNP, vectorCode(ev.Vector))
	}
	return true
}

// handlerCode reads and checks the code segment of an interrupt or trap gate.
// [SDM 2, INT n/INTO/INT3/INT1, TRAP-OR-INTERRUPT-GATE; SDM 3A, 64-Bit Mode IDT]
func (p *Core) handlerCode(sel uint16) *known {
	if k := p.recall(&p.handlers, sel, p.asker(sel)); k != nil {
		return k
	}
	// The selector must not be null, else #GP(EXT).
	if !p.pass(RuleHandlerNull, !isNull(sel)) {
		return p.refuse(VecGP, 0)
	}
	// Its index must lie within its table, else #GP(selector+EXT).
	e, ok := p.entry(sel, RuleHandlerLimit, VecGP)
	if !ok {
		return nil
	}
	// It must be a code segment, else #GP(selector+EXT).
	if !p.pass(RuleHandlerType, e.isCode()) {
		return p.refuse(VecGP, selCode(sel))
	}
	// In IA-32e mode it must be 64-bit code, else #GP(selector+EXT).
	if p.long && !p.pass(RuleHandler64, e.code64()) {
		return p.refuse(VecGP, selCode(sel))
	}
	// Its DPL must not exceed the CPL, else #GP(selector+EXT).
	if !p.pass(RuleHandlerDPL, e.dpl() <= p.r.CPL) {
		return p.refuse(VecGP, selCode(sel))
	}
	// It must be present, else #NP(selector+EXT).
	if !p.pass(RuleHandlerPresent, e.present()) {
		return p.refuse(VecNP, selCode(sel))
	}
	return p.keep(&p.handlers, e, p.asker(sel))
}

// enterHandler loads CS, RIP, CPL and the flags that every handler starts with.
func (p *Core) enterHandler(cs *known, g *Gate, cpl uint8) {
	r := p.r
	seg := cs.seg
	seg.Sel = cs.sel&^3 | uint16(cpl)
	p.stayed = r.CPL == cpl && r.Seg[decode.CS] == seg
	r.Seg[decode.CS] = seg
	r.CPL = cpl
	r.RIP = g.Offset
	// TF, NT, RF and VM are cleared, by an interrupt gate IF too.
	// [SDM 3A, Flag Usage By Exception- or Interrupt-Handler Procedure]
	r.RFLAGS &^= FlagTF | FlagNT | FlagRF | FlagVM
	if g.interrupt() {
		r.RFLAGS &^= FlagIF
	}
}

// deliverReal delivers through the interrupt vector table: 4 bytes for each
// vector, offset then segment, and no error codes.
// [SDM 2, INT n/INTO/INT3/INT1, REAL-ADDRESS-MODE; SDM 3A, Interrupt and Exception Handling (real-address mode)]
func (p *Core) deliverReal(ev *Event) bool {
	r := p.r
	at := uint32(ev.Vector) * 4
	// The vector must lie within the table's limit, else #GP.
	if !p.pass(RuleIVTLimit, at+3 <= uint32(r.IDTR.Limit)) {
		return p.fail(VecGP, 0)
	}
	raw, ok := p.read(r.IDTR.Base+uint64(at), 4)
	if !ok {
		return false
	}
	if p.obs != nil {
		p.emitVector(r.IDTR.Base+uint64(at), raw)
	}
	f := p.newFrame(2)
	p.currentStack(&f.stack)
	f.push(ev.flagsImage(r.RFLAGS))
	f.push(uint64(r.Seg[decode.CS].Sel))
	f.push(ev.Return)
	// The stack must have room for 6 bytes, else #SS.
	if !p.room(f, 0) || !p.canPush(f) || !p.writeFrame(f) {
		return false
	}
	p.moveSP(f)
	r.RFLAGS &^= FlagIF | FlagTF | FlagAC | FlagRF
	p.loadRealSegment(decode.CS, uint16(raw>>16))
	r.RIP = raw & 0xffff
	return true
}

// deliverProtected delivers through a 16- or 32-bit gate outside IA-32e mode.
// [SDM 2, INT n/INTO/INT3/INT1, PROTECTED-MODE]
func (p *Core) deliverProtected(ev *Event) bool {
	at := uint32(ev.Vector) * 8
	// The gate must lie within the IDT's limit, else #GP(vector*8+IDT+EXT).
	if !p.pass(RuleIDTLimit, at+7 <= uint32(p.r.IDTR.Limit)) {
		return p.fail(VecGP, vectorCode(ev.Vector))
	}
	raw, ok := p.read(p.r.IDTR.Base+uint64(at), 8)
	if !ok {
		return false
	}
	d := descriptor(raw)
	g := d.gate()
	if p.obs != nil {
		p.emitGate(p.r.IDTR.Base+uint64(at), raw, 0, &g)
	}
	// It must be an interrupt, trap or task gate, else #GP(vector*8+IDT+EXT).
	isGate := false
	switch Attr(g.Type) {
	case typeTaskGate, typeInt16, typeTrap16, typeInt32, typeTrap32:
		isGate = true
	}
	if !p.pass(RuleGateType, isGate) {
		return p.fail(VecGP, vectorCode(ev.Vector))
	}
	if !p.gateAllows(ev, &g, d.present()) {
		return false
	}
	if Attr(g.Type) == typeTaskGate {
		return p.deliverTask(ev, g.Selector)
	}
	cs := p.handlerCode(g.Selector)
	if cs == nil {
		return false
	}
	cpl := p.r.CPL
	if !cs.conforming() {
		cpl = cs.dpl()
	}
	// From VM86 mode the handler's code must be non-conforming with DPL 0, else #GP(selector+EXT).
	if p.r.RFLAGS&FlagVM != 0 && !p.pass(RuleHandlerV86, cpl == 0) {
		return p.fail(VecGP, selCode(g.Selector))
	}
	return p.enterProtected(ev, &g, cs, cpl)
}

// enterProtected pushes the frame of a 16- or 32-bit gate and enters the
// handler at the given CPL.
//
//	high   GS FS DS ES   from VM86 mode
//	       SS ESP        from an outer level
//	       EFLAGS CS EIP
//	low    error code    where the exception has one
func (p *Core) enterProtected(ev *Event, g *Gate, cs *known, cpl uint8) bool {
	r := p.r
	f := p.newFrame(g.size(false))
	v86 := r.RFLAGS&FlagVM != 0
	inner := cpl < r.CPL
	var ss *known
	full := uint32(0) // #SS error code
	if inner {
		sel, sp, ok := p.innerStack(cpl)
		if !ok {
			return false
		}
		if ss = p.innerSS(sel, cpl); ss == nil {
			return false
		}
		full = selCode(sel)
		f.setSegment(&ss.seg, false)
		f.acc, f.sp = p.access(cpl), sp
		if v86 {
			for _, reg := range [...]decode.SegReg{decode.GS, decode.FS, decode.DS, decode.ES} {
				f.push(uint64(r.Seg[reg].Sel))
			}
		}
		f.push(uint64(r.Seg[decode.SS].Sel))
		f.push(p.g[regSP])
	} else {
		p.currentStack(&f.stack)
	}
	if p.obs != nil {
		p.emitStack(&f.stack, inner, 0)
	}
	f.push(ev.flagsImage(r.RFLAGS))
	f.push(uint64(r.Seg[decode.CS].Sel))
	f.push(ev.Return)
	if ev.pushesCode() {
		f.push(uint64(ev.Code))
	}
	// The stack must have room for the frame, else #SS(EXT), a new stack #SS(SS+EXT).
	if !p.room(f, full) {
		return false
	}
	// The handler's entry must lie within its code segment, else #GP(EXT).
	if !p.targetWithin(&cs.seg, g.Offset) {
		return false
	}
	if !p.canPush(f) || !p.canAccess(&cs.entry) || inner && !p.canAccess(&ss.entry) {
		return false
	}
	if !p.writeFrame(f) || !p.setAccessed(&cs.entry) || inner && !p.setAccessed(&ss.entry) {
		return false
	}
	if inner {
		r.Seg[decode.SS] = *f.seg
		p.g[regSP] = f.sp
		if v86 {
			for _, reg := range [...]decode.SegReg{decode.GS, decode.FS, decode.DS, decode.ES} {
				p.loadNull(reg, 0)
			}
		}
	}
	p.moveSP(f)
	p.enterHandler(cs, g, cpl)
	return true
}

// deliverTask delivers through a task gate: the handler is a task of its own,
// which returns with a nested IRET.
// [SDM 2, INT n/INTO/INT3/INT1, TASK-GATE]
func (p *Core) deliverTask(ev *Event, sel uint16) bool {
	tss, ok := p.taskOfGate(sel)
	if !ok {
		return false
	}
	if !p.switchTask(&tss, taskCall, ev.Return, ev.flagsImage(p.r.RFLAGS)) {
		return false
	}
	if ev.pushesCode() {
		f := p.newFrame(2)
		if wideTSS(p.r.TR.Attr) {
			f.size = 4
		}
		p.currentStack(&f.stack)
		f.push(uint64(ev.Code))
		// The new task's stack must have room for the error code, else #SS(EXT) in the new task.
		if !p.room(f, 0) || !p.canPush(f) || !p.writeFrame(f) {
			return false
		}
		p.moveSP(f)
	}
	// EIP must lie within the new task's code segment, else #GP(EXT) in the new task.
	return p.targetWithin(&p.r.Seg[decode.CS], p.r.RIP)
}
