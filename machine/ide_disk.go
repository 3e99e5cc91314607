package machine

import "encoding/binary"

// What a drive says its disk is like: tracks as large as the registers allow.
const (
	ideHeads       = 16
	ideTrack       = 63
	ideMaxCylinder = 16383
	ideMaxMultiple = 16
)

// begin takes the address and the count of a command that reads or writes sectors.
func (c *IDE) begin() {
	c.s.Left = c.count()
	c.s.Sector, c.s.Failed = c.address()
}

// count is the number of sectors in the registers, where 0 stands for one more than fits.
func (c *IDE) count() uint32 {
	n, most := uint32(c.s.Count[0]), uint32(1<<8)
	if c.s.Wide {
		n, most = n|uint32(c.s.Count[1])<<8, 1<<16
	}
	if n == 0 {
		return most
	}
	return n
}

// address is the number of the sector that the registers name, or bits of the error register.
func (c *IDE) address() (n uint64, failed uint8) {
	s, d := &c.s, c.drive()
	low := uint64(s.Low[0]) | uint64(s.Mid[0])<<8 | uint64(s.High[0])<<16
	switch {
	case s.Wide:
		return low | uint64(s.Low[1])<<24 | uint64(s.Mid[1])<<32 | uint64(s.High[1])<<40, 0
	case s.Device&ideLBA != 0:
		return low | uint64(s.Device&15)<<24, 0
	}
	cylinder, head, first := uint64(low>>8), uint64(s.Device&15), uint64(s.Low[0])
	if first == 0 || first > uint64(d.Sectors) || head >= uint64(d.Heads) {
		return 0, ideIDNF
	}
	return (cylinder*uint64(d.Heads)+head)*uint64(d.Sectors) + first - 1, 0
}

// showAddress puts the address of a sector into the registers, in the form in which the
// command has given its first one.
func (c *IDE) showAddress(n uint64) {
	s, d := &c.s, c.drive()
	switch {
	case s.Wide:
		s.Low[1], s.Mid[1], s.High[1] = uint8(n>>24), uint8(n>>32), uint8(n>>40)
	case s.Device&ideLBA != 0:
		s.Device = s.Device&^15 | uint8(n>>24)&15
	default:
		sectors, heads := d.geometry()
		track := n / sectors
		cylinder := track / heads
		s.Device = s.Device&^15 | uint8(track%heads)
		s.Low[0], s.Mid[0], s.High[0] = uint8(n%sectors)+1, uint8(cylinder), uint8(cylinder>>8)
		return
	}
	s.Low[0], s.Mid[0], s.High[0] = uint8(n), uint8(n>>8), uint8(n>>16)
}

// geometry is how many sectors of a track and how many heads the addresses count.
func (d *ideDrive) geometry() (sectors, heads uint64) {
	return max(uint64(d.Sectors), 1), max(uint64(d.Heads), 1)
}

// verify reads sectors without giving them to the host.
func (c *IDE) verify() uint8 {
	s := &c.s
	if c.begin(); s.Failed != 0 {
		return s.Failed
	}
	for ; s.Left > 0 && c.reach(); s.Left-- {
		c.passed()
	}
	return s.Failed
}

// seek goes to a sector.
func (c *IDE) seek() uint8 {
	n, failed := c.address()
	if failed == 0 && n >= c.disk().sectors() {
		failed = ideIDNF
	}
	return failed
}

// recalibrate goes to cylinder 0.
func (c *IDE) recalibrate() uint8 {
	c.s.Mid[0], c.s.High[0] = 0, 0
	return 0
}

// setTranslation says how many heads and sectors of a track the addresses count.
func (c *IDE) setTranslation() uint8 {
	if c.s.Count[0] == 0 {
		return ideABRT
	}
	d := c.drive()
	d.Heads, d.Sectors = c.s.Device&15+1, c.s.Count[0]
	return 0
}

// setMultiple says how many sectors are a block of READ MULTIPLE and WRITE MULTIPLE: a power
// of two, or 0 for none.
func (c *IDE) setMultiple() uint8 {
	n := c.s.Count[0]
	if n > ideMaxMultiple || n&(n-1) != 0 {
		return ideABRT
	}
	c.drive().Multiple = n
	return 0
}

