package cpu

import (
	"math/bits"

	"x86emu/decode"
	"x86emu/idt"
)

// This file holds multiplication and division. [SDM 2, MUL, IMUL, DIV, IDIV]

// setWide writes a double-width result or the pair of quotient and remainder:
// AH:AL for bytes, rDX:rAX otherwise.
func (c *CPU) setWide(hi, lo uint64, size uint8) {
	if size == 1 {
		c.setGPR(0, 2, hi&0xff<<8|lo&0xff)
		return
	}
	c.setGPR(0, size, lo)
	c.setGPR(2, size, hi)
}

// wide reads the double-width dividend: AX for bytes, rDX:rAX otherwise.
func (c *CPU) wide(size uint8) (hi, lo uint64) {
	if size == 1 {
		return c.gpr(0, 2) >> 8, c.gpr(0, 1)
	}
	return c.gpr(2, size), c.gpr(0, size)
}

// flagsMul sets CF and OF when the upper half of a product matters; the
// others follow the lower half.
func (c *CPU) flagsMul(lo uint64, size uint8, over bool) {
	c.res, c.aux = signExtend(lo, size), 0
	if over {
		c.aux = auxCF
	}
}

// flagsDiv leaves CF and OF, sets AF and clears the rest.
func (c *CPU) flagsDiv() {
	const keep = idt.FlagCF | idt.FlagOF
	c.setArithMask(^uint64(keep), idt.FlagAF)
}

func execMUL(c *CPU, in *decode.Inst) bool {
	b, ok := c.get(in, 0)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	hi, lo := bits.Mul64(c.gpr(0, size), b)
	if size < 8 {
		hi = lo >> sizeBits(size)
	}
	c.setWide(hi, lo, size)
	c.flagsMul(lo, size, hi != 0)
	return true
}

// mulSigned multiplies two operands of a size; over tells that the product
// does not fit the size.
func mulSigned(a, b uint64, size uint8) (hi, lo uint64, over bool) {
	a, b = signExtend(a, size), signExtend(b, size)
	hi, lo = bits.Mul64(a, b)
	hi -= uint64(int64(a)>>63)&b + uint64(int64(b)>>63)&a
	if size < 8 {
		hi = lo >> sizeBits(size)
		return hi, lo, signExtend(lo, size) != lo
	}
	return hi, lo, hi != uint64(int64(lo)>>63)
}

// execIMUL is IMUL with one, two and three operands.
func execIMUL(c *CPU, in *decode.Inst) bool {
	size := in.Args[0].Size
	if in.NArgs == 1 {
		b, ok := c.get(in, 0)
		if !ok {
			return false
		}
		hi, lo, over := mulSigned(c.gpr(0, size), b, size)
		c.setWide(hi, lo, size)
		c.flagsMul(lo, size, over)
		return true
	}
	n := 0
	if in.NArgs == 3 {
		n = 1
	}
	a, ok := c.get(in, n)
	if !ok {
		return false
	}
	b, ok := c.get(in, n+1)
	if !ok {
		return false
	}
	_, lo, over := mulSigned(a, b, size)
	c.setReg(in.Args[0], lo)
	c.flagsMul(lo, size, over)
	return true
}

func execDIV(c *CPU, in *decode.Inst) bool {
	b, ok := c.get(in, 0)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	hi, lo := c.wide(size)
	// The quotient must fit the destination (and the divisor not be zero), else #DE.
	// [SDM 2, DIV—Unsigned Divide]
	if hi >= b {
		return c.raise(idt.VecDE)
	}
	var q, r uint64
	if size == 8 {
		q, r = bits.Div64(hi, lo, b)
	} else {
		v := hi<<sizeBits(size) | lo
		q, r = v/b, v%b
	}
	c.setWide(r, q, size)
	c.flagsDiv()
	return true
}

// execIDIV divides magnitudes: the quotient is cut towards zero and the
// remainder takes the dividend's sign.
func execIDIV(c *CPU, in *decode.Inst) bool {
	b, ok := c.get(in, 0)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	hi, lo := c.wide(size)
	if size < 8 {
		lo = signExtend(hi<<sizeBits(size)|lo, 2*size)
		hi = uint64(int64(lo) >> 63)
	}
	b = signExtend(b, size)
	negDividend, negDivisor := int64(hi) < 0, int64(b) < 0
	if negDividend {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	if negDivisor {
		b = -b
	}
	// The quotient must fit the destination (and the divisor not be zero), else #DE.
	// [SDM 2, IDIV—Signed Divide]
	if hi >= b {
		return c.raise(idt.VecDE)
	}
	q, r := bits.Div64(hi, lo, b)
	limit := sizeMask(size) >> 1
	if negDividend != negDivisor {
		limit++
	}
	if q > limit {
		return c.raise(idt.VecDE)
	}
	if negDividend != negDivisor {
		q = -q
	}
	if negDividend {
		r = -r
	}
	c.setWide(r, q, size)
	c.flagsDiv()
	return true
}
