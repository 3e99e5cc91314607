package peers

import (
	"x86emu/diff"
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
}

func isPageFault(r *diff.Result) bool { return r.End == diff.Trapped && r.Vector == 14 }
