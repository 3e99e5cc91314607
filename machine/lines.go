package machine

import "x86emu/idt"

// This file is what the devices' interrupt lines lead to, from the device to the
// processor's INTR.

// lazyLine is a device whose line need not be right while nobody looks at it.
type lazyLine interface {
	// catchUp gives the line its level: a guest is about to see it.
	catchUp()
	// plan sees to it that the line changes in time from now on, if it is not
	// masked: masks may have changed.
	plan()
}

// follow makes a device catch up and plan when the guest uses the interrupt
// controllers.
func (m *Machine) follow(d lazyLine) { m.lazy = append(m.lazy, d) }

// newLineTimer makes the timer by which a device plans its line: it fires when the line
// changes by itself.
func (m *Machine) newLineTimer(name string, d lazyLine, wakes func() bool) *Timer {
	return m.Clock.NewTimer(name, wakes, func(uint64) {
		d.catchUp()
		d.plan()
	})
}

// catchUp precedes whatever a guest does with an interrupt controller.
func (m *Machine) catchUp() {
	for _, d := range m.lazy {
		d.catchUp()
	}
}

// replan follows what may have changed a mask.
func (m *Machine) replan() {
	for _, d := range m.lazy {
		d.plan()
	}
}

// SetIRQ sets the level that a device gives its interrupt line of the board, 0 to 15. It
// leads to the 8259A and to the I/O APIC, if the HPET does not have it.
func (m *Machine) SetIRQ(irq uint8, level bool) {
	if m.PIC != nil && !m.HPET.keeps(irq, level) {
		m.setLine(irq, level)
	}
}

// setLine sets the level of a line, whoever drives it. Most devices tell theirs at each access,
// when it seldom changes.
func (m *Machine) setLine(irq uint8, level bool) {
	if m.PIC.level(irq) == level {
		return
	}
	m.PIC.SetIRQ(irq, level)
	m.IOAPIC.set(pinOf(irq), level || m.HPET.holds(pinOf(irq)))
}

// lineAt is the level of the line at a pin that the HPET may share with it.
func (m *Machine) lineAt(pin int) bool {
	return pin == timerPin && m.PIC.level(pitIRQ) || pin == rtcIRQ && m.PIC.level(rtcIRQ)
}

// masks tells whether a device's line cannot interrupt whatever its level.
func (m *Machine) masks(irq uint8) bool {
	return m.PIC == nil || m.HPET.replaces(irq) || m.lineMasked(irq)
}

// lineMasked tells the same of a line whoever drives it.
func (m *Machine) lineMasked(irq uint8) bool {
	return (m.PIC.masks(irq) || !m.hearsPIC()) && m.IOAPIC.masks(pinOf(irq))
}

// wakes tells whether a device's request on its line would interrupt the processor, or
// wake it, as things stand.
func (m *Machine) wakes(irq uint8) bool {
	return m.PIC != nil && !m.HPET.replaces(irq) && m.lineWakes(irq)
}

// lineWakes tells the same of a line whoever drives it.
func (m *Machine) lineWakes(irq uint8) bool {
	switch {
	case m.IOAPIC.wakes(pinOf(irq)):
		return true
	case m.PIC.holds(irq):
		return false
	case m.APIC == nil || !m.APIC.enabled():
		return m.takesINTR()
	}
	return m.APIC.wakes(m.APIC.s.LVT[lvtLINT0]) || m.IOAPIC.wakes(picPin)
}

// hearsPIC tells whether the 8259A's INTR leads anywhere: to the processor itself, or
// to a local APIC or an I/O APIC that does not mask it.
func (m *Machine) hearsPIC() bool {
	return m.APIC == nil || !m.APIC.enabled() || m.APIC.open(lvtLINT0) || !m.IOAPIC.masks(picPin)
}

// takesINTR tells whether the processor takes maskable interrupts.
func (m *Machine) takesINTR() bool { return m.CPU.Regs().RFLAGS&idt.FlagIF != 0 }

// setPIC takes the level of the 8259A's INTR, which is a pin of the local APIC
// and of the I/O APIC.
func (m *Machine) setPIC(level bool) {
	if m.APIC != nil {
		m.APIC.pin(0, level)
	}
	m.IOAPIC.set(picPin, level)
	m.setINTR()
}

// rerouted follows a change of where the lines lead to.
func (m *Machine) rerouted() {
	m.IOAPIC.rerouted()
	m.replan()
	m.setINTR()
}

// setINTR derives the processor's INTR from all that drive it.
func (m *Machine) setINTR() {
	asks := m.intr.s.Pending
	switch {
	case m.PIC == nil:
	case m.APIC == nil || !m.APIC.enabled():
		asks = asks || m.PIC.asks()
	default:
		asks = asks || m.APIC.asks()
	}
	m.CPU.SetINTR(asks)
}

// acknowledge is the processor's interrupt acknowledge: it gives the vector.
func (m *Machine) acknowledge() uint8 {
	if m.intr.s.Pending || m.PIC == nil {
		return m.intr.ack()
	}
	if m.APIC != nil && m.APIC.enabled() {
		if vector, ok := m.APIC.ack(); ok {
			return vector
		}
	}
	return m.PIC.ack()
}
