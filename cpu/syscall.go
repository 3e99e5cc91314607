package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the fast system calls. They fill CS and SS with fixed
// contents and read no descriptor. [SDM 3A, Fast System Calls in 64-Bit Mode;
// Performing Fast Calls to System Procedures with the SYSENTER and SYSEXIT Instructions]

const (
	flatCode   = idt.AttrCode | idt.AttrWritable | idt.AttrAccessed | idt.AttrS | idt.AttrPresent | idt.AttrG
	flatCode32 = flatCode | idt.AttrDB
	flatCode64 = flatCode | idt.AttrL
	flatStack  = idt.AttrWritable | idt.AttrAccessed | idt.AttrS | idt.AttrPresent | idt.AttrG | idt.AttrDB
)

// flatSegments fills CS and SS for a privilege level.
func (c *CPU) flatSegments(cs, ss uint16, code idt.Attr, cpl uint8) {
	dpl := idt.Attr(cpl) << 5
	c.s.Seg[decode.CS] = idt.Segment{Sel: cs, Attr: code | dpl, Limit: 0xffffffff}
	c.s.Seg[decode.SS] = idt.Segment{Sel: ss, Attr: flatStack | dpl, Limit: 0xffffffff}
	c.s.CPL = cpl
}

// execSYSCALL enters the system at LSTAR.
func execSYSCALL(c *CPU, in *decode.Inst) bool {
	// SYSCALL needs 64-bit mode and EFER.SCE, else #UD. [SDM 2B, SYSCALL—Fast System Call]
	if c.mode != decode.Mode64 || c.mmu.Ctl.EFER&mmu.EFERSCE == 0 {
		return c.ud()
	}
	m := &c.s.MSR
	flags := c.flags()
	c.r[rCX] = c.next
	c.r[r11] = flags
	c.next = m.LSTAR
	cs := uint16(m.STAR>>32) &^ 3
	c.flatSegments(cs, cs+8, flatCode64, 0)
	c.s.RFLAGS = flags&^m.SFMASK | idt.Flag1
	c.setArith(c.s.RFLAGS)
	c.modeChanged()
	return true
}

// execSYSRET returns to user code.
func execSYSRET(c *CPU, in *decode.Inst) bool {
	// SYSRET needs 64-bit mode and EFER.SCE, else #UD. [SDM 2B, SYSRET—Return From Fast System Call]
	if c.mode != decode.Mode64 || c.mmu.Ctl.EFER&mmu.EFERSCE == 0 {
		return c.ud()
	}
	// CPL must be 0, else #GP(0). [SDM 2B, SYSRET—Return From Fast System Call]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	m := &c.s.MSR
	base := uint16(m.STAR >> 48)
	if in.Prefix&decode.PrefixRexW != 0 {
		// The return address must be canonical, else #GP(0), taken at CPL 0
		// where AMD faults after the return. [SDM 2B, SYSRET—Return From Fast System Call]
		if !c.canonical(c.r[rCX]) {
			return c.gp(0)
		}
		c.next = c.r[rCX]
		c.flatSegments((base+16)|3, (base+8)|3, flatCode64, 3)
	} else {
		c.next = c.r[rCX] & 0xffffffff
		c.flatSegments(base|3, (base+8)|3, flatCode32, 3)
	}
	// RF and VM are cleared. [SDM 2B, SYSRET—Return From Fast System Call]
	c.s.RFLAGS = c.r[r11]&0x3c7fd7&rflagsValid | idt.Flag1
	c.setArith(c.s.RFLAGS)
	c.modeChanged()
	return true
}

