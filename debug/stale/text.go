package stale

import (
	"fmt"
	"strings"

	"x86emu/debug/tables"
	"x86emu/mmu"
)

// String is where an instruction is.
func (p Place) String() string { return fmt.Sprintf("%04x:%x, tick %d", p.CS, p.RIP, p.Tick) }

// Lines tell the use: the access, what the TLB has, what memory says and since
// when, and which flush is missing.
func (u *Use) Lines() []string {
	lines := []string{fmt.Sprintf("stale TLB entry used: %s of 0x%x at %s", u.Access, uint64(u.Lin), u.Place)}
	e := &u.Entry
	lines = append(lines, fmt.Sprintf("  the TLB has 0x%x -> 0x%x, %s, since tick %d", uint64(e.Page), uint64(e.Frame), e.Rights, u.Made.Tick))
	says := fmt.Sprintf("0x%x", uint64(u.Now.Frame))
	if !u.Now.OK() {
		says = tables.Missing(&u.Now)
	}
	lines = append(lines, "  memory says: "+says)
	switch {
	case u.Was.Size == 0:
		lines = append(lines, fmt.Sprintf("  no store changed it: the entry was made under CR3 0x%x", u.CR3))
	case u.Write == nil:
		lines = append(lines, fmt.Sprintf("  %s at 0x%x was 0x%x, is 0x%x", tables.EntryName(u.Was), uint64(u.Was.At), u.Was.Raw, u.Is))
	default:
		lines = append(lines, fmt.Sprintf("  %s at 0x%x was 0x%x, is 0x%x: written at %s", tables.EntryName(u.Was), uint64(u.Was.At), u.Was.Raw, u.Is, *u.Write))
	}
	return append(lines, "  missing since then: "+u.flush())
}

// flush names what would have dropped the entry.
// [SDM 3A, Operations that Invalidate TLBs and Paging-Structure Caches]
func (u *Use) flush() string {
	invlpg := fmt.Sprintf("INVLPG of 0x%x", uint64(u.Lin&^mmu.PageMask))
	switch {
	case u.Entry.Rights&mmu.RightGlobal != 0:
		return invlpg + " (the entry is global: a load of CR3 leaves it)"
	case u.PCIDs:
		return fmt.Sprintf("%s under PCID 0x%x, or INVPCID, or a load of CR3 with bit 63 clear", invlpg, u.Entry.PCID)
	}
	return invlpg + ", or a load of CR3"
}

// String is the lines together.
func (u *Use) String() string { return strings.Join(u.Lines(), "\n") }
