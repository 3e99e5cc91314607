package peers

import (
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
				takePDPTEs(x, c)
			})
		},
	},
	{
		Name:    "QEMU: PDPTEs of PAE paging are read in memory and not checked by MOV to CR3",
		Oracles: []string{"qemu"},
		Cite:    "If any of the PDPTEs sets both the P flag (bit 0) and any reserved bit, the MOV to CR instruction causes a general-protection exception (#GP(0)) and the PDPTEs are not loaded. A store to a PDPTE in memory does not change the register. [SDM 3A, PDPTE Registers]",
		Predict: walkPDPTEs,
	},
	{
		Name:    "QEMU: PDPTEs of PAE paging have an accessed flag",
		Oracles: []string{"qemu"},
		Cite:    "The logical processor maintains a set of four internal, non-architectural PDPTE registers; bits 8:5 of a PDPTE are reserved. [SDM 3A, PDPTE Registers]",
		Predict: markPDPTEs,
	},
	{
		Name:    "QEMU: a descriptor load at CPL 0 honours EFLAGS.AC under SMAP",
		Oracles: []string{"qemu"},
		Cite:    implicitCite,
		Predict: func(x *diff.Context, r *diff.Result) bool {
			return implicitUnderAC(x) && !x.Case.Access.User && anotherOfQEMU(x, r, withoutSMAP)
		},
	},
	{
		Name:    "Bochs: a descriptor load honours EFLAGS.AC under SMAP",
		Oracles: []string{"bochs"},
		Cite:    implicitCite,
		Predict: func(x *diff.Context, r *diff.Result) bool {
			return implicitUnderAC(x) && another(x, r, func(c *diff.Case) {
				withoutSMAP(c)
				if keyed(x) {
					withoutAD(c) // the row below
				}
			})
		},
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

// implicitUnderAC tells whether a case is a descriptor load with SMAP and EFLAGS.AC.
func implicitUnderAC(x *diff.Context) bool {
	c := x.Case
	return c.Access != nil && c.Access.Implicit && c.Regs.RFLAGS&idt.FlagAC != 0 && c.Regs.CR4&mmu.CR4SMAP != 0
}

func withoutSMAP(c *diff.Case) { c.Regs.CR4 &^= mmu.CR4SMAP }

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