// setFeatures knows those that IDENTIFY DEVICE tells of, and modes of PIO.
func (c *IDE) setFeatures() uint8 {
	const (
		writeCacheOn, writeCacheOff    = 0x02, 0x82
		lookAheadOn, lookAheadOff      = 0xaa, 0x55
		keepSettings, revertSettings   = 0x66, 0xcc
		transferMode, pio, pioMostFlow = 0x03, 3, 0x0c
	)
	switch c.s.Feature[0] {
	case writeCacheOn, writeCacheOff:
		c.drive().NoWriteCache = c.s.Feature[0] == writeCacheOff
	case lookAheadOn, lookAheadOff, keepSettings, revertSettings:
	case transferMode:
		// The default modes, 0 and 1, and PIO with flow control up to mode 4.
		if n := c.s.Count[0]; n > 1 && (n < 1<<pio || n > pioMostFlow) {
			return ideABRT
		}
	default:
		return ideABRT
	}
	return 0
}

// diagnose finds both drives well.
func (c *IDE) diagnose() uint8 {
	c.sign()
	return 0
}

// checkPower tells whether the drive is in standby (0) or at work (0xFF).
func (c *IDE) checkPower() uint8 {
	c.s.Count[0] = 0xff
	if c.drive().Standby {
		c.s.Count[0] = 0
	}
	return 0
}

// standby puts the drive into standby, or takes it out.
func standby(on bool) func(c *IDE) uint8 {
	return func(c *IDE) uint8 {
		c.drive().Standby = on
		return 0
	}
}

// nativeMax tells the last sector's address.
func (c *IDE) nativeMax() uint8 {
	if c.s.Device&ideLBA == 0 {
		return ideABRT
	}
	c.showAddress(c.disk().sectors() - 1)
	return 0
}

// identify makes the 256 words that tell of the drive. What is not named here is 0, which
// says that a drive has no such thing: of DMA, for instance.
// [ATA-4, IDENTIFY DEVICE; ATA-6 for 48-bit addresses]
func (c *IDE) identify() uint8 {
	d := c.drive()
	sectors := c.disk().sectors()
	lba28 := min(sectors, 1<<28-1)
	cylinders := func(track uint64) uint64 { return min(max(sectors/track, 1), ideMaxCylinder) }
	track, heads := d.geometry()
	current := cylinders(heads * track)
	whole := current * heads * track

	var w [256]uint16
	w[0] = 1 << 6 // not removable
	w[1], w[3], w[6] = uint16(cylinders(ideHeads*ideTrack)), ideHeads, ideTrack
	ideText(w[10:20], "x86emu-"+c.name+string('0'+rune(c.s.Device>>4&1)))
	ideText(w[23:27], "1")
	ideText(w[27:47], "x86emu disk")
	w[47] = 0x80<<8 | ideMaxMultiple
	w[49] = 1<<11 | 1<<9 // IORDY, LBA
	w[51] = 2 << 8       // PIO mode 2 without flow control
	w[53] = 1<<1 | 1<<0  // words 64 to 70 and 54 to 58 are valid
	w[54], w[55], w[56] = uint16(current), uint16(d.Heads), uint16(d.Sectors)
	w[57], w[58] = uint16(whole), uint16(whole>>16)
	if d.Multiple > 0 {
		w[59] = 1<<8 | uint16(d.Multiple)
	}
	w[60], w[61] = uint16(lba28), uint16(lba28>>16)
	w[64] = 3 // PIO modes 3 and 4
	w[67], w[68] = 120, 120
	w[80] = 1<<6 | 1<<5 | 1<<4 | 1<<3 | 1<<2 // ATA-2 to ATA-6
	w[82] = 1<<5 | 1<<3                      // write cache, power management
	w[83] = 1<<14 | 1<<13 | 1<<12 | 1<<10    // FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses
	w[84] = 1 << 14
	w[85], w[86], w[87] = w[82], w[83]&^(1<<14), w[84]
	if d.NoWriteCache {
		w[85] &^= 1 << 5
	}
	for i := range 4 {
		w[100+i] = uint16(sectors >> (16 * i))
	}
	sum := uint8(0xa5)
	w[255] = 0xa5
	for i, v := range w {
		binary.LittleEndian.PutUint16(c.s.Data[2*i:], v)
		if i < 255 {
			sum += uint8(v) + uint8(v>>8)
		}
	}
	c.s.Data[SectorSize-1] = -sum
	return 0
}

// ideText puts a text into words, the first character of two in the upper byte, padded
// with spaces.
func ideText(to []uint16, text string) {
	for i := range to {
		to[i] = ' '<<8 | ' '
	}
	for i := range text {
		shift := 8 * (1 - i%2)
		to[i/2] = to[i/2]&^(0xff<<shift) | uint16(text[i])<<shift
	}
}
