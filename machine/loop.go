package machine

import (
	"context"
	"slices"

	"x86emu/cpu"
	"x86emu/mmu"
)

// streak is how many deliveries in a row, with no instruction retired in
// between, make the machine look for an endless loop.
const streak = 256

// mark is a state of the machine to compare with.
type mark struct {
	state   cpu.State
	tlb     []mmu.Entry
	mem     *mmu.Memory
	devices []any
}

// mark takes the present state; memory pages are shared until written.
func (m *Machine) mark() *mark {
	k := &mark{state: m.CPU.State(), tlb: m.MMU.TLB(), mem: m.Mem.Fork()}
	k.state.Ticks = 0
	for _, d := range m.devices {
		k.devices = append(k.devices, stateOf(d))
	}
	return k
}

// at tells whether the machine is in the marked state again, the clock left out.
func (k *mark) at(m *Machine) bool {
	s := m.CPU.State()
	s.Ticks = 0
	if s != k.state || !slices.Equal(m.MMU.TLB(), k.tlb) {
		return false
	}
	for i, d := range m.devices {
		if stateOf(d) != k.devices[i] {
			return false
		}
	}
	return m.Mem.Equal(k.mem)
}

// watch follows a streak of deliveries until an instruction retires or
// something else stops it (the stop is returned), or until a state comes round
// again. The search is Brent's: the state now is compared with an anchor,
// which moves up to the present at distances that double. So a loop of any
// period is found within a few rounds, at the cost of one comparison for each
// delivery, which mostly ends at the first register.
func (m *Machine) watch(ctx context.Context, end uint64) (cpu.Stop, *Loop) {
	defer func() { m.CPU.SetStreak(m.CPU.Streak() + streak) }()
	m.CPU.StopAfter(0)
	anchor, round := m.mark(), Loop{}
	for power := uint64(1); ; {
		m.between()
		if _, ended := m.ended(); ended || m.stopped || m.CPU.Ticks() >= end || round.Period&0x3ff == 0 && ctx.Err() != nil {
			return cpu.StopTick, nil
		}
		if stop := m.CPU.Step(); stop != cpu.StopTick || m.CPU.Streak() == 0 {
			return stop, nil
		}
		round.count(m)
		// A timer that may raise an interrupt may also end the loop.
		if m.Clock.wake() == never && anchor.at(m) {
			return cpu.StopStreak, &round
		}
		if round.Period == power {
			anchor, round = m.mark(), Loop{}
			power *= 2
		}
	}
}

// count adds the delivery just made to the round.
func (l *Loop) count(m *Machine) {
	l.Period++
	l.Vectors[m.CPU.LastDelivered().Vector]++
}

// patrol looks for the endless loops in which instructions retire: a handler
// that returns to the fault without having mended it. It sleeps while most
// deliveries are made, and then compares the state after each of the next
// ones with that after the first, each time twice as many. A loop of any
// period is found once the guest has been in it for long enough, and a guest
// that just takes many faults hardly notices. The price of a longer watch is
// the memory that the guest writes meanwhile, kept twice.
type patrol struct {
	anchor *mark // nil while it sleeps
	begin  uint64
	length uint64 // deliveries that the present or next watch compares
	round  Loop
}

const (
	patrolFirstSleep = 1 << 16 // deliveries before the first watch
	patrolFirstWatch = 256     // deliveries that it compares
	patrolSleep      = 64      // how many times longer it sleeps than it watches
)

func newPatrol(m *Machine) *patrol {
	m.CPU.StopAfter(patrolFirstSleep)
	return &patrol{length: patrolFirstWatch}
}

// delivered is called at each StopDelivery. It returns the loop that the
// machine is in, if it has found one.
func (p *patrol) delivered(m *Machine) *Loop {
	if p.anchor == nil {
		p.anchor, p.begin, p.round = m.mark(), m.CPU.Ticks(), Loop{}
		m.CPU.StopAfter(1)
		return nil
	}
	p.round.count(m)
	// While a timer is set, the guest may be waiting for it.
	if m.Clock.next == never && p.anchor.at(m) {
		p.round.Instructions = m.CPU.Ticks() - p.begin - p.round.Period
		return &p.round
	}
	if p.round.Period < p.length {
		m.CPU.StopAfter(1)
		return nil
	}
	p.anchor = nil
	m.CPU.StopAfter(p.length * patrolSleep)
	p.length *= 2
	return nil
}
