package mmu

import (
	"fmt"
	"slices"
	"time"
)

// Memory is the physical address space: RAM, ROM, devices and holes. Any
// address may be read and written. Holes read as all ones and lose what is
// written; so does all above the widest physical address. An access that
// straddles a border is made bytewise.
//
// A Memory and the MMUs upon it belong to one goroutine; its forks are free.
type Memory struct {
	// OnCodeWrite is called after a store that hit a granule marked as code,
	// whoever stored. [p, p+n) lies within one page.
	OnCodeWrite func(p Phys, n int)
	// OnStore is called after a store that touched what Watch names. [p, p+n)
	// lies within one page. walk tells that a walk did it, to set A or D.
	OnStore func(p Phys, n int, walk bool)
	// OnHole, if not nil, is called after a read or write that met neither memory nor
	// a device from p on, for n bytes at most. Walks are not told.
	OnHole func(p Phys, n int, write bool)

	dir   []*chunk     // by address >> chunkShift
	code  []*codeMasks // likewise; nil: no marks
	mmio  []mmio       // sorted by base, disjoint
	self  *token
	slab  []Page // zero pages, see newPage
	spare spare
	mmus  []*MMU // whose shortcuts point into this memory
	top   uint64 // RAM and ROM lie below

	watched map[Phys][]Range // by page; nil: nothing is
	walking bool             // a walk sets A or D
	copied  uint64           // see Copied
	copying time.Duration
}

// Device is a memory-mapped device. off counts from the base it was mapped
// at; size is 1, 2, 4 or 8 bytes and the access lies within the region.
type Device interface {
	Read(off uint64, size uint) uint64
	Write(off uint64, size uint, v uint64)
}

type mmio struct {
	base Phys
	size uint64
	skip uint64 // offset of base from the device's own base
	dev  Device
}

// maxRAM bounds the addresses that RAM and ROM may have, to bound the directory.
const maxRAM = 1 << 40

// NewMemory makes an address space with ram bytes of RAM from address 0 (cut
// to whole pages and to what fits) and nothing else. maxPhysBits is the width
// of physical addresses: RAM and ROM can be mapped below it, and below 1 TiB.
func NewMemory(ram uint64, maxPhysBits uint) *Memory {
	m := &Memory{self: new(token), top: min(maxRAM, uint64(1)<<maxPhysBits)}
	m.fill(0, min(ram, m.top)&^PageMask, &zeroPage, 0)
	return m
}

// MapRAM puts zeroed RAM at [base, base+size), both multiples of the page
// size. What was mapped there is gone.
func (m *Memory) MapRAM(base Phys, size uint64) error {
	return m.MapShared(base, size, &zeroPage)
}

// MapShared puts a page at each page of [base, base+size), both multiples of the page
// size, as RAM that is copied where it is first stored into: any number of memories
// may have the page, and nobody changes it. What was mapped there is gone.
func (m *Memory) MapShared(base Phys, size uint64, pg *Page) error {
	if err := m.pages(base, size); err != nil {
		return err
	}
	m.fill(base, size, pg, 0)
	return nil
}

// MapROM puts ROM at base, a multiple of the page size. The rest of the last
// page reads as ones. What was mapped there is gone.
func (m *Memory) MapROM(base Phys, data []byte) error {
	size := (uint64(len(data)) + PageMask) &^ PageMask
	if err := m.pages(base, size); err != nil {
		return err
	}
	m.fill(base, size, nil, 0)
	for n := 0; n < len(data); n += PageSize {
		pg := new(Page)
		for i := copy(pg[:], data[n:]); i < PageSize; i++ {
			pg[i] = 0xff
		}
		p := base + Phys(n)
		c := m.ownChunk(p >> chunkShift)
		j := p >> PageShift & (chunkPages - 1)
		c.page[j], c.flags[j] = pg, pageROM
	}
	return nil
}

