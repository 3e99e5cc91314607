package debug

import (
	"context"
	"fmt"

	"x86emu/cpu"
	"x86emu/machine"
)

// This file moves the machine of a history: forward through time that is new
// or old, and back by a moment and a replay.

// forward runs to a tick. What lies before the frontier is replayed, with the
// output muted; what is new is recorded.
func (h *History) forward(ctx context.Context, to uint64, w *watch, stop bool) (r machine.Result, err error) {
	if w != nil {
		w.on(stop)
		h.watch = w
		defer func() { h.watch = nil; w.off() }()
	}
	for h.Tick() < to {
		leg := to
		if h.done < len(h.acts) {
			leg = min(leg, h.acts[h.done].tick)
		}
		switch old := h.Tick() < h.frontier; {
		case old:
			leg = min(leg, h.frontier)
			h.m.Mute(true)
			r, err = h.m.Replay(ctx, leg)
			h.m.Mute(false)
		case h.ended:
			return h.end, h.toEnd(ctx)
		default:
			h.pace.since = h.pace.clock()
			h.m.OnTick = h.record
			r, err = h.m.Run(ctx, leg-h.Tick())
			h.m.OnTick = nil
			h.frontier = max(h.frontier, h.Tick())
			switch r.Reason {
			case machine.Exited, machine.Halted, machine.Shutdown, machine.Looping:
				h.end, h.ended, h.over = r, true, true
				return r, err
			}
		}
		if err != nil {
			return r, err
		}
		h.act()
		if r.Reason == machine.Stopped || r.Reason == machine.Cancelled {
			return r, nil
		}
		if h.Tick() < leg {
			return r, fmt.Errorf("at tick %d of %d: %s: %w", h.Tick(), leg, r.Reason, ErrUnrepeatable)
		}
	}
	return r, nil
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
		for d := firstLay; d >= lastLay; d >>= 4 {
			if d < to && h.Tick() < to-d {
				if err := h.replay(ctx, to-d, nil); err != nil {
					return err
				}
				h.keep()
			}
		}
		return h.replay(ctx, to, nil)
	})
}

// Distances in ticks from where seek goes at which it keeps points.
const (
	firstLay uint64 = 1 << 28
	lastLay  uint64 = 1 << 8
)

// pass replays to a tick, or to the delivery that ends the run there, with
// conditions at work.
func (h *History) pass(ctx context.Context, to uint64, w *watch, stop bool) (seen bool, err error) {
	err = h.unseen(func() error {
		w.on(stop)
		h.watch = w
		defer func() { h.watch = nil; w.off() }()
		if err := h.replay(ctx, min(to, h.frontier), w); err != nil || to <= h.frontier || len(w.last.met) > 0 && stop {
			return err
		}
		return h.toEnd(ctx)
	})
	return len(w.last.met) > 0, err
}

// replay is forward to a tick before the frontier.
func (h *History) replay(ctx context.Context, to uint64, w *watch) error {
	for h.Tick() < to {
		leg := to
		if h.done < len(h.acts) {
			leg = min(leg, h.acts[h.done].tick)
		}
		h.m.Mute(true)
		r, err := h.m.Replay(ctx, leg)
		h.m.Mute(false)
		if err != nil {
			return err
		}
		h.act()
		switch {
		case r.Reason == machine.Cancelled:
			return ctx.Err()
		case r.Reason == machine.Stopped && w != nil:
			return nil
		case h.Tick() < leg:
			return fmt.Errorf("at tick %d of %d: %s: %w", h.Tick(), leg, r.Reason, ErrUnrepeatable)
		}
	}
	return nil
}

// unseen runs f without the user's observers.
func (h *History) unseen(f func() error) error {
	m := h.m
	obs, _ := m.CPU.Observer().(cpu.Observer)
	step, walk, cr3, io := m.MMU.OnStep, m.MMU.OnWalk, m.MMU.OnCR3, m.OnIO
	if obs != nil {
		m.CPU.SetObserver(nil)
		defer m.CPU.SetObserver(obs)
	}
	m.MMU.OnStep, m.MMU.OnWalk, m.MMU.OnCR3, m.OnIO = nil, nil, nil, nil
	defer func() { m.MMU.OnStep, m.MMU.OnWalk, m.MMU.OnCR3, m.OnIO = step, walk, cr3, io }()
	return f()
}
