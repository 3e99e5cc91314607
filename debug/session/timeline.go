package session

import (
	"context"
	"slices"
	"sort"
	"sync"

	"x86emu/debug"
	"x86emu/debug/stale"
	"x86emu/idt"
	"x86emu/machine"
)

// Chain is one chain of events that begins with an exception: those that follow
// one another before another instruction retires.
type Chain struct {
	Tick       uint64 // of the boundary before the first
	Deliveries uint64
	First      idt.Event
	Last       idt.Event // of the last delivery that is known
	Shutdown   bool
}

// Timeline knows the chains of events of a run, also of what is still to come:
// a fork runs ahead. It may be asked by any goroutine.
type Timeline struct {
	m     *machine.Machine
	syms  *debug.Symbols
	stale bool // uses of stale TLB entries are watched

	mu     sync.Mutex
	chains []Chain
	more   uint64 // chains beyond those kept
	uses   []debug.StaleUse
	known  uint64 // the tick up to which all is known
	end    machine.Result
	done   bool
}

// Bounds of what a timeline keeps, and of how far it runs ahead, in ticks.
const (
	maxChains = 1 << 16
	maxAhead  = 1 << 32
	maxUses   = 1 << 12
)

// restart forgets what is known: the run goes on otherwise, as m does.
func (t *Timeline) restart(m *machine.Machine) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := m.CPU.Ticks()
	t.m = m
	t.chains = t.chains[:sort.Search(len(t.chains), func(i int) bool { return t.chains[i].Tick >= now })]
	// Frames hold on to those they were given.
	t.uses = slices.Clip(t.uses[:sort.Search(len(t.uses), func(i int) bool { return t.uses[i].Tick >= now })])
	t.more, t.known, t.end, t.done = 0, now, machine.Result{}, false
}

// Scout runs ahead until the run's end, the context's, or maxAhead ticks. The
// error is the host's.
func (t *Timeline) Scout(ctx context.Context) error {
	t.mu.Lock()
	m := t.m
	t.mu.Unlock()
	m.CPU.OnDelivery = func(out *idt.Outcome) { t.delivered(m, out) }
	if t.stale {
		w := stale.Watch(m, func(u *stale.Use) { t.used(m, u) })
		defer w.Close()
	}
	for slice := uint64(1 << 20); ; slice *= 2 { // so that a run can find a loop of any period
		r, err := m.Run(ctx, slice)
		t.mu.Lock()
		if t.m != m { // the run goes on otherwise
			t.mu.Unlock()
			return err
		}
		t.known, t.end = r.Ticks, r
		t.done = err != nil || r.Reason != machine.Budget || r.Ticks >= maxAhead
		done := t.done
		t.mu.Unlock()
		if done {
			return err
		}
	}
}

// delivered looks at each delivery.
func (t *Timeline) delivered(m *machine.Machine, out *idt.Outcome) {
	at := m.CPU.Ticks()
	start := at - m.CPU.Streak()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m != m {
		return
	}
	if n := len(t.chains); n > 0 && t.chains[n-1].Tick == start {
		c := &t.chains[n-1]
		c.Deliveries++
		c.Last, c.Shutdown = out.Chain[out.N-1], out.Shutdown
		return
	}
	if out.Chain[0].Kind != idt.Exception || out.N == 0 {
		return
	}
	if len(t.chains) == maxChains {
		t.more++
		return
	}
	t.chains = append(t.chains, Chain{Tick: start, Deliveries: 1, First: out.Chain[0], Last: out.Chain[out.N-1], Shutdown: out.Shutdown})
}

// Around is a part of a timeline.
type Around struct {
	Chains []Chain
	First  int  // how many chains come before those
	Now    int  // how many chains begin at the present tick or before it
	On     bool // the present lies within the last one of these
	Total  uint64
	Known  uint64 // the tick up to which all is known
	Done   bool
	End    machine.Result // of the run, if Done
}

// Around gives at most n chains around a tick, moved down by a distance.
func (t *Timeline) Around(tick uint64, n, down int) Around {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := Around{Total: uint64(len(t.chains)) + t.more, Known: t.known, Done: t.done, End: t.end}
	a.Now = sort.Search(len(t.chains), func(i int) bool { return t.chains[i].Tick > tick })
	if a.Now > 0 {
		c := t.chains[a.Now-1]
		a.On = tick < c.Tick+c.Deliveries
	}
	a.First = max(0, min(a.Now-1-n/2+down, len(t.chains)-n))
	last := min(a.First+n, len(t.chains))
	a.Chains = append(a.Chains, t.chains[a.First:last]...)
	return a
}

// beside finds the chain that begins next after a tick, or last before it.
func (t *Timeline) beside(tick uint64, forward bool) (Chain, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if forward {
		i := sort.Search(len(t.chains), func(i int) bool { return t.chains[i].Tick > tick })
		if i < len(t.chains) {
			return t.chains[i], true
		}
		return Chain{}, false
	}
	i := sort.Search(len(t.chains), func(i int) bool { return t.chains[i].Tick >= tick })
	if i > 0 {
		return t.chains[i-1], true
	}
	return Chain{}, false
}
