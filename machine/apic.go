package machine

import (
	"x86emu/cpu"
	"x86emu/mmu"
)

// APIC is the processor's local APIC: task priority, interrupts requested and in
// service, a local vector table, a timer (apic_timer.go), interrupts between
// processors. It is reached through a page of memory, at 0xFEE00000 until
// IA32_APIC_BASE moves it, or in x2APIC mode through MSRs; models without an APIC have
// none. There is one processor, with ID 0: what is sent to others is lost.
//
// It is found as a PC's firmware leaves it, in virtual wire mode: enabled, with the
// 8259A's INTR through LINT0 as an ExtINT and the board's NMI through LINT1. Turned off by
// IA32_APIC_BASE, both pass it by.
//
// An access to the page must be of 32 bits at a multiple of 16. What others do is
// not defined: narrower ones read zeros and write nothing, as on QEMU, and so do those beside a
// multiple of 16. A base at which there is RAM, ROM or another device leaves these reachable, and
// not the APIC.
//
// Left out are SMIs, focus checking, the suppression of EOI messages and the
// arbitration of the APIC bus; the thermal sensor and the performance counters never
// interrupt.
// [SDM 3A, Advanced Programmable Interrupt Controller (APIC)]
type APIC struct {
	s     apicState
	m     *Machine
	kind  cpu.LocalAPIC
	at    mmu.Phys // where the page is mapped, if it is
	there bool
	timer *Timer // the next interrupt of the APIC timer, if it can be seen
}

type apicState struct {
	ID            uint8
	Subclass      uint8 // the lower half of TPR; the upper one is CR8
	LDR, DFR, SVR uint32
	IRR, ISR, TMR vectors
	Errors        uint32 // since ESR was written,
	ESR           uint32 // and before
	ICR           uint64
	LVT           [apicLVT]uint32
	Pins          [2]bool // levels at LINT0 and LINT1
	ExtINT        bool    // one has come as a message, and was not acknowledged
	Divide        uint8   // the divide configuration, as written
	Initial       uint32  // the initial count
	Count         uint32  // the current count, as it was at a beat; 0: the timer stands
	Since         uint64  // this one
	Deadline      uint64  // IA32_TSC_DEADLINE
}

// Registers, each at 16 times its number in the page, and at MSR 0x800 and its
// number. [SDM 3A, Local APIC Register Address Map]
const (
	apicID      = 0x02
	apicVersion = 0x03
	apicTPR     = 0x08
	apicAPR     = 0x09
	apicPPR     = 0x0a
	apicEOI     = 0x0b
	apicRRD     = 0x0c
	apicLDR     = 0x0d
	apicDFR     = 0x0e
	apicSVR     = 0x0f
	apicISR     = 0x10
	apicTMR     = 0x18
	apicIRR     = 0x20
	apicESR     = 0x28
	apicICR     = 0x30
	apicICRHigh = 0x31
	apicLVTs    = 0x32
	apicInitial = 0x38
	apicCurrent = 0x39
	apicDivide  = 0x3e
	apicSelf    = 0x3f // in x2APIC mode alone
	apicRegs    = 0x40

	apicMSR     = 0x800
	msrDeadline = 0x6e0
)

// The local vector table.
const (
	lvtTimer = iota
	lvtThermal
	lvtPerf
	lvtLINT0
	lvtLINT1
	lvtError
	apicLVT

	lvtVector    = 0xff
	lvtRemoteIRR = 1 << 14
	lvtLevel     = 1 << 15
	lvtMasked    = 1 << 16
	lvtPeriodic  = 1 << 17
	lvtDeadline  = 1 << 18
)

// Delivery modes, of the local vector table, of ICR and of the I/O APIC.
const (
	deliverFixed  = 0
	deliverLowest = 1
	deliverNMI    = 4
	deliverINIT   = 5
	deliverExtINT = 7
)

const (
	apicPage    = 0xfee00000
	apicModel   = 0x14  // version: an integrated APIC
	svrBits     = 0x1ff // focus checking is not there
	svrEnabled  = 1 << 8
	dfrOnes     = 0x0fffffff
	divideBits  = 0xb
	icrBits     = 0xccfff
	icrHighBits = 0xff << 24
	everybody8  = 0xff
)

// Bits of ESR. [SDM 3A, Error Handling]
const (
	errSendAccept     = 1 << 2 // nobody took a message; on the serial bus alone
	errSendIllegal    = 1 << 5
	errReceiveIllegal = 1 << 6
	errRegister       = 1 << 7
)

func newAPIC(m *Machine, kind cpu.LocalAPIC) *APIC {
	a := &APIC{m: m, kind: kind, at: apicPage, there: true}
	a.powerUp()
	a.s.SVR |= svrEnabled
	a.s.LVT[lvtLINT0] = deliverExtINT<<8 | lvtLevel
	a.s.LVT[lvtLINT1] = deliverNMI<<8 | lvtLevel
	a.timer = m.newLineTimer("apic", a, func() bool { return a.wakes(a.s.LVT[lvtTimer]) })
	return a
}