// execSYSENTER enters the system at SYSENTER_EIP.
func execSYSENTER(c *CPU, in *decode.Inst) bool {
	m := &c.s.MSR
	// SYSENTER needs protection and a code selector, else #GP(0). [SDM 2B, SYSENTER—Fast System Call]
	if !c.protected || m.SysenterCS&0xfffc == 0 {
		return c.gp(0)
	}
	cs := uint16(m.SysenterCS) &^ 3
	code := flatCode32
	esp, eip := m.SysenterESP, m.SysenterEIP
	if c.long {
		code = flatCode64
	} else {
		esp, eip = esp&0xffffffff, eip&0xffffffff
	}
	c.flatSegments(cs, cs+8, code, 0)
	c.r[rSP], c.next = esp, eip
	c.s.RFLAGS &^= idt.FlagVM | idt.FlagIF
	c.modeChanged()
	return true
}

// execSYSEXIT returns to user code at EDX with the stack at ECX.
func execSYSEXIT(c *CPU, in *decode.Inst) bool {
	m := &c.s.MSR
	// SYSEXIT needs protection and a code selector, else #GP(0). [SDM 2B, SYSEXIT—Fast Return from Fast System Call]
	if !c.protected || m.SysenterCS&0xfffc == 0 {
		return c.gp(0)
	}
	// CPL must be 0, else #GP(0). [SDM 2B, SYSEXIT—Fast Return from Fast System Call]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	cs := uint16(m.SysenterCS) | 3
	if in.Prefix&decode.PrefixRexW != 0 {
		// Both addresses must be canonical, else #GP(0). [SDM 2B, SYSEXIT—Fast Return from Fast System Call]
		if !c.canonical(c.r[rCX]) || !c.canonical(c.r[rDX]) {
			return c.gp(0)
		}
		c.r[rSP], c.next = c.r[rCX], c.r[rDX]
		c.flatSegments(cs+32, cs+40, flatCode64, 3)
	} else {
		c.r[rSP], c.next = c.r[rCX]&0xffffffff, c.r[rDX]&0xffffffff
		c.flatSegments(cs+16, cs+24, flatCode32, 3)
	}
	c.modeChanged()
	return true
}

// execSWAPGS exchanges the base of GS with IA32_KERNEL_GS_BASE.
func execSWAPGS(c *CPU, in *decode.Inst) bool {
	// SWAPGS needs 64-bit mode, else #UD. [SDM 2B, SWAPGS—Swap GS Base Register]
	if c.mode != decode.Mode64 {
		return c.ud()
	}
	// CPL must be 0, else #GP(0). [SDM 2B, SWAPGS—Swap GS Base Register]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	gs := &c.s.Seg[decode.GS].Base
	*gs, c.s.MSR.KernelGSBase = c.s.MSR.KernelGSBase, *gs
	return true
}

// segmentBase gives the base that RDFSBASE and its kin act on.
func (c *CPU) segmentBase(in *decode.Inst) *uint64 {
	seg := decode.FS
	if in.ModRM>>3&1 != 0 {
		seg = decode.GS
	}
	return &c.s.Seg[seg].Base
}

// mayFSGSBASE tells whether RDFSBASE and its kin may be executed.
func (c *CPU) mayFSGSBASE() bool {
	// They need 64-bit mode and CR4.FSGSBASE, else #UD. [SDM 2B, RDFSBASE/RDGSBASE—Read FS/GS Segment Base]
	return c.mode == decode.Mode64 && c.mmu.Ctl.CR4&mmu.CR4FSGSBASE != 0
}

// execRDFSBASE is RDFSBASE and RDGSBASE.
func execRDFSBASE(c *CPU, in *decode.Inst) bool {
	if !c.mayFSGSBASE() {
		return c.ud()
	}
	c.setReg(in.Args[0], *c.segmentBase(in))
	return true
}

// execWRFSBASE is WRFSBASE and WRGSBASE.
func execWRFSBASE(c *CPU, in *decode.Inst) bool {
	if !c.mayFSGSBASE() {
		return c.ud()
	}
	v := c.reg(in.Args[0])
	// The base must be canonical, else #GP(0). [SDM 2B, WRFSBASE/WRGSBASE—Write FS/GS Segment Base]
	if !c.canonicalBase(v) {
		return c.gp(0)
	}
	*c.segmentBase(in) = v
	return true
}
