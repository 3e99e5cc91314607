package session

import (
	"context"
	"fmt"
	"slices"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/debug/screen"
	"x86emu/idt"
	"x86emu/machine"
)

// Stop tells why a session stands where it stands.
type Stop struct {
	Why    debug.Why
	Met    []Break        // AtCondition: the breakpoints that were met
	Over   bool           // the run is over
	Result machine.Result // how, if Over
	Words  string         // the same for people, in a few words
}

// Stopped tells why the session stands where it stands.
func (s *Session) Stopped() Stop {
	stop := Stop{Why: s.why, Over: s.over, Words: s.stop}
	if s.over {
		stop.Result = s.end
	}
	for _, b := range s.breaks {
		if slices.Contains(s.met, b.Condition) {
			stop.Met = append(stop.Met, b)
		}
	}
	return stop
}

// Present is the machine that is looked at, and its registers: to be read only.
func (s *Session) Present() (*machine.Machine, cpu.State) { return s.present() }

// Screen is what the guest's text screen shows at present.
func (s *Session) Screen() *screen.Screen {
	m, _ := s.present()
	return screen.Take(m)
}

// Symbols are those of the session; nil knows none.
func (s *Session) Symbols() *debug.Symbols { return s.o.Symbols }

// Place is what the symbols know of an address, nil for nothing.
func (s *Session) Place(at uint64) *debug.Place {
	m, _ := s.present()
	return s.place(m, at)
}

// Raises is the first event that the next step raises, or nil.
func (s *Session) Raises() *debug.Taken {
	for _, stage := range s.stages {
		if stage.Kind == debug.StageEvent {
			return stage.Event
		}
	}
	return nil
}

// Handled are the events whose handlers are at work, the outermost first.
func (s *Session) Handled() []debug.Handled { return s.h.Nesting() }

// Deeper is how many more there are within the last of those.
func (s *Session) Deeper() int { return s.h.Deeper() }

// ForkAt is a machine as it was at a tick that was reached.
func (s *Session) ForkAt(ctx context.Context, tick uint64) (*machine.Machine, error) {
	return s.h.ForkAt(ctx, tick)
}

// Story tells the chain of events that begins at a tick that was reached, and has
// an event of the vector; nil where none does.
func (s *Session) Story(ctx context.Context, tick uint64, vector idt.Vector) (*debug.Story, error) {
	f, err := s.ForkAt(ctx, tick)
	if err != nil {
		return nil, err
	}
	var story *debug.Story
	_, err = debug.Explain(ctx, f, debug.ExplainOptions{Vector: vector, ByVector: true, Budget: storyTicks, Count: 1, Symbols: s.o.Symbols}, func(told *debug.Story) error {
		story = told
		return nil
	})
	if err == nil && story != nil && story.Tick != tick {
		story = nil
	}
	return story, err
}

// storyTicks is how long a chain of events is followed.
const storyTicks = 1 << 16

// Change lets f change the machine where it stands between two instructions: its
// registers, its memory. What was known of the time after that is forgotten,
// and f is called again whenever the machine comes by here, and must do the same.
func (s *Session) Change(f func(*machine.Machine)) error {
	if s.at >= 0 {
		return fmt.Errorf("nothing can be changed in the midst of a step")
	}
	ahead, err := s.m.Fork()
	if err != nil {
		return err
	}
	f(ahead)
	s.Timeline.restart(ahead)
	s.serial.cut(s.Tick())
	s.h.Intervene(f)
	s.over, s.why, s.stop = false, debug.AtTick, "changed"
	s.met = nil
	return s.look()
}
