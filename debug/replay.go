package debug

import (
	"context"
	"fmt"

	"x86emu/machine"
)

// This file moves the machine of a history: forward through time that is new
// or old, and back by a moment and a replay.

// forward runs to a tick, with conditions at work. What lies before the
// frontier is replayed; what is new is recorded.
func (h *History) forward(ctx context.Context, to uint64, w *watch) (r machine.Result, err error) {
	defer h.arm(w, true)()
	for h.Tick() < to {
		switch {
		case h.Tick() < h.frontier:
			if r, err = h.leg(ctx, min(to, h.frontier)); err != nil {
				return r, err
			}
		case h.ended:
			return h.end, h.toEnd(ctx)
		default:
			r, err = h.explore(ctx, to)
			if err != nil || h.ended {
				return r, err
			}
		}
		if r.Reason == machine.Stopped || r.Reason == machine.Cancelled {
			break
		}
	}
	return r, nil
}

// explore runs new time, and keeps points as it goes.
func (h *History) explore(ctx context.Context, to uint64) (machine.Result, error) {
	h.pace.since = h.pace.clock()
	h.m.OnTick = h.record
	r, err := h.m.Run(ctx, to-h.Tick())
	h.m.OnTick = nil
	h.frontier = h.Tick()
	switch r.Reason {
	case machine.Exited, machine.Halted, machine.Shutdown, machine.Looping, machine.TurnedOff, machine.Reset:
		h.end, h.ended, h.over = r, true, true
	}
	return r, err
}

// leg replays to a tick before the frontier, or to what Intervene did on the
// way, with the output muted.
func (h *History) leg(ctx context.Context, to uint64) (machine.Result, error) {
	if h.done < len(h.acts) {
		to = min(to, h.acts[h.done].tick)
	}
	h.m.Mute(true)
	r, err := h.m.Replay(ctx, to)
	h.m.Mute(false)
	h.act()
	if err == nil && h.Tick() < to && r.Reason != machine.Stopped && r.Reason != machine.Cancelled {
		err = fmt.Errorf("at tick %d of %d: %s: %w", h.Tick(), to, r.Reason, ErrUnrepeatable)
	}
	return r, err
}

// arm sets conditions to work, and gives what ends that.
func (h *History) arm(w *watch, stop bool) (disarm func()) {
	w.on(stop)
	h.watch = w
	return func() { h.watch = nil; w.off() }
}

// act repeats what Intervene did at this tick.
func (h *History) act() {
	for h.done < len(h.acts) && h.acts[h.done].tick == h.Tick() {
		h.acts[h.done].do(h.m)
		h.done++
	}
}

// toEnd goes from just before the end of the run to behind it.
func (h *History) toEnd(ctx context.Context) error {
	if h.end.Reason == machine.Shutdown {
		h.m.Mute(true)
		r, err := h.m.Replay(ctx, h.frontier+1)
		h.m.Mute(false)
		if err != nil {
			return err
		}
		if r.Reason != machine.Shutdown {
			return fmt.Errorf("%s in place of the shutdown: %w", r.Reason, ErrUnrepeatable)
		}
	}
	h.over = true
	return nil
}

// restore returns to a kept point.
func (h *History) restore(p *point) {
	h.m.Return(p.Moment)
	h.nest, h.done, h.over = p.nest, p.done, false
}

// seek goes to a tick that was reached before, from the point before it, and
// keeps more points on the way: the next step back is shorter.
func (h *History) seek(ctx context.Context, to uint64) error {
	at := 0
	for at+1 < len(h.points) && h.points[at+1].Tick() <= to {
		at++
	}
	if now := h.Tick(); h.over || now > to || now < h.points[at].Tick() {
		h.restore(h.points[at])
	}
	return h.unseen(func() error {
		for d := firstLay; d >= lastLay; d >>= 6 {
			if d < to && h.Tick() < to-d {
				if err := h.replay(ctx, to-d); err != nil {
					return err
				}
				h.keep()
			}
		}
		return h.replay(ctx, to)
	})
}

// Distances in ticks from where seek goes at which it keeps points. Each costs the
// copies of the pages that the guest stores into until the next.
const (
	firstLay uint64 = 1 << 26
	lastLay  uint64 = 1 << 8
)

// pass replays to a tick, or to the delivery that ends the run there, with
// conditions at work; stop says to stop where one is met.
func (h *History) pass(ctx context.Context, to uint64, w *watch, stop bool) error {
	return h.unseen(func() error {
		defer h.arm(w, stop)()
		err := h.replay(ctx, min(to, h.frontier))
		if err != nil || to <= h.frontier || stop && len(w.last.met) > 0 {
			return err
		}
		return h.toEnd(ctx)
	})
}

// replay goes to a tick before the frontier, unless a condition stops it.
func (h *History) replay(ctx context.Context, to uint64) error {
	for h.Tick() < to {
		r, err := h.leg(ctx, to)
		switch {
		case err != nil:
			return err
		case r.Reason == machine.Cancelled:
			return ctx.Err()
		case r.Reason == machine.Stopped:
			return nil
		}
	}
	return nil
}

// unseen runs f without the user's observers.
func (h *History) unseen(f func() error) error {
	m := h.m
	defer func(hidden bool) { h.hidden = hidden }(h.hidden)
	h.hidden = true
	obs := m.CPU.Observer()
	step, walk, cr3, io := m.MMU.OnStep, m.MMU.OnWalk, m.MMU.OnCR3, m.OnIO
	if obs != nil {
		m.CPU.SetObserver(nil)
		defer m.CPU.SetObserver(obs)
	}
	m.MMU.OnStep, m.MMU.OnWalk, m.MMU.OnCR3, m.OnIO = nil, nil, nil, nil
	defer func() { m.MMU.OnStep, m.MMU.OnWalk, m.MMU.OnCR3, m.OnIO = step, walk, cr3, io }()
	return f()
}
