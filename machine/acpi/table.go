package acpi

import (
	"encoding/binary"
	"slices"
)

// Numbers as tables have them.
func u8(v uint8) []byte   { return []byte{v} }
func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// text is s in n bytes, filled up with spaces.
func text(s string, n int) []byte {
	b := append([]byte(s), slices.Repeat([]byte(" "), max(0, n-len(s)))...)
	return b[:n]
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// register is a generic address: a register in I/O space or in memory.
// [ACPI Specification, Generic Address Structure]
func register(space, bits uint8, at uint64) []byte {
	return join(u8(space), u8(bits), u8(0), u8(0), u64(at))
}

const (
	inMemory = 0
	inPorts  = 1
)

// Who made the tables.
const (
	oem      = "X86EMU"
	oemTable = "X86EMUPC"
	creator  = "X86E"
)

const (
	headerSize = 36
	sumOffset  = 9 // of the checksum in a header
)

// header precedes all tables but RSDP and FACS. The sum comes later.
// [ACPI Specification, System Description Table Header]
func header(signature string, revision uint8, size int) []byte {
	return join(text(signature, 4), u32(uint32(size)), u8(revision), u8(0),
		text(oem, 6), text(oemTable, 8), u32(1), text(creator, 4), u32(1))
}

// Sum is the sum of bytes, which is 0 for a table that is whole.
func Sum(b []byte) (sum uint8) {
	for _, c := range b {
		sum += c
	}
	return sum
}
