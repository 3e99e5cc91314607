package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Stop tells why Run or Step came back.
type Stop uint8

const (
	StopTick      Stop = iota // the tick that was asked for has come, or Step has done its step
	StopDeadline              // the tick of SetDeadline has come
	StopHalt                  // HLT with nothing pending that could end it
	StopShutdown              // a fault while #DF was delivered; see Shutdown
	StopRequest               // a device asked for it (RequestStop)
	StopInterrupt             // Interrupt was called
	StopStreak                // as many deliveries in a row as SetStreak says
	StopDelivery              // as many deliveries as StopAfter says
)

// pollTicks is how often, in ticks, Run looks at Interrupt.
const pollTicks = 1 << 20

// New makes a processor of a model in the state after RESET#, on a memory
// whose paging state it resets as well.
// [SDM 3A, Processor State After Reset]
func New(model *Model, m *mmu.MMU, io IO) *CPU {
	c := &CPU{mmu: m, io: io, Model: model, dec: decode.Decoder{Features: model.Features}}
	c.ferr, _ = io.(FloatErrors)
	if model.is(traitAPIC) {
		c.apic, _ = io.(APIC)
	}
	c.blocks.init()
	c.hint = &c.noHint
	c.win.lin = 1
	c.deadline, c.until = ^uint64(0), ^uint64(0)
	m.Mem.OnCodeWrite = c.codeWritten
	s := ResetState(model)
	if c.apic != nil {
		s.MSR.APICBase |= APICBaseEnable
	}
	c.SetState(s)
	return c
}

// ResetState is the state after RESET# of a processor whose local APIC is off: real
// mode, CS:IP F000:FFF0 with the hidden base FFFF0000h. [SDM 3A, Table "IA-32 and Intel 64 Processor States
// Following Power-up, Reset, or INIT"]
func ResetState(model *Model) State {
	var s State
	s.RIP, s.RFLAGS = 0xfff0, idt.Flag1
	data := idt.AttrPresent | idt.AttrS | idt.AttrWritable | idt.AttrAccessed
	for i := range s.Seg {
		s.Seg[i] = idt.Segment{Limit: 0xffff, Attr: data}
	}
	s.Seg[decode.CS] = idt.Segment{Sel: 0xf000, Base: 0xffff0000, Limit: 0xffff, Attr: data | idt.AttrCode}
	s.LDTR = idt.Segment{Limit: 0xffff, Attr: idt.AttrPresent | 2}
	s.TR = idt.Segment{Limit: 0xffff, Attr: idt.AttrPresent | 11}
	s.GDTR.Limit, s.IDTR.Limit = 0xffff, 0xffff
	s.CR0 = (mmu.CR0CD|mmu.CR0NW)&model.CR0Valid | model.CR0Fixed
	s.A20 = true
	s.DR[6], s.DR[7] = dr6Fixed, dr7Fixed
	s.MSR = model.resetMSRs()
	s.FP = resetFP()
	s.Seed = 0x9e3779b97f4a7c15
	s.GPR[2] = uint64(model.Signature)
	return s
}

// State gives the processor's whole state, settled.
func (c *CPU) State() State {
	s := c.s
	s.GPR = *c.GPR()
	s.RIP = c.ip
	s.RFLAGS = c.flags()
	s.Control = c.mmu.Ctl
	s.Ticks += c.inBlock
	return s
}

// SetState replaces the processor's whole state. The TLB is flushed; a
// snapshot's own is put back with mmu.MMU.SetTLB afterwards.
func (c *CPU) SetState(s State) {
	copy(c.r[:16], s.GPR[:])
	c.mmu.SetControl(s.Control)
	c.s = s
	c.ip = s.RIP
	c.setArith(s.RFLAGS)
	c.inBlock = 0
	c.win.lin = 1
	c.streak, c.lastEvent = 0, ^uint64(0)
	c.debugChanged()
	c.modeChanged()
}

// Ticks is the virtual clock: instructions, REP iterations and deliveries so far.
func (c *CPU) Ticks() uint64 { return c.s.Ticks + c.inBlock }

// SetINTR sets the level of the INTR line. One that rises in the midst of an
// instruction is looked at after it, or after the iteration of a REP.
func (c *CPU) SetINTR(level bool) {
	c.blocks.stale = c.blocks.stale || level
	c.s.INTR = level
}

// RaiseNMI latches a non-maskable interrupt. In the midst of an instruction it is
// looked at as SetINTR's is.
func (c *CPU) RaiseNMI() { c.s.NMI, c.blocks.stale = true, true }

// RequestStop makes Run return after the instruction or the iteration of a REP
// that is under way: for devices and for who watches. Where no instruction but
// a fetch or a walk is the cause, a few more may run.
func (c *CPU) RequestStop() { c.request, c.blocks.stale = true, true }

// Interrupt makes Run return soon; it may be called from another goroutine.
func (c *CPU) Interrupt() { c.interrupt.Store(true) }

