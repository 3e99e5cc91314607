package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// byteTime is enough for a byte of the keyboard, or for the first reply to a command.
const byteTime = "ms 2; "

func TestI8042Rules(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		// Commands and status.
		{"as firmware leaves it", "in 64 1c; out 64 20; in 64 1d; in 60 65; in 64 1c"},
		{"what was read last stays to be read", "out 64 20; in 60 65; in 60 65"},
		{"the status tells which port was written last", "out 60 ee; in 64 14; out 64 ff; in 64 1c"},
		{"the command byte", "out 64 60; in 64 1c; out 60 47; in 64 14; out 64 20; in 60 47"},
		{"its system flag is the status's", "out 64 60; out 60 61; out 64 ff; in 64 18"},
		{"the self test sets it", "out 64 60; out 60 61; out 64 aa; in 64 1d; in 60 55; out 64 20; in 60 65"},
		{"31 more bytes of memory", "out 64 61; out 60 a5; out 64 7f; out 60 5a; out 64 21; in 60 a5; out 64 3f; in 60 5a; out 64 3e; in 60 0"},
		{"the interfaces are good", "out 64 ab; in 60 0; out 64 a9; in 64 1d; in 60 0"},
		{"the keyboard's port off and on", "out 64 ad; out 64 20; in 60 75; out 64 ae; out 64 20; in 60 65"},
		{"the second port on and off", "out 64 a8; out 64 20; in 60 45; out 64 a7; out 64 20; in 60 65"},
		{"the input port: no lock", "out 64 c0; in 60 80"},
		{"the output port: no reset, A20, the lines to the keyboard", "out 64 d0; in 60 cf"},
		{"the output port tells that the buffer is full, and for whom", "out 64 d2; out 60 1; out 64 d0; in 60 df; out 64 d3; out 60 1; out 64 d0; in 60 ef"},
		{"an answer overwrites what is there", "out 64 20; out 64 aa; in 60 55; in 64 1c"},
		{"a command ends the wait for a byte", "out 64 60; out 64 20; in 60 65; out 60 ee; " + byteTime + "in 60 ee; out 64 20; in 60 65"},
		{"commands without meaning do nothing", "out 64 a1; out 64 c1; out 64 e0; out 64 0; out 64 80; in 64 1c; out 64 20; in 60 65"},
		{"pulsing lines other than reset's does nothing", "out 64 ff; out 64 f1; in 64 1c"},

		// The second port, where nothing is.
		{"a byte as if from the keyboard, not translated", "out 64 d2; out 60 1c; in 64 15; in 60 1c; in 64 14"},
		{"a byte as if from a mouse", "out 64 d3; out 60 a5; in 64 35; in 60 a5; in 64 14"},
		{"a byte for a mouse times out and enables its port", "out 64 d4; out 60 ff; in 64 75; in 60 fe; in 64 54; out 64 20; in 64 1d; in 60 45"},

		// The keyboard's bytes.
		{"a byte takes its time", "press 1e; in 64 1c; ms 1; in 64 1d; in 60 1e; in 64 1c"},
		{"the next comes when it was read", "press 1e; press 1f; ms 5; in 60 1e; in 64 1c; ms 1; in 60 1f; in 64 1c"},
		{"while the port is off none comes", "out 64 ad; press 1e; ms 5; in 64 1c; out 64 ae; ms 1; in 64 1d; in 60 1e"},
		{"turned off on the way it is sent again", "press 1e; out 64 ad; ms 5; in 64 1c; out 64 ae; in 64 1c; ms 1; in 60 1e"},
		{"an answer keeps it waiting", "press 1e; out 64 aa; ms 5; in 60 55; in 64 1c; ms 1; in 60 1e"},
		{"a byte for the keyboard turns the port on", "out 64 ad; out 60 ee; out 64 20; in 60 65; " + byteTime + "in 60 ee"},

		// Translation.
		{"a release in set 1", "press 1e; ms 1; in 60 1e; release 1e; ms 2; in 60 9e; ms 2; in 64 1c"},
		{"untranslated", "out 64 60; out 60 25; press 1e; ms 1; in 60 1c; release 1e; ms 1; in 60 f0; ms 1; in 60 1c; ms 2; in 64 14"},
		{"a grey key", "press cd; ms 1; in 60 e0; ms 1; in 60 4d; release cd; ms 1; in 60 e0; ms 2; in 60 cd"},
		{"F7 is above 0x7F in set 2", "press 41; ms 1; in 60 41; release 41; ms 2; in 60 c1; out 64 60; out 60 25; press 41; ms 1; in 60 83"},
		{"replies pass", "out 60 f2; " + byteTime + "in 60 fa; ms 1; in 60 ab; ms 1; in 60 41"},

		// Interrupts.
		{"IRQ 1 until the byte is read", start + "press 1e; intr 0; ms 1; ack 21; out 20 20; intr 0; in 60 1e; ms 5; intr 0"},
		{"an edge for each byte", start + "press 1e; press 1f; ms 1; ack 21; in 60 1e; out 20 20; intr 0; ms 1; ack 21; in 60 1f"},
		{"an answer interrupts as well", start + "out 64 20; ack 21; in 60 65"},
		{"not while the command byte forbids it", start + "out 64 60; out 60 64; press 1e; ms 1; in 64 15; intr 0"},
		{"allowed late it comes at once", start + "out 64 60; out 60 64; press 1e; ms 1; out 64 60; out 60 65; ack 21"},
		{"a byte that is there stays when the port is turned off", start + "press 1e; ms 1; out 64 ad; ack 21; in 60 1e"},
		{"masked, the request waits", start + "out 21 2; press 1e; ms 1; intr 0; out 21 0; ack 21; in 60 1e"},
		{"IRQ 12 for a mouse's byte, if allowed", start + "out 64 60; out 60 47; out 64 d3; out 60 1; ack 2c; in 60 1"},
		{"and not otherwise", start + "out 64 d3; out 60 1; intr 0"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// There is one A20 line, and whoever writes it last decides: the 8042's output port
// or port 0x92. Both show it.
func TestOneA20Line(t *testing.T) {
	for _, c := range []struct {
		script string
		open   bool
	}{
		{"out 92 0; out 64 d0; in 60 cd", false},
		{"out 64 d1; out 60 dd; in 92 0", false},
		{"out 64 dd; in 92 0", false},
		{"out 92 0; out 64 d1; out 60 df; in 92 2", true},
		{"out 92 0; out 64 df; in 92 2", true},
		{"out 64 dd; out 92 2; out 64 d0; in 60 cf", true},
	} {
		r := newRig(t)
		r.play(t, c.script)
		assert.Equal(t, c.open, r.m.MMU.Ctl.A20, c.script)
	}
}

func TestI8042Resets(t *testing.T) {
	for _, c := range []struct {
		script string
		want   bool
	}{
		{"out 64 fe", true}, {"out 64 f0", true}, {"out 64 ff", false}, {"out 64 fd", false},
		{"out 64 d1; out 60 de", true}, {"out 64 d1; out 60 df", false}, {"out 60 fe", false},
	} {
		r := newRig(t)
		r.play(t, c.script)
		assert.Equal(t, c.want, r.m.power.s.Reset, c.script)
	}
}
