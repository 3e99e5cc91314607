package machine

// PM is ACPI's fixed hardware as the PIIX4 and QEMU's PCs have it, on IRQ 9, the SCI:
//
//	ports 0x600, 0x602   PM1 status and enable
//	port 0x604           PM1 control: SCI_EN, and SLP_EN with sleep type 0 (S5), which
//	                     turns the machine off and ends the run with TurnedOff
//	port 0x608           the PM timer, 24 bits of a clock of PMTimerHz
//	port 0xAFE0          general-purpose event 0: nothing raises one
//	ports 0xB2, 0xB3     the SMI command port and its companion: ACPIEnable and
//	                     ACPIDisable set and clear SCI_EN, as firmware's SMI handler would
//
// The one event is the timer's, when its bit 23 changes. There are no buttons, no
// bus master and no sleep but S5; their bits of the enable register are kept. With SCI_EN
// clear an event would be an SMI, of which there is none. A write of a single byte
// to PM1 control has no effect, as on QEMU. [ACPI Specification, ACPI Register Model;
// Intel 82371AB (PIIX4) data sheet, Power Management IO Space Registers]
type PM struct {
	s     pmState
	m     *Machine
	timer *Timer // the next SCI, while it can be seen
}

type pmState struct {
	Status, Enable, Control uint16 // PM1
	GPEnable                uint16
	Command, Companion      uint8  // ports 0xB2 and 0xB3
	Seen                    uint64 // the beat up to which status and SCI are right
}

// PMTimerHz is the frequency of the PM timer's clock, three times the 8254's.
const PMTimerHz = 3579545

const (
	sciIRQ = 9

	pmEvents   = 0x600
	pmControl  = 0x604
	pmTimer    = 0x608
	pmGeneral  = 0xafe0
	smiCommand = 0xb2

	acpiEnable  = 0xf1 // to smiCommand
	acpiDisable = 0xf0

	pmTimerBits = 24

	pmTimerEvent = 1 << 0 // of status and enable
	pmSCI        = 1 << 0 // of control
	pmRelease    = 1 << 2 // write only
	pmSleepType  = 7 << 10
	pmSleep      = 1 << 13 // write only
)

func newPM(m *Machine) *PM {
	p := &PM{m: m}
	p.timer = m.newLineTimer("pm", p, func() bool { return m.wakes(sciIRQ) })
	m.follow(p)
	return p
}

// places are the ports of the PM.
func (p *PM) places() []place {
	return []place{
		atPorts(PortRange{pmEvents, 4}, 2, pmEventPorts{p}),
		atPorts(PortRange{pmControl, 2}, 2, pmControlPort{p}),
		atPorts(PortRange{pmTimer, 4}, 4, pmTimerPort{p}),
		atPorts(PortRange{pmGeneral, 4}, 4, pmGeneralPorts{p}),
		atPorts(PortRange{smiCommand, 2}, 1, smiPorts{p}),
	}
}

func (p *PM) Name() string { return "pm" }
func (p *PM) State() any   { return &p.s }

// catchUp brings the status up to date, and the SCI with it.
func (p *PM) catchUp() {
	const half = pmTimerBits - 1
	asked, now := p.asks(), p.m.beats(PMTimerHz)
	if now>>half != p.s.Seen>>half {
		p.s.Status |= pmTimerEvent
	}
	p.s.Seen = now
	p.drive(asked)
}

// change changes registers at the present time.
func (p *PM) change(by func(s *pmState)) {
	p.catchUp()
	asked := p.asks()
	by(&p.s)
	p.drive(asked)
	p.plan()
}

// asks tells whether the SCI is asserted, drive follows a change of it.
func (p *PM) asks() bool { return p.s.Control&pmSCI != 0 && p.s.Status&p.s.Enable != 0 }

func (p *PM) drive(asked bool) {
	if asks := p.asks(); asks != asked {
		p.m.SetIRQ(sciIRQ, asks)
	}
}

// plan sets the timer to the next SCI, if that can be seen.
func (p *PM) plan() {
	next := uint64(never)
	if p.s.Control&pmSCI != 0 && p.s.Enable&^p.s.Status&pmTimerEvent != 0 && !p.m.masks(sciIRQ) {
		const half = 1 << (pmTimerBits - 1)
		next = p.m.tickOf((p.s.Seen/half+1)*half, PMTimerHz)
	}
	p.timer.Set(next)
}

// bytesAt are the bytes of a 32-bit value from off on, and withBytes has others there.
func bytesAt(v uint32, off uint16) uint32 { return v >> (8 * off) }

func withBytes(v uint32, off uint16, size uint8, others uint32) uint32 {
	mask := uint32(1<<(8*uint(size))-1) << (8 * off)
	return v&^mask | others<<(8*off)&mask
}

// pmEventPorts are PM1 status, of which writing a one clears a bit, and PM1 enable.
type pmEventPorts struct{ p *PM }

func (e pmEventPorts) In(off uint16, _ uint8) uint32 {
	e.p.catchUp()
	return bytesAt(uint32(e.p.s.Status)|uint32(e.p.s.Enable)<<16, off)
}

func (e pmEventPorts) Out(off uint16, size uint8, v uint32) {
	e.p.change(func(s *pmState) {
		s.Status &^= uint16(withBytes(0, off, size, v))
		s.Enable = uint16(withBytes(uint32(s.Enable)<<16, off, size, v) >> 16)
	})
}

// pmControlPort is PM1 control.
type pmControlPort struct{ p *PM }

func (c pmControlPort) In(off uint16, _ uint8) uint32 { return bytesAt(uint32(c.p.s.Control), off) }

func (c pmControlPort) Out(_ uint16, size uint8, v uint32) {
	if size != 2 {
		return
	}
	c.p.change(func(s *pmState) { s.Control = uint16(v) &^ (pmSleep | pmRelease) })
	if v&(pmSleep|pmSleepType) == pmSleep {
		c.p.m.power.off()
	}
}

// pmTimerPort is the timer, which cannot be written.
type pmTimerPort struct{ p *PM }

func (t pmTimerPort) In(off uint16, _ uint8) uint32 {
	return bytesAt(uint32(t.p.m.beats(PMTimerHz)&(1<<pmTimerBits-1)), off)
}

func (t pmTimerPort) Out(uint16, uint8, uint32) {}

// pmGeneralPorts are status and enable of general-purpose events.
type pmGeneralPorts struct{ p *PM }

func (g pmGeneralPorts) In(off uint16, _ uint8) uint32 {
	return bytesAt(uint32(g.p.s.GPEnable)<<16, off)
}

func (g pmGeneralPorts) Out(off uint16, size uint8, v uint32) {
	g.p.s.GPEnable = uint16(withBytes(uint32(g.p.s.GPEnable)<<16, off, size, v) >> 16)
}

// smiPorts are the SMI command port and its companion.
type smiPorts struct{ p *PM }

func (s smiPorts) In(off uint16, _ uint8) uint32 {
	if off == 0 {
		return uint32(s.p.s.Command)
	}
	return uint32(s.p.s.Companion)
}

func (s smiPorts) Out(off uint16, _ uint8, v uint32) {
	if off != 0 {
		s.p.s.Companion = uint8(v)
		return
	}
	s.p.change(func(s *pmState) {
		switch s.Command = uint8(v); v {
		case acpiEnable:
			s.Control |= pmSCI
		case acpiDisable:
			s.Control &^= pmSCI
		}
	})
}
