package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// This file holds the time-stamp counter, which counts virtual time, and the
// performance counters, which count nothing.

// TSC is the time-stamp counter.
func (c *CPU) TSC() uint64 { return c.Ticks() + c.s.MSR.TSCOffset }

// mayTSC tells whether RDTSC and RDTSCP may be executed.
func (c *CPU) mayTSC() bool {
	return c.s.CPL == 0 || c.mmu.Ctl.CR4&mmu.CR4TSD == 0
}

// execRDTSC reads the time-stamp counter into EDX:EAX.
func execRDTSC(c *CPU, in *decode.Inst) bool {
	// With CR4.TSD CPL must be 0, else #GP(0). [SDM 2B, RDTSC—Read Time-Stamp Counter]
	if !c.mayTSC() {
		return c.gp(0)
	}
	c.setEDXEAX(c.TSC())
	return true
}

// execRDTSCP is RDTSC, with IA32_TSC_AUX in ECX.
func execRDTSCP(c *CPU, in *decode.Inst) bool {
	// With CR4.TSD CPL must be 0, else #GP(0). [SDM 2B, RDTSCP—Read Time-Stamp Counter and Processor ID]
	if !c.mayTSC() {
		return c.gp(0)
	}
	c.setEDXEAX(c.TSC())
	c.r[rCX] = c.s.MSR.TSCAux
	return true
}

// execRDPID reads IA32_TSC_AUX.
func execRDPID(c *CPU, in *decode.Inst) bool {
	a := in.Args[0]
	c.setReg(c.systemReg(a), c.s.MSR.TSCAux)
	return true
}

// execRDPMC reads one of the two performance counters of the P6 family, which
// never advance.
func execRDPMC(c *CPU, in *decode.Inst) bool {
	// With CR4.PCE clear CPL must be 0, else #GP(0). [SDM 2B, RDPMC—Read Performance-Monitoring Counters]
	if c.s.CPL != 0 && c.mmu.Ctl.CR4&mmu.CR4PCE == 0 {
		return c.gp(0)
	}
	// The counter must exist, else #GP(0). [SDM 2B, RDPMC—Read Performance-Monitoring Counters]
	if uint32(c.r[rCX]) > 1 {
		return c.gp(0)
	}
	c.setEDXEAX(0)
	return true
}
