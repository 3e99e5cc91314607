package debug

import "fmt"

// foldLeast is the number of events in a row and alike from which on those in
// the middle are left out: the first two and the last are shown.
const foldLeast = 6

// shape is what two rounds of a recursion have in common, and where the
// round's stack is.
type shape struct {
	text string
	sp   uint64
	ok   bool // it was delivered
}

func shapeOf(e *Event) shape {
	if e.Outcome != OutcomeEntered || e.Fold != nil {
		return shape{}
	}
	s := shape{ok: true}
	text := fmt.Sprint(e.Name, e.How)
	for i := range e.Stages {
		switch st := &e.Stages[i]; st.Kind {
		case StageInstruction:
			text += fmt.Sprint(" inst ", st.Inst.Lin, st.Inst.Bytes)
		case StageStale:
			text += fmt.Sprint(" stale ", st.Stale.Lin)
		case StageEvent:
			text += fmt.Sprint(" event ", st.Event.Code, st.Event.CR2, st.Event.Return)
		case StageGate:
			text += fmt.Sprint(" gate ", st.Gate.Raw, st.Gate.High)
		case StageTaskDone:
			text += " task"
		case StageStack:
			text += fmt.Sprint(" stack ", st.Stack.Choice, st.Stack.SS)
			s.sp = uint64(st.Stack.RSP)
		case StageEntered:
			text += fmt.Sprint(" entered ", st.Entered.CS, st.Entered.RIP)
		}
	}
	s.text = text
	return s
}

// Fold leaves out the middle of each long row of events that are alike but for
// the place of their frames.
func (s *Story) Fold() {
	shapes := make([]shape, len(s.Events))
	for i := range s.Events {
		shapes[i] = shapeOf(&s.Events[i])
	}
	var kept []Event
	moved := map[int]int{} // of an event left out: the fold that stands for it
	for i := 0; i < len(s.Events); {
		n := rowOf(shapes[i:])
		if s.Events[i].Fold != nil && joins(kept, &s.Events[i]) {
			// Left out unwatched, behind a row that was watched: one fold for both.
			into := &kept[len(kept)-2]
			into.Fold.Count += 1 + s.Events[i].Fold.Count
			moved[s.Events[i].ID] = into.ID
			kept = kept[:len(kept)-1]
			i++
			continue
		}
		if n < foldLeast {
			kept = append(kept, s.Events[i])
			i++
			continue
		}
		first := s.Events[i+2]
		fold := Event{ID: first.ID, Cause: first.Cause, How: first.How, Name: first.Name, Vector: first.Vector, Tick: first.Tick}
		fold.Fold = &Fold{Count: uint64(n - 3), Lower: int64(shapes[i].sp - shapes[i+1].sp)}
		kept = append(kept, s.Events[i], s.Events[i+1], fold, s.Events[i+n-1])
		for _, e := range s.Events[i+2 : i+n-1] {
			moved[e.ID] = first.ID
		}
		i += n
	}
	for i := range kept {
		if to, ok := moved[kept[i].Cause]; ok && kept[i].ID != to {
			kept[i].Cause = to
		}
	}
	s.Events = kept
}

// joins tells whether a fold goes on with the row that was folded last.
func joins(kept []Event, e *Event) bool {
	n := len(kept)
	return n >= 2 && kept[n-2].Fold != nil && kept[n-2].Name == e.Name && kept[n-2].Fold.Lower == e.Fold.Lower
}

// rowOf counts the shapes from the first on that are alike and at one distance.
func rowOf(all []shape) int {
	if len(all) < 2 || !all[0].ok {
		return 1
	}
	step := all[0].sp - all[1].sp
	n := 1
	for n < len(all) && all[n].ok && all[n].text == all[0].text && all[n-1].sp-all[n].sp == step {
		n++
	}
	return n
}
