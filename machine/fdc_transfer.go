package machine

import "bytes"

// Parameters of READ DATA, WRITE DATA and READ ID, by their place after the command: drive
// and head, then the sector's name (cylinder, head, sector, size) and the last sector of the track.
const (
	fdcC = 2 + iota
	fdcH
	fdcR
	fdcN
	fdcEOT
)

// Those of FORMAT TRACK.
const (
	fdcFormatN = 2
	fdcSectors = 3
	fdcFill    = 5
)

const fdcSize512 = 2 // N of sectors of 512 bytes

// transfer begins READ DATA and WRITE DATA.
func (c *FDC) transfer() {
	s := &c.s
	s.Head, s.Sector = c.side(), s.Buffer[fdcR]
	if s.Configure[0]&configureImplied != 0 {
		s.Drives[c.selected()] = fdcDrive{s.Buffer[fdcC], true}
	}
	c.begin()
}

// readID reads the name of a sector under the head: it is the first of the track.
func (c *FDC) readID() {
	s := &c.s
	s.Head, s.Sector = c.side(), 1
	s.Buffer[fdcC], s.Buffer[fdcH], s.Buffer[fdcN] = s.Drives[c.selected()].Cylinder, c.side(), fdcSize512
	c.begin()
}

// formatTrack gives sectors, named by four bytes of data each, a byte to be filled with.
func (c *FDC) formatTrack() {
	c.s.Head, c.s.Sector = c.side(), 1
	c.s.Left = 4 * uint16(c.s.Buffer[fdcSectors])
	c.begin()
}

func (c *FDC) begin() {
	c.s.Failed = [3]uint8{}
	c.s.Phase, c.s.Byte = fdcBusy, 0
	c.wait(fdcFirst)
}

// sector is the head above a sector.
func (c *FDC) sector() {
	s := &c.s
	drive := c.selected()
	if !c.has(drive) {
		c.fail(st1NoAddress, 0)
		return
	}
	switch code := s.Buffer[0] & fdcCode; code {
	case fdcFormat:
		if c.byPort() && s.Left > 0 {
			c.open()
			return
		}
		for n := len(s.Data[:4]); s.Left > 0; s.Left -= 4 {
			if got, _ := c.m.DMA.move(fdcDMA, false, s.Data[:4]); got < n {
				c.fail(st1Overrun, 0)
				return
			}
			c.formatOne()
		}
		c.finish()
	case fdcRead, fdcWrite:
		n, ok := c.find()
		switch {
		case !ok:
		case code == fdcRead && !c.disks[drive].read(n, (*sector)(&s.Data)):
			c.fail(st1DataError, 0)
		case c.byPort():
			c.open()
		case code == fdcRead:
			got, end := c.m.DMA.move(fdcDMA, true, s.Data[:])
			c.moved(got, end)
		default:
			clear(s.Data[:])
			got, end := c.m.DMA.move(fdcDMA, false, s.Data[:])
			if got > 0 && !c.store() {
				return
			}
			c.moved(got, end)
		}
	default: // READ ID
		if s.Drives[drive].Cylinder >= c.format(drive).cylinders {
			c.fail(st1NoAddress, 0)
			return
		}
		c.finish()
	}
}

// open opens the data port.
func (c *FDC) open() {
	c.s.Phase, c.s.Byte = fdcData, 0
	c.raise()
}

// fdcName is the name of a sector, which stands before it on the track.
type fdcName struct{ cylinder, head, sector, size uint8 }

// place is where on the disk a sector lies, if the track under the head has one of this name.
func (c *FDC) place(name fdcName) (n uint64, ok bool) {
	drive := c.selected()
	f := c.format(drive)
	if name.cylinder != c.s.Drives[drive].Cylinder || name.cylinder >= f.cylinders ||
		name.head != c.s.Head || name.head >= floppySides ||
		name.sector == 0 || name.sector > f.track || name.size != fdcSize512 {
		return 0, false
	}
	return (uint64(name.cylinder)*floppySides+uint64(name.head))*uint64(f.track) + uint64(name.sector) - 1, true
}

