package machine

// counter is one of the three of an 8254. Its time is the number of the clock
// pulse (CLK) of the board, of which none is counted by itself: a counter knows
// when its count was loaded, and tells from that what it shows and what its
// output is.
// [Intel 8254 data sheet, Programming the 8254; Mode Definitions; Operation Common to All Modes]
type counter struct {
	Programmed bool   // a control word has come
	Control    uint8  // its lower six bits: RW, M and BCD
	Gate       bool   // the level at the GATE input
	Written    uint16 // the count register, as it was written
	Low        uint8  // the first byte of two
	Half       bool   // and that it has come
	Armed      bool   // the count register has been written since the control word
	Null       bool   // its count is not loaded yet
	Due        uint64 // the clock at which it will be loaded; 0: not foreseen
	Loaded     bool   // the counting element counts, or stands with the gate low
	N          uint32 // from this many clocks
	Start      uint64 // clock at which it was loaded, as if it had never stood
	Stands     bool   // the gate holds it
	Elapsed    uint64 // clocks counted before it stood
	Rest       uint16 // what it shows while nothing is loaded
	High       bool   // the next byte read is the upper one of two
	Latched    bool   // a count is latched,
	Latch      uint16 // this one
	StatusHeld bool   // a status is latched,
	Status     uint8  // this one
}

// Fields of a control word and of a status.
const (
	pitBCD      = 1 << 0
	pitLow      = 1 // RW: the lower byte alone
	pitHigh     = 2 // the upper byte alone
	pitBoth     = 3 // the lower, then the upper
	pitNull     = 1 << 6
	pitOut      = 1 << 7
	pitModeBits = 7 << 1
)

func (c *counter) access() uint8 { return c.Control >> 4 & 3 }

// mode is 0 to 5: of the three bits of modes 2 and 3 the upper one does not count.
func (c *counter) mode() uint8 {
	m := c.Control & pitModeBits >> 1
	if m > 5 {
		m &= 3
	}
	return m
}

// repeats tells whether the counter begins anew by itself: modes 2 and 3.
func (c *counter) repeats() bool { return c.mode()&^1 == 2 }

// triggered tells whether only the gate starts it: modes 1 and 5.
func (c *counter) triggered() bool { return c.mode() == 1 || c.mode() == 5 }

// modulus is how many counts there are.
func (c *counter) modulus() uint32 {
	if c.Control&pitBCD != 0 {
		return 10000
	}
	return 0x10000
}

// program takes a control word. The output goes to its mode's first level at
// once; counting begins with a count.
func (c *counter) program(word uint8, now uint64) {
	rest := c.count(now)
	*c = counter{Programmed: true, Control: word & 0x3f, Gate: c.Gate, Written: c.Written, Null: true, Rest: rest}
}

// write takes a byte of a count.
func (c *counter) write(v uint8, now uint64) {
	switch c.access() {
	case pitLow:
		c.Written = uint16(v)
	case pitHigh:
		c.Written = uint16(v) << 8
	case pitBoth:
		if !c.Half {
			c.Low, c.Half = v, true
			if c.mode() == 0 {
				c.stop(now) // the first byte ends counting [8254, Mode 0]
			}
			return
		}
		c.Half = false
		c.Written = uint16(v)<<8 | uint16(c.Low)
	default:
		return // never programmed
	}
	c.Null, c.Armed = true, true
	switch {
	case c.triggered(): // the gate loads it
	case !c.repeats():
		c.stop(now)
		c.Due = now + 1
	case !c.Loaded:
		c.Due = now + 1
	case !c.Stands: // it ends the period, in mode 3 half of it, that is under way
		c.Due = c.turn(now)
	}
}

// stop ends counting.
func (c *counter) stop(now uint64) {
	c.Rest = c.count(now)
	c.Loaded, c.Due = false, 0
}

// advance loads a count that is due. Whatever else looks at a counter wants it
// to be up to date.
func (c *counter) advance(now uint64) {
	if c.Due == 0 || c.Due > now {
		return
	}
	low := c.mode() == 3 && c.Loaded && !c.Stands && !c.out(c.Due)
	c.N = c.clocks()
	c.Start, c.Elapsed = c.Due, 0
	if low {
		c.Start -= uint64(c.highHalf())
	}
	c.Loaded, c.Stands = true, !c.Gate && !c.triggered()
	c.Null, c.Due = false, 0
}

// clocks is the count written. Zero is the largest. Modes 2 and 3 cannot count
// from one: it counts as two, their least. BCD digits above nine weigh what
// they say. [8254, Minimum and Maximum Initial Counts]
func (c *counter) clocks() uint32 {
	n := uint32(c.Written)
	if c.Control&pitBCD != 0 {
		n = (n>>12*1000 + n>>8&15*100 + n>>4&15*10 + n&15) % 10000
	}
	switch {
	case n == 0:
		return c.modulus()
	case n == 1 && c.repeats():
		return 2
	}
	return n
}

