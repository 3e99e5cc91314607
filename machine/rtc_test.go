package machine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at writes a date and a time, two digits each, in BCD: year, month, day, hour, minute, second.
func at(century, year, month, day, hour, minute, second int) string {
	return fmt.Sprintf("set b 82; set 32 %d; set 9 %d; set 8 %d; set 7 %d; set 4 %d; set 2 %d; set 0 %d; set b 2; ", century, year, month, day, hour, minute, second)
}

func TestRTCRules(t *testing.T) {
	const second = "beats 8000; "
	open := start // IRQ 8 is unmasked
	for _, c := range []struct{ rule, script string }{
		// Time.
		{"at tick 0 it shows the default date", "get 0 0; get 2 0; get 4 0; get 6 2; get 7 1; get 8 1; get 9 24; get 32 20"},
		{"a second passes", second + "get 0 1"},
		{"not before it is whole", "beats 7fff; get 0 0; beats 1; get 0 1"},
		{"seconds in BCD carry to ten", at(20, 24, 1, 1, 0, 0, 9) + second + "get 0 10"},
		{"the year ends", at(19, 99, 12, 31, 23, 59, 59) + second + "get 0 0; get 2 0; get 4 0; get 7 1; get 8 1; get 9 0; get 32 20"},
		{"a leap year has February 29", at(20, 24, 2, 28, 23, 59, 59) + second + "get 7 29; get 8 2"},
		{"another has not", at(20, 23, 2, 28, 23, 59, 59) + second + "get 7 1; get 8 3"},
		{"the weekday goes round on its own", "set 6 7; " + at(20, 24, 1, 1, 23, 59, 59) + second + "get 6 1"},
		{"binary", "set b 86; set 32 14; set 9 18; set 0 3a; set 2 3b; set 4 17; set b 6; beats 10000; get 0 0; get 2 0; get 4 0"},
		{"12 hours: noon", "set b 80; set 4 11; set 2 59; set 0 59; set b 0; " + second + "get 4 92"},
		{"12 hours: after noon", "set b 80; set 4 92; set 2 59; set 0 59; set b 0; " + second + "get 4 81"},
		{"12 hours: midnight", "set b 80; set 4 91; set 2 59; set 0 59; set b 0; " + second + "get 4 12"},
		{"12 hours: after midnight", "set b 80; set 4 12; set 2 59; set 0 59; set b 0; " + second + "get 4 1"},
		{"many seconds in one look", at(20, 24, 1, 31, 0, 0, 0) + "beats a8c08000; get 0 1; get 2 0; get 4 0; get 7 1; get 8 2"},
		{"bit 7 of the seconds is not written", "set 0 ff; get 0 7f"},
		{"values out of range carry", at(20, 24, 12, 31, 23, 59, 75) + second + "get 0 16; get 2 0; get 4 0; get 7 1; get 8 1; get 9 25"},

		// Control.
		{"A and B as firmware leaves them, D says that the battery is good", "get a 26; get b 2; get d 80"},
		{"C and D cannot be written", "set c ff; get c 0; set d 0; get d 80"},
		{"UIP cannot be written", "set a a6; get a 26"},
		{"UIP tells of an update, 2228 us ahead", "beats 7fb6; get a 26; beats 1; get a a6; beats 48; get a a6; get 0 0; beats 1; get a 26; get 0 1"},
		{"SET holds the time and UIP, and clears UIE", "set b 92; get b 82; beats 7fff; get a 26; beats 8001; get 0 0; set b 2; get 0 0; " + second + "get 0 1"},
		{"the divider in reset stops all", "set a 66; beats 18000; get a 66; get 0 0; get c 0"},
		{"half a second after reset it updates", "set a 66; beats 1234; set a 26; beats 3fff; get 0 0; beats 1; get 0 1"},
		{"a time base of another crystal stops it", "set a 6; beats 18000; get 0 0"},

		// Interrupts.
		{"flags rise without being enabled, and reading clears them", second + "get c 50; get c 0"},
		{"periodic, 1024 Hz", open + "set b 42; beats 1f; intr 0; beats 1; ack 28; get c c0"},
		{"periodic, 2 Hz", open + "set a 2f; set b 42; beats 3fff; intr 0; beats 1; ack 28"},
		{"periodic, rate 1 is 256 Hz", open + "set a 21; set b 42; beats 7f; intr 0; beats 1; ack 28"},
		{"periodic, rate 2 is 128 Hz", open + "set a 22; set b 42; beats ff; intr 0; beats 1; ack 28"},
		{"periodic, rate 0 is none", open + "set a 20; set b 42; beats 7fff; intr 0; get c 0"},
		{"until C is read there is no second interrupt", open + "set b 42; beats 20; ack 28; out a0 20; out 20 20; beats 200; intr 0; get c c0; beats 20; ack 28"},
		{"update", open + "set b 12; beats 7fff; intr 0; beats 1; ack 28; get c d0"},
		{"update with SET does not come", open + "set b 92; beats 18000; intr 0"},
		{"enabling what has been flagged interrupts at once", open + second + "intr 0; set b 42; ack 28; get c d0"},
		{"disabling takes the line back", open + "out a1 1; set b 42; beats 20; in a0 1; set b 2; in a0 0"},
		{"alarm at a time", open + at(20, 24, 1, 1, 7, 29, 58) + "set 5 7; set 3 30; set 1 0; set b 22; beats ffff; intr 0; beats 1; ack 28; get c f0"},
		{"alarm in each second", open + "set 1 ff; set 3 ff; set 5 ff; set b 22; beats 8000; ack 28; get c f0; out a0 20; out 20 20; beats 8000; ack 28"},
		{"alarm once a minute", open + at(20, 24, 1, 1, 7, 29, 58) + "set 1 1; set 3 c0; set 5 c0; set b 22; beats 17fff; intr 0; beats 1; ack 28; get c f0; out a0 20; out 20 20; beats 1dffff; intr 0; beats 1; ack 28"},
		{"alarm tomorrow", open + at(20, 24, 1, 1, 7, 30, 0) + "set 1 0; set 3 30; set 5 7; set b 22; beats a8bfffff; intr 0; beats 1; ack 28"},
		{"alarm at what the time never is", open + "set 1 75; set 3 ff; set 5 ff; set b 22; beats b0000000; intr 0; get c 50"},
		{"alarm in 12 hours knows the afternoon", open + "set b 80; set 4 11; set 2 59; set 0 59; set 5 92; set 3 0; set 1 0; set b 20; beats 8000; ack 28; get c f0"},
		{"masked, the request waits", open + "out a1 1; set b 42; beats 1000; in a0 1; intr 0; out a1 0; ack 28"},

		// Memory.
		{"the memory keeps what is written", "set 50 a5; set 7f 5a; get 50 a5; get 7f 5a"},
		{"the index has seven bits and is not read back", "set 50 a5; get d0 a5; in 70 ff"},
		{"RAM: 640 KiB, 63 MiB above 1, 48 above 16", "get 15 80; get 16 2; get 17 0; get 18 fc; get 30 0; get 31 fc; get 34 0; get 35 3"},
		{"the checksum of 0x10 to 0x2d", "get 2e 1; get 2f 80"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// While its interrupt cannot be seen the clock sets no timer.
func TestRTCCostsNothingUnseen(t *testing.T) {
	for _, c := range []struct {
		rule, script string
		fired        int // in a second
	}{
		{"as it comes", "", 0},
		{"unmasked, nothing enabled", start, 0},
		{"masked", start + "out a1 1; set b 72; ", 0},
		{"masked at the master", start + "out 21 4; set b 72; ", 0},
		{"until C is read there is one", start + "set b 42; ", 1},
		{"an alarm tomorrow", start + "set 5 0; set 3 0; set 1 0; set b 22; ", 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, c.script)
			assert.Equal(t, c.fired, r.wait(r.m.cfg.TickRate-rigTicks))
		})
	}
}

func TestRTCDate(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for _, c := range []struct {
		date time.Time
		want string
	}{
		{time.Date(1999, 12, 31, 23, 58, 57, 0, time.UTC), "get 32 19; get 9 99; get 8 12; get 7 31; get 4 23; get 2 58; get 0 57; get 6 6"},
		{time.Date(2026, 11, 22, 0, 30, 0, 0, zone), "get 32 20; get 9 26; get 8 11; get 7 22; get 4 0; get 2 30; get 6 1"},
	} {
		m := boot(t, Config{Date: c.date}, "\xf4")
		(&rig{m: m}).play(t, c.want)
	}
	_, err := New(Config{Date: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.ErrorContains(t, err, "years 0 to 9999")
}
