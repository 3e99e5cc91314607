package machine

import "x86emu/mmu"

// VGA is the registers of a PC's display adapter: the CRT controller, the
// attribute controller with its flip-flop, the converter of colours (DAC), the
// sequencer, the graphics controller, and input status 1 with the retrace in virtual
// time. They begin as a PC's firmware leaves them in text mode 3, and so does text
// memory, since kernels count on it: see blankText. What they say of the screen is
// VGA.Text.
//
// The memory is RAM like any other: that of text mode is [0xB8000, 0xC0000), and
// below, from 0xA0000, there is no window to planes of pixels and fonts. So graphics
// modes and fonts of the guest's own are left out, and the graphics controller's
// registers do nothing but choose where text lies. Also left out are the light pen,
// the interrupt of the vertical retrace, the sense of what monitor there is (input status
// 0 reads as 0), and all that came after IBM's VGA: Bochs's ports 0x1CE and 0x1CF,
// and PCI. The bits of a register that mean nothing read as zero, those of the CRT
// controller as written, as on QEMU. [IBM PS/2 Hardware Interface Technical Reference, Video
// Subsystem; FreeVGA, VGA Chipset Reference]
type VGA struct {
	s vgaState
	m *Machine
}

type vgaState struct {
	Misc    uint8
	Feature uint8

	SeqIndex  uint8
	Seq       [5]uint8
	GfxIndex  uint8
	Gfx       [9]uint8
	CRTCIndex uint8
	CRTC      [25]uint8

	AttrIndex uint8 // with vgaPAS
	AttrData  bool  // the flip-flop: the next write to 0x3C0 is data
	Attr      [21]uint8

	DACMask  uint8
	DAC      [256 * 3]uint8 // red, green, blue of 6 bits
	DACRead  uint8          // the entry that is read next
	DACWrite uint8          // and written next
	DACPart  uint8          // the colour of it, of both
	DACNew   [3]uint8       // what was written of it
	DACState uint8          // 3: port 0x3C7 was written after 0x3C8; else 0
}

// Registers by index.
const (
	seqClocking = 1

	gfxMisc = 6

	crtcHTotal      = 0x00
	crtcHDisplayEnd = 0x01
	crtcVTotal      = 0x06
	crtcOverflow    = 0x07
	crtcMaxScan     = 0x09
	crtcCursorStart = 0x0a
	crtcCursorEnd   = 0x0b
	crtcStart       = 0x0c // high, then low
	crtcCursor      = 0x0e // likewise
	crtcVSyncStart  = 0x10
	crtcVSyncEnd    = 0x11
	crtcVDisplayEnd = 0x12
	crtcOffset      = 0x13
	crtcLineCompare = 0x18

	attrMode       = 0x10
	attrOverscan   = 0x11
	attrPlanes     = 0x12
	attrColourPage = 0x14
)

// Bits.
const (
	miscColour = 1 << 0 // the CRT controller is at 0x3D4, not 0x3B4
	vgaPAS     = 1 << 5 // of the attribute index: the palette is in use, there is a picture

	seqDots8     = 1 << 0 // of clocking mode: characters 8 dots wide, not 9
	seqHalfClock = 1 << 3
	seqOff       = 1 << 5

	crtcProtect = 1 << 7 // of vertical sync end: 0 to 7 are not written

	retraceVertical = 1 << 3
	retraceAny      = 1 << 0 // no dot of the picture is drawn
)

// newVGA makes an adapter in mode 3: 80x25 characters of 9x16 dots, 16 colours.
func newVGA(m *Machine) *VGA {
	v := &VGA{m: m, s: vgaState{
		Misc: 0x67,
		Seq:  [...]uint8{3, 0, 3, 0, 2},
		Gfx:  [...]uint8{0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff},
		CRTC: [...]uint8{
			0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f,
			0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0,
			0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
		},
		AttrIndex: vgaPAS,
		Attr: [...]uint8{
			0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
			0x0c, 0, 0x0f, 8, 0,
		},
		DACMask: 0xff,
	}}
	// The first 64 colours are those of an EGA: red, green and blue of two bits each.
	for i := range uint8(64) {
		for part, bit := range [...]uint8{2, 1, 0} {
			v.s.DAC[3*int(i)+part] = 0x2a*(i>>bit&1) + 0x15*(i>>(bit+3)&1)
		}
	}
	return v
}

