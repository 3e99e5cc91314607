package machine

import "math/bits"

// This file is how an interrupt gets through the local APIC: accepted into IRR,
// held back by priorities, acknowledged into ISR, ended.

// vectors is a set of vectors, as IRR, ISR and TMR hold one.
type vectors [8]uint32

func (v *vectors) set(n uint8)      { v[n/32] |= 1 << (n % 32) }
func (v *vectors) clear(n uint8)    { v[n/32] &^= 1 << (n % 32) }
func (v *vectors) has(n uint8) bool { return v[n/32]>>(n%32)&1 != 0 }

// highest is the vector of highest priority, 0 if there is none. Vectors below 16
// never are.
func (v *vectors) highest() uint8 {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] != 0 {
			return uint8(32*i + 31 - bits.LeadingZeros32(v[i]))
		}
	}
	return 0
}

// firstVector is the lowest that an interrupt may have. [SDM 3A, Interrupt, Task, and Processor Priority]
const firstVector = 16

// ppr is the processor's priority: that of the task, or that of what is in
// service if its class is higher. [SDM 3A, Task and Processor Priorities]
func (a *APIC) ppr() uint8 {
	tpr, serving := a.tpr(), a.s.ISR.highest()
	if tpr>>4 >= serving>>4 {
		return tpr
	}
	return serving &^ 15
}

// arbitration is APR, with which a processor on the serial bus bids for interrupts of
// lowest priority. [SDM 3A, Arbitration Priority Register]
func (a *APIC) arbitration() uint8 {
	if !a.kind.SerialBus {
		return 0
	}
	tpr, asked, serving := a.tpr(), a.s.IRR.highest(), a.s.ISR.highest()
	if tpr>>4 >= asked>>4 && tpr>>4 > serving>>4 {
		return tpr
	}
	return max(tpr, asked, serving) &^ 15
}

// passes tells whether an interrupt would get through to the processor now.
func (a *APIC) passes(vector uint8) bool { return vector>>4 > a.ppr()>>4 }

// asks tells whether the APIC has an interrupt for the processor.
func (a *APIC) asks() bool { return a.extINT() || a.passes(a.s.IRR.highest()) }

// extINT tells whether the 8259A's interrupt is asked for: by one of the pins, or by
// a message.
func (a *APIC) extINT() bool {
	for n, level := range a.s.Pins {
		if level && a.open(lvtLINT0+n) && a.s.LVT[lvtLINT0+n]>>8&7 == deliverExtINT {
			return true
		}
	}
	return a.s.ExtINT
}

// open tells whether an entry of the local vector table is not masked.
func (a *APIC) open(entry int) bool { return a.s.LVT[entry]&lvtMasked == 0 }

// wakes tells whether an interrupt as an entry of the local vector table has it
// would reach the processor as things stand.
func (a *APIC) wakes(entry uint32) bool {
	if entry&lvtMasked != 0 || !a.enabled() {
		return false
	}
	switch entry >> 8 & 7 {
	case deliverFixed, deliverLowest:
		return a.s.SVR&svrEnabled != 0 && a.passes(uint8(entry)) && a.m.takesINTR()
	case deliverExtINT:
		return a.m.takesINTR()
	}
	return true
}

// accept puts an interrupt into IRR. One that is there already is the same one.
// [SDM 3A, Interrupt Acceptance for Fixed Interrupts]
func (a *APIC) accept(vector uint8, level bool) (accepted bool) {
	switch {
	case !a.enabled() || a.s.SVR&svrEnabled == 0:
		return false
	case vector < firstVector:
		a.fail(errReceiveIllegal)
		return false
	}
	a.s.IRR.set(vector)
	if level {
		a.s.TMR.set(vector)
	} else {
		a.s.TMR.clear(vector)
	}
	a.m.setINTR()
	return true
}

// ack is the processor's acknowledge: the highest request goes into service. ok is
// false where the 8259A gives the vector. What goes away meanwhile leaves the
// spurious vector. [SDM 3A, Spurious Interrupt]
func (a *APIC) ack() (vector uint8, ok bool) {
	v := a.s.IRR.highest()
	switch {
	case a.passes(v):
		a.catchUp() // what the timer asked for before is the same request
		a.s.IRR.clear(v)
		a.s.ISR.set(v)
		a.plan()
	case a.extINT():
		a.s.ExtINT = false
		return 0, false
	default:
		v = uint8(a.s.SVR)
	}
	a.m.setINTR()
	return v, true
}

