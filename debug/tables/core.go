package tables

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// An ELF memory core, as QEMU's dump-guest-memory writes it: ET_CORE, machine
// x86-64 if the processor was in long mode, else 386. A PT_LOAD segment is a run of
// RAM, p_paddr its physical address. A PT_NOTE segment has, for each processor,
// a note "CORE" and a note "QEMU" of type 0:
//
//	0    version 4 bytes (1), size 4 bytes
//	8    RAX RBX RCX RDX RSI RDI RSP RBP R8 ... R15 RIP RFLAGS, 8 bytes each
//	152  CS DS ES FS GS SS LDT TR GDT IDT: selector, limit, flags and 0, 4 bytes
//	     each, then base, 8 bytes; flags are the descriptor's second half
//	392  CR0 to CR4, 8 bytes each
//
// EFER is not in it. LMA follows from the machine, and NXE is taken to be set,
// as without it a set XD bit would be reserved.
const (
	noteName  = "QEMU"
	noteRegs  = 8
	noteSegs  = 152
	noteCR    = 392
	noteLeast = 432
)

// Bounds of a core.
const (
	maxNotes = 1 << 24 // bytes of notes
	maxCore  = 1 << 38 // physical addresses
)

// OpenCore reads a core of size bytes, and the registers of its first
// processor, if it has QEMU's note; noted tells that.
func OpenCore(r io.ReaderAt, size int64) (o *Moment, noted bool, err error) {
	f, err := elf.NewFile(io.NewSectionReader(withoutSections(r), 0, size))
	if err != nil {
		return nil, false, coreError(err)
	}
	if f.Type != elf.ET_CORE || f.Machine != elf.EM_X86_64 && f.Machine != elf.EM_386 {
		return nil, false, fmt.Errorf("no memory core of an x86 machine: ELF type %s, machine %s", f.Type, f.Machine)
	}
	o = &Moment{Core: true, Paging: mmu.Config{MaxPhysBits: 52}, Mem: mmu.NewMemory(0, 52)}
	o.State.Control = mmu.Control{CR0: mmu.CR0PE | mmu.CR0PG | mmu.CR0WP, A20: true}
	o.State.RFLAGS = idt.Flag1
	o.State.LDTR.Attr, o.State.TR.Attr = idt.AttrUnusable, idt.AttrUnusable
	if f.Machine == elf.EM_X86_64 {
		o.State.EFER = mmu.EFERLME | mmu.EFERLMA
		o.State.CR4 = mmu.CR4PAE
	}
	o.State.EFER |= mmu.EFERNXE
	read, loads := uint64(0), 0
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_NOTE:
			if !noted {
				if noted, err = o.note(p, f.ByteOrder); err != nil {
					return nil, false, err
				}
			}
		case elf.PT_LOAD:
			loads++
			// Each byte of the file is some memory's once, so that no file claims more than it is.
			if read += p.Filesz; read > uint64(size) || p.Filesz > p.Memsz {
				return nil, false, fmt.Errorf("truncated or damaged core: segment at 0x%x of 0x%x bytes, the file has 0x%x", p.Paddr, p.Filesz, size)
			}
			if err := o.load(p); err != nil {
				return nil, false, err
			}
		}
	}
	if loads == 0 {
		return nil, false, errors.New("the core holds no memory")
	}
	return o, noted, nil
}

// unsectioned is an ELF file whose header tells of no sections. What a core holds
// is in its segments, and debug/elf copies the name of every section, however long:
// a small file could ask for all of the host's memory.
type unsectioned struct {
	io.ReaderAt
	head []byte // what the file begins with, changed
}

// withoutSections hides the sections of an ELF file. [ELF-64 Object File Format, ELF
// Header; Tool Interface Standard, ELF Specification]
func withoutSections(r io.ReaderAt) unsectioned {
	head := make([]byte, 64)
	n, _ := r.ReadAt(head, 0) // an error comes again when the header is read
	off, offSize, count := 32, 4, 48
	if elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64 {
		off, offSize, count = 40, 8, 60
	}
	clear(head[off : off+offSize])
	clear(head[count : count+4]) // how many, and which has the names
	return unsectioned{r, head[:n]}
}

func (u unsectioned) ReadAt(b []byte, off int64) (int, error) {
	n, err := u.ReaderAt.ReadAt(b, off)
	if off < int64(len(u.head)) {
		copy(b[:n], u.head[off:])
	}
	return n, err
}

// coreError tells what is wrong with a file in a line of our own.
func coreError(err error) error {
	var format *elf.FormatError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("truncated core: the file ends within its headers")
	}
	if errors.As(err, &format) {
		return fmt.Errorf("no ELF core: %w", err)
	}
	return err
}

