package machine

import (
	"math/bits"

	"x86emu/mmu"
)

// HPET is the high precision event timer at 0xFED00000: a main counter of 64 bits with a
// clock of 10 ns, and three timers, each of which compares it with a value, once or
// periodically, in 64 or in 32 bits.
//
//	0x000  capabilities, read only; their upper half is the clock's period in femtoseconds
//	0x010  configuration: bit 0 runs the counter, bit 1 replaces the 8254 and the RTC
//	0x020  status of the level-triggered timers' interrupts; ones that are written clear
//	0x0f0  main counter, written only while it stands
//	0x100  timer 0's configuration and, at 0x108, its comparator; 0x20 on those of the next
//
// In legacy replacement mode timer 0 has IRQ 0 and timer 1 has IRQ 8, and the 8254's and the
// RTC's lines lead nowhere (keeps). Otherwise a timer's interrupt comes at the pin of the I/O APIC that its
// route field names, out of hpetRoutes; another number leaves the field as it is. At route 0, as
// after reset, there is none. An edge at a pin is a pulse; a replaced line falls for a moment and is high
// from then on until a configuration is written, for the 8259A wants to see a request that stands.
//
// A comparator is met when the counter comes to be equal to it; one that it has passed
// already waits for the counter to wrap around. A level's status is set whether or not the timer may interrupt.
// Writes of 32 bits to half a register leave the other half. Where the specification leaves it
// open: accesses of 8 and 16 bits and misaligned ones read zeros and write nothing, as do
// reserved registers and a running main counter. Interrupts as messages (FSB) are left out, as in QEMU.
//
// The counter is computed when it is looked at; a timer costs something only while its
// interrupt can be seen. [IA-PC HPET Specification 1.0a, Register Model; Timer Operation]
type HPET struct {
	s     hpetState
	m     *Machine
	timer *Timer // the next interrupt that can be seen
}

type hpetState struct {
	Config   uint8
	Fired    uint8  // a bit for each timer: its status, or if it is edge triggered its output
	Replaced uint16 // levels of the lines that the legacy devices would drive, while they are replaced
	Counter  uint64 // as it was at beat Seen
	Seen     uint64
	Timers   [3]hpetTimer
}

type hpetTimer struct {
	Config     uint16 // what can be written
	Comparator uint64 // when it is met next
	Period     uint64 // what was written last, while it is periodic
}

const (
	hpetBase = 0xfed00000
	hpetSize = 0x400

	hpetHz     = 100_000_000
	hpetPeriod = 10_000_000 // femtoseconds
	hpetID     = 0x8086a201 // the low half of the capabilities: revision 1, three timers, 64 bits, legacy replacement
	hpetRoutes = 0x00ff0104 // pins 2, 8 and 16 to 23

	// Registers.
	hpetCapabilities = 0x00
	hpetConfig       = 0x10
	hpetStatus       = 0x20
	hpetCounter      = 0xf0
	hpetTimers       = 0x100
	hpetTimerSize    = 0x20
	hpetComparator   = 0x08 // of a timer
	hpetReserved     = 0x18

	hpetRun    = 1 << 0 // of the configuration
	hpetLegacy = 1 << 1

	hpetLevel      = 1 << 1 // of a timer's
	hpetEnable     = 1 << 2
	hpetPeriodic   = 1 << 3
	hpetSet        = 1 << 6 // the next write to a periodic comparator is when it is met next, too
	hpet32         = 1 << 8
	hpetRoute      = 0x1f << 9
	hpetRouteShift = 9
	hpetTimerBits  = hpetLevel | hpetEnable | hpetPeriodic | hpetSet | hpet32 | hpetRoute
	hpetTimerCan   = 1<<4 | 1<<5 | hpetRoutes<<32 // be periodic, have 64 bits, and interrupt there
)

// hpetOutputs are the pins of the I/O APIC by number, and these.
const (
	hpetIRQ0    = ioapicPins + iota // in place of the 8254
	hpetIRQ8                        // in place of the RTC
	hpetOutputs                     // the number of outputs; nowhere
)

func newHPET(m *Machine) *HPET {
	h := &HPET{m: m}
	for i := range h.s.Timers {
		h.s.Timers[i].Comparator = never
	}
	h.timer = m.newLineTimer("hpet", h, h.wakes)
	m.follow(h)
	return h
}

// places are where its registers are. One that the board is to be without has none, and so stands still.
func (h *HPET) places() []place {
	if h.m.cfg.NoHPET {
		return nil
	}
	return []place{atMem(mmu.Range{At: hpetBase, Len: hpetSize}, h)}
}

func (h *HPET) Name() string { return "hpet" }
func (h *HPET) State() any   { return &h.s }

func (h *HPET) Read(off uint64, size uint) uint64 {
	if size < 4 || off%uint64(size) != 0 {
		return 0
	}
	s := h.s // a read may not change lines: that is for the host's timer
	s.advance(h.m.beats(hpetHz))
	return s.register(off&^7) >> (8 * (off & 7))
}