// eoi ends the interrupt of highest priority in service. That of a level tells the
// I/O APIC, and the pins. [SDM 3A, Signaling Interrupt Servicing Completion]
func (a *APIC) eoi() {
	v := a.s.ISR.highest()
	if v == 0 {
		return
	}
	a.s.ISR.clear(v)
	if a.s.TMR.has(v) {
		for n := range a.s.Pins {
			if e := &a.s.LVT[lvtLINT0+n]; *e&lvtRemoteIRR != 0 && uint8(*e) == v {
				*e &^= lvtRemoteIRR
				if a.s.Pins[n] {
					a.local(lvtLINT0 + n)
				}
			}
		}
		a.m.IOAPIC.ended(v)
	}
	a.m.setINTR()
}

// local delivers an interrupt of the APIC's own, as the local vector table says.
// ExtINT is a level, and found by extINT.
func (a *APIC) local(entry int) {
	e := &a.s.LVT[entry]
	if *e&lvtMasked != 0 {
		return
	}
	switch mode, vector := *e>>8&7, uint8(*e); mode {
	case deliverFixed:
		pin := entry == lvtLINT0 || entry == lvtLINT1
		level := pin && *e&lvtLevel != 0
		if level && *e&lvtRemoteIRR != 0 {
			return
		}
		if a.accept(vector, level) && level {
			*e |= lvtRemoteIRR
		}
	case deliverNMI:
		a.m.CPU.RaiseNMI()
	case deliverINIT:
		a.m.power.reset()
	}
}

// pin sets the level of LINT0 or LINT1. An APIC that is off has them as INTR and NMI.
func (a *APIC) pin(n int, level bool) {
	rises := level && !a.s.Pins[n]
	a.s.Pins[n] = level
	switch {
	case !rises:
	case a.enabled():
		a.local(lvtLINT0 + n)
	case n == 1:
		a.m.CPU.RaiseNMI()
	}
	a.m.setINTR()
}

// logical is LDR as x2APIC mode derives it. [SDM 3A, Deriving Logical x2APIC ID from the Local x2APIC ID]
func (a *APIC) logical() uint32 { return 1 }

// hears tells whether a message's destination is this APIC. [SDM 3A, Determining IPI Destination]
func (a *APIC) hears(dest uint32, logical bool) bool {
	switch {
	case !a.enabled():
		return false
	case a.x2():
		const everybody = 0xffffffff
		if dest == everybody || !logical {
			return dest == everybody || dest == 0
		}
		return dest>>16 == a.logical()>>16 && dest&a.logical()&0xffff != 0
	case !logical:
		return dest == everybody8 || dest == uint32(a.s.ID)
	}
	own := a.s.LDR >> 24
	if a.s.DFR>>28 == 0xf { // flat
		return dest&own != 0
	}
	return (dest>>4 == own>>4 || dest>>4 == 0xf) && dest&own&15 != 0
}

// message delivers what the APIC was sent. SMIs and start-up messages have no
// effect: there is no system management mode, and nobody waits to be started.
func (a *APIC) message(mode, vector uint8, level bool) (accepted bool) {
	switch mode {
	case deliverFixed, deliverLowest:
		return a.accept(vector, level)
	case deliverNMI:
		a.m.CPU.RaiseNMI()
	case deliverINIT:
		a.m.power.reset()
	case deliverExtINT:
		a.s.ExtINT = true
		a.m.setINTR()
	}
	return true
}

// send carries out what was written to ICR. [SDM 3A, Issuing Interprocessor Interrupts]
func (a *APIC) send() {
	const toLogical, asserted, triggerLevel = 1 << 11, 1 << 14, 1 << 15
	icr := a.s.ICR
	mode, vector := uint8(icr>>8&7), uint8(icr)
	heard := false
	switch icr >> 18 & 3 {
	case 0:
		dest := uint32(icr >> 32)
		if !a.x2() {
			dest >>= 24
		}
		heard = a.hears(dest, icr&toLogical != 0)
	case 1, 2: // self, all including self
		heard = a.enabled()
	}
	switch {
	case mode == deliverINIT && icr&triggerLevel != 0 && icr&asserted == 0:
		// A de-assertion only sets arbitration priorities.
	case mode <= deliverLowest && vector < firstVector:
		a.fail(errSendIllegal)
	case heard:
		a.message(mode, vector, false)
	case a.kind.SerialBus:
		a.fail(errSendAccept)
	}
}

// toSelf is the SELF IPI register.
func (a *APIC) toSelf(vector uint8) {
	if vector < firstVector {
		a.fail(errSendIllegal)
		return
	}
	a.accept(vector, false)
}

// fail notes an error. The first one since ESR was written interrupts.
// [SDM 3A, Error Handling]
func (a *APIC) fail(err uint32) {
	first := a.s.Errors == 0
	a.s.Errors |= err
	if first {
		a.local(lvtError)
	}
}
