package cpu

import (
	"math/bits"

	"x86emu/decode"
	"x86emu/idt"
)

// This file holds decimal arithmetic, which 64-bit mode lacks.
// [SDM 2, AAA, AAS, AAM, AAD, DAA, DAS]

func (c *CPU) al() uint64 { return c.r[0] & 0xff }

func execAAA(c *CPU, in *decode.Inst) bool {
	ax := c.gpr(0, 2)
	var f uint64
	if ax&0xf > 9 || c.af() != 0 {
		ax += 0x106
		f = idt.FlagAF | idt.FlagCF
	}
	return c.asciiAdjusted(ax, f)
}

func execAAS(c *CPU, in *decode.Inst) bool {
	ax := c.gpr(0, 2)
	var f uint64
	if ax&0xf > 9 || c.af() != 0 {
		ax -= 0x106
		f = idt.FlagAF | idt.FlagCF
	}
	return c.asciiAdjusted(ax, f)
}

func (c *CPU) asciiAdjusted(ax, f uint64) bool {
	ax &= 0xff0f
	c.setGPR(0, 2, ax)
	c.setArith(f | byteFlags(ax))
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
	al := (ax + ax>>8*uint64(uint8(in.Imm))) & 0xff
	c.setGPR(0, 2, al)
	c.flagsLogic(al, 1)
	return true
}

func execDAA(c *CPU, in *decode.Inst) bool {
	old := c.al()
	al := old
	var f uint64
	if old&0xf > 9 || c.af() != 0 {
		al += 6
		f |= idt.FlagAF
	}
	if old > 0x99 || c.cf() != 0 {
		al += 0x60
		f |= idt.FlagCF
	}
	c.setGPR(0, 1, al)
	c.setArith(f | byteFlags(al))
	return true
}

func execDAS(c *CPU, in *decode.Inst) bool {
	old := c.al()
	al := old
	var f uint64
	if old&0xf > 9 || c.af() != 0 {
		al -= 6
		f |= idt.FlagAF
		if old < 6 {
			f |= idt.FlagCF
		}
	}
	if old > 0x99 || c.cf() != 0 {
		al -= 0x60
		f |= idt.FlagCF
	}
	c.setGPR(0, 1, al)
	c.setArith(f | byteFlags(al))
	return true
}
