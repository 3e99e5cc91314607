package guest

import (
	"encoding/binary"
	"errors"
	"fmt"

	"x86emu/machine"
	"x86emu/mmu"
)

// elfSections are the section headers of an ELF file.
type elfSections struct {
	file                *elfFile
	table               []byte
	num, entsize, names uint32
}

const maxSections = 4096

// sections reads the section headers of a file, or gives nil where it has none.
func (f *elfFile) sections() (*elfSections, error) {
	l, le := f.layout, binary.LittleEndian
	off, size := f.word(f.data, l.shoff), uint64(le.Uint16(f.data[l.shentsizeAt:]))
	num, names := le.Uint16(f.data[l.shentsizeAt+2:]), le.Uint16(f.data[l.shentsizeAt+4:])
	if off == 0 || num == 0 {
		return nil, nil
	}
	if size != l.shentsize {
		return nil, fmt.Errorf("ELF section headers of %d bytes: must be %d", size, l.shentsize)
	}
	if num > maxSections {
		return nil, fmt.Errorf("ELF file with %d sections: at most %d", num, maxSections)
	}
	table, ok := f.piece(off, uint64(num)*size)
	if !ok {
		return nil, errors.New("truncated ELF file: section headers beyond its end")
	}
	return &elfSections{f, table, uint32(num), uint32(size), uint32(names)}, nil
}

// place puts the sections that no segment loads, such as symbols and their names, into
// memory behind an address. It gives the headers with their addresses, and the end.
func (s *elfSections) place(m *machine.Machine, behind uint64) (table []byte, end uint64, err error) {
	const none, noBits = 0, 8 // types of sections without bytes
	f, l, le := s.file, s.file.layout, binary.LittleEndian
	table = append(table, s.table...)
	end = max(behind, machine.HighMemory)
	for i := range s.num {
		h := table[i*s.entsize:][:s.entsize]
		kind, size := le.Uint32(h[4:]), f.word(h, l.shsize)
		if f.word(h, l.shaddr) != 0 || size == 0 || kind == none || kind == noBits {
			continue
		}
		data, ok := f.piece(f.word(h, l.shoffset), size)
		if !ok {
			return nil, 0, fmt.Errorf("truncated ELF file: section %d beyond its end", i)
		}
		align := max(f.word(h, l.shalign), 1)
		if align&(align-1) != 0 || align > mmu.PageSize {
			return nil, 0, fmt.Errorf("ELF section %d aligned at %d: must be a power of 2, at most %d", i, align, mmu.PageSize)
		}
		at := (end + align - 1) &^ (align - 1)
		if end = at + size; end > m.RAM() {
			return nil, 0, fmt.Errorf("ELF section %d needs memory up to 0x%x, more than the %d MiB of RAM", i, end, m.RAM()>>20)
		}
		m.Mem.WriteBytes(mmu.Phys(at), data)
		if l.word == 4 {
			le.PutUint32(h[l.shaddr:], uint32(at))
		} else {
			le.PutUint64(h[l.shaddr:], at)
		}
	}
	return table, end, nil
}
