package session

import (
	"fmt"

	"x86emu/debug"
	"x86emu/machine"
	"x86emu/mmu"
)

// walk tells the walk of the current access: the last one at the stage where the
// machine stands, or before the step the one that will be refused, or else the
// first. A step that walks nothing shows the way to the instruction.
func (s *Session) walk(m *machine.Machine) []WalkLine {
	if s.walkAt != nil {
		return Walk(m, *s.walkAt, mmu.Read)
	}
	first, last := s.access()
	if first < 0 {
		return Walk(m, uint64(m.CPU.CodeAt()), mmu.Exec)
	}
	a := s.stages[first].Access
	all := []WalkLine{
		{Text: fmt.Sprintf("%s %s %s: %s", a.Mode, a.Kind, a.Lin, a.For)},
		{Text: fmt.Sprintf("CR3 %s, %s paging", a.CR3, a.Paging)},
	}
	if a.Paging == "no" {
		all = all[:1]
	}
	var v *debug.Verdict
	if s.stages[last].Verdict != nil {
		v = s.stages[last].Verdict
	}
	level := func(l *debug.Level) {
		w := WalkLine{Depth: len(all) - 1, Text: l.String(), Entry: l}
		if v != nil && !v.OK && l.Level == v.Level {
			w.Bad, w.Mark = true, v.Rule
		}
		all = append(all, w)
	}
	for _, stage := range s.stages[first+1 : last+1] {
		if stage.Level != nil {
			level(stage.Level)
		}
	}
	if v == nil {
		return append(all, WalkLine{Depth: len(all) - 1, Text: "..."})
	}
	if v.FromTLB {
		all = append(all, WalkLine{Depth: 1, Text: "decided by the TLB: " + v.Rights + "; the tables say:"})
		for i := range v.Tables {
			level(&v.Tables[i])
		}
	}
	if !v.OK {
		all = append(all, WalkLine{Depth: len(all) - 1, Bad: true, Text: fmt.Sprintf("refused: %s", v.Rule)})
		if v.Code != nil {
			all = append(all, WalkLine{Depth: len(all) - 1, Bad: true, Text: fmt.Sprintf("#PF, error code %s = %s", *v.Code, v.Means)})
		}
		return all
	}
	return append(all, WalkLine{Depth: len(all) - 1, Text: fmt.Sprintf("physical %s  %s", v.Phys, v.Rights)})
}

// access finds the current access among the stages: its first and last one.
func (s *Session) access() (first, last int) {
	first, end := -1, len(s.stages)
	if s.at >= 0 {
		end = s.at + 1
	}
	latest := -1
	for i, stage := range s.stages[:end] {
		if stage.Kind == debug.StageAccess {
			if latest = i; first < 0 || s.at >= 0 {
				first = i
			}
		}
		if s.at < 0 && stage.Verdict != nil && !stage.Verdict.OK {
			first = latest
			break
		}
	}
	if first < 0 {
		return -1, -1
	}
	for last = first; last+1 < end; last++ {
		if next := s.stages[last+1]; next.Level == nil && next.Verdict == nil {
			break
		}
	}
	return first, last
}

// Walk tells the walk of an address that nobody accesses now.
func Walk(m *machine.Machine, lin uint64, kind mmu.Access) []WalkLine {
	w := m.MMU.Explain(mmu.Linear(lin), kind)
	if w.Mode == mmu.ModeNone {
		return []WalkLine{{Text: fmt.Sprintf("no paging: linear 0x%x is physical", lin)}}
	}
	what := "instruction"
	if kind != mmu.Exec {
		what = "address"
	}
	all := []WalkLine{
		{Text: fmt.Sprintf("%s 0x%x", what, lin)},
		{Text: fmt.Sprintf("CR3 0x%x, %s paging", m.MMU.Ctl.CR3, w.Mode)},
	}
	for i, st := range w.Steps[:w.N] {
		l := debug.Level{Level: st.Level.String(), At: debug.Hex(st.At), Raw: debug.Hex(st.Raw), Size: st.Size, Bits: st.Flags()}
		line := WalkLine{Depth: i + 1, Text: l.String(), Entry: &l}
		if !w.OK() && i == w.Decider {
			line.Bad, line.Mark = true, w.Rule.String()
		}
		all = append(all, line)
	}
	if w.Rule == mmu.RuleNotPresent || w.Rule == mmu.RuleReserved {
		return append(all, WalkLine{Depth: w.N + 1, Bad: true, Text: "not mapped: " + w.Rule.String()})
	}
	return append(all, WalkLine{Depth: w.N + 1, Text: fmt.Sprintf("physical 0x%x  %s", uint64(w.Frame)|lin&mmu.PageMask, w.Rights)})
}