// MapMMIO puts a device at [base, base+size), at any alignment. What was
// mapped there is gone; RAM and ROM that share a page with the region become
// a hole.
func (m *Memory) MapMMIO(base Phys, size uint64, dev Device) error {
	if size == 0 || uint64(base)+size < size || uint64(base)+size > 1<<52 {
		return fmt.Errorf("no room for a device of %#x bytes at %#x", size, uint64(base))
	}
	m.Unmap(base, size)
	i, _ := slices.BinarySearchFunc(m.mmio, base, func(r mmio, b Phys) int { return int(int64(r.base) - int64(b)) })
	m.mmio = slices.Insert(m.mmio, i, mmio{base: base, size: size, dev: dev})
	return nil
}

// Unmap makes [base, base+size) a hole, and the whole of every page of RAM or
// ROM that it touches.
func (m *Memory) Unmap(base Phys, size uint64) {
	if size == 0 {
		return
	}
	end := uint64(base) + size
	if end < size || end > 1<<52 {
		end = 1 << 52
	}
	first := uint64(base) &^ PageMask
	last := min((end+PageMask)&^PageMask, uint64(len(m.dir))<<chunkShift)
	if first < last {
		m.fill(Phys(first), last-first, nil, 0)
	}
	m.cutMMIO(uint64(base), end)
}

// Vacant tells whether nothing is mapped at a page: no RAM or ROM, and no device
// at any of its addresses.
func (m *Memory) Vacant(p Phys) bool {
	p &^= PageMask
	for i := range m.mmio {
		if r := &m.mmio[i]; r.base < p+PageSize && uint64(p) < uint64(r.base)+r.size {
			return false
		}
	}
	return m.page(p) == nil
}

// pages checks a range of whole pages for RAM or ROM.
func (m *Memory) pages(base Phys, size uint64) error {
	if (uint64(base)|size)&PageMask != 0 || size > m.top || uint64(base) > m.top-size {
		return fmt.Errorf("memory of %#x bytes at %#x is not whole pages below %#x", size, uint64(base), m.top)
	}
	return nil
}

// fill maps pg (nil: a hole) at all pages of a range and takes devices away.
func (m *Memory) fill(base Phys, size uint64, pg *Page, flags pageFlags) {
	end := base + Phys(size)
	for Phys(len(m.dir))<<chunkShift < end {
		m.dir = append(m.dir, &holeChunk)
		m.code = append(m.code, nil)
	}
	for p := base; p < end; {
		i, next := p>>chunkShift, (p>>chunkShift+1)<<chunkShift
		if p&(1<<chunkShift-1) == 0 && next <= end && flags == 0 && (pg == nil || pg == &zeroPage) {
			m.dir[i] = &holeChunk
			if pg != nil {
				m.dir[i] = zeroChunk
			}
			p = next
			continue
		}
		c := m.ownChunk(i)
		for ; p < min(next, end); p += PageSize {
			j := p >> PageShift & (chunkPages - 1)
			c.page[j], c.flags[j] = pg, flags
		}
	}
	m.cutMMIO(uint64(base), uint64(end))
	m.codeLost()
}

// cutMMIO takes [base, end) away from the devices.
func (m *Memory) cutMMIO(base, end uint64) {
	var keep []mmio
	for _, r := range m.mmio {
		rb, re := uint64(r.base), uint64(r.base)+r.size
		if rb < base {
			keep = append(keep, mmio{r.base, min(re, base) - rb, r.skip, r.dev})
		}
		if re > end {
			b := max(rb, end)
			keep = append(keep, mmio{Phys(b), re - b, r.skip + b - rb, r.dev})
		}
	}
	m.mmio = keep
	for _, v := range m.mmus {
		v.dropViews()
	}
}

// device finds the device at p, and how many bytes of its region are left from p on.
func (m *Memory) device(p Phys) (dev Device, off, left uint64) {
	lo, hi := 0, len(m.mmio)
	for lo < hi {
		mid := (lo + hi) / 2
		if r := &m.mmio[mid]; p < r.base {
			hi = mid
		} else if off := uint64(p - r.base); off < r.size {
			return r.dev, r.skip + off, r.size - off
		} else {
			lo = mid + 1
		}
	}
	return nil, 0, 0
}

// Read reads size bytes (1 to 8), little-endian.
func (m *Memory) Read(p Phys, size uint) uint64 {
	if uint64(p)&PageMask+uint64(size) <= PageSize {
		if pg := m.page(p); pg != nil {
			return load(pg, uint64(p), size)
		}
	}
	return m.readSlow(p, size)
}

