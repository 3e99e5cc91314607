package diff

import "sync"

// The paging worlds: one for each paging mode, all with the same arena.
//
//	page    holds                                linear
//	0, 1    data                                 itself; and wherever a case maps it
//	2       code, filled with INT3               itself; PagingUserCode, for CPL 3
//	3       the stack at CPL 0                   itself
//	4       the IDT                              itself
//	5       GDT, TSS                             itself
//	6       the first paging structure (CR3)     itself
//	7-15    the others that the world needs      itself
//	16-31   free, for paging structures of cases itself
//
// "Itself" is physical address = linear address, for supervisors. Those mappings,
// the collectors' and PagingUserCode begin at the entries of the first paging
// structure that PagingFixed names, and no case changes them; their accessed and dirty
// flags are set. All other entries of the first structure are 0 and free.
const (
	PagingData      Offset = 0
	PagingCode      Offset = 2 * PageSize
	PagingRoot      Offset = 6 * PageSize
	PagingTables    Offset = 16 * PageSize // 16 pages of zeros
	PagingTablesEnd Offset = 32 * PageSize

	// PagingUserCode is where CPL 3 finds the code page.
	PagingUserCode = 0x00800000

	pagingStack Offset = 3 * PageSize
	pagingIDT   Offset = 4 * PageSize
	pagingGDT   Offset = 5 * PageSize
	pagingTSS   Offset = 5*PageSize + 0x800
)

// Selectors of the paging worlds, besides CollectorCS and CollectorDS. In 64-bit
// worlds the LDT's and the TSS's descriptors take two entries.
const (
	PagingLDT    = 0x18 // not loaded unless a case says so; base 0, limit 0
	PagingTSS    = 0x28
	PagingUserCS = 0x38 | 3
	PagingUserDS = 0x40 | 3
)

// PagingLDTDescriptor is where the world's LDT descriptor lies.
const PagingLDTDescriptor = pagingGDT + PagingLDT

// PagingLevels says for each paging world how many levels its paging has; PAE
// counts the PDPTE registers.
var PagingLevels = map[string]int{"paging32": 2, "pagingpae": 3, "paging4": 4, "paging5": 5}

// PagingFixed tells whether a case of a paging world must leave an entry of the
// first paging structure alone.
func PagingFixed(world string, index int) bool {
	if world == "paging32" {
		return index == 0 || index == 2 || index == 4
	}
	return index == 0
}

var (
	paging32  = sync.OnceValue(func() *World { return pagingWorld("paging32") })
	pagingPAE = sync.OnceValue(func() *World { return pagingWorld("pagingpae") })
	paging4   = sync.OnceValue(func() *World { return pagingWorld("paging4") })
	paging5   = sync.OnceValue(func() *World { return pagingWorld("paging5") })
)

// Entries that no case changes: present, writable, accessed, dirty.
const (
	fixedEntry = 0x63
	fixedUser  = fixedEntry | 4
	fixedLarge = fixedEntry | 0x80
)

func pagingWorld(name string) *World {
	levels := PagingLevels[name]
	w := &World{
		Name:  name,
		Arena: make([]byte, ArenaSize),
		Maps: []Map{
			{uint64(ArenaBase), 0, ArenaSize},
			{PagingUserCode, PagingCode, PageSize},
		},
		Table: []Span{{PagingRoot, int(PagingTablesEnd - PagingRoot)}},
		Regs: Regs{
			RIP:    uint64(PagingCode.Phys()),
			RFLAGS: 2,
			Seg:    [6]uint16{CollectorDS, CollectorCS, CollectorDS, CollectorDS, CollectorDS, CollectorDS},
			CR0:    0x80010031, // PG, WP, NE, ET, PE
			CR3:    uint64(PagingRoot.Phys()),
			GDTR:   TableReg{uint64(pagingGDT.Phys()), 0x4f},
			IDTR:   TableReg{uint64(pagingIDT.Phys()), 0x7ff},
			TR:     PagingTSS,
		},
	}
	w.Regs.GPR[4] = uint64(pagingStack.Phys()) + PageSize
	for i := range w.Arena[:2*PageSize] {
		w.Arena[i] = byte(i>>8 ^ i*29 ^ 0x5a)
	}
	fill(w.Arena, PagingCode, PageSize, 0xcc)
	if levels >= 4 {
		w.Regs.IDTR.Limit = 0xfff
		w.Regs.EFER = 0x500 // LMA, LME
	}
	if levels >= 3 {
		w.Regs.CR4 |= 1 << 5 // PAE
	}
	if levels == 5 {
		w.Regs.CR4 |= 1 << 12 // LA57
	}
	pagingDescriptors(w, levels >= 4)
	pagingGates(w, levels >= 4)
	if levels == 2 {
		pagingTables32(w)
	} else {
		pagingTables64(w, levels)
	}
	return w
}

