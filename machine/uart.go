package machine

// UART is a 16550A serial port at eight ports: registers, both FIFOs, divisor
// latch, scratch, modem lines, loopback and all five interrupts. Sending takes no
// time: THR is empty at once. Receiving takes rxTicks for each byte, whatever the
// divisor, and waits while the FIFO is full, so the line never overruns; only
// loopback does. How long a character takes by divisor and format is what the
// time-out of the receiver goes by. Parity, framing and break do not occur.
// Interrupts go to the port's line through the gate that MCR.OUT2 opens, as on a
// PC: in loopback it is shut. [National PC16550D data sheet]
type UART struct {
	s    uartState
	name string
	irq  uint8
	out  *Output
	in   *Input
	pos  int // bytes taken from in
	rx   *Timer
	quit *Timer // the time-out of the receiver, while it can be seen
	m    *Machine
}

// uartState is the device's state, flat.
type uartState struct {
	IER, FCR, LCR, MCR, SCR uint8
	DLL, DLM                uint8
	Overrun                 bool
	SendEmpty               bool  // the THR-empty interrupt is pending
	Delta                   uint8 // MSR bits 0-3
	FIFO                    [16]byte
	Head, Len               uint8
	Listening               bool  // the guest has shown that it wants input
	IdlePolls               uint8 // reads of LSR beyond those that sending explains

	Moved uint64 // the tick at which the FIFO last got a byte or was read
}

const (
	// rxTicks is the time between two received bytes.
	rxTicks = 1000
	// livePollTicks is the time between two looks at a live input that was empty.
	livePollTicks = 50000
	// idlePolls is how many more times LSR is read than THR is written before
	// the guest counts as listening. A guest that only sends reads LSR once
	// for each byte, and must not wait for an input that may never come.
	idlePolls = 16
	// timeoutChars is how many characters' time the receiver's FIFO is left alone
	// before the time-out. [PC16550D, FIFO Interrupt Mode Operation]
	timeoutChars = 4
	// uartHz is the rate of the crystal, of which 16 clocks make a bit at divisor 1.
	uartHz = 1_843_200
)

// Register offsets, with DLAB = 0 where it matters.
const (
	uartData = iota // RBR, THR; DLL
	uartIER         // DLM
	uartIIR         // FCR
	uartLCR
	uartMCR
	uartLSR
	uartMSR
	uartSCR
)

const (
	lsrDR   = 1 << 0
	lsrOE   = 1 << 1
	lsrTHRE = 1 << 5
	lsrTEMT = 1 << 6

	mcrDTR  = 1 << 0
	mcrRTS  = 1 << 1
	mcrOUT1 = 1 << 2
	mcrOUT2 = 1 << 3
	mcrLoop = 1 << 4

	msrCTS = 1 << 4
	msrDSR = 1 << 5
	msrRI  = 1 << 6
	msrDCD = 1 << 7

	lcrDLAB = 1 << 7

	lcrStop   = 1 << 2
	lcrParity = 1 << 3

	// The lower half of IIR.
	iirModem     = 0
	iirNone      = 1
	iirSendEmpty = 2
	iirData      = 4
	iirLine      = 6
	iirTimeout   = 0xc

	ierData      = 1 << 0
	ierSendEmpty = 1 << 1
	ierLine      = 1 << 2
	ierModem     = 1 << 3

	fcrFIFO = 1 << 0

	uartIRQ  = 4
	uart2IRQ = 3
)

// newUART makes a port; its name is that of its timers, too.
func newUART(m *Machine, name string, irq uint8, out *Output, in *Input) *UART {
	u := &UART{m: m, name: name, irq: irq, out: out, in: in}
	u.rx = m.Clock.NewTimer(name, u.wakes, u.receive)
	u.quit = m.Clock.NewTimer(name+" time-out", u.wakes, func(uint64) { u.changed() })
	m.follow(u)
	return u
}

func (u *UART) Name() string { return u.name }
func (u *UART) State() any   { return &u.s }

func (u *UART) In(off uint16, _ uint8) uint32 {
	v := u.read(off)
	u.changed()
	return v
}

func (u *UART) Out(off uint16, _ uint8, v uint32) {
	u.write(off, uint8(v))
	u.changed()
}