//go:noinline
func (m *Memory) readSlow(p Phys, size uint) uint64 {
	if dev, off, left := m.device(p); uint64(size) <= left && size&(size-1) == 0 {
		return dev.Read(off, size) & (1<<(8*size) - 1)
	}
	v, lost := uint64(0), hole{}
	for i := uint(0); i < size; i++ {
		b, q := uint64(0xff), p+Phys(i)
		if pg := m.page(q); pg != nil {
			b = uint64(Load8(pg, uint64(q)))
		} else if dev, off, _ := m.device(q); dev != nil {
			b = dev.Read(off, 1) & 0xff
		} else {
			lost.add(i)
		}
		v |= b << (8 * i)
	}
	m.tellHole(p, lost, false)
	return v
}

// Write writes size bytes (1 to 8), little-endian.
func (m *Memory) Write(p Phys, size uint, v uint64) {
	if uint64(p)&PageMask+uint64(size) <= PageSize {
		if pg := m.own(p); pg != nil {
			store(pg, uint64(p), size, v)
			m.wrote(p, int(size))
			return
		}
	}
	m.writeSlow(p, size, v)
}

//go:noinline
func (m *Memory) writeSlow(p Phys, size uint, v uint64) {
	if dev, off, left := m.device(p); uint64(size) <= left && size&(size-1) == 0 {
		dev.Write(off, size, v&(1<<(8*size)-1))
		return
	}
	var lost hole
	for i := uint(0); i < size; i++ {
		b, q := v>>(8*i)&0xff, p+Phys(i)
		if pg := m.own(q); pg != nil {
			Store8(pg, uint64(q), uint8(b))
			m.wrote(q, 1)
		} else if dev, off, _ := m.device(q); dev != nil {
			dev.Write(off, 1, b)
		} else if m.page(q) == nil { // not ROM
			lost.add(i)
		}
	}
	m.tellHole(p, lost, true)
}

// hole is the part of an access that meets nothing: from byte first to before end.
type hole struct{ first, end uint }

func (h *hole) add(i uint) {
	if h.end == 0 {
		h.first = i
	}
	h.end = i + 1
}

// tellHole tells of the part of an access at p that met nothing.
func (m *Memory) tellHole(p Phys, h hole, write bool) {
	if h.end > 0 && m.OnHole != nil {
		m.OnHole(p+Phys(h.first), int(h.end-h.first), write)
	}
}

// ReadBytes fills b from p on.
func (m *Memory) ReadBytes(p Phys, b []byte) {
	for len(b) > 0 {
		n := min(PageSize-int(p&PageMask), len(b))
		if pg := m.page(p); pg != nil {
			copy(b[:n], pg[p&PageMask:])
		} else {
			for i := range b[:n] {
				b[i] = byte(m.readSlow(p+Phys(i), 1))
			}
		}
		b, p = b[n:], p+Phys(n)
	}
}

// Peek copies bytes from p on as far as they are RAM or ROM, and returns how
// many: no device notices.
func (m *Memory) Peek(p Phys, b []byte) int {
	n := 0
	for n < len(b) {
		pg := m.page(p + Phys(n))
		if pg == nil {
			break
		}
		n += copy(b[n:], pg[(p+Phys(n))&PageMask:])
	}
	return n
}

// WriteBytes stores b from p on, as a guest's or a device's stores would.
func (m *Memory) WriteBytes(p Phys, b []byte) {
	for len(b) > 0 {
		n := min(PageSize-int(p&PageMask), len(b))
		if pg := m.own(p); pg != nil {
			copy(pg[p&PageMask:], b[:n])
			m.wrote(p, n)
		} else {
			for i, c := range b[:n] {
				m.writeSlow(p+Phys(i), 1, uint64(c))
			}
		}
		b, p = b[n:], p+Phys(n)
	}
}

// attach lets an MMU keep shortcuts into this memory.
func (m *Memory) attach(v *MMU) { m.mmus = append(m.mmus, v) }

// pageMoved drops the shortcuts to the page of p, whose host page changed.
func (m *Memory) pageMoved(p Phys) {
	for _, v := range m.mmus {
		v.dropFrame(p &^ PageMask)
	}
}
