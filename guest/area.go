package guest

import (
	"fmt"

	"x86emu/machine"
	"x86emu/mmu"
)

// area is what a loader tells its kernel, on its way to the loader's memory from
// infoAddr on. What finds no room is told of by write.
type area struct {
	data []byte
	over bool
}

const areaSize = BootAreaEnd - infoAddr

// add takes bytes in, at a multiple of align, and gives their address.
func (a *area) add(b []byte, align int) uint32 {
	at := (len(a.data) + align - 1) &^ (align - 1)
	if len(b) > areaSize-at {
		a.over = true
		return 0
	}
	a.data = append(append(a.data, make([]byte, at-len(a.data))...), b...)
	return uint32(infoAddr + at)
}

// text takes in a string and the NUL that ends it.
func (a *area) text(s string) uint32 { return a.add(append([]byte(s), 0), 1) }

// write puts all of it into memory.
func (a *area) write(m *machine.Machine) error {
	if a.over {
		return fmt.Errorf("command line, list of modules and of sections need more than the %d KiB that the loader has for them", areaSize>>10)
	}
	m.Mem.WriteBytes(infoAddr, a.data)
	return nil
}

// pageUp is the first page boundary at or above an address.
func pageUp(p uint64) uint64 { return (p + mmu.PageMask) &^ mmu.PageMask }

// placeModules puts modules into memory behind an address and above the first MiB,
// each at a page boundary, and gives where they are.
func placeModules(m *machine.Machine, behind uint64, mods []Module) ([]mmu.Range, error) {
	var list []mmu.Range
	next := max(behind, machine.HighMemory)
	for i, mod := range mods {
		next = pageUp(next)
		end := next + uint64(len(mod.Data))
		if end > m.RAM() {
			return nil, fmt.Errorf("module %d needs memory up to 0x%x, more than the %d MiB of RAM", i+1, end, m.RAM()>>20)
		}
		m.Mem.WriteBytes(mmu.Phys(next), mod.Data)
		list = append(list, mmu.Range{At: mmu.Phys(next), Len: uint64(len(mod.Data))})
		next = end
	}
	return list, nil
}
