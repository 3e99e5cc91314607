package debug

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// boot makes a machine with a built-in kernel.
func boot(t testing.TB, name string, cfg machine.Config) *machine.Machine {
	t.Helper()
	m, err := guest.Boot(name, cfg, guest.Options{})
	require.NoError(t, err)
	return m
}

// loadInto makes a machine of a configuration with code at 0x500.
func loadInto(t testing.TB, cfg machine.Config, mode guest.Mode, code string) *machine.Machine {
	t.Helper()
	m, err := machine.New(cfg)
	require.NoError(t, err)
	img, err := guest.ParseFlat([]byte(code), 0x500, mode, 0)
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	return m
}

// fast makes a history take moments often, by a clock that jumps.
func fast(h *History) {
	var now time.Duration
	h.pace.clock = func() time.Duration { now += leastGap; return now }
}

// Back to any tick, and forward again: the state is the one that a run which
// never went back has there, and the user sees the output once.
func TestBackAndForthIsTheSameRun(t *testing.T) {
	const budget = 3 << 20
	ctx := context.Background()
	for _, k := range guest.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			var once, again bytes.Buffer
			plain := boot(t, k.Name, machine.Config{Serial: machine.NewOutput(&once)})
			copyOf, err := plain.Fork()
			require.NoError(t, err)
			r, err := plain.Run(ctx, budget)
			require.NoError(t, err)
			end := plain.Moment()

			m := boot(t, k.Name, machine.Config{Serial: machine.NewOutput(&again)})
			h := NewHistory(m, 64<<20)
			fast(h)
			a, err := h.Run(ctx, budget)
			require.NoError(t, err)
			assert.Equal(t, r.Ticks, a.Tick)
			assert.True(t, end.Equal(m.Moment()), "the recorded run is the plain one")

			rng := rand.New(rand.NewPCG(1, 2))
			at := copyOf.Moment()
			for range 6 {
				begin := at.Tick()
				tick := begin + rng.Uint64N(r.Ticks-begin+1)
				copyOf.Return(at)
				_, err = copyOf.Replay(ctx, tick)
				require.NoError(t, err)
				a, err = h.Goto(ctx, tick)
				require.NoError(t, err)
				require.Equal(t, tick, a.Tick)
				require.True(t, copyOf.Moment().Equal(m.Moment()), "tick %d", tick)
			}
			more := r.Ticks - h.Tick()
			if r.Reason != machine.Budget {
				more = machine.NoBudget
			}
			_, err = h.Run(ctx, more)
			require.NoError(t, err)
			assert.True(t, end.Equal(m.Moment()), "forward to the end again")
			assert.Equal(t, once.String(), again.String())
		})
	}
}

// scramble makes a machine run random code in random registers' reach: a page
// of bytes at 0x10000, with an IVT whose every vector leads back into it.
func scramble(t testing.TB, seed uint64) *machine.Machine {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	code := make([]byte, 0x7000)
	for i := range code {
		code[i] = byte(rng.Uint32())
	}
	m := load(t, guest.Mode16, string(code))
	for v := range 256 {
		m.Mem.Write(mmu.Phys(4*v), 2, 0x500+rng.Uint64N(0x6000))
	}
	return m
}

// The same for random code, which stores into itself and into its vectors.
func TestRandomCodeIsTheSameRun(t *testing.T) {
	ctx := context.Background()
	const budget = 20000
	for seed := range uint64(24) {
		m, plain := scramble(t, seed), scramble(t, seed)
		begin := plain.Moment()
		h := NewHistory(m, 1<<20)
		fast(h)
		a, err := h.Run(ctx, budget)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 10 {
			tick := rng.Uint64N(a.Tick + 1)
			plain.Return(begin)
			_, err := plain.Replay(ctx, tick)
			require.NoError(t, err)
			_, err = h.Goto(ctx, tick)
			require.NoError(t, err)
			require.True(t, plain.Moment().Equal(m.Moment()), "seed %d, tick %d", seed, tick)
			back := rng.Uint64N(min(tick, 50) + 1)
			b, err := h.StepBack(ctx, back)
			require.NoError(t, err)
			if back > 0 && tick > 0 {
				require.LessOrEqual(t, b.Tick, tick-1)
			}
			for h.Tick() < tick {
				_, err := h.Step(ctx)
				require.NoError(t, err)
			}
			if h.Tick() == tick {
				require.True(t, plain.Moment().Equal(m.Moment()), "seed %d, back to tick %d and forward", seed, b.Tick)
			}
		}
	}
}

