package audit

import (
	"fmt"

	"x86emu/debug/tables"
	"x86emu/idt"
)

// Events are the events of all vectors in the form in which they come: exceptions
// with their error codes, INT3 and INTO as the program's, NMI, and every other
// vector as an external interrupt.
func Events() []idt.Event {
	all := make([]idt.Event, 256)
	for v := range all {
		all[v] = EventOf(idt.Vector(v))
	}
	return all
}

// EventOf is the event of one vector.
func EventOf(v idt.Vector) idt.Event {
	info := v.Info()
	switch {
	case v == idt.VecNMI:
		return idt.Event{Vector: v, Kind: idt.NMI}
	case v == idt.VecBP || v == idt.VecOF:
		return idt.Event{Vector: v, Kind: idt.SoftExc}
	case info.Mnemonic == "":
		return idt.Event{Vector: v, Kind: idt.External}
	}
	return idt.Event{Vector: v, Kind: idt.Exception, HasCode: info.Code}
}

// Line is one line of a report: an event and what becomes of it.
type Line struct {
	Event  idt.Event
	From   From
	Answer *Answer
}

// Space is the report on one address space.
type Space struct {
	CR3   uint64
	Error string // why it cannot be loaded
	Lines []Line
}

// Report asks about events in one address space, from each of those interrupted.
func Report(o *tables.Moment, cr3 uint64, events []idt.Event, from []From, limit int) Space {
	s := Space{CR3: cr3}
	for _, f := range from {
		for _, e := range events {
			e.CR2, e.Return = o.State.CR2, o.State.RIP
			if f == User {
				e.Return = 0
			}
			a, err := Ask(o, Question{Event: e, CR3: cr3, From: f, Limit: limit})
			if err != nil {
				return Space{CR3: cr3, Error: err.Error()}
			}
			s.Lines = append(s.Lines, Line{e, f, a})
		}
	}
	return s
}

// Bad tells whether a report has something that no kernel wants.
func (s *Space) Bad() bool {
	for i := range s.Lines {
		if s.Lines[i].Answer.Verdict.Bad() {
			return true
		}
	}
	return s.Error != ""
}

// Words tell an answer in a few words.
func (a *Answer) Words() string {
	switch a.Verdict {
	case Other:
		if a.Deliveries == 1 {
			return fmt.Sprintf("%s in its place", a.Begins.Name())
		}
		return fmt.Sprintf("after %s, %s", frames(a.Frames), a.Begins.Name())
	case Recursion:
		s := fmt.Sprintf("recursion, then #DF after %s", frames(a.Frames))
		if a.DoubleFaults > 1 {
			s += fmt.Sprintf(", and %d more #DFs", a.DoubleFaults-1)
		}
		if !isDF(&a.Begins) {
			s += fmt.Sprintf("; in the end %s", a.Begins.Name())
		}
		return s
	case DoubleFault:
		s := "#DF at once"
		if !isDF(&a.Begins) {
			s += fmt.Sprintf("; in the end %s", a.Begins.Name())
		}
		return s
	case Triple:
		switch {
		case a.Deliveries == 0:
			return "triple fault at once"
		case a.DoubleFaults > 0:
			return fmt.Sprintf("triple fault: #DF after %s, then shutdown after %s more", frames(a.Frames), frames(a.Deliveries-a.Frames))
		}
		return fmt.Sprintf("triple fault after %s", frames(a.Frames))
	case Endless:
		return fmt.Sprintf("endless: the same state with every %s (%s)", deliveries(a.Period), a.round())
	case TooLong:
		return fmt.Sprintf("no end within %s", deliveries(a.Deliveries))
	}
	return string(a.Verdict)
}

func isDF(e *idt.Event) bool { return e.Vector == idt.VecDF && e.Kind == idt.Exception }

func frames(n int) string {
	if n == 1 {
		return "1 frame"
	}
	return fmt.Sprintf("%d frames", n)
}

func deliveries(n int) string {
	if n == 1 {
		return "delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

// round lists the vectors of a round.
func (a *Answer) round() string {
	s := ""
	for v, n := range a.Vectors {
		if n == 0 {
			continue
		}
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("%s x%d", idt.Vector(v), n)
	}
	return s
}
