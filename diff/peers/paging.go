package peers

import (
	"encoding/binary"
	"slices"

	"x86emu/decode"
	"x86emu/diff"
	"x86emu/idt"
	"x86emu/mmu"
)

// paging are the rows about walks and page faults.
var paging = []diff.Row{
	{
		Name:    "QEMU: a reserved-bit page fault loses P",
		Oracles: []string{"qemu"},
		Cite:    "Because reserved bits are not checked in a paging-structure entry whose P flag is 0, bit 3 (RSVD) can be set only if bit 0 (P) is also set. [SDM 3A, Page-Fault Exceptions]",
		Predict: func(x *diff.Context, r *diff.Result) bool {
			return isPageFault(r) && r.Error&mmu.PFReserved != 0 && setError(x, r, r.Error&^mmu.PFPresent)
		},
	},
	{
		Name:    "QEMU: a read-modify-write reads first",
		Oracles: []string{"qemu"},
		Cite:    "If the access causing the page-fault exception was a write, this flag (W/R) is 1; silicon checks a destination for writing before it reads. [SDM 3A, Page-Fault Exceptions]",
		Predict: func(x *diff.Context, r *diff.Result) bool {
			return modifies(x) && anotherFault(x, r, func(c *diff.Case) {
				c.Access.Write = false
				loadablePDPTEs(c)
			})
		},
	},
	{
		Name:    "QEMU: MOV to CR3 does not check PDPTEs",
		Oracles: []string{"qemu"},
		Cite:    "If any of the PDPTEs sets both the P flag (bit 0) and any reserved bit, the MOV to CR instruction causes a general-protection exception (#GP(0)) and the PDPTEs are not loaded. [SDM 3A, PDPTE Registers]",
		Predict: loadBadPDPTEs,
	},
	{
		Name:    "QEMU: PDPTEs of PAE paging are entries in memory with an accessed flag",
		Oracles: []string{"qemu"},
		Cite:    "The logical processor maintains a set of four internal, non-architectural PDPTE registers; bits 8:5 of a PDPTE are reserved. [SDM 3A, PDPTE Registers]",
		Predict: markPDPTEs,
	},
	{
		Name:    "QEMU: a descriptor load at CPL 0 honours EFLAGS.AC under SMAP",
		Oracles: []string{"qemu"},
		Cite:    implicitCite,
		Predict: func(x *diff.Context, r *diff.Result) bool {
			return x.Case.Access != nil && !x.Case.Access.User && implicitHonoursAC(x, r)
		},
	},
	{
		Name:    "Bochs: a descriptor load honours EFLAGS.AC under SMAP",
		Oracles: []string{"bochs"},
		Cite:    implicitCite,
		Predict: implicitHonoursAC,
	},
	{
		Name:    "QEMU: a jump to a non-canonical address arrives there before it faults",
		Oracles: []string{"qemu"},
		Cite:    "#GP(0): if the memory offset in a destination operand is non-canonical; a fault's saved RIP is that of the instruction. [SDM 2, JMP—Jump]",
		Predict: func(x *diff.Context, r *diff.Result) bool {
			a := x.Case.Access
			f, ok := frameOf(x, r)
			if !ok || a == nil || !a.Fetch || r.Vector != 13 || canonical(x, a.Linear) {
				return false
			}
			x.SetLinear(r, f.at(0), f.word, a.Linear)
			return true
		},
	},
	{
		Name:    "QEMU: an access that runs into non-canonical addresses is made to its first page",
		Oracles: []string{"qemu"},
		Cite:    "In 64-bit mode, an address is considered to be in canonical form if address bits 63 through to the most-significant implemented bit ... are set to either all ones or all zeros; a reference to one that is not is #GP(0), without a translation. [SDM 1, Canonical Addressing]",
		Predict: firstPageOnly,
	},
}

const implicitCite = "If EFLAGS.AC = 0 or the access is implicit, data may not be read from any user-mode address. [SDM 3A, Determination of Access Rights]"

// implicitHonoursAC is the answer of who lets AC switch off SMAP for a descriptor load.
func implicitHonoursAC(x *diff.Context, r *diff.Result) bool {
	a := x.Case.Access
	return a != nil && a.Implicit && x.Case.Regs.RFLAGS&idt.FlagAC != 0 && x.Case.Regs.CR4&mmu.CR4SMAP != 0 &&
		another(x, r, func(c *diff.Case) {
			c.Regs.CR4 &^= mmu.CR4SMAP
			loadablePDPTEs(c)
		})
}

func isPageFault(r *diff.Result) bool { return r.End == diff.Trapped && r.Vector == 14 }

// modifies tells whether a Paging case reads its operand and writes it.
func modifies(x *diff.Context) bool {
	if x.Case.Access == nil || !x.Case.Access.Write || len(x.Insts) == 0 {
		return false
	}
	in := &x.Insts[len(x.Insts)-1]
	switch in.Op {
	case decode.MOV, decode.STOSB, decode.STOSW, decode.STOSD, decode.STOSQ, decode.PUSH, decode.SETB:
		return false
	}
	return true
}

