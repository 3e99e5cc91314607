package audit_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/debug/audit"
	"x86emu/debug/tables"
	"x86emu/diff"
	"x86emu/diff/model"
	"x86emu/idt"
	"x86emu/mmu"
)

const (
	seed   = 1
	setups = 10_000
)

// moment is where a set-up stands, its event about to come.
func moment(c *cpu.CPU) *tables.Moment {
	return &tables.Moment{Mem: c.MMU().Mem.Fork(), Paging: c.MMU().Config(), State: c.State(), TLB: c.MMU().TLB()}
}

// event is the event of a set-up as package idt has it.
func event(c *diff.Case) idt.Event {
	e := idt.Event{Vector: idt.Vector(c.Event.Vector), Return: c.Regs.RIP}
	if c.Event.How == diff.ByINT {
		e.Kind, e.Return = idt.SoftInt, c.Regs.RIP+uint64(len(c.Code))
		return e
	}
	e.HasCode, e.Code, e.CR2 = e.Vector.Info().Code, c.Event.Error, c.Event.CR2
	return e
}

// run is what really happens.
type run struct {
	vectors  []idt.Vector // delivered
	states   []cpu.State  // after each
	shutdown *idt.Outcome
	begun    bool        // the last one's handler has run an instruction
	mem      *mmu.Memory // then, as it was before, if that is kept
}

// most is how many deliveries a run is followed for: more than fit all stacks.
const most = 4000

// execute goes on until an instruction retires that is not the first one. A
// handler that does not store needs no copy of memory kept. The last run's lists are used again.
func (r *run) execute(c *cpu.CPU, keep bool) {
	*r = run{vectors: r.vectors[:0], states: r.states[:0], mem: c.MMU().Mem}
	before := c.State()
	for len(r.states) < most {
		n := c.Ticks()
		if keep {
			r.mem = c.MMU().Mem.Fork()
		}
		switch c.Step() {
		case cpu.StopShutdown:
			out := c.Shutdown()
			r.shutdown = &out
			return
		case cpu.StopHalt:
			r.begun = true
			return
		}
		s := c.State()
		if c.Ticks() == n || s == before {
			panic("BUG: a step of nothing")
		}
		// A delivery counts a tick as an instruction does; only it makes a streak.
		if c.Streak() == 0 {
			r.begun = true
			return
		}
		before = s
		s.Ticks = 0
		r.vectors = append(r.vectors, c.LastDelivered().Vector)
		r.states = append(r.states, s)
	}
}

// Every set-up, judged by execution: how it ends, after how many deliveries of
// which vectors, and to the bit in which state of processor and memory.
func TestSetupsByExecution(t *testing.T) {
	counts := map[audit.Verdict]int{}
	var mu sync.Mutex
	spare := sync.Pool{New: func() any { return new(run) }}
	each(t, setups, func(c *diff.Case, stand *diff.Stand) string {
		p := stand.Begin(c)
		o := moment(p)
		a, err := audit.Ask(o, audit.Question{Event: event(c), CR3: o.State.CR3})
		if err != nil {
			return err.Error()
		}
		mu.Lock()
		counts[a.Verdict]++
		mu.Unlock()
		if same := o.State == p.State() && o.Mem.Equal(p.MMU().Mem); !same {
			return "the audit has changed the guest"
		}
		r := spare.Get().(*run)
		defer spare.Put(r)
		r.execute(p, false)
		return judge(a, r)
	})
	t.Log(counts)
	for _, v := range []audit.Verdict{audit.Fine, audit.Other, audit.Recursion, audit.DoubleFault, audit.Triple, audit.Endless} {
		assert.Greater(t, counts[v], setups/200, "too few set-ups are %s", v)
	}
}

// each makes set-ups and judges them, as many at a time as there are processors.
func each(t *testing.T, n uint64, judge func(c *diff.Case, stand *diff.Stand) string) {
	t.Helper()
	workers := uint64(runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			stands := map[string]*diff.Stand{}
			for i := w; i < n; i += workers {
				c := newSetup(seed, i)
				stand := stands[c.World]
				if stand == nil {
					var err error
					if stand, err = diff.NewStand(c.World, c.Model); err != nil {
						panic(err)
					}
					stands[c.World] = stand
				}
				if wrong := judge(c, stand); wrong != "" {
					t.Errorf("%s (%s): %s", c.ID, c.Rule, wrong)
				}
			}
		}()
	}
	wg.Wait()
}

