package guest

import (
	"fmt"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Mode is the mode of a flat binary's first instruction: 16, 32 or 64.
type Mode = decode.Mode

const (
	Mode16 = decode.Mode16
	Mode32 = decode.Mode32
	Mode64 = decode.Mode64
)

// StartMode is the mode of the image's first instruction.
func (img *Image) StartMode() Mode {
	switch img.Format {
	case ELF64:
		return Mode64
	case BootSector:
		return Mode16
	case Flat:
		return img.Mode
	}
	return Mode32
}

// real tells whether the image starts in real mode.
func (img *Image) real() bool { return img.StartMode() == Mode16 && img.CPL == 0 }

// checkModel refuses a 64-bit image on a processor without long mode.
func (img *Image) checkModel(model *cpu.Model) error {
	if img.StartMode() == Mode64 && model.EFERValid&mmu.EFERLME == 0 {
		return fmt.Errorf("a 64-bit image needs long mode, which CPU model %q lacks", model.Name)
	}
	return nil
}

// The loader's descriptors, five for each CPL. Type bits say accessed, as if
// they had been loaded by an instruction.
// [SDM 3A, Segment Descriptors]
const (
	descCode32 = iota
	descData32
	descCode64
	descCode16
	descData16
	descsPerCPL
)

var descAttr = [descsPerCPL]idt.Attr{
	descCode32: 0xb | idt.AttrS | idt.AttrPresent | idt.AttrDB | idt.AttrG,
	descData32: 0x3 | idt.AttrS | idt.AttrPresent | idt.AttrDB | idt.AttrG,
	descCode64: 0xb | idt.AttrS | idt.AttrPresent | idt.AttrL | idt.AttrG,
	descCode16: 0xb | idt.AttrS | idt.AttrPresent | idt.AttrG,
	descData16: 0x3 | idt.AttrS | idt.AttrPresent | idt.AttrG,
}

const gdtEntries = 1 + 4*descsPerCPL

// segment is a segment register loaded with one of the loader's descriptors.
func segment(desc int, cpl uint8) idt.Segment {
	return idt.Segment{
		Sel:   uint16(1+desc+descsPerCPL*int(cpl))<<3 | uint16(cpl),
		Attr:  descAttr[desc] | idt.Attr(cpl)<<5,
		Limit: 0xffffffff,
	}
}

// writeGDT writes the loader's descriptors to memory.
func writeGDT(m *machine.Machine) {
	for cpl := range uint8(4) {
		for desc := range descsPerCPL {
			s := segment(desc, cpl)
			m.Mem.Write(mmu.Phys(gdtAddr+uint64(s.Sel&^7)), 8, 0x000f_0000_0000_ffff|uint64(s.Attr)<<40)
		}
	}
}

// writeIdentityMap maps the first 4 GiB to themselves in 2 MiB pages.
// [SDM 3A, 4-Level Paging and 5-Level Paging]
func writeIdentityMap(m *machine.Machine, user bool) {
	const (
		present, writable, us, large = 1 << 0, 1 << 1, 1 << 2, 1 << 7
		pdpt                         = pml4Addr + mmu.PageSize
		pds                          = pdpt + mmu.PageSize
	)
	rights := uint64(present | writable)
	if user {
		rights |= us
	}
	m.Mem.Write(pml4Addr, 8, pdpt|rights)
	for i := range uint64(4) {
		m.Mem.Write(mmu.Phys(pdpt+8*i), 8, pds+mmu.PageSize*i|rights)
	}
	for i := range uint64(4 * 512) {
		m.Mem.Write(mmu.Phys(pds+8*i), 8, i<<21|large|rights)
	}
}

// enter sets the processor to the state at the image's first instruction.
func (img *Image) enter(m *machine.Machine, info uint64, floppy bool) {
	s := m.CPU.State()
	s.GPR = [16]uint64{}
	s.RFLAGS = idt.Flag1
	s.A20 = true
	if img.real() {
		img.enterReal(&s, floppy)
		m.CPU.SetState(s)
		return
	}
	cpl := img.CPL
	writeGDT(m)
	s.CPL = cpl
	s.RFLAGS |= uint64(cpl) << 12 // IOPL: code above CPL 0 may reach the ports
	s.GDTR = idt.Table{Base: gdtAddr, Limit: gdtEntries*8 - 1}
	s.IDTR = idt.Table{}
	s.LDTR.Sel, s.LDTR.Attr = 0, idt.AttrUnusable
	s.CR0 = s.CR0&^uint64(mmu.CR0CD|mmu.CR0NW) | mmu.CR0PE
	code, data := descCode32, descData32
	switch img.StartMode() {
	case Mode64:
		code = descCode64
		writeIdentityMap(m, cpl == 3)
		s.CR3 = pml4Addr
		s.CR4 |= mmu.CR4PAE
		s.EFER |= mmu.EFERLME | mmu.EFERLMA
		s.CR0 |= mmu.CR0PG
	case Mode16:
		code, data = descCode16, descData16
	}
	for r := range s.Seg {
		s.Seg[r] = segment(data, cpl)
	}
	s.Seg[decode.CS] = segment(code, cpl)
	s.RIP = img.Entry
	const rax, rbx, rsp = 0, 3, 4
	s.GPR[rsp] = BootArea
	if img.StartMode() == Mode16 {
		s.GPR[rsp] = 0x7c00
	}
	if img.Format == Multiboot {
		s.GPR[rax], s.GPR[rbx] = mbLoaded, info
	}
	m.CPU.SetState(s)
}

// enterReal starts real-mode code: segment bases zero where 16 bits reach the
// entry, else CS at the entry's paragraph; stack below 0x7C00. DL is the BIOS's
// number of the drive that a boot sector comes from.
func (img *Image) enterReal(s *cpu.State, floppy bool) {
	const rdx, rsp = 2, 4
	for r := range s.Seg {
		s.Seg[r] = idt.Segment{Attr: 0x3 | idt.AttrS | idt.AttrPresent, Limit: 0xffff}
	}
	cs := &s.Seg[decode.CS]
	cs.Attr |= idt.AttrCode
	s.RIP = img.Entry
	if img.Entry > 0xffff {
		s.RIP = img.Entry & 0xf
		cs.Base = img.Entry &^ 0xf
		cs.Sel = uint16(cs.Base >> 4)
	}
	s.IDTR = idt.Table{Limit: 0x3ff}
	s.GPR[rsp] = 0x7c00
	if img.Format == BootSector && !floppy {
		s.GPR[rdx] = 0x80
	}
}
