package mmu

import (
	"iter"
	"time"
)

// RAM and ROM are a two-level table: a directory of chunks of 512 pages.
// Forks share chunks and pages; whoever stores into a page copies the chunk
// (pointers only) and the page first. A Memory may store into a chunk whose
// owner is its own token, and into a page of it that is marked owned.
const (
	chunkShift = 21
	chunkPages = 1 << (chunkShift - PageShift)
)

// token tells address spaces and their generations apart: Fork gives both
// sides a new one, so that neither owns a chunk any more.
type token struct{ _ byte }

type chunk struct {
	owner *token
	page  [chunkPages]*Page // nil: a hole or MMIO
	flags [chunkPages]pageFlags
}

type pageFlags uint8

const (
	pageOwned pageFlags = 1 << iota // not shared: stores go straight in
	pageROM                         // stores are lost
)

// zeroPage stands for every RAM page that was never stored into, holeChunk
// for 2 MiB without memory, zeroChunk for 2 MiB of untouched RAM. No one
// owns them, hence no one writes them.
var (
	zeroPage  Page
	holeChunk chunk
	zeroChunk = func() *chunk {
		c := new(chunk)
		for i := range c.page {
			c.page[i] = &zeroPage
		}
		return c
	}()
)

// page gives the RAM or ROM page of p for reading, or nil.
func (m *Memory) page(p Phys) *Page {
	if i := p >> chunkShift; i < Phys(len(m.dir)) {
		return m.dir[i].page[p>>PageShift&(chunkPages-1)]
	}
	return nil
}

// pageState is page, and tells whether the page is owned, and whether a store
// to it needs no copy, no hook and is not lost.
func (m *Memory) pageState(p Phys) (pg *Page, owned, plain bool) {
	i, j := p>>chunkShift, p>>PageShift&(chunkPages-1)
	if i >= Phys(len(m.dir)) {
		return nil, false, false
	}
	c := m.dir[i]
	owned = c.owner == m.self && c.flags[j]&pageOwned != 0
	return c.page[j], owned, owned && (m.code[i] == nil || m.code[i][j] == 0) && !m.isWatched(p)
}

// own gives the RAM page of p for storing, copied first if it is shared, or
// nil if p is not RAM.
func (m *Memory) own(p Phys) *Page {
	i, j := p>>chunkShift, p>>PageShift&(chunkPages-1)
	if i >= Phys(len(m.dir)) {
		return nil
	}
	if c := m.dir[i]; c.owner == m.self && c.flags[j]&pageOwned != 0 {
		return c.page[j]
	}
	return m.unshare(p)
}

// unshare is own for a page that is not owned yet.
//
//go:noinline
func (m *Memory) unshare(p Phys) *Page {
	i, j := p>>chunkShift, p>>PageShift&(chunkPages-1)
	if c := m.dir[i]; c.page[j] == nil || c.flags[j]&pageROM != 0 {
		return nil
	}
	c := m.ownChunk(i)
	if c.page[j] == &zeroPage {
		c.page[j] = m.newPage()
	} else {
		c.page[j] = m.copyTimed(c.page[j])
	}
	c.flags[j] |= pageOwned
	m.pageMoved(p)
	return c.page[j]
}

// ownChunk gives chunk i for changing, copied first if it is shared. The
// pages of a copy are all shared.
func (m *Memory) ownChunk(i Phys) *chunk {
	c := m.dir[i]
	if c.owner == m.self {
		return c
	}
	n := m.spare.chunk()
	*n = *c
	n.owner = m.self
	for j := range n.flags {
		n.flags[j] &^= pageOwned
	}
	m.dir[i] = n
	return n
}

// copyTimed is copyOf, counted. Every sixteenth copy is timed: what a page costs
// depends on the host's caches and on its heap.
func (m *Memory) copyTimed(p *Page) *Page {
	const every, most = 16, 100 * time.Microsecond // more is the host's doing
	m.copied++
	if m.copied%every != 0 {
		return m.copyOf(p)
	}
	begin := time.Now()
	q := m.copyOf(p)
	m.copying += every * min(time.Since(begin), most)
	return q
}

// Fork gives an address space with the same contents. RAM is shared until either
// side stores into it. Devices, code marks and MMUs stay with m.
// The cost is one pointer for each 2 MiB of address space.
func (m *Memory) Fork() *Memory {
	f := &Memory{
		dir:  append([]*chunk(nil), m.dir...),
		code: make([]*codeMasks, len(m.dir)),
		self: new(token),
		top:  m.top,
	}
	m.self = new(token)
	for _, v := range m.mmus {
		v.dropViews()
	}
	return f
}

