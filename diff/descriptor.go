package diff

import "encoding/binary"

// This file makes the words of descriptor tables and task states for worlds
// and generators. [SDM 3A, Segment Descriptors; Gate Descriptors]

// Access bytes of descriptors: bits 40 to 47, present, with their DPL to be added.
const (
	AccessData       = 0x93 // writable, accessed
	AccessCode       = 0x9b // readable, accessed
	AccessConforming = 0x9f
	AccessTSS16      = 0x81
	AccessLDT        = 0x82
	AccessCall16     = 0x84
	AccessTaskGate   = 0x85
	AccessInt16      = 0x86
	AccessTrap16     = 0x87
	AccessTSS        = 0x89
	AccessBusy       = 0x8b
	AccessCall       = 0x8c
	AccessInt        = 0x8e
	AccessTrap       = 0x8f
)

// Flags of segment descriptors: bits 52 to 55.
const (
	FlagsLong = 2 // L
	Flags32   = 4 // D/B
	FlagsPage = 8 // G
	Flags64K  = 0
	Flags4G   = FlagsPage | Flags32
	Flags4G64 = FlagsPage | FlagsLong
)

// SegmentDescriptor makes a segment, LDT or TSS descriptor, of the latter two in
// IA-32e mode the lower half. limit has 20 bits.
func SegmentDescriptor(base uint64, limit uint32, access, flags uint8) uint64 {
	return uint64(limit&0xffff) | base&0xffffff<<16 | uint64(access)<<40 |
		uint64(limit>>16&15)<<48 | uint64(flags)<<52 | base>>24&0xff<<56
}

// GateDescriptor makes a gate, in IA-32e mode the lower half. count is the number of
// parameters, or the IST.
func GateDescriptor(sel uint16, offset uint64, access, count uint8) uint64 {
	return offset&0xffff | uint64(sel)<<16 | uint64(count)<<32 | uint64(access)<<40 | offset>>16&0xffff<<48
}

// Put64 writes a quadword into an arena.
func Put64(arena []byte, at Offset, v uint64) { binary.LittleEndian.PutUint64(arena[at:], v) }

// Put32 writes a doubleword into an arena.
func Put32(arena []byte, at Offset, v uint32) { binary.LittleEndian.PutUint32(arena[at:], v) }

// fill sets the bytes from at on to one value.
func fill(arena []byte, at Offset, n int, v byte) {
	for i := range arena[at : int(at)+n] {
		arena[int(at)+i] = v
	}
}
