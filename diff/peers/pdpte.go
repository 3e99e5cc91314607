package peers

import (
	"encoding/binary"

	"x86emu/diff"
	"x86emu/mmu"
)

// QEMU has no PDPTE registers: a walk of PAE paging reads its PDPTE in memory and sets
// bit 5 there, as in any entry. Bits that the manual reserves are ignored below
// MAXPHYADDR, and a reserved-bit fault of the walk above.
const (
	refusedPDPTE = 1<<64 - 1<<40 // on a walk, for model "max"
	ignoredPDPTE = 7<<5 | 1<<8 | 3<<1
)

// rootOf is where the PDPTEs lie that the access of a case goes through.
func rootOf(c *diff.Case) diff.Offset {
	root := c.Regs.CR3
	if c.Access.CR3 != 0 {
		root = c.Access.CR3
	}
	return diff.Offset(root&^0x1f - uint64(diff.ArenaBase))
}

// hasPDPTEs tells whether a case is about PAE paging.
func hasPDPTEs(c *diff.Case) bool { return c.World == "pagingpae" && c.Access != nil }

// takePDPTEs changes a case so that all PDPTEs can be loaded, and loads what a walk
// would find in memory: those whose odd bits are ignored lose them, those that are
// refused lose P. It returns the latter, as bits.
func takePDPTEs(x *diff.Context, c *diff.Case) (refused uint8) {
	if !hasPDPTEs(c) {
		return 0
	}
	root := rootOf(c)
	table := make([]byte, 32)
	for i := range 4 {
		binary.LittleEndian.PutUint64(table[8*i:], x.Start(root+diff.Offset(8*i)))
	}
	poke := c.Access.Poke
	if poke != nil {
		copy(table[poke.At-root:], poke.Bytes)
	}
	for i := range 4 {
		switch v := binary.LittleEndian.Uint64(table[8*i:]); {
		case v&mmu.PtePresent == 0:
		case v&refusedPDPTE != 0:
			refused |= 1 << i
			binary.LittleEndian.PutUint64(table[8*i:], v&^mmu.PtePresent)
		default:
			binary.LittleEndian.PutUint64(table[8*i:], v&^ignoredPDPTE)
		}
	}
	c.Patches = append(c.Patches, diff.Patch{At: root, Bytes: table})
	if poke != nil {
		b := table[poke.At-root:][:len(poke.Bytes)]
		c.Access.Poke = &diff.Patch{At: poke.At, Bytes: b}
		c.Code = append(c.Code[:6:6], b...) // the immediate operand of the store
		c.Code = append(c.Code, x.Case.Code[10:]...)
	}
	return refused
}

// walkPDPTEs is the answer of who reads PDPTEs on each walk.
func walkPDPTEs(x *diff.Context, r *diff.Result) bool {
	if !hasPDPTEs(x.Case) || x.Case.Access.CR3 == 0 && x.Case.Access.Poke == nil {
		return false
	}
	return anotherOfQEMU(x, r, func(*diff.Case) {})
}

// anotherOfQEMU is another for a case whose PDPTEs are read on each walk.
func anotherOfQEMU(x *diff.Context, r *diff.Result, change func(c *diff.Case)) bool {
	var refused uint8
	taken := func(c *diff.Case) {
		change(c)
		refused = takePDPTEs(x, c)
	}
	if !another(x, r, taken) {
		return false
	}
	if hasPDPTEs(x.Case) && x.Case.Access.Poke != nil {
		for i, b := range x.Case.Access.Poke.Bytes {
			x.SetBytes(r, x.Case.Access.Poke.At+diff.Offset(i), 1, uint64(b))
		}
	}
	if modifies(x) { // which it reads first
		anotherFault(x, r, func(c *diff.Case) {
			taken(c)
			c.Access.Write = false
		})
	}
	if isPageFault(r) && refused>>(r.CR2>>30)&1 != 0 {
		setError(x, r, r.Error|mmu.PFPresent|mmu.PFReserved)
	}
	return true
}

// markPDPTEs sets bit 5 in the PDPTEs that a case uses.
func markPDPTEs(x *diff.Context, r *diff.Result) bool {
	if !hasPDPTEs(x.Case) {
		return false
	}
	mark := func(root diff.Offset, i uint64) {
		at := root + diff.Offset(8*i)
		if v := x.AtLinear(r, uint64(at.Phys()), 8); v&mmu.PtePresent != 0 {
			x.SetBytes(r, at, 1, v&0xff|mmu.PteAccessed)
		}
	}
	a := x.Case.Access
	mark(diff.PagingRoot, 0)
	mark(rootOf(x.Case), 0)
	mark(rootOf(x.Case), a.Linear>>30)
	mark(rootOf(x.Case), (a.Linear+uint64(a.Size)-1)>>30)
	return true
}