// sightings runs a machine tick by tick and lists the ticks before which each
// condition was met, found without any of the hooks that a history uses.
func sightings(t testing.TB, m *machine.Machine, conds []Condition, until uint64) (all [][]uint64) {
	t.Helper()
	ctx := context.Background()
	all = make([][]uint64, len(conds))
	var chain []idt.Event
	m.CPU.OnDelivery = func(out *idt.Outcome) { chain = append(chain, out.Chain[:out.N]...) }
	accesses := accessLog{}
	m.CPU.SetObserver(&accesses)
	read := func(c Condition) []byte {
		var b []byte
		switch c := c.(type) {
		case OnWrite:
			p := mmu.Phys(c.Addr)
			if !c.Physical {
				w := m.MMU.Explain(mmu.Linear(p), mmu.Read)
				p = w.Phys()
			}
			b = make([]byte, max(c.Len, 1))
			m.Mem.ReadBytes(p, b)
		case OnEntry:
			at := mmu.Phys(*c.CR3) + mmu.Phys(c.Linear>>22*4) // two levels
			for range 2 {
				v := m.Mem.Read(at, 4)
				if at = mmu.Phys(v&^0xfff) + mmu.Phys(c.Linear>>12&0x3ff*4); !c.Accessed {
					v &^= mmu.PteAccessed | mmu.PteDirty
				}
				b = fmt.Appendf(b, "%x;", v)
				if v&mmu.PtePresent == 0 {
					break
				}
			}
		}
		return b
	}
	for m.CPU.Ticks() < until {
		now, rip := m.CPU.Ticks(), m.CPU.CodeAt()
		resumed := m.CPU.State().RFLAGS&idt.FlagRF != 0
		before := make([][]byte, len(conds))
		for i, c := range conds {
			before[i] = read(c)
		}
		chain, accesses.all = nil, nil
		r, err := m.Run(ctx, 1)
		require.NoError(t, err)
		for i, c := range conds {
			met := false
			switch c := c.(type) {
			case AtAddress:
				met = rip == c.Linear && !resumed
			case OnEvent:
				for _, e := range chain {
					met = met || c.meets(&e)
				}
			case OnAccess:
				for _, a := range accesses.all {
					// The kernels' memory is mapped to itself.
					inside := uint64(a.Linear) < c.Addr+c.Len && c.Addr < uint64(a.Linear)+uint64(a.Size)
					met = met || inside && (c.Read && !a.Write || c.Write && a.Write)
				}
			default:
				met = !bytes.Equal(before[i], read(c))
			}
			if met {
				all[i] = append(all[i], now)
			}
		}
		if r.Reason != machine.Budget {
			break
		}
	}
	m.CPU.OnDelivery = nil
	m.CPU.SetObserver(nil)
	return all
}

// accessLog collects the program's data accesses.
type accessLog struct{ all []cpu.AccessEvent }

func (l *accessLog) Instruction(*cpu.InstEvent)  {}
func (l *accessLog) Access(e *cpu.AccessEvent)   { l.all = append(l.all, *e) }
func (l *accessLog) Delivery(*idt.DeliveryEvent) {}

