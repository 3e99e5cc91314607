package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// Outside 64-bit mode linear addresses have 32 bits, and an access that starts
// below 4 GiB may end at 0. Without long mode the MMU wraps by itself; in
// compatibility mode, whose addresses it does not tell from 64-bit ones, the
// access is cut in two here. [SDM 3A, Linear-Address Space in Compatibility Mode]

// wraps tells whether an access does that.
func (c *CPU) wraps(lin mmu.Linear, size uint8) bool {
	return c.long && uint64(lin)+uint64(size) > 1<<32 && c.mode != decode.Mode64
}

// probeWrapped checks both parts of a store.
func (c *CPU) probeWrapped(lin mmu.Linear, size uint8) bool {
	n := uint(1<<32 - uint64(lin))
	if !c.mmu.Probe(lin, n, c.dataAcc|mmu.Write) || !c.mmu.Probe(0, uint(size)-n, c.dataAcc|mmu.Write) {
		return c.pageFault()
	}
	return true
}

// loadWrapped reads both parts.
func (c *CPU) loadWrapped(lin mmu.Linear, size uint8) (uint64, bool) {
	n := uint(1<<32 - uint64(lin))
	low, ok := c.mmu.Read(lin, n, c.dataAcc)
	if !ok {
		return 0, c.pageFault()
	}
	high, ok := c.mmu.Read(0, uint(size)-n, c.dataAcc)
	if !ok {
		return 0, c.pageFault()
	}
	v := low | high<<(8*n)
	if c.watchAccess {
		c.sawAccess(lin, size, false, v)
	}
	return v, true
}

// storeWrapped writes both parts, or neither.
func (c *CPU) storeWrapped(lin mmu.Linear, size uint8, v uint64) bool {
	if !c.probeWrapped(lin, size) {
		return false
	}
	n := uint(1<<32 - uint64(lin))
	if !c.mmu.Write(lin, n, v, c.dataAcc) || !c.mmu.Write(0, uint(size)-n, v>>(8*n), c.dataAcc) {
		return c.pageFault() // the first part was the second one's page table, and there is no TLB
	}
	if c.watchAccess {
		c.sawAccess(lin, size, true, v)
	}
	return true
}
