package cpu

import (
	"math/bits"

	"x86emu/decode"
	"x86emu/idt"
)

// This file holds two-operand and one-operand arithmetic and logic.
// [SDM 2, ADD, ADC, SUB, SBB, CMP, AND, OR, XOR, TEST, INC, DEC, NEG, NOT, ADCX, ADOX]

// rmwOperands reads a destination that will be written and a source. At most
// one of them is memory, so that their order does not show.
func (c *CPU) rmwOperands(in *decode.Inst) (a, b uint64, ok bool) {
	if b, ok = c.get(in, 1); !ok {
		return 0, 0, false
	}
	a, ok = c.getRMW(in, 0)
	return a, b, ok
}

// operands reads two operands of which none is written.
func (c *CPU) operands(in *decode.Inst) (a, b uint64, ok bool) {
	if a, ok = c.get(in, 0); !ok {
		return 0, 0, false
	}
	b, ok = c.get(in, 1)
	return a, b, ok
}

func execADD(c *CPU, in *decode.Inst) bool { return c.add(in, 0) }
func execADC(c *CPU, in *decode.Inst) bool { return c.add(in, c.cf()) }
func execSUB(c *CPU, in *decode.Inst) bool { return c.sub(in, 0) }
func execSBB(c *CPU, in *decode.Inst) bool { return c.sub(in, c.cf()) }

func (c *CPU) add(in *decode.Inst, carry uint64) bool {
	a, b, ok := c.rmwOperands(in)
	if !ok {
		return false
	}
	res := a + b + carry
	if !c.put(in, 0, res) {
		return false
	}
	c.flagsAdd(a, b, res, in.Args[0].Size)
	return true
}

func (c *CPU) sub(in *decode.Inst, borrow uint64) bool {
	a, b, ok := c.rmwOperands(in)
	if !ok {
		return false
	}
	res := a - b - borrow
	if !c.put(in, 0, res) {
		return false
	}
	c.flagsSub(a, b, res, in.Args[0].Size)
	return true
}

func execCMP(c *CPU, in *decode.Inst) bool {
	a, b, ok := c.operands(in)
	if ok {
		c.flagsSub(a, b, a-b, in.Args[0].Size)
	}
	return ok
}

func execTEST(c *CPU, in *decode.Inst) bool {
	a, b, ok := c.operands(in)
	if ok {
		c.flagsLogic(a&b, in.Args[0].Size)
	}
	return ok
}

func execAND(c *CPU, in *decode.Inst) bool {
	a, b, ok := c.rmwOperands(in)
	return ok && c.putLogic(in, a&b)
}

func execOR(c *CPU, in *decode.Inst) bool {
	a, b, ok := c.rmwOperands(in)
	return ok && c.putLogic(in, a|b)
}

func execXOR(c *CPU, in *decode.Inst) bool {
	a, b, ok := c.rmwOperands(in)
	return ok && c.putLogic(in, a^b)
}

func (c *CPU) putLogic(in *decode.Inst, res uint64) bool {
	if !c.put(in, 0, res) {
		return false
	}
	c.flagsLogic(res, in.Args[0].Size)
	return true
}

func execINC(c *CPU, in *decode.Inst) bool {
	a, ok := c.getRMW(in, 0)
	if !ok || !c.put(in, 0, a+1) {
		return false
	}
	old := c.aux
	c.flagsAdd(a, 1, a+1, in.Args[0].Size)
	c.keepCF(old)
	return true
}

func execDEC(c *CPU, in *decode.Inst) bool {
	a, ok := c.getRMW(in, 0)
	if !ok || !c.put(in, 0, a-1) {
		return false
	}
	old := c.aux
	c.flagsSub(a, 1, a-1, in.Args[0].Size)
	c.keepCF(old)
	return true
}

func execNEG(c *CPU, in *decode.Inst) bool {
	a, ok := c.getRMW(in, 0)
	if !ok || !c.put(in, 0, -a) {
		return false
	}
	c.flagsSub(0, a, -a, in.Args[0].Size)
	return true
}

func execNOT(c *CPU, in *decode.Inst) bool {
	a, ok := c.getRMW(in, 0)
	return ok && c.put(in, 0, ^a)
}

// execADCX adds with CF as its only carry, and execADOX with OF as its only one.
func execADCX(c *CPU, in *decode.Inst) bool { return c.addChain(in, c.cf(), idt.FlagCF) }
func execADOX(c *CPU, in *decode.Inst) bool { return c.addChain(in, c.of(), idt.FlagOF) }

func (c *CPU) addChain(in *decode.Inst, carry, flag uint64) bool {
	a, b, ok := c.operands(in)
	if !ok {
		return false
	}
	var sum, out uint64
	if in.Args[0].Size == 8 {
		sum, out = bits.Add64(a, b, carry)
	} else {
		sum = a + b + carry
		out = sum >> 32
	}
	c.setReg(in.Args[0], sum)
	c.setArithMask(flag, -out)
	return true
}
