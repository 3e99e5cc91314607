package mmu

// trunk is what the entries above the last level came to for one region: the
// neighbours of a page have them in common with it. It holds as long as they are in
// memory as they were, each with A set, so that a walk that starts from it has read
// every level and has nothing to set above the last.
type trunk struct {
	region  Linear // number of the region, or noRegion
	last    Linear // that of the last walk which came through all levels
	entries [levels - 1]trunkEntry
	n       int
	table   uint64 // the lowest entry, which refers to the last level's table
	and, or uint64 // bits of all combined
}

type trunkEntry struct {
	host *Page
	at   uint64
	raw  uint64
}

// regionShift is log2 of what one table of the last level maps.
const regionShift = 21

// noRegion is no region's number.
const noRegion = ^Linear(0)

// holds tells whether the trunk is that of an address and as it was.
func (t *trunk) holds(lin Linear) bool {
	if t.region != lin>>regionShift {
		return false
	}
	for i := range t.entries[:t.n] {
		if e := &t.entries[i]; Load64(e.host, e.at) != e.raw {
			return false
		}
	}
	return true
}

// offerTrunk has what a walk has read above the last level kept if the walk before was in
// the same region: who goes from region to region has no use for it.
func (m *MMU) offerTrunk(lin Linear, p *path, and, or uint64) {
	if t := &m.trunk; t.last != lin>>regionShift {
		t.last = lin >> regionShift
	} else if and&PteAccessed != 0 {
		m.keepTrunk(lin, p, and, or)
	}
}

// keepTrunk makes it the trunk.
//
//go:noinline
func (m *MMU) keepTrunk(lin Linear, p *path, and, or uint64) {
	t := &m.trunk
	t.region, t.n, t.and, t.or = lin>>regionShift, 0, and, or
	for l := p.high; l > LevelPTE; l-- {
		// There is a host page: what a hole reads as never refers to a table.
		t.entries[t.n] = trunkEntry{m.tables[l].host, uint64(p.at[l]), p.raw[l]}
		t.table = p.raw[l]
		t.n++
	}
}
