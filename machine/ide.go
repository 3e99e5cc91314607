package machine

// IDE is one of the PC's two channels for ATA disks, with a master and a slave: eight ports of
// registers, the control port, and an interrupt. Sectors go through the data port (PIO);
// there is no DMA, and IDENTIFY DEVICE says so. Which commands there are is told in
// ide_commands.go; addresses are CHS, LBA of 28 bits or of 48.
//
// Time is virtual: BSY is set for ideAccess before the first sectors of a command, for ideNext
// before the next ones, and the interrupt comes as it clears. A drive that is not there, and
// so a channel without drives, reads as all zeros, as on QEMU; the lines of a real one
// would float.
//
// While BSY or DRQ is set the registers and the command cannot be written; SRST can. Left out
// are power modes beyond their being told (a drive in standby wakes at once), security,
// SMART, and transfers of 8 bits: the data port takes and gives words of 16 bits, two of them
// in an access of 32 bits, and the low byte of one in an access of 8.
// [ANSI X3.279-1996, AT Attachment Interface with Extensions (ATA-2); ANSI NCITS 317-1998,
// AT Attachment with Packet Interface (ATA-4); NCITS 361-2002 (ATA-6) for 48-bit addresses]
type IDE struct {
	s     ideState
	m     *Machine
	name  string
	irq   uint8
	disks [2]*medium
	timer *Timer // the end of the command, or of its present part
}

// ideState is the state of a channel.
type ideState struct {
	// The registers, as last written, and what was there before: 48-bit commands take both.
	Feature, Count, Low, Mid, High [2]uint8
	Device, Control                uint8
	Drives                         [2]ideDrive
	Interrupt                      bool // INTRQ

	// The command under way.
	Command uint8
	Wide    bool   // its address has 48 bits, its count 16
	Sector  uint64 // the next one
	Left    uint32 // sectors not yet through the data port
	Block   uint32 // those that follow without waiting
	Failed  uint8  // bits of the error register that end it
	Data    [SectorSize]uint8
	At      uint16 // the next byte of Data
}

// ideDrive is the state of one drive.
type ideDrive struct {
	Status, Error  uint8
	Heads, Sectors uint8 // of a track, as the guest counts
	Multiple       uint8 // sectors of a block; 0: READ MULTIPLE is not possible
	Standby        bool
	NoWriteCache   bool
}

// Times, in microseconds of the board's second.
const (
	ideAccess = 20
	ideNext   = 4
)

// Registers, as offsets from the channel's first port.
const (
	ideData = iota
	ideError
	ideCount
	ideLow
	ideMid
	ideHigh
	ideDevice
	ideStatus
)

const (
	ideBSY  = 1 << 7 // of the status
	ideDRDY = 1 << 6
	ideDF   = 1 << 5
	ideDSC  = 1 << 4
	ideDRQ  = 1 << 3
	ideERR  = 1 << 0

	ideUNC  = 1 << 6 // of the error register
	ideIDNF = 1 << 4
	ideABRT = 1 << 2
	// ideFault is none of its bits: the command ends with DF in the status.
	ideFault = 1 << 0

	ideLBA   = 1 << 6 // of the device register
	ideSlave = 1 << 4
	ideFixed = 1<<7 | 1<<5 // read as ones

	ideNIEN = 1 << 1 // of the control port
	ideSRST = 1 << 2
	ideHOB  = 1 << 7
)

// ideChannels are the PC's channels.
var ideChannels = [2]struct {
	name       string
	first, ctl uint16
	irq        uint8
}{{"ide0", 0x1f0, 0x3f6, 14}, {"ide1", 0x170, 0x376, 15}}

// newIDE makes a channel, 0 or 1.
func newIDE(m *Machine, n int) *IDE {
	c := &IDE{m: m, name: ideChannels[n].name, irq: ideChannels[n].irq, disks: [2]*medium(m.media[2*n:])}
	wakes := func() bool { return c.s.Control&ideNIEN == 0 && m.wakes(c.irq) }
	c.timer = m.Clock.NewTimer(c.name, wakes, func(uint64) { c.proceed() })
	for i, d := range c.disks {
		if d.present() {
			c.s.Drives[i].Heads, c.s.Drives[i].Sectors = ideHeads, ideTrack
		}
	}
	c.reset()
	c.ready()
	return c
}

// places are the channel's ports.
func (c *IDE) places(n int) []place {
	return []place{
		atPorts(PortRange{ideChannels[n].first, 8}, 4, c),
		atPorts(PortRange{ideChannels[n].ctl, 1}, 1, ideControl{c}),
	}
}

func (c *IDE) Name() string { return c.name }
func (c *IDE) State() any   { return &c.s }

