package harness

import (
	"bytes"
	"debug/elf"
	_ "embed"
	"encoding/binary"
	"fmt"
)

// Image is the harness as a multiboot 1 file, ELF32: what folder image builds.
//
//go:embed harness.elf
var Image []byte

// bootSector is image/boot.S: a master boot record that loads what follows it.
//
//go:embed harness-boot.bin
var bootSector []byte

// romEnd is image/rom.S: the last bytes of a ROM that starts the image in memory.
//
//go:embed harness-rom.bin
var romEnd []byte

// Flat is the image as it lies in memory, without the zeros behind it.
type Flat struct {
	Base  uint32 // physical address of the first byte
	Bytes []byte
	End   uint32 // the first page boundary behind image and zeros: the table's place
	Entry uint32
}

// imageEnd is Flat.End.
var imageEnd = uint64(Flatten().End)

// Flatten takes the image out of its file.
func Flatten() Flat {
	file, err := elf.NewFile(bytes.NewReader(Image))
	if err != nil || len(file.Progs) != 1 {
		panic(fmt.Sprintf("BUG: the harness's image is damaged: %v", err))
	}
	p := file.Progs[0]
	f := Flat{
		Base:  uint32(p.Paddr),
		Bytes: make([]byte, p.Filesz),
		End:   uint32(p.Paddr+p.Memsz+4095) &^ 4095,
		Entry: uint32(file.Entry),
	}
	if _, err := p.ReadAt(f.Bytes, 0); err != nil {
		panic("BUG: the harness's image is damaged: " + err.Error())
	}
	return f
}

const sector = 512

// disk is a disk that starts the image, with a table, under a BIOS.
func disk(table []byte) []byte {
	f := Flatten()
	d := append([]byte(nil), bootSector...)
	pad := func() {
		for len(d)%sector != 0 {
			d = append(d, 0)
		}
	}
	d = append(d, f.Bytes...)
	pad()
	imageSectors := len(d)/sector - 1
	d = append(d, table...)
	pad()
	tableSectors := len(d)/sector - 1 - imageSectors
	// The end of the sector: the module's begin, end, name, 0; then what to load.
	for i, v := range []uint32{
		f.End, f.End + uint32(len(table)), 0, 0, f.Base, uint32(imageSectors), uint32(tableSectors), f.Entry,
	} {
		binary.LittleEndian.PutUint32(d[510-32+4*i:], v)
	}
	return d
}

// rom is a ROM in place of a BIOS, for a machine that has image and table in memory
// when it starts.
func rom(table []byte) []byte {
	const size = 64 << 10
	f := Flatten()
	r := make([]byte, size)
	end := r[size-len(romEnd):]
	copy(end, romEnd)
	for i, v := range []uint32{f.Entry, f.End, f.End + uint32(len(table))} {
		binary.LittleEndian.PutUint32(end[4*i:], v)
	}
	return r
}
