package debug

import (
	"encoding/json"
	"io"

	"x86emu/idt"
	"x86emu/machine"
)

// StoryFormat is the version of a Story's form: a field may be added without a
// new one, none is removed or changes its meaning.
const StoryFormat = 1

// Story is one chain of events: an exception or interrupt, its delivery, what
// came up on the way, and what followed before another instruction retired:
// the handler's first fetch may fail, and so on, to the double fault and to
// shutdown. The events are in order, each with its cause, so they are a tree.
type Story struct {
	Format int     `json:"format"`
	Tick   uint64  `json:"tick"` // at which it begins
	Events []Event `json:"events"`

	// End is how it ends: "handler" where a handler's first instruction ran, else
	// the end of the run ("shutdown", ...), or "endless" where the same state comes
	// round for ever, or "cut" where it was not followed to its end.
	End  string    `json:"end"`
	Loop *LoopInfo `json:"loop,omitempty"`

	// Stale are uses of stale TLB entries that no stage of an event tells: since
	// the story before, or where a long chain was not recorded. StaleMore counts
	// those beyond the ones kept.
	Stale     []StaleUse `json:"stale,omitempty"`
	StaleMore uint64     `json:"stale_more,omitempty"`
}

// LoopInfo is what goes round in an endless loop.
type LoopInfo struct {
	Period       uint64 `json:"period"`       // deliveries
	Instructions uint64 `json:"instructions"` // that retire in one round
}

// Cause is how an event came of another.
type Cause string

const (
	CauseInstruction Cause = "instruction" // the first: an instruction raised it
	CauseBetween     Cause = "between"     // the first: it came between two instructions
	CauseDelivery    Cause = "delivery"    // it was met while its cause was delivered
	CauseDouble      Cause = "double"      // its cause was met while another fault was delivered: a double fault
	CauseFetch       Cause = "fetch"       // the first instruction of its cause's handler could not be fetched
	CauseHandler     Cause = "handler"     // the first instruction of its cause's handler raised it
)

// Outcome is what became of an event.
type Outcome string

const (
	OutcomeEntered  Outcome = "entered"  // its handler was entered
	OutcomeFailed   Outcome = "failed"   // its delivery met another fault
	OutcomeDoubled  Outcome = "doubled"  // it was not delivered: it became a double fault
	OutcomeShutdown Outcome = "shutdown" // it was the third fault
)

// Event is one exception or interrupt of a Story. Its stages begin with the
// instruction or the access that brought it and go on through its delivery; of
// the last event's handler, the first instruction belongs to it.
//
// An Event with Fold stands for several alike and has nothing but ID, Cause,
// How, Name, Vector and Tick, the first one's.
type Event struct {
	ID      int     `json:"id"`              // from 1 on
	Cause   int     `json:"cause,omitempty"` // the ID of the event that it came of
	How     Cause   `json:"how"`
	Name    string  `json:"name"`
	Vector  uint8   `json:"vector"`
	Tick    uint64  `json:"tick"`
	Outcome Outcome `json:"outcome,omitempty"`
	Stages  []Stage `json:"stages,omitempty"`
	Fold    *Fold   `json:"fold,omitempty"`
}

// Fold tells of events left out, each like the one before them.
type Fold struct {
	Count uint64 `json:"count"`
	Lower int64  `json:"lower"` // bytes by which each one's stack is lower than the one's before
}

// Find gives the first stage of a kind, or nil.
func (e *Event) Find(k StageKind) *Stage {
	for i := range e.Stages {
		if e.Stages[i].Kind == k {
			return &e.Stages[i]
		}
	}
	return nil
}

// at gives the event of an ID.
func (s *Story) at(id int) *Event {
	for i := range s.Events {
		if s.Events[i].ID == id {
			return &s.Events[i]
		}
	}
	return nil
}

// WriteJSON writes the story as one line of JSON.
func (s *Story) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(s) }

