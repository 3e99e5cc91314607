package diff

import "sync"

// The pages of the worlds for deliveries, in the arena and, at the same
// distance from SysLinear, in linear memory. Pages that are not named are not
// mapped; they stand between the stacks.
const (
	SysLinear = uint64(ArenaBase)

	SysGDT       Offset = 0x00000
	SysIDT       Offset = 0x01000
	SysLDT       Offset = 0x02000
	SysTSS       Offset = 0x03000 // the current task's
	SysTSS2      Offset = 0x04000 // another task's; a 16-bit one's at SysTSS16
	SysTSS16     Offset = 0x04800
	SysTasks     Offset = 0x05000 // one for each exception, SysTaskSize apart
	SysStack0    Offset = 0x07000
	SysStack1    Offset = 0x09000
	SysStack2    Offset = 0x0b000
	SysStack3    Offset = 0x0d000 // for CPL 3
	SysCode0     Offset = 0x0f000 // full of INT3
	SysCode3     Offset = 0x11000 // the same for CPL 3
	SysData      Offset = 0x13000 // for CPL 3
	SysTaskStack Offset = 0x15000
	SysV86Code   Offset = 0x17000 // at linear V86Code, full of INT3
	SysV86Stack  Offset = 0x18000 // at linear V86Stack
	SysIST       Offset = 0x1a000 // one stack of 512 bytes for each IST

	SysTaskSize = 128

	V86Code  = 0x10000
	V86Stack = 0x11000

	sysTables Offset = 0x38000 // page tables, to the end of the arena
)

// Selectors of the 32-bit world. Those from Sys32Own on are the case's own.
const (
	Sys32Code3  = 0x1b
	Sys32Data3  = 0x23
	Sys32TSS    = 0x28
	Sys32TSS2   = 0x30
	Sys32LDT    = 0x38
	Sys32Code1  = 0x41
	Sys32Data1  = 0x49
	Sys32Conf0  = 0x50
	Sys32Conf3  = 0x5b
	Sys32TSS16  = 0x60
	Sys32Code2  = 0x6a
	Sys32Data2  = 0x72
	Sys32Code16 = 0x78  // the collectors from offset 0 on, for 16-bit gates
	Sys32Own    = 0x80  // to 0xf8
	Sys32Task   = 0x100 // + 8 * vector
	SysBeyond   = 0x7f8 // behind the GDT's limit, which is 0x3ff

	SysLDTCode0  = 0x04
	SysLDTData0  = 0x0c
	SysLDTOwn    = 0x14 // and 0x1c
	SysLDTBeyond = 0x7c // behind the LDT's limit, which is 0x1f
)

// sysMapped lists the pages of the delivery worlds and whether they are the user's.
var sysMapped = []sysPage{
	{SysGDT, false}, {SysIDT, false}, {SysLDT, false}, {SysTSS, false}, {SysTSS2, false}, {SysTasks, false},
	{SysStack0, false}, {SysStack1, false}, {SysStack2, false}, {SysStack3, true},
	{SysCode0, false}, {SysCode3, true}, {SysData, true}, {SysTaskStack, false},
	{SysV86Code, true}, {SysV86Stack, true}, {SysIST, false},
}

type sysPage struct {
	at   Offset
	user bool
}

// entry is the page's entry in a table.
func (p sysPage) entry() uint64 {
	if p.user {
		return uint64(p.at.Phys()) | sysUserEntry
	}
	return uint64(p.at.Phys()) | sysEntry
}

// Page-table bits that the worlds are made of: all have A and D set.
const (
	sysEntry     = 0x63 // present, writable, accessed, dirty
	sysUserEntry = sysEntry | 4
)

// SysPTE is where the entry of a page of a delivery world's arena lies.
func (w *World) SysPTE(page Offset) Offset {
	if w.Name == "sys32" {
		return sysTables + 2*PageSize + page/PageSize*4
	}
	return sysTables + 4*PageSize + page/PageSize*8
}

// sysCommon fills what both delivery worlds have: stacks of a pattern that a
// frame shows in, code of INT3, and the maps.
func sysCommon(name string) *World {
	w := &World{
		Name:  name,
		Arena: make([]byte, ArenaSize),
		Table: []Span{{sysTables, 5 * PageSize}},
	}
	for _, p := range sysMapped {
		linear := SysLinear + uint64(p.at)
		switch p.at {
		case SysStack0, SysStack1, SysStack2, SysStack3, SysTaskStack, SysV86Stack, SysIST:
			fill(w.Arena, p.at, PageSize, 0xa5)
		case SysCode0, SysCode3, SysV86Code:
			fill(w.Arena, p.at, PageSize, 0xcc)
		}
		w.Maps = append(w.Maps, Map{linear, p.at, PageSize})
	}
	w.Maps = append(w.Maps, Map{V86Code, SysV86Code, PageSize}, Map{V86Stack, SysV86Stack, PageSize})
	w.Regs = Regs{
		GPR: [16]uint64{
			0x11223344, 0xcccc0001, 0xdddd0002, 0xbbbb0003, SysLinear + uint64(SysStack0) + 0x800, 0xbbbb0006, 0x51510004, 0xd1d10005,
		},
		RIP:    SysLinear + uint64(SysCode0),
		RFLAGS: 2,
		CR0:    0x80010031, // PG WP NE ET PE
		CR2:    0x11223344,
		CR3:    uint64(sysTables.Phys()),
		DR:     [8]uint64{6: 0xffff0ff0, 7: 0x400},
		GDTR:   TableReg{SysLinear + uint64(SysGDT), 0x3ff},
	}
	return w
}

