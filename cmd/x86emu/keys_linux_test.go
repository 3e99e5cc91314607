package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// exits waits for the end of the program and gives its exit status. The terminal must be as it was.
func (term *terminal) exits(before *unix.Termios) int {
	term.t.Helper()
	select {
	case <-term.done:
	case <-time.After(patience):
		require.FailNow(term.t, "no end", term.text())
	}
	assert.Equal(term.t, before, term.mode(), "the terminal's mode")
	return term.cmd.ProcessState.ExitCode()
}

// mode is the terminal's mode.
func (term *terminal) mode() *unix.Termios {
	mode, err := unix.IoctlGetTermios(int(term.pty.Fd()), unix.TCGETS)
	require.NoError(term.t, err)
	return mode
}

// keyOnScreen shows each key's code as a character behind HELLO: cli; l: in al,0x64; test al,1; jz l; in al,0x60;
// test al,0x80; jnz l; mov [es:14],al; jmp l. F7 has 'A'.
var keyOnScreen = drawing("\xfa\xe4\x64\xa8\x01\x74\xfa\xe4\x60\xa8\x80\x75\xf4\x26\xa2\x0e\x00\xeb\xee")

// What is typed at the terminal is typed on the guest's keyboard; lines begin at the left.
func TestLiveKeys(t *testing.T) {
	image := file(t, "image", sector(forever))
	for _, c := range []struct {
		name   string
		args   []string
		do     func(term *terminal)
		status int
	}{
		{"characters and sequences", []string{"run", "keyboard-echo-32", "--keys", "live"}, func(term *terminal) {
			term.shows("\n>")
			term.press("Hi")
			term.shows("> Hi")
			term.press("\x1b[A")
			term.shows("> Hi<e0 48>")
			term.press("\x01\x03")
			term.shows("<1d>c")
			term.press("\r")
			term.shows("\n  7 keys went down and came up")
		}, 0},
		{"Ctrl-C ends the run", []string{"run", "keyboard-echo-32", "--keys", "live"}, func(term *terminal) {
			term.shows("\n>")
			term.press("\x03")
		}, 130},
		{"also of a guest that takes no keys", []string{"run", image, "--keys", "-"}, func(term *terminal) {
			term.wait("a raw terminal", func(string) bool { return term.mode().Lflag&unix.ICANON == 0 })
			term.press("abc\x03")
		}, 130},
		{"beside a live screen", []string{"run", file(t, "image", keyOnScreen), "--keys", "live", "--screen=live"}, func(term *terminal) {
			term.shows("HELLO")
			term.press("\x1b[18~")
			term.shows("HELLO  A")
			term.press("\x03")
		}, 130},
		{"a signal", []string{"run", image, "--keys", "-"}, func(term *terminal) {
			term.wait("a raw terminal", func(string) bool { return term.mode().Lflag&unix.ICANON == 0 })
			require.NoError(term.t, term.cmd.Process.Signal(unix.SIGTERM))
		}, 130},
		{"bad usage leaves the terminal alone", []string{"run", "nowhere", "--keys", "live"}, func(*terminal) {}, statusBadUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			term := start(t, 80, 25, nil, c.args...)
			before := plainMode(t)
			c.do(term)
			assert.Equal(t, c.status, term.exits(before))
		})
	}
}

// plainMode is the mode in which a new terminal is.
func plainMode(t *testing.T) *unix.Termios {
	term := start(t, 80, 25, nil, "version")
	<-term.done
	return term.mode()
}
