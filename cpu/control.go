package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the checks of writes to the control registers and EFER, and
// the mode switches that follow from them.

// pagingPAE tells whether the four PDPTE registers are in use.
func pagingPAE(cr0, cr4, efer uint64) bool {
	return cr0&mmu.CR0PG != 0 && cr4&mmu.CR4PAE != 0 && efer&mmu.EFERLMA == 0
}

// loadPDPTEs loads the PDPTE registers from the table at cr3.
func (c *CPU) loadPDPTEs(cr3 uint64) bool {
	// No PDPTE may have both P and a reserved bit set, else #GP(0).
	// [SDM 3A, PDPTE Registers]
	if !c.mmu.LoadPDPTEs(cr3) {
		return c.gp(0)
	}
	return true
}

// writeCR0 is MOV to CR0, CLTS and LMSW.
func (c *CPU) writeCR0(v uint64) bool {
	ctl := &c.mmu.Ctl
	old := ctl.CR0
	// Bits 63:32 must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if v>>32 != 0 {
		return c.gp(0)
	}
	v = v&c.Model.CR0Valid | c.Model.CR0Fixed
	// Paging needs protection, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if v&mmu.CR0PG != 0 && v&mmu.CR0PE == 0 {
		return c.gp(0)
	}
	// NW needs CD, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if v&mmu.CR0NW != 0 && v&mmu.CR0CD == 0 {
		return c.gp(0)
	}
	efer := ctl.EFER
	switch {
	case v&^old&mmu.CR0PG != 0 && efer&mmu.EFERLME != 0:
		// IA-32e mode needs PAE, else #GP(0). [SDM 3A, IA-32e Mode Operation Consistency Checks]
		if ctl.CR4&mmu.CR4PAE == 0 {
			return c.gp(0)
		}
		// CS must not already be a 64-bit segment, else #GP(0). [SDM 3A, IA-32e Mode Operation Consistency Checks]
		if c.s.Seg[decode.CS].Attr&idt.AttrL != 0 {
			return c.gp(0)
		}
		// TR must not hold a 16-bit TSS, else #GP(0). [SDM 3A, IA-32e Mode Operation Consistency Checks]
		if t := c.s.TR.Attr & (idt.AttrS | idt.AttrType); t == 1 || t == 3 {
			return c.gp(0)
		}
		efer |= mmu.EFERLMA
	case old&^v&mmu.CR0PG != 0 && efer&mmu.EFERLMA != 0:
		// 64-bit code cannot turn paging off, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if c.mode == decode.Mode64 {
			return c.gp(0)
		}
		// PCIDs outlast no end of IA-32e mode, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if ctl.CR4&mmu.CR4PCIDE != 0 {
			return c.gp(0)
		}
		efer &^= mmu.EFERLMA
	}
	const reload = mmu.CR0PG | mmu.CR0CD | mmu.CR0NW
	if (old^v)&reload != 0 && pagingPAE(v, ctl.CR4, efer) && !c.loadPDPTEs(ctl.CR3) {
		return false
	}
	c.mmu.SetCR0(v) // which sets and clears LMA
	c.modeChanged()
	return true
}

// writeCR3 is MOV to CR3.
func (c *CPU) writeCR3(v uint64) bool {
	ctl := &c.mmu.Ctl
	if ctl.EFER&mmu.EFERLMA != 0 {
		reserved := ^uint64(0) << c.Model.MaxPhysBits
		if ctl.CR4&mmu.CR4PCIDE != 0 {
			reserved &^= 1 << 63 // keep what is cached for the PCID
		}
		// Bits from MAXPHYADDR up must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if v&reserved != 0 {
			return c.gp(0)
		}
	} else {
		v &= 0xffffffff
	}
	if pagingPAE(ctl.CR0, ctl.CR4, ctl.EFER) && !c.loadPDPTEs(v) {
		return false
	}
	c.mmu.SetCR3(v)
	return true
}

// writeCR4 is MOV to CR4.
func (c *CPU) writeCR4(v uint64) bool {
	ctl := &c.mmu.Ctl
	old := ctl.CR4
	// No reserved bit may be set, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if v&^c.Model.CR4Valid != 0 {
		return c.gp(0)
	}
	if ctl.EFER&mmu.EFERLMA != 0 {
		// IA-32e mode keeps PAE, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if v&mmu.CR4PAE == 0 {
			return c.gp(0)
		}
		// The number of levels is fixed in IA-32e mode, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if (v^old)&mmu.CR4LA57 != 0 {
			return c.gp(0)
		}
	}
	if v&^old&mmu.CR4PCIDE != 0 {
		// PCIDs need IA-32e mode, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if ctl.EFER&mmu.EFERLMA == 0 {
			return c.gp(0)
		}
		// PCIDs begin with PCID 0, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
		if ctl.CR3&0xfff != 0 {
			return c.gp(0)
		}
	}
	const reload = mmu.CR4PAE | mmu.CR4PGE | mmu.CR4PSE | mmu.CR4SMEP
	if (old^v)&reload != 0 && pagingPAE(ctl.CR0, v, ctl.EFER) && !c.loadPDPTEs(ctl.CR3) {
		return false
	}
	c.mmu.SetCR4(v)
	c.modeChanged()
	return true
}

