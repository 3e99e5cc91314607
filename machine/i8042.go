package machine

// I8042 is the keyboard controller at ports 0x60 (data) and 0x64 (command,
// status), with a keyboard at its first port, on IRQ 1, and nothing at its
// second, that of a mouse, on IRQ 12: what is sent there times out. It has the output
// port's A20 gate and reset, the 32 bytes of its memory, of which byte 0 is the command byte,
// and translates scan codes.
//
// The controller itself takes no time: its input buffer is always empty, and its
// answers are there at once. A byte of the keyboard takes wireTime, and comes only
// while the output buffer is empty and the keyboard's port is enabled. As on an AT, an
// answer overwrites what is in the output buffer.
//
// Left out are the keylock, parity errors, passwords, the diagnostic dump and the test inputs:
// their commands have no answer. It begins as a PC's firmware leaves it:
// translating, with the interrupt of the keyboard on.
// [IBM PC AT Technical Reference, Keyboard Controller; IBM PS/2 Hardware Interface
// Technical Reference, Keyboard and Auxiliary Device Controller]
type I8042 struct {
	s    i8042State
	m    *Machine
	kbd  *Keyboard
	wire *Timer // a byte of the keyboard is on its way
}

type i8042State struct {
	RAM      [32]uint8
	Awaits   uint8 // the command that takes the next byte at port 0x60; 0: none does
	Command  bool  // the last write was to port 0x64
	Full     bool  // the output buffer
	Aux      bool  // what is in it is of the second port
	Data     uint8 // what is in it, or was
	TimedOut bool
	Released bool // translation: the prefix of a release has come
}

// wireTime is what a byte takes between keyboard and controller, in microseconds: 11
// bits at 16.7 kHz.
const wireTime = 660

const (
	keyboardIRQ = 1
	mouseIRQ    = 12
)

// Bits of the status.
const (
	kbcFull    = 1 << 0
	kbcSystem  = 1 << 2 // the command byte's, too
	kbcCommand = 1 << 3
	kbcNoLock  = 1 << 4
	kbcAux     = 1 << 5
	kbcTimeOut = 1 << 6
)

// Bits of the command byte.
const (
	kbcInterrupt    = 1 << 0
	kbcAuxInterrupt = 1 << 1
	kbcDisable      = 1 << 4
	kbcAuxDisable   = 1 << 5
	kbcTranslate    = 1 << 6
)

// Commands.
const (
	kbcReadRAM      = 0x20 // to 0x3F
	kbcWriteRAM     = 0x60 // to 0x7F
	kbcAuxOff       = 0xa7
	kbcAuxOn        = 0xa8
	kbcAuxTest      = 0xa9
	kbcSelfTest     = 0xaa
	kbcTest         = 0xab
	kbcOff          = 0xad
	kbcOn           = 0xae
	kbcReadInput    = 0xc0
	kbcReadOutput   = 0xd0
	kbcWriteOutput  = 0xd1
	kbcWriteData    = 0xd2
	kbcWriteAuxData = 0xd3
	kbcWriteAux     = 0xd4
	kbcA20Off       = 0xdd
	kbcA20On        = 0xdf
	kbcPulse        = 0xf0 // to 0xFF
)

// Bits of the output port; the rest are lines to the keyboard and read as 1.
const (
	outNoReset = 1 << 0
	outA20     = 1 << 1
	outFull    = 1 << 4
	outAuxFull = 1 << 5
	outRest    = 0xcc
)

func newI8042(m *Machine) *I8042 {
	c := &I8042{m: m}
	c.s.RAM[0] = kbcTranslate | kbcAuxDisable | kbcSystem | kbcInterrupt
	c.s.Command = true
	c.wire = m.Clock.NewTimer("8042", c.wakes, c.receive)
	c.kbd = newKeyboard(m, c)
	m.follow(c)
	return c
}

func (c *I8042) Name() string { return "8042" }
func (c *I8042) State() any   { return &c.s }

// places are the controller's ports.
func (c *I8042) places() []place {
	return []place{
		atPorts(PortRange{0x60, 1}, 1, i8042Port{c, (*I8042).readData, (*I8042).writeData}),
		atPorts(PortRange{0x64, 1}, 1, i8042Port{c, (*I8042).status, (*I8042).command}),
	}
}

// i8042Port is one of the two ports.
type i8042Port struct {
	c   *I8042
	in  func(*I8042) uint8
	out func(*I8042, uint8)
}

func (p i8042Port) In(uint16, uint8) uint32 {
	v := p.in(p.c)
	p.c.settle()
	return uint32(v)
}

func (p i8042Port) Out(_ uint16, _ uint8, v uint32) {
	p.c.kbd.s.Polls = 0
	p.out(p.c, uint8(v))
	p.c.settle()
}

// settle follows every change: it gives the interrupt lines their levels, and lets the keyboard send
// and be typed on if it may.
func (c *I8042) settle() {
	c.m.SetIRQ(keyboardIRQ, c.s.Full && !c.s.Aux && c.s.RAM[0]&kbcInterrupt != 0)
	c.m.SetIRQ(mouseIRQ, c.s.Full && c.s.Aux && c.s.RAM[0]&kbcAuxInterrupt != 0)
	if may := !c.s.Full && c.enabled() && c.kbd.sends(); !may && c.wire.Active() {
		c.wire.Stop()
	} else if may && !c.wire.Active() {
		c.wire.Set(c.m.after(c.kbd.takes()))
	}
	c.kbd.proceed()
}

