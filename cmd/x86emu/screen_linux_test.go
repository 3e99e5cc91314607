package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counting is a boot sector that counts for ever behind HELLO: l: inc byte [es:14]; jmp l.
var counting = drawing("\x26\xfe\x06\x0e\x00\xeb\xf9")

// The screen is drawn while the guest runs, until Ctrl-C or a signal; what it showed last
// stays when the terminal is as it was.
func TestLiveScreen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(term *terminal)
	}{
		{"Ctrl-C", func(term *terminal) { term.press("typed\x03") }},
		{"SIGTERM", func(term *terminal) { term.cmd.Process.Signal(syscall.SIGTERM) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			term := start(t, 80, 25, nil, "run", file(t, "image", counting), "--screen=live")
			term.shows("HELLO")
			seen := map[rune]bool{}
			term.wait("a few counts", func(string) bool {
				seen[term.cell(7, 0).Char] = true
				return len(seen) > 3
			})
			cursor, shows := term.cursor()
			assert.Equal(t, [2]int{5, 0}, cursor)
			assert.True(t, shows)
			cell := term.cell(0, 0)
			assert.Equal(t, vt10x.Color(15), cell.FG)
			assert.Equal(t, vt10x.Blue, cell.BG)
			assert.True(t, term.alternate())
			c.end(term)
			assert.Equal(t, 130, term.ends())
			assert.False(t, term.alternate())
			_, shows = term.cursor()
			assert.True(t, shows)
			assert.Regexp(t, `^HELLO(  .)?\nx86emu: interrupted at tick \d+\n$`, term.text()) // the count may be at a blank
		})
	}
}

// What the guest sends goes to a file, and its end is the end.
func TestLiveScreenWithSerialFile(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "com1")
	term := start(t, 80, 25, nil, "run", file(t, "image", drawing(hello+exit5)), "--screen=live", "--serial", to)
	assert.Equal(t, 11, term.ends())
	assert.Equal(t, "HELLO\n", term.text())
	sent, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "hi\n", string(sent))
}

// The picture follows the size of the terminal, also where it is too small.
func TestLiveScreenResize(t *testing.T) {
	t.Parallel()
	term := start(t, 40, 10, []string{"NO_COLOR=1"}, "run", file(t, "image", counting), "--screen=live")
	term.shows("columns 0-39, rows 0-8 of 80x25")
	term.shows("HELLO")
	assert.Equal(t, vt10x.DefaultBG, term.cell(0, 0).BG)
	term.screen.Resize(100, 30)
	require.NoError(t, pty.Setsize(term.pty, &pty.Winsize{Cols: 100, Rows: 30}))
	term.wait("the whole screen", func(screen string) bool {
		return strings.HasPrefix(screen, "HELLO") && !strings.Contains(screen, "columns")
	})
	term.press("\x03")
	assert.Equal(t, 130, term.ends())
}

// Where it cannot be drawn, one line says so.
func TestLiveScreenRefuses(t *testing.T) {
	for _, c := range []struct {
		name, env string
		args      []string
		want      string
	}{
		{"dumb", "TERM=dumb", nil, `x86emu: --screen=live needs a terminal that can move its cursor: TERM is "dumb" (--screen prints it when the run ends)`},
		{"serial", "", []string{"--serial", "stdio"}, "x86emu: --screen=live draws on this terminal: --serial must be null or a FILE"},
		{"debug console", "", []string{"--debugcon", "stdio"}, "x86emu: --screen=live draws on this terminal: --debugcon must be null or a FILE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			term := start(t, 150, 25, []string{c.env}, append([]string{"run", "hello-32", "--screen=live"}, c.args...)...)
			assert.Equal(t, statusBadUsage, term.ends())
			assert.Equal(t, c.want+"\n", term.text())
		})
	}
}

// "step" lays the guest's screen over its panes.
func TestStepShowsTheScreen(t *testing.T) {
	t.Parallel()
	term := start(t, 80, 24, nil, "step", file(t, "image", drawing(exit0)))
	term.shows("the beginning")
	term.press("v")
	term.shows("the guest's screen: 80x25, cursor in column 0, row 0; it is blank")
	term.press("\x1b")
	term.shows("registers")
	term.press("G:screen\r")
	term.shows("the guest's screen: 80x25, cursor in column 5, row 0")
	term.shows("\nHELLO\n")
	assert.Equal(t, vt10x.Blue, term.cell(0, 2).BG)
	term.press("qq")
	assert.Zero(t, term.ends())
}