// register is the one of 64 bits at an offset.
func (s *hpetState) register(off uint64) uint64 {
	switch off {
	case hpetCapabilities:
		return hpetPeriod<<32 | hpetID
	case hpetConfig:
		return uint64(s.Config)
	case hpetStatus:
		return uint64(s.Fired & s.levels())
	case hpetCounter:
		return s.Counter
	}
	if i, field := s.timer(off); field == 0 {
		return uint64(s.Timers[i].Config) | hpetTimerCan
	} else if field == hpetComparator {
		return s.Timers[i].Comparator
	}
	return 0
}

// timer is the number of the one whose register is at an offset, and the offset among
// its own; hpetReserved if there is none.
func (s *hpetState) timer(off uint64) (i int, field uint64) {
	i = (int(off) - hpetTimers) / hpetTimerSize
	if off < hpetTimers || i >= len(s.Timers) {
		return 0, hpetReserved
	}
	return i, off % hpetTimerSize
}

func (h *HPET) Write(off uint64, size uint, v uint64) {
	if size < 4 || off%uint64(size) != 0 {
		return
	}
	mask := uint64(never) >> (64 - 8*size) << (8 * (off & 7))
	v = v << (8 * (off & 7)) & mask
	put := func(old uint64) uint64 { return old&^mask | v }
	s := &h.s
	if off &^= 7; off == hpetConfig {
		h.configure(uint8(put(uint64(s.Config))) & (hpetRun | hpetLegacy))
		return
	}
	h.catchUp()
	before := s.outputs()
	switch i, field := s.timer(off); {
	case off == hpetStatus:
		s.Fired &^= uint8(v) & s.levels()
	case off == hpetCounter && s.Config&hpetRun == 0:
		s.Counter = put(s.Counter)
	case field == 0:
		was := s.levels()
		t := &s.Timers[i]
		t.configure(uint16(put(uint64(t.Config))) & hpetTimerBits)
		s.Fired &^= 1 << i &^ (was & s.levels()) // what was an edge's is no level, nor the reverse
	case field == hpetComparator:
		s.Timers[i].compare(put)
	}
	h.drive(before, 0)
	h.plan()
}

// configure sets the general configuration.
func (h *HPET) configure(v uint8) {
	s := &h.s
	h.m.catchUp()
	before, toggled := s.outputs(), (s.Config^v)&hpetLegacy != 0
	if toggled && v&hpetLegacy != 0 {
		for _, irq := range []uint8{pitIRQ, rtcIRQ} {
			if h.m.PIC.level(irq) {
				s.Replaced |= 1 << irq
			}
			h.m.setLine(irq, false)
		}
	}
	s.Config = v
	s.Fired &= s.levels()
	h.drive(before, 0)
	if toggled && v&hpetLegacy == 0 {
		for _, irq := range []uint8{pitIRQ, rtcIRQ} {
			h.m.setLine(irq, s.Replaced>>irq&1 != 0)
		}
		s.Replaced = 0
	}
	h.m.replan()
}

// configure sets a timer's configuration.
func (t *hpetTimer) configure(v uint16) {
	if hpetRoutes>>(v>>hpetRouteShift)&1 == 0 {
		v = v&^hpetRoute | t.Config&hpetRoute
	}
	t.Config = v
	t.Comparator &= t.mask()
	t.Period &= t.mask()
}

// compare takes a write to the comparator. A periodic one's is the period, and when
// it is met next only if that was asked for.
func (t *hpetTimer) compare(put func(old uint64) uint64) {
	periodic := t.Config&hpetPeriodic != 0
	if !periodic || t.Config&hpetSet != 0 {
		t.Comparator = put(t.Comparator) & t.mask()
	}
	if periodic {
		t.Period = put(t.Period) & t.mask()
	}
	t.Config &^= hpetSet
}

// mask is what of the counter the timer compares.
func (t *hpetTimer) mask() uint64 {
	if t.Config&hpet32 != 0 {
		return 1<<32 - 1
	}
	return never
}

// left is how many clocks the counter is from meeting the comparator.
func (t *hpetTimer) left(counter uint64) uint64 {
	if left := (t.Comparator - counter - 1) & t.mask(); left != never {
		return left + 1
	}
	return never
}

// pass lets clocks pass. It tells whether the comparator was met.
func (t *hpetTimer) pass(counter, clocks uint64) bool {
	left := t.left(counter)
	if clocks < left {
		return false
	}
	if t.Config&hpetPeriodic != 0 && t.Period != 0 {
		t.Comparator = (t.Comparator + (1+(clocks-left)/t.Period)*t.Period) & t.mask()
	}
	return true
}

