package machine

// Power is the ports by which a kernel turns a PC off or resets it. Either ends
// the run, with TurnedOff or Reset.
//
//	port 0x604   ACPI's PM1a control, where QEMU's PCs have it: a word with
//	             SLP_EN (bit 13) and sleep type 0 turns the machine off
//	port 0xCF9   reset control: bit 2 resets
//	port 0x64    the keyboard controller's output port pulsed: 0xF0 to 0xFE,
//	             even, resets
//	port 0x92    fast reset: bit 0 (Port92)
//
// Nothing else of these devices is here: the ports read as all ones.
// [ACPI Specification, PM1 Control Registers; Intel ICH9, Reset Control
// Register; IBM PC AT Technical Reference, Keyboard Controller]
type Power struct {
	s powerState
	m *Machine
}

type powerState struct{ Off, Reset bool }

// places are the power ports.
func (p *Power) places() []place {
	var list []place
	for _, port := range []struct {
		at    PortRange
		width uint8
		out   func(p *Power, v uint32)
	}{
		{PortRange{0x604, 2}, 2, (*Power).sleepControl},
		{PortRange{0xcf9, 1}, 1, (*Power).resetControl},
		{PortRange{0x64, 1}, 1, (*Power).keyboardPulse},
	} {
		list = append(list, atPorts(port.at, port.width, &powerPort{p, port.width, port.out}))
	}
	return list
}

func (p *Power) Name() string { return "power" }
func (p *Power) State() any   { return &p.s }

func (p *Power) sleepControl(v uint32) {
	const sleepType, sleepEnable = 7 << 10, 1 << 13
	if v&(sleepEnable|sleepType) == sleepEnable {
		p.s.Off = true
		p.m.CPU.RequestStop()
	}
}

func (p *Power) resetControl(v uint32) {
	if v&(1<<2) != 0 {
		p.reset()
	}
}

func (p *Power) keyboardPulse(v uint32) {
	if v&0xf1 == 0xf0 {
		p.reset()
	}
}

func (p *Power) reset() {
	p.s.Reset = true
	p.m.CPU.RequestStop()
}

// powerPort is one of the ports: what a write of its whole width does.
type powerPort struct {
	power *Power
	width uint8
	out   func(p *Power, v uint32)
}

func (p *powerPort) In(uint16, uint8) uint32 { return 0xffffffff }

func (p *powerPort) Out(_ uint16, size uint8, v uint32) {
	if size == p.width {
		p.out(p.power, v)
	}
}
