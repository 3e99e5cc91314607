package session

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// open begins a session with a built-in kernel.
func open(t testing.TB, name string) *Session {
	t.Helper()
	k, ok := guest.KernelNamed(name)
	require.True(t, ok, name)
	img, err := guest.Parse(k.Image)
	require.NoError(t, err)
	text := NewTranscript()
	m, err := machine.New(machine.Config{Serial: text.Output()})
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	syms, err := debug.LoadSymbols(k.Image)
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
		assert.True(t, s.raises(), "the step that comes raises %s", c.First.Name())
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