// SetDeadline sets the tick at which Run returns with StopDeadline. It may be set in
// the midst of an instruction.
func (c *CPU) SetDeadline(tick uint64) {
	c.deadline = tick
	if tick < c.limit {
		c.limit, c.blocks.stale = tick, true
	}
}

// SetStreak sets after how many deliveries in a row, no instruction retired in
// between, Run returns with StopStreak; 0 is never.
func (c *CPU) SetStreak(n uint64) { c.streakStop = n }

// StopAfter makes Run and Step return with StopDelivery after n more
// deliveries, whatever comes between them; 0 is never.
func (c *CPU) StopAfter(n uint64) { c.deliveryStop = n }

// LastDelivered is the event delivered last, of those met on its way the one
// that was entered; the zero Event if there was none yet.
func (c *CPU) LastDelivered() idt.Event {
	if c.outcome.N == 0 {
		return idt.Event{}
	}
	return c.outcome.Last()
}

// Streak is the number of deliveries since an instruction last retired.
func (c *CPU) Streak() uint64 {
	if c.s.Ticks != c.lastEvent {
		return 0
	}
	return c.streak
}

// Shutdown is the outcome of the last delivery: the one that Run stopped at with StopShutdown.
func (c *CPU) Shutdown() idt.Outcome {
	out := c.outcome
	clear(out.Chain[out.N:])
	return out
}

// Run runs until the clock reaches until or something else stops it. A
// deadline or until that falls inside a REP stops between its iterations.
func (c *CPU) Run(until uint64) Stop {
	c.until = until
	for {
		now := c.s.Ticks
		switch {
		case c.request:
			c.request = false
			return StopRequest
		case now >= until:
			return StopTick
		case now >= c.deadline:
			return StopDeadline
		case c.interrupt.Load():
			c.interrupt.Store(false)
			return StopInterrupt
		}
		c.limit = min(until, c.deadline, now+pollTicks)
		if stop, stopped := c.advance(); stopped {
			return stop
		}
	}
}

// Step runs one instruction, one REP iteration, or one delivery.
func (c *CPU) Step() Stop {
	c.limit = c.s.Ticks + 1
	if stop, stopped := c.boundary(); stopped {
		return stop
	} else if c.s.Ticks < c.limit {
		if stop, stopped := c.stepInst(); stopped {
			return stop
		}
	}
	if c.request {
		c.request = false
		return StopRequest
	}
	return StopTick
}

// advance serves the events pending at this instruction boundary, then runs
// instructions until limit or until something may have become pending.
func (c *CPU) advance() (Stop, bool) {
	masked := c.s.RFLAGS&idt.FlagIF == 0
	if c.s.PendDB != 0 || c.s.NMI || c.s.INTR && !masked || c.s.Halted || c.inject {
		before := c.s.Ticks
		if stop, stopped := c.boundary(); stopped || c.s.Ticks != before {
			return stop, stopped
		}
	}
	if c.single || c.s.Shadow != 0 || c.s.RFLAGS&idt.FlagTF != 0 {
		return c.stepInst()
	}
	if c.s.RFLAGS&idt.FlagRF != 0 {
		c.s.RFLAGS &^= idt.FlagRF
		c.resumed = c.s.Ticks
	}
	switch c.runBlocks() {
	case exitFault:
		return c.deliverFault()
	case exitStep:
		return c.stepInst()
	}
	return 0, false
}

// boundary serves what is pending between two instructions, in the manual's
// order of priority. [SDM 3A, Priority Among Concurrent Events]
func (c *CPU) boundary() (Stop, bool) {
	s := &c.s
	if c.inject {
		c.inject, s.Halted = false, false
		c.injected.Return = c.ip
		return c.deliver(&c.injected)
	}
	movSS := s.Shadow&idt.ShadowMovSS != 0
	if s.PendDB != 0 && !movSS {
		// Debug traps of the previous instruction come before NMI and INTR.
		s.Halted = false
		dr6 := s.PendDB
		s.PendDB = 0
		return c.deliver(&idt.Event{Vector: idt.VecDB, Return: c.ip, DR6: dr6})
	}
	if s.NMI && !s.NMIBlocked && !movSS {
		s.NMI, s.Halted = false, false
		return c.deliver(&idt.Event{Vector: idt.VecNMI, Kind: idt.NMI, Return: c.ip})
	}
	if s.INTR && s.RFLAGS&idt.FlagIF != 0 && s.Shadow == 0 {
		s.Halted = false
		return c.deliver(&idt.Event{Vector: idt.Vector(c.io.Ack()), Kind: idt.External, Return: c.ip})
	}
	if s.Halted {
		return StopHalt, true
	}
	return 0, false
}

