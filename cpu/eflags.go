package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the instructions that move the system flags: PUSHF, POPF,
// CLI, STI, CLAC and STAC, with the virtual interrupt flag of VME and PVI.

// iopl is the I/O privilege level.
func (c *CPU) iopl() uint8 { return uint8(c.s.RFLAGS>>12) & 3 }

// mayIF tells whether CLI, STI and POPF may change IF.
func (c *CPU) mayIF() bool { return c.s.CPL <= c.iopl() }

// virtualFlags is the FLAGS image that virtual-8086 code with IOPL below 3
// gets to see: IOPL 3, and VIF in the place of IF.
func (c *CPU) virtualFlags() uint64 {
	f := c.flags()&0xffff&^idt.FlagIF | idt.FlagIOPL
	if c.s.RFLAGS&idt.FlagVIF != 0 {
		f |= idt.FlagIF
	}
	return f
}

// virtualFlagsAllowed checks a FLAGS image that such code wants to load.
func (c *CPU) virtualFlagsAllowed(image uint64) bool {
	// An interrupt that waits must not meet an IF that is set, else #GP(0). [SDM 2B, POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register]
	if image&idt.FlagIF != 0 && c.s.RFLAGS&idt.FlagVIP != 0 {
		return c.gp(0)
	}
	// TF must be 0, else #GP(0). [SDM 2B, POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register]
	if image&idt.FlagTF != 0 {
		return c.gp(0)
	}
	return true
}

// setVirtualFlags loads a checked FLAGS image: IF goes to VIF; IOPL stays.
func (c *CPU) setVirtualFlags(image uint64) {
	const change = 0xffff &^ (idt.FlagIF | idt.FlagIOPL)
	f := c.flags()&^(change|idt.FlagVIF) | image&change
	if image&idt.FlagIF != 0 {
		f |= idt.FlagVIF
	}
	c.setFlags(f)
}

// execPUSHF is PUSHF, PUSHFD and PUSHFQ.
func execPUSHF(c *CPU, in *decode.Inst) bool {
	// The image has VM and RF clear. [SDM 2B, PUSHF/PUSHFD/PUSHFQ—Push EFLAGS Register Onto the Stack]
	image := c.flags() &^ (idt.FlagVM | idt.FlagRF)
	if c.v86 && c.iopl() < 3 {
		// Below IOPL 3 virtual-8086 mode needs VME and 16-bit operands, else #GP(0).
		// [SDM 2B, PUSHF/PUSHFD/PUSHFQ—Push EFLAGS Register Onto the Stack]
		if c.mmu.Ctl.CR4&mmu.CR4VME == 0 || in.OpSize != 2 {
			return c.gp(0)
		}
		image = c.virtualFlags()
	}
	return c.push(image, in.OpSize)
}

// execPOPF is POPF, POPFD and POPFQ.
func execPOPF(c *CPU, in *decode.Inst) bool {
	virtual := c.v86 && c.iopl() < 3
	// Below IOPL 3 virtual-8086 mode needs VME and 16-bit operands, else #GP(0).
	// [SDM 2B, POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register]
	if virtual && (c.mmu.Ctl.CR4&mmu.CR4VME == 0 || in.OpSize != 2) {
		return c.gp(0)
	}
	image, ok := c.peek(0, in.OpSize)
	if !ok {
		return false
	}
	if virtual {
		if !c.virtualFlagsAllowed(image) {
			return false
		}
		c.setSP(c.sp() + 2)
		c.setVirtualFlags(image)
		return true
	}
	c.setSP(c.sp() + uint64(in.OpSize))
	// What changes; what privilege keeps back stays silently as it is.
	change := uint64(arithFlags | idt.FlagTF | idt.FlagDF | idt.FlagNT)
	if c.s.CPL == 0 {
		change |= idt.FlagIOPL
	}
	if c.mayIF() {
		change |= idt.FlagIF
	}
	if in.OpSize != 2 {
		change |= (idt.FlagAC | idt.FlagID) & c.Model.FlagsValid
	}
	c.setFlags(c.flags()&^change | image&change)
	return true
}

// virtualIF tells whether CLI and STI act on VIF: virtual-8086 mode with VME,
// or CPL 3 with PVI, where IOPL denies IF itself.
func (c *CPU) virtualIF() bool {
	cr4 := c.mmu.Ctl.CR4
	if c.v86 {
		return cr4&mmu.CR4VME != 0
	}
	return cr4&mmu.CR4PVI != 0 && c.s.CPL == 3
}

// execCLI clears IF, or VIF in its place.
func execCLI(c *CPU, in *decode.Inst) bool {
	switch {
	case c.mayIF():
		c.s.RFLAGS &^= idt.FlagIF
	case c.virtualIF():
		c.s.RFLAGS &^= idt.FlagVIF
	default:
		// IOPL must allow it, else #GP(0). [SDM 2A, CLI—Clear Interrupt Flag]
		return c.gp(0)
	}
	return true
}

// execSTI sets IF, or VIF in its place. IF set anew takes effect behind the
// next instruction.
func execSTI(c *CPU, in *decode.Inst) bool {
	switch {
	case c.mayIF():
		if c.s.RFLAGS&idt.FlagIF == 0 {
			c.s.RFLAGS |= idt.FlagIF
			c.s.Shadow |= idt.ShadowSTI
		}
	case c.virtualIF():
		// No interrupt may be waiting for VIF, else #GP(0). [SDM 2B, STI—Set Interrupt Flag]
		if c.s.RFLAGS&idt.FlagVIP != 0 {
			return c.gp(0)
		}
		c.s.RFLAGS |= idt.FlagVIF
	default:
		// IOPL must allow it, else #GP(0). [SDM 2B, STI—Set Interrupt Flag]
		return c.gp(0)
	}
	return true
}

// execCLAC clears EFLAGS.AC.
func execCLAC(c *CPU, in *decode.Inst) bool { return c.setAC(0) }

// execSTAC sets EFLAGS.AC.
func execSTAC(c *CPU, in *decode.Inst) bool { return c.setAC(idt.FlagAC) }

func (c *CPU) setAC(ac uint64) bool {
	// CPL must be 0, else #UD. [SDM 2A, CLAC—Clear AC Flag in EFLAGS Register]
	if c.s.CPL != 0 {
		return c.ud()
	}
	c.s.RFLAGS = c.s.RFLAGS&^idt.FlagAC | ac
	c.flagsChanged()
	return true
}
