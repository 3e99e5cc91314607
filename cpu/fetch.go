package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// window is the code page being executed: a linear page, the physical page
// behind it and its bytes, trusted while the MMU's generation stays the same.
type window struct {
	lin  uint64 // page-aligned linear address; 1 when there is none
	phys mmu.Phys
	host *mmu.Page // nil where code cannot be cached (MMIO, holes)
	gen  uint64
}

// openWindow makes the window that of the page of linear address lin.
func (c *CPU) openWindow(lin uint64) bool {
	page := lin &^ mmu.PageMask
	if c.win.lin == page && c.win.gen == c.mmu.Gen {
		return true
	}
	frame, host, ok := c.mmu.FetchPage(mmu.Linear(lin), c.fetchAcc)
	if !ok {
		c.win.lin = 1
		return c.pageFault()
	}
	c.win = window{lin: page, phys: frame, host: host, gen: c.mmu.Gen}
	if c.mmu.TLBOff() {
		c.win.lin = 1 // walk again for the next block
	}
	return true
}

// fetchInst fetches and decodes the instruction at c.ip into in and sets
// c.next. The bytes of the second page are fetched only if the first page's do
// not suffice, so that #PF and #UD come in the order in which silicon finds
// them.
func (c *CPU) fetchInst(in *decode.Inst) bool {
	var buf [15]byte
	n, pages := 0, 0
	for {
		pos := c.ip + uint64(n)
		room := uint64(15 - n)
		if c.mode == decode.Mode64 {
			// Fetching from a non-canonical address is #GP(0). [SDM 3A, Interrupt 13—General Protection Exception (#GP)]
			if !c.canonical(pos) {
				return c.gp(0)
			}
		} else {
			// An instruction byte beyond the CS limit is #GP(0). [SDM 3A, Limit Checking]
			limit := uint64(c.s.Seg[decode.CS].Limit)
			if pos > limit {
				return c.gp(0)
			}
			room = min(room, limit-pos+1)
		}
		lin := c.csBase + pos
		if c.mode != decode.Mode64 {
			lin &= 0xffffffff
		}
		if !c.openWindow(lin) {
			return false
		}
		off := lin & mmu.PageMask
		room = min(room, mmu.PageSize-off)
		c.fetchBytes(buf[n:n+int(room)], off)
		c.fetched[pages&1] = c.win.phys | mmu.Phys(off)
		pages++
		n += int(room)
		switch c.dec.Decode(in, buf[:n], c.mode) {
		case decode.OK:
			c.next = (c.ip + uint64(in.Len)) & c.ipMask
			if in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 && isString(in) {
				// A REP that overwrites itself has to notice.
				for _, p := range c.fetched[:pages] {
					c.mmu.Mem.MarkCode(p, min(int(in.Len), int(mmu.PageSize-p&mmu.PageMask)))
				}
			}
			return true
		case decode.Undef:
			return c.ud()
		case decode.TooLong:
			// Over 15 bytes: #GP(0). [SDM 3A, Interrupt 13—General Protection Exception (#GP)]
			return c.gp(0)
		}
		if n >= 15 {
			panic("BUG: decoder wants more than 15 bytes")
		}
	}
}

// fetchBytes copies bytes of the window's page from offset off.
func (c *CPU) fetchBytes(b []byte, off uint64) {
	if c.win.host != nil {
		copy(b, c.win.host[off:])
		return
	}
	for i := range b {
		b[i] = byte(c.mmu.Mem.Read(c.win.phys+mmu.Phys(off)+mmu.Phys(i), 1))
	}
}
