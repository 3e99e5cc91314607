package acpi

import (
	"encoding/binary"
	"fmt"
)

// Kind is what a command of a script does.
type Kind uint32

const (
	Allocate   Kind = 1 // gives a file a place
	AddPointer Kind = 2 // adds the place of Source to a field of File, an offset so far
	AddSum     Kind = 3 // sets a byte of File so that a range of it adds up to 0
)

// Zone is where firmware allocates.
type Zone uint8

const (
	HighZone Zone = 1 // anywhere below 4 GiB
	LowZone  Zone = 2 // in the last 128 KiB below 1 MiB, where RSDP and the like are searched for
)

// Command is one of a script; its kind says which fields it has.
type Command struct {
	Kind   Kind
	File   string
	Align  uint32 // Allocate: a power of two
	Zone   Zone   // Allocate
	Source string // AddPointer
	Offset uint32 // AddPointer, AddSum: of the field
	Size   uint8  // AddPointer: of the field, 1, 2, 4 or 8
	Start  uint32 // AddSum
	Length uint32 // AddSum
}

// Script says how files become tables in memory.
type Script []Command

// Encode gives the script as firmware reads it: 128 bytes for each command.
// [QEMU, hw/acpi/bios-linker-loader.c]
func (s Script) Encode() []byte {
	const entrySize, nameSize = 128, 56
	name := func(s string) []byte { return append([]byte(s), make([]byte, nameSize-len(s))...) }
	var all []byte
	for _, c := range s {
		entry := join(u32(uint32(c.Kind)), name(c.File))
		switch c.Kind {
		case Allocate:
			entry = join(entry, u32(c.Align), u8(uint8(c.Zone)))
		case AddPointer:
			entry = join(entry, name(c.Source), u32(c.Offset), u8(c.Size))
		case AddSum:
			entry = join(entry, u32(c.Offset), u32(c.Start), u32(c.Length))
		}
		all = append(all, join(entry, make([]byte, entrySize-len(entry)))...)
	}
	return all
}

// Piece is some bytes in their place.
type Piece struct {
	At   uint32 // the physical address
	Data []byte
}

// Install runs the script on the tables from an address on, as firmware would, and gives
// them in their places, and the first address behind.
func (t *Tables) Install(at uint32) (pieces []Piece, end uint32) {
	files := map[string]*Piece{
		RSDPFile:   {Data: append([]byte(nil), t.RSDP...)},
		TablesFile: {Data: append([]byte(nil), t.Tables...)},
	}
	for _, c := range t.Script {
		f := files[c.File]
		switch c.Kind {
		case Allocate:
			f.At = (at + c.Align - 1) &^ (c.Align - 1)
			at = f.At + uint32(len(f.Data))
		case AddPointer:
			field := f.Data[c.Offset : c.Offset+uint32(c.Size)]
			var v [8]byte
			copy(v[:], field)
			binary.LittleEndian.PutUint64(v[:], binary.LittleEndian.Uint64(v[:])+uint64(files[c.Source].At))
			copy(field, v[:])
		case AddSum:
			f.Data[c.Offset] -= Sum(f.Data[c.Start : c.Start+c.Length])
		default:
			panic(fmt.Sprintf("BUG: command %d of a script", c.Kind))
		}
	}
	return []Piece{*files[RSDPFile], *files[TablesFile]}, at
}
