package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds flag instructions, hints and cache control, BOUND and random
// numbers.

// execNOP is NOP and everything that has no effect without caches, memory
// ordering or other processors: hints, fences, prefetches, which never fault.
func execNOP(*CPU, *decode.Inst) bool { return true }

func execUD(c *CPU, _ *decode.Inst) bool { return c.ud() }

const lahfFlags = idt.FlagCF | idt.FlagPF | idt.FlagAF | idt.FlagZF | idt.FlagSF

var regAH = decode.Arg{Kind: decode.ArgReg, Size: 1, High: true}

func execLAHF(c *CPU, _ *decode.Inst) bool {
	c.setReg(regAH, c.arith()&lahfFlags|idt.Flag1)
	return true
}

func execSAHF(c *CPU, _ *decode.Inst) bool {
	c.setArithMask(lahfFlags, c.reg(regAH))
	return true
}

func execCLC(c *CPU, _ *decode.Inst) bool { c.setCF(0); return true }
func execSTC(c *CPU, _ *decode.Inst) bool { c.setCF(1); return true }
func execCMC(c *CPU, _ *decode.Inst) bool { c.setCF(c.cf() ^ 1); return true }

func execCLD(c *CPU, _ *decode.Inst) bool { c.s.RFLAGS &^= idt.FlagDF; return true }
func execSTD(c *CPU, _ *decode.Inst) bool { c.s.RFLAGS |= idt.FlagDF; return true }

// execSALC sets AL to the carry, spread over eight bits.
func execSALC(c *CPU, _ *decode.Inst) bool {
	c.setGPR(0, 1, -c.cf())
	return true
}

// execCLFLUSH is CLFLUSH, CLFLUSHOPT and CLWB: there is no cache to write
// back, but the address is translated as a load of a byte is, except that an
// execute-only segment is allowed. [SDM 2, CLFLUSH—Flush Cache Line]
func execCLFLUSH(c *CPU, in *decode.Inst) bool {
	off := c.ea(in)
	var lin mmu.Linear
	if s := c.s.Seg[in.Seg]; c.mode != decode.Mode64 && s.Attr&idt.AttrCode != 0 {
		s.Attr |= idt.AttrWritable // readable, that is
		if !c.segmentAllows(&s, off, 1, false) {
			return c.segFault(in.Seg)
		}
		lin = mmu.Linear((s.Base + off) & 0xffffffff)
	} else {
		var ok bool
		if lin, ok = c.linear(in.Seg, off, 1, false); !ok {
			return false
		}
	}
	if !c.mmu.Probe(lin, 1, c.dataAcc) {
		return c.pageFault()
	}
	return true
}

func execBOUND(c *CPU, in *decode.Inst) bool {
	size := in.Args[0].Size
	addr := c.ea(in)
	lower, ok := c.load(in.Seg, addr, size)
	if !ok {
		return false
	}
	upper, ok := c.load(in.Seg, maskAddr(addr+uint64(size), in.AddrSize), size)
	if !ok {
		return false
	}
	index := int64(signExtend(c.reg(in.Args[0]), size))
	// The index must lie between the bounds, else #BR. [SDM 2, BOUND—Check Array Index Against Bounds]
	if index < int64(signExtend(lower, size)) || index > int64(signExtend(upper, size)) {
		return c.raise(idt.VecBR)
	}
	return true
}

// random steps the generator behind RDRAND and RDSEED (xorshift64*), whose
// state is part of the machine's: the same seed gives the same run.
func (c *CPU) random() uint64 {
	x := c.s.Seed
	if x == 0 {
		x = 0x9e3779b97f4a7c15
	}
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	c.s.Seed = x
	return x * 0x2545f4914f6cdd1d
}

// execRDRAND is RDRAND and RDSEED, which always have a number ready: CF = 1,
// the other arithmetic flags 0.
func execRDRAND(c *CPU, in *decode.Inst) bool {
	c.setReg(in.Args[0], c.random())
	c.setArith(idt.FlagCF)
	return true
}
