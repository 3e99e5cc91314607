package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The timer stands at 1 when a script begins.
func TestPMRules(t *testing.T) {
	open := start // IRQ 9 is unmasked
	const (
		sci  = "out b2 f1; "  // SCI_EN is set
		half = "pm 800000; "  // bit 23 of the timer changes
		on   = "outw 602 1; " // the timer's event is enabled
		done = "out a0 20; out 20 20; "
	)
	for _, c := range []struct{ rule, script string }{
		// The timer.
		{"the timer counts its clock", "inl 608 1; pm 1; inl 608 2; pm ffffe; inl 608 100000"},
		{"it has 24 bits", "pm fffffe; inl 608 ffffff; pm 2; inl 608 1"},
		{"it can be read in parts", "pm 123455; in 608 56; in 609 34; in 60a 12; in 60b 0; inw 609 1234"},
		{"it cannot be written", "pm f; outl 608 0; inl 608 10"},

		// Events.
		{"its bit 23 sets the status as it rises", "pm 7ffffe; inw 600 0; pm 1; inw 600 1"},
		{"and as it falls", half + "outw 600 1; pm 7ffffe; inw 600 0; pm 1; inw 600 1"},
		{"a one clears the status, a zero does not", half + "outw 600 fffe; inw 600 1; outw 600 1; inw 600 0"},
		{"the status is cleared by bytes, too", half + "out 601 ff; inw 600 1; out 600 1; inw 600 0"},
		{"a new edge sets it again", half + "outw 600 1; " + half + "inw 600 1"},
		{"enable is kept, by words and bytes", "outw 602 521; inw 602 521; out 603 1; inw 602 121; out 602 0; inw 602 100; inl 600 1000000"},

		// The SCI.
		{"an enabled event interrupts by IRQ 9", open + sci + on + "pm 7ffffe; intr 0; pm 1; ack 29"},
		{"the line stands until the status is cleared", open + "out 4d1 2; " + sci + on + half + "ack 29; " + done + "ack 29; outw 600 1; " + done + "intr 0"},
		{"with SCI_EN clear it does not", open + on + half + "intr 0; inw 600 1"},
		{"an event of before counts when SCI_EN is set", open + on + half + sci + "ack 29"},
		{"and when it is enabled", open + sci + half + "intr 0; " + on + "ack 29"},
		{"disabling takes the line back", open + "out a1 ff; " + sci + on + half + "in a0 2; outw 602 0; in a0 0"},
		{"masked, the request waits", open + sci + "out a1 2; " + on + half + "in a0 2; intr 0; out a1 0; ack 29"},
		{"events that cannot be do not", open + sci + "outw 602 fffe; " + half + "intr 0"},

		// Control.
		{"ACPI is off at first", "inw 604 0"},
		{"the SMI command port enables and disables it", "out b2 f1; inw 604 1; in b2 f1; out b2 f0; inw 604 0"},
		{"other commands change nothing", sci + "out b2 0; inw 604 1; in b2 0; out b3 5a; in b3 5a; inw 604 1"},
		{"control keeps SCI_EN and the sleep type", "outw 604 1c07; inw 604 1c03; in 605 1c; inw 604 1c03"},
		{"bytes change nothing", "out 604 1; out 605 1c; inw 604 0"},
		{"what answers nothing", "inw 606 ffff; inl 60c ffffffff"},

		// General-purpose events.
		{"there is none, and enable is kept", "inl afe0 0; outl afe0 ffffffff; inl afe0 ffff0000; out afe3 0; inl afe0 ff0000; outw afe0 ffff; inw afe0 0"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// While the SCI cannot be seen the PM timer sets no timer of the board's.
func TestPMCostsNothingUnseen(t *testing.T) {
	for _, c := range []struct {
		rule, script string
		fired        int // in half a minute, a dozen of its periods
	}{
		{"as it comes", "", 0},
		{"enabled without SCI_EN", start + "outw 602 1", 0},
		{"SCI_EN alone", start + "out b2 f1", 0},
		{"masked", start + "out a1 2; out b2 f1; outw 602 1", 0},
		{"until the status is cleared there is one", start + "out b2 f1; outw 602 1", 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, c.script)
			assert.Equal(t, c.fired, r.wait(30*r.m.cfg.TickRate))
		})
	}
}

// sciWaits enables the timer's event and SCI_EN, then opens IF: mov dx,0x602;
// mov ax,1; out dx,ax; mov al,0xf1; out 0xb2,al; sti.
const sciWaits = initPICs + "\xba\x02\x06\xb8\x01\x00\xef\xb0\xf1\xe6\xb2\xfb"

func TestPMWakes(t *testing.T) {
	m := boot(t, Config{}, sciWaits+"\xf4\xeb\xfd")
	m.vector(0x71, 0x600)
	m.Mem.WriteBytes(0x600, []byte("\xb0\x05\xe6\xf4")) // exit with 5
	r := run(t, m, NoBudget)
	assert.Equal(t, Exited, r.Reason)
	assert.InDelta(t, uint64(1<<23)*DefaultTickRate/PMTimerHz, r.Ticks, 100)
}
