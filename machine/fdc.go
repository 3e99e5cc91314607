package machine

import (
	"errors"
	"slices"
)

// FDC is an 82077AA floppy disk controller with two drives, at ports 0x3F2 to 0x3F5 and
// 0x3F7, on IRQ 6. Data goes by channel 2 of the DMA controllers, or byte by byte through
// the data port (SPECIFY with ND set); without a TC a transfer ends at the last sector of
// the track, as the data sheet has it: an end of cylinder.
//
// Time is virtual: a seek takes fdcSeek however far it is, the first sector of a command fdcFirst,
// each further one fdcNext; bytes of a sector are there at once. A drive is there when it holds a
// disk, which CMOS memory tells. The image's size says which: 360, 720, 1200, 1440 or 2880 KiB; one
// that is smaller than 1440 KiB and none of these is the beginning of a disk of 1440 KiB, whose
// rest is zeros.
//
// Left out are deleted data, READ TRACK, SCAN, VERIFY, relative seeks and the registers of the PS/2
// at 0x3F0 and 0x3F1; data rates and motors are kept and have no effect. There is no write protection.
// [Intel 82077AA data sheet; IBM PC AT Technical Reference, Diskette Adapter]
type FDC struct {
	s     fdcState
	m     *Machine
	disks [2]*medium
	timer *Timer
}

// fdcState is the controller's state.
type fdcState struct {
	DOR, TDR, DSR, CCR uint8
	Phase              fdcPhase
	Buffer             [16]uint8 // the command's bytes, then those of the result
	At, Len            uint8     // of them
	Interrupt          bool

	// Kept by SPECIFY, CONFIGURE, PERPENDICULAR MODE and LOCK.
	Specify       [2]uint8
	Configure     [2]uint8 // the second and third parameter
	Perpendicular uint8
	Lock          bool

	Drives  [4]fdcDrive
	Ask     [4]uint8 // the status that SENSE INTERRUPT STATUS will tell of a drive
	Asks    [4]bool  // there is one
	Seeking uint8    // a bit for each drive that seeks

	// The transfer under way.
	Head, Sector uint8 // the next sector; its cylinder is the drive's
	Failed       [3]uint8
	Data         [SectorSize]uint8
	Byte         uint16 // the next one of Data
	Left         uint16 // bytes to come of FORMAT TRACK
}

// fdcDrive is the state of one drive.
type fdcDrive struct {
	Cylinder uint8
	Seen     bool // the head has moved since the disk was put in
}

type fdcPhase = uint8

const (
	fdcCommand fdcPhase = iota // takes a command and its parameters
	fdcBusy                    // at work
	fdcData                    // bytes go through the data port
	fdcResult                  // gives the result
	fdcReset                   // held in reset, or on the way out of it
)

// Times, in microseconds of the board's second.
const (
	fdcSeek  = 100
	fdcFirst = 50
	fdcNext  = 10
	fdcWakes = 20 // after a reset
)

const (
	fdcIRQ = 6
	fdcDMA = 2

	dorAwake = 1 << 2 // else: reset
	dorGate  = 1 << 3 // lets interrupt and DMA out

	msrRQM  = 1 << 7
	msrDIO  = 1 << 6
	msrNDMA = 1 << 5
	msrBusy = 1 << 4

	st0Abnormal = 1 << 6
	st0Invalid  = 1 << 7
	st0Reset    = 3 << 6
	st0SeekEnd  = 1 << 5
	st0Check    = 1 << 4

	st1EndOfCylinder = 1 << 7
	st1DataError     = 1 << 5
	st1Overrun       = 1 << 4
	st1NoData        = 1 << 2
	st1NotWritable   = 1 << 1
	st1NoAddress     = 1 << 0

	st2WrongCylinder = 1 << 4

	configureImplied = 1 << 6
	configureNoPoll  = 1 << 4
)

// floppy is a format of a floppy disk: sectors of a track and cylinders, on two sides, and
// the type of drive that CMOS memory tells.
type floppy struct{ track, cylinders, drive uint8 }

const floppySides = 2

func (f floppy) sectors() uint64 { return uint64(f.track) * uint64(f.cylinders) * floppySides }

var floppies = []floppy{{9, 40, 1}, {9, 80, 3}, {15, 80, 2}, {18, 80, 4}, {36, 80, 5}}

// errFloppy tells which disks a drive takes.
var errFloppy = errors.New("a floppy disk has 360, 720, 1200, 1440 or 2880 KiB, or is the beginning of one of 1440 KiB")

// IsFloppy tells whether so many bytes are a whole floppy disk.
func IsFloppy(size uint64) bool { return wholeFloppy(size) >= 0 }

// wholeFloppy is the place among floppies of the format that has so many bytes, or -1.
func wholeFloppy(size uint64) int {
	return slices.IndexFunc(floppies, func(f floppy) bool { return f.sectors()*SectorSize == size })
}

// floppyOf is the format of an image of so many bytes.
func floppyOf(size uint64) (f floppy, err error) {
	if i := wholeFloppy(size); i >= 0 {
		return floppies[i], nil
	}
	const usual = 3
	if f = floppies[usual]; size > f.sectors()*SectorSize {
		err = errFloppy
	}
	return f, err
}

