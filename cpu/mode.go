package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Key bits of a block: what its translation depends on besides its bytes.
const (
	keyMode32 = 1 << iota
	keyMode64
	keyFlat    // 32-bit code in which CS, DS, ES and SS are flat: base 0, limit 4 GiB, writable data, 32-bit stack
	keyCSLimit // CS is not flat: the limit is checked when a block is entered
	keySSE     // sseReady holds
)

// modeChanged derives everything that follows from CS, SS, CPL, the control
// registers and EFLAGS.VM and AC: call it after changing any of them.
func (c *CPU) modeChanged() {
	s := &c.s
	ctl := &c.mmu.Ctl
	cs, ss := &s.Seg[decode.CS], &s.Seg[decode.SS]
	c.protected = ctl.CR0&mmu.CR0PE != 0
	c.v86 = s.RFLAGS&idt.FlagVM != 0
	c.long = ctl.EFER&mmu.EFERLMA != 0
	c.canonShift = 16 // 48-bit linear addresses
	if ctl.CR4&mmu.CR4LA57 != 0 {
		c.canonShift = 7
	}
	c.spMask, c.ipMask, c.csBase = 0xffff, 0xffffffff, cs.Base
	if ss.Attr&idt.AttrDB != 0 {
		c.spMask = 0xffffffff
	}
	switch {
	case !c.protected || c.v86:
		// Real mode takes the code size from the hidden part too: it stays what
		// the last protected-mode load left, which only unreal-mode tricks notice.
		c.mode, c.key = decode.Mode16, 0
		if cs.Attr&idt.AttrDB != 0 && !c.v86 {
			c.mode, c.key = decode.Mode32, keyMode32
		}
	case c.long && cs.Attr&idt.AttrL != 0:
		c.mode, c.key = decode.Mode64, keyMode64
		c.spMask, c.ipMask, c.csBase = ^uint64(0), ^uint64(0), 0
	case cs.Attr&idt.AttrDB != 0:
		c.mode, c.key = decode.Mode32, keyMode32
	default:
		c.mode, c.key = decode.Mode16, 0
	}
	if c.mode != decode.Mode64 {
		if cs.Base != 0 || cs.Limit != 0xffffffff {
			c.key |= keyCSLimit
		} else if c.mode == decode.Mode32 && c.protected && flatData(ss) && flatData(&s.Seg[decode.DS]) && flatData(&s.Seg[decode.ES]) && c.spMask == 0xffffffff {
			c.key |= keyFlat
		}
	}
	if c.mode != decode.Mode16 && ctl.CR4&mmu.CR4OSFXSR != 0 && ctl.CR0&(mmu.CR0EM|mmu.CR0TS) == 0 {
		c.key |= keySSE
	}
	c.flagsChanged()
}

// transferred is modeChanged for what package idt has done.
func (c *CPU) transferred() {
	if !c.core.Stayed() || c.dataAcc != mmu.Read || c.s.RFLAGS&idt.FlagAC != 0 {
		c.moved()
	}
}

// moved is transferred where something has changed, or may have.
//
//go:noinline
func (c *CPU) moved() {
	// From 64-bit code to 64-bit code only the privilege can be another one: control
	// registers change in task switches, which IA-32e mode has not.
	if c.core.Stayed() || c.mode == decode.Mode64 && c.s.Seg[decode.CS].Attr&idt.AttrL != 0 {
		c.flagsChanged()
		return
	}
	c.modeChanged()
}

// flatData tells whether no data access through the segment can fail.
func flatData(s *idt.Segment) bool {
	const need = idt.AttrWritable | idt.AttrPresent | idt.AttrS
	return s.Base == 0 && s.Limit == 0xffffffff &&
		s.Attr&(need|idt.AttrCode|idt.AttrDown|idt.AttrUnusable) == need
}

// flagsChanged is modeChanged's small sister: it derives what depends on CPL
// and EFLAGS.AC.
func (c *CPU) flagsChanged() {
	s := &c.s
	fetchAcc := c.fetchAcc
	c.dataAcc, c.fetchAcc, c.alignCheck = mmu.Read, mmu.Exec, false
	v := mmu.ViewKernel
	switch {
	case s.CPL == 3:
		c.dataAcc, c.fetchAcc = mmu.User, mmu.Exec|mmu.User
		v = mmu.ViewUser
		// EFLAGS.AC with CR0.AM arms alignment checking at CPL 3.
		// [SDM 3A, Interrupt 17—Alignment Check Exception (#AC)]
		c.alignCheck = s.RFLAGS&idt.FlagAC != 0 && c.mmu.Ctl.CR0&mmu.CR0AM != 0
	case s.RFLAGS&idt.FlagAC != 0:
		c.dataAcc = mmu.AC
		v = mmu.ViewKernelAC
	}
	if c.fetchAcc != fetchAcc {
		c.win.lin = 1 // what one privilege may fetch, another may not
	}
	c.view = c.mmu.UseView(v)
	if c.alignCheck || c.watchAccess {
		c.view = mmu.NoView()
	}
}
