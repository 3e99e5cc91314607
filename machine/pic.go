package machine

import "math/bits"

// PIC is the pair of 8259A interrupt controllers, wired as a PC has them: the
// master at ports 0x20 and 0x21 drives INTR, the slave at 0xA0 and 0xA1 the
// master's input 2; ports 0x4D0 and 0x4D1 (ELCR) make single inputs level
// triggered. Sixteen lines come in: IRQ 0 to 7 at the master, 8 to 15 at the
// slave. Until its initialisation words are written a controller asks for
// nothing. [Intel 8259A data sheet; Intel 82371SB (PIIX3) data sheet, Interrupt Controller]
type PIC struct {
	s picState
	m *Machine
}

type picState struct{ Master, Slave chip8259 }

// Inputs of the master and the slave that ELCR cannot make level triggered are
// those of the board's own devices. [82371SB, ELCR1; ELCR2]
const (
	elcrMaster = 0xf8
	elcrSlave  = 0xde
)

// cascade is the master's input that the slave drives, and the slave's number.
const cascade = 2

func newPIC(m *Machine) *PIC {
	p := &PIC{m: m}
	p.s.Master.IMR, p.s.Slave.IMR, p.s.Slave.Slave = 0xff, 0xff, true
	return p
}

// places are the pair's ports.
func (p *PIC) places() []place {
	m, s := &p.s.Master, &p.s.Slave
	return []place{
		atPorts(PortRange{0x20, 2}, 1, picPorts{p, m}), atPorts(PortRange{0xa0, 2}, 1, picPorts{p, s}),
		atPorts(PortRange{0x4d0, 1}, 1, elcrPort{p, m, elcrMaster}), atPorts(PortRange{0x4d1, 1}, 1, elcrPort{p, s, elcrSlave}),
	}
}

func (p *PIC) Name() string { return "pic" }
func (p *PIC) State() any   { return &p.s }

// SetIRQ sets the level of a line, 0 to 15. Line 2 is the slave's own: it is
// left alone.
func (p *PIC) SetIRQ(irq uint8, level bool) {
	switch {
	case irq >= 8:
		p.s.Slave.set(irq&7, level)
	case irq != cascade:
		p.s.Master.set(irq, level)
	}
	p.wire()
}

// level is that of a line.
func (p *PIC) level(irq uint8) bool {
	if irq >= 8 {
		return p.s.Slave.Lines>>(irq&7)&1 != 0
	}
	return p.s.Master.Lines>>irq&1 != 0
}

// written follows a write by the guest.
func (p *PIC) written() {
	p.wire()
	p.m.replan()
}

// wire passes the outputs on: the slave's to the master, the master's to the processor.
func (p *PIC) wire() {
	p.s.Master.set(cascade, p.s.Slave.INT)
	p.m.setPIC(p.asks())
}

// asks tells whether the master has INTR asserted.
func (p *PIC) asks() bool { return p.s.Master.INT }

// masks tells whether a line cannot interrupt whatever its level.
func (p *PIC) masks(irq uint8) bool {
	m, s := &p.s.Master, &p.s.Slave
	if irq >= 8 {
		return s.closed(irq&7) || m.closed(cascade)
	}
	return m.closed(irq)
}

// holds tells whether a line cannot interrupt as things stand: it is masked, or
// its priority is no higher than that of an interrupt in service.
func (p *PIC) holds(irq uint8) bool {
	m, s := &p.s.Master, &p.s.Slave
	if p.masks(irq) {
		return true
	}
	if irq >= 8 {
		return !s.passes(irq&7) || !m.passes(cascade)
	}
	return !m.passes(irq)
}

// ack is the processor's acknowledge: the vector comes from the slave if the
// master names it. [8259A, Cascade Mode]
func (p *PIC) ack() uint8 {
	m, s := &p.s.Master, &p.s.Slave
	n, ok := m.ack()
	v := m.Base | n
	if ok && m.slaves()>>n&1 != 0 {
		if n == cascade && s.Cascade&7 == n {
			n, _ = s.ack()
			v = s.Base | n
			p.acked(s)
		} else {
			v = 0xff // nobody answers to the number
		}
	}
	p.acked(m)
	return v
}

// acked follows an acknowledge of one controller: its output falls before it
// rises for the next request, so that the slave's is an edge to the master.
func (p *PIC) acked(c *chip8259) {
	if c.Slave {
		p.s.Master.set(cascade, false)
	}
	c.settle()
	p.wire()
}