// builder makes a Story of stages.
type builder struct {
	story   Story
	open    int     // index of the event under delivery, or -1
	pending []Stage // not yet any event's
}

func newBuilder() *builder { return &builder{story: Story{Format: StoryFormat}, open: -1} }

// add takes the next stage.
func (b *builder) add(s *Stage) {
	switch s.Kind {
	case StageEvent:
		b.event(s)
		return
	case StageEntered, StageShutdown:
		e := &b.story.Events[b.open]
		e.Outcome = OutcomeEntered
		if s.Kind == StageShutdown {
			e.Outcome = OutcomeShutdown
		}
		e.Stages = append(e.Stages, *s)
		b.open = -1
		return
	}
	if b.open >= 0 {
		b.story.Events[b.open].Stages = append(b.story.Events[b.open].Stages, *s)
	} else {
		b.pending = append(b.pending, *s)
	}
}

// event begins an event.
func (b *builder) event(s *Stage) {
	all := b.story.Events
	e := Event{ID: len(all) + 1, Name: s.Event.Name, Vector: s.Event.Vector, Tick: s.Tick}
	switch {
	case b.open >= 0 && idt.Vector(e.Vector) == idt.VecDF && len(all[b.open].Stages) > 0 && all[b.open].last().Kind == StageEvent:
		e.Cause, e.How = all[b.open].ID, CauseDouble
		all[b.open].Outcome = OutcomeDoubled
	case b.open >= 0:
		e.Cause, e.How = all[b.open].ID, CauseDelivery
		all[b.open].Outcome = OutcomeFailed
		e.Stages = all[b.open].cutRefused()
	default:
		e.Stages, b.pending = b.pending, nil
		e.How = CauseInstruction
		fetched := e.Find(StageInstruction) != nil
		if n := len(all); n > 0 {
			e.Cause, e.How = all[n-1].ID, CauseFetch
			if fetched {
				e.How = CauseHandler
			}
		} else if !fetched && !refusedFetch(e.Stages) && s.Event.Vector != uint8(idt.VecGP) {
			e.How = CauseBetween
		}
	}
	e.Stages = append(e.Stages, *s)
	b.story.Events, b.open = append(all, e), len(all)
}

func (e *Event) last() *Stage { return &e.Stages[len(e.Stages)-1] }

// cutRefused takes the walk that ended in a refusal off an event's stages: it
// is the beginning of what comes next.
func (e *Event) cutRefused() []Stage {
	if v := e.last().Verdict; v == nil || v.OK {
		return nil
	}
	i := len(e.Stages) - 1
	for i > 0 && e.Stages[i].Kind != StageAccess {
		i--
	}
	var cut []Stage
	cut = append(cut, e.Stages[i:]...)
	e.Stages = e.Stages[:i]
	return cut
}

// refusedFetch tells whether stages end in a fetch that failed.
func refusedFetch(stages []Stage) bool {
	for i := len(stages) - 1; i >= 0; i-- {
		if a := stages[i].Access; a != nil {
			return a.Kind == "fetch" && stages[len(stages)-1].Kind == StageVerdict
		}
	}
	return false
}

// finish closes the story: what is pending is the first instruction of the
// last handler.
func (b *builder) finish(end string) *Story {
	b.story.End = end
	if n := len(b.story.Events); n > 0 {
		b.story.Tick = b.story.Events[0].Tick
		b.story.Events[n-1].Stages = append(b.story.Events[n-1].Stages, b.pending...)
	}
	b.pending = nil
	return &b.story
}

// endWords names the end of a run in a story.
func endWords(r machine.Reason) string {
	return map[machine.Reason]string{
		machine.Exited: "exit", machine.Halted: "halt", machine.Shutdown: "shutdown", machine.Looping: "endless",
		machine.Budget: "handler", machine.Cancelled: "cut", machine.TurnedOff: "off", machine.Reset: "reset",
	}[r]
}
