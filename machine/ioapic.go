package machine

// IOAPIC is the 82093AA I/O APIC at 0xFEC00000: 24 pins, each with an entry that
// says which message its interrupt becomes. IRQ 0 is at pin 2, the others at the pins of
// their number, and the output of the 8259A at pin 0; pins 16 and up are the HPET's alone. The messages
// go to the local APIC, or are lost.
//
// Its registers are reached by an index at offset 0 and a window at offset 0x10, in
// 32 bits; other accesses read zeros and write nothing. As on QEMU the version is
// 0x20, of a later chip, whose register at offset 0x40 ends an interrupt by its vector, and
// polarity is kept and has no effect: what is wired here asserts by a high level.
//
// An edge at a masked pin is lost, a level is not. SMIs and start-up messages have no effect.
// [Intel 82093AA data sheet; MultiProcessor Specification 1.4, Default Configurations]
type IOAPIC struct {
	s ioapicState
	m *Machine
}

type ioapicState struct {
	Index uint8
	ID    uint32
	Lines uint32 // levels at the pins
	Pins  [ioapicPins]uint64
}

const (
	ioapicPage = 0xfec00000
	ioapicPins = 24

	ioapicIndex  = 0x00
	ioapicWindow = 0x10
	ioapicEOI    = 0x40

	// Registers behind the window.
	ioapicID          = 0x00
	ioapicVersion     = 0x01
	ioapicArbitration = 0x02
	ioapicEntries     = 0x10

	ioapicModel = 0x20
	ioapicIDs   = 0x0f << 24

	// Of an entry.
	pinLogical   = 1 << 11
	pinRemoteIRR = 1 << 14
	pinLevel     = 1 << 15
	pinMasked    = 1 << 16
	pinBits      = 0xff<<56 | 0x1afff // what can be written

	picPin   = 0 // the 8259A's output
	timerPin = 2 // IRQ 0
)

func newIOAPIC(m *Machine) *IOAPIC {
	a := &IOAPIC{m: m}
	for i := range a.s.Pins {
		a.s.Pins[i] = pinMasked
	}
	return a
}

func (a *IOAPIC) Name() string { return "ioapic" }
func (a *IOAPIC) State() any   { return &a.s }

// pinOf is the pin that an IRQ is wired to.
func pinOf(irq uint8) int {
	if irq == 0 {
		return timerPin
	}
	return int(irq)
}

func (a *IOAPIC) Read(off uint64, size uint) uint64 {
	switch {
	case size != 4:
	case off == ioapicIndex:
		return uint64(a.s.Index)
	case off == ioapicWindow:
		return uint64(a.register())
	}
	return 0
}

func (a *IOAPIC) Write(off uint64, size uint, v uint64) {
	switch {
	case size != 4:
	case off == ioapicIndex:
		a.s.Index = uint8(v)
	case off == ioapicWindow:
		a.setRegister(uint32(v))
	case off == ioapicEOI:
		a.ended(uint8(v))
	}
}

// register is the one that the index chooses.
func (a *IOAPIC) register() uint32 {
	switch i := int(a.s.Index); {
	case i == ioapicID, i == ioapicArbitration:
		return a.s.ID
	case i == ioapicVersion:
		return ioapicModel | (ioapicPins-1)<<16
	case i >= ioapicEntries && i < ioapicEntries+2*ioapicPins:
		return uint32(a.s.Pins[(i-ioapicEntries)/2] >> (32 * (i & 1)))
	}
	return 0
}

func (a *IOAPIC) setRegister(v uint32) {
	i := int(a.s.Index)
	if i == ioapicID {
		a.s.ID = v & ioapicIDs
	}
	if i < ioapicEntries || i >= ioapicEntries+2*ioapicPins {
		return
	}
	a.m.catchUp()
	n := (i - ioapicEntries) / 2
	p := &a.s.Pins[n]
	if i&1 == 0 {
		*p = *p>>32<<32 | uint64(v)&pinBits | *p&pinRemoteIRR
	} else {
		*p = *p&0xffffffff | uint64(v)<<32&pinBits
	}
	if *p&pinLevel == 0 {
		*p &^= pinRemoteIRR
	}
	a.m.rerouted()
}

// set sets the level of a pin.
func (a *IOAPIC) set(n int, level bool) {
	bit := uint32(1) << n
	rises := level && a.s.Lines&bit == 0
	a.s.Lines &^= bit
	if level {
		a.s.Lines |= bit
	}
	switch p := a.s.Pins[n]; {
	case byLevel(p):
		a.serve(n)
	case rises && p&pinMasked == 0:
		a.send(n)
	}
}

// serve sends the message of a level that stands, once until it is ended.
func (a *IOAPIC) serve(n int) {
	p := &a.s.Pins[n]
	if byLevel(*p) && *p&(pinMasked|pinRemoteIRR) == 0 && a.s.Lines>>n&1 != 0 && a.send(n) {
		*p |= pinRemoteIRR
	}
}

// rerouted serves all levels anew: a message that nobody took may find somebody now.
func (a *IOAPIC) rerouted() {
	for n := range a.s.Pins {
		a.serve(n)
	}
}

// pinMode is an entry's delivery mode, and byLevel tells whether its pin is level
// triggered: all modes but two are for edges alone.
func pinMode(entry uint64) uint8 { return uint8(entry >> 8 & 7) }
func byLevel(entry uint64) bool  { return entry&pinLevel != 0 && pinMode(entry) <= deliverLowest }

// send sends a pin's message. It tells whether somebody took it.
func (a *IOAPIC) send(n int) (taken bool) {
	p, local := a.s.Pins[n], a.m.APIC
	if local == nil || !local.hears(uint32(p>>56), p&pinLogical != 0) {
		return false
	}
	return local.message(pinMode(p), uint8(p), byLevel(p))
}

// ended is a local APIC's message that a level's interrupt has ended. One that
// stands still comes again. [82093AA, I/O Redirection Table Registers, Remote IRR]
func (a *IOAPIC) ended(vector uint8) {
	for n := range a.s.Pins {
		if p := &a.s.Pins[n]; *p&pinRemoteIRR != 0 && uint8(*p) == vector {
			*p &^= pinRemoteIRR
			a.serve(n)
		}
	}
}

// masks tells whether a pin cannot interrupt whatever its level.
func (a *IOAPIC) masks(n int) bool { return a.s.Pins[n]&pinMasked != 0 }

// wakes tells whether a request at a pin would reach the processor as things stand.
func (a *IOAPIC) wakes(n int) bool {
	p, local := a.s.Pins[n], a.m.APIC
	return p&(pinMasked|pinRemoteIRR) == 0 && local != nil && local.hears(uint32(p>>56), p&pinLogical != 0) &&
		local.wakes(uint32(p)&0x7ff)
}
