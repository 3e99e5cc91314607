package session

import (
	"context"

	"x86emu/debug"
)

// sourceLine is a line of the program's text; the zero value is none.
type sourceLine struct {
	file string
	line int
}

// line is that of the next instruction.
func (s *Session) line() sourceLine {
	p := s.place(s.m, uint64(s.m.CPU.CodeAt()))
	if p == nil {
		return sourceLine{}
	}
	return sourceLine{p.File, p.Line}
}

// StepLine goes to the beginning of another source line: over calls and what
// handlers do, or else into them as far as they have lines. Where there is no
// line it is Next or Step.
func (s *Session) StepLine(ctx context.Context, over bool) error {
	first := s.line()
	switch {
	case first == sourceLine{} && over:
		return s.Next(ctx)
	case first == sourceLine{}:
		return s.Step(ctx, 1)
	}
	if err := s.begin(); err != nil {
		return err
	}
	conds := s.active(s.stopsNext)
	a, why, err := s.here(), "", error(nil)
	var meet []debug.Condition // nothing at the first step: it never stops where it stands
	for !a.Over && err == nil {
		in, ok := s.inst(s.m.CPU.CodeAt())
		away := ok && returns(&in)
		if over {
			a, why, err = s.whole(ctx, meet)
		} else {
			a, why, err = s.into(ctx, meet)
			if _, raised := s.h.Delivered(); raised {
				away = true
			}
		}
		meet = conds
		if err != nil || a.Over || a.Why == debug.Cancelled || len(s.met) > 0 {
			break
		}
		if s.meetsHere(conds) {
			why = "at " + s.met[0].String()
			break
		}
		now := s.line()
		if now == (sourceLine{}) || now != first && (away || s.o.Symbols.BeginsLine(uint64(s.m.CPU.CodeAt()))) {
			why = "stepped"
			break
		}
	}
	return s.arrive(a, why, err)
}

// into makes one step, unless it meets a condition; code without lines that it
// calls or raises runs to where it comes back.
func (s *Session) into(ctx context.Context, conds []debug.Condition) (debug.Arrival, string, error) {
	from := s.Tick()
	in, ok := s.inst(s.m.CPU.CodeAt())
	a, why, err := s.step(ctx, conds)
	_, raised := s.h.Delivered()
	if err != nil || len(s.met) > 0 || a.Over || a.Why == debug.Cancelled || !raised && !(ok && calls(&in)) || s.line() != (sourceLine{}) {
		return a, why, err
	}
	if a, err = s.h.Goto(ctx, from); err != nil || a.Why == debug.Cancelled {
		return a, "", err
	}
	return s.whole(ctx, nil)
}

// BackLine goes back to the beginning of the source line at work, or from there
// to that of the line before, over calls and what handlers have done. Where
// there is no line it is BackNext.
func (s *Session) BackLine(ctx context.Context) error {
	if s.line() == (sourceLine{}) || s.at >= 0 {
		return s.BackNext(ctx)
	}
	if err := s.begin(); err != nil {
		return err
	}
	conds := s.active(func(c debug.Condition) bool { _, place := c.(debug.AtAddress); return place })
	a, err := s.backOver(ctx)
	line := s.line()
	for err == nil && a.Why == debug.AtTick && line != (sourceLine{}) {
		if s.meetsHere(conds) {
			return s.arrive(a, "at "+s.met[0].String(), nil)
		}
		there := s.Tick()
		if a, err = s.backOver(ctx); err != nil || a.Why == debug.Cancelled {
			break
		}
		if s.line() != line || a.Why == debug.AtBegin {
			a, err = s.h.Goto(ctx, there)
			break
		}
	}
	return s.arrive(a, "stepped back", err)
}

// backOver goes back one step, or over a call or what a handler has done.
func (s *Session) backOver(ctx context.Context) (debug.Arrival, error) {
	a, err := s.h.StepBack(ctx, 1)
	if err != nil || a.Why != debug.AtTick {
		return a, err
	}
	in, ok := s.inst(s.m.CPU.CodeAt())
	if !ok || !returns(&in) {
		return a, nil
	}
	// Who wrote the return address last has made the call.
	now := s.Tick()
	c := debug.OnWrite{Addr: uint64(s.m.CPU.StackAt())}
	b, err := s.h.ReverseContinue(ctx, c)
	switch {
	case err == nil && b.Why == debug.AtCondition:
		b.Why = debug.AtTick
		return b, nil
	case err == nil && b.Why == debug.Cancelled:
		return b, nil
	}
	return s.h.Goto(ctx, now)
}
