package machine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyboardRules(t *testing.T) {
	raw := "out 64 60; out 60 25; " // no translation
	for _, c := range []struct{ rule, script string }{
		// Commands.
		{"echo", raw + "out 60 ee; " + byteTime + "in 60 ee; ms 5; in 64 14"},
		{"identify", raw + "out 60 f2; " + byteTime + "in 60 fa; ms 1; in 60 ab; ms 1; in 60 83; ms 5; in 64 14"},
		{"a reply takes as long as command and byte", raw + "out 60 ee; ms 1; in 64 14; ms 1; in 64 15"},
		{"reset: the self test takes ten milliseconds", raw + "out 60 ff; " + byteTime + "in 60 fa; ms 9; in 64 14; ms 2; in 60 aa; ms 5; in 64 14"},
		{"LEDs", raw + "out 60 ed; " + byteTime + "in 60 fa; out 60 7; " + byteTime + "in 60 fa"},
		{"the rate", raw + "out 60 f3; " + byteTime + "in 60 fa; out 60 0; " + byteTime + "in 60 fa"},
		{"a command in place of an option is a command", raw + "out 60 ed; " + byteTime + "in 60 fa; out 60 ee; " + byteTime + "in 60 ee; out 60 2; " + byteTime + "in 60 fe"},
		{"resend gives the byte that was sent last", raw + "press 1e; ms 1; in 60 1c; out 60 fe; " + byteTime + "in 60 1c; out 60 f2; " + byteTime + "in 60 fa; out 60 fe; " + byteTime + "in 60 fa"},
		{"what is no command is refused", raw + "out 60 0; " + byteTime + "in 60 fe; out 60 f7; " + byteTime + "in 60 fe; out 60 ef; " + byteTime + "in 60 fe"},
		{"all keys are typematic anyway", raw + "out 60 fa; " + byteTime + "in 60 fa"},
		{"a command takes the place of replies", raw + "out 60 f2; " + byteTime + "in 60 fa; out 60 ee; " + byteTime + "in 60 ee; ms 5; in 64 14"},
		{"replies go before codes", raw + "out 64 ad; press 1e; out 60 ee; " + byteTime + "in 60 ee; ms 1; in 60 1c"},

		// Scan code sets.
		{"set 2 is what there is", raw + "out 60 f0; " + byteTime + "in 60 fa; out 60 0; " + byteTime + "in 60 fa; ms 1; in 60 2"},
		{"the set, translated", "out 60 f0; " + byteTime + "in 60 fa; out 60 0; " + byteTime + "in 60 fa; ms 1; in 60 41"},
		{"set 1", raw + "out 60 f0; " + byteTime + "in 60 fa; out 60 1; " + byteTime + "in 60 fa; press cd; ms 1; in 60 e0; ms 1; in 60 4d; release cd; ms 1; in 60 e0; ms 1; in 60 cd"},
		{"set 3 is refused", raw + "out 60 f0; " + byteTime + "in 60 fa; out 60 3; " + byteTime + "in 60 fe; press 1e; ms 1; in 60 1c"},
		{"defaults bring set 2 back", raw + "out 60 f0; " + byteTime + "in 60 fa; out 60 1; " + byteTime + "in 60 fa; out 60 f6; " + byteTime + "in 60 fa; press 1e; ms 1; in 60 1c"},

		// Scanning.
		{"disabled, keys are not seen", raw + "out 60 f5; " + byteTime + "in 60 fa; press 1e; release 1e; ms 5; in 64 14; out 60 f4; " + byteTime + "in 60 fa; ms 5; in 64 14; press 1f; ms 1; in 60 1b"},
		{"enabling empties the buffer", raw + "out 64 ad; press 1e; press 1f; out 60 f4; " + byteTime + "in 60 fa; ms 5; in 64 14"},
		{"so does a reset", raw + "out 64 ad; press 1e; out 60 ff; " + byteTime + "in 60 fa; ms b; in 60 aa; ms 5; in 64 14"},

		// Repetition.
		{"after half a second, then ten a second and one more", "press 1e; ms 1; in 60 1e; ms 1f2; in 64 1c; ms 2; in 60 1e; ms 5a; in 64 1c; ms 3; in 60 1e; ms 5c; in 60 1e"},
		{"until the key goes up", "press 1e; ms 1; in 60 1e; ms 1f6; in 60 1e; release 1e; ms 2; in 60 9e; ms 200; in 64 1c"},
		{"another key takes over", "press 1e; ms 1; in 60 1e; press 1f; ms 1; in 60 1f; ms 1f6; in 60 1f"},
		{"the fastest: a quarter of a second, then 30 a second", "out 60 f3; ms 2; in 60 fa; out 60 0; ms 2; in 60 fa; press 1e; ms 1; in 60 1e; ms f7; in 64 14; ms 4; in 60 1e; ms 20; in 64 14; ms 2; in 60 1e"},
		{"16 codes that nobody takes, then the overrun", raw + "press 1e; ms 2000; in 60 1c; " + strings.Repeat("ms 1; in 60 1c; ", 16) + "ms 1; in 60 0; ms 70; in 60 1c"},
		{"the overrun, translated", "press 1e; ms 2000; in 60 1e; " + strings.Repeat("ms 1; in 60 1e; ", 16) + "ms 1; in 60 ff"},

		// Keys of their own kind.
		{"Pause", raw + "press c6; ms 1; in 60 e1; ms 1; in 60 14; ms 1; in 60 77; ms 1; in 60 e1; ms 1; in 60 f0; ms 1; in 60 14; ms 1; in 60 f0; ms 1; in 60 77; release c6; ms 400; in 64 14"},
		{"Pause, translated", "press c6; ms 1; in 60 e1; ms 1; in 60 1d; ms 1; in 60 45; ms 1; in 60 e1; ms 2; in 60 9d; ms 2; in 60 c5"},
		{"Ctrl-Pause is Break", "press 1d; ms 1; in 60 1d; press c6; ms 1; in 60 e0; ms 1; in 60 46; ms 1; in 60 e0; ms 2; in 60 c6"},
		{"Print Screen", "press b7; ms 1; in 60 e0; ms 1; in 60 2a; ms 1; in 60 e0; ms 1; in 60 37; release b7; ms 1; in 60 e0; ms 2; in 60 b7; ms 1; in 60 e0; ms 2; in 60 aa"},
		{"with Shift", "press 36; ms 1; in 60 36; press b7; ms 1; in 60 e0; ms 1; in 60 37; release b7; ms 1; in 60 e0; ms 2; in 60 b7"},
		{"with Alt it is SysRq", "press 38; ms 1; in 60 38; press b7; ms 1; in 60 54; release b7; ms 2; in 60 d4"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// Translated set 2 is set 1, for every key that there may be.
func TestTranslationOfAllKeys(t *testing.T) {
	for i := range 256 {
		if i&0x7f == 0 {
			continue // no code, but the overrun
		}
		for _, released := range []bool{false, true} {
			var got []uint8
			c := newRig(t).m.KBC
			for _, b := range Key(i).scanCodes(2, released) {
				c.kbd.queue([]uint8{b})
				c.receive(0)
				if c.s.Full {
					got = append(got, c.readData())
				}
			}
			assert.Equal(t, Key(i).scanCodes(1, released), got, "key 0x%x, released %v", i, released)
		}
	}
}

// The codes of set 2 by the table of its manual, for a key of each row and for all with
// a code above the rest.
func TestScanCodes(t *testing.T) {
	for name, want := range map[string]string{
		"esc": "76", "f1": "05", "f7": "83", "f12": "07", "enter": "5a", "backspace": "66", "space": "29", "caps-lock": "58",
		"left-shift": "12", "right-shift": "59", "left-ctrl": "14", "right-ctrl": "e0 14", "right-alt": "e0 11", "left-win": "e0 1f",
		"up": "e0 75", "down": "e0 72", "left": "e0 6b", "right": "e0 74", "insert": "e0 70", "delete": "e0 71", "home": "e0 6c",
		"end": "e0 69", "pgup": "e0 7d", "pgdn": "e0 7a", "kp-slash": "e0 4a", "kp-enter": "e0 5a", "kp-star": "7c", "kp-plus": "79",
		"num-lock": "77", "scroll-lock": "7e", "102nd": "61", "menu": "e0 2f", "kp-5": "73",
	} {
		assert.Equal(t, want, fmt.Sprintf("% x", keyNames[name].scanCodes(2, false)), name)
	}
	for char, want := range map[byte]string{'a': "1c", 'Q': "15", '1': "16", '0': "45", '-': "4e", '`': "0e", '\\': "5d", '/': "4a", '"': "52"} {
		key, _, _ := keyOf(char)
		assert.Equal(t, want, fmt.Sprintf("% x", key.scanCodes(2, false)), "%c", char)
	}
}

// typed is a rig with keys to be typed.
func typed(t *testing.T, text string) *rig {
	strokes, err := ParseKeys(text)
	require.NoError(t, err)
	r := newRig(t)
	r.m.KBC.kbd.keys = NewKeys(strokes)
	return r
}

// Keys wait until the guest wants them and can take them.
func TestTyping(t *testing.T) {
	polls := strings.Repeat("in 64 1c; ", wantedPolls)
	for _, c := range []struct{ rule, script string }{
		{"nobody wants a key", "ms 400; in 64 1c"},
		{"ten milliseconds after IRQ 1 was unmasked", start + "ms 9; in 64 1c; ms 2; in 60 1e"},
		{"not while the command byte has no interrupt", "out 64 60; out 60 64; " + start + "ms 400; in 64 14"},
		{"or after the guest has looked so often", polls + "ms 9; in 64 1c; ms 2; in 60 1e"},
		{"not after fewer looks", strings.TrimPrefix(polls, "in 64 1c; ") + "ms 400; out 64 ff; ms 400; in 64 1c"},
		{"nor while an answer is on its way", "out 60 ee; " + strings.Repeat("in 64 14; ", wantedPolls) + "ms 400; in 60 ee; ms 400; in 64 14"},
		{"looking at the data alone does as well", strings.Repeat("in 60 0; ", wantedPolls) + "ms b; in 60 1e"},
		{"five milliseconds after the last byte was read; no key repeats", start + "ms b; in 64 1d; ms 400; in 60 1e; ms 4; in 64 1c; ms 3; in 60 9e; ms 6; in 60 2a; ms 6; in 60 30; ms 7; in 60 b0; ms 7; in 60 aa; ms 400; in 64 1c"},
		{"not while the keyboard does not scan", start + "out 60 f5; ms 2; in 60 fa; ms 400; in 64 14; out 60 f4; ms 2; in 60 fa; ms 6; in 60 1e"},
		{"nor while its port is off", start + "out 64 ad; ms 400; in 64 1c; out 64 ae; ms 6; in 60 1e"},
		{"nor in the midst of a command", start + "out 60 ed; ms 2; in 60 fa; ms 400; in 64 14; out 60 0; ms 2; in 60 fa; ms 6; in 60 1e"},
	} {
		t.Run(c.rule, func(t *testing.T) { typed(t, "aB").play(t, c.script) })
	}
	t.Run("a pause is one more", func(t *testing.T) {
		typed(t, "<esc down><wait 100ms><esc up>").play(t, start+"ms b; in 60 1; ms 68; in 64 1c; ms 3; in 60 81")
	})
}

// A keyboard that has nothing to say sets no timer.
func TestKeyboardCostsNothingUnseen(t *testing.T) {
	r := typed(t, "")
	r.play(t, start+"press 1e; ms 2; in 60 1e; release 1e; ms 2; in 60 9e; ms 400")
	assert.Zero(t, r.wait(r.m.cfg.TickRate))
}

// echoKeys is a program that copies each byte from port 0x60 to the debug console by
// interrupt until Esc is released.
func echoKeys(t *testing.T, cfg Config) *Machine {
	t.Helper()
	strokes, err := ParseKeys(`Hi <ctrl-alt-delete><f1 down><wait 2s><f1 up>\e`)
	require.NoError(t, err)
	cfg.Keys = NewKeys(strokes)
	m := boot(t, cfg, initPICs+"\xfb\xf4\xeb\xfd") // sti; l: hlt; jmp l
	m.vector(8+keyboardIRQ, 0x600)
	// in al,0x60; out 0xe9,al; cmp al,0x81; jne eoi; out 0xf4,al; eoi: mov al,0x20; out 0x20,al; iret
	m.Mem.WriteBytes(0x600, []byte("\xe4\x60\xe6\xe9\x3c\x81\x75\x02\xe6\xf4\xb0\x20\xe6\x20\xcf"))
	return m
}

// Between two scan codes, and between two bytes of one, a machine can be forked, returned to, and
// saved: what comes then is the same.
func TestKeysSurvive(t *testing.T) {
	var whole bytes.Buffer
	m := echoKeys(t, Config{Console: NewOutput(&whole)})
	r := run(t, m, NoBudget)
	require.Equal(t, Exited, r.Reason)
	want := whole.String()
	require.True(t, strings.HasPrefix(want, "\x2a\x23\xa3\xaa\x17\x97\x39\xb9\x1d\x38\xe0\x53\xe0\xd3\xb8\x9d\x3b"), "% x", want)
	require.Greater(t, strings.Count(want, "\x3b"), 10, "it repeats")
	require.True(t, strings.HasSuffix(want, "\xbb\x01\x81"))

	var out bytes.Buffer
	m = echoKeys(t, Config{Console: NewOutput(&out)})
	for step := uint64(313_131); run(t, m, step).Reason == Budget; step += 999_999 {
		k, before := m.Moment(), out.Len()
		f, err := m.Fork()
		require.NoError(t, err)
		var file, rest bytes.Buffer
		require.NoError(t, m.Save(&file))
		saved, err := Restore(&file, Config{Keys: m.cfg.Keys, ResumeInput: true, Console: NewOutput(&rest)})
		require.NoError(t, err)
		for _, other := range []*Machine{f, saved} {
			require.Empty(t, same(m, other))
			assert.Equal(t, r, run(t, other, NoBudget))
		}
		assert.Equal(t, want[before:], rest.String())
		run(t, m, NoBudget)
		assert.Empty(t, same(m, f))
		m.Return(k)
		out.Truncate(before)
	}
	assert.Equal(t, want, out.String())
}

// Whoever runs a snapshot types anew.
func TestKeysOfARestoredMachine(t *testing.T) {
	m := echoKeys(t, Config{})
	run(t, m, 40_000_000)
	var file, out bytes.Buffer
	require.NoError(t, m.Save(&file))
	saved := bytes.Clone(file.Bytes())
	r, err := Restore(&file, Config{})
	require.NoError(t, err)
	assert.Equal(t, Halted, run(t, r, NoBudget).Reason, "nobody types")
	var halted bytes.Buffer
	require.NoError(t, r.Save(&halted))
	for _, b := range [][]byte{saved, halted.Bytes()} {
		out.Reset()
		r, err = Restore(bytes.NewReader(b), Config{Keys: NewKeys(press(0x01)), Console: NewOutput(&out)})
		require.NoError(t, err)
		assert.Equal(t, Exited, run(t, r, NoBudget).Reason)
		assert.True(t, strings.HasSuffix(out.String(), "\x01\x81"), "% x", out.String())
	}
}

// What a person types comes when it was typed, and again at the same ticks in a replay.
func TestLiveKeys(t *testing.T) {
	r, w := newPipe()
	var out bytes.Buffer
	m := echoKeys(t, Config{Console: NewOutput(&out)})
	m.KBC.kbd.keys = NewLiveKeys(r)
	begin := m.Moment()
	go func() {
		for _, s := range []string{"a", "\x1b[A", "\x1b"} {
			w <- s
			time.Sleep(15 * time.Millisecond)
		}
		close(w)
	}()
	first := run(t, m, NoBudget)
	assert.Equal(t, Exited, first.Reason)
	want := out.String()
	assert.Equal(t, "\x1e\x9e\xe0\x48\xe0\xc8\x01\x81", want)
	m.Return(begin)
	out.Reset()
	assert.Equal(t, first, run(t, m, NoBudget))
	assert.Equal(t, want, out.String())
}
