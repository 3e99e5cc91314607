package cpu

import (
	"math/bits"

	"x86emu/decode"
	"x86emu/idt"
)

// This file holds decimal arithmetic, which 64-bit mode lacks.
// [SDM 2, AAA, AAS, AAM, AAD, DAA, DAS]

func (c *CPU) al() uint64 { return c.r[0] & 0xff }

// asciiAdjust tells whether AAA or AAS adjusts, and by how much: 6 in AL, 1 in AH.
func (c *CPU) asciiAdjust() (adjust, f uint64) {
	if c.r[0]&0xf > 9 || c.af() != 0 {
		return 0x106, idt.FlagAF | idt.FlagCF
	}
	return 0, 0
}

func execAAA(c *CPU, _ *decode.Inst) bool {
	ax := c.gpr(0, 2)
	adjust, f := c.asciiAdjust()
	c.flagsAdd(ax, adjust, ax+adjust, 2)
	c.setArithMask(idt.FlagAF|idt.FlagCF, f)
	c.setGPR(0, 2, (ax+adjust)&0xff0f)
	return true
}

func execAAS(c *CPU, _ *decode.Inst) bool {
	ax := c.gpr(0, 2)
	adjust, f := c.asciiAdjust()
	c.flagsSub(ax, adjust, ax-adjust, 2)
	c.setArithMask(idt.FlagAF|idt.FlagCF, f)
	c.setGPR(0, 2, (ax-adjust)&0xff0f)
	return true
}

// byteFlags gives SF, ZF and PF of a byte.
func byteFlags(v uint64) uint64 {
	f := v & idt.FlagSF
	if v&0xff == 0 {
		f |= idt.FlagZF
	}
	if bits.OnesCount8(uint8(v))&1 == 0 {
		f |= idt.FlagPF
	}
	return f
}

func execAAM(c *CPU, in *decode.Inst) bool {
	base := uint64(uint8(in.Imm))
	// The base must not be zero, else #DE. [SDM 2, AAM—ASCII Adjust AX After Multiply]
	if base == 0 {
		return c.raise(idt.VecDE)
	}
	al := c.al()
	c.setGPR(0, 2, al/base<<8|al%base)
	c.flagsLogic(al%base, 1)
	return true
}

func execAAD(c *CPU, in *decode.Inst) bool {
	ax := c.gpr(0, 2)
	al, tens := ax&0xff, ax>>8*uint64(uint8(in.Imm))
	c.setGPR(0, 2, (al+tens)&0xff)
	c.flagsAdd(al, tens, al+tens, 1)
	return true
}

// decimalAdjust tells by how much DAA or DAS adjusts AL.
func (c *CPU) decimalAdjust() (adjust, f uint64) {
	al := c.al()
	if al&0xf > 9 || c.af() != 0 {
		adjust, f = 6, idt.FlagAF
	}
	if al > 0x99 || c.cf() != 0 {
		adjust, f = adjust+0x60, f|idt.FlagCF
	}
	return adjust, f
}

func execDAA(c *CPU, _ *decode.Inst) bool {
	al := c.al()
	adjust, f := c.decimalAdjust()
	c.flagsAdd(al, adjust, al+adjust, 1)
	c.setArithMask(idt.FlagAF|idt.FlagCF, f)
	c.setGPR(0, 1, al+adjust)
	return true
}

func execDAS(c *CPU, _ *decode.Inst) bool {
	al := c.al()
	adjust, f := c.decimalAdjust()
	// A borrow of the lower digit's adjustment alone counts as a carry too.
	if al < adjust {
		f |= idt.FlagCF
	}
	c.flagsSub(al, adjust, al-adjust, 1)
	c.setArithMask(idt.FlagAF|idt.FlagCF, f)
	c.setGPR(0, 1, al-adjust)
	return true
}
