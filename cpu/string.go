package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
)

// This file holds the string instructions but INS and OUTS, and the loop of
// their repeat prefixes. [SDM 2, REP/REPE/REPZ/REPNE/REPNZ, MOVS, CMPS, SCAS, LODS, STOS]
//
// Each iteration commits rSI, rDI, rCX and the flags, so that a fault in one
// leaves those before it done and the instruction can be resumed. One call
// does at most repBudget iterations; when some remain it leaves c.next at the
// instruction itself, and events are served before it goes on.
//
// The manual has a fault in a repeated CMPS or SCAS give back the flags from
// before the instruction; silicon (AMD Zen 4, observed) keeps those of the
// last iteration done, which is also what a single-stepped run shows and what
// we do.

// stringSize is the element size: one byte with an even opcode.
func stringSize(in *decode.Inst) uint8 {
	if in.Opcode&1 == 0 {
		return 1
	}
	return in.OpSize
}

// passElements moves rSI or rDI past n elements in the direction that DF tells.
func (c *CPU) passElements(reg uint8, in *decode.Inst, n uint64) {
	n *= uint64(stringSize(in))
	if c.s.RFLAGS&idt.FlagDF != 0 {
		n = -n
	}
	c.setGPR(reg, in.AddrSize, c.r[reg]+n)
}

const (
	regSI = 6
	regDI = 7
)

// source reads the element at rSI, in DS or the segment of an override.
func (c *CPU) source(in *decode.Inst) (uint64, bool) {
	return c.load(in.Seg, maskAddr(c.r[regSI], in.AddrSize), stringSize(in))
}

// repeat runs one under the prefix, if there is one. bulk, where not nil, does
// as many of at most n iterations as it can at once, which may be none. stop
// is asked after each iteration of one whether the prefix's condition ends it.
func (c *CPU) repeat(in *decode.Inst, one func(*CPU, *decode.Inst) bool, bulk func(c *CPU, in *decode.Inst, n uint64) uint64, stop func(*CPU, *decode.Inst) bool) bool {
	if in.Prefix&(decode.PrefixRep|decode.PrefixRepne) == 0 {
		return one(c, in)
	}
	for {
		count := maskAddr(c.r[1], in.AddrSize)
		if count == 0 {
			return true
		}
		if c.repDone >= c.repBudget {
			c.next = c.ip
			return true
		}
		n := uint64(0)
		if bulk != nil {
			n = bulk(c, in, min(count, uint64(c.repBudget-c.repDone)))
		}
		if n == 0 {
			c.inBlock += uint64(c.repDone) // a device has to know the time
			ok := one(c, in)
			c.inBlock -= uint64(c.repDone)
			if !ok {
				return false
			}
			n = 1
		}
		c.setGPR(1, in.AddrSize, count-n)
		c.repDone += int64(n)
		if stop != nil && stop(c, in) {
			return true
		}
		if c.blocks.stale && count != n {
			// The iteration has stored into decoded code, perhaps this very
			// instruction: it is fetched again.
			c.next = c.ip
			return true
		}
	}
}

// compared tells whether REPE or REPNE ends after the comparison just made.
func compared(c *CPU, in *decode.Inst) bool {
	return c.zf() != (in.Prefix&decode.PrefixRepne == 0)
}

func execMOVS(c *CPU, in *decode.Inst) bool { return c.repeat(in, movs, bulkMOVS, nil) }
func execSTOS(c *CPU, in *decode.Inst) bool { return c.repeat(in, stos, bulkSTOS, nil) }
func execLODS(c *CPU, in *decode.Inst) bool { return c.repeat(in, lods, nil, nil) }
func execCMPS(c *CPU, in *decode.Inst) bool { return c.repeat(in, cmps, nil, compared) }
func execSCAS(c *CPU, in *decode.Inst) bool { return c.repeat(in, scas, bulkSCAS, compared) }

func movs(c *CPU, in *decode.Inst) bool {
	v, ok := c.source(in)
	if !ok || !c.store(decode.ES, maskAddr(c.r[regDI], in.AddrSize), stringSize(in), v) {
		return false
	}
	c.passElements(regSI, in, 1)
	c.passElements(regDI, in, 1)
	return true
}

func stos(c *CPU, in *decode.Inst) bool {
	size := stringSize(in)
	if !c.store(decode.ES, maskAddr(c.r[regDI], in.AddrSize), size, c.gpr(0, size)) {
		return false
	}
	c.passElements(regDI, in, 1)
	return true
}

func lods(c *CPU, in *decode.Inst) bool {
	v, ok := c.source(in)
	if !ok {
		return false
	}
	c.setGPR(0, stringSize(in), v)
	c.passElements(regSI, in, 1)
	return true
}

func cmps(c *CPU, in *decode.Inst) bool {
	size := stringSize(in)
	a, ok := c.source(in)
	if !ok {
		return false
	}
	b, ok := c.load(decode.ES, maskAddr(c.r[regDI], in.AddrSize), size)
	if !ok {
		return false
	}
	c.flagsSub(a, b, a-b, size)
	c.passElements(regSI, in, 1)
	c.passElements(regDI, in, 1)
	return true
}

func scas(c *CPU, in *decode.Inst) bool {
	size := stringSize(in)
	b, ok := c.load(decode.ES, maskAddr(c.r[regDI], in.AddrSize), size)
	if !ok {
		return false
	}
	a := c.gpr(0, size)
	c.flagsSub(a, b, a-b, size)
	c.passElements(regDI, in, 1)
	return true
}