func (u *UART) read(off uint16) uint32 {
	s := &u.s
	switch {
	case off == uartData && s.LCR&lcrDLAB != 0:
		return uint32(s.DLL)
	case off == uartIER && s.LCR&lcrDLAB != 0:
		return uint32(s.DLM)
	}
	switch off {
	case uartData:
		u.listen()
		return uint32(u.pop())
	case uartIER:
		return uint32(s.IER)
	case uartIIR:
		return uint32(u.identify())
	case uartLCR:
		return uint32(s.LCR)
	case uartMCR:
		return uint32(s.MCR)
	case uartLSR:
		if s.IdlePolls++; s.IdlePolls >= idlePolls {
			s.IdlePolls = idlePolls
			u.listen()
		}
		v := u.lineStatus()
		s.Overrun = false
		return uint32(v)
	case uartMSR:
		v := u.modemLines() | s.Delta
		s.Delta = 0
		return uint32(v)
	}
	return uint32(s.SCR)
}

func (u *UART) write(off uint16, b uint8) {
	s := &u.s
	switch {
	case off == uartData && s.LCR&lcrDLAB != 0:
		s.DLL = b
		return
	case off == uartIER && s.LCR&lcrDLAB != 0:
		s.DLM = b
		return
	}
	switch off {
	case uartData:
		if s.IdlePolls > 0 {
			s.IdlePolls--
		}
		// The byte fills THR, which ends the interrupt, and is gone.
		s.SendEmpty = false
		u.drive()
		s.SendEmpty = true
		if s.MCR&mcrLoop != 0 {
			u.push(b)
		} else {
			u.out.put(b)
		}
	case uartIER:
		if b&ierSendEmpty != 0 && s.IER&ierSendEmpty == 0 {
			s.SendEmpty = true
		}
		s.IER = b & 0x0f
		if s.IER&ierData != 0 {
			u.listen()
		}
	case uartIIR: // FCR
		if (b^s.FCR)&fcrFIFO != 0 || b&2 != 0 {
			s.Head, s.Len = 0, 0
		}
		s.FCR = b & 0xc9
		if b&fcrFIFO == 0 {
			s.FCR = 0
		}
		u.hear()
	case uartLCR:
		s.LCR = b
	case uartMCR:
		before := u.modemLines()
		s.MCR = b & 0x1f
		u.modemChanged(before)
	case uartSCR:
		s.SCR = b
	}
}

// depth is the receiver's capacity.
func (u *UART) depth() uint8 {
	if u.s.FCR&fcrFIFO != 0 {
		return 16
	}
	return 1
}

// push receives a byte. A full FIFO keeps what it has and loses the new byte;
// without FIFO the new byte replaces the old one. Either way it is an overrun.
func (u *UART) push(b byte) {
	s := &u.s
	s.Moved = u.m.Clock.Now()
	if s.Len == u.depth() {
		s.Overrun = true
		if s.Len == 1 {
			s.FIFO[s.Head&15] = b
		}
		return
	}
	s.FIFO[(s.Head+s.Len)&15] = b
	s.Len++
}

// pop gives the oldest byte received, or zero.
func (u *UART) pop() byte {
	s := &u.s
	if s.Len == 0 {
		return 0
	}
	b := s.FIFO[s.Head&15]
	s.Moved = u.m.Clock.Now()
	s.Head = (s.Head + 1) & 15
	s.Len--
	u.hear()
	return b
}

func (u *UART) lineStatus() uint8 {
	v := uint8(lsrTHRE | lsrTEMT)
	if u.s.Len > 0 {
		v |= lsrDR
	}
	if u.s.Overrun {
		v |= lsrOE
	}
	return v
}

// modemLines is MSR's upper half: a peer that is always ready, or in loopback
// the four outputs of MCR.
func (u *UART) modemLines() uint8 {
	if u.s.MCR&mcrLoop == 0 {
		return msrCTS | msrDSR | msrDCD
	}
	var v uint8
	for _, l := range [...][2]uint8{{mcrRTS, msrCTS}, {mcrDTR, msrDSR}, {mcrOUT1, msrRI}, {mcrOUT2, msrDCD}} {
		if u.s.MCR&l[0] != 0 {
			v |= l[1]
		}
	}
	return v
}

// modemChanged records in MSR's lower half which lines have moved; RI counts
// when it falls.
func (u *UART) modemChanged(before uint8) {
	now := u.modemLines()
	moved := before ^ now
	if now&msrRI != 0 {
		moved &^= msrRI
	}
	u.s.Delta |= moved >> 4
}

