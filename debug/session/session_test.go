package session

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// open begins a session with a built-in kernel.
func open(t testing.TB, name string) *Session {
	t.Helper()
	k, ok := guest.KernelNamed(name)
	require.True(t, ok, name)
	return openImage(t, name, k.Image)
}

// openImage begins a session with an image.
func openImage(t testing.TB, name string, data []byte) *Session {
	t.Helper()
	img, err := guest.Parse(data)
	require.NoError(t, err)
	text := NewTranscript()
	m, err := machine.New(machine.Config{Serial: text.Output()})
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	syms, err := debug.LoadSymbols(data)
	require.NoError(t, err)
	s, err := New(m, text, Options{Image: name, Symbols: syms})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

var ctx = context.Background()

// Continue stops before each chain of faults that the timeline knows, and
// BackContinue meets the same ones.
func TestContinueStopsBeforeFaults(t *testing.T) {
	s := open(t, "unmapped-handler-32")
	require.NoError(t, s.Timeline.Scout(ctx))
	all := s.Timeline.Around(0, 1<<16, 0)
	require.True(t, all.Done)
	require.NotEmpty(t, all.Chains)
	for _, c := range all.Chains {
		require.NoError(t, s.Fault(ctx, true))
		assert.Equal(t, c.Tick, s.Tick())
		assert.NotNil(t, s.Raises(), "the step that comes raises %s", c.First.Name())
	}
	last := all.Chains[len(all.Chains)-1]
	require.NoError(t, s.Continue(ctx))
	assert.Equal(t, last.Tick+1, s.Tick(), "the next delivery of the same chain")
	require.NoError(t, s.BackContinue(ctx))
	assert.Equal(t, last.Tick, s.Tick())
	assert.Equal(t, "before any exception", s.stop)
}

// The stages known before a step are those it goes through; memory is as each
// stage says; behind the last one comes the end of the step.
func TestStages(t *testing.T) {
	s := open(t, "unmapped-handler-32")
	require.NoError(t, s.Find(ctx, "PF", true))
	foretold, tick := len(s.stages), s.Tick()
	require.Positive(t, foretold)
	for i := range foretold {
		require.NoError(t, s.Stage(ctx, 1))
		assert.Equal(t, i, s.at)
		assert.Equal(t, s.stages[i], s.inside.Stage())
		if p := s.stages[i].Push; p != nil {
			f := s.Frame()
			assert.True(t, f.Stack[f.DataAt].Fresh, "the stack pointer goes with the push of %s", p.Name)
		}
	}
	require.NoError(t, s.Stage(ctx, 1))
	assert.Equal(t, tick+1, s.Tick())
	require.NoError(t, s.Stage(ctx, -1))
	assert.Equal(t, tick, s.Tick())
	assert.Equal(t, foretold-1, s.at)
	require.NoError(t, s.Stage(ctx, -foretold))
	assert.Equal(t, -1, s.at)
	assert.Equal(t, tick, s.Tick())
}

// The transcript of the past is as it was.
func TestTranscriptGoesBack(t *testing.T) {
	s := open(t, "hello-32")
	require.NoError(t, s.Delete(1))
	require.NoError(t, s.Continue(ctx))
	require.True(t, s.over)
	whole := string(s.serial.at(s.Tick(), true))
	require.NotEmpty(t, whole)
	for i := 1; i <= len(whole); i++ {
		tick := s.serial.ticks[i-1]
		require.NoError(t, s.Goto(ctx, tick))
		assert.Len(t, s.serial.at(s.Tick(), false), i-1, "before byte %d is sent", i)
		require.NoError(t, s.Step(ctx, 1))
		assert.Len(t, s.serial.at(s.Tick(), false), i)
	}
	assert.Equal(t, whole, string(s.serial.text), "nothing is sent twice")
}

func TestConditions(t *testing.T) {
	s := open(t, "hello-32")
	cr3 := uint64(0x1000)
	for _, c := range []struct {
		text string
		want debug.Condition
		err  string
	}{
		{"0x100000", debug.AtAddress{Linear: 0x100000}, ""},
		{"0x100000+0x10-1", debug.AtAddress{Linear: 0x10000f}, ""},
		{"catch PF", debug.OnEvent{Vector: idt.VecPF}, ""},
		{"catch #gp", debug.OnEvent{Vector: idt.VecGP}, ""},
		{"catch any", debug.OnEvent{Any: true}, ""},
		{"catch 14 code=2/3 cr2=0x1000-0x1fff", debug.OnEvent{Vector: idt.VecPF, Code: 2, Mask: 3, First: 0x1000, Last: 0x1fff}, ""},
		{"catch PF code=6", debug.OnEvent{Vector: idt.VecPF, Code: 6, Mask: 0xffffffff}, ""},
		{"write 0x2000", debug.OnWrite{Addr: 0x2000, Len: 4}, ""},
		{"change 0x2000 8 phys", debug.OnWrite{Addr: 0x2000, Len: 8, Physical: true, Changes: true}, ""},
		{"pte 0xc0000000 ad", debug.OnEntry{Linear: 0xc0000000, Accessed: true}, ""},
		{"pte 0xc0000000 cr3=0x1000", debug.OnEntry{Linear: 0xc0000000, CR3: &cr3}, ""},
		{"nowhere", nil, `"nowhere": neither a number, nor a symbol`},
		{"$rxx", nil, `"$rxx": neither`},
		{"catch", nil, "needs a vector"},
		{"catch XX", nil, `"XX": must be an exception`},
		{"catch PF code=x", nil, `"x": must be a number`},
		{"catch PF cr2=2-1", nil, "no range"},
		{"catch PF foo", nil, `"foo": catch knows`},
		{"write", nil, "needs ADDRESS"},
		{"write 0x1000 0", nil, "number of bytes"},
		{"pte 0 foo", nil, `"foo": pte knows`},
		{"1 2", nil, "one address"},
	} {
		got, err := s.Condition(strings.Fields(c.text))
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, c.text)
			continue
		}
		require.NoError(t, err, c.text)
		assert.Equal(t, c.want, got, c.text)
	}
}

