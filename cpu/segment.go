package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
)

// This file holds the segment loads: MOV and POP to a segment register, and
// LDS, LES, LFS, LGS, LSS. Package idt makes the checks and fills the hidden
// part.

// takeBack takes over the state that package idt has left in Regs after
// settle and a transfer, and its verdict. After a fault RIP is what the fault
// returns to: in the new task if a task switch had got that far.
func (c *CPU) takeBack(fault *idt.Event) bool {
	c.s.RFLAGS &= c.Model.FlagsValid
	c.setArith(c.s.RFLAGS)
	c.transferred()
	if fault == nil {
		c.next = c.s.RIP
		return true
	}
	c.ip = c.s.RIP
	return c.raiseEvent(fault)
}

// loadSegment loads a segment register in any mode, with all checks.
func (c *CPU) loadSegment(seg decode.SegReg, sel uint16) bool {
	c.settle()
	if fault := idt.LoadSegment(c, seg, sel); fault != nil {
		return c.raiseEvent(fault)
	}
	c.modeChanged()
	return true
}

// execMovToSeg is MOV to a segment register.
func execMovToSeg(c *CPU, in *decode.Inst) bool {
	seg := decode.SegReg(in.Args[0].Num)
	// CS cannot be loaded so, else #UD. [SDM 2B, MOV—Move]
	if seg == decode.CS || seg > decode.GS {
		return c.ud()
	}
	sel, ok := c.selectorOperand(in, 1)
	if !ok || !c.loadSegment(seg, sel) {
		return false
	}
	if seg == decode.SS {
		c.shadowMovSS()
	}
	return true
}

// selectorOperand reads a 16-bit operand of a system instruction: the low word
// of a register, or a word in memory whatever the operand size is.
func (c *CPU) selectorOperand(in *decode.Inst, n int) (uint16, bool) {
	a := in.Args[n]
	if a.Kind == decode.ArgMem {
		v, ok := c.load(in.Seg, c.ea(in), 2)
		return uint16(v), ok
	}
	return uint16(c.r[a.Num&15]), true
}

// execPopSeg is POP of a segment register.
func execPopSeg(c *CPU, in *decode.Inst) bool {
	seg := decode.SegReg(in.Args[0].Num)
	v, ok := c.peek(0, in.OpSize)
	if !ok {
		return false
	}
	// The stack pointer moves at the width that the old SS has.
	mask, sp := c.spMask, c.sp()+uint64(in.OpSize)
	if !c.loadSegment(seg, uint16(v)) {
		return false
	}
	now := c.spMask
	c.spMask = mask
	c.setSP(sp)
	c.spMask = now
	if seg == decode.SS {
		c.shadowMovSS()
	}
	return true
}

// shadowMovSS holds interrupts and debug exceptions back until the next
// instruction has set the stack pointer. Of several such loads in a row only
// the first does so. [SDM 3A, Masking Exceptions and Interrupts When Switching Stacks]
func (c *CPU) shadowMovSS() {
	c.s.Shadow = idt.ShadowMovSS
}

// execLoadFar is LDS, LES, LFS, LGS and LSS: a far pointer from memory into a
// segment register and a general register.
func execLoadFar(c *CPU, in *decode.Inst) bool {
	off, sel, ok := c.farPointer(in, 1)
	if !ok {
		return false
	}
	if !c.loadSegment(farSegment(in), sel) {
		return false
	}
	c.setGPR(in.Args[0].Num, in.OpSize, off)
	return true
}

// farSegment tells which segment register a load of a far pointer is for.
func farSegment(in *decode.Inst) decode.SegReg {
	switch {
	case in.Map == 0 && in.Opcode == 0xc4:
		return decode.ES
	case in.Map == 0:
		return decode.DS
	case in.Opcode == 0xb2:
		return decode.SS
	case in.Opcode == 0xb4:
		return decode.FS
	}
	return decode.GS
}

// farPointer reads the far pointer in memory that is operand n: an offset of
// the operand size, then the selector.
func (c *CPU) farPointer(in *decode.Inst, n int) (off uint64, sel uint16, ok bool) {
	// The pointer must be in memory, else #UD. [SDM 2A, LDS/LES/LFS/LGS/LSS—Load Far Pointer]
	if in.Args[n].Kind != decode.ArgMem {
		return 0, 0, c.ud()
	}
	a := c.ea(in)
	off, ok = c.load(in.Seg, a, in.OpSize)
	if !ok {
		return 0, 0, false
	}
	s, ok := c.load(in.Seg, maskAddr(a+uint64(in.OpSize), in.AddrSize), 2)
	return off, uint16(s), ok
}
