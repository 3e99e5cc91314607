package gdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"x86emu/debug"
	"x86emu/machine"
)

// This file moves the guest, forward and back, and makes stop replies of where
// it arrives.

// target is the machine that is debugged, and what its client has set.
type target struct {
	o       Options
	h       *debug.History
	limit   uint64 // the tick at which the budget is spent
	points  []point
	catches []catch
	number  int      // of the last of them
	armed   []*point // what the conditions of the last run stand for; nil: a catch
	missed  string   // which catches the last run did not look for

	leap      leap // if not nil, where the next continue or reverse-continue goes
	snapshots map[string]*machine.Moment
	written   uint64 // bytes that the history keeps of what clients have changed

	stop  stop
	end   machine.Result // how the run ended
	ended bool           // the client was told that it has
}

// catch is what the guest shall stop before: an event, or what else the monitor's
// break knows.
type catch struct {
	number int
	debug.Condition
}

// stop is why the guest stands, as the client is told.
type stop struct {
	signal int
	reason string // the pair of a stop reply that says more
	words  string // for the person
}

// Numbers of signals in the protocol.
const (
	sigINT  = 2
	sigTRAP = 5
	sigABRT = 6
	sigKILL = 9
	sigSEGV = 11
	sigSTOP = 17
	sigXCPU = 24
)

func newTarget(m *machine.Machine, o Options) *target {
	t := &target{
		o: o, h: debug.NewHistory(m, o.History), limit: machine.NoBudget,
		snapshots: map[string]*machine.Moment{}, stop: stop{signal: sigTRAP},
	}
	if end := t.h.Tick() + o.Budget; o.Budget > 0 && end >= o.Budget {
		t.limit = end
	}
	return t
}

func (t *target) close() { t.h.Close() }

func (t *target) machine() *machine.Machine { return t.h.Machine() }

// forget drops what a client has set.
func (t *target) forget() {
	t.points, t.catches, t.leap = nil, nil, nil
}

// cancelled is the result of a run that was ended from outside.
func (t *target) cancelled() machine.Result {
	return machine.Result{Reason: machine.Cancelled, Ticks: t.h.Tick()}
}

// budget is how many ticks are left.
func (t *target) budget() uint64 {
	if t.limit == machine.NoBudget {
		return machine.NoBudget
	}
	return t.limit - min(t.limit, t.h.Tick())
}

// runOn runs without any condition.
func (t *target) runOn(ctx context.Context) (debug.Arrival, error) {
	return t.h.Run(ctx, t.budget())
}

// resultOf is the result of a run that has arrived there and goes no further.
func (t *target) resultOf(a debug.Arrival) machine.Result {
	switch {
	case a.Over:
		return a.Result
	case a.Why == debug.Cancelled:
		return t.cancelled()
	}
	return machine.Result{Reason: machine.Budget, Ticks: a.Tick}
}

// move is what a client asks for.
type move uint8

const (
	cont move = iota
	step
	stepRange // while the instruction pointer is in a range
	back      // a step back
	backCont
)

// resume moves the guest. exited says that the run is over for good: the client
// had been told that it has come to its end, and goes on.
func (t *target) resume(ctx context.Context, how move, first, last uint64) (exited bool, err error) {
	if t.ended && t.leap == nil {
		switch how {
		case cont:
			return true, nil
		case step, stepRange:
			return false, nil // one step too many ends nothing
		}
	}
	t.ended, t.missed = false, ""
	if to := t.leap; to != nil && (how == cont || how == backCont) {
		t.leap = nil
		a, words, err := to(ctx)
		t.arrive(a, stop{signal: sigTRAP, words: words})
		return false, err
	}
	switch how {
	case cont:
		err = t.forward(ctx)
	case step, stepRange:
		err = t.steps(ctx, how == stepRange, first, last)
	case back:
		err = t.stepBack(ctx)
	case backCont:
		err = t.backward(ctx)
	}
	return false, err
}

// arrive notes why the guest stands. why is the stop if nothing else ended the
// movement.
func (t *target) arrive(a debug.Arrival, why stop) {
	t.stop = why
	switch {
	case a.Why == debug.Cancelled:
		t.stop = stop{signal: sigINT}
	case a.Over:
		t.theEnd(a.Result)
	case a.Why == debug.AtTick && t.budget() == 0:
		t.theEnd(t.resultOf(a))
	case a.Why == debug.AtBegin:
		t.stop = stop{signal: sigTRAP, reason: "replaylog:begin;", words: "the beginning"}
	case a.Why == debug.AtCondition:
		t.stop.signal = sigTRAP
		for _, i := range a.Met {
			if p := t.armed[i]; p != nil && p.kind > '1' {
				t.stop.reason = p.reason()
			}
		}
	}
}