// Any way through time comes to the same places: at each tick the frame is the
// one that a session has that has just gone there.
func TestEveryWayShowsTheSame(t *testing.T) {
	for _, name := range []string{"demand-paging-32", "task-gate-32", "single-step-64", "df-no-gate-64", "pf-ist-64", "hello-16"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(5, 4))
			s, fresh := open(t, name), open(t, name)
			require.NoError(t, s.Timeline.Scout(ctx))
			last := min(s.Timeline.Around(0, 0, 0).Known, 1<<20)
			moves := []func() error{
				func() error { return s.Step(ctx, 1+rng.Uint64N(50)) },
				func() error { return s.Back(ctx, 1+rng.Uint64N(50)) },
				func() error { return s.Stage(ctx, 1+rng.IntN(30)) },
				func() error { return s.Stage(ctx, -1-rng.IntN(30)) },
				func() error { return s.Next(ctx) },
				func() error { return s.BackNext(ctx) },
				func() error { return s.Continue(ctx) },
				func() error { return s.BackContinue(ctx) },
				func() error { return s.FaultStart(ctx) },
				func() error { return s.Fault(ctx, true) },
				func() error { return s.Fault(ctx, false) },
				func() error { return s.Find(ctx, "PF", true) },
				func() error { return s.Find(ctx, "PF", false) },
				func() error { return s.Goto(ctx, rng.Uint64N(last+1)) },
			}
			if last < 1<<20 {
				moves = append(moves, func() error { return s.End(ctx) })
			}
			for range 60 {
				i := rng.IntN(len(moves))
				if name == "pf-ist-64" && (i == 4 || i == 6 || i == 9 || i == 11) {
					continue // it has no end
				}
				require.NoError(t, moves[i](), "move %d at tick %d", i, s.Tick())
				if s.over {
					continue
				}
				at := s.at
				require.NoError(t, fresh.Goto(ctx, s.Tick()))
				if at >= 0 {
					require.NoError(t, fresh.Stage(ctx, at+1))
				}
				assert.Equal(t, still(fresh.Frame()), still(s.Frame()), "move %d to tick %d, stage %d", i, s.Tick(), at)
			}
		})
	}
}

// still leaves out of a frame what depends on the way.
func still(f *Frame) *Frame {
	f.Stop, f.Frontier = "", 0
	for i := range f.Regs {
		f.Regs[i].Old, f.Regs[i].Changed = "", false
	}
	return f
}

// Finish comes out of a call; Next goes over it, BackNext goes back over it.
func TestCalls(t *testing.T) {
	s := open(t, "hello-32")
	require.NoError(t, s.Delete(1))
	require.NoError(t, s.Step(ctx, 3)) // into main, which does not return
	made := 0
	for !s.over && made < 5 {
		in, ok := s.inst(s.m.CPU.CodeAt())
		if !ok || !calls(&in) {
			require.NoError(t, s.Step(ctx, 1))
			continue
		}
		made++
		at, sp, tick := s.m.CPU.CodeAt(), s.m.CPU.StackAt(), s.Tick()
		require.NoError(t, s.Next(ctx))
		behind := s.Tick()
		assert.Equal(t, at+mmu.Linear(in.Len), s.m.CPU.CodeAt())
		assert.Equal(t, sp, s.m.CPU.StackAt())
		require.NoError(t, s.BackNext(ctx))
		assert.Equal(t, tick, s.Tick())
		require.NoError(t, s.Step(ctx, 1))
		assert.Less(t, s.Tick(), behind)
		require.NoError(t, s.Finish(ctx))
		assert.Equal(t, behind, s.Tick())
		require.NoError(t, s.Goto(ctx, tick+1))
	}
	assert.Equal(t, 5, made)
}

// What the guest sends cannot move the terminal's cursor.
func TestGuestTextIsTame(t *testing.T) {
	assert.Equal(t, []string{"a.[31m b..", "c"}, lines([]byte("a\x1b[31m\tb\x9b\x7f\r\nc\n")))
}
