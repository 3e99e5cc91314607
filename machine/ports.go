package machine

// PortRange is N ports from First on; with N = 0 there is none.
type PortRange struct {
	First uint16
	N     int
}

func (r PortRange) overlaps(o PortRange) bool {
	return r.N > 0 && o.N > 0 && int(r.First) < int(o.First)+o.N && int(o.First) < int(r.First)+r.N
}

// PortMap says where those devices of the board stand that other boards have
// elsewhere or not at all. A device without a port is out of the guest's reach.
type PortMap struct {
	Serial  PortRange // COM1; it needs eight ports
	Console PortRange // the debug console
	Exit    PortRange // a write ends the run with the value

	// What a bare board lacks.
	Serial2 PortRange // COM2; it needs eight ports
	Exit2   PortRange // as Exit, where QEMU has its isa-debug-exit by default; none where Exit itself is
}

// StandardPorts is the board as package machine describes it.
var StandardPorts = PortMap{
	Serial: PortRange{0x3f8, 8}, Console: PortRange{0xe9, 1}, Exit: PortRange{0xf4, 4},
	Serial2: PortRange{0x2f8, 8}, Exit2: PortRange{0x501, 2},
}

// ports is where the devices of this machine stand.
func (m *Machine) ports() *PortMap {
	if m.cfg.Ports == nil {
		return &StandardPorts
	}
	return m.cfg.Ports
}

// DebugConsole is port 0xE9: a byte written goes out, a read gives 0xE9, by
// which a guest tells that it is there.
type DebugConsole struct{ out *Output }

func (d *DebugConsole) Name() string                    { return "debugcon" }
func (d *DebugConsole) State() any                      { return new(struct{}) }
func (d *DebugConsole) In(uint16, uint8) uint32         { return 0xe9 }
func (d *DebugConsole) Out(_ uint16, _ uint8, v uint32) { d.out.put(byte(v)) }

// ExitPort is port 0xF4 (four ports wide), on a PC port 0x501 (two wide) as well: a
// write ends the run with the value written. It reads as all ones.
type ExitPort struct {
	s exitState
	m *Machine
}

type exitState struct {
	Done  bool
	Value uint32
}

func (e *ExitPort) Name() string            { return "exit" }
func (e *ExitPort) State() any              { return &e.s }
func (e *ExitPort) In(uint16, uint8) uint32 { return 0xffffffff }
func (e *ExitPort) Out(_ uint16, _ uint8, v uint32) {
	if !e.s.Done { // the first of the bytes into which a wide access may be split
		e.s = exitState{true, v}
	}
	e.m.CPU.RequestStop()
}

// PostPort is port 0x80, where firmware shows how far it has come: it keeps
// the last byte.
type PostPort struct{ s postState }

type postState struct{ Code uint8 }

func (p *PostPort) Name() string                    { return "post" }
func (p *PostPort) State() any                      { return &p.s }
func (p *PostPort) In(uint16, uint8) uint32         { return uint32(p.s.Code) }
func (p *PostPort) Out(_ uint16, _ uint8, v uint32) { p.s.Code = uint8(v) }

// Port92 is system control port A: bit 1 is the A20 gate, which is kept in the
// processor's state; the other bits can be written and read. Bit 0 is fast
// reset: a board with Power ends the run, on others it has no effect, for there
// is no firmware to come back to.
type Port92 struct {
	s port92State
	m *Machine
}

type port92State struct{ Rest uint8 }

func (p *Port92) Name() string { return "port92" }
func (p *Port92) State() any   { return &p.s }
func (p *Port92) In(uint16, uint8) uint32 {
	v := p.s.Rest
	if p.m.MMU.Ctl.A20 {
		v |= 2
	}
	return uint32(v)
}
func (p *Port92) Out(_ uint16, _ uint8, v uint32) {
	p.s.Rest = uint8(v) &^ 3
	p.m.MMU.SetA20(v&2 != 0)
	if v&1 != 0 && p.m.power != nil {
		p.m.power.reset()
	}
}

// Interrupts is the way to raise INTR from outside of the board, past the
// interrupt controllers: one request with its vector, held until it is acknowledged.
type Interrupts struct {
	s intrState
	m *Machine
}

type intrState struct {
	Pending bool
	Vector  uint8
}

func (i *Interrupts) Name() string { return "intr" }
func (i *Interrupts) State() any   { return &i.s }

// raise requests an interrupt; a request not yet acknowledged is replaced.
func (i *Interrupts) raise(vector uint8) {
	i.s = intrState{true, vector}
	i.m.setINTR()
}

// ack answers the processor.
func (i *Interrupts) ack() uint8 {
	i.s.Pending = false
	i.m.setINTR()
	return i.s.Vector
}
