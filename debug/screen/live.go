package screen

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"x86emu/machine"
)

// Terminal is what Live draws on. It has UTF-8 and can move its cursor.
type Terminal struct {
	Out     io.Writer
	Profile colorprofile.Profile
	Size    func() (width, height int, err error) // in characters
}

// Live draws the screen of a machine on a terminal while the machine runs: some times
// a second of the host's time, and only what has changed. The guest does not
// notice. A terminal that is smaller shows the part with the cursor, and
// below it a line that tells which.
type Live struct {
	m    *machine.Machine
	t    Terminal
	now  func() time.Time
	next time.Time // when it draws again

	shown picture
	err   error
}

// picture is what a terminal shows: cells row by row, and its cursor.
type picture struct {
	width, height int
	cells         []Cell
	cursor        place
}

// place is a place on the terminal; nowhere for no cursor.
type place struct{ x, y int }

var nowhere = place{-1, -1}

// outside is what is beside the screen.
var outside = Cell{Rune: ' ', Fore: grey, Back: black}

func newPicture(width, height int) picture {
	p := picture{width, height, make([]Cell, width*height), nowhere}
	for i := range p.cells {
		p.cells[i] = outside
	}
	return p
}

// say writes a line of text.
func (p *picture) say(y int, text string) {
	for x, r := range []rune(text)[:min(len(text), p.width)] {
		p.cells[y*p.width+x].Rune = r
	}
}

const (
	// period is the time between two pictures.
	period = 50 * time.Millisecond
	// glance is how many ticks go by between two looks at the host's clock: some
	// milliseconds of running, and a look costs less than a microsecond. It is a prime, lest
	// a guest that counts looks as if it stood.
	glance = 1_000_003
)

// Watch draws the machine's screen from now on. It takes Machine.OnTick and, until
// Close, the whole terminal.
func Watch(m *machine.Machine, t Terminal) *Live {
	l := &Live{m: m, t: t, now: time.Now}
	l.write(ansi.SetModeAltScreenSaveCursor)
	l.draw()
	m.OnTick = l.tick
	return l
}

// Close draws no more and leaves the terminal as it was. The error is the first that
// writing to it had.
func (l *Live) Close() error {
	l.m.OnTick = nil
	l.write(ansi.ResetStyle + ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable)
	return l.err
}

// tick is Machine.OnTick.
func (l *Live) tick(now uint64) uint64 {
	if t := l.now(); !t.Before(l.next) {
		l.draw()
		l.next = l.now().Add(period) // a slow terminal has its pause, too
	}
	return now + glance
}

// write writes to the terminal, as long as it takes anything.
func (l *Live) write(text string) {
	if l.err == nil && text != "" {
		_, l.err = io.WriteString(l.t.Out, text)
	}
}

// draw brings the terminal up to date.
func (l *Live) draw() {
	width, height, err := l.t.Size()
	if err != nil || width < 1 || height < 1 {
		return
	}
	var b strings.Builder
	if l.shown.width != width || l.shown.height != height {
		l.shown = newPicture(width, height)
		b.WriteString(ansi.EraseEntireScreen)
	}
	next := Take(l.m).fit(width, height)
	next.change(&b, &l.shown, l.t.Profile)
	if b.Len() == 0 && next.cursor == l.shown.cursor {
		return
	}
	l.shown = next
	if next.cursor != nowhere {
		b.WriteString(ansi.CursorPosition(next.cursor.x+1, next.cursor.y+1) + ansi.SetModeTextCursorEnable)
	}
	l.write(ansi.ResetModeTextCursorEnable + b.String())
}

// change writes the cells that are not as before.
func (p *picture) change(b *strings.Builder, before *picture, profile colorprofile.Profile) {
	pen := pen{p: profile}
	at := -1 // the cell at which the terminal writes next, if it is known
	for i, c := range p.cells {
		if c == before.cells[i] {
			continue
		}
		if i != at || i%p.width == 0 {
			b.WriteString(ansi.CursorPosition(i%p.width+1, i/p.width+1))
		}
		pen.draw(b, c)
		if at = i + 1; c.Rune >= 0x80 {
			at = -1 // some terminals draw some of these two columns wide
		}
	}
	pen.lift(b)
}

// fit is the screen on a terminal of a size.
func (s *Screen) fit(width, height int) picture {
	p := newPicture(width, height)
	if s.Note != "" {
		p.say(0, s.Note)
		return p
	}
	columns, rows, left, top := min(s.Columns, width), min(s.Rows, height), 0, 0
	if s.Columns > width || s.Rows > height {
		rows = min(s.Rows, height-1)
		if s.Cursor {
			left, top = max(0, s.CursorX-columns+1), max(0, s.CursorY-rows+1)
		}
		p.say(height-1, fmt.Sprintf("columns %d-%d, rows %d-%d of %dx%d", left, left+columns-1, top, top+rows-1, s.Columns, s.Rows))
	}
	for y := range rows {
		copy(p.cells[y*width:y*width+columns], s.Cells[(top+y)*s.Columns+left:])
	}
	if s.Cursor && rows > 0 {
		p.cursor = place{s.CursorX - left, s.CursorY - top}
	}
	return p
}
