package machine

import "x86emu/mmu"

// TextMode is what an adapter's registers make of text memory.
type TextMode struct {
	// Graphics tells that the registers ask for a graphics mode, Off that there is no
	// picture at all; the rest is of no use then.
	Graphics, Off bool

	Columns, Rows int // from 1 to 256 and from 0 to 1024

	// Blink tells that bit 7 of an attribute lets the character blink; else it is the
	// background's fourth bit. Mono tells that characters are underlined where the
	// attribute's bits 0 to 2 are 1.
	Blink, Mono bool
	Colours     [16]Colour // by the four bits of an attribute

	cursor      int // in cells of text memory
	at          mmu.Phys
	cells       int // that there are; the address goes round
	first       int // the cell at the top left
	stride      int // cells from a row to the next
	splitAt     int // the row that shows the first cell of memory
	shownCursor bool
}

// Colour is one of the DAC's, each part from 0 to 255.
type Colour struct{ R, G, B uint8 }

// Text tells how the screen shows text. Smooth scrolling, smooth panning and the
// second font are not seen in it. [FreeVGA, VGA Text Mode Operation]
func (v *VGA) Text() TextMode {
	s := &v.s
	t := TextMode{
		Graphics: s.Gfx[gfxMisc]&1 != 0,
		Off:      s.AttrIndex&vgaPAS == 0 || s.Seq[seqClocking]&seqOff != 0,
		Columns:  int(s.CRTC[crtcHDisplayEnd]) + 1,
		Blink:    s.Attr[attrMode]&8 != 0,
		Mono:     s.Attr[attrMode]&2 != 0,
		Colours:  v.colours(),
		first:    v.pair(crtcStart),
		stride:   2 * int(s.CRTC[crtcOffset]),
	}
	switch s.Gfx[gfxMisc] >> 2 & 3 {
	case 0:
		t.at, t.cells = 0xa0000, 128<<10/2
	case 1:
		t.at, t.cells = 0xa0000, 64<<10/2
	case 2:
		t.at, t.cells = 0xb0000, textSize/2
	case 3:
		t.at, t.cells = textAt, textSize/2
	}
	char := int(s.CRTC[crtcMaxScan]&0x1f) + 1 // lines
	row := char
	if s.CRTC[crtcMaxScan]&0x80 != 0 {
		row *= 2 // each line is drawn twice
	}
	t.Rows = (int(v.lines(crtcVDisplayEnd, 1, 6)) + 1) / row
	compare := int(s.CRTC[crtcLineCompare]) | int(s.CRTC[crtcOverflow])>>4&1<<8 | int(s.CRTC[crtcMaxScan])>>6&1<<9
	t.splitAt = compare/row + 1

	start, end := int(s.CRTC[crtcCursorStart]), int(s.CRTC[crtcCursorEnd]&0x1f)
	t.cursor, t.shownCursor = v.pair(crtcCursor), start&0x20 == 0 && start&0x1f <= end && start&0x1f < char
	return t
}

// pair is a number in two registers of the CRT controller, the high byte first.
func (v *VGA) pair(at int) int { return int(v.s.CRTC[at])<<8 | int(v.s.CRTC[at+1]) }

// colours are the DAC's of the sixteen that a character may have.
func (v *VGA) colours() (list [16]Colour) {
	s := &v.s
	page := s.Attr[attrColourPage]
	for i := range list {
		entry := s.Attr[uint8(i)&s.Attr[attrPlanes]&15]
		if s.Attr[attrMode]&0x80 != 0 {
			entry = entry&15 | page<<4
		} else {
			entry |= page >> 2 << 6
		}
		c := s.DAC[3*int(entry&s.DACMask):]
		list[i] = Colour{full(c[0]), full(c[1]), full(c[2])}
	}
	return list
}

// full makes eight bits of six.
func full(c uint8) uint8 { return c<<2 | c>>4 }

// cell is the number of the cell of memory that is shown at a place.
func (t *TextMode) cell(x, y int) int {
	from := t.first + y*t.stride
	if y >= t.splitAt {
		from = (y - t.splitAt) * t.stride
	}
	return (from + x) % t.cells
}

// Cell is where the cell shown at a place lies: a byte of the character, and its
// attribute. Counted from 0 at the top left.
func (t *TextMode) Cell(x, y int) mmu.Phys { return t.at + 2*mmu.Phys(t.cell(x, y)) }

// Cursor tells where the cursor stands, if it is on and on the screen.
func (t *TextMode) Cursor() (x, y int, on bool) {
	if !t.shownCursor {
		return 0, 0, false
	}
	for y := range t.Rows {
		if x := (t.cursor%t.cells - t.cell(0, y) + t.cells) % t.cells; x < t.Columns {
			return x, y, true
		}
	}
	return 0, 0, false
}
