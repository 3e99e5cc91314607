package session

import (
	"context"
	"fmt"

	"x86emu/debug"
	"x86emu/decode"
	"x86emu/machine"
	"x86emu/mmu"
)

// begin is the start of each movement of the machine.
func (s *Session) begin() error {
	_, s.before = s.present()
	s.codeAt, s.dataAt, s.walkAt = nil, nil, nil
	s.met = nil
	return s.leave()
}

// arrive is the end of each: why it is there, and what comes next.
func (s *Session) arrive(a debug.Arrival, why string, err error) error {
	if err != nil {
		return err
	}
	s.over, s.end, s.why = a.Over, a.Result, a.Why
	s.stop = why
	switch {
	case len(s.met) > 0:
		s.why = debug.AtCondition
	case s.why == debug.AtCondition: // one of the movement's own
		s.why = debug.AtTick
	}
	switch {
	case a.Why == debug.Cancelled:
		s.stop = "interrupted"
	case s.over:
		s.stop = "the run is over: " + endWords(a.Result)
	case a.Why == debug.AtBegin:
		s.stop = "the beginning"
	}
	return s.look()
}

// endWords tells how a run ended.
func endWords(r machine.Result) string {
	switch r.Reason {
	case machine.Exited:
		return fmt.Sprintf("the guest ended it with %d, exit status %d", r.Value, r.Status())
	case machine.Halted:
		return "halted for good"
	case machine.Looping:
		return "an endless loop of deliveries"
	}
	return r.Reason.String()
}

// Step goes n steps: instructions, iterations of REP, deliveries.
func (s *Session) Step(ctx context.Context, n uint64) error {
	if err := s.begin(); err != nil {
		return err
	}
	var a debug.Arrival
	var err error
	for ; n > 0 && err == nil && !a.Over && a.Why != debug.Cancelled; n-- {
		a, err = s.h.Step(ctx)
	}
	return s.arrive(a, "stepped", err)
}

// Back goes n steps back. From within a step it goes to the step's beginning.
func (s *Session) Back(ctx context.Context, n uint64) error {
	inside := s.at >= 0
	if err := s.begin(); err != nil {
		return err
	}
	if inside && n > 0 {
		n--
	}
	a, err := s.h.StepBack(ctx, n)
	return s.arrive(a, "stepped back", err)
}

// Next steps over calls, interrupts, repeated instructions, and what the handler
// of a fault does.
func (s *Session) Next(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	if s.over {
		return s.arrive(s.here(), "", nil)
	}
	a, why, err := s.whole(ctx, nil)
	return s.arrive(a, why, err)
}

// whole makes one step, unless it meets one of the conditions, and goes on to
// where control comes back from what it called or raised.
func (s *Session) whole(ctx context.Context, conds []debug.Condition) (a debug.Arrival, why string, err error) {
	in, ok := s.inst(s.m.CPU.CodeAt())
	called := ok && calls(&in)
	goesOn := called || ok && in.Props&decode.EndsBlock == 0
	sp, next := s.m.CPU.GPR()[4], s.m.CPU.CodeAt()+mmu.Linear(in.Len)
	a, why, err = s.step(ctx, conds)
	if len(s.met) > 0 {
		return a, why, err
	}
	_, raised := s.h.Delivered()
	if !goesOn || !called && !repeats(&in) && !raised {
		return a, "stepped", err
	}
	conds = append(s.active(s.stopsNext), debug.AtAddress{Linear: next})
	for err == nil && !a.Over && a.Why != debug.Cancelled {
		if s.m.CPU.CodeAt() == next && s.m.CPU.GPR()[4] >= sp {
			return a, "stepped over", nil
		}
		if a, why, err = s.until(ctx, machine.NoBudget, conds); err == nil && len(s.met) > 0 && (len(s.met) > 1 || s.met[0] != conds[len(conds)-1]) {
			return a, why, nil
		}
		s.met = nil
	}
	return a, "stepped", err
}