// picPorts are one controller's two ports, elcrPort its place in ELCR.
type picPorts struct {
	p *PIC
	c *chip8259
}

func (p picPorts) In(off uint16, _ uint8) uint32 {
	p.p.m.catchUp()
	v, polled := p.c.in(off)
	if polled {
		p.p.acked(p.c)
	}
	return uint32(v)
}

func (p picPorts) Out(off uint16, _ uint8, v uint32) {
	p.p.m.catchUp()
	p.c.out(off, uint8(v))
	p.p.written()
}

type elcrPort struct {
	p    *PIC
	c    *chip8259
	able uint8
}

func (e elcrPort) In(uint16, uint8) uint32 { return uint32(e.c.Level) }

func (e elcrPort) Out(_ uint16, _ uint8, v uint32) {
	e.p.m.catchUp()
	e.c.Level = uint8(v) & e.able
	e.c.settle()
	e.p.written()
}

// chip8259 is the whole state of one 8259A. Bit n of a mask is input n.
type chip8259 struct {
	Slave   bool  // wired as one (SP# low)
	Lines   uint8 // levels at the inputs
	Edges   uint8 // inputs that have risen and were not acknowledged since
	Level   uint8 // inputs that ELCR makes level triggered
	LTIM    bool  // ICW1: all are
	ISR     uint8 // in service
	IMR     uint8 // masked
	INT     bool  // the output
	Ready   bool  // initialised
	Awaited uint8 // the initialisation word that comes next, 2 to 4; 0: none
	Single  bool  // ICW1: no cascade, no ICW3
	Fourth  bool  // ICW1: ICW4 will come
	Base    uint8 // ICW2: vector of input 0
	Cascade uint8 // ICW3: master: the inputs that slaves drive; slave: its number
	AEOI    bool  // ICW4: the acknowledge is the end of interrupt as well
	Nested  bool  // ICW4: special fully nested mode
	Lowest  uint8 // the input of lowest priority
	Rotate  bool  // OCW2: the end by acknowledge rotates
	Special bool  // OCW3: special mask mode
	ReadISR bool  // OCW3: a read gives ISR, not IRR
	Poll    bool  // OCW3: the next read is an acknowledge
}

// Bits of the command words. The even port takes ICW1, OCW2 and OCW3.
const (
	icw1     = 1 << 4
	icw1LTIM = 1 << 3
	icw1SNGL = 1 << 1
	icw1IC4  = 1 << 0
	icw4SFNM = 1 << 4
	icw4AEOI = 1 << 1
	ocw3     = 1 << 3
	ocw3ESMM = 1 << 6
	ocw3SMM  = 1 << 5
	ocw3P    = 1 << 2
	ocw3RR   = 1 << 1
	ocw3RIS  = 1 << 0
)

// set sets the level of an input. One that falls before the acknowledge takes
// its request with it, but leaves INT: the acknowledge then finds input 7.
// [8259A, Edge and Level Triggered Modes]
func (c *chip8259) set(n uint8, level bool) {
	bit := uint8(1) << n
	if !level {
		c.Lines &^= bit
		c.Edges &^= bit
		return
	}
	c.Edges |= bit &^ c.Lines
	c.Lines |= bit
	if _, ok := c.request(); ok {
		c.INT = true
	}
}

// irr is the interrupt request register.
func (c *chip8259) irr() uint8 {
	if c.LTIM {
		return c.Lines
	}
	return c.Lines & (c.Edges | c.Level)
}

// slaves are the inputs that other controllers drive.
func (c *chip8259) slaves() uint8 {
	if c.Slave || c.Single {
		return 0
	}
	return c.Cascade
}

// closed tells whether an input cannot become a request.
func (c *chip8259) closed(n uint8) bool { return !c.Ready || c.IMR>>n&1 != 0 }

// first gives the input of highest priority in a mask, and its rank from 0 on;
// a rank of 8 is none.
func (c *chip8259) first(mask uint8) (n uint8, rank int) {
	highest := c.Lowest + 1
	rank = bits.TrailingZeros8(bits.RotateLeft8(mask, -int(highest&7)))
	return (highest + uint8(rank)) & 7, rank
}

// serving is what holds back requests of the same and of lower priority: all in
// service, in special mask mode only what is not masked. [8259A, Fully Nested Mode; Special Mask Mode]
func (c *chip8259) serving() uint8 {
	if c.Special {
		return c.ISR &^ c.IMR
	}
	return c.ISR
}

