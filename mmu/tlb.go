package mmu

// Rights are what a translation allows, the bits of all its levels combined,
// before control registers, PKRU and privilege are looked at.
type Rights uint8

const (
	RightWrite  Rights = 1 << iota // R/W = 1 at every level
	RightUser                      // U/S = 1 at every level: a user-mode address
	RightExec                      // XD = 0 at every level
	RightGlobal                    // G = 1 in the last entry, and CR4.PGE = 1
	RightDirty                     // D = 1 in the last entry
	RightValid                     // the entry of the TLB is in use
)

// Translation is what a walk finds for a 4-KByte page or a fragment of a larger one.
type Translation struct {
	Frame  Phys // of the fragment, A20 applied
	Rights Rights
	Key    uint8 // protection key
	Shift  uint8 // log2 of the page size: 12, 21, 22 or 30
}

// Entry is one entry of the TLB: architectural state, since it is used until
// the guest flushes it, whatever the tables say. A large page is entered as
// its 4-KByte fragments, each when it is used. While paging is off, entries
// hold the identity.
type Entry struct {
	Page Linear // of the fragment
	Translation
	PCID uint16
}

// Slot lists. An entry that is dropped stays listed until the next flush.
const (
	listLocal = iota
	listGlobal
	lists
)

// tlb is direct-mapped by the page number. Beside each entry stands which
// views have a shortcut from it and which lists it is on, so that a flush
// costs what was used.
type tlb struct {
	entry  [Slots]Entry
	viewed [Slots]uint8 // bit v: View[v] has a shortcut
	listed [Slots]uint8 // bit l: on list[l]
	list   [lists][Slots]uint16
	n      [lists]int
	large  [3]uint64 // of each size, which pages (mod 64) have had fragments
	lent   frameSet  // shared pages that had shortcuts
}

// frameSet is a superset of some frames: it may have more, never less.
type frameSet [16]uint64

func (s *frameSet) add(f Phys)      { s[f>>(PageShift+6)&15] |= 1 << (f >> PageShift & 63) }
func (s *frameSet) has(f Phys) bool { return s[f>>(PageShift+6)&15]>>(f>>PageShift&63)&1 != 0 }

func slot(page Linear) uint { return uint(page>>PageShift) & (Slots - 1) }

// largeClass gives the index in tlb.large of a page size.
func largeClass(shift uint8) int {
	switch shift {
	case 21:
		return 0
	case 22:
		return 1
	}
	return 2
}

var largeShift = [3]uint8{21, 22, 30}

// lookup gives the entry for a page under the current PCID, or nil.
func (m *MMU) lookup(page Linear) *Entry {
	e := &m.tlb.entry[slot(page)]
	if e.Page == page && e.Rights&RightValid != 0 && (e.PCID == m.pcid || e.Rights&RightGlobal != 0) {
		return e
	}
	return nil
}

// insert enters a translation in place of what has its slot.
func (m *MMU) insert(page Linear, tr Translation) *Entry {
	i := slot(page)
	t := &m.tlb
	if t.viewed[i] != 0 {
		m.clearViews(i)
	}
	e := &t.entry[i]
	e.Page = page
	e.Frame, e.Rights, e.Key, e.Shift = tr.Frame, tr.Rights|RightValid, tr.Key, tr.Shift
	e.PCID = m.pcid
	if on := uint8(1) << (tr.Rights & RightGlobal / RightGlobal); t.listed[i]&on == 0 {
		t.listed[i] |= on
		l := on >> 1
		t.list[l][t.n[l]&(Slots-1)] = uint16(i)
		t.n[l]++
	}
	if tr.Shift > PageShift {
		t.large[largeClass(tr.Shift)] |= 1 << (page >> tr.Shift & 63)
	}
	return e
}

// drop empties a slot.
func (m *MMU) drop(i uint) {
	m.tlb.entry[i].Rights = 0
	if m.tlb.viewed[i] != 0 {
		m.clearViews(i)
	}
}

// clearViews takes the shortcuts of a slot out of all views.
func (m *MMU) clearViews(i uint) {
	for v := range m.View {
		if m.tlb.viewed[i]&(1<<v) == 0 {
			continue
		}
		s := &m.View[v][i]
		if s.X != noPage {
			m.Gen++
		}
		s.R, s.W, s.X = noPage, noPage, noPage
	}
	m.tlb.viewed[i] = 0
}

// each calls f with every listed slot that is in use. A slot on both lists
// comes twice.
func (m *MMU) each(f func(i uint, e *Entry)) {
	for l := range m.tlb.list {
		for _, i := range m.tlb.list[l][:m.tlb.n[l]] {
			if e := &m.tlb.entry[i]; e.Rights&RightValid != 0 {
				f(uint(i), e)
			}
		}
	}
}

// dropViews forgets all shortcuts and no entry: an input of the rights changed.
func (m *MMU) dropViews() {
	m.Gen++
	m.forgetTables()
	m.tlb.lent = frameSet{}
	m.each(func(i uint, _ *Entry) { m.clearViews(i) })
}

// DropShortcuts forgets all shortcuts and no entry, so that each entry's next use
// is seen by OnHit. What the machine does is the same.
func (m *MMU) DropShortcuts() { m.dropViews() }

// dropFrame forgets the shortcuts to a frame, whose shared host page was replaced.
func (m *MMU) dropFrame(frame Phys) {
	m.forgetTables()
	if !m.tlb.lent.has(frame) {
		return
	}
	m.each(func(i uint, e *Entry) {
		if e.Frame == frame {
			m.clearViews(i)
		}
	})
}

// dropStores forgets the shortcuts that store to a frame, where code is kept from now on.
func (m *MMU) dropStores(frame Phys) {
	m.each(func(i uint, e *Entry) {
		if e.Frame == frame {
			for v := range m.View {
				if m.tlb.viewed[i]&(1<<v) != 0 {
					m.View[v][i].W = noPage
				}
			}
		}
	})
}

// TLB gives the entries in use, for a snapshot.
func (m *MMU) TLB() []Entry {
	var all []Entry
	for i := range m.tlb.entry {
		if e := &m.tlb.entry[i]; e.Rights&RightValid != 0 {
			all = append(all, *e)
		}
	}
	return all
}

// SetTLB replaces the TLB by entries that TLB gave. The control registers
// have to be restored before (SetControl).
func (m *MMU) SetTLB(all []Entry) {
	m.FlushAll()
	for _, e := range all {
		e.Page &^= PageMask
		e.Frame &= addrMask
		if e.Rights&RightValid != 0 && !m.cfg.TLBOff {
			m.insert(e.Page, e.Translation).PCID = e.PCID
		}
	}
}

// Cached gives the TLB entry that an access to lin would use now.
func (m *MMU) Cached(lin Linear) (Entry, bool) {
	if e := m.lookup(lin & m.linMask &^ PageMask); e != nil {
		return *e, true
	}
	return Entry{}, false
}

// Stale gives the usable entries that differ from what the tables say by now
// in frame or rights, D left out, or that the tables do not have: the guest
// owes a flush.
func (m *MMU) Stale() []Entry {
	var stale []Entry
	for i := range m.tlb.entry {
		e := &m.tlb.entry[i]
		if e.Rights&RightValid == 0 || !m.current(e) {
			continue
		}
		const compared = RightWrite | RightUser | RightExec | RightGlobal
		w := m.Explain(e.Page, 0)
		found := w.Rule != RuleNotPresent && w.Rule != RuleReserved
		if !found || w.Frame != e.Frame || w.Key != e.Key || (w.Rights^e.Rights)&compared != 0 {
			stale = append(stale, *e)
		}
	}
	return stale
}
