package cpu

import "x86emu/decode"

// This file holds the instructions that wait: HLT, MONITOR and MWAIT.

// execHLT stops until an interrupt.
func execHLT(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, HLT—Halt]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	c.s.Halted = true
	return true
}