// Become takes over the contents of another address space of the same layout:
// a fork of m, or what m was forked from. Pages are shared until written. Code
// on pages that are replaced is reported as written. Devices stay as they are.
// Pages that nobody but m had are kept for the copies that are to come.
func (m *Memory) Become(o *Memory) {
	var lost []Phys
	for i, masks := range m.code {
		a, b := m.chunkAt(i), o.chunkAt(i)
		if masks == nil || a == b {
			continue
		}
		for j, mask := range masks {
			if mask != 0 && a.page[j] != b.page[j] {
				lost = append(lost, Phys(i)<<chunkShift|Phys(j)<<PageShift)
			}
		}
	}
	m.spare.keep(m)
	m.dir = append(m.dir[:0], o.dir...)
	for len(m.code) < len(m.dir) {
		m.code = append(m.code, nil)
	}
	m.self, o.self = new(token), new(token)
	for _, v := range append(m.mmus[:len(m.mmus):len(m.mmus)], o.mmus...) {
		v.dropViews()
	}
	for _, p := range lost {
		if m.OnCodeWrite != nil {
			m.OnCodeWrite(p, PageSize)
		}
	}
}

// Copied counts the pages that were copied because a store met a shared one, and
// tells roughly how long that took.
func (m *Memory) Copied() (pages uint64, took time.Duration) { return m.copied, m.copying }

// Alone is how many pages of m another address space does not share at the
// same address: what m costs while the other is there. Pages of zeros that
// were never stored into cost nothing.
func (m *Memory) Alone(o *Memory) int {
	n := 0
	for i, c := range m.dir {
		d := o.chunkAt(i)
		if c == d {
			continue
		}
		for j, pg := range c.page {
			if pg != nil && pg != &zeroPage && pg != d.page[j] {
				n++
			}
		}
		if c != zeroChunk && c != &holeChunk {
			n++ // the chunk itself, a little more than a page
		}
	}
	return n
}

// SamePage tells whether both share the page of p: neither has stored into it
// since they were forked.
func (m *Memory) SamePage(o *Memory, p Phys) bool { return m.page(p) == o.page(p) }

// Equal tells whether both hold the same RAM and ROM contents at the same
// addresses. Only pages that the two do not share are looked at.
func (m *Memory) Equal(o *Memory) bool {
	for i := range max(len(m.dir), len(o.dir)) {
		a, b := m.chunkAt(i), o.chunkAt(i)
		if a == b {
			continue
		}
		for j := range a.page {
			p, q := a.page[j], b.page[j]
			if p == q {
				continue
			}
			if p == nil || q == nil || *p != *q {
				return false
			}
		}
	}
	return true
}

func (m *Memory) chunkAt(i int) *chunk {
	if i < len(m.dir) {
		return m.dir[i]
	}
	return &holeChunk
}

// Pages yields the address and contents of every RAM and ROM page that was
// ever stored into, in order of address: what a snapshot has to keep. The
// pages must not be written.
func (m *Memory) Pages() iter.Seq2[Phys, *Page] {
	return func(yield func(Phys, *Page) bool) {
		for i, c := range m.dir {
			if c == zeroChunk || c == &holeChunk {
				continue
			}
			for j, pg := range c.page {
				if pg == nil || pg == &zeroPage {
					continue
				}
				if !yield(Phys(i)<<chunkShift|Phys(j)<<PageShift, pg) {
					return
				}
			}
		}
	}
}

// ClearRAM makes all RAM zero again and gives its pages back: the start of a
// restore. ROM stays.
func (m *Memory) ClearRAM() {
	for i, c := range m.dir {
		if c == zeroChunk || c == &holeChunk {
			continue
		}
		c = m.ownChunk(Phys(i))
		for j, pg := range c.page {
			if pg != nil && c.flags[j]&pageROM == 0 {
				c.page[j], c.flags[j] = &zeroPage, 0
			}
		}
	}
	m.codeLost()
}

// SetPage puts a copy of pg at the page of p, RAM or ROM: a restore. It tells
// whether there is such a page. No store is reported; ClearRAM has dropped
// the code marks.
func (m *Memory) SetPage(p Phys, pg *Page) bool {
	if q := m.own(p); q != nil {
		*q = *pg
		return true
	}
	if m.page(p) == nil {
		return false
	}
	m.ownChunk(p >> chunkShift).page[p>>PageShift&(chunkPages-1)] = m.copyOf(pg)
	m.pageMoved(p)
	return true
}
