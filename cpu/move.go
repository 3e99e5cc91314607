package cpu

import (
	"math/bits"

	"x86emu/decode"
)

// This file holds the instructions that move and convert data without
// computing flags. [SDM 2, MOV, MOVZX, MOVSX, LEA, XLAT, CBW, CWD, BSWAP, MOVBE]

// execMOVSystem is MOV to a segment register and MOV to and from control and
// debug registers; system.go provides it.
var execMOVSystem handler = execUD

// execMOV moves between general registers, memory, immediates, and from
// segment registers; MOVNTI and MOVDIRI are stores like any other here, since
// memory has no caches.
func execMOV(c *CPU, in *decode.Inst) bool {
	switch in.Args[0].Kind {
	case decode.ArgReg, decode.ArgMem:
	default:
		return execMOVSystem(c, in)
	}
	switch in.Args[1].Kind {
	case decode.ArgSeg:
		return execMOVFromSeg(c, in)
	case decode.ArgReg, decode.ArgMem, decode.ArgImm:
	default:
		return execMOVSystem(c, in)
	}
	v, ok := c.get(in, 1)
	return ok && c.put(in, 0, v)
}

// execMOVFromSeg stores a selector: two bytes to memory whatever the operand
// size, zero-extended to a 32- or 64-bit register. [SDM 2, MOV]
func execMOVFromSeg(c *CPU, in *decode.Inst) bool {
	sel := uint64(c.s.Seg[in.Args[1].Num&7].Sel)
	if in.Args[0].Kind == decode.ArgMem {
		return c.store(in.Seg, c.ea(in), 2, sel)
	}
	c.setGPR(in.Args[0].Num, in.OpSize, sel)
	return true
}

func execMOVZX(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.put(in, 0, v)
}

func execMOVSX(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.put(in, 0, signExtend(v, in.Args[1].Size))
}

// execLEA writes the offset; the segment plays no part.
func execLEA(c *CPU, in *decode.Inst) bool {
	return c.put(in, 0, c.ea(in))
}

func execXLAT(c *CPU, in *decode.Inst) bool {
	v, ok := c.load(in.Seg, maskAddr(c.r[3]+c.r[0]&0xff, in.AddrSize), 1)
	if ok {
		c.setGPR(0, 1, v)
	}
	return ok
}

// execCBW is CBW, CWDE, CDQE: the lower half of the accumulator extended.
func execCBW(c *CPU, in *decode.Inst) bool {
	c.setGPR(0, in.OpSize, signExtend(c.r[0], in.OpSize/2))
	return true
}

// execCWD is CWD, CDQ, CQO: the accumulator's sign in rDX.
func execCWD(c *CPU, in *decode.Inst) bool {
	c.setGPR(2, in.OpSize, uint64(int64(signExtend(c.r[0], in.OpSize))>>63))
	return true
}

func byteSwap(v uint64, size uint8) uint64 {
	return bits.ReverseBytes64(v) >> ((64 - 8*uint(size)) & 63)
}

// execBSWAP swaps bytes. With a 16-bit operand, undefined by the manual, the
// result is zero, as on silicon.
func execBSWAP(c *CPU, in *decode.Inst) bool {
	a := in.Args[0]
	if a.Size == 2 {
		c.setReg(a, 0)
		return true
	}
	c.setReg(a, byteSwap(c.reg(a), a.Size))
	return true
}

func execMOVBE(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.put(in, 0, byteSwap(v, in.Args[0].Size))
}
