package debug

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// elfFile is an ELF file as far as a debugger needs it: its sections, and the
// segments that are loaded elsewhere than they run.
// [ELF-64 Object File Format; Tool Interface Standard, ELF Specification]
type elfFile struct {
	data     []byte
	wide     bool // ELF64
	sections []section
	moved    []moved
}

type section struct {
	name                   string
	kind                   uint64
	flags, addr, off, size uint64
	link                   uint64
}

// moved is a segment that runs at another address than that it is loaded at.
type moved struct{ phys, lin, size uint64 }

const (
	elfSymtab, elfNobits     = 2, 8
	flagAlloc, flagZipped    = 2, 0x800
	elfLoad                  = 1
	zippedByZlib             = 1
	maxSections, maxUnzipped = 1 << 16, 256 << 20
)

var errCut = errors.New("cut short, or damaged")

// parseELF reads the headers of a file that begins as an ELF file does.
func parseELF(data []byte) (*elfFile, error) {
	if len(data) < 64 {
		return nil, errCut
	}
	if data[5] != 1 || data[4] != 1 && data[4] != 2 {
		return nil, errors.New("not a little-endian ELF file")
	}
	f := &elfFile{data: data, wide: data[4] == 2}
	word := uint64(4)
	if f.wide {
		word = 8
	}
	r := reader{b: data[24+word:]}
	phoff, shoff := r.number(word), r.number(word)
	r.take(4 + 2) // flags, size of this header
	phsize, phnum := r.number(2), r.number(2)
	shsize, shnum, names := r.number(2), r.number(2), r.number(2)
	if err := f.segments(phoff, phsize, phnum, word); err != nil {
		return nil, err
	}
	var nameAt []uint64
	for i := range min(shnum, maxSections) {
		h, ok := f.part(shoff+i*shsize, shsize)
		if !ok {
			return nil, errCut
		}
		r := reader{b: h}
		nameAt = append(nameAt, r.number(4))
		s := section{kind: r.number(4), flags: r.number(word), addr: r.number(word), off: r.number(word), size: r.number(word), link: r.number(4)}
		if r.bad {
			return nil, errCut
		}
		f.sections = append(f.sections, s)
	}
	if names < uint64(len(f.sections)) {
		table, err := f.read(&f.sections[names])
		if err != nil {
			return nil, err
		}
		for i := range f.sections {
			f.sections[i].name, _ = textAt(table, nameAt[i])
		}
	}
	return f, nil
}

func (f *elfFile) segments(at, size, n, word uint64) error {
	for i := range n {
		h, ok := f.part(at+i*size, size)
		if !ok {
			return errCut
		}
		r := reader{b: h}
		kind := r.number(4)
		if f.wide {
			r.take(4) // flags
		}
		r.take(word) // offset
		m := moved{lin: r.number(word), phys: r.number(word)}
		r.take(word) // size in the file
		m.size = r.number(word)
		if r.bad {
			return errCut
		}
		if kind == elfLoad && m.lin != m.phys {
			f.moved = append(f.moved, m)
		}
	}
	return nil
}

// part gives n bytes of the file, if it has them.
func (f *elfFile) part(off, n uint64) ([]byte, bool) {
	if off > uint64(len(f.data)) || n > uint64(len(f.data))-off {
		return nil, false
	}
	return f.data[off : off+n], true
}

// section finds one by its name, or nil.
func (f *elfFile) section(name string) *section {
	for i := range f.sections {
		if f.sections[i].name == name {
			return &f.sections[i]
		}
	}
	return nil
}

// read gives a section's bytes, unzipped; none of a section that is nil.
func (f *elfFile) read(s *section) ([]byte, error) {
	if s == nil || s.kind == elfNobits {
		return nil, nil
	}
	b, ok := f.part(s.off, s.size)
	if !ok {
		return nil, errCut
	}
	if s.flags&flagZipped == 0 {
		return b, nil
	}
	r := reader{b: b}
	kind := r.number(4)
	if f.wide {
		r.take(4)
		r.take(16) // size, alignment
	} else {
		r.take(8)
	}
	if kind != zippedByZlib {
		return nil, fmt.Errorf("section %s: compressed in a way (%d) that is not known here", printable(s.name), kind)
	}
	z, err := zlib.NewReader(bytes.NewReader(r.b))
	if err != nil {
		return nil, errCut
	}
	b, err = io.ReadAll(io.LimitReader(z, maxUnzipped+1))
	if err != nil {
		return nil, errCut
	}
	if len(b) > maxUnzipped {
		return nil, fmt.Errorf("section %s: larger than %d MiB", printable(s.name), maxUnzipped>>20)
	}
	return b, nil
}
