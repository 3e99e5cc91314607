package gen

import (
	"encoding/binary"

	"x86emu/diff"
)

// entry is a paging-structure entry of the case.
type entry struct {
	at    diff.Offset
	level int
	page  bool // maps a page
	name  string
	value uint64
}

func (e *entry) bytes(size int) []byte {
	return binary.LittleEndian.AppendUint64(nil, e.value)[:size]
}

// Bits of entries. [SDM 3A, 4-Level Paging and 5-Level Paging]
const (
	entryP   = 1 << 0
	entryW   = 1 << 1
	entryU   = 1 << 2
	entryA   = 1 << 5
	entryD   = 1 << 6
	entryPS  = 1 << 7
	entryG   = 1 << 8
	entryPAT = 1 << 12 // where PS maps a page
	entryXD  = 1 << 63
)

var entryNames = [...]string{"", "pte", "pde", "pdpte", "pml4e", "pml5e"}

// tables says where the paging structure of each level lies.
type tables [6]diff.Offset

// free gives structures of their own to all levels below the first.
func (p *paging) free(first diff.Offset) (t tables) {
	for level := 1; level < p.mode.levels; level++ {
		t[level] = first + diff.Offset(level*diff.PageSize)
	}
	t[p.mode.levels] = diff.PagingRoot
	return t
}

// Where the tables of the first and of a second walk lie, and those of MOV to CR3.
const (
	firstTables  = diff.PagingTables
	secondTables = diff.PagingTables + 5*diff.PageSize
	otherRoot    = diff.PagingTables + 12*diff.PageSize
)

// valid adds the entries that lead from a linear address to the arena by a page at
// level leaf: all rights, A and D clear. Entries that the case has already are
// shared with the walk before.
func (p *paging) valid(t tables, linear uint64, leaf int, data diff.Offset, prefix string) {
	for level := p.mode.levels; level >= leaf; level-- {
		at := t[level] + diff.Offset(p.mode.index(level, linear)*p.mode.size)
		if p.entryAt(at) != nil {
			continue
		}
		e := &entry{at: at, level: level, page: level == leaf, name: prefix + entryNames[level]}
		switch {
		case level > leaf:
			e.value = uint64(t[level-1].Phys())
		default:
			e.value = uint64(data.Phys()) &^ (p.mode.reach(level) - 1)
			if level > 1 {
				e.value |= entryPS
			}
		}
		e.value |= entryP
		if !p.isPDPTR(e) {
			e.value |= entryW | entryU
		}
		p.entries = append(p.entries, e)
	}
}

// isPDPTR tells whether an entry is loaded into a PDPTE register.
func (p *paging) isPDPTR(e *entry) bool { return p.mode.levels == 3 && e.level == 3 }

func (p *paging) entryAt(at diff.Offset) *entry {
	for _, e := range p.entries {
		if e.at == at {
			return e
		}
	}
	return nil
}

// anyIndex picks an entry of a table: often the first or the last one. The first paging
// structure has some that are not free; also the entry behind it is, if next is set.
func (p *paging) anyIndex(level int, next bool) int {
	last := 1<<p.mode.bits - 1
	if p.isPDPTR(&entry{level: level}) {
		last = 3
	}
	taken := func(i int) bool {
		return level == p.mode.levels && diff.PagingFixed(p.mode.world, i)
	}
	for {
		i := p.r.IntN(last + 1)
		switch p.r.IntN(6) {
		case 0:
			i = 0
		case 1:
			i = last
		}
		if next && (i == last || taken(i+1) || p.mode.long && level == p.mode.levels && i == last/2) {
			continue
		}
		if !taken(i) {
			return i
		}
	}
}

// canonical extends the sign of a linear address.
func (p *paging) canonical(linear uint64) uint64 {
	if !p.mode.long {
		return linear
	}
	unused := 64 - (12 + 9*uint(p.mode.levels))
	return uint64(int64(linear<<unused) >> unused)
}

