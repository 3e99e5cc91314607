package tables

import (
	"cmp"
	"slices"

	"x86emu/mmu"
)

// Table is one table of an address space, once, however often it is used.
type Table struct {
	At    mmu.Phys
	Level mmu.Level  // of its entries, where it was met first
	First mmu.Linear // the first address that it governs there
	Uses  int        // entries that refer to it, CR3 included
	Pages []Use      // where it is mapped as a page: whoever may write there changes translations
}

// Loop is an entry that refers to a table which it lies in, or lies below: its
// own table seen as the next level's.
type Loop struct {
	Entry mmu.Step
	First mmu.Linear
	To    mmu.Phys
}

const nowhere = ^mmu.Phys(0)

// Self lists the tables of an address space and the entries that lead back.
// ranges are those of Pages, for where the tables are mapped.
func Self(m *mmu.MMU, ranges []Range) (tables []Table, loops []Loop, whole bool) {
	type place struct {
		at    mmu.Phys
		level mmu.Level
	}
	seen := map[mmu.Phys]int{}
	done := map[place]bool{} // tables already looked into, at a level
	looped := map[mmu.Phys]bool{}
	var path [8]mmu.Phys // the table of each level on the way; nowhere: none
	for l := range path {
		path[l] = nowhere
	}
	meet := func(at mmu.Phys, l mmu.Level, first mmu.Linear) {
		if i, ok := seen[at]; ok {
			tables[i].Uses++
			return
		}
		seen[at] = len(tables)
		tables = append(tables, Table{At: at, Level: l, First: first, Uses: 1})
	}
	entries, top := 0, false
	whole = true
	m.Tables(0, ^mmu.Linear(0), func(e *mmu.TableEntry) mmu.Next {
		if entries++; entries > MaxEntries {
			whole = false
			return mmu.Stop
		}
		own := e.At &^ mmu.PageMask
		if e.Step.Size == 0 {
			own = nowhere // a PDPTE register
		} else if !top {
			top = true
			if m.Mode() != mmu.ModePAE {
				meet(own, e.Level, 0)
			}
		}
		path[e.Level] = own
		if e.Kind != mmu.EntryTable {
			return mmu.Descend
		}
		back := false
		for _, above := range path[e.Level:] {
			back = back || above == e.Table
		}
		if back && !looped[e.At] {
			looped[e.At] = true
			loops = append(loops, Loop{e.Step, e.First, e.Table})
		}
		meet(e.Table, e.Level-1, e.First)
		// A table says the same wherever it is met at the same level.
		if p := (place{e.Table, e.Level - 1}); !done[p] {
			done[p] = true
			return mmu.Descend
		}
		return mmu.Skip
	})
	slices.SortFunc(tables, func(a, b Table) int { return cmp.Compare(a.At, b.At) })
	mappedAt(tables, ranges)
	return tables, loops, whole
}

// mappedAt finds the pages that hold tables, at most MaxUses for each.
func mappedAt(tables []Table, ranges []Range) {
	for i := range ranges {
		r := &ranges[i]
		if r.Kind != Mapped {
			continue
		}
		from, _ := slices.BinarySearchFunc(tables, r.Phys, func(t Table, p mmu.Phys) int { return cmp.Compare(t.At, p) })
		for j := from; j < len(tables) && uint64(tables[j].At-r.Phys) < r.Size(); j++ {
			if t := &tables[j]; len(t.Pages) < MaxUses {
				t.Pages = append(t.Pages, Use{r.First + mmu.Linear(t.At-r.Phys), r.Rights, r.Shift})
			}
		}
	}
}
