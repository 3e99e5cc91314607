package machine

import (
	"math"
	"math/bits"
)

// never is a tick that does not come.
const never = math.MaxUint64

// Clock is the board's queue of timed events. Its time is the processor's
// tick counter, so that the same guest meets the same events between the same
// instructions on every host.
type Clock struct {
	timers []*Timer
	next   uint64
	now    func() uint64
	arm    func(tick uint64) // tells the processor where to stop next
}

// Timer is one event that can be due. Its only state is the tick.
type Timer struct {
	clock *Clock
	name  string
	at    uint64
	wakes func() bool
	fire  func(now uint64)
}

// NewTimer adds a timer, not set, under a name of its own, by which a snapshot
// knows it. fire runs at the tick that the timer was
// set to, between two instructions; timers due at the same tick fire in the
// order they were made. wakes tells whether, as things stand, it may raise INTR or NMI:
// only for such a timer is a halted processor worth waiting for.
func (c *Clock) NewTimer(name string, wakes func() bool, fire func(now uint64)) *Timer {
	t := &Timer{clock: c, name: name, at: never, wakes: wakes, fire: fire}
	c.timers = append(c.timers, t)
	return t
}

// Now is the current tick.
func (c *Clock) Now() uint64 { return c.now() }

// Set makes the timer due at a tick; one in the past is due at once.
func (t *Timer) Set(tick uint64) {
	if tick != t.at {
		t.at = tick
		t.clock.schedule()
	}
}

// Stop makes the timer not due.
func (t *Timer) Stop() { t.Set(never) }

// Active tells whether the timer is set.
func (t *Timer) Active() bool { return t.at != never }

// schedule derives the earliest tick from the timers.
func (c *Clock) schedule() {
	c.next = never
	for _, t := range c.timers {
		c.next = min(c.next, t.at)
	}
	c.arm(c.next)
}

// run fires what is due, each timer at most once.
func (c *Clock) run(now uint64) {
	if c.next > now {
		return
	}
	for _, t := range c.timers {
		if t.at <= now {
			t.at = never
			t.fire(now)
		}
	}
	c.schedule()
}

// wake is the first tick at which something may raise INTR or NMI.
func (c *Clock) wake() uint64 {
	tick := uint64(never)
	for _, t := range c.timers {
		if t.at < tick && t.wakes() {
			tick = t.at
		}
	}
	return tick
}

// endOfTime is a tick, years away, that no timer is set to: the time of a processor
// that waits for longer is not skipped.
const endOfTime = 1 << 62

// beats is how often an oscillator has beaten since tick 0, and tickOf the first tick
// at or after one of its beats.
func (m *Machine) beats(hz uint64) uint64 {
	hi, lo := bits.Mul64(m.Clock.Now(), hz)
	if hi >= m.cfg.TickRate {
		return never
	}
	n, _ := bits.Div64(hi, lo, m.cfg.TickRate)
	return n
}

func (m *Machine) tickOf(beat, hz uint64) uint64 {
	hi, lo := bits.Mul64(beat, m.cfg.TickRate)
	if hi >= hz {
		return never
	}
	tick, rest := bits.Div64(hi, lo, hz)
	switch {
	case tick >= endOfTime:
		return never
	case rest != 0:
		tick++
	}
	return tick
}

// after is the tick so many microseconds from now.
func (m *Machine) after(micros uint64) uint64 { return m.Clock.Now() + m.tickOf(micros, 1_000_000) }

// save and load copy the timers' ticks.
func (c *Clock) save() []uint64 {
	at := make([]uint64, len(c.timers))
	for i, t := range c.timers {
		at[i] = t.at
	}
	return at
}

func (c *Clock) load(at []uint64) {
	for i, t := range c.timers {
		t.at = at[i]
	}
	c.schedule()
}
