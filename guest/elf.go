package guest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ELF header and program header fields by class: offset and size in bytes.
// [ELF-64 Object File Format, File header; Program header table; Sections]
type elfLayout struct {
	ehsize, phentsize                   uint64
	word                                int // size of addresses and offsets
	entry, phoff, shoff                 int
	phentsizeAt, phnumAt                int
	shentsize                           uint64
	shentsizeAt                         int // the number of section headers and the index of their names follow
	offset, vaddr, paddr, filesz, memsz int
	align                               int
	// Of section headers.
	shaddr, shoffset, shsize, shalign int
}

var (
	layout32 = elfLayout{52, 32, 4, 24, 28, 32, 42, 44, 40, 46, 4, 8, 12, 16, 20, 28, 12, 16, 20, 32}
	layout64 = elfLayout{64, 56, 8, 24, 32, 40, 54, 56, 64, 58, 8, 16, 24, 32, 40, 48, 16, 24, 32, 48}
)

const (
	elfClass32, elfClass64  = 1, 2
	elfLittle               = 1
	elfExec, elfDyn         = 2, 3
	elfMachine386, elfAMD64 = 3, 62
	elfLoad                 = 1
	elfInterp               = 3
	elfNote                 = 4
	maxProgramHeaders       = 1024
)

// elfFile is an executable whose header and program headers lie within it.
type elfFile struct {
	data    []byte
	class   byte
	layout  elfLayout
	headers [][]byte // program headers
}

// openELF checks a file's header. Without an error and without a file it is none.
func openELF(data []byte) (*elfFile, error) {
	if !bytes.HasPrefix(data, []byte("\x7fELF")) {
		return nil, nil
	}
	if len(data) < 16 {
		return nil, errors.New("truncated ELF file: no header")
	}
	f, machine := &elfFile{data: data, class: data[4], layout: layout32}, uint16(elfMachine386)
	switch f.class {
	case elfClass32:
	case elfClass64:
		f.layout, machine = layout64, elfAMD64
	default:
		return nil, fmt.Errorf("ELF class %d: must be 1 (32-bit) or 2 (64-bit)", data[4])
	}
	l := f.layout
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
	phoff := f.word(data, l.phoff)
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
	for i := range num {
		f.headers = append(f.headers, data[phoff+i*l.phentsize:][:l.phentsize])
	}
	return f, nil
}

// word reads an address or offset of the file's class.
func (f *elfFile) word(b []byte, off int) uint64 {
	if f.layout.word == 4 {
		return uint64(binary.LittleEndian.Uint32(b[off:]))
	}
	return binary.LittleEndian.Uint64(b[off:])
}

// piece is a range of the file, and whether the file has it all.
func (f *elfFile) piece(off, size uint64) ([]byte, bool) {
	if off > uint64(len(f.data)) || uint64(len(f.data))-off < size {
		return nil, false
	}
	return f.data[off:][:size], true
}

// image is what the program headers load, entered as the file's class says.
func (f *elfFile) image() (*Image, error) {
	img, l := &Image{Format: ELF32}, f.layout
	if f.class == elfClass64 {
		img.Format = ELF64
	}
	entry := f.word(f.data, l.entry)
	img.Entry = entry
	for _, ph := range f.headers {
		off, vaddr, paddr, filesz, memsz := f.word(ph, l.offset), f.word(ph, l.vaddr), f.word(ph, l.paddr), f.word(ph, l.filesz), f.word(ph, l.memsz)
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
		data, ok := f.piece(off, filesz)
		if !ok {
			return nil, fmt.Errorf("truncated ELF file: segment at 0x%x beyond its end", paddr)
		}
		// The entry is a linked address; the image runs where it is loaded.
		if entry-vaddr < memsz {
			img.Entry = entry - vaddr + paddr
		}
		img.Segments = append(img.Segments, Segment{Addr: paddr, Size: memsz, Data: data})
	}
	return img.finish()
}