// setGate sets the level of GATE. [8254, Gate Pin Operations Summary]
func (c *counter) setGate(level bool, now uint64) {
	if level == c.Gate {
		return
	}
	c.Gate = level
	switch {
	case c.triggered():
		if level && c.Armed {
			c.Due = now + 1
		}
	case level && c.repeats():
		if c.Armed {
			c.Due = now + 1
		}
	case level:
		if c.Loaded && c.Stands {
			c.Start, c.Stands = now-c.Elapsed, false
		}
	case c.Loaded && !c.Stands:
		c.Elapsed, c.Stands = now-c.Start, true
		if c.repeats() {
			c.Due = 0 // the next trigger loads it
		}
	}
}

// elapsed is how many clocks were counted since the count was loaded.
func (c *counter) elapsed(now uint64) uint64 {
	if c.Stands {
		return c.Elapsed
	}
	return now - c.Start
}

// period is N, for modes 2 and 3; highHalf is how much of it mode 3 has its output high.
func (c *counter) period() uint64   { return uint64(max(c.N, 2)) }
func (c *counter) highHalf() uint64 { return (c.period() + 1) / 2 }

// out is the level of OUT. Before it is programmed a counter has it low.
func (c *counter) out(now uint64) bool {
	n, e := uint64(c.N), c.elapsed(now)
	counts := c.Loaded && !c.Stands
	switch c.mode() {
	case 0:
		return c.Loaded && e >= n
	case 1:
		return !c.Loaded || e >= n
	case 2:
		return !counts || e%c.period() != c.period()-1
	case 3:
		return !counts || e%c.period() < c.highHalf()
	}
	return !counts || e != n
}

// turn is the first clock after now at which a counter that counts in mode 2
// or 3 begins a period or, in mode 3, a half of one.
func (c *counter) turn(now uint64) uint64 {
	n := c.period()
	r := c.elapsed(now) % n
	if c.mode() == 3 && r < c.highHalf() {
		return now + c.highHalf() - r
	}
	return now + n - r
}

// next is the first clock after now at which OUT changes by itself while the gate
// stays high, or never. It looks no further than to the next count that is loaded,
// which in modes 2 and 3 changes OUT as well.
func (c *counter) next(now uint64) uint64 {
	d := *c
	if !d.Loaded {
		if d.Due == 0 {
			return never
		}
		now = max(now, d.Due)
		d.advance(now)
	}
	end := d.Start + uint64(d.N)
	switch d.mode() {
	case 0:
		if now < end {
			return end
		}
	case 2:
		if last := d.turn(now) - 1; now < last {
			return last // where it goes low
		}
		return d.turn(now)
	case 3:
		return d.turn(now)
	case 4:
		if now <= end {
			return max(end, now+1) // the strobe, or its end
		}
	}
	return never
}

// count is what the counting element shows.
func (c *counter) count(now uint64) uint16 {
	if !c.Loaded {
		return c.Rest
	}
	m := uint64(c.modulus())
	var v uint64
	switch e, n := c.elapsed(now), c.period(); c.mode() {
	case 2:
		v = n - e%n
	case 3:
		// It counts by two, from an even number, twice in a period. [8254, Mode 3]
		v = n&^1 - 2*(e%n%c.highHalf())
	default:
		v = uint64(c.N) + m - e%m
	}
	v %= m
	if c.Control&pitBCD != 0 {
		return uint16(v/1000<<12 | v/100%10<<8 | v/10%10<<4 | v%10)
	}
	return uint16(v)
}

// latch keeps the count for the next reads, unless one is kept already.
func (c *counter) latch(now uint64) {
	if !c.Latched {
		c.Latch, c.Latched = c.count(now), true
	}
}

// latchStatus keeps the status for the next read, unless one is kept already.
func (c *counter) latchStatus(now uint64) {
	if c.StatusHeld {
		return
	}
	c.Status, c.StatusHeld = c.Control, true
	if c.Null {
		c.Status |= pitNull
	}
	if c.out(now) {
		c.Status |= pitOut
	}
}

// read gives a latched status, else a byte of the latched count, else one of
// what the counter shows. [8254, Read Operations]
func (c *counter) read(now uint64) uint8 {
	if c.StatusHeld {
		c.StatusHeld = false
		return c.Status
	}
	v := c.Latch
	if !c.Latched {
		v = c.count(now)
	}
	high := c.access() == pitHigh || c.access() == pitBoth && c.High
	if c.access() == pitBoth {
		c.High = !c.High
	}
	if !c.High {
		c.Latched = false // both bytes, or the only one
	}
	if high {
		return uint8(v >> 8)
	}
	return uint8(v)
}
