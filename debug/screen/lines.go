package screen

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// Lines are the rows of the screen, without what cannot be seen at the ends of
// rows and of the screen; there is no line if it is blank. Colours are as a terminal
// of the profile can show them. Where it has none, the lines are plain text.
//
// Light grey on black, the colours of blank text memory, are left to the terminal.
func (s *Screen) Lines(p colorprofile.Profile) []string {
	var lines []string
	filled := 0
	for y := range s.Rows {
		row := s.Cells[y*s.Columns : (y+1)*s.Columns]
		for len(row) > 0 && row[len(row)-1].unseen(p) {
			row = row[:len(row)-1]
		}
		var line strings.Builder
		pen := pen{p: p}
		for _, c := range row {
			pen.draw(&line, c)
		}
		pen.lift(&line)
		lines = append(lines, line.String())
		if len(row) > 0 {
			filled = y + 1
		}
	}
	return lines[:filled]
}

// String tells in a few words what kind of screen it is.
func (s *Screen) String() string {
	if s.Note != "" {
		return s.Note
	}
	text := fmt.Sprintf("%dx%d, no cursor", s.Columns, s.Rows)
	if s.Cursor {
		text = fmt.Sprintf("%dx%d, cursor in column %d, row %d", s.Columns, s.Rows, s.CursorX, s.CursorY)
	}
	if len(s.Lines(colorprofile.ANSI)) == 0 {
		text += "; it is blank"
	}
	return text
}

// unseen tells whether nothing shows that the cell is there.
func (c Cell) unseen(p colorprofile.Profile) bool {
	return c.Rune == ' ' && (plain(p) || c.Back == black && !c.Underline)
}

// plain tells whether there are no colours.
func plain(p colorprofile.Profile) bool { return p < colorprofile.ANSI }

// pen writes cells side by side, and a change of colours only where there is one.
type pen struct {
	p     colorprofile.Profile
	style string // of the last cell
}

func (n *pen) draw(b *strings.Builder, c Cell) {
	if style := c.style(n.p); style != n.style {
		n.lift(b)
		b.WriteString(style)
		n.style = style
	}
	b.WriteRune(c.Rune)
}

// lift ends with the terminal's own colours.
func (n *pen) lift(b *strings.Builder) {
	if n.style != "" {
		b.WriteString(ansi.ResetStyle)
		n.style = ""
	}
}

// style is what sets a cell's colours.
func (c Cell) style(p colorprofile.Profile) string {
	if plain(p) || c.Fore == grey && c.Back == black && !c.Blink && !c.Underline {
		return ""
	}
	st := ansi.NewStyle().ForegroundColor(p.Convert(c.Fore.color())).BackgroundColor(p.Convert(c.Back.color()))
	if c.Blink {
		st = st.Blink(true)
	}
	if c.Underline {
		st = st.Underline(true)
	}
	return st.String()
}

// color is the colour for a terminal, which counts red first where the PC counts blue.
func (k Ink) color() color.Color {
	if k.Own {
		return color.RGBA{k.RGB.R, k.RGB.G, k.RGB.B, 0xff}
	}
	return ansi.BasicColor(k.Number&^5 | k.Number>>2&1 | k.Number&1<<2)
}
