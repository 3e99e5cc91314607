package guest

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ELF header and program header fields by class: offset and size in bytes.
// [ELF-64 Object File Format, File header; Program header table]
type elfLayout struct {
	ehsize, phentsize                   uint64
	word                                int // size of addresses and offsets
	entry, phoff                        int
	phentsizeAt, phnumAt                int
	offset, vaddr, paddr, filesz, memsz int
}

var (
	layout32 = elfLayout{52, 32, 4, 24, 28, 42, 44, 4, 8, 12, 16, 20}
	layout64 = elfLayout{64, 56, 8, 24, 32, 54, 56, 8, 16, 24, 32, 40}
)

const (
	elfClass32, elfClass64  = 1, 2
	elfLittle               = 1
	elfExec, elfDyn         = 2, 3
	elfMachine386, elfAMD64 = 3, 62
	elfLoad                 = 1
	elfInterp               = 3
	maxProgramHeaders       = 1024
)

// parseELF reads an executable by its program headers.
func parseELF(data []byte) (*Image, error) {
	if len(data) < 16 {
		return nil, errors.New("truncated ELF file: no header")
	}
	img, l, machine := &Image{Format: ELF32}, layout32, uint16(elfMachine386)
	switch data[4] {
	case elfClass32:
	case elfClass64:
		img.Format, l, machine = ELF64, layout64, elfAMD64
	default:
		return nil, fmt.Errorf("ELF class %d: must be 1 (32-bit) or 2 (64-bit)", data[4])
	}
	if data[5] != elfLittle {
		return nil, errors.New("ELF file is not little-endian")
	}
	if uint64(len(data)) < l.ehsize {
		return nil, errors.New("truncated ELF file: no header")
	}
	if t := binary.LittleEndian.Uint16(data[16:]); t != elfExec && t != elfDyn {
		return nil, fmt.Errorf("ELF type %d: not an executable (link it first)", t)
	}
	if m := binary.LittleEndian.Uint16(data[18:]); m != machine {
		return nil, fmt.Errorf("ELF machine %d: must be %d for this class", m, machine)
	}
	word := func(b []byte, off int) uint64 {
		if l.word == 4 {
			return uint64(binary.LittleEndian.Uint32(b[off:]))
		}
		return binary.LittleEndian.Uint64(b[off:])
	}
	entry, phoff := word(data, l.entry), word(data, l.phoff)
	size, num := binary.LittleEndian.Uint16(data[l.phentsizeAt:]), uint64(binary.LittleEndian.Uint16(data[l.phnumAt:]))
	if num == 0 {
		return nil, errors.New("the ELF file has no loadable segment")
	}
	if uint64(size) != l.phentsize {
		return nil, fmt.Errorf("ELF program headers of %d bytes: must be %d", size, l.phentsize)
	}
	if num > maxProgramHeaders {
		return nil, fmt.Errorf("ELF file with %d program headers: at most %d", num, maxProgramHeaders)
	}
	if phoff > uint64(len(data)) || uint64(len(data))-phoff < num*l.phentsize {
		return nil, errors.New("truncated ELF file: program headers beyond its end")
	}
	img.Entry = entry
	for i := range num {
		ph := data[phoff+i*l.phentsize:][:l.phentsize]
		off, vaddr, paddr, filesz, memsz := word(ph, l.offset), word(ph, l.vaddr), word(ph, l.paddr), word(ph, l.filesz), word(ph, l.memsz)
		kind := binary.LittleEndian.Uint32(ph)
		if kind == elfInterp {
			return nil, errors.New("the ELF file is a program for an operating system: it needs a dynamic loader")
		}
		if kind != elfLoad || memsz == 0 {
			continue
		}
		if filesz > memsz {
			return nil, fmt.Errorf("ELF segment at 0x%x is larger in the file than in memory", paddr)
		}
		if off > uint64(len(data)) || uint64(len(data))-off < filesz {
			return nil, fmt.Errorf("truncated ELF file: segment at 0x%x beyond its end", paddr)
		}
		// The entry is a linked address; the image runs where it is loaded.
		if entry-vaddr < memsz {
			img.Entry = entry - vaddr + paddr
		}
		img.Segments = append(img.Segments, Segment{Addr: paddr, Size: memsz, Data: data[off:][:filesz]})
	}
	return img.finish()
}
