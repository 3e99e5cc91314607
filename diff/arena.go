package diff

import "x86emu/mmu"

// The arena is all the memory that a case sees: its code, data, stacks and, in a
// system world, its tables. Every oracle holds it at the same physical address,
// so that entries of page tables mean the same everywhere.
const (
	// PageSize is the size of a page of the arena, in bytes.
	PageSize = 4096
	// ArenaPages is the size of the arena in pages.
	ArenaPages = 64
	// ArenaSize is the size of the arena in bytes.
	ArenaSize = ArenaPages * PageSize
	// ArenaBase is where the arena lies in physical memory.
	ArenaBase mmu.Phys = 16 << 20
)

// Offset is an address in the arena, in bytes from ArenaBase.
type Offset uint32

// Phys is the physical address of o.
func (o Offset) Phys() mmu.Phys { return ArenaBase + mmu.Phys(o) }

// Patch are bytes of the arena that a case begins with and its world does not.
type Patch struct {
	At    Offset
	Bytes []byte
}

// Word is an aligned quadword of the arena and its value.
type Word struct {
	At    Offset // a multiple of 8
	Value uint64
}