func (v *VGA) Name() string { return "vga" }
func (v *VGA) State() any   { return &v.s }

// places are the adapter's ports, those of both positions of the CRT controller.
func (v *VGA) places() []place {
	var list []place
	for _, at := range []PortRange{{0x3b4, 2}, {0x3ba, 1}, {0x3c0, 16}, {0x3d4, 2}, {0x3da, 1}} {
		list = append(list, atPorts(at, 1, vgaPorts{v, at.First}))
	}
	return list
}

// vgaPorts is some of the adapter's ports, from first on.
type vgaPorts struct {
	v     *VGA
	first uint16
}

func (p vgaPorts) In(off uint16, _ uint8) uint32 {
	if v := p.v; v.answers(p.first) {
		return uint32(v.in(p.first + off))
	}
	return 0xff
}

func (p vgaPorts) Out(off uint16, _ uint8, b uint32) {
	if v := p.v; v.answers(p.first) {
		v.out(p.first+off, uint8(b))
	}
}

// answers tells whether ports exist as miscellaneous output has it.
func (v *VGA) answers(first uint16) bool {
	colour := v.s.Misc&miscColour != 0
	return first&0xf0 == 0xc0 || first&0xf0 == 0xd0 == colour
}

// in reads a port; of a position of the CRT controller both are meant.
func (v *VGA) in(port uint16) (b uint8) {
	s := &v.s
	switch port {
	case 0x3c0:
		if s.AttrData {
			return 0
		}
		return s.AttrIndex
	case 0x3c1:
		return register(s.Attr[:], s.AttrIndex&^vgaPAS)
	case 0x3c3:
		return 1 // the adapter is enabled, and stays so
	case 0x3c4:
		return s.SeqIndex
	case 0x3c5:
		return register(s.Seq[:], s.SeqIndex)
	case 0x3c6:
		return s.DACMask
	case 0x3c7:
		return s.DACState
	case 0x3c8:
		return s.DACWrite
	case 0x3c9:
		b = s.DAC[3*int(s.DACRead)+int(s.DACPart)]
		if v.nextPart() {
			s.DACRead++
		}
		return b
	case 0x3ca:
		return s.Feature
	case 0x3cc:
		return s.Misc
	case 0x3ce:
		return s.GfxIndex
	case 0x3cf:
		return register(s.Gfx[:], s.GfxIndex)
	case 0x3b4, 0x3d4:
		return s.CRTCIndex
	case 0x3b5, 0x3d5:
		return register(s.CRTC[:], s.CRTCIndex)
	case 0x3ba, 0x3da:
		s.AttrData = false
		return v.retrace()
	}
	return 0 // 0x3C2, input status 0, and what is not there
}

func (v *VGA) out(port uint16, b uint8) {
	s := &v.s
	switch port {
	case 0x3c0:
		if s.AttrData {
			setRegister(s.Attr[:], attrBits[:], s.AttrIndex&^vgaPAS, b)
		} else {
			s.AttrIndex = b & 0x3f
		}
		s.AttrData = !s.AttrData
	case 0x3c2:
		s.Misc = b &^ 0x10
	case 0x3c4:
		s.SeqIndex = b & 7
	case 0x3c5:
		setRegister(s.Seq[:], seqBits[:], s.SeqIndex, b)
	case 0x3c6:
		s.DACMask = b
	case 0x3c7:
		s.DACRead, s.DACPart, s.DACState = b, 0, 3
	case 0x3c8:
		s.DACWrite, s.DACPart, s.DACState = b, 0, 0
	case 0x3c9:
		s.DACNew[s.DACPart] = b & 0x3f
		if v.nextPart() { // the entry changes as a whole
			copy(s.DAC[3*int(s.DACWrite):], s.DACNew[:])
			s.DACWrite++
		}
	case 0x3ce:
		s.GfxIndex = b & 15
	case 0x3cf:
		setRegister(s.Gfx[:], gfxBits[:], s.GfxIndex, b)
	case 0x3b4, 0x3d4:
		s.CRTCIndex = b
	case 0x3b5, 0x3d5:
		v.outCRTC(b)
	case 0x3ba, 0x3da:
		s.Feature = b & 0x10
	}
}

