package machine

import "x86emu/mmu"

// DMA is the PC's two 8237A DMA controllers, for channels 0 to 3 at ports 0x00 to 0x0F and for
// channels 4 to 7 at 0xC0 to 0xDF, with the page registers at 0x81 to 0x8F. A device moves what it
// has when it has it, as fast as that: of the modes, the direction, the address's direction and
// autoinitialisation matter. Channels 0 to 3 need no cascade through channel 4, which
// firmware would have opened. Requests by software, and memory to memory, are left out.
// [Intel 8237A data sheet; IBM PC AT Technical Reference, System DMA Controllers]
type DMA struct {
	s dmaState
	m *Machine
}

type dmaState struct {
	Channels [8]dmaChannel
	Pages    [16]uint8 // by port, from 0x80 on
	Chips    [2]dmaChip
}

// dmaChannel counts transfers, one less than there are to be, of bytes or (4 to 7) words.
type dmaChannel struct {
	BaseAddress, BaseCount uint16
	Address, Count         uint16
	Mode                   uint8
}

type dmaChip struct {
	Upper         bool  // the next access is to the upper byte of a register
	Mask, Reached uint8 // a bit a channel: masked; its count has run out
	Command       uint8
}

const (
	dmaDisabled   = 1 << 2 // of the command
	dmaToMemory   = 1 << 2 // of the mode
	dmaFromMemory = 2 << 2
	dmaAuto       = 1 << 4
	dmaDown       = 1 << 5
)

// dmaPage is where the page of a channel is, above port 0x80.
var dmaPage = [8]uint8{7, 3, 1, 2, 15, 11, 9, 10}

func newDMA(m *Machine) *DMA {
	d := &DMA{m: m}
	d.s.Chips[0].Mask, d.s.Chips[1].Mask = 15, 15
	return d
}

// places are the controllers' ports.
func (d *DMA) places() []place {
	return []place{
		atPorts(PortRange{0x00, 16}, 1, dmaRegisters{d, 0}),
		atPorts(PortRange{0xc0, 32}, 1, dmaRegisters{d, 1}),
		atPorts(PortRange{0x81, 15}, 1, dmaPages{d}),
	}
}

func (d *DMA) Name() string { return "dma" }
func (d *DMA) State() any   { return &d.s }

// dmaPages are the page registers.
type dmaPages struct{ d *DMA }

func (p dmaPages) In(off uint16, _ uint8) uint32     { return uint32(p.d.s.Pages[off+1]) }
func (p dmaPages) Out(off uint16, _ uint8, v uint32) { p.d.s.Pages[off+1] = uint8(v) }

// dmaRegisters are those of one chip, the second one's at every other port.
type dmaRegisters struct {
	d    *DMA
	chip uint16
}

// Registers behind those of the channels; some differ when read and written.
const (
	dmaStatus = 8 + iota // command
	dmaRequest
	dmaMaskOne
	dmaMode
	dmaFirst // the next access is to a lower byte
	dmaClear // all is as after reset
	dmaUnmask
	dmaMaskAll
)

func (r dmaRegisters) In(off uint16, _ uint8) uint32 {
	off >>= r.chip
	chip := &r.d.s.Chips[r.chip]
	switch {
	case off < dmaStatus:
		v := r.register(off, false)
		return uint32(chip.half(*v))
	case off == dmaStatus:
		v := chip.Reached
		chip.Reached = 0
		return uint32(v)
	case off == dmaMaskAll:
		return uint32(chip.Mask) | 0xf0
	}
	return 0
}

func (r dmaRegisters) Out(off uint16, _ uint8, v uint32) {
	off >>= r.chip
	chip := &r.d.s.Chips[r.chip]
	b := uint8(v)
	switch off {
	case dmaStatus:
		chip.Command = b
	case dmaRequest:
	case dmaMaskOne:
		chip.Mask &^= 1 << (b & 3)
		chip.Mask |= b >> 2 & 1 << (b & 3)
	case dmaMode:
		r.d.s.Channels[4*r.chip+uint16(b&3)].Mode = b
	case dmaFirst:
		chip.Upper = false
	case dmaClear:
		*chip = dmaChip{Mask: 15}
	case dmaUnmask:
		chip.Mask = 0
	case dmaMaskAll:
		chip.Mask = b & 15
	default:
		base, now := r.register(off, true), r.register(off, false)
		if chip.Upper {
			*base = *base&0xff | uint16(b)<<8
		} else {
			*base = *base&0xff00 | uint16(b)
		}
		*now = *base
		chip.Upper = !chip.Upper
	}
}

// register is the address or the count of a channel, or what it began with.
func (r dmaRegisters) register(off uint16, base bool) *uint16 {
	c := &r.d.s.Channels[4*r.chip+off/2]
	switch {
	case off%2 == 0 && base:
		return &c.BaseAddress
	case off%2 == 0:
		return &c.Address
	case base:
		return &c.BaseCount
	}
	return &c.Count
}

// half gives the byte of a register whose turn it is.
func (c *dmaChip) half(v uint16) uint8 {
	c.Upper = !c.Upper
	if c.Upper {
		return uint8(v)
	}
	return uint8(v >> 8)
}

// move moves bytes between a device and memory by one of the channels 0 to 3. It tells how many: fewer
// if the channel's count runs out, which is the second result, none if it is masked. Where the
// channel's mode is not of the direction, only addresses and counts move.
func (d *DMA) move(channel uint8, toMemory bool, data []byte) (n int, end bool) {
	c, chip := &d.s.Channels[channel], &d.s.Chips[0]
	bit := uint8(1) << channel
	if chip.Mask&bit != 0 || chip.Command&dmaDisabled != 0 {
		return 0, false
	}
	for n < len(data) && !end {
		at := mmu.Phys(d.s.Pages[dmaPage[channel]])<<16 | mmu.Phys(c.Address)
		switch way := c.Mode & (dmaToMemory | dmaFromMemory); {
		case toMemory && way == dmaToMemory:
			d.m.Mem.WriteBytes(at, data[n:n+1])
		case !toMemory && way == dmaFromMemory:
			d.m.Mem.ReadBytes(at, data[n:n+1])
		}
		n++
		if c.Mode&dmaDown != 0 {
			c.Address--
		} else {
			c.Address++
		}
		end = c.Count == 0
		c.Count--
	}
	if end {
		chip.Reached |= bit
		if c.Mode&dmaAuto != 0 {
			c.Address, c.Count = c.BaseAddress, c.BaseCount
		} else {
			chip.Mask |= bit
		}
	}
	return n, end
}