// drive is the drive that is selected, and disk the disk in it.
func (c *IDE) drive() *ideDrive { return &c.s.Drives[c.s.Device>>4&1] }
func (c *IDE) disk() *medium    { return c.disks[c.s.Device>>4&1] }

// occupied tells whether a drive is at work, or in the midst of a transfer.
func (c *IDE) occupied() bool {
	return (c.s.Drives[0].Status|c.s.Drives[1].Status)&(ideBSY|ideDRQ) != 0
}

func (c *IDE) In(off uint16, size uint8) uint32 {
	if off == ideData {
		v := c.takeWord()
		if size == 4 {
			v |= c.takeWord() << 16
		}
		return v
	}
	var v uint32
	for i := range uint16(size) {
		v |= uint32(c.read(off+i)) << (8 * i)
	}
	return v
}

func (c *IDE) Out(off uint16, size uint8, v uint32) {
	if off == ideData {
		c.putWord(uint16(v))
		if size == 4 {
			c.putWord(uint16(v >> 16))
		}
		return
	}
	for i := range uint16(size) {
		c.write(off+i, uint8(v>>(8*i)))
	}
}

// read reads a register of a byte; the status ends the interrupt.
func (c *IDE) read(off uint16) uint8 {
	if !c.disk().present() {
		if off == ideDevice && (c.disks[0].present() || c.disks[1].present()) {
			return c.s.Device | ideFixed
		}
		return 0
	}
	s := &c.s
	before := s.Control >> 7 // HOB: what was written before the last
	switch off {
	case ideError:
		return c.drive().Error
	case ideCount:
		return s.Count[before]
	case ideLow:
		return s.Low[before]
	case ideMid:
		return s.Mid[before]
	case ideHigh:
		return s.High[before]
	case ideDevice:
		return s.Device | ideFixed
	}
	s.Interrupt = false
	c.interrupt()
	return c.drive().Status
}

// write writes a register of a byte.
func (c *IDE) write(off uint16, v uint8) {
	s := &c.s
	if c.occupied() || s.Control&ideSRST != 0 {
		return
	}
	s.Control &^= ideHOB
	set := func(r *[2]uint8) { r[0], r[1] = v, r[0] }
	switch off {
	case ideError:
		set(&s.Feature)
	case ideCount:
		set(&s.Count)
	case ideLow:
		set(&s.Low)
	case ideMid:
		set(&s.Mid)
	case ideHigh:
		set(&s.High)
	case ideDevice:
		s.Device = v
		c.interrupt()
	case ideStatus:
		c.command(v)
	}
}

// interrupt gives the interrupt line its level.
func (c *IDE) interrupt() {
	c.m.SetIRQ(c.irq, c.s.Interrupt && c.s.Control&ideNIEN == 0 && c.disk().present())
}

// ideControl is the channel's control port, which reads as the status without an effect.
type ideControl struct{ c *IDE }

func (p ideControl) In(uint16, uint8) uint32 {
	if !p.c.disk().present() {
		return 0
	}
	return uint32(p.c.drive().Status)
}

func (p ideControl) Out(_ uint16, _ uint8, v uint32) {
	c := p.c
	before := c.s.Control
	c.s.Control = uint8(v)
	switch {
	case c.s.Control&^before&ideSRST != 0:
		c.reset()
	case before&^c.s.Control&ideSRST != 0:
		c.wait(ideAccess)
	}
	c.interrupt()
}

// reset begins a reset of both drives, which makes them busy.
func (c *IDE) reset() {
	c.timer.Stop()
	c.s.Interrupt = false
	c.s.Command, c.s.Left, c.s.Block, c.s.Failed = ideReset, 0, 0, 0
	c.sign()
	for i := range c.s.Drives {
		d := &c.s.Drives[i]
		d.Status, d.Multiple, d.Standby, d.NoWriteCache = ideBSY, 0, false, false
	}
}

// sign leaves in the registers that the drives are well and are disks: the signature of a
// device without packets.
func (c *IDE) sign() {
	s := &c.s
	s.Count, s.Low, s.Mid, s.High, s.Device = [2]uint8{1}, [2]uint8{1}, [2]uint8{}, [2]uint8{}, 0
	s.Drives[0].Error, s.Drives[1].Error = 1, 1
}

// ready ends what both drives were doing.
func (c *IDE) ready() {
	c.s.Drives[0].Status, c.s.Drives[1].Status = ideDRDY|ideDSC, ideDRDY|ideDSC
}

// wait makes the drive go on after some microseconds.
func (c *IDE) wait(micros uint64) { c.timer.Set(c.m.after(micros)) }