// markPDPTEs sets A in the PDPTEs that a case of PAE paging uses.
func markPDPTEs(x *diff.Context, r *diff.Result) bool {
	a := x.Case.Access
	if x.World.Name != "pagingpae" || a == nil {
		return false
	}
	mark := func(root uint64, i uint64) {
		at := diff.Offset(root&^0x1f-uint64(diff.ArenaBase)) + diff.Offset(8*i)
		if v := linear(x, r, uint64(at.Phys()), 8); v&mmu.PtePresent != 0 {
			x.SetBytes(r, at, 1, v&0xff|mmu.PteAccessed)
		}
	}
	root := x.Case.Regs.CR3
	mark(root, 0)
	if a.CR3 != 0 {
		root = a.CR3
		mark(root, 0)
	}
	mark(root, a.Linear>>30)
	mark(root, (a.Linear+uint64(a.Size)-1)>>30)
	return true
}

// canonical tells whether an address has the form that IA-32e mode asks for.
func canonical(x *diff.Context, linear uint64) bool {
	n := 16
	if x.Case.Regs.CR4&mmu.CR4LA57 != 0 {
		n = 7
	}
	return uint64(int64(linear<<n)>>n) == linear
}

// firstPageOnly is the answer of who walks the first of two pages before the second
// turns out not to be canonical.
func firstPageOnly(x *diff.Context, r *diff.Result) bool {
	a := x.Case.Access
	if a == nil || a.Fetch || r.Vector != 13 || x.Case.Regs.EFER&mmu.EFERLMA == 0 ||
		!canonical(x, a.Linear) || canonical(x, a.Linear+uint64(a.Size)-1) {
		return false
	}
	var first diff.Result
	if !ask(literal, x, &first, func(c *diff.Case) {
		c.Access.Size = int(-a.Linear % diff.PageSize)
		c.Access.Write = a.Write && !modifies(x)
	}) {
		return false
	}
	if isPageFault(&first) {
		pageFault(x, r, first.CR2, first.Error)
		return true
	}
	for _, w := range first.Mem {
		x.SetBytes(r, w.At, 8, w.Value)
	}
	return true
}

// pageFault makes a #GP a page fault of the same instruction.
func pageFault(x *diff.Context, r *diff.Result, linear uint64, code uint32) {
	r.Vector, r.CR2, r.Regs.CR2 = 14, linear, linear
	r.Regs.RIP = diff.Collector(14)
	setError(x, r, code)
}

// reservedPDPTE are the bits that must be 0 in a PDPTE of PAE paging, those of them
// that QEMU looks at when it walks, and those that it does not.
const (
	walkedPDPTE  = 1<<64 - 1<<40
	ignoredPDPTE = 7<<5 | 1<<8 | 3<<1
)

// eachPDPTE calls visit for the PDPTEs that MOV to CR3 would load.
func eachPDPTE(c *diff.Case, visit func(i int, v uint64) uint64) {
	if c.World != "pagingpae" || c.Access == nil || c.Access.CR3 == 0 {
		return
	}
	root := diff.Offset(c.Access.CR3&^0x1f - uint64(diff.ArenaBase))
	for j := range c.Patches {
		p := &c.Patches[j]
		if p.At < root || p.At >= root+32 || len(p.Bytes)%8 != 0 {
			continue
		}
		b := slices.Clone(p.Bytes)
		for k := 0; k < len(b); k += 8 {
			v := visit(int(p.At-root)/8+k/8, binary.LittleEndian.Uint64(b[k:]))
			binary.LittleEndian.PutUint64(b[k:], v)
		}
		p.Bytes = b
	}
}

// loadablePDPTEs makes PDPTEs loadable that are not: those whose bits QEMU ignores lose
// them, those that it refuses on a walk lose P. It returns the latter, as bits.
func loadablePDPTEs(c *diff.Case) (refused uint8) {
	eachPDPTE(c, func(i int, v uint64) uint64 {
		switch {
		case v&1 == 0:
			return v
		case v&walkedPDPTE != 0:
			refused |= 1 << i
			return v &^ 1
		}
		return v &^ ignoredPDPTE
	})
	return refused
}

// loadBadPDPTEs is the answer of who takes PDPTEs as they come.
func loadBadPDPTEs(x *diff.Context, r *diff.Result) bool {
	if r.Vector != 13 || x.World.Name != "pagingpae" || x.Case.Access == nil || x.Case.Access.CR3 == 0 {
		return false
	}
	var refused uint8
	if !another(x, r, func(c *diff.Case) { refused = loadablePDPTEs(c) }) {
		return false
	}
	if isPageFault(r) && refused>>(r.CR2>>30)&1 != 0 {
		setError(x, r, r.Error|mmu.PFPresent|mmu.PFReserved)
	}
	if modifies(x) {
		var f diff.Result
		if ask(literal, x, &f, func(c *diff.Case) {
			loadablePDPTEs(c)
			c.Access.Write = false
		}) && isPageFault(&f) && isPageFault(r) && f.CR2 == r.CR2 {
			setError(x, r, r.Error&^mmu.PFWrite)
		}
	}
	return true
}
