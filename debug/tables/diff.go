package tables

import "x86emu/mmu"

// Difference is a run of addresses at which two lists of ranges do not agree,
// with the range of each that it lies in.
type Difference struct {
	First, Last mmu.Linear
	A, B        *Range
}

// DiffOptions say what counts.
type DiffOptions struct {
	Used bool // A and D too
}

// Diff compares the ranges of two address spaces, or of one at two moments: what
// is mapped by one alone, elsewhere, or otherwise. Both lists cover the same
// addresses.
func Diff(a, b []Range, o DiffOptions) (all []Difference) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		ra, rb := &a[i], &b[j]
		d := Difference{First: max(ra.First, rb.First), Last: min(ra.Last, rb.Last), A: ra, B: rb}
		if ra.Last == d.Last {
			i++
		}
		if rb.Last == d.Last {
			j++
		}
		if d.differs(o) {
			all = append(all, d)
		}
	}
	return all
}

// differs tells whether the two say otherwise of the addresses.
func (d *Difference) differs(o DiffOptions) bool {
	a, b := d.A, d.B
	if a.Kind != b.Kind {
		return true
	}
	if a.Kind != Mapped {
		return false
	}
	used := mmu.RightDirty
	if o.Used {
		used = 0
	}
	return a.Phys+mmu.Phys(d.First-a.First) != b.Phys+mmu.Phys(d.First-b.First) ||
		(a.Rights^b.Rights)&^used != 0 || a.Key != b.Key || a.Shift != b.Shift || a.Global != b.Global ||
		o.Used && a.Accessed != b.Accessed
}

// What tells the difference in a word: "only A", "only B", "frame", "rights".
func (d *Difference) What() string {
	a, b := d.A, d.B
	switch {
	case a.Kind == Mapped && b.Kind != Mapped:
		return "only A"
	case a.Kind != Mapped && b.Kind == Mapped:
		return "only B"
	case a.Kind != Mapped:
		return "not mapped, otherwise"
	case a.Phys+mmu.Phys(d.First-a.First) != b.Phys+mmu.Phys(d.First-b.First):
		return "frame"
	case (a.Rights^b.Rights)&rightsOfPage != 0 || a.Key != b.Key:
		return "rights"
	case a.Shift != b.Shift:
		return "page size"
	case a.Global != b.Global:
		return "global"
	}
	return "used"
}
