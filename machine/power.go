package machine

// Power is the ports by which a kernel turns a PC off or resets it. Either ends
// the run with Stopped, and Asked tells which it was.
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

type powerState struct{ Asked PowerRequest }

// PowerRequest is what a guest asked of the board's power.
type PowerRequest uint8

const (
	PowerKept  PowerRequest = iota // nothing
	PowerOff                       // to be turned off
	PowerReset                     // to be reset
)

// AddPower gives the board its power ports; it is for Config.Extra.
func AddPower(m *Machine) (*Power, error) {
	p := &Power{m: m}
	m.power = p
	m.Attach(p)
	for _, port := range []struct {
		at    PortRange
		width uint8
		out   func(v uint32) PowerRequest
	}{
		{PortRange{0x604, 2}, 2, sleepControl},
		{PortRange{0xcf9, 1}, 1, resetControl},
		{PortRange{0x64, 1}, 1, keyboardPulse},
	} {
		if err := m.Ports.Claim(port.at.First, port.at.N, port.width, &powerPort{p, port.width, port.out}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Power) Name() string { return "power" }
func (p *Power) State() any   { return &p.s }

// Asked is what the guest has asked for.
func (p *Power) Asked() PowerRequest { return p.s.Asked }

// ask ends the run for a request.
func (p *Power) ask(r PowerRequest) {
	p.s.Asked = r
	p.m.Stop()
}

// powerPort is one of the ports: what a write of its whole width asks for.
type powerPort struct {
	power *Power
	width uint8
	asks  func(v uint32) PowerRequest
}

func (p *powerPort) In(uint16, uint8) uint32 { return 0xffffffff }

func (p *powerPort) Out(_ uint16, size uint8, v uint32) {
	if size != p.width {
		return
	}
	if r := p.asks(v); r != PowerKept {
		p.power.ask(r)
	}
}

func sleepControl(v uint32) PowerRequest {
	const sleepType, sleepEnable = 7 << 10, 1 << 13
	if v&(sleepEnable|sleepType) == sleepEnable {
		return PowerOff
	}
	return PowerKept
}

func resetControl(v uint32) PowerRequest {
	if v&(1<<2) != 0 {
		return PowerReset
	}
	return PowerKept
}

func keyboardPulse(v uint32) PowerRequest {
	if v&0xf1 == 0xf0 {
		return PowerReset
	}
	return PowerKept
}
