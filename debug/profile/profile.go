package profile

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"github.com/google/pprof/profile"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Options are how a profile is taken.
type Options struct {
	Period uint64         // ticks from sample to sample; 0: DefaultPeriod
	Leaf   bool           // no stacks, at full speed
	Syms   *debug.Symbols // may be nil
}

// DefaultPeriod is how many ticks lie between two samples.
const DefaultPeriod = 1000

// Profiler samples a machine.
type Profiler struct {
	m       *machine.Machine
	o       Options
	s       *shadow // nil: leaves only
	samples map[string]*sample
	order   []*sample
	key     []byte
	steps   int // of all stacks
	next    uint64
	lost    uint64 // samples whose stack was one too many
}

// sample is a stack, the innermost place first, and how often it was met.
type sample struct {
	stack []step
	count int64
}

// step is a place of a stack, or an event's name between two.
type step struct {
	at   place
	name string
}

// maxDepth bounds the places of one stack, if only roughly.
const maxDepth = 512

// maxSteps bounds the different stacks that are kept, by their places.
const maxSteps = 1 << 21

// Watch samples a machine from now on. It takes Machine.OnTick, and unless
// Options.Leaf the hooks of deliveries and returns; then the Profiler is also to
// be set as the machine's observer, alone or among others.
func Watch(m *machine.Machine, o Options) *Profiler {
	if o.Period == 0 {
		o.Period = DefaultPeriod
	}
	p := &Profiler{m: m, o: o, samples: make(map[string]*sample), next: m.CPU.Ticks() + o.Period}
	m.OnTick = p.tick
	if !o.Leaf {
		p.s = newShadow(m)
		m.CPU.OnEvent = func(*idt.Event) bool {
			p.s.taken()
			return true
		}
		m.CPU.OnDelivery = p.s.delivered
		m.CPU.OnReturn = p.s.returned
	}
	return p
}

// Instruction is cpu.Observer's.
func (p *Profiler) Instruction(e *cpu.InstEvent) { p.s.instruction(e) }

// Access is cpu.Observer's.
func (p *Profiler) Access(*cpu.AccessEvent) {}

// Delivery is idt.Observer's: a hardware task switch begins a stack anew.
func (p *Profiler) Delivery(e *idt.DeliveryEvent) {
	if e.Stage == idt.StageTaskDone {
		p.s.pending.kind = nothing
		p.s.fresh()
	}
}

// tick is the machine's.
func (p *Profiler) tick(now uint64) (next uint64) {
	if now < p.next {
		return p.next
	}
	n := (now-p.next)/p.o.Period + 1
	p.next += n * p.o.Period
	p.take(int64(min(n, math.MaxInt64/p.o.Period)))
	return p.next
}

// take takes a sample that stands for n periods.
func (p *Profiler) take(n int64) {
	if p.s != nil {
		p.s.settle()
	}
	stack := p.stack()
	p.key = p.key[:0]
	for _, k := range stack {
		p.key = binary.LittleEndian.AppendUint64(p.key, k.at.lin)
		p.key = strconv.AppendBool(p.key, k.at.paged)
		p.key = append(append(p.key, k.name...), 0)
	}
	s := p.samples[string(p.key)]
	if s == nil {
		if p.steps += len(stack); p.steps > maxSteps {
			p.lost += uint64(n)
			return
		}
		s = &sample{stack: stack}
		p.samples[string(p.key)] = s
		p.order = append(p.order, s)
	}
	s.count += n
}

// stack is the present one.
func (p *Profiler) stack() (steps []step) {
	if p.m.CPU.State().Halted {
		steps = append(steps, step{name: "[halted]"})
	}
	code := p.m.CPU.CodeAt()
	steps = append(steps, step{at: place{uint64(code), p.m.MMU.Mode() != mmu.ModeNone}})
	if p.s == nil {
		return steps
	}
	for k := p.s.cur; k != nil && len(steps) < maxDepth; {
		var under *stack
		for _, f := range slices.Backward(k.frames) {
			if f.event != "" {
				steps = append(steps, step{name: "[" + f.event + "]"})
			}
			steps = append(steps, step{at: f.at})
			if f.under != nil {
				under = f.under
				break
			}
		}
		k = under
	}
	return steps
}

// Close ends the sampling and gives the profile.
func (p *Profiler) Close() *profile.Profile {
	p.m.OnTick = nil
	if p.s != nil {
		p.m.CPU.OnEvent, p.m.CPU.OnDelivery, p.m.CPU.OnReturn = nil, nil, nil
	}
	b := newBuilder(p.o.Syms)
	b.p.Period = int64(p.o.Period)
	for _, s := range p.order {
		b.add(s, int64(p.o.Period))
	}
	if p.lost > 0 {
		b.add(&sample{[]step{{name: "[stacks beyond the limit]"}}, int64(p.lost)}, int64(p.o.Period))
	}
	return b.p
}
