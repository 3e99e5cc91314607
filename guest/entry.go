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
	case BootSector, Disk:
		return Mode16
	case Flat, Linux:
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

// segment is a segment register loaded with one of the loader's descriptors.
func segment(desc int, cpl uint8) idt.Segment {
	return idt.Segment{
		Sel:   uint16(1+desc+descsPerCPL*int(cpl))<<3 | uint16(cpl),
		Attr:  descAttr[desc] | idt.Attr(cpl)<<5,
		Limit: 0xffffffff,
	}
}

// segments are the code and data segments that the image is entered with, and all
// that the table of descriptors has.
func (img *Image) segments() (code, data idt.Segment, table []idt.Segment) {
	codeDesc, dataDesc := descCode32, descData32
	switch img.StartMode() {
	case Mode64:
		codeDesc = descCode64
	case Mode16:
		codeDesc, dataDesc = descCode16, descData16
	}
	code, data = segment(codeDesc, img.CPL), segment(dataDesc, img.CPL)
	if img.Format == Linux {
		code.Sel, data.Sel = linuxCode, linuxData
		return code, data, []idt.Segment{code, data}
	}
	for cpl := range uint8(4) {
		for desc := range descsPerCPL {
			table = append(table, segment(desc, cpl))
		}
	}
	return code, data, table
}

// writeGDT writes descriptors to memory, each where its selector says, and gives
// the table.
func writeGDT(m *machine.Machine, descriptors []idt.Segment) idt.Table {
	t := idt.Table{Base: gdtAddr}
	for _, s := range descriptors {
		m.Mem.Write(mmu.Phys(gdtAddr+uint64(s.Sel&^7)), 8, 0x000f_0000_0000_ffff|uint64(s.Attr)<<40)
		t.Limit = max(t.Limit, s.Sel|7)
	}
	return t
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
func (img *Image) enter(m *machine.Machine, told registers, floppy bool) {
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
	code, data, table := img.segments()
	s.CPL = cpl
	s.RFLAGS |= uint64(cpl) << 12 // IOPL: code above CPL 0 may reach the ports
	s.GDTR = writeGDT(m, table)
	s.IDTR = idt.Table{}
	s.LDTR.Sel, s.LDTR.Attr = 0, idt.AttrUnusable
	s.CR0 = s.CR0&^uint64(mmu.CR0CD|mmu.CR0NW) | mmu.CR0PE
	if img.StartMode() == Mode64 {
		writeIdentityMap(m, cpl == 3)
		s.CR3 = pml4Addr
		s.CR4 |= mmu.CR4PAE
		s.EFER |= mmu.EFERLME | mmu.EFERLMA
		s.CR0 |= mmu.CR0PG
	}
	for r := range s.Seg {
		s.Seg[r] = data
	}
	s.Seg[decode.CS] = code
	s.RIP = img.Entry
	const rax, rbx, rsp, rsi = 0, 3, 4, 6
	s.GPR[rsp] = BootArea
	if img.StartMode() == Mode16 {
		s.GPR[rsp] = 0x7c00
	}
	s.GPR[rax], s.GPR[rbx], s.GPR[rsi] = told.rax, told.rbx, told.rsi
	if img.Format == PVH {
		s.TR.Limit = pvhTSSLimit
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