// sysTask fills a 32-bit TSS with a task at CPL 0 that begins at a collector.
func sysTask(arena []byte, at Offset, eip uint64) {
	for i, v := range [26]uint32{
		1: uint32(SysLinear) + uint32(SysStack0) + 0xf00, 2: CollectorDS,
		3: uint32(SysLinear) + uint32(SysStack1) + 0xf00, 4: Sys32Data1,
		5: uint32(SysLinear) + uint32(SysStack2) + 0xf00, 6: Sys32Data2,
		7: uint32(sysTables.Phys()),
		8: uint32(eip), 9: 2,
		14: uint32(SysLinear) + uint32(SysTaskStack) + PageSize - 16,
		18: CollectorDS, 19: CollectorCS, 20: CollectorDS, 21: CollectorDS, 22: CollectorDS, 23: CollectorDS,
		25: 104 << 16,
	} {
		Put32(arena, at+Offset(4*i), v)
	}
}

// sys32World is 32-bit protected mode with 4-KByte pages: a GDT with segments
// of every level, an IDT of interrupt gates to the collectors, an LDT, TSSs of 32
// and 16 bits, and a stack for each level. A case begins at CPL 0.
var sys32World = sync.OnceValue(func() *World {
	w := sysCommon("sys32")
	a := w.Arena
	at := func(sel uint16) Offset { return SysGDT + Offset(sel&^7) }
	flat := func(sel uint16, access uint8) {
		Put64(a, at(sel), SegmentDescriptor(0, 0xfffff, access|uint8(sel&3)<<5, Flags4G))
	}
	flat(CollectorCS, AccessCode)
	flat(CollectorDS, AccessData)
	flat(Sys32Code1, AccessCode)
	flat(Sys32Data1, AccessData)
	flat(Sys32Code2, AccessCode)
	flat(Sys32Data2, AccessData)
	flat(Sys32Code3, AccessCode)
	flat(Sys32Data3, AccessData)
	flat(Sys32Conf0, AccessConforming)
	flat(Sys32Conf3, AccessConforming)
	Put64(a, at(Sys32Code16), SegmentDescriptor(CollectorBase, 0xffff, AccessCode, Flags32))
	linear := func(o Offset) uint64 { return SysLinear + uint64(o) }
	Put64(a, at(Sys32TSS), SegmentDescriptor(linear(SysTSS), 103, AccessBusy, 0))
	Put64(a, at(Sys32TSS2), SegmentDescriptor(linear(SysTSS2), 103, AccessTSS, 0))
	Put64(a, at(Sys32TSS16), SegmentDescriptor(linear(SysTSS16), 43, AccessTSS16, 0))
	Put64(a, at(Sys32LDT), SegmentDescriptor(linear(SysLDT), 0x1f, AccessLDT, 0))
	Put64(a, SysLDT+SysLDTCode0&^7, SegmentDescriptor(0, 0xfffff, AccessCode, Flags4G))
	Put64(a, SysLDT+SysLDTData0&^7, SegmentDescriptor(0, 0xfffff, AccessData, Flags4G))

	sysTask(a, SysTSS, 0)
	sysTask(a, SysTSS2, Collector(0x50))
	// The 16-bit task: stacks, IP, FLAGS, SP and segments where its TSS has them.
	for i, v := range [22]uint16{
		1: 0x0f00, 2: CollectorDS, 7: 32 * 0x51, 8: 2, 13: 0x0ff0, 17: CollectorDS, 18: Sys32Code16, 19: Sys32Own + 0x70, 20: CollectorDS,
	} {
		a[int(SysTSS16)+2*i], a[int(SysTSS16)+2*i+1] = byte(v), byte(v>>8)
	}
	Put64(a, at(Sys32Own+0x70), SegmentDescriptor(linear(SysTaskStack), 0xffff, AccessData, 0))
	for v := range 32 {
		t := SysTasks + SysTaskSize*Offset(v)
		sysTask(a, t, Collector(uint8(v)))
		Put64(a, at(Sys32Task+8*uint16(v)), SegmentDescriptor(linear(t), 103, AccessTSS, 0))
	}
	for v := range 256 {
		access := uint8(AccessInt)
		if v >= 32 || v == 3 || v == 4 {
			access |= 3 << 5
		}
		Put64(a, SysIDT+Offset(8*v), GateDescriptor(CollectorCS, Collector(uint8(v)), access, 0))
	}

	// A directory, a table for the first 4 MiB, and a table for the arena.
	const low, own = sysTables + PageSize, sysTables + 2*PageSize
	Put32(a, sysTables, uint32(low.Phys())|sysUserEntry)
	Put32(a, sysTables+4*Offset(SysLinear>>22), uint32(own.Phys())|sysUserEntry)
	for page := uint32(HarnessBase / PageSize); page < HarnessEnd/PageSize; page++ {
		Put32(a, low+Offset(4*page), page*PageSize|sysEntry)
	}
	Put32(a, low+4*(V86Code/PageSize), uint32(SysV86Code.Phys())|sysUserEntry)
	Put32(a, low+4*(V86Stack/PageSize), uint32(SysV86Stack.Phys())|sysUserEntry)
	for _, p := range sysMapped {
		Put32(a, w.SysPTE(p.at), uint32(p.entry()))
	}

	w.Regs.Seg = [6]uint16{CollectorDS, CollectorCS, CollectorDS, CollectorDS, CollectorDS, CollectorDS}
	w.Regs.IDTR = TableReg{linear(SysIDT), 0x7ff}
	w.Regs.LDTR, w.Regs.TR = Sys32LDT, Sys32TSS
	return w
})
