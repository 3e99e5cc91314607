package cpu

import "x86emu/mmu"

// This file is the processor's side of its local APIC: the MSRs that lead there,
// the mode it is in, and CR8. The APIC itself is the board's, behind APIC.

// APIC is an IO that has a local APIC. A processor whose model brings one is
// connected to it; without it, or without such a model, it looks like one whose
// APIC is off for good.
type APIC interface {
	// ReadAPIC and WriteAPIC are accesses to IA32_TSC_DEADLINE and, in x2APIC mode,
	// to the registers behind MSRs 0x800 to 0x8FF. false is #GP(0).
	ReadAPIC(msr uint32) (v uint64, ok bool)
	WriteAPIC(msr uint32, v uint64) (ok bool)
	// BaseChanged follows a change of IA32_APIC_BASE, old is what it was;
	// PriorityLoaded MOV to CR8; TSCLoaded a write to the time-stamp counter.
	BaseChanged(old uint64)
	PriorityLoaded()
	TSCLoaded()
}

// LocalAPIC is what a model's local APIC is like.
type LocalAPIC struct {
	LVT       int  // entries of the local vector table, of timer, LINT0, LINT1, error, performance counters, thermal sensor
	SerialBus bool // the APIC bus of the Pentium and the P6 family
	X2APIC    bool // there is x2APIC mode
	Deadline  bool // the timer has TSC-deadline mode
}

// LocalAPIC tells whether the model has one. [SDM 3A, The Local Vector Table]
func (m *Model) LocalAPIC() (a LocalAPIC, ok bool) {
	a = LocalAPIC{LVT: 6, SerialBus: !m.is(traitSSE2), X2APIC: m.is(traitX2APIC), Deadline: m.is(traitTSCDeadline)}
	switch {
	case !m.is(traitP6):
		a.LVT = 4
	case a.SerialBus:
		a.LVT = 5
	}
	return a, m.is(traitAPIC)
}

// IA32_APIC_BASE. [SDM 3A, Local APIC Status and Location; x2APIC State Transitions]
const (
	APICBaseBSP    = 1 << 8
	APICBaseX2APIC = 1 << 10
	APICBaseEnable = 1 << 11

	apicBaseMode = APICBaseX2APIC | APICBaseEnable
)

// isAPIC tells whether an MSR is behind APIC and can be reached.
func (c *CPU) isAPIC(n uint32) bool {
	switch {
	case c.apic == nil:
		return false
	case n == msrTSCDeadline:
		return c.Model.is(traitTSCDeadline)
	}
	// There are registers in x2APIC mode alone, else #GP(0). [SDM 3A, x2APIC Register Address Space]
	return n >= msrX2APIC && n <= msrX2APICLast && c.s.MSR.APICBase&apicBaseMode == apicBaseMode
}

// writeAPICBase is a write to IA32_APIC_BASE.
func (c *CPU) writeAPICBase(v uint64) bool {
	valid := 1<<c.Model.MaxPhysBits - 1 - uint64(mmu.PageMask) | APICBaseBSP
	if c.apic != nil {
		valid |= APICBaseEnable
		if c.Model.is(traitX2APIC) {
			valid |= APICBaseX2APIC
		}
	}
	// No reserved bit may be set, else #GP(0). Without a local APIC its enable bits
	// are reserved too. [SDM 3A, Local APIC Status and Location]
	if v&^valid != 0 {
		return c.gp(0)
	}
	old := c.s.MSR.APICBase
	was, is := old&apicBaseMode, v&apicBaseMode
	// x2APIC mode needs the APIC enabled, is entered from xAPIC mode alone, and is left
	// for the disabled state alone, else #GP(0). [SDM 3A, x2APIC State Transitions]
	if is == APICBaseX2APIC || was == 0 && is == apicBaseMode || was == apicBaseMode && is == APICBaseEnable {
		return c.gp(0)
	}
	if a, _ := c.Model.LocalAPIC(); a.SerialBus && was == 0 {
		v &^= APICBaseEnable // only a reset enables it again [SDM 3A, Enabling or Disabling the Local APIC]
	}
	c.s.MSR.APICBase = v
	if c.apic != nil && v != old {
		c.apic.BaseChanged(old)
	}
	return true
}

// apicFlags takes from CPUID.1 what a processor without its APIC does not report.
func (c *CPU) apicFlags(r *[4]uint32) {
	const apic, x2apic, deadline = 1 << 9, 1 << 21, 1 << 24
	if c.apic == nil {
		r[ecx] &^= x2apic | deadline
	}
	if c.apic == nil || c.s.MSR.APICBase&APICBaseEnable == 0 {
		r[edx] &^= apic
	}
}

// APICBase is IA32_APIC_BASE. The Pentium, which has no such MSR, has the value that
// others have after reset.
func (c *CPU) APICBase() uint64 { return c.s.MSR.APICBase }

// Priority is CR8: the upper half of the local APIC's TPR.
func (c *CPU) Priority() uint8 { return uint8(c.s.CR8) }

// SetPriority sets CR8, of four bits.
func (c *CPU) SetPriority(class uint8) { c.s.CR8 = uint64(class & 15) }

// loadPriority is MOV to CR8.
func (c *CPU) loadPriority(v uint64) bool {
	// Bits 63:4 must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Control Registers]
	if v > 15 {
		return c.gp(0)
	}
	c.s.CR8 = v
	if c.apic != nil {
		c.apic.PriorityLoaded()
	}
	return true
}