// advance brings counter, comparators and status up to a beat. It gives the edge-triggered timers
// whose interrupt there was, a bit each.
func (s *hpetState) advance(now uint64) (edges uint8) {
	passed := now - s.Seen
	s.Seen = now
	if s.Config&hpetRun == 0 {
		return 0
	}
	for i := range s.Timers {
		t := &s.Timers[i]
		switch {
		case !t.pass(s.Counter, passed):
		case t.Config&hpetLevel != 0:
			s.Fired |= 1 << i
		case t.Config&hpetEnable != 0:
			edges |= 1 << i
		}
	}
	s.Fired |= edges
	s.Counter += passed
	return edges
}

// levels are the level-triggered timers, a bit each.
func (s *hpetState) levels() (set uint8) {
	for i := range s.Timers {
		if s.Timers[i].Config&hpetLevel != 0 {
			set |= 1 << i
		}
	}
	return set
}

// output is where a timer's interrupt comes out.
func (s *hpetState) output(i int) int {
	if s.Config&hpetLegacy != 0 && i < 2 {
		return hpetIRQ0 + i
	}
	if route := int(s.Timers[i].Config >> hpetRouteShift & 0x1f); hpetRoutes>>route&1 != 0 {
		return route
	}
	return hpetOutputs
}

// outputs are those that are high, a bit each.
func (s *hpetState) outputs() (set uint32) {
	for i := range s.Timers {
		c, o := s.Timers[i].Config, s.output(i)
		if s.Config&hpetRun != 0 && c&hpetEnable != 0 && s.Fired>>i&1 != 0 && (c&hpetLevel != 0 || o >= ioapicPins) {
			set |= 1 << o
		}
	}
	return set &^ (1 << hpetOutputs)
}

// drive follows changes of the outputs, of which some had an edge.
func (h *HPET) drive(before uint32, edges uint8) {
	var pulses uint32
	for i := range h.s.Timers {
		if edges>>i&1 != 0 {
			pulses |= 1 << h.s.output(i) &^ (1 << hpetOutputs)
		}
	}
	after := h.s.outputs()
	for set := before ^ after | pulses; set != 0; set &= set - 1 {
		o := bits.TrailingZeros32(set)
		if pulses>>o&1 != 0 {
			h.set(o, false)
			h.set(o, true)
		}
		h.set(o, after>>o&1 != 0 || h.m.lineAt(o))
	}
}

// set sets the level of an output.
func (h *HPET) set(o int, level bool) {
	switch o {
	case hpetIRQ0:
		h.m.setLine(pitIRQ, level)
	case hpetIRQ8:
		h.m.setLine(rtcIRQ, level)
	default:
		h.m.IOAPIC.set(o, level)
	}
}

// catchUp brings the timers up to date, and the outputs with them.
func (h *HPET) catchUp() {
	before := h.s.outputs()
	edges := h.s.advance(h.m.beats(hpetHz))
	h.drive(before, edges)
}

// plan sets the host's timer to the next interrupt that can be seen.
func (h *HPET) plan() {
	next, s := uint64(never), &h.s
	for i := range s.Timers {
		if s.awaits(i) && !h.masks(s.output(i)) {
			next = min(next, s.Timers[i].left(s.Counter))
		}
	}
	if next > never-s.Seen {
		next = never
	} else {
		next = h.m.tickOf(s.Seen+next, hpetHz)
	}
	h.timer.Set(next)
}

// awaits tells whether a timer would change its output when its comparator is met.
func (s *hpetState) awaits(i int) bool {
	c := s.Timers[i].Config
	return s.Config&hpetRun != 0 && c&hpetEnable != 0 && (c&hpetLevel == 0 || s.Fired>>i&1 == 0)
}

// masks tells whether an output cannot interrupt.
func (h *HPET) masks(o int) bool {
	switch o {
	case hpetIRQ0:
		return h.m.lineMasked(pitIRQ)
	case hpetIRQ8:
		return h.m.lineMasked(rtcIRQ)
	case hpetOutputs:
		return true
	}
	return h.m.IOAPIC.masks(o)
}

// wakes tells whether some timer's interrupt would reach the processor as things stand.
func (h *HPET) wakes() bool {
	for i := range h.s.Timers {
		if !h.s.awaits(i) {
			continue
		}
		switch o := h.s.output(i); {
		case o == hpetIRQ0 && h.m.lineWakes(pitIRQ), o == hpetIRQ8 && h.m.lineWakes(rtcIRQ),
			o < ioapicPins && h.m.IOAPIC.wakes(o):
			return true
		}
	}
	return false
}

// replaces tells whether a line is cut off from its device.
func (h *HPET) replaces(irq uint8) bool {
	return h.s.Config&hpetLegacy != 0 && (irq == pitIRQ || irq == rtcIRQ)
}

// keeps takes a level of a line that is cut off, for when it is not any more. It tells
// whether it is.
func (h *HPET) keeps(irq uint8, level bool) bool {
	if !h.replaces(irq) {
		return false
	}
	h.s.Replaced &^= 1 << irq
	if level {
		h.s.Replaced |= 1 << irq
	}
	return true
}

// holds tells whether a timer holds a pin of the I/O APIC high.
func (h *HPET) holds(pin int) bool { return h.s.outputs()>>pin&1 != 0 }
