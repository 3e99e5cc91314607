package main

import (
	"bufio"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var updateScreens = flag.Bool("update-screens", false, "write the golden screens anew")

// terminal is a pseudo-terminal with a program in it, and what its screen shows.
type terminal struct {
	t      *testing.T
	pty    *os.File
	screen vt10x.Terminal
	cmd    *exec.Cmd
	done   chan error
}

// patience is how long a screen may take on a busy machine.
const patience = 20 * time.Second

// start runs the command in a terminal of w by h.
func start(t *testing.T, w, h int, env []string, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	term := &terminal{t: t, screen: vt10x.New(vt10x.WithSize(w, h)), cmd: exec.Command(self, args...), done: make(chan error, 1)}
	term.cmd.Env = append([]string{asCommand + "=1", "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH")}, env...)
	term.pty, err = pty.StartWithSize(term.cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	require.NoError(t, err)
	read := make(chan struct{})
	go func() {
		defer close(read)
		in := bufio.NewReader(term.pty)
		for {
			// The screen takes whole characters only: one must not be cut by a read.
			r, _, err := in.ReadRune()
			if err != nil {
				return
			}
			term.screen.Write([]byte(string(r)))
		}
	}()
	go func() {
		err := term.cmd.Wait()
		<-read
		term.done <- err
	}()
	t.Cleanup(func() {
		term.cmd.Process.Kill()
		term.pty.Close()
	})
	return term
}

// text is what the screen shows.
func (term *terminal) text() string {
	lines := strings.Split(term.screen.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// cell is what stands in a column and row of the screen, which the program may be writing to.
func (term *terminal) cell(x, y int) vt10x.Glyph {
	term.screen.Lock()
	defer term.screen.Unlock()
	return term.screen.Cell(x, y)
}

// cursor is the column and row of the cursor, and whether it shows.
func (term *terminal) cursor() (at [2]int, shows bool) {
	term.screen.Lock()
	defer term.screen.Unlock()
	c := term.screen.Cursor()
	return [2]int{c.X, c.Y}, term.screen.CursorVisible()
}

// alternate tells whether the program has the terminal's second screen.
func (term *terminal) alternate() bool {
	term.screen.Lock()
	defer term.screen.Unlock()
	return term.screen.Mode()&vt10x.ModeAltScreen != 0
}

// wait waits until the screen is as it should be.
func (term *terminal) wait(what string, ok func(screen string) bool) {
	term.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if ok(term.text()) {
			return
		}
		if time.Now().After(end) {
			require.FailNow(term.t, "the screen does not show "+what, term.text())
		}
	}
}

// shows waits until the screen shows a text.
func (term *terminal) shows(text string) {
	term.t.Helper()
	term.wait(text, func(screen string) bool { return strings.Contains(screen, text) })
}

// press types keys.
func (term *terminal) press(keys string) {
	term.t.Helper()
	_, err := term.pty.WriteString(keys)
	require.NoError(term.t, err)
}

// golden compares the screen with a file.
func (term *terminal) golden(name string) {
	term.t.Helper()
	file := filepath.Join("testdata", "step", name+".txt")
	if *updateScreens {
		time.Sleep(500 * time.Millisecond)
		require.NoError(term.t, os.WriteFile(file, []byte(term.text()), 0o666))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(term.t, err)
	for end := time.Now().Add(patience); term.text() != string(want) && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	require.Equal(term.t, string(want), term.text(), "%s (go test -update-screens writes them anew)", file)
}

// ends waits for the end of the program and gives its exit status.
func (term *terminal) ends() int {
	term.t.Helper()
	select {
	case <-term.done:
	case <-time.After(patience):
		require.FailNow(term.t, "the program does not end", term.text())
	}
	return term.cmd.ProcessState.ExitCode()
}

// A session from the first instruction through the stages of a delivery, back
// and forth: each screen as text.
func TestStepScreens(t *testing.T) {
	type action struct {
		keys   string
		shows  string // then
		golden string // and the whole screen, if not empty
	}
	const esc = "\x1b"
	faults := []action{
		{"", "of 235045  CPL", "begin"},
		{"G", "the run is over", "end"},
		{"E", "before #PF", "fault"},
		{"lllll", "stage 5 of 42", "verdict"},
		{"30l", "stage 35 of 42", "push"},
		{"h", "stage 34 of 42", ""},
		{"s", "stepped", "handler"},
		{"S", "stepped back", ""},
		{"c", "tick 203343", ""},
		{"F", "before the fault that began it", ""},
		{"C", "tick 188653", "continue-back"},
		{":pte 0x3d0000\r", "breakpoint 2", ""},
		{":catch PF code=6/7 cr2=0x40001000\r", "breakpoint 3: #PF with error code 0x6", ""},
		{":d 1\r", "", ""},
		{"B", "breakpoints:", "breakpoints"},
		{esc, "next step", ""},
		{"c", "before change of a page-table entry", "pte"},
		{"c", "before #PF with error code", ""},
		{"g", "tick 0 ", ""},
		{"/promised\r", "was sent", "search"},
		{"?PF\r", "tick 170865", "search-back"},
		{":x 0xfffffffff\r", "Esc goes back", ""},
		{":walk 0x100000\r", "address 0x100000", ""},
		{":frob\r", `no command "frob"`, ""},
		{":b nowhere\r", "neither a number", ""},
		{"H", "this help", "help"},
		{esc, "next step", ""},
		{"\t\t\tz", "► walk", "zoom"},
	}
	floats := []string{"testdata/floats.bin", "--load-addr", "0x500"}
	units := []action{
		{"", "of 22  CPL", ""},
		{"9s", "*x87", ""},
		{"r", "st1 4000c90fdaa22168c235 3.141593", "x87"},
		{"4s", "*SSE", ""},
		{"rr", "*xmm0 0000000000000000000000003f800000", "sse"},
		{"s\tz", "ps 1 1 1 1  pd 0.0078", "sse-zoom"},
		{"zs", "*MMX", ""},
		{"rrr", "*mm3 0000000000001d80", "mmx"},
		{"rrr/MF\r", "before #MF", ""},
		{"z", "R6 = 1", "x87-zoom"},
		{"z\t", "event #MF (ZE), math fault", "mf"},
	}
	for _, c := range []struct {
		name string
		w, h int
		env  []string
		args []string
		acts []action
	}{
		{"80x24", 80, 24, nil, []string{"unmapped-handler-32"}, faults},
		{"200x60", 200, 60, nil, []string{"unmapped-handler-32"}, faults},
		{"stale", 80, 24, nil, []string{"missing-invlpg-32", "--report-stale-tlb"}, []action{
			{"", "to come (69015 40029000)", ""},
			{"G", "5 before (94211 4002b000), 0 to come", "end"},
			{"?stale\r", "► supervisor write of 4002b000", "use"},
			{"s", "5 before (94211 4002b000)", ""},
			{"S", "► supervisor write of 4002b000", ""},
			{"?stale\r?stale\r", "tick 83682", ""},
			{"\t\t\tz", "missing: INVLPG of 0x4002a000, or", "walk"},
			{"z", "registers", ""},
			{"g", "0 before, 5 to come (69015 40029000)", ""},
			{"?stale\r", "no stale TLB entry was used before", ""},
			{"/stale\r/stale\r", "tick 70007", ""},
			{"G/stale\r", "no stale TLB entry is used from here to the end", ""},
		}},
		{"stale-wide", 200, 60, nil, []string{"missing-invlpg-32", "--report-stale-tlb", "--at", "94211"}, []action{
			{"", "of 105973  CPL", ""},
			{"", "► supervisor write of 4002b000", "use"},
		}},
		{"units", 80, 24, nil, floats, units},
		{"units-wide", 200, 60, nil, floats, units},
		{"units-386", 80, 24, nil, append(floats, "--cpu", "386"), []action{
			{"", "of 3  CPL", ""},
			{"r", "─ registers ───", ""},
		}},
		{"plain", 80, 24, []string{"NO_COLOR=1", "LC_ALL=C"}, []string{"unmapped-handler-64"}, []action{
			{"", "of 221328  CPL", ""},
			{"GE", "before #PF", "fault"},
			{"llll", "stage 4 of", "walk"},
			{"q", "", ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			term := start(t, c.w, c.h, c.env, append([]string{"step"}, c.args...)...)
			for _, a := range c.acts {
				term.press(a.keys)
				if a.shows != "" {
					term.shows(a.shows)
				}
				if a.golden != "" {
					term.golden(c.name + "-" + a.golden)
				}
			}
			if last := c.acts[len(c.acts)-1]; last.keys != "q" {
				term.press("q")
			}
			assert.Zero(t, term.ends())
		})
	}
}

// The screen follows the size of the terminal, also where it is too small.
func TestStepResize(t *testing.T) {
	t.Parallel()
	term := start(t, 200, 60, nil, "step", "unmapped-handler-32", "--at", "203342")
	term.shows("of 235045  CPL")
	resize := func(w, h int) {
		require.NoError(t, pty.Setsize(term.pty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}))
		term.screen.Resize(w, h)
	}
	term.golden("resize-200x60")
	resize(80, 24)
	term.golden("resize-80x24")
	resize(40, 10)
	term.shows("40x10 is too small: 60x16 at least")
	resize(200, 60)
	term.golden("resize-200x60")
	term.press("q")
	assert.Zero(t, term.ends())
}

// Ctrl-C stops a run that has no end, and what comes next is where it stands;
// keys typed meanwhile are dropped with it.
func TestStepIsInterrupted(t *testing.T) {
	t.Parallel()
	term := start(t, 80, 24, nil, "step", "--board", "bare", file(t, "image", sector(hello+forever)))
	term.shows("the beginning")
	term.press("c")
	term.shows("Ctrl-C stops")
	term.press("sss\x03")
	term.shows("interrupted")
	term.press("g")
	term.shows("tick 0 of")
	term.press("5s")
	term.shows("stepped")
	term.shows("tick 5 of")
	term.press("\x03")
	term.shows("q quits")
	term.press("q")
	assert.Zero(t, term.ends())
}

// The guest's input comes from a file.
func TestStepInput(t *testing.T) {
	t.Parallel()
	// mov dx,0x3fd; l: in al,dx; test al,1; jz l; mov dx,0x3f8; in al,dx; out dx,al; exit
	const echo = "\xba\xfd\x03\xec\xa8\x01\x74\xfb\xba\xf8\x03\xec\xee" + exit0
	term := start(t, 80, 24, nil, "step", file(t, "image", sector(echo)), "--input", file(t, "input", "~"))
	term.shows("the beginning")
	term.press("G")
	term.shows("exit status 0")
	term.shows("\n~\n")
	term.press("q")
	assert.Zero(t, term.ends())
}

// Where there is no screen, one line says so.
func TestStepNeedsATerminal(t *testing.T) {
	for _, c := range []struct {
		name string
		w, h int
		env  string
		want string
	}{
		{"too small", 20, 5, "", "step needs a terminal of 60x16 at least: this one has 20x5"},
		{"dumb", 80, 24, "TERM=dumb", `TERM is "dumb"`},
		{"unknown", 80, 24, "TERM=", `TERM is ""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			term := start(t, c.w, c.h, []string{c.env}, "step", "hello-32")
			assert.Equal(t, statusBadUsage, term.ends())
			text := strings.ReplaceAll(term.text(), "\n", "")
			assert.Contains(t, strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(c.want, " ", ""))
			assert.Equal(t, 1, strings.Count(text, "x86emu:"))
		})
	}
	status, out, errs := cli(t, "", "step", "hello-32")
	assert.Equal(t, statusBadUsage, status)
	assert.Empty(t, out)
	assert.Equal(t, "x86emu: step needs a terminal: standard input is none (for text, see explain and trace)\n", errs)
}
