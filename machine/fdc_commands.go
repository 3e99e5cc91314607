package machine

// A command's first byte has its code and flags.
const (
	fdcCode  = 0x1f
	fdcMulti = 1 << 7 // both sides of a cylinder
	fdcMFM   = 1 << 6
)

// Commands that data follows.
const (
	fdcWrite  = 0x05
	fdcRead   = 0x06
	fdcFormat = 0x0d
)

// fdcAbout is a command: how many parameters follow it, and what it does then.
type fdcAbout struct {
	parameters uint8
	run        func(c *FDC)
}

// fdcCommands are the commands by their codes, flags left out.
var fdcCommands = map[uint8]fdcAbout{
	0x03:      {2, (*FDC).specify},        // SPECIFY
	0x04:      {1, (*FDC).senseDrive},     // SENSE DRIVE STATUS
	fdcWrite:  {8, (*FDC).transfer},       // WRITE DATA
	fdcRead:   {8, (*FDC).transfer},       // READ DATA
	0x07:      {1, (*FDC).seek},           // RECALIBRATE
	0x08:      {0, (*FDC).senseInterrupt}, // SENSE INTERRUPT STATUS
	0x0a:      {1, (*FDC).readID},         // READ ID
	fdcFormat: {5, (*FDC).formatTrack},    // FORMAT TRACK
	0x0e:      {0, (*FDC).dump},           // DUMPREG
	0x0f:      {2, (*FDC).seek},           // SEEK
	0x10:      {0, (*FDC).version},        // VERSION
	0x12:      {1, (*FDC).perpendicular},  // PERPENDICULAR MODE
	0x13:      {3, (*FDC).configure},      // CONFIGURE
	0x14:      {0, (*FDC).lock},           // LOCK
}

// about is the command in the buffer. Codes without data allow but a few flags.
func (c *FDC) about() (about fdcAbout, known bool) {
	first := c.s.Buffer[0]
	code := first & fdcCode
	if about, known = fdcCommands[code]; !known {
		return about, false
	}
	allowed := uint8(0)
	switch code {
	case fdcWrite, fdcRead:
		allowed = fdcMulti | fdcMFM | 1<<5
	case fdcFormat, 0x0a:
		allowed = fdcMFM
	case 0x14:
		allowed = 1 << 7
	}
	return about, first&^fdcCode&^allowed == 0
}

// give is a write of the data port.
func (c *FDC) give(b uint8) {
	s := &c.s
	switch s.Phase {
	case fdcCommand:
		s.Buffer[s.At%16] = b
		s.At++
		about, known := c.about()
		switch {
		case !known:
			c.answer(st0Invalid)
		case s.At > about.parameters:
			s.At = 0
			about.run(c)
		}
	case fdcData:
		if s.Buffer[0]&fdcCode == fdcRead {
			return
		}
		c.lower()
		s.Data[s.Byte%SectorSize] = b
		s.Byte++
		if s.Buffer[0]&fdcCode == fdcFormat {
			c.formatted()
		} else if s.Byte >= SectorSize {
			c.written()
		}
	}
}

// take is a read of the data port.
func (c *FDC) take() (b uint8) {
	s := &c.s
	switch {
	case s.Phase == fdcData && s.Buffer[0]&fdcCode == fdcRead:
		c.lower()
		b = s.Data[s.Byte%SectorSize]
		if s.Byte++; s.Byte >= SectorSize {
			c.passed(false)
		}
	case s.Phase == fdcResult:
		c.lower()
		b = s.Buffer[s.At%16]
		if s.At++; s.At >= s.Len {
			s.Phase, s.At, s.Len = fdcCommand, 0, 0
		}
	}
	return b
}

// answer gives a result.
func (c *FDC) answer(result ...uint8) {
	c.s.Phase, c.s.At, c.s.Len = fdcResult, 0, uint8(copy(c.s.Buffer[:], result))
}

// done ends a command without a result.
func (c *FDC) done() { c.s.Phase, c.s.At = fdcCommand, 0 }

// selected is the drive that a command's first parameter names, side its head.
func (c *FDC) selected() uint8 { return c.s.Buffer[1] & 3 }
func (c *FDC) side() uint8     { return c.s.Buffer[1] >> 2 & 1 }

func (c *FDC) specify() {
	copy(c.s.Specify[:], c.s.Buffer[1:3])
	c.done()
}

// byPort tells whether data goes through the data port.
func (c *FDC) byPort() bool { return c.s.Specify[1]&1 != 0 }

func (c *FDC) senseDrive() {
	const ready, track0, twoSides = 1 << 5, 1 << 4, 1 << 3
	drive := c.selected()
	status := c.s.Buffer[1]&7 | ready | twoSides
	if c.s.Drives[drive].Cylinder == 0 {
		status |= track0
	}
	c.answer(status)
}

// seek is SEEK, and RECALIBRATE, which has no second parameter and goes to cylinder 0. Other
// commands may come while the head moves.
func (c *FDC) seek() {
	drive := c.selected()
	to := c.s.Buffer[2]
	if c.s.Buffer[0] == 0x07 {
		to = 0
	}
	c.s.Seeking |= 1 << drive
	c.s.Drives[drive].Cylinder = to
	c.done()
	c.wait(fdcSeek)
}

// arrived ends all seeks.
func (c *FDC) arrived() {
	for drive := range uint8(4) {
		if c.s.Seeking>>drive&1 == 0 {
			continue
		}
		status := st0SeekEnd | drive
		switch {
		case !c.has(drive):
			status |= st0Abnormal | st0Check // no track 0 was found
		default:
			c.s.Drives[drive].Seen = true
		}
		c.ask(drive, status)
	}
	c.s.Seeking = 0
}

func (c *FDC) senseInterrupt() {
	c.lower()
	for drive := range c.s.Asks {
		if c.s.Asks[drive] {
			c.s.Asks[drive] = false
			c.answer(c.s.Ask[drive], c.s.Drives[drive].Cylinder)
			return
		}
	}
	c.answer(st0Invalid)
}

func (c *FDC) version() { c.answer(0x90) }

func (c *FDC) perpendicular() {
	c.s.Perpendicular = c.s.Buffer[1]
	c.done()
}

func (c *FDC) configure() {
	copy(c.s.Configure[:], c.s.Buffer[2:4])
	c.done()
}

func (c *FDC) lock() {
	c.s.Lock = c.s.Buffer[0]>>7 != 0
	c.answer(c.s.Buffer[0] >> 7 << 4)
}

func (c *FDC) dump() {
	s := &c.s
	var all [10]uint8
	for drive := range s.Drives {
		all[drive] = s.Drives[drive].Cylinder
	}
	copy(all[4:], s.Specify[:])
	if drive := s.DOR & 1; c.has(drive) {
		all[6] = c.format(drive).track
	}
	if s.Lock {
		all[7] = 1 << 7
	}
	all[7] |= s.Perpendicular & 0x7f
	copy(all[8:], s.Configure[:])
	c.answer(all[:]...)
}

// proceed goes on when the time is up.
func (c *FDC) proceed() {
	switch {
	case c.s.Phase == fdcReset:
		c.awake()
	case c.s.Phase == fdcBusy:
		c.arrived()
		c.sector()
	default:
		c.arrived()
	}
}