// stopsNext tells whether a breakpoint stops what is stepped over. That of any
// exception does not, unless it is asked to: what the handler of a fault does is
// stepped over.
func (s *Session) stopsNext(c debug.Condition) bool {
	e, event := c.(debug.OnEvent)
	return !event || !e.Any || s.o.StopNext
}

// until runs until a condition is met, and stands before what met it.
func (s *Session) until(ctx context.Context, budget uint64, conds []debug.Condition) (a debug.Arrival, why string, err error) {
	a, err = s.h.Run(ctx, budget, conds...)
	return s.ahead(ctx, a, conds, err)
}

// step makes a step, unless it meets a condition.
func (s *Session) step(ctx context.Context, conds []debug.Condition) (a debug.Arrival, why string, err error) {
	a, err = s.h.Step(ctx, conds...)
	return s.ahead(ctx, a, conds, err)
}

// ahead ends a movement with conditions: it goes to before what met them.
func (s *Session) ahead(ctx context.Context, a debug.Arrival, conds []debug.Condition, err error) (debug.Arrival, string, error) {
	if err != nil || a.Why != debug.AtCondition {
		return a, "", err
	}
	for _, i := range a.Met {
		s.met = append(s.met, conds[i])
	}
	c := s.met[0]
	if _, place := c.(debug.AtAddress); place {
		return a, "at " + c.String(), nil
	}
	if a.Over && a.Result.Reason == machine.Shutdown {
		a, err = s.h.StepBack(ctx, 1)
	} else {
		a, err = s.h.Goto(ctx, a.Tick-1)
	}
	return a, "before " + c.String(), err
}

// here is an arrival where the machine stands.
func (s *Session) here() debug.Arrival {
	return debug.Arrival{Tick: s.Tick(), Why: debug.AtTick, Over: s.over, Result: s.end}
}

// BackNext steps back over a call, or over what a handler has done.
func (s *Session) BackNext(ctx context.Context) error {
	if s.at >= 0 {
		return s.Back(ctx, 1)
	}
	if err := s.begin(); err != nil {
		return err
	}
	a, err := s.backOver(ctx)
	return s.arrive(a, "stepped back", err)
}

// Finish runs until the function or handler at work returns. The return is
// looked for on a fork, an instruction at a time; the machine follows, and stops
// at breakpoints.
func (s *Session) Finish(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	f, err := s.m.Fork()
	if err != nil {
		return err
	}
	conds := s.active(nil)
	sp := f.CPU.StackAt()
	ss := f.CPU.Regs().Seg[decode.SS].Sel
	for !s.over {
		at, back := f.CPU.CodeAt(), false
		if f.CPU.StackAt() >= sp && f.CPU.Regs().Seg[decode.SS].Sel == ss {
			in, ok := instAt(f, at)
			back = ok && returns(&in)
		}
		from := f.CPU.Ticks()
		r, err := f.Run(ctx, 1)
		if err != nil {
			return err
		}
		returned := back && f.CPU.CodeAt() != at || r.Reason != machine.Budget || f.CPU.Ticks() == from
		ahead := f.CPU.Ticks() - s.Tick()
		if !returned && ahead < finishTicks {
			continue
		}
		a, why, err := s.leap(ctx, ahead, conds, "returned")
		if returned || err != nil || len(s.met) > 0 || a.Over || a.Why == debug.Cancelled || s.meetsHere(conds) {
			return s.arrive(a, why, err)
		}
	}
	return s.arrive(s.here(), "", nil)
}

// finishTicks is how far Finish looks ahead of the machine.
const finishTicks = 1 << 16

// Continue runs to the next breakpoint. It never stops where it stands.
func (s *Session) Continue(ctx context.Context) error {
	return s.forward(ctx, machine.NoBudget, "")
}

// Resume goes on where Continue was interrupted, and misses nothing that is met
// there.
func (s *Session) Resume(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	conds := s.active(nil)
	if s.over || s.meetsHere(conds) {
		return s.arrive(s.here(), "at a breakpoint", nil)
	}
	a, why, err := s.until(ctx, machine.NoBudget, conds)
	return s.arrive(a, why, err)
}