// load puts a segment into memory.
func (o *Moment) load(p *elf.Prog) error {
	if p.Paddr == ^uint64(0) || p.Memsz == 0 {
		return nil // mapped, but by nothing that was dumped
	}
	if p.Paddr%mmu.PageSize != 0 {
		return fmt.Errorf("segment at 0x%x: not at a page", p.Paddr)
	}
	if p.Memsz > maxCore || p.Paddr > maxCore-p.Memsz {
		return fmt.Errorf("segment at 0x%x of 0x%x bytes: more than 0x%x", p.Paddr, p.Memsz, uint64(maxCore))
	}
	if err := o.Mem.MapRAM(mmu.Phys(p.Paddr), (p.Memsz+mmu.PageMask)&^mmu.PageMask); err != nil {
		return err
	}
	in := p.Open()
	var page mmu.Page
	for n := uint64(0); n < p.Filesz; n += mmu.PageSize {
		part := page[:min(p.Filesz-n, mmu.PageSize)]
		if _, err := io.ReadFull(in, part); err != nil {
			return fmt.Errorf("truncated core: the segment at 0x%x ends after 0x%x of 0x%x bytes", p.Paddr, n, p.Filesz)
		}
		clear(page[len(part):])
		if page != (mmu.Page{}) {
			o.Mem.SetPage(mmu.Phys(p.Paddr+n), &page)
		}
	}
	return nil
}

// note looks for QEMU's note and takes the registers of the first one.
func (o *Moment) note(p *elf.Prog, order binary.ByteOrder) (found bool, err error) {
	if p.Filesz > maxNotes {
		return false, fmt.Errorf("damaged core: 0x%x bytes of notes", p.Filesz)
	}
	b, err := io.ReadAll(p.Open())
	if err != nil || uint64(len(b)) != p.Filesz {
		return false, errors.New("truncated core: it ends within its notes")
	}
	for len(b) >= 12 {
		nameSize, size, kind := uint64(order.Uint32(b)), uint64(order.Uint32(b[4:])), order.Uint32(b[8:])
		at := 12 + (nameSize+3)&^3
		end := at + (size+3)&^3
		if end > uint64(len(b)) {
			return false, errors.New("damaged core: a note is longer than its segment")
		}
		if nameSize == uint64(len(noteName))+1 && string(b[12:12+len(noteName)]) == noteName && kind == 0 {
			desc := b[at : at+size]
			if len(desc) < noteLeast || order.Uint32(desc) != 1 {
				return false, fmt.Errorf("QEMU's note has version %d and %d bytes: must be 1 and at least %d", order.Uint32(append(desc[:len(desc):len(desc)], 0, 0, 0, 0)), len(desc), noteLeast)
			}
			o.registers(desc, order)
			return true, nil
		}
		b = b[end:]
	}
	return false, nil
}

// registers takes the registers of a note.
func (o *Moment) registers(b []byte, order binary.ByteOrder) {
	s := &o.State
	// RAX RBX RCX RDX RSI RDI RSP RBP to the order of the encodings.
	for i, reg := range [...]int{0, 3, 1, 2, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15} {
		s.GPR[reg] = order.Uint64(b[noteRegs+8*i:])
	}
	s.RIP, s.RFLAGS = order.Uint64(b[noteRegs+8*16:]), order.Uint64(b[noteRegs+8*17:])
	segment := func(i int) idt.Segment {
		d := b[noteSegs+24*i:]
		attr := idt.Attr(order.Uint32(d[8:])>>8) & 0xf0ff
		if attr&idt.AttrPresent == 0 {
			attr |= idt.AttrUnusable
		}
		return idt.Segment{Sel: uint16(order.Uint32(d)), Limit: order.Uint32(d[4:]), Attr: attr, Base: order.Uint64(d[16:])}
	}
	for i, reg := range [...]decode.SegReg{decode.CS, decode.DS, decode.ES, decode.FS, decode.GS, decode.SS} {
		s.Seg[reg] = segment(i)
	}
	s.LDTR, s.TR = segment(6), segment(7)
	g, t := segment(8), segment(9)
	s.GDTR, s.IDTR = idt.Table{Base: g.Base, Limit: uint16(g.Limit)}, idt.Table{Base: t.Base, Limit: uint16(t.Limit)}
	s.CPL = uint8(s.Seg[decode.CS].Sel & 3)
	s.CR0, s.CR2 = order.Uint64(b[noteCR:]), order.Uint64(b[noteCR+16:])
	s.CR3, s.CR4 = order.Uint64(b[noteCR+24:]), order.Uint64(b[noteCR+32:])
	if s.CR0&mmu.CR0PE == 0 {
		s.CPL = 0
	}
}

// SetCR3 makes another page table the current one.
func (o *Moment) SetCR3(cr3 uint64) error {
	if err := o.CheckCR3(cr3); err != nil {
		return err
	}
	m, err := o.Space(cr3)
	if err != nil {
		return err
	}
	o.State.Control = m.Ctl
	return nil
}

// Settle derives what a core does not tell: the PDPTE registers, from the table
// that CR3 has. SetCR3 does it too.
func (o *Moment) Settle() error {
	cr3 := o.State.CR3
	o.State.CR3 = ^cr3 // so that it is loaded
	return o.SetCR3(cr3)
}

// SetTR loads TR with a selector of the GDT, busy or not.
func (o *Moment) SetTR(sel uint16) error {
	v, err := o.View(o.State.CR3)
	if err != nil {
		return err
	}
	s, problem := v.segment(sel)
	switch {
	case sel&4 != 0:
		return fmt.Errorf("TSS 0x%x: the selector names the LDT", sel)
	case problem != "":
		return fmt.Errorf("TSS 0x%x: %s", sel, problem)
	case !s.Attr.IsTSS():
		return fmt.Errorf("selector 0x%x names no TSS but %s", sel, s.Attr.TypeText(v.Long()))
	}
	o.State.TR = s
	return nil
}
