package diff

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Print writes the summary for people. With rules it has a line for each rule,
// else only for those with differences.
func (s *Summary) Print(w io.Writer, rules bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d cases", s.Of, s.Cases)
	if s.Shards > 1 {
		fmt.Fprintf(&b, " in %d of %d shards", len(s.Done), s.Shards)
	}
	b.WriteByte('\n')
	for i, t := range s.Oracles {
		fmt.Fprintf(&b, "  %-10s %s\n", t.Name, t.Version)
		if i > 0 {
			fmt.Fprintf(&b, "             agrees with %s %d, in all but what is undefined %d, known %d, unexplained %d, not asked %d\n",
				s.Oracles[0].Name, t.Agree, t.Masked, t.Known, t.Unexplained, t.Unasked)
		}
	}
	if len(s.Forms) > 0 {
		n := s.Covered()
		fmt.Fprintf(&b, "forms covered: %d of %d known (%.2f %%)\n", n, len(s.Forms), 100*float64(n)/float64(len(s.Forms)))
	}
	counts(&b, "differences of undefined things, by row", s.Masked)
	counts(&b, "known differences, by row", s.Known)
	counts(&b, "no answer, by reason", s.Silent)
	s.rules(&b, rules)
	for _, d := range s.First {
		fmt.Fprintf(&b, "unexplained: %s (%s): %s; %s\n", d.ID, d.Rule, d.Sides(), strings.Join(d.Fields, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Sides says who agrees with whom: "emu, model against qemu".
func (d *Divergence) Sides() string {
	sides := make([]string, len(d.Groups))
	for i, g := range d.Groups {
		sides[i] = strings.Join(g, ", ")
	}
	return strings.Join(sides, " against ")
}

// Covered is how many of the known forms have been executed.
func (s *Summary) Covered() int {
	n := 0
	for _, f := range s.Forms {
		if c := s.Rules[f]; c != nil && c.Executed > 0 {
			n++
		}
	}
	return n
}

// Uncovered are the known forms that have not been executed.
func (s *Summary) Uncovered() []string {
	return slices.DeleteFunc(slices.Clone(s.Forms), func(f string) bool { c := s.Rules[f]; return c != nil && c.Executed > 0 })
}

func counts(b *strings.Builder, title string, m map[string]uint64) {
	if len(m) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", title)
	names := slices.SortedFunc(maps.Keys(m), func(x, y string) int {
		return cmp.Or(cmp.Compare(m[y], m[x]), cmp.Compare(x, y))
	})
	for _, name := range names {
		fmt.Fprintf(b, "  %9d  %s\n", m[name], name)
	}
}

func (s *Summary) rules(b *strings.Builder, all bool) {
	first := true
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		c := s.Rules[name]
		if !all && c.Unexplained == 0 {
			continue
		}
		if first {
			fmt.Fprintf(b, "%9s %9s %9s %11s  rule\n", "cases", "executed", "known", "unexplained")
			first = false
		}
		fmt.Fprintf(b, "%9d %9d %9d %11d  %s\n", c.Cases, c.Executed, c.Known, c.Unexplained, name)
	}
}
