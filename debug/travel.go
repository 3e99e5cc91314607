package debug

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"x86emu/cpu"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Why tells why a movement through time has ended.
type Why uint8

const (
	AtTick      Why = iota // the tick that was asked for, or the budget is spent
	AtCondition            // a condition was met
	AtEnd                  // the run is over: see Result
	AtBegin                // there is no earlier tick
	NotMet                 // backward: no condition was met since the beginning; the machine stands where it stood
	Cancelled              // the context ended
)

func (w Why) String() string {
	return [...]string{"tick reached", "condition met", "end of the run", "beginning", "not found", "interrupted"}[w]
}

// Arrival tells where a movement through time has ended.
type Arrival struct {
	Tick   uint64
	Why    Why
	Met    []int          // AtCondition: which of the conditions
	Result machine.Result // how the run ended, if Over
	Over   bool           // the machine stands behind the end of its run
}

// arrival is one at the present.
func (h *History) arrival(why Why) Arrival {
	a := Arrival{Tick: h.Tick(), Why: why, Over: h.over}
	if h.over {
		a.Result = h.end
	}
	return a
}

// Run runs forward until a condition is met, budget ticks have passed, the run
// ends, or ctx does. It stops behind an event or a write that meets a
// condition, and before an instruction that does; one at the present address
// does not count. In time that was run before it goes the same way again.
func (h *History) Run(ctx context.Context, budget uint64, conds ...Condition) (Arrival, error) {
	w, err := newWatch(h.m, conds)
	if err != nil {
		return Arrival{}, err
	}
	begin := h.Tick()
	to := begin + budget
	if to < begin {
		to = machine.NoBudget
	}
	if h.over {
		return h.arrival(AtEnd), nil
	}
	r, err := h.forward(ctx, to, w)
	switch {
	case err != nil:
		return Arrival{}, err
	case len(w.last.met) > 0:
		return h.met(ctx, w)
	case h.over:
		return h.arrival(AtEnd), nil
	case r.Reason == machine.Cancelled:
		return h.arrival(Cancelled), nil
	}
	return h.arrival(AtTick), nil
}

// met ends a run that was stopped by a condition. Where a walk's own store or a
// read has met it, a few instructions more may have run.
func (h *History) met(ctx context.Context, w *watch) (Arrival, error) {
	seen, now := w.last, h.Tick()
	if seen.late && now > seen.tick+1 {
		at, err := h.pin(ctx, w, seen.tick, now, false)
		if err != nil {
			return Arrival{}, err
		}
		if err := h.seek(ctx, at.tick+1); err != nil {
			return Arrival{}, err
		}
		seen = at
	}
	a := h.arrival(AtCondition)
	a.Met = seen.met
	return a, nil
}

// Step runs one tick: an instruction, an iteration of a REP, or the delivery of
// an event. A halted processor sleeps until something wakes it. Conditions that
// are met on the way are told.
func (h *History) Step(ctx context.Context, conds ...Condition) (Arrival, error) {
	n := uint64(1)
	if s := h.m.CPU.State(); sleeping(&s) {
		if wake, ok := h.m.Wake(); ok && wake > s.Ticks {
			n = wake - s.Ticks
		}
	}
	return h.Run(ctx, n, conds...)
}

func sleeping(s *cpu.State) bool {
	return s.Halted && s.PendDB == 0 && !s.NMI && !s.INTR
}

// Goto goes to a tick, back or forward; beyond the end, to the end.
func (h *History) Goto(ctx context.Context, tick uint64) (Arrival, error) {
	switch {
	case tick > h.frontier:
		if err := h.seek(ctx, h.frontier); err != nil {
			return h.failed(ctx, err)
		}
		return h.Run(ctx, tick-h.frontier)
	case tick < h.Begin():
		tick = h.Begin()
	}
	if err := h.seek(ctx, tick); err != nil {
		return h.failed(ctx, err)
	}
	return h.arrival(AtTick), nil
}

// StepBack goes n steps back. The step before the end of a run that a shutdown
// ended is the delivery that failed.
func (h *History) StepBack(ctx context.Context, n uint64) (Arrival, error) {
	for ; n > 0; n-- {
		now := h.Tick()
		if h.over && h.end.Reason == machine.Shutdown {
			now++
		}
		if now <= h.Begin() {
			return h.arrival(AtBegin), nil
		}
		to := now - 1
		if n > 1 && h.m.Asleep() == 0 && to >= n-1+h.Begin() {
			// Nothing has slept so far: ticks are steps.
			to, n = to-(n-1), 1
		}
		if err := h.seek(ctx, to); err != nil {
			return h.failed(ctx, err)
		}
		if s := h.m.CPU.State(); s.Halted && h.m.Asleep() < to && h.m.Asleep() > h.Begin() && sleeping(&s) {
			if err := h.seek(ctx, h.m.Asleep()); err != nil {
				return h.failed(ctx, err)
			}
		}
	}
	return h.arrival(AtTick), nil
}

// FaultStart goes back to where the chain of events that is being handled
// began: before the outermost exception whose handler has not returned, or
// where there is none, before the outermost event. ok is false, and the
// machine stays where it is, if no event is being handled.
func (h *History) FaultStart(ctx context.Context) (a Arrival, ok bool, err error) {
	tick, ok := h.nest.first(h.m)
	if !ok && h.over && h.end.Reason == machine.Shutdown {
		tick, ok = h.Tick(), true
	}
	if !ok {
		return h.arrival(NotMet), false, nil
	}
	a, err = h.Goto(ctx, tick)
	return a, true, err
}

