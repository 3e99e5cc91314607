package screen

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tube is a terminal, and what was written to it since it was asked.
type tube struct {
	vt10x.Terminal
	written       bytes.Buffer
	width, height int
}

func newTube(width, height int) *tube {
	return &tube{Terminal: vt10x.New(vt10x.WithSize(width, height)), width: width, height: height}
}

func (b *tube) Write(text []byte) (int, error) {
	b.written.Write(text)
	return b.Terminal.Write(text)
}

func (b *tube) terminal() Terminal {
	return Terminal{Out: b, Profile: colorprofile.ANSI, Size: func() (int, int, error) { return b.width, b.height, nil }}
}

// text is what the terminal shows.
func (b *tube) text() string {
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// pictures makes the clock of a Live go on by a period at each look.
func (l *Live) pictures() {
	var at time.Time
	l.now = func() time.Time { at = at.Add(period); return at }
}

func TestLiveDrawsWhatChanges(t *testing.T) {
	g, b := newGuest(t), newTube(80, 25)
	art(g)
	l := Watch(g.m, b.terminal())
	golden(t, "mode3.txt", b.text())
	assert.True(t, b.CursorVisible())
	for _, c := range []struct {
		rule   string
		change func()
		most   int // bytes
		x, y   int // where the cursor is then
	}{
		{"nothing", func() {}, 0, 0, 0},
		{"the cursor", func() { g.crtc(15, 83) }, 30, 3, 1},
		{"a character", func() { g.put(20, 20, 7, "X") }, 40, 3, 1},
		{"an attribute", func() { g.put(20, 20, 0x1e, "X") }, 60, 3, 1},
		{"the last one", func() { g.put(79, 24, 7, "Y") }, 40, 3, 1},
		{"all", func() { g.crtc(12, 0x10) }, 4000, -1, -1},
		{"back", func() { g.crtc(12, 0) }, 8000, 3, 1},
	} {
		c.change()
		b.written.Reset()
		l.draw()
		assert.LessOrEqual(t, b.written.Len(), c.most, c.rule)
		assert.Equal(t, strings.Join(g.lines(), "\n")+"\n", b.text(), c.rule)
		assert.Equal(t, c.x >= 0, b.CursorVisible(), c.rule)
		if c.x >= 0 {
			at := b.Cursor()
			assert.Equal(t, [2]int{c.x, c.y}, [2]int{at.X, at.Y}, c.rule)
		}
	}
	require.NoError(t, l.Close())
	assert.Equal(t, "\n", b.text(), "the terminal is as it was")
	assert.True(t, b.CursorVisible())
	assert.Nil(t, g.m.OnTick)
}

// A terminal that is too small shows the part with the cursor, and says which.
func TestLiveCut(t *testing.T) {
	g, b := newGuest(t), newTube(40, 10)
	art(g)
	g.put(0, 23, 7, "> prompt")
	l := Watch(g.m, b.terminal())
	golden(t, "cut-40x10.txt", b.text())
	g.crtc(14, 23*80>>8, 15, 23*80&0xff+8)
	l.draw()
	golden(t, "cut-40x10-cursor.txt", b.text())
	assert.Equal(t, [2]int{8, 8}, [2]int{b.Cursor().X, b.Cursor().Y})
	b.width, b.height = 80, 25
	b.Resize(80, 25)
	l.draw()
	assert.Equal(t, strings.Join(g.lines(), "\n")+"\n", b.text(), "and all again when it has grown")
	for _, size := range [][2]int{{0, 0}, {1, 1}, {5, 1}, {1, 5}, {200, 3}, {300, 100}} {
		b.width, b.height = size[0], size[1]
		b.Resize(max(1, size[0]), max(1, size[1]))
		assert.NotPanics(t, l.draw, "%v", size)
	}
}

func TestLiveNote(t *testing.T) {
	g, b := newGuest(t), newTube(30, 3)
	g.put(0, 0, 7, "text")
	l := Watch(g.m, b.terminal())
	g.out(0x3ce, 6)
	g.out(0x3cf, 5)
	l.draw()
	assert.Equal(t, "the screen is in a graphics mo\n", b.text())
	assert.False(t, b.CursorVisible())
}

// The guest runs as it would unwatched, and the pictures come by the host's time.
func TestLiveChangesNothing(t *testing.T) {
	const ticks = 2*glance + 12345
	alone := newCounter(t)
	alone.run(ticks)
	g, b := newCounter(t), newTube(80, 25)
	l := Watch(g.m, b.terminal())
	l.pictures()
	g.run(ticks)
	assert.True(t, alone.m.Moment().Equal(g.m.Moment()))
	assert.GreaterOrEqual(t, strings.Count(b.written.String(), "\x1b[H"), 2, "pictures were drawn")

	b.written.Reset()
	l.now = func() time.Time { return time.Time{} }
	g.run(ticks)
	assert.Empty(t, b.written.String(), "no picture before its time")
}

// A terminal that has gone is told, and does not end the guest.
func TestLiveWithoutTerminal(t *testing.T) {
	g := newCounter(t)
	l := Watch(g.m, Terminal{Out: broken{}, Size: func() (int, int, error) { return 80, 25, nil }})
	l.pictures()
	g.run(2 * glance)
	assert.EqualError(t, l.Close(), "gone")

	g, b := newCounter(t), newTube(80, 25)
	l = Watch(g.m, Terminal{Out: b, Size: func() (int, int, error) { return 0, 0, errors.New("no terminal") }})
	g.run(2 * glance)
	assert.NoError(t, l.Close())
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }
