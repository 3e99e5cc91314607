package session

import (
	"context"
	"fmt"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/machine"
)

// Options describe a session.
type Options struct {
	Image   string         // its name, to be shown
	Symbols *debug.Symbols // nil: none
	History uint64         // bytes that the past may take; 0: debug.DefaultHistory
	// StopNext lets the breakpoint of any exception stop what is stepped over.
	StopNext bool
	Stale    bool // the timeline tells uses of stale TLB entries
}

// Session is a machine that is looked at, and moved forward and back. One
// goroutine at a time uses it, Timeline excepted.
type Session struct {
	// Timeline is what is known of the faults of the whole run.
	Timeline Timeline

	o      Options
	m      *machine.Machine
	h      *debug.History
	serial *Transcript
	breaks []Break
	number int // of the last breakpoint

	stages []*debug.Stage // of the step that comes next
	at     int            // the stage at which the session stands; -1: before the step
	inside *debug.Stepper // of a fork that stands there; nil where at is -1
	after  machine.Result // how that step ends the run, if it does

	before cpu.State // where the last movement began
	stop   string    // why the machine stands where it stands
	why    debug.Why
	met    []debug.Condition // for which it does
	over   bool
	end    machine.Result

	// What the panes look at, if not at the present place.
	codeAt, dataAt, walkAt *uint64
}

// New begins a session with a machine that stands between two instructions,
// and whose output goes to t. A stop at any exception is its first breakpoint.
func New(m *machine.Machine, t *Transcript, o Options) (*Session, error) {
	if o.History == 0 {
		o.History = debug.DefaultHistory
	}
	s := &Session{o: o, m: m, serial: t, at: -1, stop: "the beginning"}
	ahead, err := m.Fork()
	if err != nil {
		return nil, err
	}
	s.Timeline.m, s.Timeline.syms, s.Timeline.stale = ahead, o.Symbols, o.Stale
	t.follow(m)
	s.h = debug.NewHistory(m, o.History)
	s.Add(debug.OnEvent{Any: true})
	s.before = m.CPU.State()
	return s, s.look()
}

// Close gives the machine back, where it stands.
func (s *Session) Close() error {
	err := s.leave()
	s.h.Close()
	return err
}

// Tick is the present tick.
func (s *Session) Tick() uint64 { return s.h.Tick() }

// leave lets go of the fork that stands inside the step.
func (s *Session) leave() error {
	s.at = -1
	if s.inside == nil {
		return nil
	}
	inside := s.inside
	s.inside = nil
	return inside.Close()
}

// maxStages bounds the stages of one step that are kept.
const maxStages = 1 << 12

// look finds the stages of the step that comes next.
func (s *Session) look() error {
	if err := s.leave(); err != nil {
		return err
	}
	s.stages, s.after = nil, machine.Result{Reason: machine.Budget}
	if s.over {
		return nil
	}
	st, err := s.fork()
	if err != nil {
		return err
	}
	for len(s.stages) < maxStages {
		stage, err := st.Next(context.Background())
		if err != nil {
			return err
		}
		if stage == nil {
			break
		}
		s.stages = append(s.stages, stage)
	}
	err = st.Close()
	s.after = st.Result()
	return err
}

// fork makes a stepper of a fork of the machine.
func (s *Session) fork() (*debug.Stepper, error) {
	f, err := s.m.Fork()
	if err != nil {
		return nil, err
	}
	return debug.NewStepper(f, s.o.Symbols), nil
}

// Stage goes n stages forward or back. Behind the last stage of a step comes the
// step's end, and before the first the step before.
func (s *Session) Stage(ctx context.Context, n int) error {
	for ; n > 0; n-- {
		if s.over || s.at+1 >= len(s.stages) {
			if err := s.Step(ctx, 1); err != nil {
				return err
			}
			continue
		}
		if err := s.enter(ctx, s.at+1); err != nil {
			return err
		}
	}
	for ; n < 0; n++ {
		switch {
		case s.at < 0:
			if s.Tick() == s.h.Begin() {
				s.stop = "the beginning"
				return nil
			}
			if err := s.Back(ctx, 1); err != nil {
				return err
			}
			if err := s.enter(ctx, len(s.stages)-1); err != nil {
				return err
			}
		default:
			if err := s.enter(ctx, s.at-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter goes to a stage of the step that comes next; -1 is before the step.
func (s *Session) enter(ctx context.Context, at int) (err error) {
	s.codeAt, s.dataAt, s.walkAt = nil, nil, nil
	if at < 0 {
		s.stop = "before the step"
		s.before = s.m.CPU.State()
		return s.leave()
	}
	if s.inside == nil || at <= s.at {
		s.before = s.m.CPU.State()
		if err := s.leave(); err != nil {
			return err
		}
		if s.inside, err = s.fork(); err != nil {
			return err
		}
	} else {
		s.before = s.inside.State()
	}
	for ; s.at < at; s.at++ {
		stage, err := s.inside.Next(ctx)
		if err != nil {
			return err
		}
		if stage == nil {
			return fmt.Errorf("stage %d of the step at tick %d: %w", s.at+1, s.Tick(), debug.ErrUnrepeatable)
		}
	}
	s.stop = fmt.Sprintf("stage %d of %d", at+1, len(s.stages))
	return nil
}

// present is the machine and the state that are looked at.
func (s *Session) present() (*machine.Machine, cpu.State) {
	if s.inside != nil {
		return s.inside.Machine(), s.inside.State()
	}
	return s.m, s.m.CPU.State()
}
