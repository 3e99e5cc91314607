package machine

import (
	"context"
	"slices"

	"x86emu/cpu"
	"x86emu/idt"
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
	anchor := m.mark()
	for power, since := uint64(1), uint64(0); ; {
		m.Clock.run(m.CPU.Ticks())
		if m.exit.s.Done || m.CPU.Ticks() >= end || since&0x3ff == 0 && ctx.Err() != nil {
			return cpu.StopTick, nil
		}
		if stop := m.CPU.Step(); stop != cpu.StopTick || m.CPU.Streak() == 0 {
			return stop, nil
		}
		since++
		// A timer that may raise an interrupt may also end the loop.
		if m.Clock.wake() == never && anchor.at(m) {
			return cpu.StopStreak, m.describeLoop(since)
		}
		if since == power {
			anchor = m.mark()
			power, since = power*2, 0
		}
	}
}

// describeLoop counts the vectors of one round on a fork.
func (m *Machine) describeLoop(period uint64) *Loop {
	l := &Loop{Period: period}
	f, err := m.Fork()
	if err != nil {
		return l
	}
	f.CPU.SetObserver((*vectorCounter)(l))
	for range period {
		f.CPU.Step()
	}
	return l
}

// vectorCounter observes deliveries for a Loop.
type vectorCounter Loop

func (l *vectorCounter) Delivery(e *idt.DeliveryEvent) {
	if e.Stage == idt.StageEntered {
		l.Vectors[e.Event.Vector]++
	}
}
func (l *vectorCounter) Instruction(*cpu.InstEvent) {}
func (l *vectorCounter) Access(*cpu.AccessEvent)    {}
