package mmu

// Watching stores: whoever wants to know of each store to some bytes names
// them, and is called after the store, whoever made it and through whatever
// mapping. All other pages are stored to as fast as before. Likewise with the
// reads and writes of linear addresses, wherever they lead, and with data reads and writes
// of physical ones.

// Range is [At, At+Len) of the physical address space.
type Range struct {
	At  Phys
	Len uint64
}

// Watch has the stores to RAM in the ranges told to OnStore from now on, in
// place of the ranges watched before; none ends the watch. Forks do not
// inherit it.
func (m *Memory) Watch(ranges []Range) {
	m.watched = nil
	if len(ranges) > 0 {
		m.watched = byPage(ranges)
	}
	for _, v := range m.mmus {
		v.dropViews()
	}
}

// byPage lists ranges of physical memory by the pages that they touch.
func byPage(ranges []Range) map[Phys][]Range {
	pages := make(map[Phys][]Range)
	for _, r := range ranges {
		for page := r.At &^ PageMask; page < r.At+Phys(r.Len); page += PageSize {
			pages[page] = append(pages[page], r)
		}
	}
	return pages
}

// isWatched tells whether stores to the page of p must be seen.
func (m *Memory) isWatched(p Phys) bool {
	return m.watched != nil && m.watched[p&^PageMask] != nil
}

// tellStore tells OnStore of a store of n bytes at p, within one page, if it
// touches a watched range.
func (m *Memory) tellStore(p Phys, n int) {
	if m.OnStore == nil {
		return
	}
	for _, r := range m.watched[p&^PageMask] {
		if p < r.At+Phys(r.Len) && r.At < p+Phys(n) {
			m.OnStore(p, n, m.walking)
			return
		}
	}
}

// LinearRange is [At, At+Len) of the linear address space.
type LinearRange struct {
	At  Linear
	Len uint64
}

// WatchLinear has the reads and writes in the ranges told to OnAccess from now
// on, in place of the ranges watched before; none ends the watch. Accesses to
// other pages go by their shortcuts as before.
func (m *MMU) WatchLinear(ranges []LinearRange) {
	m.watched = make(map[Linear][]LinearRange)
	for _, r := range ranges {
		first, last := r.At&^PageMask, (r.At+Linear(max(r.Len, 1))-1)&^PageMask
		for n := uint64(0); n <= uint64(last-first)>>PageShift; n++ {
			page := first + Linear(n)<<PageShift
			m.watched[page] = append(m.watched[page], r)
		}
	}
	m.rewatch()
}

// WatchPhys is WatchLinear for the data reads and writes of physical memory,
// told to OnPhys.
func (m *MMU) WatchPhys(ranges []Range) {
	m.watchedPhys = byPage(ranges)
	m.rewatch()
}

// rewatch takes in what is watched now.
func (m *MMU) rewatch() {
	m.watching = len(m.watched)+len(m.watchedPhys) > 0
	m.dropViews()
}

// tell tells of an access of size bytes at lin, of which n lie at p and the rest,
// if there is one, at the beginning of the frame next.
func (m *MMU) tell(lin Linear, size uint, p, next Phys, n uint, write bool) {
	m.tellAccess(lin, size, write)
	m.tellPhys(p, n, write)
	if n < size {
		m.tellPhys(next, size-n, write)
	}
}

// tellAccess tells OnAccess of an access of n bytes at lin, if it touches a
// watched range.
func (m *MMU) tellAccess(lin Linear, n uint, write bool) {
	if m.OnAccess == nil {
		return
	}
	last := lin + Linear(n) - 1
	for _, page := range [...]Linear{lin &^ PageMask, last & m.linMask &^ PageMask} {
		for _, r := range m.watched[page] {
			if lin < r.At+Linear(r.Len) && r.At <= last {
				m.OnAccess(lin, n, write)
				return
			}
		}
	}
}

// tellPhys tells OnPhys of an access of n bytes at p, within one page, if it
// touches a watched range.
func (m *MMU) tellPhys(p Phys, n uint, write bool) {
	if m.OnPhys == nil {
		return
	}
	for _, r := range m.watchedPhys[p&^PageMask] {
		if p < r.At+Phys(r.Len) && r.At < p+Phys(n) {
			m.OnPhys(p, n, write)
			return
		}
	}
}
