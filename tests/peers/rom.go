package peers

import (
	"bytes"
	"debug/elf"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
)

// bootPage is the last page of the ROM: bootrom/bootrom.S, assembled. It begins
// with five parameters of 4 bytes each: source, load, filled, end, entry.
//
//go:embed bootrom/bootrom.bin
var bootPage []byte

const (
	minROM = 128 << 10 // a PC expects its last 128 KiB below 1 MiB too
	maxROM = 2 << 20   // what Bochs takes
)

// sectorAddr is where a boot sector is loaded and entered.
const sectorAddr = 0x7c00

// isSector tells a boot sector from a kernel file.
func isSector(image []byte) bool { return len(image) == 512 && isDisk(image) }

// isDisk tells what a BIOS can boot from.
func isDisk(image []byte) bool {
	return len(image) > 0 && len(image)%512 == 0 && image[510] == 0x55 && image[511] == 0xaa
}

// romImage makes a ROM, to lie below 4 GiB, that starts a multiboot ELF32 file
// or a boot sector in place of a BIOS.
func romImage(image []byte) ([]byte, error) {
	if isSector(image) {
		rom := make([]byte, minROM)
		copy(rom[minROM-64<<10:], image) // the boot page is in real mode: it reaches the last 64 KiB
		setBootPage(rom, sectorAddr, sectorAddr+512, sectorAddr+512, sectorAddr)
		return rom, nil
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Class != elf.ELFCLASS32 {
		return nil, errors.New("the image is not an ELF32 file")
	}

	// The memory that the file fills, from the lowest segment to the highest,
	// and the end of what must be zero behind it.
	load, filled, end := uint64(1<<32), uint64(0), uint64(0)
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Memsz > 0 {
			load = min(load, p.Paddr)
			filled = max(filled, p.Paddr+p.Filesz)
			end = max(end, p.Paddr+p.Memsz)
		}
	}
	size := uint64(minROM)
	for size < maxROM && size-uint64(len(bootPage)) < filled-load {
		size *= 2
	}
	if load >= filled || size-uint64(len(bootPage)) < filled-load {
		return nil, fmt.Errorf("segments from %#x to %#x do not fit a ROM of %d KiB", load, filled, maxROM>>10)
	}

	rom := make([]byte, size)
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Filesz > 0 {
			at := p.Paddr - load
			if _, err := p.ReadAt(rom[at:at+p.Filesz], 0); err != nil {
				return nil, err
			}
		}
	}
	setBootPage(rom, load, filled, end, file.Entry)
	return rom, nil
}

// setBootPage ends a ROM with the boot page and its parameters.
func setBootPage(rom []byte, load, filled, end, entry uint64) {
	size := uint64(len(rom))
	last := rom[size-uint64(len(bootPage)):]
	copy(last, bootPage)
	for i, v := range []uint64{1<<32 - size, load, filled, end, entry} {
		binary.LittleEndian.PutUint32(last[4*i:], uint32(v))
	}
}

// emptyROM is an expansion ROM that does nothing: signature, size in units of
// 512 bytes, a far return, and a byte that makes the sum 0.
func emptyROM() []byte {
	rom := make([]byte, 512)
	copy(rom, []byte{0x55, 0xAA, 1, 0xCB})
	sum := byte(0)
	for _, b := range rom {
		sum += b
	}
	rom[511] = -sum
	return rom
}
