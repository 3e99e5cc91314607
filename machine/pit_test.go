package machine

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Pieces of scripts. The speaker's counter has its gate and its output at port
// 0x61; a rig begins in the middle of a clock, with the refresh toggle at 0.
const (
	gate2 = "out 61 1; "
	// want FF of counter 2: OUT low or high in its latched status, the null flag,
	// RW 1 and the mode.
	status2 = "out 43 e8; in 42 "
)

func TestPITRules(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		// Mode 0.
		{"mode 0: the count is loaded by the next clock, and OUT rises N+1 clocks after the write", gate2 +
			"out 43 90; " + status2 + "50; out 42 4; " + status2 + "50; run 1; " + status2 + "10; in 42 4; run 3; in 42 1; " + status2 + "10; run 1; in 42 0; " + status2 + "90; run 1; in 42 ff; " + status2 + "90"},
		{"mode 0: a new count begins anew, OUT low", gate2 + "out 43 90; out 42 1; run 2; " + status2 + "90; out 42 3; " + status2 + "50; run 3; " + status2 + "10; run 1; " + status2 + "90"},
		{"mode 0: the first of two bytes ends counting, OUT low", gate2 + "out 43 b0; out 42 2; out 42 0; run 3; in 42 0; in 42 0; out 42 5; run 30; in 61 1; in 42 0; in 42 0; out 42 0; run 1; in 42 5; in 42 0"},
		{"mode 0: the gate holds the count", gate2 + "out 43 90; out 42 8; run 3; in 42 6; out 61 0; run 100; in 42 6; out 61 1; run 2; in 42 4"},
		{"mode 0: with the gate low the count is loaded and stands", "out 43 90; out 42 8; run 5; in 42 8; " + status2 + "10; out 61 1; run 8; " + status2 + "90"},

		// Mode 1.
		{"mode 1: the trigger loads the count, OUT is low for N clocks", "out 43 92; out 42 3; run 5; " + status2 + "d2; out 61 1; " + status2 + "d2; run 1; in 42 3; " + status2 + "12; run 2; " + status2 + "12; run 1; in 42 0; " + status2 + "92"},
		{"mode 1: a trigger begins the pulse anew", "out 43 92; out 42 3; out 61 1; run 3; in 42 1; out 61 0; out 61 1; run 1; in 42 3; " + status2 + "12; run 2; " + status2 + "12; run 1; " + status2 + "92"},
		{"mode 1: a new count waits for a trigger", "out 43 92; out 42 3; out 61 1; run 2; out 42 9; run 1; in 42 1; " + status2 + "52; out 61 0; out 61 1; run 1; in 42 9; " + status2 + "12"},
		{"mode 1: the gate's level counts for nothing", "out 43 92; out 42 5; out 61 1; run 2; in 42 4; out 61 0; run 2; in 42 2"},

		// Mode 2.
		{"mode 2: OUT is low for the last clock of N", gate2 + "out 43 94; out 42 3; run 1; in 42 3; " + status2 + "94; run 1; in 42 2; " + status2 + "94; run 1; in 42 1; " + status2 + "14; run 1; in 42 3; " + status2 + "94; run 2; " + status2 + "14"},
		{"mode 2: a new count waits for the end of the period", gate2 + "out 43 94; out 42 4; run 2; in 42 3; out 42 9; " + status2 + "d4; run 2; in 42 1; run 1; in 42 9; " + status2 + "94; run 8; in 42 1; run 1; in 42 9"},
		{"mode 2: the gate going low raises OUT and holds the count, going high it loads it", gate2 + "out 43 94; out 42 3; run 3; " + status2 + "14; out 61 0; " + status2 + "94; run 9; in 42 1; out 61 1; run 1; in 42 3; run 1; in 42 2"},
		{"mode 2: a trigger loads the new count", gate2 + "out 43 94; out 42 8; run 2; out 61 0; out 42 5; run 9; in 42 7; out 61 1; run 1; in 42 5"},
		{"mode 2: the upper bit of three does not count, and is told", gate2 + "out 43 9c; out 42 3; run 3; " + status2 + "1c"},
		{"mode 2: a count of one, which is not allowed, is two", gate2 + "out 43 94; out 42 1; run 1; in 42 2; run 1; in 42 1; run 1; in 42 2"},

		// Mode 3.
		{"mode 3: an even count is counted by two, twice in a period", gate2 + "out 43 96; out 42 4; run 1; in 42 4; " + status2 + "96; run 1; in 42 2; run 1; in 42 4; " + status2 + "16; run 1; in 42 2; run 1; in 42 4; " + status2 + "96"},
		{"mode 3: with an odd count OUT is high for (N+1)/2 clocks", gate2 + "out 43 96; out 42 5; run 1; in 42 4; run 1; in 42 2; run 1; in 42 0; " + status2 + "96; run 1; in 42 4; " + status2 + "16; run 1; in 42 2; run 1; in 42 4; " + status2 + "96"},
		{"mode 3: a new count waits for the end of the half period", gate2 + "out 43 96; out 42 8; run 2; out 42 4; run 2; in 42 2; run 1; in 42 4; " + status2 + "16; run 1; " + status2 + "16; run 1; " + status2 + "96; run 2; " + status2 + "16"},
		{"mode 3: the gate going low raises OUT, going high it begins anew", gate2 + "out 43 96; out 42 4; run 3; " + status2 + "16; out 61 0; " + status2 + "96; run 5; out 61 1; run 1; in 42 4; " + status2 + "96"},

		// Mode 4.
		{"mode 4: OUT is low for one clock, N+1 clocks after the write", gate2 + "out 43 98; out 42 2; run 2; " + status2 + "98; run 1; in 42 0; " + status2 + "18; run 1; in 42 ff; " + status2 + "98; run 10; " + status2 + "98"},
		{"mode 4: a new count strobes again", gate2 + "out 43 98; out 42 2; run 2; out 42 2; run 2; " + status2 + "98; run 1; " + status2 + "18"},
		{"mode 4: the gate holds the count", gate2 + "out 43 98; out 42 3; run 2; out 61 0; run 50; in 42 2; out 61 1; run 2; " + status2 + "18"},

		// Mode 5.
		{"mode 5: OUT is low for one clock, N+1 clocks after the trigger", "out 43 9a; out 42 2; run 9; " + status2 + "da; out 61 1; run 2; " + status2 + "9a; run 1; " + status2 + "1a; run 1; " + status2 + "9a"},
		{"mode 5: without a count a trigger does nothing", "out 43 9a; out 61 1; run 3; " + status2 + "da"},

		// Counts.
		{"a count of zero is 65536", gate2 + "out 43 b4; out 42 0; out 42 0; run 1; in 42 0; in 42 0; run 1; in 42 ff; in 42 ff; run fffe; in 42 1; in 42 0; run 1; in 42 0; in 42 0"},
		{"BCD counts in decimal digits", gate2 + "out 43 b1; out 42 0; out 42 10; run 2; in 42 99; in 42 9"},
		{"BCD: a count of zero is 10000", gate2 + "out 43 b5; out 42 0; out 42 0; run 2; in 42 99; in 42 99; run 270e; in 42 1; in 42 0; run 1; in 42 0; in 42 0"},
		{"RW 2 writes and reads the upper byte", gate2 + "out 43 a0; out 42 3; run 1; in 42 3; run 1; in 42 2; in 42 2"},
		{"RW 1 clears the upper byte", gate2 + "out 43 a0; out 42 3; out 43 90; out 42 5; out 43 b0; out 42 1; out 42 0; run 1; in 42 1; in 42 0"},

		// Reading.
		{"a latched count stays until it is read whole", gate2 + "out 43 b0; out 42 34; out 42 12; run 1; out 43 80; run 100; in 42 34; run 100; in 42 12; in 42 34; in 42 10"},
		{"a second latch does not replace the first", gate2 + "out 43 90; out 42 50; run 1; out 43 80; run 3; out 43 80; in 42 50; in 42 4d"},
		{"a control word drops what is latched", gate2 + "out 43 90; out 42 50; run 1; out 43 80; out 43 90; out 42 7; run 1; in 42 7"},
		{"read-back latches the counts of several counters", gate2 + "out 43 90; out 42 50; out 43 50; out 41 60; run 1; out 43 dc; run 5; in 42 50; in 41 60; in 42 4b"},
		{"read-back of status and count: the status is read first", gate2 + "out 43 b0; out 42 34; out 42 12; run 1; out 43 c8; run 5; in 42 30; in 42 34; in 42 12; in 42 2f"},
		{"a latched status stays", gate2 + "out 43 90; out 42 2; out 43 e8; run 5; out 43 e8; in 42 50"},
		{"read-back of nothing", gate2 + "out 43 90; out 42 2; run 1; out 43 f8; in 42 2; out 43 c0; in 42 2"},
		{"the control port reads as nothing", "in 43 ff"},
		{"a counter never programmed stands at zero", "run 50; in 40 0; out 40 5; run 5; in 40 0"},

		// Port 0x61.
		{"port 0x61 keeps four bits", "out 61 fe; in 61 e; out 61 1; in 61 1"},
		{"bit 5 is counter 2's OUT", gate2 + "out 43 b6; in 61 21; out 43 90; in 61 1; out 42 1; run 2; in 61 21"},
		{"the refresh toggle changes every 18 clocks", "in 61 0; run 11; in 61 0; run 1; in 61 10; run 11; in 61 10; run 1; in 61 0"},

		// IRQ 0.
		{"each rise of OUT is an interrupt", start + "out 43 14; ack 20; out 20 20; out 40 4; run 4; intr 0; run 1; ack 20; out 20 20; run 3; intr 0; run 1; ack 20"},
		{"mode 3 interrupts once in a period", start + "out 43 16; ack 20; out 20 20; out 40 6; run 6; intr 0; run 1; ack 20; out 20 20; run 5; intr 0; run 1; ack 20"},
		{"mode 0 interrupts once", start + "out 43 10; intr 0; out 40 4; run 4; intr 0; run 1; ack 20; out 20 20; run fff; intr 0"},
		{"mode 4 interrupts at the end of its strobe", start + "out 43 18; ack 20; out 20 20; out 40 2; run 3; intr 0; run 1; ack 20; out 20 20; run fff; intr 0"},
		{"the gate of counter 0 stays high: mode 1 never begins", start + "out 43 12; ack 20; out 20 20; out 40 2; run fff; intr 0"},
		{"a masked edge is there when the mask goes", start + "out 21 1; out 43 14; out 40 4; run 7; in 20 1; out 21 0; ack 20"},
		{"a masked request is seen to go and come", start + "out 21 1; out 43 10; out 40 4; run 4; in 20 0; run 1; in 20 1; out 40 4; in 20 0; run 5; in 20 1"},
		{"an acknowledged level is no request until it has fallen and risen, masked too", start + "out 43 10; out 40 1; run 2; ack 20; out 20 20; out 21 1; in 20 0; out 40 2; run 9; in 20 1"},
		{"a count that is never written interrupts never", start + "out 43 10; run fff; intr 0"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// While its interrupt cannot be seen the timer sets no timer.
func TestPITCostsNothingUnseen(t *testing.T) {
	for _, c := range []struct {
		rule, script string
		fired        int // in 1000 clocks of periods of 10
	}{
		{"before the controllers are initialised", "out 43 34; out 40 a; out 40 0; ", 0},
		{"masked", start + "out 21 1; out 43 34; out 40 a; out 40 0; ", 0},
		{"masked later", start + "out 43 34; out 40 a; out 40 0; run 5; out 21 1; ", 0},
		{"expired", start + "out 43 30; out 40 a; out 40 0; run f; ", 0},
		{"never programmed", start, 0},
		{"seen: two changes in a period", start + "out 43 34; out 40 a; out 40 0; ", 200},
		{"unmasked later", start + "out 21 1; out 43 34; out 40 a; out 40 0; run 5; out 21 0; ", 200},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, c.script)
			assert.InDelta(t, c.fired, r.wait(1000*rigTicks), 1)
			assert.Equal(t, c.fired > 0, r.m.PIT.timer.Active())
		})
	}
}