// The controllers' masks tell whether the guest wants keys; the line needs nothing.
func (c *I8042) catchUp() {}
func (c *I8042) plan()    { c.kbd.proceed() }

// enabled tells whether the keyboard may send.
func (c *I8042) enabled() bool { return c.s.RAM[0]&kbcDisable == 0 }

// interrupts tells whether a byte of the keyboard can interrupt, wakes whether it would as things stand.
func (c *I8042) interrupts() bool { return c.s.RAM[0]&kbcInterrupt != 0 && !c.m.masks(keyboardIRQ) }
func (c *I8042) wakes() bool      { return c.interrupts() && c.m.wakes(keyboardIRQ) }

// receive is the end of a byte's way from the keyboard.
func (c *I8042) receive(uint64) {
	b := c.kbd.send()
	if c.s.RAM[0]&kbcTranslate != 0 {
		if b == scanBreak {
			c.s.Released = true
			c.settle()
			return
		}
		b = translate(b)
		if c.s.Released {
			b |= scanRelease
		}
	}
	c.s.Released = false
	c.put(b, false)
	c.settle()
}

// put puts a byte into the output buffer.
func (c *I8042) put(b uint8, aux bool) { c.s.Full, c.s.Aux, c.s.Data = true, aux, b }

// readData reads port 0x60. What was read last stays to be read.
func (c *I8042) readData() uint8 {
	if !c.s.Full {
		c.kbd.polled()
	}
	c.s.Full, c.s.Aux = false, false
	return c.s.Data
}

// status reads port 0x64.
func (c *I8042) status() uint8 {
	s := &c.s
	v := s.RAM[0]&kbcSystem | kbcNoLock
	for _, f := range [...]struct {
		on  bool
		bit uint8
	}{{s.Full, kbcFull}, {s.Command, kbcCommand}, {s.Full && s.Aux, kbcAux}, {s.TimedOut, kbcTimeOut}} {
		if f.on {
			v |= f.bit
		}
	}
	if !s.Full {
		c.kbd.polled()
	}
	return v
}

// writeData writes port 0x60: the byte that a command awaits, or one for the
// keyboard, which enables its port.
func (c *I8042) writeData(b uint8) {
	s := &c.s
	command := s.Awaits
	s.Awaits, s.Command, s.TimedOut = 0, false, false
	switch {
	case command == 0:
		s.RAM[0] &^= kbcDisable
		c.wire.Stop() // the keyboard gives way: what it was sending it sends again
		c.kbd.command(b)
	case command < kbcWriteRAM+32:
		s.RAM[command&31] = b
	case command == kbcWriteOutput:
		c.m.MMU.SetA20(b&outA20 != 0)
		c.pulse(b)
	case command == kbcWriteData:
		c.put(b, false)
	case command == kbcWriteAuxData:
		c.put(b, true)
	case command == kbcWriteAux:
		s.RAM[0] &^= kbcAuxDisable
		s.TimedOut = true
		c.put(kbdResend, true)
	}
}

// command writes port 0x64.
func (c *I8042) command(b uint8) {
	s := &c.s
	s.Awaits, s.Command, s.TimedOut = 0, true, false
	switch {
	case b >= kbcReadRAM && b < kbcReadRAM+32:
		c.put(s.RAM[b&31], false)
	case b >= kbcWriteRAM && b < kbcWriteRAM+32, b >= kbcWriteOutput && b <= kbcWriteAux:
		s.Awaits = b
	case b >= kbcPulse:
		c.pulse(b)
	}
	switch b {
	case kbcAuxOff:
		s.RAM[0] |= kbcAuxDisable
	case kbcAuxOn:
		s.RAM[0] &^= kbcAuxDisable
	case kbcAuxTest, kbcTest:
		c.put(0, false) // nothing wrong with its lines
	case kbcSelfTest:
		s.RAM[0] |= kbcSystem
		c.put(0x55, false)
	case kbcOff:
		s.RAM[0] |= kbcDisable
	case kbcOn:
		s.RAM[0] &^= kbcDisable
	case kbcReadInput:
		c.put(0x80, false) // the keyboard is not locked
	case kbcReadOutput:
		c.put(c.output(), false)
	case kbcA20Off, kbcA20On:
		c.m.MMU.SetA20(b == kbcA20On)
	}
}

// output is the output port.
func (c *I8042) output() uint8 {
	v := uint8(outRest | outNoReset)
	if c.m.MMU.Ctl.A20 {
		v |= outA20
	}
	switch {
	case c.s.Full && c.s.Aux:
		v |= outAuxFull
	case c.s.Full:
		v |= outFull
	}
	return v
}

// pulse sets the output port's lowest bits for a moment: 0 in the first resets.
func (c *I8042) pulse(b uint8) {
	if b&outNoReset == 0 {
		c.m.power.reset()
	}
}