// writeEFER is WRMSR to IA32_EFER.
func (c *CPU) writeEFER(v uint64) bool {
	ctl := &c.mmu.Ctl
	valid := c.Model.EFERValid
	if c.s.MSR.MiscEnable&miscXDDisable != 0 {
		valid &^= mmu.EFERNXE
	}
	// No reserved bit may be set, else #GP(0). [SDM 4, IA32_EFER]
	if v&^valid != 0 {
		return c.gp(0)
	}
	// LME is fixed while paging is on, else #GP(0). [SDM 3A, IA-32e Mode Operation Consistency Checks]
	if (v^ctl.EFER)&mmu.EFERLME != 0 && ctl.CR0&mmu.CR0PG != 0 {
		return c.gp(0)
	}
	// LMA is the processor's: what is written there is ignored.
	c.mmu.SetEFER(v&^mmu.EFERLMA | ctl.EFER&mmu.EFERLMA)
	c.modeChanged()
	return true
}

// readCR reads a control register; ok is false where it does not exist.
func (c *CPU) readCR(n uint8) (v uint64, ok bool) {
	ctl := &c.mmu.Ctl
	switch n {
	case 0:
		return ctl.CR0, true
	case 2:
		return ctl.CR2, true
	case 3:
		return ctl.CR3, true
	case 4:
		return ctl.CR4, c.Model.CR4Valid != 0
	case 8:
		return c.s.CR8, c.mode == decode.Mode64
	}
	return 0, false
}

// execMovFromCR stores a control register.
func execMovFromCR(c *CPU, in *decode.Inst) bool {
	v, ok := c.readCR(in.Args[1].Num)
	// The register must exist, else #UD. [SDM 2B, MOV—Move to/from Control Registers]
	if !ok {
		return c.ud()
	}
	// CPL must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	c.setReg(c.systemReg(in.Args[0]), v)
	return true
}

// execMovToCR loads a control register.
func execMovToCR(c *CPU, in *decode.Inst) bool {
	n := in.Args[0].Num
	// The register must exist, else #UD. [SDM 2B, MOV—Move to/from Control Registers]
	if _, ok := c.readCR(n); !ok {
		return c.ud()
	}
	// CPL must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	v := c.reg(c.systemReg(in.Args[1]))
	switch n {
	case 0:
		return c.writeCR0(v)
	case 2:
		c.mmu.Ctl.CR2 = v
	case 3:
		return c.writeCR3(v)
	case 4:
		return c.writeCR4(v)
	case 8:
		return c.loadPriority(v)
	}
	return true
}

// systemReg gives a general register the width that MOV to and from control
// and debug registers uses: 64 bits in 64-bit mode, else 32.
func (c *CPU) systemReg(a decode.Arg) decode.Arg {
	a.Size = 4
	if c.mode == decode.Mode64 {
		a.Size = 8
	}
	return a
}

// execCLTS clears CR0.TS.
func execCLTS(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, CLTS—Clear Task-Switched Flag in CR0]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	c.mmu.SetCR0(c.mmu.Ctl.CR0 &^ mmu.CR0TS)
	c.modeChanged()
	return true
}

// execLMSW loads PE, MP, EM and TS; it can set PE but not clear it.
func execLMSW(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, LMSW—Load Machine Status Word]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	v, ok := c.get(in, 0)
	if !ok {
		return false
	}
	cr0 := c.mmu.Ctl.CR0
	const low = mmu.CR0MP | mmu.CR0EM | mmu.CR0TS
	return c.writeCR0(cr0&^low | v&(low|mmu.CR0PE))
}

// execSMSW stores the low bits of CR0.
func execSMSW(c *CPU, in *decode.Inst) bool {
	if c.umip() {
		return false
	}
	if in.Args[0].Kind == decode.ArgMem {
		return c.store(in.Seg, c.ea(in), 2, c.mmu.Ctl.CR0&0xffff)
	}
	a := in.Args[0]
	a.Size = in.OpSize
	c.setReg(a, c.mmu.Ctl.CR0)
	return true
}
