package session

import (
	"context"
	"fmt"
	"sort"

	"x86emu/debug"
	"x86emu/debug/stale"
	"x86emu/machine"
)

// Uses of stale TLB entries are found by the timeline's fork, which is watched
// from the first instruction on. Since the run repeats itself, what the fork met at
// a tick is what the machine meets there, however it comes to that tick: a replay
// can tell nothing twice, and no entry was cached unseen.

// used takes a use that the fork has met.
func (t *Timeline) used(m *machine.Machine, u *stale.Use) {
	use := t.syms.Stale(m, u)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == m && len(t.uses) < maxUses {
		t.uses = append(t.uses, *use)
	}
}

// Stale is what is known of the uses of stale TLB entries around a tick. Each is
// told at its first tick: an instruction that goes on to use the entry is told once.
type Stale struct {
	On     bool             // they are watched
	Here   []debug.StaleUse // by the step that comes next
	Before int              // how many came before
	Last   *debug.StaleUse  // of these the last
	After  int              // how many are still to come
	Next   *debug.StaleUse  // of these the first
	Full   bool             // no more are kept than those told
	Known  uint64           // the tick up to which all is known
	Done   bool             // and the fork goes no further
}

// Stale looks for the uses around a tick; it gives nothing where they are not watched.
func (t *Timeline) Stale(tick uint64) Stale {
	if !t.stale {
		return Stale{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	from := sort.Search(len(t.uses), func(i int) bool { return t.uses[i].Tick >= tick })
	to := sort.Search(len(t.uses), func(i int) bool { return t.uses[i].Tick > tick })
	s := Stale{
		On: true, Here: t.uses[from:to:to], Before: from, After: len(t.uses) - to,
		Full: len(t.uses) == maxUses, Known: t.known, Done: t.done,
	}
	if from > 0 {
		s.Last = &t.uses[from-1]
	}
	if to < len(t.uses) {
		s.Next = &t.uses[to]
	}
	return s
}

// findStale is what to search for.
const findStale = "stale"

// findUse goes to the next use of a stale TLB entry, or to the last one before.
func (s *Session) findUse(ctx context.Context, forward bool) error {
	around := s.Timeline.Stale(s.Tick())
	use := around.Last
	if forward {
		use = around.Next
	}
	if use == nil {
		switch {
		case !forward:
			s.stop = "no stale TLB entry was used before"
		case around.Done && !around.Full:
			s.stop = "no stale TLB entry is used from here to the end"
		default:
			s.stop = fmt.Sprintf("no use of a stale TLB entry is known from here to tick %d", around.Known)
		}
		return nil
	}
	if err := s.Goto(ctx, use.Tick); err != nil || s.stop == "interrupted" {
		return err
	}
	s.stop = "before a use of a stale TLB entry"
	return nil
}

// tellStale adds the uses by the step that comes next: to its stages in a line, and
// in full to the walk, in whose place they stand if the step walks nothing.
func (f *Frame) tellStale(s *Session) {
	f.Stale = s.Timeline.Stale(s.Tick())
	if s.over {
		f.Stale.Here = nil
	}
	var lines []WalkLine
	for i := range f.Stale.Here {
		u := &f.Stale.Here[i]
		f.Stages = append(f.Stages, StageLine{Bad: true, Text: "stale TLB entry used: " + u.Head()})
		lines = append(lines, WalkLine{Bad: true, Text: "stale TLB: " + u.Access + " of " + u.Lin.String()})
		for _, text := range []string{
			fmt.Sprintf("missing: %s", u.Missing),
			fmt.Sprintf("TLB %s -> %s, %s", u.TLB.Page, u.TLB.Frame, u.TLB.Rights),
			"memory: " + u.Tables, u.Change,
		} {
			lines = append(lines, WalkLine{Depth: 1, Text: text})
		}
	}
	if len(lines) == 0 || s.walkAt != nil {
		return
	}
	if first, _ := s.access(); first >= 0 {
		lines = append(lines, f.Walk...)
	}
	f.Walk = lines
}