// powerUp is the state after RESET#, pins left alone. [SDM 3A, Local APIC State After Power-Up or Reset]
func (a *APIC) powerUp() {
	a.s = apicState{DFR: 0xffffffff, SVR: 0xff, Pins: a.s.Pins}
	for i := range a.s.LVT {
		a.s.LVT[i] = lvtMasked
	}
}

func (a *APIC) Name() string { return "apic" }
func (a *APIC) State() any   { return &a.s }

// enabled tells whether IA32_APIC_BASE has the APIC on, x2 whether in x2APIC mode.
func (a *APIC) enabled() bool { return a.m.CPU.APICBase()&cpu.APICBaseEnable != 0 }
func (a *APIC) x2() bool      { return a.m.CPU.APICBase()&cpu.APICBaseX2APIC != 0 }

// place maps the page where IA32_APIC_BASE has it.
func (a *APIC) place() {
	at, want := mmu.Phys(a.m.CPU.APICBase()&^mmu.PageMask), a.enabled() && !a.x2()
	if want && a.there && at == a.at {
		return
	}
	if a.there {
		a.m.Mem.Unmap(a.at, mmu.PageSize)
	}
	// A damaged snapshot may have a base that no memory has.
	a.at, a.there = at, want && a.m.Mem.Vacant(at) && a.m.Mem.MapMMIO(at, mmu.PageSize, a) == nil
}

// BaseChanged follows a change of IA32_APIC_BASE. [SDM 3A, Enabling or Disabling the Local APIC; x2APIC State Transitions]
func (a *APIC) BaseChanged(old uint64) {
	const modes = cpu.APICBaseEnable | cpu.APICBaseX2APIC
	switch {
	case !a.enabled():
		a.powerUp()
		a.m.CPU.SetPriority(0)
	case (old^a.m.CPU.APICBase())&modes == cpu.APICBaseX2APIC:
		a.s.ID = 0 // its own again, from which the logical one is made
	}
	a.place()
	a.plan()
	a.m.rerouted()
}

// PriorityLoaded follows MOV to CR8, which clears TPR's lower half. [SDM 3A, Task and Processor Priorities]
func (a *APIC) PriorityLoaded() {
	a.s.Subclass = 0
	a.m.setINTR()
}

func (a *APIC) tpr() uint8 { return a.m.CPU.Priority()<<4 | a.s.Subclass }

func (a *APIC) Read(off uint64, size uint) uint64 {
	switch {
	case size == 8:
		return a.Read(off, 4) // the other half is beside a register
	case size != 4 || off%16 != 0:
		return 0
	}
	v, ok := a.read(uint16(off / 16))
	if !ok {
		a.fail(errRegister)
	}
	return uint64(v)
}

func (a *APIC) Write(off uint64, size uint, v uint64) {
	if size < 4 || off%16 != 0 {
		return
	}
	if !a.write(uint16(off/16), uint32(v)) {
		a.fail(errRegister)
	}
}

// read gives a register of the page. It is not there if ok is false.
func (a *APIC) read(reg uint16) (v uint32, ok bool) {
	s := &a.s
	switch {
	case reg >= apicISR && reg < apicTMR:
		return s.ISR[reg-apicISR], true
	case reg >= apicTMR && reg < apicIRR:
		return s.TMR[reg-apicTMR], true
	case reg >= apicIRR && reg < apicESR:
		a.catchUp()
		return s.IRR[reg-apicIRR], true
	case reg >= apicLVTs && reg < apicLVTs+apicLVT:
		if i := int(reg - apicLVTs); a.has(i) {
			return s.LVT[i], true
		}
		return 0, false
	}
	switch reg {
	case apicID:
		return uint32(s.ID) << 24, true
	case apicVersion:
		return apicModel | uint32(a.kind.LVT-1)<<16, true
	case apicTPR:
		return uint32(a.tpr()), true
	case apicAPR:
		return uint32(a.arbitration()), true
	case apicPPR:
		return uint32(a.ppr()), true
	case apicEOI, apicRRD:
		return 0, true
	case apicLDR:
		return s.LDR, true
	case apicDFR:
		return s.DFR, true
	case apicSVR:
		return s.SVR, true
	case apicESR:
		return s.ESR, true
	case apicICR:
		return uint32(s.ICR), true
	case apicICRHigh:
		return uint32(s.ICR >> 32), true
	case apicInitial:
		return s.Initial, true
	case apicCurrent:
		return a.current(), true
	case apicDivide:
		return uint32(s.Divide), true
	}
	return 0, false
}

// has tells whether the model has an entry of the local vector table.
func (a *APIC) has(entry int) bool {
	switch entry {
	case lvtThermal:
		return a.kind.LVT > 5
	case lvtPerf:
		return a.kind.LVT > 4
	}
	return true
}