// forward runs so many ticks, or to a breakpoint before.
func (s *Session) forward(ctx context.Context, budget uint64, why string) error {
	conds := s.active(nil)
	return s.seek(ctx, budget, conds, why)
}

// seek runs until a condition is met after the present step.
func (s *Session) seek(ctx context.Context, budget uint64, conds []debug.Condition, why string) error {
	if err := s.begin(); err != nil {
		return err
	}
	if s.over {
		return nil
	}
	a, why, err := s.leap(ctx, budget, conds, why)
	return s.arrive(a, why, err)
}

// leap makes a step and runs on until a condition is met or the budget is spent.
func (s *Session) leap(ctx context.Context, budget uint64, conds []debug.Condition, why string) (debug.Arrival, string, error) {
	end := s.Tick() + budget
	a, err := s.h.Step(ctx)
	if err != nil || a.Over || a.Why == debug.Cancelled || a.Tick >= end && budget != machine.NoBudget {
		return a, why, err
	}
	if s.meetsHere(conds) {
		return a, "at " + s.met[0].String(), nil
	}
	if budget != machine.NoBudget {
		budget = end - a.Tick
	}
	a, at, err := s.until(ctx, budget, conds)
	if at != "" {
		why = at
	}
	return a, why, err
}

// meetsHere notes the conditions that the present address meets.
func (s *Session) meetsHere(conds []debug.Condition) bool {
	for _, c := range conds {
		if p, ok := c.(debug.AtAddress); ok && p.MetBy(s.m) {
			s.met = append(s.met, c)
		}
	}
	return len(s.met) > 0
}

// BackContinue goes back to the last breakpoint, or to the beginning.
func (s *Session) BackContinue(ctx context.Context) error {
	return s.backTo(ctx, s.active(nil), true)
}

// backTo goes back to where one of the conditions was met last.
func (s *Session) backTo(ctx context.Context, conds []debug.Condition, begin bool) error {
	if err := s.begin(); err != nil {
		return err
	}
	a, err := s.h.ReverseContinue(ctx, conds...)
	switch {
	case err != nil:
	case a.Why == debug.AtCondition:
		for _, i := range a.Met {
			s.met = append(s.met, conds[i])
		}
		c := s.met[0]
		if _, place := c.(debug.AtAddress); place {
			return s.arrive(a, "at "+c.String(), nil)
		}
		return s.arrive(a, "before "+c.String(), nil)
	case a.Why == debug.NotMet && begin:
		a, err = s.h.Goto(ctx, s.h.Begin())
		return s.arrive(a, "the beginning: nothing was met on the way", err)
	}
	return s.arrive(a, "not found: "+a.Why.String(), err)
}

// FaultStart goes back to before the fault whose handler is at work.
func (s *Session) FaultStart(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	a, ok, err := s.h.FaultStart(ctx)
	if !ok {
		return s.arrive(a, "no handler is at work", err)
	}
	return s.arrive(a, "before the fault that began it", err)
}

// Goto goes to a tick, back or forward; beyond the end, to the end.
func (s *Session) Goto(ctx context.Context, tick uint64) error {
	if err := s.begin(); err != nil {
		return err
	}
	a, err := s.h.Goto(ctx, tick)
	return s.arrive(a, fmt.Sprintf("tick %d", s.Tick()), err)
}

// Begin goes to the beginning, End to the end of the run.
func (s *Session) Begin(ctx context.Context) error { return s.Goto(ctx, s.h.Begin()) }
func (s *Session) End(ctx context.Context) error   { return s.Goto(ctx, machine.NoBudget) }

// Fault goes to before the next chain of events, or to the one before.
func (s *Session) Fault(ctx context.Context, forward bool) error {
	if c, ok := s.Timeline.beside(s.Tick(), forward); ok {
		if err := s.Goto(ctx, c.Tick); err != nil || s.stop == "interrupted" {
			return err
		}
		s.stop = "before " + c.First.Name()
		return nil
	}
	conds := []debug.Condition{debug.OnEvent{Any: true}}
	if forward {
		return s.seek(ctx, machine.NoBudget, conds, "")
	}
	return s.backTo(ctx, conds, false)
}
