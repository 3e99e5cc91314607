package cpu

import "x86emu/decode"

// cond tells whether condition cc, the low four bits of a Jcc, SETcc or
// CMOVcc opcode, holds. [SDM 1, EFLAGS Condition Codes]
func (c *CPU) cond(cc uint8) bool {
	var v bool
	switch cc >> 1 & 7 {
	case 0: // O
		v = c.of() != 0
	case 1: // B
		v = c.cf() != 0
	case 2: // E
		v = c.zf()
	case 3: // BE
		v = c.cf() != 0 || c.zf()
	case 4: // S
		v = c.sf() != 0
	case 5: // P
		v = c.pf()
	case 6: // L
		v = c.sf() != c.of()
	case 7: // LE
		v = c.zf() || c.sf() != c.of()
	}
	return v != (cc&1 != 0)
}

func execSETcc(c *CPU, in *decode.Inst) bool {
	var v uint64
	if c.cond(in.Opcode) {
		v = 1
	}
	return c.put(in, 0, v)
}

// execCMOVcc reads its source, with all faults of a load, and writes its
// destination even where the condition is false, so that a 32-bit one has its
// upper half cleared. [SDM 2, CMOVcc]
func execCMOVcc(c *CPU, in *decode.Inst) bool {
	a, b, ok := c.operands(in)
	if !ok {
		return false
	}
	if c.cond(in.Opcode) {
		a = b
	}
	return c.put(in, 0, a)
}
