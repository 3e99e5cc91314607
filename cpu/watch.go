package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// This file holds what can be watched at full speed: an Observer makes every
// instruction go by itself, these do not.

// breaks are the places of SetBreaks.
type breaks struct {
	at    map[mmu.Linear]struct{}
	off   [mmu.PageSize / 64]uint64 // bit n: one of them has page offset n
	reach func(lin mmu.Linear) (stop bool)
}

// SetBreaks has reach called before each instruction that begins at one of the
// linear addresses. If it returns true, Run and Step come back with
// StopRequest and the instruction has not run. An instruction that goes on
// after an interruption (RF is set: between the iterations of a REP, after
// the handler of a fault) does not count again. No address ends it.
//
// Blocks of code end before such places, so that all others run as always.
func (c *CPU) SetBreaks(at []mmu.Linear, reach func(lin mmu.Linear) (stop bool)) {
	c.breaks = nil
	if len(at) > 0 {
		b := &breaks{at: make(map[mmu.Linear]struct{}), reach: reach}
		for _, lin := range at {
			b.at[lin] = struct{}{}
			b.off[lin&mmu.PageMask>>6] |= 1 << (lin & 63)
		}
		c.breaks = b
	}
	c.resumed = ^uint64(0)
	c.dropAllBlocks()
	c.win.lin = 1
}

// mayBreak tells whether the instruction at a page offset must go by itself.
func (c *CPU) mayBreak(off uint64) bool {
	return c.breaks != nil && c.breaks.off[off&mmu.PageMask>>6]>>(off&63)&1 != 0
}

// reached tells whether to stop before the instruction at c.ip.
func (c *CPU) reached() bool {
	lin := c.CodeAt()
	if _, ok := c.breaks.at[lin]; !ok || c.resumed == c.s.Ticks {
		return false
	}
	return c.breaks.reach(lin)
}

// Mode is the size of the code that runs.
func (c *CPU) Mode() decode.Mode { return c.mode }

// CodeAt is the linear address of the next instruction.
func (c *CPU) CodeAt() mmu.Linear {
	if c.mode == decode.Mode64 {
		return mmu.Linear(c.ip)
	}
	return mmu.Linear(uint32(c.csBase + c.ip))
}

// StackAt is the linear address that the stack pointer points to.
func (c *CPU) StackAt() mmu.Linear {
	if c.mode == decode.Mode64 {
		return mmu.Linear(c.r[4])
	}
	return mmu.Linear(uint32(c.s.Seg[decode.SS].Base + c.sp()))
}

// Interrupted is what the last delivery took the processor from: for OnDelivery.
func (c *CPU) Interrupted() Interrupted { return c.from }

// Interrupted is where a delivery takes the processor from.
type Interrupted struct {
	CPL  uint8
	Code mmu.Linear // of the instruction pointer: the instruction that raised it, or the next one
	SP   mmu.Linear // of the stack pointer
}