// Whenever it is looked at, a counter shows the same, and IRQ 0 is where counter
// 0's output is.
func TestPITIsTheSameHoweverOftenItIsSeen(t *testing.T) {
	for mode := range uint32(6) {
		r, often := newRig(t), newRig(t)
		random := rand.New(rand.NewPCG(1, uint64(mode)))
		for range 2000 {
			port, v := 0x40+uint16(random.IntN(4)), uint32(random.IntN(7))
			if port == 0x43 {
				v = 0x10 | mode<<1 | uint32(random.IntN(2))
			}
			clocks := random.Uint64N(12)
			for _, one := range []*rig{r, often} {
				one.m.Ports.Out(port, 1, v)
				one.m.Ports.Out(0x61, 1, v&1)
			}
			for range clocks {
				often.wait(rigTicks)
				often.m.Ports.In(0x20, 1)
			}
			r.wait(clocks * rigTicks)
			assert.Equal(t, r.m.Ports.In(0x20, 1), often.m.Ports.In(0x20, 1), "IRR")
			for i := range r.m.PIT.s.Counters {
				assert.Equal(t, r.m.PIT.s.Counters[i], often.m.PIT.s.Counters[i])
			}
			c := &r.m.PIT.s.Counters[0]
			if c.Programmed {
				assert.Equal(t, c.out(r.m.PIT.clock()), r.m.PIC.s.Master.Lines&1 != 0)
			}
			if t.Failed() {
				t.Fatalf("mode %d", mode)
			}
		}
	}
}

