package cpu

import "x86emu/decode"

// This file holds the near branches. [SDM 2, JMP, Jcc, CALL, RET, LOOP, JCXZ]

// branchTarget cuts a target to the operand size and checks it.
func (c *CPU) branchTarget(t uint64, opSize uint8) (uint64, bool) {
	t = maskAddr(t, opSize)
	if c.mode == decode.Mode64 {
		// The target must be canonical, else #GP(0). [SDM 2, JMP, CALL, RET]
		if !c.canonical(t) {
			return 0, c.gp(0)
		}
		return t, true
	}
	// The target must lie within the CS limit, else #GP(0). [SDM 3A, Limit Checking]
	if t > uint64(c.s.Seg[decode.CS].Limit) {
		return 0, c.gp(0)
	}
	return t, true
}

// branchOperand gives the checked target of a near JMP or CALL.
func (c *CPU) branchOperand(in *decode.Inst) (uint64, bool) {
	v, ok := c.get(in, 0)
	if !ok {
		return 0, false
	}
	if in.Args[0].Kind == decode.ArgRel {
		v += c.next
	}
	return c.branchTarget(v, in.OpSize)
}

// branchRel jumps relative to the next instruction.
func (c *CPU) branchRel(in *decode.Inst) bool {
	t, ok := c.branchTarget(c.next+uint64(in.Imm), in.OpSize)
	if ok {
		c.next = t
	}
	return ok
}

func execJcc(c *CPU, in *decode.Inst) bool {
	return !c.cond(in.Opcode) || c.branchRel(in)
}

func execJMP(c *CPU, in *decode.Inst) bool {
	t, ok := c.branchOperand(in)
	if ok {
		c.next = t
	}
	return ok
}

func execCALL(c *CPU, in *decode.Inst) bool {
	t, ok := c.branchOperand(in)
	if !ok || !c.push(c.next, in.OpSize) {
		return false
	}
	c.next = t
	return true
}

func execRET(c *CPU, in *decode.Inst) bool {
	v, ok := c.peek(0, in.OpSize)
	if !ok {
		return false
	}
	t, ok := c.branchTarget(v, in.OpSize)
	if !ok {
		return false
	}
	n := uint64(in.OpSize)
	if in.Args[0].Kind == decode.ArgImm {
		n += uint64(uint16(in.Imm))
	}
	c.setSP(c.sp() + n)
	c.next = t
	return true
}

// execLOOP is LOOP, LOOPE and LOOPNE; the counter's width is the address size.
func execLOOP(c *CPU, in *decode.Inst) bool {
	count := maskAddr(c.r[1]-1, in.AddrSize)
	taken := count != 0
	switch in.Opcode {
	case 0xe0: // LOOPNE
		taken = taken && !c.zf()
	case 0xe1: // LOOPE
		taken = taken && c.zf()
	}
	if taken && !c.branchRel(in) {
		return false
	}
	c.setGPR(1, in.AddrSize, count)
	return true
}

func execJCXZ(c *CPU, in *decode.Inst) bool {
	return maskAddr(c.r[1], in.AddrSize) != 0 || c.branchRel(in)
}
