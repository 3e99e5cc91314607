package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"x86emu/idt"
)

// Names are the vectors of a set in a few words: "#DE, #DB, 0x20-0x2f".
func Names(vectors []idt.Vector) string {
	var s []string
	for i := 0; i < len(vectors); {
		j := i
		for j+1 < len(vectors) && vectors[j+1] == vectors[j]+1 {
			j++
		}
		switch name := vectorName(vectors[i]); {
		case j == i:
			s = append(s, name)
		case j == i+1:
			s = append(s, name, vectorName(vectors[j]))
		default:
			s = append(s, name+" to "+vectorName(vectors[j]))
		}
		i = j + 1
	}
	return strings.Join(s, ", ")
}

func vectorName(v idt.Vector) string {
	if m := v.Info().Mnemonic; m != "" {
		return m
	}
	return fmt.Sprintf("0x%02x", uint8(v))
}

// group is a run of lines that say the same.
type group struct {
	vectors []idt.Vector
	line    *Line
}

// groups puts lines of one origin together that have the same words, and the
// same thing missing.
func (s *Space) groups(from From) []group {
	var all []group
	for i := range s.Lines {
		l := &s.Lines[i]
		if l.From != from {
			continue
		}
		at := slices.IndexFunc(all, func(g group) bool {
			return g.line.Answer.Words() == l.Answer.Words() && sameMissing(g.line.Answer, l.Answer)
		})
		if at < 0 {
			all = append(all, group{line: l})
			at = len(all) - 1
		}
		all[at].vectors = append(all[at].vectors, l.Event.Vector)
	}
	// What is bad comes first, in the order of vectors.
	slices.SortStableFunc(all, func(a, b group) int { return rank(a.line.Answer.Verdict) - rank(b.line.Answer.Verdict) })
	return all
}

func rank(v Verdict) int {
	switch {
	case v.Bad():
		return 0
	case v == Other:
		return 1
	}
	return 2
}

// sameMissing tells whether the same thing is missing, or of other handlers
// the same kind of thing.
func sameMissing(a, b *Answer) bool {
	return a.Missing == b.Missing || !a.Verdict.Bad()
}

// WriteText writes a report: what is bad with the way there, the rest in a line each.
func (s *Space) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "CR3 0x%x\n", s.CR3)
	if s.Error != "" {
		fmt.Fprintf(&b, "  ! %s\n", s.Error)
	}
	for _, from := range []From{Now, User} {
		groups := s.groups(from)
		if len(groups) == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %s\n", map[From]string{Now: "from where the processor is:", User: "from user mode:"}[from])
		for _, g := range groups {
			a := g.line.Answer
			mark := " "
			if a.Verdict.Bad() {
				mark = "!"
			}
			fmt.Fprintf(&b, "  %s %s: %s\n", mark, Names(g.vectors), a.Words())
			switch {
			case a.Verdict.Bad():
				fmt.Fprintf(&b, "      missing: %s\n", a.Missing)
				for i := range a.Steps {
					if i > 0 && a.Steps[i].N > a.Steps[i-1].N+1 {
						fmt.Fprintf(&b, "      ... %d more\n", a.Steps[i].N-a.Steps[i-1].N-1)
					}
					a.Steps[i].write(&b)
				}
			case a.Missing != "" && len(g.vectors) == 1:
				fmt.Fprintf(&b, "      missing: %s\n", a.Missing)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// write writes one delivery: the events that were taken, each with what brought
// it about, then who was entered, and what its first fetch misses.
func (t *Step) write(b *strings.Builder) {
	fmt.Fprintf(b, "      %3d.", t.N)
	for i, c := range t.Chain {
		switch {
		case i > 0 && c.Why != "":
			fmt.Fprintf(b, "\n           %s -> ", c.Why)
		case i > 0:
			b.WriteString(" -> ")
		default:
			b.WriteByte(' ')
		}
		b.WriteString(c.Event.Name())
	}
	switch {
	case t.Shutdown:
		b.WriteString(": shutdown\n")
		return
	case t.Task:
		fmt.Fprintf(b, " -> task at %04x:%x", t.CS, t.RIP)
	default:
		fmt.Fprintf(b, " -> %04x:%x, stack %s", t.CS, t.RIP, t.Stack)
	}
	if t.Missed != "" {
		fmt.Fprintf(b, "\n           %s", t.Missed)
	}
	b.WriteByte('\n')
}

// jsonLine is an answer for programs.
type jsonLine struct {
	CR3        string  `json:"cr3"`
	From       string  `json:"from,omitempty"`
	Vector     *uint8  `json:"vector,omitempty"`
	Verdict    Verdict `json:"verdict"`
	Words      string  `json:"words"`
	Frames     int     `json:"frames,omitempty"`
	Deliveries int     `json:"deliveries,omitempty"`
	Period     int     `json:"period,omitempty"`
	Begins     string  `json:"begins,omitempty"`
	Missing    string  `json:"missing,omitempty"`
}

// WriteJSON writes a line for each event.
func (s *Space) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	cr3 := fmt.Sprintf("0x%x", s.CR3)
	if s.Error != "" {
		return e.Encode(jsonLine{CR3: cr3, Verdict: "error", Words: s.Error})
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		a, v := l.Answer, uint8(l.Event.Vector)
		line := jsonLine{CR3: cr3, From: l.From.String(), Vector: &v, Verdict: a.Verdict, Words: a.Words(), Frames: a.Frames,
			Deliveries: a.Deliveries, Missing: a.Missing}
		switch a.Verdict {
		case Endless:
			line.Period = a.Period
		case Triple, TooLong:
		default:
			line.Begins = a.Begins.Name()
		}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