// request gives the input that asks for service, if one does.
func (c *chip8259) request() (n uint8, ok bool) {
	n, rank := c.first(c.irr() &^ c.IMR)
	if !c.Ready || rank == 8 {
		return 0, false
	}
	return n, c.passes(n)
}

// passes tells whether what is in service lets a request of an input through.
func (c *chip8259) passes(n uint8) bool {
	_, rank := c.first(1 << n)
	_, limit := c.first(c.serving())
	if c.Nested && rank == limit && c.slaves()>>n&1 != 0 {
		// A slave may ask again while it is served: its inputs have priorities of
		// their own. [8259A, The Special Fully Nested Mode]
		return true
	}
	return rank < limit
}

// settle derives INT.
func (c *chip8259) settle() { _, c.INT = c.request() }

// ack puts the request of highest priority into service. Without any it gives
// input 7, which is not in service then. [8259A, Interrupt Sequence]
func (c *chip8259) ack() (n uint8, ok bool) {
	n, ok = c.request()
	c.INT = false
	if !ok {
		return 7, false
	}
	c.Edges &^= 1 << n
	if !c.AEOI {
		c.ISR |= 1 << n
	} else if c.Rotate {
		c.Lowest = n
	}
	return n, true
}

// in reads a port: 0 is the even one. A poll takes precedence at either.
// [8259A, Reading the 8259A Status; Poll Command]
func (c *chip8259) in(off uint16) (v uint8, polled bool) {
	switch {
	case c.Poll:
		c.Poll = false
		if n, ok := c.ack(); ok {
			v = 0x80 | n
		}
		return v, true
	case off == 1:
		return c.IMR, false
	case c.ReadISR:
		return c.ISR, false
	}
	return c.irr(), false
}

// out writes a port: 0 is the even one.
func (c *chip8259) out(off uint16, v uint8) {
	switch {
	case off == 0 && v&icw1 != 0:
		c.begin(v)
	case off == 0 && v&ocw3 != 0:
		if v&ocw3ESMM != 0 {
			c.Special = v&ocw3SMM != 0
		}
		if v&ocw3RR != 0 {
			c.ReadISR = v&ocw3RIS != 0
		}
		c.Poll = v&ocw3P != 0
	case off == 0:
		c.ocw2(v)
	case c.Awaited != 0:
		c.initWord(v)
	default:
		c.IMR = v
	}
	c.settle()
}

// begin is ICW1. It clears the mask and the edges seen, makes input 7 the
// lowest, the slave's number 7, ends special mask mode and has reads give IRR;
// what ICW4 sets is off until that comes. [8259A, Initialization Command Words]
func (c *chip8259) begin(v uint8) {
	*c = chip8259{
		Slave: c.Slave, Lines: c.Lines, Level: c.Level, Awaited: 2, Lowest: 7, Cascade: 7,
		LTIM: v&icw1LTIM != 0, Single: v&icw1SNGL != 0, Fourth: v&icw1IC4 != 0,
	}
}

// initWord takes ICW2 to ICW4. ICW4's choice between 8080 and 8086 is not
// looked at: the vector is ICW2's in both.
func (c *chip8259) initWord(v uint8) {
	switch c.Awaited {
	case 2:
		c.Base = v &^ 7
	case 3:
		c.Cascade = v
	case 4:
		c.Nested, c.AEOI = v&icw4SFNM != 0, v&icw4AEOI != 0
	}
	c.Awaited++
	if c.Awaited == 3 && c.Single {
		c.Awaited++
	}
	if c.Awaited == 5 || c.Awaited == 4 && !c.Fourth {
		c.Awaited, c.Ready = 0, true
	}
}

// ocw2 ends interrupts and rotates priorities; its upper three bits are R, SL
// and EOI. [8259A, Operation Control Word 2]
func (c *chip8259) ocw2(v uint8) {
	n, rank := v&7, 0
	switch v >> 5 {
	case 0b000, 0b100: // rotate in AEOI mode: clear, set
		c.Rotate = v>>7 != 0
		return
	case 0b010: // no operation
		return
	case 0b001, 0b101: // non-specific EOI: the highest in service, without and with rotation
		n, rank = c.first(c.serving())
	}
	if rank == 8 {
		return
	}
	if v>>5&1 != 0 {
		c.ISR &^= 1 << n
	}
	if v>>7 != 0 {
		c.Lowest = n
	}
}