// format is the format of the disk in a drive.
func (c *FDC) format(drive uint8) floppy {
	f, _ := floppyOf(c.disks[drive].size) // New has refused others
	return f
}

// has tells whether there is a disk in a drive.
func (c *FDC) has(drive uint8) bool { return int(drive) < len(c.disks) && c.disks[drive].present() }

func newFDC(m *Machine) *FDC {
	c := &FDC{m: m, disks: [2]*medium(m.media[firstFloppy:])}
	c.s.DOR = dorAwake | dorGate
	wakes := func() bool { return c.s.DOR&dorGate != 0 && m.wakes(fdcIRQ) }
	c.timer = m.Clock.NewTimer("fdc", wakes, func(uint64) { c.proceed() })
	return c
}

// places are the controller's ports.
func (c *FDC) places() []place {
	return []place{atPorts(PortRange{0x3f2, 4}, 1, c), atPorts(PortRange{0x3f7, 1}, 1, fdcInput{c})}
}

func (c *FDC) Name() string { return "fdc" }
func (c *FDC) State() any   { return &c.s }

// Ports, as offsets.
const (
	fdcDOR = iota
	fdcTDR
	fdcMSR
	fdcFIFO
)

func (c *FDC) In(off uint16, _ uint8) uint32 {
	switch off {
	case fdcDOR:
		return uint32(c.s.DOR)
	case fdcTDR:
		return uint32(c.s.TDR)
	case fdcMSR:
		return uint32(c.status())
	}
	return uint32(c.take())
}

func (c *FDC) Out(off uint16, _ uint8, v uint32) {
	b := uint8(v)
	switch off {
	case fdcDOR:
		before := c.s.DOR
		c.s.DOR = b
		switch {
		case before&^b&dorAwake != 0:
			c.reset()
		case b&^before&dorAwake != 0:
			c.wait(fdcWakes)
		}
		c.interrupt()
	case fdcTDR:
		c.s.TDR = b & 3
	case fdcMSR: // data rate select
		const softReset = 1 << 7
		c.s.DSR = b &^ softReset
		if b&softReset != 0 && c.s.DOR&dorAwake != 0 {
			c.reset()
			c.wait(fdcWakes)
		}
	case fdcFIFO:
		c.give(b)
	}
}

// fdcInput is the digital input register, and on writing configuration control.
type fdcInput struct{ c *FDC }

func (p fdcInput) In(uint16, uint8) uint32 {
	const changed = 1 << 7
	if drive := p.c.s.DOR & 3; int(drive) < len(p.c.disks) && !(p.c.has(drive) && p.c.s.Drives[drive].Seen) {
		return changed
	}
	return 0
}

func (p fdcInput) Out(_ uint16, _ uint8, v uint32) { p.c.s.CCR = uint8(v) & 3 }

// status is the main status register.
func (c *FDC) status() uint8 {
	switch c.s.Phase {
	case fdcCommand:
		v := uint8(msrRQM) | c.s.Seeking
		if c.s.At > 0 {
			v |= msrBusy
		}
		return v
	case fdcData:
		v := uint8(msrRQM | msrNDMA | msrBusy)
		if c.s.Buffer[0]&fdcCode == fdcRead {
			v |= msrDIO
		}
		return v
	case fdcResult:
		return msrRQM | msrDIO | msrBusy
	case fdcBusy:
		return msrBusy
	}
	return 0
}

// interrupt gives the interrupt line its level.
func (c *FDC) interrupt() { c.m.SetIRQ(fdcIRQ, c.s.Interrupt && c.s.DOR&dorGate != 0) }

// raise requests an interrupt, lower takes it back.
func (c *FDC) raise() { c.s.Interrupt = true; c.interrupt() }
func (c *FDC) lower() { c.s.Interrupt = false; c.interrupt() }

// wait makes the controller go on after some microseconds.
func (c *FDC) wait(micros uint64) { c.timer.Set(c.m.after(micros)) }

// reset begins a reset. What CONFIGURE has set stays if it is locked.
func (c *FDC) reset() {
	s := &c.s
	c.timer.Stop()
	c.lower()
	s.Phase, s.At, s.Len, s.Seeking = fdcReset, 0, 0, 0
	s.Asks, s.Perpendicular = [4]bool{}, 0
	if !s.Lock {
		s.Configure = [2]uint8{}
	}
}

// awake ends a reset: four drives ask to be looked at, if the controller polls them.
func (c *FDC) awake() {
	c.s.Phase = fdcCommand
	if c.s.Configure[0]&configureNoPoll != 0 {
		return
	}
	for drive := range uint8(4) {
		c.ask(drive, st0Reset|drive)
	}
}

// ask has SENSE INTERRUPT STATUS tell something of a drive.
func (c *FDC) ask(drive, status uint8) {
	c.s.Ask[drive], c.s.Asks[drive] = status, true
	c.raise()
}

// floppyTypes is what CMOS memory tells of drives for floppy disks: the types of the two, and in the
// byte of equipment whether there is one, and how many more.
func (d *Drives) floppyTypes() (types, equipment uint8) {
	for i, disk := range d.Floppy {
		if disk != nil {
			f, _ := floppyOf(disk.size) // New has refused others
			types |= f.drive << (4 * (1 - i))
			equipment = uint8(i)<<6 | 1
		}
	}
	return types, equipment
}
