package machine

// ideKind is how a command goes on after it was written.
type ideKind uint8

const (
	ideOther  ideKind = iota // it is done when the drive has had its time
	ideReads                 // sectors come to the host
	ideWrites                // sectors go to the disk
	ideTell                  // a block of data that is no sector comes to the host
)

// ideCommand is a command that the drives know.
type ideCommand struct {
	kind     ideKind
	wide     bool // the address has 48 bits, the count 16
	multiple bool // sectors come in blocks
	// run does the command, and gives the bits of the error register; nil: it is done
	// by sectors, or there is nothing to do.
	run func(c *IDE) uint8
}

// ideReset is no command but stands for a reset by SRST.
const ideReset = 0x08

const ideDiagnostic = 0x90

// ideCommands are all commands; those that are not here are aborted, and so are NOP and what
// is for packet devices (DEVICE RESET, IDENTIFY PACKET DEVICE, PACKET).
var ideCommands = func() (all [256]*ideCommand) {
	put := func(c ideCommand, codes ...uint8) {
		for _, code := range codes {
			all[code] = &c
		}
	}
	put(ideCommand{kind: ideReads}, 0x20, 0x21)                             // READ SECTORS
	put(ideCommand{kind: ideReads, wide: true}, 0x24)                       // READ SECTORS EXT
	put(ideCommand{kind: ideReads, multiple: true}, 0xc4)                   // READ MULTIPLE
	put(ideCommand{kind: ideReads, multiple: true, wide: true}, 0x29)       // READ MULTIPLE EXT
	put(ideCommand{kind: ideWrites}, 0x30, 0x31, 0x3c)                      // WRITE SECTORS, WRITE VERIFY
	put(ideCommand{kind: ideWrites, wide: true}, 0x34)                      // WRITE SECTORS EXT
	put(ideCommand{kind: ideWrites, multiple: true}, 0xc5)                  // WRITE MULTIPLE
	put(ideCommand{kind: ideWrites, multiple: true, wide: true}, 0x39)      // WRITE MULTIPLE EXT
	put(ideCommand{run: (*IDE).verify}, 0x40, 0x41)                         // READ VERIFY SECTORS
	put(ideCommand{run: (*IDE).verify, wide: true}, 0x42)                   // READ VERIFY SECTORS EXT
	put(ideCommand{run: (*IDE).seek}, 0x70)                                 // SEEK
	put(ideCommand{run: (*IDE).setTranslation}, 0x91)                       // INITIALIZE DEVICE PARAMETERS
	put(ideCommand{run: (*IDE).setMultiple}, 0xc6)                          // SET MULTIPLE MODE
	put(ideCommand{run: (*IDE).setFeatures}, 0xef)                          // SET FEATURES
	put(ideCommand{run: (*IDE).diagnose}, ideDiagnostic)                    // EXECUTE DEVICE DIAGNOSTIC
	put(ideCommand{run: (*IDE).checkPower}, 0xe5, 0x98)                     // CHECK POWER MODE
	put(ideCommand{run: standby(false)}, 0xe1, 0x95, 0xe3, 0x97)            // IDLE IMMEDIATE, IDLE
	put(ideCommand{run: standby(true)}, 0xe0, 0x94, 0xe2, 0x96, 0xe6, 0x99) // STANDBY IMMEDIATE, STANDBY, SLEEP
	put(ideCommand{run: (*IDE).nativeMax}, 0xf8)                            // READ NATIVE MAX ADDRESS
	put(ideCommand{run: (*IDE).nativeMax, wide: true}, 0x27)                // READ NATIVE MAX ADDRESS EXT
	put(ideCommand{}, 0xe7)                                                 // FLUSH CACHE
	put(ideCommand{wide: true}, 0xea)                                       // FLUSH CACHE EXT
	put(ideCommand{kind: ideTell, run: (*IDE).identify}, 0xec)              // IDENTIFY DEVICE
	for code := range uint8(16) {
		put(ideCommand{run: (*IDE).recalibrate}, 0x10|code) // RECALIBRATE
	}
	return all
}()

// command takes a command for the drive that is selected. One that is not there takes none
// but EXECUTE DEVICE DIAGNOSTIC, which is for both.
func (c *IDE) command(code uint8) {
	s := &c.s
	diagnostic := code == ideDiagnostic && (c.disks[0].present() || c.disks[1].present())
	if !c.disk().present() && !diagnostic {
		return
	}
	s.Interrupt = false
	c.interrupt()
	s.Command, s.Left, s.Block, s.Failed = code, 0, 0, 0
	d := c.drive()
	d.Error = 0
	d.Status = ideBSY
	if diagnostic {
		s.Drives[0].Status, s.Drives[1].Status = ideBSY, ideBSY
	}
	if code == ideReset {
		s.Command = 0 // DEVICE RESET is for packet devices, and is aborted as NOP is
	}
	about := ideCommands[s.Command]
	s.Wide = about != nil && about.wide
	if about != nil && (about.kind == ideReads || about.kind == ideWrites) {
		if c.begin(); about.multiple && d.Multiple == 0 {
			s.Failed = ideABRT
		}
		if about.kind == ideWrites && s.Failed == 0 {
			c.ask() // for the first sectors, which needs no interrupt
			return
		}
	}
	c.wait(ideAccess)
}

