package tables

import (
	"cmp"
	"slices"

	"x86emu/mmu"
)

// Alias is a run of physical memory that is mapped at several linear addresses.
type Alias struct {
	First, Last mmu.Phys
	At          []Use // the first MaxUses, in order of address
	Count       int   // of all
}

// Use is one place at which physical memory is mapped.
type Use struct {
	Lin    mmu.Linear
	Rights mmu.Rights
	Shift  uint8
}

// Bounds of what Aliases gives: a table can map one frame everywhere.
const (
	MaxUses    = 16
	MaxAliases = 10000
)

// Aliases lists the memory that ranges map more than once, in order of physical
// address. whole is false if there is more.
func Aliases(ranges []Range) (all []Alias, whole bool) {
	type edge struct {
		at    mmu.Phys
		open  bool
		index int
	}
	var edges []edge
	for i := range ranges {
		if r := &ranges[i]; r.Kind == Mapped {
			edges = append(edges, edge{r.Phys, true, i}, edge{r.Phys + mmu.Phys(r.Size()), false, i})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	var open []int // indices, which are in order of address
	for i, e := range edges {
		if i > 0 && e.at > edges[i-1].at && len(open) > 1 {
			if len(all) == MaxAliases {
				return all, false
			}
			all = append(all, alias(ranges, open, edges[i-1].at, e.at-1))
		}
		at, found := slices.BinarySearch(open, e.index)
		switch {
		case e.open && !found:
			open = slices.Insert(open, at, e.index)
		case !e.open && found:
			open = slices.Delete(open, at, at+1)
		}
	}
	return all, true
}

// alias is what some ranges do with a piece of memory.
func alias(ranges []Range, of []int, first, last mmu.Phys) Alias {
	a := Alias{First: first, Last: last, Count: len(of)}
	for _, i := range of[:min(len(of), MaxUses)] {
		r := &ranges[i]
		a.At = append(a.At, Use{r.First + mmu.Linear(first-r.Phys), r.Rights, r.Shift})
	}
	return a
}

// WhoMaps lists the linear addresses at which a byte of physical memory is
// mapped, in order of address.
func WhoMaps(ranges []Range, p mmu.Phys) (uses []Use) {
	for i := range ranges {
		if r := &ranges[i]; r.Kind == Mapped && p >= r.Phys && uint64(p-r.Phys) < r.Size() {
			uses = append(uses, Use{r.First + mmu.Linear(p-r.Phys), r.Rights, r.Shift})
		}
	}
	return uses
}