// judge tells where an answer and what happened are not the same.
func judge(a *audit.Answer, r *run) string {
	switch a.Verdict {
	case audit.Triple:
		switch {
		case r.shutdown == nil:
			return "no shutdown, but " + a.Words() + " was foretold"
		case len(r.states) != a.Deliveries:
			return fmt.Sprintf("shutdown after %d deliveries, not %d", len(r.states), a.Deliveries)
		case !slices.Equal(r.shutdown.Chain[:r.shutdown.N], a.Last.Chain[:a.Last.N]):
			return fmt.Sprintf("shutdown by %v, not %v", *r.shutdown, a.Last)
		}
		return ""
	case audit.Endless:
		return judgeEndless(a, r)
	case audit.TooLong:
		return "no end foretold"
	}
	if !r.begun || len(r.states) != a.Deliveries {
		return fmt.Sprintf("%d deliveries, begun %t, but foretold: %s, %d deliveries", len(r.states), r.begun, a.Words(), a.Deliveries)
	}
	dfs := 0
	for _, v := range r.vectors {
		if v == idt.VecDF {
			dfs++
		}
	}
	s := r.states[len(r.states)-1]
	switch {
	case dfs != a.DoubleFaults:
		return fmt.Sprintf("%d #DFs, not %d", dfs, a.DoubleFaults)
	case s.Regs != a.Regs || s.GPR != a.GPR || s.Control != a.Control || s.DR[6] != a.DR6 || s.DR[7] != a.DR7:
		return fmt.Sprintf("registers are not as foretold:\n%+v\n%+v", s.Regs, a.Regs)
	case !r.mem.Equal(a.Mem):
		return "memory is not as foretold"
	}
	return ""
}

// judgeEndless looks for the round that was foretold: the same state and no other
// vectors at its distance, and at no smaller one.
func judgeEndless(a *audit.Answer, r *run) string {
	n := len(r.states)
	if n < most {
		return fmt.Sprintf("an end after %d deliveries, but %s was foretold", n, a.Words())
	}
	var round [256]uint64
	for _, v := range r.vectors[n-a.Period:] {
		round[v]++
	}
	if r.states[n-1] != r.states[n-1-a.Period] || round != a.Vectors {
		return "another round than " + a.Words()
	}
	for d := 1; d < a.Period; d++ {
		if r.states[n-1] == r.states[n-1-d] {
			return fmt.Sprintf("a round of %d deliveries, not %d", d, a.Period)
		}
	}
	return ""
}

// answer is what is foretold, as an oracle's answer.
func answer(a *audit.Answer, o *tables.Moment, stand *diff.Stand) diff.Result {
	switch a.Verdict {
	case audit.Triple:
		return diff.Result{End: diff.Shutdown}
	case audit.Endless, audit.TooLong:
		return diff.Result{End: diff.Silent, Note: a.Words()}
	}
	s := o.State
	s.Regs, s.GPR, s.Control, s.DR[6], s.DR[7] = a.Regs, a.GPR, a.Control, a.DR6, a.DR7
	r := stand.Answer(&s, a.Mem)
	if r.End == diff.Trapped && a.Begins.Vector == idt.Vector(r.Vector) {
		r.HasError, r.Error = a.Begins.HasCode, a.Begins.Code
	}
	if r.Vector == uint8(idt.VecPF) {
		r.CR2 = a.Control.CR2
	}
	return r
}

// Every set-up, judged by the manual's text as package diff/model reads it, which
// shares nothing with packages idt and mmu.
func TestSetupsByTheManual(t *testing.T) {
	var mu sync.Mutex
	silent := 0
	n := uint64(setups)
	if os.Getenv("X86EMU_PEERS") == "" {
		n /= 10 // the text is slow to read
	}
	each(t, n, func(c *diff.Case, stand *diff.Stand) string {
		o := moment(stand.Begin(c))
		a, err := audit.Ask(o, audit.Question{Event: event(c), CR3: o.State.CR3})
		if err != nil {
			return err.Error()
		}
		mine := answer(a, o, stand)
		theirs := make([]diff.Result, 1)
		m := model.New()
		if err := m.Run(context.Background(), []*diff.Case{c}, theirs); err != nil {
			return err.Error()
		}
		if theirs[0].End == diff.Silent && mine.End != diff.Silent {
			mu.Lock()
			silent++
			mu.Unlock()
		}
		return differ(c, &mine, &theirs[0], m.Answers(c))
	})
	assert.Less(t, silent, int(n)/50, "set-ups that the model has no answer to")
}

// differ tells in which fields two answers differ.
func differ(c *diff.Case, mine, theirs *diff.Result, count diff.Fields) string {
	x, err := diff.NewContext(c)
	if err != nil {
		return err.Error()
	}
	mask, _ := x.MaskOf(mine)
	if d := x.Compare(mine, theirs, count, &mask); d != 0 {
		return fmt.Sprintf("%v differ: foretold %v, %#x %#x, got %v, %#x %#x (%s)", d.Names(), mine.End, mine.Vector, mine.Regs.RIP, theirs.End, theirs.Vector, theirs.Regs.RIP, theirs.Note)
	}
	return ""
}

// The same number is the same set-up, on every host.
func TestSetupsAreConstant(t *testing.T) {
	require.Equal(t, newSetup(seed, 7), newSetup(seed, 7))
}
