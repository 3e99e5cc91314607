package guest

import (
	"encoding/binary"

	"x86emu/machine"
	"x86emu/mmu"
)

// rsdp is ACPI's root pointer as it lies in memory.
type rsdp struct {
	at   mmu.Phys
	data []byte // 20 bytes, or from revision 2 on what it says, at least 36
}

const (
	rsdpSize  = 20 // of revision 0
	rsdp2Size = 36
)

// findRSDP looks where firmware leaves the pointer: at a multiple of 16 between
// 0xE0000 and 1 MiB. [ACPI Specification, Finding the RSDP on IA-PC Systems]
func findRSDP(m *machine.Machine) (rsdp, bool) {
	const from, to = 0xe0000, machine.HighMemory
	rom := make([]byte, to-from)
	m.Mem.Peek(from, rom)
	for off := 0; off+rsdp2Size <= len(rom); off += 16 {
		p := rom[off:]
		if string(p[:8]) != "RSD PTR " || sum(p[:rsdpSize]) != 0 {
			continue
		}
		size := rsdpSize
		if revision := p[15]; revision >= 2 {
			size = int(min(binary.LittleEndian.Uint32(p[20:]), uint32(len(p))))
			if size < rsdp2Size || sum(p[:size]) != 0 {
				continue
			}
		}
		return rsdp{mmu.Phys(from + off), p[:size]}, true
	}
	return rsdp{}, false
}

func sum(b []byte) (s byte) {
	for _, v := range b {
		s += v
	}
	return s
}
