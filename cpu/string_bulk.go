package cpu

import (
	"bytes"
	"encoding/binary"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the bulk forms of the repeated string instructions: a run of
// elements, upwards, within one page of plain memory on each side. What a
// shortcut of the view grants for one access of a page it grants for all, so
// that a run needs one check; and no store to a page with a W shortcut can
// meet decoded code.

// plainRun gives the page behind an offset in a segment, the place in it, and
// how many of n bytes from there lie within the page, the address size and the
// segment. The page is nil where accesses must be made one by one.
func (c *CPU) plainRun(seg decode.SegReg, off uint64, in *decode.Inst, n uint64, write bool) (page *mmu.Page, at, room uint64) {
	lin := off
	s := &c.s.Seg[seg]
	if c.mode != decode.Mode64 {
		lin = (s.Base + off) & 0xffffffff
	} else if seg >= decode.FS {
		lin += s.Base
	}
	at = lin & mmu.PageMask
	n = min(n, mmu.PageSize-at)
	if last := off + n - 1; last < off || maskAddr(last, in.AddrSize) != last {
		n = -off & maskAddr(^uint64(0), in.AddrSize)
	}
	if c.mode != decode.Mode64 && !(c.segmentAllows(s, off, 1, write) && c.segmentAllows(s, off+n-1, 1, write)) {
		return nil, 0, 0
	}
	slot := &c.view[lin>>mmu.PageShift&(mmu.Slots-1)]
	tag := slot.R
	if write {
		tag = slot.W
	}
	if tag != lin&^uint64(mmu.PageMask) {
		return nil, 0, 0
	}
	return slot.Host, at, n
}

func bulkMOVS(c *CPU, in *decode.Inst, n uint64) uint64 {
	if c.s.RFLAGS&idt.FlagDF != 0 {
		return 0
	}
	size := uint64(stringSize(in))
	n = min(n, mmu.PageSize) * size
	src, s, room := c.plainRun(in.Seg, maskAddr(c.r[regSI], in.AddrSize), in, n, false)
	if src == nil {
		return 0
	}
	dst, d, room := c.plainRun(decode.ES, maskAddr(c.r[regDI], in.AddrSize), in, min(n, room), true)
	if dst == nil {
		return 0
	}
	if n = room / size; n == 0 {
		return 0
	}
	copyForward(dst, d, src, s, n*size, size)
	c.passElements(regSI, in, n)
	c.passElements(regDI, in, n)
	return n
}

// copyForward copies n bytes as a loop over elements of the size from low to
// high addresses does: where the destination overlaps the source from above,
// what has been copied is copied again.
func copyForward(dst *mmu.Page, d uint64, src *mmu.Page, s, n, size uint64) {
	if dst != src || d <= s || d-s >= n {
		copy(dst[d:d+n], src[s:s+n])
		return
	}
	if d-s < size {
		for i := uint64(0); i < n; i += size {
			copy(dst[d+i:d+i+size], src[s+i:s+i+size])
		}
		return
	}
	// The result has the period d-s: each round copies all that is there.
	for done := uint64(0); done < n; {
		done += uint64(copy(dst[d+done:d+n], dst[s:d+done]))
	}
}

func bulkSTOS(c *CPU, in *decode.Inst, n uint64) uint64 {
	if c.s.RFLAGS&idt.FlagDF != 0 {
		return 0
	}
	size := uint64(stringSize(in))
	dst, d, room := c.plainRun(decode.ES, maskAddr(c.r[regDI], in.AddrSize), in, min(n, mmu.PageSize)*size, true)
	if dst == nil {
		return 0
	}
	if n = room / size; n == 0 {
		return 0
	}
	fill(dst[d:d+n*size], c.r[0], size)
	c.passElements(regDI, in, n)
	return n
}

// fill fills b with elements of the size.
func fill(b []byte, v, size uint64) {
	if v &= sizeMask(uint8(size)); v == 0 {
		clear(b)
		return
	}
	var element [8]byte
	binary.LittleEndian.PutUint64(element[:], v)
	for done := copy(b, element[:size]); done < len(b); {
		done += copy(b[done:], b[:done])
	}
}

// bulkSCAS does the iterations of REPNE SCASB that find nothing, and the last
// of them sets the flags. One that finds is left to scas.
func bulkSCAS(c *CPU, in *decode.Inst, n uint64) uint64 {
	if c.s.RFLAGS&idt.FlagDF != 0 || in.Prefix&decode.PrefixRepne == 0 || stringSize(in) != 1 {
		return 0
	}
	page, at, room := c.plainRun(decode.ES, maskAddr(c.r[regDI], in.AddrSize), in, n, false)
	if page == nil {
		return 0
	}
	b := page[at : at+room]
	if i := bytes.IndexByte(b, byte(c.r[0])); i >= 0 {
		b = b[:i]
	}
	if len(b) == 0 {
		return 0
	}
	last := uint64(b[len(b)-1])
	c.flagsSub(c.al(), last, c.al()-last, 1)
	c.passElements(regDI, in, uint64(len(b)))
	return uint64(len(b))
}
