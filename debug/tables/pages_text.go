package tables

import (
	"fmt"
	"io"
	"strings"

	"x86emu/mmu"
)

// bytes writes an amount in the largest unit that it has one of, with one
// decimal where it is not whole. 0 stands for 2^64.
func bytes(n uint64) string {
	if n == 0 {
		return "16E"
	}
	unit, i := uint64(1<<10), 0
	for ; n>>10 >= unit && i < 5; i++ {
		unit <<= 10
	}
	if n%unit == 0 {
		return fmt.Sprintf("%d%c", n/unit, "KMGTPE"[i])
	}
	return fmt.Sprintf("%.1f%c", float64(n)/float64(unit), "KMGTPE"[i])
}

// span writes first and last of a run of addresses, in digits as the mode has them.
func span(m *mmu.MMU, first, last mmu.Linear) string {
	return address(m, first) + "-" + address(m, last)
}

func address(m *mmu.MMU, lin mmu.Linear) string {
	if Width(m) == 32 {
		return fmt.Sprintf("0x%08x", uint64(lin))
	}
	return fmt.Sprintf("0x%016x", uint64(lin))
}

// rightsText is "s" or "u", then "rwx".
func rightsText(r mmu.Rights) string {
	b := []byte("sr--")
	if r&mmu.RightUser != 0 {
		b[0] = 'u'
	}
	if r&mmu.RightWrite != 0 {
		b[2] = 'w'
	}
	if r&mmu.RightExec != 0 {
		b[3] = 'x'
	}
	return string(b)
}

// EntryName is an entry's level and number, as in "PDE 993".
func EntryName(s mmu.Step) string {
	if s.Size == 0 {
		return s.Level.String() + " register"
	}
	return fmt.Sprintf("%s %d", s.Level, uint64(s.At&mmu.PageMask)/uint64(s.Size))
}

// entryText is an entry with its value and address.
func entryText(s mmu.Step) string {
	if s.Size == 0 {
		return fmt.Sprintf("%s = 0x%x", EntryName(s), s.Raw)
	}
	return fmt.Sprintf("%s = 0x%x at 0x%x", EntryName(s), s.Raw, uint64(s.At))
}

// What tells in a few words what a range is.
func (r *Range) What() string {
	switch r.Kind {
	case NotCanonical:
		return "not canonical"
	case Reserved:
		return "a reserved bit is set: " + entryText(r.Entry)
	case Hole:
		s := "hole: " + entryText(r.Entry)
		if r.Entries > 1 {
			s += fmt.Sprintf(", and %d more", r.Entries-1)
		}
		if r.Junk > 0 {
			s += fmt.Sprintf("; %d not zero", r.Junk)
		}
		return s
	}
	flags := []byte("---")
	for i, set := range []bool{r.Global, r.Accessed, r.Rights&mmu.RightDirty != 0} {
		if set {
			flags[i] = "GAD"[i]
		}
	}
	to := fmt.Sprintf("-> 0x%x", uint64(r.Phys))
	if r.Scattered {
		to = "-> scattered"
	}
	s := fmt.Sprintf("%s %s %s %s", rightsText(r.Rights), flags, bytes(1<<r.Shift), to)
	if r.Key != 0 {
		s += fmt.Sprintf(", key %d", r.Key)
	}
	return s
}

// Head is the line that tells which tables are shown.
func Head(m *mmu.MMU) string {
	if m.Mode() == mmu.ModeNone {
		return "no paging"
	}
	return fmt.Sprintf("CR3 0x%x, %s paging", m.Ctl.CR3, m.Mode())
}

// WritePages writes one line for each range; without holes, holes are left out.
func WritePages(w io.Writer, m *mmu.MMU, ranges []Range, holes bool) error {
	var b strings.Builder
	for i := range ranges {
		r := &ranges[i]
		if r.Kind != Mapped && r.Kind != Reserved && !holes {
			continue
		}
		fmt.Fprintf(&b, "%s %6s  %s\n", span(m, r.First, r.Last), bytes(r.Size()), r.What())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// use is one place at which memory is mapped.
func (u Use) text(m *mmu.MMU) string {
	return fmt.Sprintf("%s %s", address(m, u.Lin), rightsText(u.Rights))
}

// WriteUses writes where a frame is mapped.
func WriteUses(w io.Writer, m *mmu.MMU, p mmu.Phys, uses []Use) error {
	var b strings.Builder
	fmt.Fprintf(&b, "physical 0x%x is mapped at %d address%s\n", uint64(p), len(uses), plural(len(uses), "es"))
	for _, u := range uses {
		fmt.Fprintf(&b, "  %s %s\n", u.text(m), bytes(1<<u.Shift))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteAliases writes memory that is mapped more than once.
func WriteAliases(w io.Writer, m *mmu.MMU, all []Alias) error {
	var b strings.Builder
	for i := range all {
		a := &all[i]
		fmt.Fprintf(&b, "physical 0x%x-0x%x %6s  mapped %d times:", uint64(a.First), uint64(a.Last), bytes(uint64(a.Last-a.First)+1), a.Count)
		for _, u := range a.At {
			fmt.Fprintf(&b, " %s", u.text(m))
		}
		if more := a.Count - len(a.At); more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
		b.WriteByte('\n')
	}
	if len(all) == 0 {
		b.WriteString("no frame is mapped twice\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteSelf writes tables that are mapped, and entries that lead back.
func WriteSelf(w io.Writer, m *mmu.MMU, all []Table, loops []Loop) error {
	var b strings.Builder
	hidden := 0
	for i := range all {
		t := &all[i]
		if len(t.Pages) == 0 {
			hidden++
			continue
		}
		fmt.Fprintf(&b, "table of %ss at 0x%x, for %s on, is mapped at", t.Level, uint64(t.At), address(m, t.First))
		for _, u := range t.Pages {
			fmt.Fprintf(&b, " %s", u.text(m))
		}
		b.WriteByte('\n')
	}
	for _, l := range loops {
		fmt.Fprintf(&b, "%s, for %s on, leads back to the table at 0x%x\n", entryText(l.Entry), address(m, l.First), uint64(l.To))
	}
	fmt.Fprintf(&b, "%d table%s, of which %d not mapped; %d entr%s lead%s back\n",
		len(all), plural(len(all), "s"), hidden, len(loops), map[bool]string{true: "y", false: "ies"}[len(loops) == 1],
		map[bool]string{true: "s", false: ""}[len(loops) == 1])
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteDiff writes the differences of A and B, each with what both have there:
// of a hole, the entry that is missing at its first address.
func WriteDiff(w io.Writer, a, b *mmu.MMU, all []Difference) error {
	var t strings.Builder
	for i := range all {
		d := &all[i]
		fmt.Fprintf(&t, "%s %6s  %s\n", span(a, d.First, d.Last), bytes(uint64(d.Last-d.First)+1), d.What())
		for _, side := range []struct {
			name string
			m    *mmu.MMU
			r    *Range
		}{{"A", a, d.A}, {"B", b, d.B}} {
			r := *side.r
			r.Phys += mmu.Phys(d.First - r.First)
			text := r.What()
			if w := side.m.Explain(d.First, mmu.Read); r.Kind == Hole && w.Decider >= 0 {
				text = "hole: " + entryText(w.Steps[w.Decider])
			}
			fmt.Fprintf(&t, "    %s: %s\n", side.name, text)
		}
	}
	if len(all) == 0 {
		t.WriteString("no difference\n")
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// plural is an ending where n is not one.
func plural(n int, ending string) string {
	if n == 1 {
		return ""
	}
	return ending
}