// place chooses a linear address within one page, mapped by an entry of level
// leaf, and makes its walk. Page 0 or 1 of the arena holds the data.
func (p *paging) place(leaf int) {
	p.data = diff.PagingData + diff.Offset(p.r.IntN(2)*diff.PageSize+p.r.IntN(diff.PageSize-p.size+1))
	p.lin = uint64(p.data.Phys()) & (p.mode.reach(leaf) - 1)
	for level := leaf; level <= p.mode.levels; level++ {
		p.lin |= uint64(p.anyIndex(level, false)) << p.mode.shift(level)
	}
	p.lin = p.canonical(p.lin)
	p.valid(p.free(firstTables), p.lin, leaf, p.data, "")
}

// placeAcross chooses an address whose access crosses into another page: one
// whose walk parts from the first one's at any level, and that may be larger.
func (p *paging) placeAcross() {
	p.rule("across pages")
	p.size = max(p.size, 2)
	if leaf := 2 + p.r.IntN(p.mode.large-1); p.oneIn(5) {
		// Both are parts of one large page.
		p.data = diff.PageSize - 1 - diff.Offset(p.r.IntN(p.size-1))
		p.lin = uint64(p.data.Phys()) & (p.mode.reach(leaf) - 1)
		for level := leaf; level <= p.mode.levels; level++ {
			p.lin |= uint64(p.anyIndex(level, false)) << p.mode.shift(level)
		}
		p.lin = p.canonical(p.lin)
		p.valid(p.free(firstTables), p.lin, leaf, p.data, "")
		return
	}
	before := 1 + p.r.IntN(p.size-1) // bytes in the first page
	parts := 1 + p.r.IntN(p.mode.levels)
	p.lin = uint64(diff.PageSize - before)
	for level := 1; level <= p.mode.levels; level++ {
		i := 1<<p.mode.bits - 1
		if level >= parts {
			i = p.anyIndex(level, level == parts)
		}
		p.lin |= uint64(i) << p.mode.shift(level)
	}
	p.lin = p.canonical(p.lin)
	first := p.free(firstTables)
	second := first
	if p.oneIn(2) {
		second = p.free(secondTables)
		for level := parts; level <= p.mode.levels; level++ {
			second[level] = first[level]
		}
	}
	p.data = 2*diff.PageSize - diff.Offset(before)
	p.data2 = diff.PagingData
	leaf := 1
	if parts >= 2 && p.oneIn(3) {
		leaf = 2
	}
	p.valid(first, p.lin, 1, p.data, "")
	p.valid(second, p.lin+uint64(before), leaf, p.data2, "second ")
	p.before = before
}

// placeInItself makes an entry lead to the table that it is in, so that one entry
// serves at two levels.
func (p *paging) placeInItself() {
	level := 2 + p.r.IntN(p.mode.levels-1)
	if p.mode.levels == 3 {
		level = 2 // PDPTE registers are not entries
	}
	t := p.free(firstTables)
	t[level-1] = t[level]
	if level > 2 {
		t[level-2] = t[level]
	}
	self := 8 + p.r.IntN(200) // the first structure's fixed entries are below
	for l := 1; l <= p.mode.levels; l++ {
		i := p.anyIndex(l, false)
		switch {
		case l == level || l == level-1:
			i = self
		case t[l] == t[level]:
			i = 250 + p.r.IntN(100)
		}
		p.lin |= uint64(i) << p.mode.shift(l)
	}
	// Data that lie in the table are in a part that no walk uses.
	p.data = diff.Offset(400*p.mode.size + 8*p.r.IntN(12))
	p.lin = p.canonical(p.lin | uint64(p.data))
	if level-1 == 1 {
		p.rule("a table maps itself")
		p.data += t[level]
	} else {
		p.rule("a table refers to itself")
	}
	p.valid(t, p.lin, 1, p.data, "")
}

// placeInHole chooses an address that is not canonical, at least in its last byte.
func (p *paging) placeInHole() {
	p.rule("not canonical")
	p.noStack = true
	p.lin = 1 << (11 + 9*uint(p.mode.levels))
	if p.size > 1 && p.oneIn(2) {
		// The first bytes are in the last page of the lower half.
		p.before = 1 + p.r.IntN(p.size-1)
		p.lin -= uint64(p.before)
		p.data = diff.PageSize - diff.Offset(p.before)
		p.valid(p.free(firstTables), p.lin, 1, p.data, "")
		return
	}
	p.lin += p.r.Uint64() % (^uint64(0) - 2*p.lin - 8)
}