// identify is a read of IIR, which answers the THR-empty interrupt.
func (u *UART) identify() uint8 {
	v := u.pending()
	if v == iirSendEmpty {
		u.s.SendEmpty = false
	}
	if u.s.FCR&fcrFIFO != 0 {
		v |= 0xc0
	}
	return v
}

// open tells whether the gate to the interrupt line is.
func (u *UART) open() bool { return u.s.MCR&(mcrOUT2|mcrLoop) == mcrOUT2 }

// drive gives the interrupt line its level.
func (u *UART) drive() { u.m.SetIRQ(u.irq, u.open() && u.pending() != iirNone) }

// changed follows whatever may have changed the line now or for later.
func (u *UART) changed() {
	u.drive()
	u.plan()
}

// catchUp raises the line if a time-out has come that nobody could see.
func (u *UART) catchUp() {
	if u.open() && u.pending() == iirTimeout {
		u.drive()
	}
}

// plan sets the timer to the time-out of the receiver, if that will interrupt.
func (u *UART) plan() {
	s := &u.s
	next := uint64(never)
	if s.IER&ierData != 0 && u.open() && s.FCR&fcrFIFO != 0 && s.Len > 0 && !u.timedOut() && !u.m.masks(u.irq) {
		next = s.Moved + u.timeout()
	}
	if next != u.quit.at {
		u.quit.Set(next)
	}
}

// timeout is how many ticks the receiver's time-out has: a character is a start bit,
// the data bits, parity and the stop bits. A divisor of 0, which the data sheet leaves
// open, counts as 1.
func (u *UART) timeout() uint64 {
	s := &u.s
	bits := 1 + 5 + uint64(s.LCR&3) + 1
	if s.LCR&lcrParity != 0 {
		bits++
	}
	if s.LCR&lcrStop != 0 {
		bits++
	}
	divisor := max(uint64(s.DLM)<<8|uint64(s.DLL), 1)
	return u.m.tickOf(timeoutChars*bits*16*divisor, uartHz)
}

// timedOut tells whether the FIFO holds bytes and was left alone for the time of
// the time-out.
func (u *UART) timedOut() bool {
	s := &u.s
	return s.FCR&fcrFIFO != 0 && s.Len > 0 && u.m.Clock.Now()-s.Moved >= u.timeout()
}

// wakes tells whether a byte received would interrupt the processor.
func (u *UART) wakes() bool { return u.s.IER&ierData != 0 && u.open() && u.m.wakes(u.irq) }

// pending is the lower half of IIR: the pending interrupt of highest priority.
// [PC16550D, Interrupt Control Functions]
func (u *UART) pending() uint8 {
	s := &u.s
	trigger := [...]uint8{1, 4, 8, 14}[s.FCR>>6]
	switch {
	case s.IER&ierLine != 0 && s.Overrun:
		return iirLine
	case s.IER&ierData != 0 && u.timedOut():
		return iirTimeout
	case s.IER&ierData != 0 && s.Len >= trigger:
		return iirData
	case s.IER&ierSendEmpty != 0 && s.SendEmpty:
		return iirSendEmpty
	case s.IER&ierModem != 0 && s.Delta != 0:
		return iirModem
	}
	return iirNone
}

// listen notes that the guest wants input.
func (u *UART) listen() {
	if !u.s.Listening {
		u.s.Listening = true
		u.hear()
	}
}

// hear lets the next byte come if the guest listens and there is room.
func (u *UART) hear() {
	if u.in != nil && u.s.Listening && u.s.Len < u.depth() && !u.rx.Active() {
		u.rx.Set(u.m.Clock.Now() + rxTicks)
	}
}

// receive is the receiver's timer: one byte from the line.
func (u *UART) receive(now uint64) {
	if u.in == nil || u.s.Len >= u.depth() {
		return
	}
	u.out.Flush() // a prompt without newline; its error comes again at the end of the run
	b, ok, more := u.in.take(u.m.ctx, u.pos, now, u.in.live && u.m.CPU.State().Halted)
	switch {
	case ok:
		u.pos++
		u.push(b)
		u.changed()
		u.hear()
	case more:
		u.rx.Set(now + livePollTicks)
	}
}
