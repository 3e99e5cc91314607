package cpu

import "x86emu/decode"

// This file holds the stack instructions. Registers change only when no
// access can fault any more, so that each can be restarted.
// [SDM 2, PUSH, POP, PUSHA, POPA, ENTER, LEAVE; SDM 1, Stacks]

// execPOPSeg is POP of a segment register; segment.go provides it.
var execPOPSeg handler = execUD

// execPUSH reads its operand before the stack pointer moves: PUSH SP pushes
// the old value, and an address in rSP is the old one.
func execPUSH(c *CPU, in *decode.Inst) bool {
	if in.Args[0].Kind == decode.ArgSeg {
		return execPUSHSeg(c, in)
	}
	v, ok := c.get(in, 0)
	return ok && c.push(v, in.OpSize)
}

// execPUSHSeg pushes a selector, zero-extended to 64 bits; with a 32-bit
// operand two bytes are written and the upper two of the slot stay as they
// are, as on all recent Intel processors. [SDM 2, PUSH]
func execPUSHSeg(c *CPU, in *decode.Inst) bool {
	sel := uint64(c.s.Seg[in.Args[0].Num&7].Sel)
	if in.OpSize != 4 {
		return c.push(sel, in.OpSize)
	}
	sp := (c.sp() - 4) & c.spMask
	if !c.store(decode.SS, sp, 2, sel) {
		return false
	}
	c.setSP(sp)
	return true
}

// execPOP moves the stack pointer before it computes a destination address
// that rests on it, and before it writes the stack pointer itself.
func execPOP(c *CPU, in *decode.Inst) bool {
	if in.Args[0].Kind == decode.ArgSeg {
		return execPOPSeg(c, in)
	}
	old := c.r[4]
	v, ok := c.pop(in.OpSize)
	if !ok {
		return false
	}
	if in.Args[0].Kind == decode.ArgReg {
		c.setReg(in.Args[0], v)
		return true
	}
	if !c.store(in.Seg, c.ea(in), in.OpSize, v) {
		c.r[4] = old
		return false
	}
	return true
}

// execPUSHA pushes all general registers, rSP as it was before.
func execPUSHA(c *CPU, in *decode.Inst) bool {
	size := uint64(in.OpSize)
	for i := uint64(1); i <= 8; i++ {
		if !c.probeStore(decode.SS, (c.sp()-i*size)&c.spMask, in.OpSize) {
			return false
		}
	}
	for i := uint64(1); i <= 8; i++ {
		if !c.store(decode.SS, (c.sp()-i*size)&c.spMask, in.OpSize, c.r[i-1]) {
			return false
		}
	}
	c.setSP(c.sp() - 8*size)
	return true
}

// execPOPA pops all general registers; the slot of rSP is passed over.
func execPOPA(c *CPU, in *decode.Inst) bool {
	var v [8]uint64
	for i := range v {
		var ok bool
		if v[i], ok = c.peek(uint64(i)*uint64(in.OpSize), in.OpSize); !ok {
			return false
		}
	}
	for i := range v {
		if reg := 7 - uint8(i); reg != 4 {
			c.setGPR(reg, in.OpSize, v[i])
		}
	}
	c.setSP(c.sp() + 8*uint64(in.OpSize))
	return true
}

// execENTER makes a stack frame: the old frame pointer, for a nesting level
// over zero the enclosing frames' pointers and the new one, then the locals.
func execENTER(c *CPU, in *decode.Inst) bool {
	size := uint64(in.OpSize)
	level := uint64(in.Imm2 & 31)
	sp, bp := c.sp(), c.r[5]

	// All is checked before the first word is written, in the order in which
	// the words are read and written: the enclosing frames must be readable.
	// They may lie where the new words go, so each is read again as it is copied.
	words := uint64(1)
	if level > 0 {
		words = level + 1
	}
	for i := uint64(1); i <= words; i++ {
		if i > 1 && i <= level {
			if _, ok := c.load(decode.SS, (bp-(i-1)*size)&c.spMask, in.OpSize); !ok {
				return false
			}
		}
		if !c.probeStore(decode.SS, (sp-i*size)&c.spMask, in.OpSize) {
			return false
		}
	}
	final := (sp - words*size - uint64(uint16(in.Imm))) & c.spMask
	// A write at the final stack pointer must be possible, else #SS(0) or #PF.
	// [SDM 2, ENTER—Make Stack Frame for Procedure Parameters]
	if !c.probeStore(decode.SS, final, 1) {
		return false
	}

	frame := (sp - size) & c.spMask
	v, ok := bp, true
	for i := uint64(0); ok && i < words; i++ {
		if i > 0 && i < level {
			v, _ = c.load(decode.SS, (bp-i*size)&c.spMask, in.OpSize)
		} else if i == level && level > 0 {
			v = frame
		}
		ok = c.store(decode.SS, (sp-(i+1)*size)&c.spMask, in.OpSize, v)
	}
	if !ok {
		return false
	}
	c.setGPR(5, in.OpSize, frame)
	c.setSP(final)
	return true
}

// execLEAVE undoes ENTER: the stack pointer returns to the frame and the old
// frame pointer is popped.
func execLEAVE(c *CPU, in *decode.Inst) bool {
	bp := c.r[5] & c.spMask
	v, ok := c.load(decode.SS, bp, in.OpSize)
	if !ok {
		return false
	}
	c.setSP(bp + uint64(in.OpSize))
	c.setGPR(5, in.OpSize, v)
	return true
}

// How handlers reach the stack: one stores below sp() and moves the pointer with
// setSP once nothing can fault any more.

func (c *CPU) sp() uint64 { return c.r[4] & c.spMask }

// setSP moves the stack pointer at the stack's width; SP and ESP keep the bits above.
func (c *CPU) setSP(v uint64) {
	if c.spMask == 0xffffffff && c.mode != decode.Mode64 {
		c.r[4] = v & c.spMask
		return
	}
	c.r[4] = c.r[4]&^c.spMask | v&c.spMask
}

// push pushes size bytes.
func (c *CPU) push(v uint64, size uint8) bool {
	sp := (c.sp() - uint64(size)) & c.spMask
	if !c.store(decode.SS, sp, size, v) {
		return false
	}
	c.setSP(sp)
	return true
}

// peek reads size bytes at a distance in bytes above the stack pointer.
func (c *CPU) peek(dist uint64, size uint8) (uint64, bool) {
	return c.load(decode.SS, (c.sp()+dist)&c.spMask, size)
}

// pop pops size bytes.
func (c *CPU) pop(size uint8) (uint64, bool) {
	v, ok := c.peek(0, size)
	if ok {
		c.setSP(c.sp() + uint64(size))
	}
	return v, ok
}
