package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
)

// This file holds the far transfers of control; package idt carries them out.

// farTarget gives the target of a far JMP or CALL, from the code or from memory.
func (c *CPU) farTarget(in *decode.Inst) (off uint64, sel uint16, ok bool) {
	if in.Args[0].Kind == decode.ArgFar {
		return maskAddr(uint64(in.Imm), in.OpSize), in.Imm2, true
	}
	return c.farPointer(in, 0)
}

// execJmpFar is JMP ptr16:16, ptr16:32, m16:16, m16:32 and m16:64.
func execJmpFar(c *CPU, in *decode.Inst) bool {
	off, sel, ok := c.farTarget(in)
	if !ok {
		return false
	}
	c.settle()
	return c.takeBack(idt.FarJump(c, sel, off, in.OpSize, c.next))
}

// execCallFar is CALL ptr16:16, ptr16:32, m16:16, m16:32 and m16:64.
func execCallFar(c *CPU, in *decode.Inst) bool {
	off, sel, ok := c.farTarget(in)
	if !ok {
		return false
	}
	c.settle()
	return c.takeBack(idt.FarCall(c, sel, off, in.OpSize, c.next))
}

// execRetFar is RET far, with or without a count of bytes to release.
func execRetFar(c *CPU, in *decode.Inst) bool {
	var release uint16
	if in.NArgs > 0 {
		release = uint16(in.Imm)
	}
	c.settle()
	return c.takeBack(idt.FarRet(c, release, in.OpSize))
}