// stepInst runs the instruction at c.ip through its handler.
func (c *CPU) stepInst() (Stop, bool) {
	s := &c.s
	tf := s.RFLAGS&idt.FlagTF != 0
	shadow, pending := s.Shadow, s.PendDB
	if tf || shadow != 0 || c.single {
		c.limit = s.Ticks + 1 // a REP stops after each iteration
	}
	// A breakpoint comes before what fetching may find. [SDM 3A, Priority Among Concurrent Events]
	if c.single && s.RFLAGS&idt.FlagRF == 0 && c.checkInstrBreak(c.csBase+c.ip) {
		return c.deliverFault()
	}
	if c.breaks != nil && s.RFLAGS&idt.FlagRF == 0 && c.reached() {
		return StopRequest, true
	}
	in := &c.shown.step
	*in = decode.Inst{}
	if !c.fetchInst(in) {
		return c.deliverFault()
	}
	if c.obs != nil {
		c.observeInst(in)
	}
	s.Shadow = 0
	s.RFLAGS &^= idt.FlagRF
	c.blocks.stale = false
	ok := c.exec(in)
	if !ok {
		s.Shadow = shadow
		if c.repDone == 0 {
			// A data breakpoint is a trap: an instruction that faults has not hit it.
			s.PendDB = s.PendDB&^dr6Hits | pending&dr6Hits
		}
		s.Ticks += uint64(c.repDone)
		return c.deliverFault()
	}
	// MOV SS and POP SS hold their own trap back for good: the next instruction
	// has one of its own, unless it is INT3 or INT n. [SDM 3B, Single-Step Exception Condition; observed on AMD Zen 4]
	trap := tf && c.stepTraps(in) && s.Shadow&idt.ShadowMovSS == 0
	c.retire()
	if trap {
		// A set TF at the start of an instruction traps after it. [SDM 3B, Single-Step Exception Condition]
		s.PendDB |= dr6BS
	}
	return 0, false
}

// retire completes the instruction whose handler has just returned true. RF,
// which every instruction clears as it starts, is set between two iterations
// of a REP, so that an interrupt there saves it.
// [SDM 3B, Instruction-Breakpoint Exception Condition]
func (c *CPU) retire() {
	if c.repDone > 0 && c.next == c.ip {
		c.s.RFLAGS |= idt.FlagRF
	}
	c.ip = c.next
	c.s.Ticks += max(uint64(c.repDone), 1)
}

// deliverFault delivers the event that an instruction came back with.
func (c *CPU) deliverFault() (Stop, bool) {
	if c.s.Halted {
		// Frozen before an x87 instruction: no event, but time passes. STI's shadow
		// is over, as it is in HLT.
		c.s.Shadow = 0
		c.s.Ticks++
		return 0, false
	}
	if c.fault.Kind == idt.Exception {
		c.fault.Return = c.ip
	}
	return c.deliver(&c.fault)
}

// deliver has idt deliver an event, and takes over the state it leaves.
func (c *CPU) deliver(e *idt.Event) (Stop, bool) {
	if c.OnEvent != nil {
		if e = c.ask(e); e == nil {
			return 0, false
		}
	}
	s := &c.s
	if s.Ticks != c.lastEvent {
		c.streak = 0
	}
	c.settle()
	if c.OnDelivery != nil {
		c.from = Interrupted{s.CPL, c.CodeAt(), c.StackAt()}
	}
	if e.Vector == idt.VecDB {
		// #DB stops the recording of branches. [SDM 3B, IA32_DEBUGCTL MSR]
		s.MSR.DebugCtl &^= debugCtlLBR | debugCtlBTF
	}
	idt.Deliver(c, e, &c.outcome)
	if c.outcome.Shutdown {
		if c.OnDelivery != nil {
			c.OnDelivery(&c.outcome)
		}
		return StopShutdown, true
	}
	c.ip = s.RIP
	c.setArith(s.RFLAGS)
	c.transferred()
	s.Ticks++
	c.lastEvent = s.Ticks
	c.streak++
	if c.OnDelivery != nil {
		c.OnDelivery(&c.outcome)
	}
	if c.deliveryStop > 0 {
		if c.deliveryStop--; c.deliveryStop == 0 {
			return StopDelivery, true
		}
	}
	if c.streak == c.streakStop {
		return StopStreak, true
	}
	return 0, false
}

// Observer is who watches, or nil.
func (c *CPU) Observer() Observer { return c.obs }

// SetObserver sets who watches; nil is nobody. While someone watches, every
// instruction runs through Step and every access takes the slow path.
func (c *CPU) SetObserver(o Observer) {
	c.obs = o
	c.core.Observe(o)
	c.debugChanged()
}

// debugChanged derives what depends on observers and on DR7: call it after a
// change of either.
func (c *CPU) debugChanged() {
	armed := c.debugArmed()
	c.single = c.obs != nil || armed
	c.watchAccess = c.obs != nil || armed
	c.flagsChanged()
}

// SkipTo moves the clock forward to a tick: a halted processor waits for the
// next event of the board without running anything.
func (c *CPU) SkipTo(tick uint64) {
	if tick > c.s.Ticks {
		c.s.Ticks = tick
	}
}
