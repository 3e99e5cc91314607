package machine

// Power is what turns a PC off or resets it. Either ends the run, with TurnedOff
// or Reset.
//
//	port 0x604   ACPI's PM1 control (PM)
//	port 0xCF9   reset control, among PCI's ports: bit 2 resets; bit 1, which
//	             chooses the kind, is kept
//	port 0x64    the keyboard controller's output port (I8042)
//	port 0x92    fast reset: bit 0 (Port92)
//
// [Intel 82371SB (PIIX3) data sheet, Reset Control Register]
type Power struct {
	s powerState
	m *Machine
}

type powerState struct {
	Off, Reset   bool
	ResetControl uint8
}

func (p *Power) Name() string { return "power" }
func (p *Power) State() any   { return &p.s }

func (p *Power) off() {
	p.s.Off = true
	p.m.CPU.RequestStop()
}

func (p *Power) reset() {
	p.s.Reset = true
	p.m.CPU.RequestStop()
}

// Bits of reset control: which kind, and that it is to be now.
const (
	resetHard = 1 << 1
	resetNow  = 1 << 2
)

// resetControl takes a write to port 0xCF9.
func (p *Power) resetControl(v uint32) {
	p.s.ResetControl = uint8(v) & resetHard
	if v&resetNow != 0 {
		p.reset()
	}
}
