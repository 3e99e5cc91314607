package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

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

// monitorLine is the number of bytes that MONITOR watches.
const monitorLine = 64

// monitorSum condenses the watched line. A line that has changed since MONITOR
// has been stored to; one that was stored to without change need not wake.
func (c *CPU) monitorSum() uint64 {
	sum := uint64(0)
	for i := range mmu.Phys(monitorLine / 8) {
		sum = (sum ^ c.mmu.Mem.Read(c.s.Monitor.Line+8*i, 8)) * 0x9e3779b97f4a7c15
	}
	return sum
}

// mayMonitor makes the checks that MONITOR and MWAIT share.
func (c *CPU) mayMonitor() bool {
	// CPL must be 0 and IA32_MISC_ENABLE must allow it, else #UD. [SDM 2B, MONITOR—Set Up Monitor Address]
	if c.s.CPL != 0 || c.s.MSR.MiscEnable&miscMonitor == 0 {
		return c.ud()
	}
	return true
}

// execMONITOR arms the monitor on the line that holds DS:rAX, reading a byte
// there.
func execMONITOR(c *CPU, in *decode.Inst) bool {
	if !c.mayMonitor() {
		return false
	}
	// ECX must hold no extension, else #GP(0). [SDM 2B, MONITOR—Set Up Monitor Address]
	if uint32(c.r[rCX]) != 0 {
		return c.gp(0)
	}
	seg := decode.DS
	if in.Prefix&decode.PrefixSeg != 0 {
		seg = in.Seg
	}
	off := maskAddr(c.r[rAX], in.AddrSize)
	if _, ok := c.load(seg, off, 1); !ok {
		return false
	}
	lin, ok := c.linear(seg, off, 1, false)
	if !ok {
		return false
	}
	p, ok := c.mmu.Translate(lin, c.dataAcc)
	if !ok {
		return c.pageFault()
	}
	c.s.Monitor.Armed, c.s.Monitor.Line = true, p&^(monitorLine-1)
	c.s.Monitor.Sum = c.monitorSum()
	return true
}

// execMWAIT waits as HLT does, unless the monitored line has been written.
func execMWAIT(c *CPU, in *decode.Inst) bool {
	if !c.mayMonitor() {
		return false
	}
	// ECX may hold no extension but bit 0, else #GP(0). [SDM 2B, MWAIT—Monitor Wait]
	if uint32(c.r[rCX])&^1 != 0 {
		return c.gp(0)
	}
	// With ECX bit 0 masked interrupts wake as well: then it does not wait at
	// all, which the manual leaves a processor free to do.
	wait := c.s.Monitor.Armed && c.r[rCX]&1 == 0 && c.monitorSum() == c.s.Monitor.Sum
	c.s.Monitor = Monitor{}
	c.s.Halted = wait
	return true
}