// write sets a register of the page. It is not there if ok is false; one that can
// only be read stays.
func (a *APIC) write(reg uint16, v uint32) (ok bool) {
	s := &a.s
	switch reg {
	case apicID:
		s.ID = uint8(v >> 24)
		a.m.rerouted()
	case apicTPR:
		s.Subclass = uint8(v) & 15
		a.m.CPU.SetPriority(uint8(v) >> 4)
		a.m.setINTR()
	case apicEOI:
		a.eoi()
	case apicLDR:
		s.LDR = v & 0xff000000
		a.m.rerouted()
	case apicDFR:
		s.DFR = v | dfrOnes
		a.m.rerouted()
	case apicSVR:
		a.setSVR(v & svrBits)
	case apicESR:
		s.ESR, s.Errors = s.Errors, 0
	case apicICR:
		s.ICR = s.ICR&^0xffffffff | uint64(v&icrBits)
		a.send()
	case apicICRHigh:
		s.ICR = s.ICR&0xffffffff | uint64(v&icrHighBits)<<32
	case apicInitial:
		a.setInitial(v)
	case apicDivide:
		a.setDivide(uint8(v) & divideBits)
	default:
		if i := int(reg) - apicLVTs; i >= 0 && i < apicLVT && a.has(i) {
			a.setLVT(i, v)
			return true
		}
		_, ok := a.read(reg)
		return ok
	}
	return true
}

// lvtBits are what can be written to an entry. [SDM 3A, Local Vector Table]
func (a *APIC) lvtBits(entry int) uint32 {
	const mode, polarity = 7 << 8, 1 << 13
	switch {
	case entry == lvtTimer && a.kind.Deadline:
		return lvtVector | lvtMasked | lvtPeriodic | lvtDeadline
	case entry == lvtTimer:
		return lvtVector | lvtMasked | lvtPeriodic
	case entry == lvtLINT0, entry == lvtLINT1:
		return lvtVector | mode | polarity | lvtLevel | lvtMasked
	case entry == lvtError:
		return lvtVector | lvtMasked
	}
	return lvtVector | mode | lvtMasked
}

func (a *APIC) setLVT(entry int, v uint32) {
	v &= a.lvtBits(entry)
	if a.s.SVR&svrEnabled == 0 {
		v |= lvtMasked
	}
	if entry == lvtTimer {
		a.setTimer(v)
		return
	}
	a.m.catchUp()
	e := &a.s.LVT[entry]
	*e = v | *e&lvtRemoteIRR&(v&lvtLevel>>1)
	if n := entry - lvtLINT0; (n == 0 || n == 1) && a.s.Pins[n] && *e&lvtLevel != 0 {
		a.local(entry) // the level stands already
	}
	a.m.rerouted()
}

// setSVR enables the APIC or disables it, which masks the local vector table.
// [SDM 3A, Local APIC State After It Has Been Software Disabled]
func (a *APIC) setSVR(v uint32) {
	a.m.catchUp()
	a.catchUp()
	a.s.SVR = v
	if v&svrEnabled == 0 {
		for i := range a.s.LVT {
			a.s.LVT[i] |= lvtMasked
		}
	}
	a.plan()
	a.m.rerouted()
}

// ReadAPIC reads a register behind an MSR. [SDM 3A, x2APIC Register Address Space]
func (a *APIC) ReadAPIC(msr uint32) (v uint64, ok bool) {
	switch reg := msr - apicMSR; {
	case msr == msrDeadline:
		a.catchUp()
		return a.s.Deadline, true
	case reg == apicID:
		return 0, true
	case reg == apicLDR:
		return uint64(a.logical()), true
	case reg == apicICR:
		return a.s.ICR, true
	// A register must be there, and one to be read, else #GP(0).
	case reg >= apicRegs, reg == apicAPR, reg == apicEOI, reg == apicRRD, reg == apicDFR, reg == apicICRHigh:
		return 0, false
	default:
		v, ok := a.read(uint16(reg))
		return uint64(v), ok
	}
}

// WriteAPIC writes a register behind an MSR.
func (a *APIC) WriteAPIC(msr uint32, v uint64) (ok bool) {
	if msr == msrDeadline {
		a.setDeadline(v)
		return true
	}
	reg := msr - apicMSR
	valid := uint64(0)
	switch reg {
	case apicTPR, apicSelf:
		valid = 0xff
	case apicEOI, apicESR: // zero alone
	case apicSVR:
		valid = svrBits
	case apicICR:
		valid = 0xffffffff<<32 | icrBits
	case apicInitial:
		valid = 0xffffffff
	case apicDivide:
		valid = divideBits
	default:
		// A register must be there, and one to be written, else #GP(0).
		i := int(reg) - apicLVTs
		if i < 0 || i >= apicLVT || !a.has(i) {
			return false
		}
		valid = uint64(a.lvtBits(i))
	}
	// No reserved bit may be set, else #GP(0). [SDM 3A, Reserved Bit Checking]
	if v&^valid != 0 {
		return false
	}
	switch reg {
	case apicICR:
		a.s.ICR = v
		a.send()
	case apicSelf:
		a.toSelf(uint8(v))
	default:
		a.write(uint16(reg), uint32(v))
	}
	return true
}