// Handled is an event whose handler is at work.
type Handled struct {
	Tick  uint64     // before its delivery
	Event idt.Event  // the one that the delivery began with
	Code  mmu.Linear // the instruction that raised it, or that would have come next
}

// Nesting is the events that are being handled, the outermost first; of a deep
// recursion the first ones.
func (h *History) Nesting() []Handled {
	var all []Handled
	if h.m.CPU.Regs().CPL != 3 {
		for _, e := range h.nest.open[:h.nest.n] {
			all = append(all, Handled{e.tick, e.event, e.code})
		}
	}
	return all
}

// Deeper is how many events are being handled within the last that Nesting has.
func (h *History) Deeper() int {
	if h.m.CPU.Regs().CPL == 3 {
		return 0
	}
	return h.nest.deep
}

// ForkAt makes a machine as it was at a tick since the beginning that was
// reached; the history's own stays where it is.
func (h *History) ForkAt(ctx context.Context, tick uint64) (*machine.Machine, error) {
	now, over := h.Tick(), h.over
	if tick > h.frontier || tick < h.Begin() {
		return nil, fmt.Errorf("tick %d is not between %d and %d", tick, h.Begin(), h.frontier)
	}
	var f *machine.Machine
	err := h.seek(ctx, tick)
	if err == nil {
		f, err = h.m.Fork()
	}
	back := context.WithoutCancel(ctx) // to where nobody has asked to leave
	err = cmp.Or(err, h.seek(back, now))
	if over && err == nil {
		err = h.toEnd(back)
	}
	return f, err
}

// ReverseContinue goes back to the last tick before the present at which a
// condition was met, and stops before the instruction or event that met it.
// Addresses and page tables are looked up as they are at the present.
func (h *History) ReverseContinue(ctx context.Context, conds ...Condition) (Arrival, error) {
	w, err := newWatch(h.m, conds)
	if err != nil {
		return Arrival{}, err
	}
	now, over := h.Tick(), h.over
	at, err := h.last(ctx, w)
	if err == nil && len(at.met) == 0 {
		if err = h.seek(ctx, now); err == nil && over {
			err = h.toEnd(ctx)
		}
		if err == nil {
			return h.arrival(NotMet), nil
		}
	}
	if err == nil {
		err = h.seek(ctx, at.tick)
	}
	if err != nil {
		return h.failed(ctx, err)
	}
	return Arrival{Tick: at.tick, Why: AtCondition, Met: at.met}, nil
}

// failed ends a movement that did not get where it should: the end of the
// context is told as such.
func (h *History) failed(ctx context.Context, err error) (Arrival, error) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return h.arrival(Cancelled), nil
	}
	return Arrival{}, err
}

// last finds the last sighting before the present, from one kept moment to the
// one before it. A stretch in which no watched page was copied has no store to it.
func (h *History) last(ctx context.Context, w *watch) (sighting, error) {
	end, mem := h.Tick(), h.m.Mem
	if h.over && h.end.Reason == machine.Shutdown {
		end++ // the last delivery counts as well
	}
	points := slices.Clone(h.points)
	for i := len(points) - 1; i >= 0; i-- {
		p := points[i]
		if p.Tick() >= end {
			continue
		}
		if !w.untouched(p.Memory(), mem) {
			h.restore(p)
			if err := h.pass(ctx, end, w, false); err != nil {
				return sighting{}, err
			}
			if at := w.last; len(at.met) > 0 {
				if at.exact {
					return at, nil
				}
				return h.pin(ctx, w, at.tick, end, true)
			}
		}
		end, mem = p.Tick(), p.Memory()
	}
	return sighting{}, nil
}

// pin finds the exact tick of a store that was met after low and before high:
// the first, or the last.
func (h *History) pin(ctx context.Context, w *watch, low, high uint64, last bool) (at sighting, err error) {
	if err := h.seek(ctx, low); err != nil {
		return at, err
	}
	for (len(at.met) == 0 || last) && h.Tick() < high && !h.over {
		from := h.Tick()
		if err := h.pass(ctx, high, w, true); err != nil {
			return at, err
		}
		seen, now := w.last, h.Tick()
		if len(seen.met) == 0 {
			break
		}
		if h.over {
			return sighting{met: seen.met, tick: now, exact: true}, nil
		}
		if !seen.late || now == seen.tick+1 {
			at = sighting{met: seen.met, tick: now - 1, exact: true}
			continue
		}
		// The block ran on: one tick after the other.
		for t := max(from, seen.tick); t < now; t++ {
			if err := h.seek(ctx, t); err != nil {
				return at, err
			}
			if err := h.pass(ctx, t+1, w, false); err != nil {
				return at, err
			}
			if len(w.last.met) > 0 {
				at = sighting{met: w.last.met, tick: t, exact: true}
				if !last {
					break
				}
			}
		}
	}
	if len(at.met) == 0 {
		return at, fmt.Errorf("a store seen after tick %d was not met again: %w", low, ErrUnrepeatable)
	}
	return at, nil
}