// pagingDescriptors fills in GDT and TSS.
func pagingDescriptors(w *World, long bool) {
	code := uint8(Flags4G)
	if long {
		code = Flags4G64
	}
	put := func(sel uint16, base uint64, limit uint32, access, flags uint8) {
		Put64(w.Arena, pagingGDT+Offset(sel&^7), SegmentDescriptor(base, limit, access, flags))
	}
	put(CollectorCS, 0, 0xfffff, AccessCode, code)
	put(CollectorDS, 0, 0xfffff, AccessData, Flags4G)
	put(PagingLDT, 0, 0, AccessLDT, 0)
	put(PagingTSS, uint64(pagingTSS.Phys()), 0x67, AccessBusy, 0)
	put(PagingUserCS, 0, 0xfffff, AccessCode|3<<5, code)
	put(PagingUserDS, 0, 0xfffff, AccessData|3<<5, Flags4G)
	Put32(w.Arena, pagingTSS+4, uint32(pagingStack.Phys())+PageSize) // ESP0 or RSP0
	if !long {
		Put32(w.Arena, pagingTSS+8, CollectorDS) // SS0
	}
}

// pagingGates leads every vector to its collector, and lets CPL 3 use INT3.
func pagingGates(w *World, long bool) {
	size := Offset(8)
	if long {
		size = 16
	}
	for v := range 256 {
		Put64(w.Arena, pagingIDT+Offset(v)*size, GateDescriptor(CollectorCS, Collector(uint8(v)), AccessInt|3<<5, 0))
	}
}

// pagingTables32 maps what is fixed, by 4-KByte pages as CR4.PSE is the case's.
func pagingTables32(w *World) {
	low, arena, user := PagingRoot+PageSize, PagingRoot+2*PageSize, PagingRoot+3*PageSize
	Put32(w.Arena, PagingRoot, uint32(low.Phys())|fixedEntry)
	Put32(w.Arena, PagingRoot+4*2, uint32(user.Phys())|fixedUser)
	Put32(w.Arena, PagingRoot+4*4, uint32(arena.Phys())|fixedEntry)
	for i := range 1024 {
		Put32(w.Arena, low+4*Offset(i), uint32(i)*PageSize|fixedEntry)
	}
	for i := range ArenaPages {
		Put32(w.Arena, arena+4*Offset(i), uint32(ArenaBase)+uint32(i)*PageSize|fixedEntry)
	}
	Put32(w.Arena, user, uint32(PagingCode.Phys())|fixedUser)
}

// pagingTables64 maps what is fixed, from the first entry of the first structure.
func pagingTables64(w *World, levels int) {
	table := PagingRoot
	for range levels - 2 {
		next := table + PageSize
		if levels == 3 {
			Put64(w.Arena, table, uint64(next.Phys())|1) // a PDPTE of PAE paging has P only
		} else {
			Put64(w.Arena, table, uint64(next.Phys())|fixedUser)
		}
		table = next
	}
	arena, user := table+PageSize, table+2*PageSize
	Put64(w.Arena, table, fixedLarge)
	Put64(w.Arena, table+8, 0x200000|fixedLarge)
	Put64(w.Arena, table+8*Offset(PagingUserCode>>21), uint64(user.Phys())|fixedUser)
	Put64(w.Arena, table+8*Offset(ArenaBase>>21), uint64(arena.Phys())|fixedEntry)
	for i := range ArenaPages {
		Put64(w.Arena, arena+8*Offset(i), uint64(ArenaBase)+uint64(i)*PageSize|fixedEntry)
	}
	Put64(w.Arena, user, uint64(PagingCode.Phys())|fixedUser)
}
