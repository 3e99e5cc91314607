package model

import (
	"bytes"
	"encoding/binary"
	"slices"

	"x86emu/diff"
)

// machine is the part of a processor, and the memory, that an access meets.
type machine struct {
	cpu   processor
	regs  diff.Regs
	pdpte [4]uint64 // the PDPTE registers of PAE paging

	arena   []byte
	outside bool          // something was read that is not the arena's
	marked  []diff.Offset // the quadwords in which an access has changed something
}

// bit is one bit of a register or entry.
func bit(v uint64, n uint) bool { return v>>n&1 == 1 }

// bits are bits hi to lo of a register, entry or address, moved down to bit 0.
func bits(v uint64, hi, lo uint) uint64 { return v >> lo & (1<<(hi-lo+1) - 1) }

// anyBit tells whether one of bits hi to lo is set; there are none if hi < lo.
func anyBit(v uint64, hi, lo uint) bool {
	for n := lo; n <= hi; n++ {
		if bit(v, n) {
			return true
		}
	}
	return false
}

// The bits that the text calls by name.
func (m *machine) cr0WP() bool   { return bit(m.regs.CR0, 16) }
func (m *machine) cr0PG() bool   { return bit(m.regs.CR0, 31) }
func (m *machine) cr4PSE() bool  { return bit(m.regs.CR4, 4) }
func (m *machine) cr4PAE() bool  { return bit(m.regs.CR4, 5) }
func (m *machine) cr4LA57() bool { return bit(m.regs.CR4, 12) }
func (m *machine) cr4SMEP() bool { return bit(m.regs.CR4, 20) }
func (m *machine) cr4SMAP() bool { return bit(m.regs.CR4, 21) }
func (m *machine) cr4PKE() bool  { return bit(m.regs.CR4, 22) }
func (m *machine) eferLMA() bool { return bit(m.regs.EFER, 10) }
func (m *machine) eferNXE() bool { return bit(m.regs.EFER, 11) }
func (m *machine) flagAC() bool  { return bit(m.regs.RFLAGS, 18) }

// at finds size bytes of the arena by their physical address; nil if they are not in it.
func (m *machine) at(physical uint64, size int) []byte {
	offset := physical - uint64(diff.ArenaBase)
	if offset >= uint64(len(m.arena)) || uint64(size) > uint64(len(m.arena))-offset {
		m.outside = true
		return nil
	}
	return m.arena[offset : offset+uint64(size)]
}

// load reads 4 or 8 bytes of physical memory.
func (m *machine) load(physical uint64, size int) uint64 {
	b := m.at(physical, size)
	switch {
	case b == nil:
		return 0
	case size == 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// setBit sets one bit of an entry in physical memory. All that paging sets is in
// the low byte.
func (m *machine) setBit(physical uint64, n uint) {
	b := m.at(physical, 1)
	if b == nil || b[0]>>n&1 == 1 {
		return
	}
	b[0] |= 1 << n
	m.mark(physical)
}

// store is a store by the program, within a quadword.
func (m *machine) store(physical uint64, value []byte) {
	b := m.at(physical, len(value))
	if b != nil && !bytes.Equal(b, value) {
		copy(b, value)
		m.mark(physical)
	}
}

func (m *machine) mark(physical uint64) {
	if at := diff.Offset(physical-uint64(diff.ArenaBase)) &^ 7; !slices.Contains(m.marked, at) {
		m.marked = append(m.marked, at)
	}
}

// marks are the quadwords in which an access has changed something, in order.
func (m *machine) marks() (words []diff.Word) {
	slices.Sort(m.marked)
	for _, at := range m.marked {
		words = append(words, diff.Word{At: at, Value: binary.LittleEndian.Uint64(m.arena[at:])})
	}
	return words
}