// proceed goes on when the drive has had its time.
func (c *IDE) proceed() {
	s := &c.s
	about := ideCommands[s.Command]
	switch {
	case s.Command == ideReset:
		c.ready()
		return
	case about == nil:
		s.Failed = ideABRT
	case s.Failed != 0: // known already
	case about.kind == ideReads:
		c.block(about)
		if c.fetch() {
			c.ask()
		}
	case about.kind == ideTell:
		s.Failed = about.run(c)
		c.ask()
	case about.kind == ideWrites && s.Left > 0:
		c.ask()
	case about.run != nil:
		s.Failed = about.run(c)
	}
	if c.drive().Status&ideDRQ == 0 {
		c.finish()
	}
	s.Interrupt = true
	c.interrupt()
}

// finish ends the command.
func (c *IDE) finish() {
	d := c.drive()
	d.Status = ideDRDY | ideDSC
	switch failed := c.s.Failed; {
	case failed == ideFault:
		d.Status |= ideDF | ideERR
	case failed != 0:
		d.Status |= ideERR
		d.Error = failed
	case c.s.Command == ideDiagnostic:
		c.ready()
	}
	c.s.Block = 0
}

// ask opens the data port.
func (c *IDE) ask() {
	if about := ideCommands[c.s.Command]; about.kind == ideWrites {
		c.block(about)
	}
	c.s.At = 0
	c.drive().Status = ideDRDY | ideDSC | ideDRQ
}

// block tells how many sectors go through the data port before the drive is busy again.
func (c *IDE) block(about *ideCommand) {
	c.s.Block = 1
	if about.multiple {
		c.s.Block = min(uint32(c.drive().Multiple), c.s.Left)
	}
}

// takeWord is a read of the data port.
func (c *IDE) takeWord() uint32 {
	s := &c.s
	about := ideCommands[s.Command]
	if !c.open() || about.kind == ideWrites {
		return 0
	}
	s.At %= SectorSize
	v := uint32(s.Data[s.At]) | uint32(s.Data[s.At+1])<<8
	if s.At += 2; s.At < SectorSize {
		return v
	}
	if about.kind == ideReads {
		s.Left--
		s.Block--
	}
	switch {
	case s.Block > 0:
		if s.At = 0; !c.fetch() {
			c.drive().Status = ideBSY // which fails
			c.wait(ideNext)
		}
	case s.Left > 0:
		c.drive().Status = ideBSY
		c.wait(ideNext)
	default:
		c.finish()
	}
	return v
}

// putWord is a write of the data port.
func (c *IDE) putWord(v uint16) {
	s := &c.s
	if !c.open() || ideCommands[s.Command].kind != ideWrites {
		return
	}
	s.At %= SectorSize
	s.Data[s.At], s.Data[s.At+1] = uint8(v), uint8(v>>8)
	if s.At += 2; s.At < SectorSize {
		return
	}
	s.At = 0
	if c.store() {
		s.Left--
		if s.Block--; s.Block > 0 {
			return
		}
	}
	c.drive().Status = ideBSY
	c.wait(ideNext)
}

// open tells whether the data port is.
func (c *IDE) open() bool {
	return c.disk().present() && c.drive().Status&ideDRQ != 0 && ideCommands[c.s.Command] != nil
}

// fetch reads the next sector for the host.
func (c *IDE) fetch() bool {
	if !c.reach() {
		return false
	}
	if !c.disk().read(c.s.Sector, (*sector)(&c.s.Data)) {
		c.s.Failed = ideUNC
		return false
	}
	c.passed()
	return true
}

// store writes the sector that the host has given.
func (c *IDE) store() bool {
	if !c.reach() {
		return false
	}
	if !c.disk().write(c.s.Sector, (*sector)(&c.s.Data)) {
		c.s.Failed = ideFault
		return false
	}
	c.passed()
	return true
}

// reach tells whether the disk has the next sector, whose address is put into the registers.
func (c *IDE) reach() bool {
	c.showAddress(c.s.Sector)
	if c.s.Sector >= c.disk().sectors() {
		c.s.Failed = ideIDNF
		return false
	}
	return true
}

// passed counts a sector.
func (c *IDE) passed() {
	c.s.Sector++
	c.s.Count[0]--
	if c.s.Wide && c.s.Count[0] == 0xff {
		c.s.Count[1]--
	}
}
