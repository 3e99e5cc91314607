package machine

// PIT is the 8254 interval timer at ports 0x40 to 0x43, clocked with PITHz, and
// port 0x61, system control port B. Counter 0 drives IRQ 0, counter 1 nothing,
// counter 2 the speaker, which is not there: port 0x61 has its gate (bit 0) and its
// output (bit 5). The refresh toggle (bit 4) changes every 18 clocks, or 15 us,
// whatever is written to counter 1.
//
// There is no firmware that starts counter 0: until a control word and a count
// are written it stands, with its output low. While IRQ 0 is masked the timer costs
// nothing: what a guest sees of it is computed when it looks.
// [Intel 8254 data sheet; Intel 82371SB (PIIX3) data sheet, NMI Status and Control Register]
type PIT struct {
	s     pitState
	m     *Machine
	timer *Timer // the next change of counter 0's output, while IRQ 0 is not masked
}

type pitState struct {
	Counters [3]counter
	Seen     uint64 // the clock up to which IRQ 0 has followed counter 0
	Port61   uint8  // bits 0 to 3, as written
}

// PITHz is the frequency of the timer's clock, a third of the colour subcarrier's.
const PITHz = 1193182

const (
	pitIRQ        = 0
	refreshClocks = 18

	port61Gate    = 1 << 0
	port61Kept    = 0x0f
	port61Refresh = 1 << 4
	port61Out     = 1 << 5
)

func newPIT(m *Machine) *PIT {
	p := &PIT{m: m}
	for i := range p.s.Counters {
		p.s.Counters[i].Gate = i != 2
	}
	p.timer = m.newLineTimer("pit", p, func() bool { return m.wakes(pitIRQ) })
	m.follow(p)
	return p
}

// places are the timer's ports.
func (p *PIT) places() []place {
	return []place{atPorts(PortRange{0x40, 4}, 1, p), atPorts(PortRange{0x61, 1}, 1, port61{p})}
}

func (p *PIT) Name() string { return "pit" }
func (p *PIT) State() any   { return &p.s }

// clock is the number of the clock pulse that was last.
func (p *PIT) clock() uint64 { return p.m.beats(PITHz) }

// now brings all counters up to date and gives the clock.
func (p *PIT) now() uint64 {
	now := p.clock()
	for i := range p.s.Counters {
		p.s.Counters[i].advance(now)
	}
	return now
}

// catchUp gives IRQ 0 the level that it has now, and the edge that it had.
func (p *PIT) catchUp() {
	changed := p.s.Counters[0].next(p.s.Seen) <= p.clock()
	now := p.now()
	p.s.Seen = now
	if changed {
		p.m.SetIRQ(pitIRQ, false)
		p.m.SetIRQ(pitIRQ, p.s.Counters[0].out(now))
	}
}

// plan sets the timer to the next change of IRQ 0, if that can be seen.
func (p *PIT) plan() {
	next := uint64(never)
	if !p.m.masks(pitIRQ) {
		if next = p.s.Counters[0].next(p.clock()); next != never {
			next = p.m.tickOf(next, PITHz)
		}
	}
	p.timer.Set(next)
}

func (p *PIT) In(off uint16, _ uint8) uint32 {
	if off == 3 {
		return 0xff // nothing drives the bus
	}
	return uint32(p.s.Counters[off].read(p.now()))
}

func (p *PIT) Out(off uint16, _ uint8, v uint32) {
	p.catchUp()
	now := p.now()
	if off == 3 {
		p.command(uint8(v), now)
	} else {
		p.s.Counters[off].write(uint8(v), now)
	}
	if p.s.Counters[0].Programmed {
		p.m.SetIRQ(pitIRQ, p.s.Counters[0].out(now))
		p.plan()
	}
}

// command takes a control word, a latch command or a read-back command.
func (p *PIT) command(v uint8, now uint64) {
	const readBack, latchOnly, noCount, noStatus = 3, 0, 1 << 5, 1 << 4
	if n := v >> 6; n != readBack {
		if v>>4&3 == latchOnly {
			p.s.Counters[n].latch(now)
		} else {
			p.s.Counters[n].program(v, now)
		}
		return
	}
	for i := range p.s.Counters {
		if v>>(1+i)&1 == 0 {
			continue
		}
		if v&noCount == 0 {
			p.s.Counters[i].latch(now)
		}
		if v&noStatus == 0 {
			p.s.Counters[i].latchStatus(now)
		}
	}
}

// port61 is system control port B.
type port61 struct{ p *PIT }

func (b port61) In(uint16, uint8) uint32 {
	now := b.p.now()
	v := b.p.s.Port61
	if now/refreshClocks&1 != 0 {
		v |= port61Refresh
	}
	if b.p.s.Counters[2].out(now) {
		v |= port61Out
	}
	return uint32(v)
}

func (b port61) Out(_ uint16, _ uint8, v uint32) {
	b.p.s.Counters[2].setGate(v&port61Gate != 0, b.p.now())
	b.p.s.Port61 = uint8(v) & port61Kept
}
