// Package screen shows a PC's text screen: what the VGA's registers make of text
// memory, as characters and colours. Take gives what is seen at one moment, as
// plain data; Lines makes text of it, with colours for a terminal that has some; Live draws it
// on a terminal while the guest runs.
//
// Characters are those of code page 437, whatever font the guest has loaded.
// Graphics modes show nothing, and that is told.
package screen

import (
	"x86emu/machine"
	"x86emu/mmu"
)

// Screen is what a text screen shows at one moment.
type Screen struct {
	Note          string // why there is nothing to be seen, and then there are no cells; or ""
	Columns, Rows int
	Cells         []Cell // row by row

	Cursor           bool // there is one on the screen
	CursorX, CursorY int  // where, counted from 0
}

// Cell is one character of it.
type Cell struct {
	Rune             rune // printable, one column wide
	Fore, Back       Ink
	Blink, Underline bool
}

// Ink is a colour. Where it is one of the PC's sixteen, a terminal shows its own
// of that name.
type Ink struct {
	Number uint8 // of the sixteen, 0 to 15, unless Own
	Own    bool  // it is another one, of the guest's own making: RGB
	RGB    machine.Colour
}

// The colours of blank text memory.
var (
	black = Ink{Number: 0}
	grey  = Ink{Number: 7}
)

// Take gives what the screen of a machine shows. No device notices.
func Take(m *machine.Machine) *Screen {
	if m.VGA == nil {
		return &Screen{Note: "this board has no screen"}
	}
	text := m.VGA.Text()
	switch {
	case text.Graphics:
		return &Screen{Note: "the screen is in a graphics mode, of which nothing can be shown"}
	case text.Off:
		return &Screen{Note: "the screen is switched off"}
	}
	var inks [16]Ink
	for i, c := range text.Colours {
		inks[i] = inkOf(c)
	}
	s := &Screen{Columns: text.Columns, Rows: text.Rows, Cells: make([]Cell, text.Columns*text.Rows)}
	for y := range s.Rows {
		for x := range s.Columns {
			s.Cells[y*s.Columns+x] = cellOf(&text, &inks, m.Mem, text.Cell(x, y))
		}
	}
	s.CursorX, s.CursorY, s.Cursor = text.Cursor()
	return s
}

// cellOf reads a cell: a byte of the character, and its attribute.
func cellOf(text *machine.TextMode, inks *[16]Ink, mem *mmu.Memory, at mmu.Phys) Cell {
	var b [2]byte
	mem.Peek(at, b[:])
	fore, back := b[1]&15, b[1]>>4
	c := Cell{Rune: codePage437[b[0]], Underline: text.Mono && fore&7 == 1}
	if text.Blink {
		c.Blink = back&8 != 0
		back &= 7
	}
	c.Fore, c.Back = inks[fore], inks[back]
	return c
}

// inkOf gives a colour its name, if it has one.
func inkOf(c machine.Colour) Ink {
	for n := range uint8(16) {
		if c == standard(n) {
			return Ink{Number: n}
		}
	}
	return Ink{Own: true, RGB: c}
}

// standard is one of the PC's sixteen colours: a bit each of blue, green, red and
// intensity, and brown, which is dark yellow made less green.
func standard(n uint8) machine.Colour {
	part := func(bit uint8) uint8 { return 0xaa*(n>>bit&1) + 0x55*(n>>3&1) }
	c := machine.Colour{R: part(2), G: part(1), B: part(0)}
	if n == 6 {
		c.G = 0x55
	}
	return c
}

// codePage437 is the PC's character set, with the glyphs of its control characters.
var codePage437 = []rune(" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂" +
	"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
	"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ")
