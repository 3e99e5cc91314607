package stale

import (
	"fmt"
	"strings"

	"x86emu/debug/tables"
	"x86emu/mmu"
)

// String is where an instruction is.
func (p Place) String() string { return fmt.Sprintf("%04x:%x, tick %d", p.CS, p.RIP, p.Tick) }

// Head tells who used the entry, for what.
func (u *Use) Head() string {
	return fmt.Sprintf("%s of 0x%x at %s", u.Access, uint64(u.Lin), u.Place)
}

// Held is what the TLB has, and since when.
func (u *Use) Held() string {
	e, since := &u.Entry, "from before the watch began"
	if u.Known {
		since = fmt.Sprintf("since tick %d", u.Made.Tick)
	}
	return fmt.Sprintf("0x%x -> 0x%x, %s, %s", uint64(e.Page), uint64(e.Frame), e.Rights, since)
}

// Says is what memory says of the same access by now.
func (u *Use) Says() string {
	if !u.Now.OK() {
		return tables.Refusal(&u.Now)
	}
	return fmt.Sprintf("0x%x", uint64(u.Now.Frame))
}

// Change tells which entry in memory has changed since, and who did it.
func (u *Use) Change() string {
	was := func() string {
		return fmt.Sprintf("%s at 0x%x was 0x%x, is 0x%x", tables.EntryName(u.Was), uint64(u.Was.At), u.Was.Raw, u.Is)
	}
	switch {
	case u.Was.Size == 0 && !u.Known:
		return "what the tables said when the entry was made is not known"
	case u.Was.Size == 0:
		return fmt.Sprintf("no store changed it: the entry was made under CR3 0x%x", u.CR3)
	case u.Write == nil:
		return was()
	}
	return fmt.Sprintf("%s: written at %s", was(), *u.Write)
}

// Details tell, a line each, what the TLB has, what memory says, since when, and
// which flush is missing.
func (u *Use) Details() []string {
	return []string{"the TLB has " + u.Held(), "memory says: " + u.Says(), u.Change(), "missing since then: " + u.Flush()}
}

// Flush names what would have dropped the entry.
// [SDM 3A, Operations that Invalidate TLBs and Paging-Structure Caches]
func (u *Use) Flush() string {
	invlpg := fmt.Sprintf("INVLPG of 0x%x", uint64(u.Lin&^mmu.PageMask))
	switch {
	case u.Entry.Rights&mmu.RightGlobal != 0:
		return invlpg + " (the entry is global: a load of CR3 leaves it)"
	case u.PCIDs:
		return fmt.Sprintf("%s under PCID 0x%x, or INVPCID, or a load of CR3 with bit 63 clear", invlpg, u.Entry.PCID)
	}
	return invlpg + ", or a load of CR3"
}

// String tells the use: its head, and below it the details.
func (u *Use) String() string {
	return "stale TLB entry used: " + u.Head() + "\n  " + strings.Join(u.Details(), "\n  ")
}