// nextPart goes to the next colour of an entry of the DAC, and tells whether that is
// one of the next entry.
func (v *VGA) nextPart() bool {
	v.s.DACPart = (v.s.DACPart + 1) % 3
	return v.s.DACPart == 0
}

func (v *VGA) outCRTC(b uint8) {
	s := &v.s
	if s.CRTC[crtcVSyncEnd]&crtcProtect != 0 && s.CRTCIndex <= crtcOverflow {
		if s.CRTCIndex == crtcOverflow { // the line compare's bit is not protected
			s.CRTC[crtcOverflow] = s.CRTC[crtcOverflow]&^0x10 | b&0x10
		}
		return
	}
	if int(s.CRTCIndex) < len(s.CRTC) {
		s.CRTC[s.CRTCIndex] = b
	}
}

// The bits of the registers that exist.
var (
	seqBits  = [5]uint8{3, 0x3d, 0x0f, 0x3f, 0x0e}
	gfxBits  = [9]uint8{15, 15, 15, 0x1f, 3, 0x7b, 15, 15, 0xff}
	attrBits = func() (bits [21]uint8) {
		for i := range attrMode {
			bits[i] = 0x3f
		}
		copy(bits[attrMode:], []uint8{0xef, 0xff, 0x3f, 15, 15})
		return bits
	}()
)

// register gives a register by its index, setRegister sets those bits of it that
// exist. Behind the last one there is nothing.
func register(all []uint8, index uint8) uint8 {
	if int(index) < len(all) {
		return all[index]
	}
	return 0
}

func setRegister(all, bits []uint8, index, b uint8) {
	if int(index) < len(all) {
		all[index] = b & bits[index]
	}
}

// retrace is input status 1. The beam draws lines of characters one after the other,
// each of the time that the registers say. [FreeVGA, Input Status #1 Register]
func (v *VGA) retrace() (b uint8) {
	s := &v.s
	clock := uint64(25_175_000)
	if s.Misc>>2&3 == 1 {
		clock = 28_322_000
	}
	dots := uint64(9)
	if s.Seq[seqClocking]&seqDots8 != 0 {
		dots = 8
	}
	if s.Seq[seqClocking]&seqHalfClock != 0 {
		dots *= 2
	}
	width, height := uint64(s.CRTC[crtcHTotal])+5, v.lines(crtcVTotal, 0, 5)+2
	at := v.m.beats(clock/dots) % (width * height)
	column, line := at%width, at/width
	if column > uint64(s.CRTC[crtcHDisplayEnd]) || line > v.lines(crtcVDisplayEnd, 1, 6) {
		b = retraceAny
	}
	start := v.lines(crtcVSyncStart, 2, 7)
	length := (uint64(s.CRTC[crtcVSyncEnd])-start-1)&15 + 1 // its end has four bits
	if line >= start && line < start+length {
		b |= retraceVertical | retraceAny
	}
	return b
}

// lines is a number of scan lines, of 10 bits: eight of a register, and two
// of the overflow register.
func (v *VGA) lines(register, bit8, bit9 int) uint64 {
	c, over := &v.s.CRTC, uint64(v.s.CRTC[crtcOverflow])
	return uint64(c[register]) | over>>bit8&1<<8 | over>>bit9&1<<9
}

// Text memory.
const (
	textAt   = mmu.Phys(0xb8000)
	textSize = 32 << 10
)

// blankText is a page of blanks in light grey on black, which is what firmware
// fills text memory with. All machines share it until they store there.
var blankText = func() *mmu.Page {
	p := new(mmu.Page)
	for i := 0; i < len(p); i += 2 {
		p[i], p[i+1] = ' ', 0x07
	}
	return p
}()
