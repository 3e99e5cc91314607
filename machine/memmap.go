package machine

import (
	"cmp"
	"slices"

	"x86emu/mmu"
)

// MemoryKind is what a range of physical memory is to a kernel, by the numbers
// that all boot protocols share. [ACPI Specification, Address Range Types]
type MemoryKind uint32

const (
	UsableMemory   MemoryKind = 1
	ReservedMemory MemoryKind = 2
)

// MemoryRange is a range of physical memory with its kind.
type MemoryRange struct {
	mmu.Range
	Kind MemoryKind
}

// Borders of a PC's first MiB. From LowMemoryEnd to HighMemory lie the BIOS's
// extended data area, the text screen, ROMs and the tables of ACPI.
const (
	LowMemoryEnd = 0x9fc00
	HighMemory   = 0x100000
)

// MemoryMap is what firmware tells a kernel of physical memory: sorted, disjoint,
// touching where the kind changes. What it does not name is not there. It holds for
// every way of asking: boot information and BIOS; fw_cfg, which firmware asks, has RAM whole.
func (m *Machine) MemoryMap() []MemoryRange {
	list := []MemoryRange{
		{mmu.Range{At: 0, Len: LowMemoryEnd}, UsableMemory},
		{mmu.Range{At: LowMemoryEnd, Len: HighMemory - LowMemoryEnd}, ReservedMemory},
	}
	if m.RAM() > HighMemory {
		list = append(list, MemoryRange{mmu.Range{At: HighMemory, Len: m.RAM() - HighMemory}, UsableMemory})
	}
	return append(list, m.deviceMemory()...)
}

// deviceMemory are the pages above RAM that devices answer for.
func (m *Machine) deviceMemory() []MemoryRange {
	var all []mmu.Range
	for _, p := range m.parts {
		for _, r := range p.Mem {
			if uint64(r.At) >= m.RAM() {
				at, end := r.At&^mmu.PageMask, (uint64(r.At)+r.Len+mmu.PageMask)&^mmu.PageMask
				all = append(all, mmu.Range{At: at, Len: end - uint64(at)})
			}
		}
	}
	slices.SortFunc(all, func(a, b mmu.Range) int { return cmp.Compare(a.At, b.At) })
	var list []MemoryRange
	for _, r := range all {
		if n := len(list); n > 0 && uint64(list[n-1].At)+list[n-1].Len >= uint64(r.At) {
			last := &list[n-1]
			last.Len = max(last.Len, uint64(r.At)+r.Len-uint64(last.At))
			continue
		}
		list = append(list, MemoryRange{r, ReservedMemory})
	}
	return list
}
