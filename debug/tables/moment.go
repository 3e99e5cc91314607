package tables

import (
	"fmt"

	"x86emu/cpu"
	"x86emu/machine"
	"x86emu/mmu"
)

// Moment is a machine at one moment: memory, registers, TLB.
type Moment struct {
	Mem    *mmu.Memory
	Paging mmu.Config
	State  cpu.State
	TLB    []mmu.Entry
	// Core says that it comes from a file: State has what that tells, the TLB is empty.
	Core bool
}

// At takes the present moment of a machine. Memory is shared until the machine
// writes on.
func At(m *machine.Machine) *Moment {
	return &Moment{Mem: m.Mem.Fork(), Paging: m.MMU.Config(), State: m.CPU.State(), TLB: m.MMU.TLB()}
}

// Space is the address space of a page table at a moment: an MMU of its own, on
// memory of its own, with nothing in its TLB.
func (o *Moment) Space(cr3 uint64) (*mmu.MMU, error) {
	m := mmu.New(o.Mem.Fork(), o.Paging)
	ctl := o.State.Control
	m.SetControl(ctl)
	if cr3 == ctl.CR3 {
		return m, nil
	}
	if m.Mode() == mmu.ModePAE && !m.LoadPDPTEs(cr3) {
		return nil, fmt.Errorf("CR3 0x%x cannot be loaded: a PDPTE of it has reserved bits set (#GP)", cr3)
	}
	ctl.CR3, ctl.PDPTE = cr3, m.Ctl.PDPTE
	m.SetControl(ctl)
	return m, nil
}

// CheckCR3 tells what is wrong with a value for CR3, if anything is.
func (o *Moment) CheckCR3(cr3 uint64) error {
	m, err := o.Space(o.State.CR3)
	if err != nil {
		return err
	}
	at := mmu.Phys(cr3) &^ mmu.PageMask
	switch mode := m.Mode(); {
	case mode == mmu.ModeNone:
		return fmt.Errorf("paging is off: there are no page tables")
	case mode <= mmu.ModePAE && cr3>>32 != 0:
		return fmt.Errorf("CR3 0x%x: with %s paging it has 32 bits", cr3, mode)
	case mode > mmu.ModePAE && cr3>>o.Paging.MaxPhysBits != 0:
		return fmt.Errorf("CR3 0x%x: a physical address has %d bits here", cr3, o.Paging.MaxPhysBits)
	case !o.Mem.Backed(at):
		return fmt.Errorf("CR3 0x%x: there is no memory at 0x%x", cr3, uint64(at))
	}
	return nil
}

// CheckLinear tells what is wrong with a linear address, if anything is.
func CheckLinear(m *mmu.MMU, lin uint64) error {
	width := Width(m)
	switch {
	case width == 32 && lin>>32 != 0:
		return fmt.Errorf("address 0x%x: with %s paging an address has 32 bits", lin, m.Mode())
	case !canonical(lin, width):
		return fmt.Errorf("address 0x%x is not canonical: bits 63 to %d are not alike", lin, width-1)
	}
	return nil
}

// CheckCanonical tells what is wrong with an address that is linear in no mode.
func CheckCanonical(lin uint64) error {
	if !canonical(lin, 57) {
		return fmt.Errorf("address 0x%x is not canonical: bits 63 to 56 are not alike", lin)
	}
	return nil
}

// Width is how many bits of a linear address count: 32, 48 or 57.
func Width(m *mmu.MMU) uint {
	switch m.Mode() {
	case mmu.Mode4Level:
		return 48
	case mmu.Mode5Level:
		return 57
	}
	return 32
}

func canonical(lin uint64, width uint) bool {
	return width == 32 || uint64(int64(lin<<(64-width))>>(64-width)) == lin
}
