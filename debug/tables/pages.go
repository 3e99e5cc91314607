package tables

import (
	"x86emu/mmu"
)

// Kind is what a Range is.
type Kind string

// The kinds of ranges.
const (
	Mapped       Kind = "mapped"        // pages
	Hole         Kind = "hole"          // entries with P = 0
	Reserved     Kind = "reserved"      // entries with a reserved bit set
	NotCanonical Kind = "not canonical" // addresses that no entry stands for
)

// Range is a run of linear addresses that are alike: mapped with the same
// rights, A and D by pages of one size to frames in a row, or not mapped.
type Range struct {
	Kind  Kind
	First mmu.Linear
	Last  mmu.Linear // the last byte

	// Of mapped ones.
	Phys      mmu.Phys
	Rights    mmu.Rights // of all levels together; RightDirty is the last level's D
	Accessed  bool       // A of the last level
	Global    bool       // G of the last level, whether CR4.PGE lets it count or not
	Key       uint8
	Shift     uint8
	Scattered bool // frames are not in a row (Pages with Merge)

	Entries uint64   // that map it, or do not
	Entry   mmu.Step // the first of them
	Junk    uint64   // of a hole: how many of its entries are not zero
}

// Size is its length in bytes; 0 stands for all of 2^64.
func (r *Range) Size() uint64 { return uint64(r.Last-r.First) + 1 }

// MaxEntries bounds how many entries one listing reads: tables that refer to
// themselves have paths without end.
const MaxEntries = 1 << 24

// PagesOptions say what Pages lists.
type PagesOptions struct {
	First, Last mmu.Linear
	Merge       bool // by rights, key and page size alone: A, D, G and frames may differ
}

// Everything lists all addresses.
var Everything = PagesOptions{Last: ^mmu.Linear(0)}

// Pages lists the ranges of an address space in order of address, without gaps.
// whole is false if MaxEntries ended it.
func Pages(m *mmu.MMU, o PagesOptions) (ranges []Range, whole bool) {
	l := lister{o: o}
	entries := 0
	whole = true
	m.Tables(o.First, o.Last, func(e *mmu.TableEntry) mmu.Next {
		if entries++; entries > MaxEntries {
			whole = false
			return mmu.Stop
		}
		if e.Kind != mmu.EntryTable {
			l.add(e)
		}
		return mmu.Descend
	})
	return l.ranges, whole
}

// lister makes ranges of entries.
type lister struct {
	o      PagesOptions
	ranges []Range
}

func (l *lister) add(e *mmu.TableEntry) {
	r := Range{First: e.First, Last: e.First + mmu.Linear(e.Size-1), Entries: 1, Entry: e.Step}
	switch e.Kind {
	case mmu.EntryAbsent:
		r.Kind = Hole
		if e.Raw != 0 {
			r.Junk = 1
		}
	case mmu.EntryReserved:
		r.Kind = Reserved
	default:
		r.Kind = Mapped
		r.Phys, r.Rights, r.Key, r.Shift = e.Frame, e.Rights, e.Key, e.Shift
		r.Accessed, r.Global = e.Raw&mmu.PteAccessed != 0, e.Raw&mmu.PteGlobal != 0
	}
	if len(l.ranges) == 0 {
		l.ranges = append(l.ranges, r)
		return
	}
	last := &l.ranges[len(l.ranges)-1]
	if r.First != last.Last+1 {
		l.ranges = append(l.ranges, Range{Kind: NotCanonical, First: last.Last + 1, Last: r.First - 1}, r)
		return
	}
	if !l.alike(last, &r) {
		l.ranges = append(l.ranges, r)
		return
	}
	if r.Kind == Mapped && r.Phys != last.Phys+mmu.Phys(last.Size()) {
		last.Scattered = true
	}
	last.Last = r.Last
	last.Entries++
	last.Junk += r.Junk
}

// rightsOfPage are what Merge goes by.
const rightsOfPage = mmu.RightWrite | mmu.RightUser | mmu.RightExec

// alike tells whether a range can be part of the one before it.
func (l *lister) alike(last, r *Range) bool {
	if last.Kind != r.Kind {
		return false
	}
	switch {
	case r.Kind != Mapped:
		return true
	case last.Shift != r.Shift || last.Key != r.Key:
		return false
	case l.o.Merge:
		return (last.Rights^r.Rights)&rightsOfPage == 0
	}
	return last.Rights == r.Rights && last.Accessed == r.Accessed && last.Global == r.Global &&
		r.Phys == last.Phys+mmu.Phys(last.Size())
}
