package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
)

// This file holds the exchanging instructions. With one processor and
// accesses that cannot be interrupted half-way, LOCK has nothing to add.
// [SDM 2, XCHG, XADD, CMPXCHG, CMPXCHG8B/CMPXCHG16B]

func execXCHG(c *CPU, in *decode.Inst) bool {
	m, r := 0, 1
	if in.Args[1].Kind == decode.ArgMem {
		m, r = 1, 0
	}
	v, ok := c.getRMW(in, m)
	if !ok {
		return false
	}
	old := c.reg(in.Args[r])
	if !c.put(in, m, old) {
		return false
	}
	c.setReg(in.Args[r], v)
	return true
}

// execXADD writes the source before the destination, so that with one
// register as both the sum remains.
func execXADD(c *CPU, in *decode.Inst) bool {
	dst, ok := c.getRMW(in, 0)
	if !ok {
		return false
	}
	src := c.reg(in.Args[1])
	sum := dst + src
	if in.Args[0].Kind == decode.ArgMem {
		if !c.put(in, 0, sum) {
			return false
		}
		c.setReg(in.Args[1], dst)
	} else {
		c.setReg(in.Args[1], dst)
		c.setReg(in.Args[0], sum)
	}
	c.flagsAdd(dst, src, sum, in.Args[0].Size)
	return true
}

// execCMPXCHG writes memory back even when the comparison fails, and so needs
// the right to write in either case.
func execCMPXCHG(c *CPU, in *decode.Inst) bool {
	dst, ok := c.getRMW(in, 0)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	acc := c.gpr(0, size)
	if acc == dst {
		if !c.put(in, 0, c.reg(in.Args[1])) {
			return false
		}
	} else {
		if in.Args[0].Kind == decode.ArgMem && !c.put(in, 0, dst) {
			return false
		}
		c.setGPR(0, size, dst)
	}
	c.flagsSub(acc, dst, acc-dst, size)
	return true
}

// execCMPXCHG8B is CMPXCHG8B and CMPXCHG16B: rDX:rAX compared with a memory
// operand of twice their size. Of the flags only ZF changes.
func execCMPXCHG8B(c *CPU, in *decode.Inst) bool {
	half := uint8(4)
	if in.Op == decode.CMPXCHG16B {
		half = 8
	}
	off := c.ea(in)
	lin, ok := c.linear(in.Seg, off, 2*half, true)
	// CMPXCHG16B's operand must lie on a 16-byte boundary, else #GP(0), also
	// where alignment is checked. [SDM 2, CMPXCHG8B/CMPXCHG16B—Compare and Exchange Bytes]
	if half == 8 && (ok && lin&15 != 0 || !ok && c.fault.Vector == idt.VecAC) {
		return c.gp(0)
	}
	if !ok {
		return false
	}
	// It is one access: where it crosses pages, both are checked first.
	if !c.probeStore(in.Seg, off, 2*half) {
		return false
	}
	lo, ok := c.loadRMW(in.Seg, off, half)
	if !ok {
		return false
	}
	hi, ok := c.loadRMW(in.Seg, off+uint64(half), half)
	if !ok {
		return false
	}
	equal := c.gpr(0, half) == lo && c.gpr(2, half) == hi
	newLo, newHi := lo, hi
	if equal {
		newLo, newHi = c.gpr(3, half), c.gpr(1, half)
	}
	if !c.store(in.Seg, off, half, newLo) || !c.store(in.Seg, off+uint64(half), half, newHi) {
		return false
	}
	if !equal {
		c.setGPR(0, half, lo)
		c.setGPR(2, half, hi)
	}
	c.setZF(equal)
	return true
}