// What a history finds, backward and forward, is what looking at every tick finds.
func TestConditionsAreMetWhereTheyAre(t *testing.T) {
	cr3, mask := uint64(0x202000), uint32(mmu.PFWrite|mmu.PFUser)
	for _, c := range []struct {
		kernel      string
		from, until uint64
		conds       []Condition
	}{
		{"unmapped-handler-32", 202000, 206000, []Condition{ // the recursion
			AtAddress{Linear: 0x40000005},
			OnEvent{Vector: idt.VecPF},
			OnEvent{Vector: idt.VecPF, Code: mmu.PFWrite, Mask: mask},
			OnEvent{Vector: idt.VecPF, First: 0xf8000000, Last: 0xf8ffffff},
			OnEvent{Any: true},
			OnEvent{Vector: idt.VecDF},
			OnWrite{Addr: 0x3c1000, Len: 0x1000, Physical: true, Changes: true},
			OnWrite{Addr: 0x3c1f00, Len: 8, Changes: true},
		}},
		{"unmapped-handler-32", 90000, 92000, []Condition{ // a process is made
			OnEntry{Linear: 0x40001000, CR3: &cr3},
			OnEntry{Linear: 0x40001000, CR3: &cr3, Accessed: true},
			AtAddress{Linear: 0x10082b},
			OnWrite{Addr: 0x103f80, Len: 64, Changes: true},
			OnAccess{Addr: 0x103f80, Len: 64, Write: true},
			OnAccess{Addr: 0x103f82, Len: 1, Read: true, Write: true},
			OnAccess{Addr: 0x103f80, Len: 64, Read: true},
			OnAccess{Addr: 0x103f80, Physical: true, Len: 64, Read: true, Write: true},
		}},
		{"unmapped-handler-32", 165600, 165800, []Condition{ // it runs
			OnEntry{Linear: 0x40000000, CR3: &cr3, Accessed: true},
		}},
	} {
		t.Run(fmt.Sprint(c.kernel, c.from), func(t *testing.T) {
			m := boot(t, c.kernel, machine.Config{})
			_, err := m.Run(t.Context(), c.from)
			require.NoError(t, err)
			f, err := m.Fork()
			require.NoError(t, err)
			all := sightings(t, f, c.conds, c.until)
			h := NewHistory(m, 64<<20)
			fast(h)
			_, err = h.Run(t.Context(), c.until-c.from)
			require.NoError(t, err)
			for i, cond := range c.conds {
				require.NotEmpty(t, all[i], "%s", cond)
				checkCondition(t, h, cond, all[i], c.from, c.until)
			}
		})
	}
}

// checkCondition goes to places around the ticks at which a condition is met,
// and runs forward and backward from there.
func checkCondition(t *testing.T, h *History, c Condition, met []uint64, from, until uint64) {
	t.Helper()
	ctx := t.Context()
	_, place := c.(AtAddress)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 16 {
		now := from + rng.Uint64N(until-from)
		if i > 4 {
			now = min(met[rng.IntN(len(met))]+rng.Uint64N(3), until)
		}
		before, after := NotMet, AtTick
		last, next := now, until
		for _, at := range met {
			if at < now {
				before, last = AtCondition, at
			}
			if after != AtCondition && (at > now || at == now && !place) {
				after, next = AtCondition, at
				if !place {
					next++
				}
			}
		}
		_, err := h.Goto(ctx, now)
		require.NoError(t, err)
		a, err := h.Run(ctx, until-now, c)
		require.NoError(t, err)
		require.Equal(t, Arrival{Tick: next, Why: after, Met: a.Met}, a, "%s, forward from %d", c, now)
		_, err = h.Goto(ctx, now)
		require.NoError(t, err)
		a, err = h.ReverseContinue(ctx, c)
		require.NoError(t, err)
		require.Equal(t, Arrival{Tick: last, Why: before, Met: a.Met}, a, "%s, back from %d", c, now)
		require.Equal(t, last, h.Tick())
	}
}

