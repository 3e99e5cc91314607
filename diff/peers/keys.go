package peers

import (
	"x86emu/diff"
	"x86emu/mmu"
)

// Bochs 2.7 gets protection keys wrong in three ways: AD does not bind supervisors;
// a key binds at supervisor-mode addresses too; so a key 0 that denies writes denies
// the pushes of every delivery.
var keys = []diff.Row{
	{
		Name:    "Bochs: AD of a protection key does not bind supervisors",
		Oracles: []string{"bochs"},
		Cite:    "If ADi = 1, no data accesses are permitted to user-mode linear addresses with protection key i. [SDM 3A, Protection Keys]",
		Predict: func(x *diff.Context, r *diff.Result) bool {
			return keyed(x) && asSupervisor(x) && another(x, r, withoutAD)
		},
	},
	{
		Name:    "Bochs: protection keys bind at supervisor-mode addresses",
		Oracles: []string{"bochs"},
		Cite:    "CR4.PKE enables the use of PKRU for user-mode addresses; it does not affect accesses to supervisor-mode addresses. [SDM 3A, Protection Keys]",
		Predict: keyOfSupervisor,
	},
	{
		Name:    "Bochs: a key 0 that may not be written stops every delivery",
		Oracles: []string{"bochs"},
		Cite:    "CR4.PKE enables the use of PKRU for user-mode addresses; it does not affect accesses to supervisor-mode addresses. [SDM 3A, Protection Keys]",
		Predict: func(x *diff.Context, r *diff.Result) bool {
			if !keyed(x) || x.Case.Regs.PKRU&2 == 0 || x.Case.Regs.CR0&mmu.CR0WP == 0 {
				return false
			}
			*r = diff.Result{End: diff.Shutdown}
			return true
		},
	},
}

const allAD = 0x55555555 // the AD bits of PKRU

// keyed tells whether protection keys count in a Paging case.
func keyed(x *diff.Context) bool {
	r := &x.Case.Regs
	return x.Case.Access != nil && r.CR4&mmu.CR4PKE != 0 && r.EFER&mmu.EFERLMA != 0
}

// asSupervisor tells whether the access of a case is a supervisor-mode access.
func asSupervisor(x *diff.Context) bool { return !x.Case.Access.User || x.Case.Access.Implicit }

func withoutAD(c *diff.Case) { c.Regs.PKRU &^= allAD }

// forUsers makes the addresses of a case user-mode addresses.
func forUsers(c *diff.Case) {
	for i := range c.Patches {
		if p := &c.Patches[i]; len(p.Bytes) == 8 && (p.At >= diff.PagingTables || p.At >= diff.PagingRoot && p.At < diff.PagingRoot+diff.PageSize) {
			p.Bytes = append([]byte{p.Bytes[0] | mmu.PteUser}, p.Bytes[1:]...)
		}
	}
}

// keyOfSupervisor is the answer of who asks the key at supervisor-mode addresses too.
func keyOfSupervisor(x *diff.Context, r *diff.Result) bool {
	if !keyed(x) || x.Case.Access.Fetch {
		return false
	}
	// Only the key's verdict is of interest: all else is allowed.
	var f diff.Result
	if !ask(literal, x, &f, func(c *diff.Case) {
		forUsers(c)
		c.Regs.CR4 &^= mmu.CR4SMAP
		if asSupervisor(x) {
			withoutAD(c)
		}
	}) || !isPageFault(&f) || f.Error&mmu.PFPKey == 0 {
		return false
	}
	if isPageFault(r) {
		if r.CR2 != f.CR2 || r.Error&mmu.PFPresent == 0 || r.Error&(mmu.PFReserved|mmu.PFPKey) != 0 {
			return false
		}
		return setError(x, r, r.Error|mmu.PFPKey)
	}
	return another(x, r, func(c *diff.Case) {
		forUsers(c)
		c.Regs.CR4 &^= mmu.CR4SMAP
		withoutAD(c)
	})
}