func TestPITWakes(t *testing.T) {
	// initPICs; mask all but IRQ 0; counter 0 in a mode with a count of 1000.
	timer := func(word byte) string {
		return initPICs + "\xb0\xfe\xe6\x21\xb0" + string([]byte{word}) + "\xe6\x43\xb0\xe8\xe6\x40\xb0\x03\xe6\x40"
	}
	const (
		halts  = "\xfb\xf4\xeb\xfd"                                     // sti; hlt; jmp to hlt
		count  = "\x45\x83\xfd\x05\x74\x05\xb0\x20\xe6\x20\xcf\xe6\xf4" // inc bp; cmp bp,5; je to out 0xf4,al; EOI; iret
		forget = "\x45\xcf"                                             // inc bp; iret
	)
	for _, c := range []struct {
		rule, code, handler string
		want                Reason
		interrupts          uint64
		from, to            uint64 // ticks
	}{
		{"HLT skips to the interrupts of mode 2", timer(0x34) + halts, count, Exited, 5, 4 * 838000, 5 * 838500},
		{"and of mode 3", timer(0x36) + halts, count, Exited, 5, 4 * 838000, 5 * 838500},
		{"mode 0 interrupts once, then nothing wakes", timer(0x30) + halts, count, Halted, 1, 838000, 839500},
		{"with IF=0 nothing wakes", timer(0x34) + "\xfa\xf4", count, Halted, 0, 0, 100},
		{"masked nothing wakes", timer(0x34) + "\xb0\xff\xe6\x21" + halts, count, Halted, 0, 0, 100},
		{"an end of interrupt forgotten: nothing wakes", timer(0x36) + halts, forget, Halted, 1, 0, 839500},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := boot(t, Config{}, c.code)
			m.vector(8, 0x600)
			m.Mem.WriteBytes(0x600, []byte(c.handler))
			r := run(t, m, NoBudget)
			assert.Equal(t, c.want, r.Reason)
			assert.Equal(t, c.interrupts, m.CPU.State().GPR[5])
			assert.GreaterOrEqual(t, r.Ticks, c.from)
			assert.LessOrEqual(t, r.Ticks, c.to)
		})
	}
}

func TestTickRate(t *testing.T) {
	for _, c := range []struct {
		rate   uint64
		clocks uint64 // of the timer in a million ticks
	}{{0, 1193}, {MinTickRate, 119318}, {2 * DefaultTickRate, 596}, {MaxTickRate, 1}} {
		m := boot(t, Config{TickRate: c.rate}, "\xeb\xfe")
		run(t, m, 1_000_000)
		assert.Equal(t, c.clocks, m.PIT.clock(), "%d", c.rate)
		for clock := range uint64(100) {
			tick := m.tickOf(clock*1e9, PITHz)
			m.Clock.now = func() uint64 { return tick }
			assert.Equal(t, clock*1e9, m.PIT.clock(), "the first tick of a clock")
		}
	}
	for _, rate := range []uint64{1, MinTickRate - 1, MaxTickRate + 1, never} {
		_, err := New(Config{TickRate: rate})
		assert.ErrorContains(t, err, "a second must have from 10000000 to 1000000000000 ticks")
	}
}