// theEnd stops at the end of the run: a client can still look, and go back.
func (t *target) theEnd(r machine.Result) {
	t.end, t.ended = r, true
	t.stop.reason = ""
	t.stop.signal = map[machine.Reason]int{
		machine.Exited: sigKILL, machine.Halted: sigSTOP, machine.Shutdown: sigSEGV, machine.Looping: sigABRT, machine.Budget: sigXCPU,
		machine.TurnedOff: sigKILL, machine.Reset: sigKILL,
	}[r.Reason]
	words := strings.Join(r.Story(), "\n")
	switch {
	case r.Reason == machine.TurnedOff:
		words = "the guest turned the machine off"
	case words == "":
		words = fmt.Sprintf("the guest ended it with %d", r.Value)
	}
	t.stop.words = fmt.Sprintf("the run is over, exit status %d: %s\n(go back from here, or continue to end it)", r.Status(), words)
}

// forward runs until something is met. What the guest stands before does not
// count: neither an instruction nor an event.
func (t *target) forward(ctx context.Context) error {
	if len(t.catches) > 0 {
		a, err := t.h.Step(ctx, t.conditions(false, false)...)
		if err != nil || t.stops(a) {
			t.arrive(a, stop{})
			return err
		}
		if t.atPoint() {
			t.stop = stop{signal: sigTRAP}
			return nil
		}
	}
	conds := t.conditions(true, true)
	a, err := t.h.Run(ctx, t.budget(), conds...)
	if err != nil || a.Why != debug.AtCondition {
		t.arrive(a, stop{signal: sigTRAP})
		return err
	}
	for _, i := range a.Met {
		if t.armed[i] == nil {
			return t.beforeEvent(ctx, a, conds[i])
		}
	}
	t.arrive(a, stop{})
	return nil
}

// stops tells whether a step has ended more than itself.
func (t *target) stops(a debug.Arrival) bool {
	return a.Over || a.Why != debug.AtTick || t.budget() == 0
}

// atPoint tells whether the guest stands at a breakpoint.
func (t *target) atPoint() bool {
	at := uint64(t.machine().CPU.CodeAt())
	return slices.ContainsFunc(t.points, func(p point) bool { return p.kind <= '1' && p.addr == at })
}

// beforeEvent goes back to before what was just met.
func (t *target) beforeEvent(ctx context.Context, a debug.Arrival, c debug.Condition) error {
	words := "before " + c.String()
	out, delivered := t.h.Delivered()
	if _, event := c.(debug.OnEvent); event && delivered {
		words = ""
		for i, e := range out.Chain[:out.N] {
			words += []string{"before ", ", then "}[min(i, 1)] + e.String()
		}
	}
	var err error
	if a.Over && a.Result.Reason == machine.Shutdown {
		a, err = t.h.StepBack(ctx, 1)
	} else {
		a, err = t.h.Goto(ctx, a.Tick-1)
	}
	t.arrive(a, stop{signal: sigTRAP, words: words})
	return err
}

// stepBack goes one step back. A watchpoint that the step would meet is told.
func (t *target) stepBack(ctx context.Context) error {
	a, err := t.h.StepBack(ctx, 1)
	conds := t.conditions(false, false)
	if err != nil || a.Why != debug.AtTick || len(conds) == 0 {
		t.arrive(a, stop{signal: sigTRAP})
		return err
	}
	met, err := t.h.Step(ctx, conds...)
	if err != nil {
		return err
	}
	if a, err = t.h.Goto(ctx, a.Tick); a.Why == debug.AtTick && met.Why == debug.AtCondition {
		a.Why, a.Met = debug.AtCondition, met.Met
	}
	t.arrive(a, stop{signal: sigTRAP})
	return err
}

// backward goes back to where something was met last, or to the beginning.
func (t *target) backward(ctx context.Context) error {
	conds := t.conditions(true, true)
	a, err := t.h.ReverseContinue(ctx, conds...)
	if err == nil && a.Why == debug.NotMet {
		if a, err = t.h.Goto(ctx, t.h.Begin()); a.Why == debug.AtTick {
			a.Why = debug.AtBegin
		}
	}
	if err == nil && a.Why == debug.AtCondition && t.armed[a.Met[0]] == nil {
		c := conds[a.Met[0]]
		if a, err = t.h.Step(ctx); err == nil && a.Why != debug.Cancelled {
			return t.beforeEvent(ctx, a, c)
		}
	}
	t.arrive(a, stop{signal: sigTRAP})
	return err
}

// change lets f change the machine, and with it what comes after the present.
// size is roughly how many bytes the history keeps of it.
func (t *target) change(size int, f func(*machine.Machine)) error {
	if t.ended {
		return fmt.Errorf("the run is over: go back before you change anything")
	}
	if t.h.Tick() > t.h.Begin() {
		if t.written += uint64(size) + 64; t.written > maxWritten {
			return fmt.Errorf("more was changed than the history can keep (%d MiB)", maxWritten>>20)
		}
	}
	t.h.Intervene(f)
	return nil
}

// maxWritten bounds what the history keeps of changes.
const maxWritten = 64 << 20

// setRegister writes a register.
func (t *target) setRegister(r *register, v value) error {
	if r.set == nil {
		return fmt.Errorf("%s cannot be written", r.name)
	}
	s := t.machine().CPU.State()
	if err := r.set(&s, v); err != nil {
		return err
	}
	return t.change(0, func(m *machine.Machine) {
		s := m.CPU.State()
		tlb := m.MMU.TLB()
		r.set(&s, v)
		m.CPU.SetState(s)
		m.MMU.SetTLB(tlb)
	})
}