// find gives the place of the sector that the command is at, or fails.
func (c *FDC) find() (n uint64, ok bool) {
	s := &c.s
	n, ok = c.place(fdcName{s.Buffer[fdcC], s.Buffer[fdcH], s.Sector, s.Buffer[fdcN]})
	drive := c.selected()
	switch cylinder := s.Drives[drive].Cylinder; {
	case ok:
	case s.Buffer[fdcC] != cylinder:
		c.fail(st1NoData, st2WrongCylinder)
	case cylinder >= c.format(drive).cylinders:
		c.fail(st1NoAddress, 0)
	default:
		c.fail(st1NoData, 0)
	}
	return n, ok
}

// store writes the sector, or fails.
func (c *FDC) store() bool {
	n, ok := c.find()
	if ok && !c.disks[c.selected()].write(n, (*sector)(&c.s.Data)) {
		c.fail(st1NotWritable, 0)
		return false
	}
	return ok
}

// written is the last byte of a sector at the data port.
func (c *FDC) written() {
	if c.has(c.selected()) && c.store() {
		c.passed(false)
	} else if c.s.Phase == fdcData {
		c.fail(st1NoAddress, 0)
	}
}

// moved is a sector that DMA has taken or given, if it is whole or the last.
func (c *FDC) moved(n int, end bool) {
	if n < SectorSize && !end {
		c.fail(st1Overrun, 0)
		return
	}
	c.passed(end)
}

// passed goes on to the next sector: of the track, of the other side in a multi-track command. The
// result names it. Without TC (end) the last sector is an error. [82077AA, Result Phase Table]
func (c *FDC) passed(end bool) {
	s := &c.s
	last := s.Sector >= s.Buffer[fdcEOT]
	multi := s.Buffer[0]&fdcMulti != 0
	switch {
	case !last:
		s.Sector++
	case multi && s.Head == 0:
		s.Head, s.Sector, last = 1, 1, false
	default:
		s.Buffer[fdcC]++
		s.Sector = 1
		if multi {
			s.Head = 0
		}
	}
	s.Buffer[fdcH] = s.Head
	switch {
	case end:
		c.finish()
	case last:
		c.fail(st1EndOfCylinder, 0)
	default:
		s.Phase = fdcBusy
		c.wait(fdcNext)
	}
}

// formatted is a byte of a name at the data port.
func (c *FDC) formatted() {
	if c.s.Byte < 4 {
		return
	}
	c.s.Byte = 0
	c.formatOne()
	if c.s.Left -= min(4, c.s.Left); c.s.Left == 0 {
		c.finish()
	}
}

// formatOne fills the sector that Data names. Names that the format has not are no sectors.
func (c *FDC) formatOne() {
	drive := c.selected()
	if !c.has(drive) {
		return
	}
	d := &c.s.Data
	n, ok := c.place(fdcName{d[0], d[1], d[2], d[3]})
	if !ok {
		return
	}
	fill := sector(bytes.Repeat(c.s.Buffer[fdcFill:fdcFill+1], SectorSize))
	if !c.disks[drive].write(n, &fill) {
		c.s.Failed = [3]uint8{st0Abnormal, st1NotWritable}
	}
}

// fail ends a command with bits of the second and third status.
func (c *FDC) fail(st1, st2 uint8) {
	c.s.Failed = [3]uint8{st0Abnormal, st1, st2}
	c.finish()
}

// finish gives the result of a transfer.
func (c *FDC) finish() {
	s := &c.s
	if s.Buffer[0]&fdcCode == fdcFormat { // its parameters are others
		s.Buffer[fdcN], s.Buffer[fdcC] = s.Buffer[fdcFormatN], s.Drives[c.selected()].Cylinder
	}
	c.answer(s.Failed[0]|s.Head<<2|c.selected(), s.Failed[1], s.Failed[2], s.Buffer[fdcC], s.Head, s.Sector, s.Buffer[fdcN])
	c.raise()
}