// Where a chain of events began.
func TestFaultStart(t *testing.T) {
	for _, c := range []struct {
		kernel string
		code   mmu.Linear // of the instruction; 0: no event is being handled at the end
	}{
		{"hello-32", 0},
		{"demand-paging-32", 0},
		{"kprobe-fault-32", 0}, // left by longjmp, and returned from
		{"unmapped-handler-32", 0x40000005},
		{"unmapped-handler-64", 0x40000000000a},
		{"stack-over-top-32", 0x40000005}, // shutdown
		{"df-unmapped-32", 0x40000005},    // through a task switch
		{"df-unmapped-64", 0x40000000000a},
		{"pf-ist-64", 0x40000000000a}, // its frame is overwritten again and again
	} {
		t.Run(c.kernel, func(t *testing.T) {
			m := boot(t, c.kernel, machine.Config{})
			h := NewHistory(m, 64<<20)
			_, err := h.Run(t.Context(), machine.NoBudget)
			require.NoError(t, err)
			end := h.Tick()
			a, ok, err := h.FaultStart(t.Context())
			require.NoError(t, err)
			assert.Equal(t, c.code != 0, ok)
			if !ok {
				assert.Equal(t, end, a.Tick)
				return
			}
			assert.Equal(t, c.code, m.CPU.CodeAt())
			_, err = h.Step(t.Context())
			require.NoError(t, err)
			out, delivered := h.Delivered()
			assert.True(t, delivered)
			assert.Equal(t, idt.VecPF, out.Chain[0].Vector)
			handled := h.Nesting()
			require.Len(t, handled, 1)
			assert.Equal(t, Handled{a.Tick, out.Chain[0], mmu.Linear(c.code)}, handled[0])
			there := h.Tick()
			_, err = h.Goto(t.Context(), end)
			require.NoError(t, err)
			f, err := h.ForkAt(t.Context(), there)
			require.NoError(t, err)
			assert.Equal(t, end, h.Tick(), "the history stays")
			assert.Equal(t, there, f.CPU.Ticks())
			_, err = h.Goto(t.Context(), there)
			require.NoError(t, err)
			assert.Equal(t, m.CPU.State(), f.CPU.State())
			_, err = h.ForkAt(t.Context(), end+1)
			assert.Error(t, err)
		})
	}
}

// A guest that copies its input to its output: mov dx,0x3fd; l: in al,dx;
// test al,1; jz l; mov dl,0xf8; in al,dx; out dx,al; mov dl,0xfd; jmp l
const echo = "\xba\xfd\x03\xec\xa8\x01\x74\xfb\xb2\xf8\xec\xee\xb2\xfd\xeb\xf3"

// live hands out its bytes one by one, when the test says so.
type live chan byte

func (l live) Read(b []byte) (int, error) {
	b[0] = <-l
	return 1, nil
}

// What was typed at a terminal is typed again in a replay, at the same ticks,
// and what was printed is not printed again.
func TestInputIsRecorded(t *testing.T) {
	keys := make(live)
	var out bytes.Buffer
	m := loadInto(t, machine.Config{RAM: 4 << 20, Serial: machine.NewOutput(&out), Input: machine.NewLiveInput(keys)}, guest.Mode16, echo)
	h := NewHistory(m, 16<<20)
	fast(h)
	var moments []*machine.Moment
	for _, key := range []byte("abc") {
		go func() { keys <- key }()
		for n := out.Len(); out.Len() == n; {
			_, err := h.Run(t.Context(), 777777)
			require.NoError(t, err)
		}
		moments = append(moments, m.Moment())
	}
	assert.Equal(t, "abc", out.String())
	for _, i := range []int{0, 2, 1, 0, 2} {
		_, err := h.Goto(t.Context(), moments[i].Tick()-min(300000, moments[i].Tick()))
		require.NoError(t, err)
		_, err = h.Goto(t.Context(), moments[i].Tick())
		require.NoError(t, err)
		assert.True(t, moments[i].Equal(m.Moment()), "after key %d", i)
	}
	assert.Equal(t, "abc", out.String())
}

// A change made from outside is made again in each replay, and forgets what
// came after it.
func TestIntervene(t *testing.T) {
	m := load(t, guest.Mode32, "\xeb\xfe")
	h := NewHistory(m, 1<<20)
	fast(h)
	run := func(n uint64) {
		_, err := h.Run(t.Context(), n)
		require.NoError(t, err)
	}
	run(1000)
	for v := range uint64(2) {
		_, err := h.Goto(t.Context(), 500)
		require.NoError(t, err)
		h.Intervene(func(m *machine.Machine) { m.Mem.Write(0x2000, 4, m.Mem.Read(0x2000, 4)+10+v) })
		assert.Equal(t, uint64(500), h.Frontier())
		run(300)
	}
	for _, c := range []struct{ tick, want uint64 }{{0, 0}, {499, 0}, {500, 21}, {501, 21}, {800, 21}} {
		_, err := h.Goto(t.Context(), c.tick)
		require.NoError(t, err)
		assert.Equal(t, c.want, m.Mem.Read(0x2000, 4), "tick %d", c.tick)
	}
}

