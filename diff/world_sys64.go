package diff

import "sync"

// Selectors of the 64-bit world. Those from Sys64Own on are the case's own.
const (
	Sys64Code3   = 0x1b
	Sys64Data3   = 0x23
	Sys64TSS     = 0x28 // 16 bytes
	Sys64LDT     = 0x38 // 16 bytes
	Sys64Compat3 = 0x4b
	Sys64Compat0 = 0x50
	Sys64Conf0   = 0x58
	Sys64Conf3   = 0x63
	Sys64Code1   = 0x69
	Sys64Data1   = 0x71
	Sys64Own     = 0x80 // to 0x3f8
)

// sys64World is IA-32e mode with 4-level paging: 64-bit gates to the collectors, a
// 64-bit TSS with all its stacks, segments for 64-bit and compatibility mode. A
// case begins in 64-bit mode at CPL 0.
var sys64World = sync.OnceValue(func() *World {
	w := sysCommon("sys64")
	a := w.Arena
	at := func(sel uint16) Offset { return SysGDT + Offset(sel&^7) }
	flat := func(sel uint16, access, flags uint8) {
		Put64(a, at(sel), SegmentDescriptor(0, 0xfffff, access|uint8(sel&3)<<5, flags))
	}
	flat(CollectorCS, AccessCode, Flags4G64)
	flat(CollectorDS, AccessData, Flags4G)
	flat(Sys64Code3, AccessCode, Flags4G64)
	flat(Sys64Data3, AccessData, Flags4G)
	flat(Sys64Compat3, AccessCode, Flags4G)
	flat(Sys64Compat0, AccessCode, Flags4G)
	flat(Sys64Conf0, AccessConforming, Flags4G64)
	flat(Sys64Conf3, AccessConforming, Flags4G64)
	flat(Sys64Code1, AccessCode, Flags4G64)
	flat(Sys64Data1, AccessData, Flags4G)
	linear := func(o Offset) uint64 { return SysLinear + uint64(o) }
	Put64(a, at(Sys64TSS), SegmentDescriptor(linear(SysTSS), 103, AccessBusy, 0))
	Put64(a, at(Sys64LDT), SegmentDescriptor(linear(SysLDT), 0x1f, AccessLDT, 0))
	Put64(a, SysLDT+SysLDTCode0&^7, SegmentDescriptor(0, 0xfffff, AccessCode, Flags4G64))
	Put64(a, SysLDT+SysLDTData0&^7, SegmentDescriptor(0, 0xfffff, AccessData, Flags4G))

	for i, o := range []Offset{SysStack0, SysStack1, SysStack2} {
		Put64(a, SysTSS+4+Offset(8*i), linear(o)+0xf00)
	}
	for ist := range Offset(7) {
		Put64(a, SysTSS+36+8*ist, linear(SysIST)+uint64(512*(ist+1)))
	}
	a[SysTSS+102] = 104

	for v := range 256 {
		access := uint8(AccessInt)
		if v >= 32 || v == 3 || v == 4 {
			access |= 3 << 5
		}
		Put64(a, SysIDT+Offset(16*v), GateDescriptor(CollectorCS, Collector(uint8(v)), access, 0))
	}

	// PML4, PDPT, PD, a table for the second MiB, a large page for the third and fourth, and a table for
	// the arena.
	const pdpt, pd, low, own = sysTables + PageSize, sysTables + 2*PageSize, sysTables + 3*PageSize, sysTables + 4*PageSize
	Put64(a, sysTables, uint64(pdpt.Phys())|sysUserEntry)
	Put64(a, pdpt, uint64(pd.Phys())|sysUserEntry)
	Put64(a, pd, uint64(low.Phys())|sysUserEntry)
	for page := uint64(HarnessBase / PageSize); page < 0x200; page++ {
		Put64(a, low+Offset(8*page), page*PageSize|sysEntry)
	}
	Put64(a, pd+8, 0x200000|sysEntry|0x80)
	Put64(a, pd+8*Offset(SysLinear>>21), uint64(own.Phys())|sysUserEntry)
	for _, p := range sysMapped {
		Put64(a, w.SysPTE(p.at), p.entry())
	}

	w.Regs.Seg = [6]uint16{CollectorDS, CollectorCS, CollectorDS, CollectorDS, CollectorDS, CollectorDS}
	w.Regs.IDTR = TableReg{linear(SysIDT), 0xfff}
	w.Regs.LDTR, w.Regs.TR = Sys64LDT, Sys64TSS
	w.Regs.CR4 = 0x20   // PAE
	w.Regs.EFER = 0x500 // LME LMA
	for i := 8; i < 16; i++ {
		w.Regs.GPR[i] = 0x0123456789abcd00 + uint64(i)
	}
	return w
})