// One that is made at the beginning is there as soon as the machine is.
func TestInterveneAtTheBeginning(t *testing.T) {
	m := load(t, guest.Mode32, "\xeb\xfe")
	h := NewHistory(m, 1<<20)
	fast(h)
	for range 3 {
		h.Intervene(func(m *machine.Machine) { m.Mem.Write(0x2000, 4, m.Mem.Read(0x2000, 4)+1) })
	}
	for _, tick := range []uint64{1000, 0, 500, 0} {
		_, err := h.Goto(t.Context(), tick)
		require.NoError(t, err)
		assert.Equal(t, uint64(3), m.Mem.Read(0x2000, 4), "tick %d", tick)
	}
	assert.Empty(t, h.acts)
}

// A guest that stores into more memory than the history may keep.
func TestMemoryIsBounded(t *testing.T) {
	// l: add ebx,0x1000; and ebx,0x7fffff; inc dword [ebx+0x100000]; jmp l
	m := loadInto(t, machine.Config{RAM: 16 << 20}, guest.Mode32, "\x81\xc3\x00\x10\x00\x00\x81\xe3\xff\xff\x7f\x00\xff\x83\x00\x00\x10\x00\xeb\xec")
	h := NewHistory(m, 20<<20)
	fast(h)
	for range 20 {
		_, err := h.Run(t.Context(), 1<<20)
		require.NoError(t, err)
		assert.LessOrEqual(t, h.Size(), uint64(20<<20))
	}
	assert.Greater(t, len(h.points), 2)
	var sum uint64
	for _, p := range h.points {
		sum += p.size
	}
	assert.Equal(t, sum, h.Size())
}

// The points are dense near the present and sparse far away.
func TestPointsAreThinned(t *testing.T) {
	m := load(t, guest.Mode32, "\xeb\xfe")
	h := NewHistory(m, 64<<20)
	fast(h)
	_, err := h.Run(t.Context(), 1<<27)
	require.NoError(t, err)
	assert.Less(t, len(h.points), 120)
	for i := 1; i < len(h.points)-1; i++ {
		assert.LessOrEqual(t, h.points[i+1].Tick()-h.points[i].Tick(), max(h.away(i, h.Tick())/4, 2*lookTicks), "point %d", i)
	}
	assert.LessOrEqual(t, h.Tick()-h.points[len(h.points)-1].Tick(), uint64(2*lookTicks))
}

func TestConditionsThatCannotBe(t *testing.T) {
	m := load(t, guest.Mode64, "\xeb\xfe")
	h := NewHistory(m, 1<<20)
	cr3 := uint64(1) << 60
	for _, c := range []struct {
		cond Condition
		want string
	}{
		{AtAddress{Linear: 1 << 60}, "not canonical"},
		{OnWrite{Addr: 1 << 60}, "not canonical"},
		{OnWrite{Addr: 0x7f0000000000}, "not mapped"},
		{OnWrite{Addr: 0, Len: MaxWatched + 1}, "at most"},
		{OnAccess{Addr: 0, Len: MaxWatched + 1, Read: true}, "at most"},
		{OnAccess{Addr: ^uint64(0), Len: 2, Write: true}, "at most"},
		{OnWrite{Addr: ^uint64(0), Len: 2, Physical: true}, "cannot watch"},
		{OnEntry{Linear: 1 << 60}, "not canonical"},
		{OnEntry{Linear: 0, CR3: &cr3}, "CR3 0x1000000000000000"},
	} {
		_, err := h.Run(t.Context(), 10, c.cond)
		assert.ErrorContains(t, err, c.want)
		_, err = h.ReverseContinue(t.Context(), c.cond)
		assert.ErrorContains(t, err, c.want)
	}
}
