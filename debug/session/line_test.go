package session

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// openFile begins a session with an image that has line tables.
func openFile(t testing.TB, file string) *Session {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return openImage(t, file, data)
}

// The program is debug/testdata/symbols/average.c: _start calls average, which
// calls sum.
func TestLines(t *testing.T) {
	over := func(s *Session) error { return s.StepLine(ctx, true) }
	into := func(s *Session) error { return s.StepLine(ctx, false) }
	back := func(s *Session) error { return s.BackLine(ctx) }
	for _, c := range []struct {
		name  string
		at    uint64 // begin at this instruction
		move  func(*Session) error
		lines []int // after each movement
	}{
		{"next goes over calls, and to where the run ends in one", 0x100033, over, []int{24, 25, 19}},
		{"in goes into calls, and out by the return", 0x100033, into, []int{24, 18, 19, 12}},
		{"back from the midst of a line is to its beginning", 0x100045, back, []int{24, 23}},
		{"back goes over calls", 0x100049, back, []int{24, 23}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openFile(t, "../testdata/symbols/average.elf")
			if uint64(s.m.CPU.CodeAt()) != c.at {
				b := s.Add(debug.AtAddress{Linear: mmu.Linear(c.at)})
				require.NoError(t, s.Continue(ctx))
				require.NoError(t, s.Delete(b.Number))
			}
			var lines []int
			for range c.lines {
				require.NoError(t, c.move(s))
				lines = append(lines, s.line().line)
			}
			assert.Equal(t, c.lines, lines)
		})
	}
}

// A breakpoint stops what is stepped over, a watched place as well; that of any
// exception does not.
func TestNextStopsAtBreakpoints(t *testing.T) {
	for _, c := range []func(sp uint64) debug.Condition{
		func(uint64) debug.Condition { return debug.AtAddress{Linear: 0x100000} },
		func(sp uint64) debug.Condition { return debug.OnWrite{Addr: sp - 0x40, Len: 0x40} },
	} {
		s := openFile(t, "../testdata/symbols/average.elf")
		c := c(s.m.CPU.GPR()[4])
		t.Run(c.String(), func(t *testing.T) {
			b := s.Add(c)
			require.NoError(t, s.Next(ctx))
			for len(s.Stopped().Met) == 0 && !s.over {
				require.NoError(t, s.Next(ctx))
			}
			stop := s.Stopped()
			require.Len(t, stop.Met, 1)
			assert.Equal(t, b.Number, stop.Met[0].Number)
			assert.Equal(t, debug.AtCondition, stop.Why)
		})
	}
}

// A change makes another run of what follows it, which repeats itself.
func TestChange(t *testing.T) {
	s := open(t, "hello-32")
	require.NoError(t, s.Delete(1))
	require.NoError(t, s.Continue(ctx))
	require.True(t, s.Stopped().Over)
	end, text := s.Tick(), string(s.serial.text)
	half := end / 2
	require.NoError(t, s.Goto(ctx, half))
	require.NoError(t, s.Change(func(m *machine.Machine) { m.RaiseNMI() }))
	assert.Less(t, len(s.serial.text), len(text), "what was sent afterwards is not known any more")
	require.NoError(t, s.Continue(ctx))
	after, changed := s.Tick(), s.m.CPU.State()
	assert.NotEqual(t, end, after)
	require.NoError(t, s.Goto(ctx, half-1))
	assert.False(t, s.m.CPU.State().NMI)
	require.NoError(t, s.Goto(ctx, after))
	assert.Equal(t, changed.RIP, s.m.CPU.State().RIP)

	require.NoError(t, s.Goto(ctx, half))
	require.NoError(t, s.Stage(ctx, 1))
	assert.Error(t, s.Change(func(*machine.Machine) {}), "not in the midst of a step")
}

// The story of a handler at work begins with the instruction that was
// interrupted.
func TestStoryOfHandler(t *testing.T) {
	s := open(t, "demand-paging-32")
	require.NoError(t, s.Continue(ctx))
	raised := s.Raises()
	require.NotNil(t, raised)
	at := uint64(s.m.CPU.CodeAt())
	require.NoError(t, s.Step(ctx, 3))
	handled := s.Handled()
	require.Len(t, handled, 1)
	assert.Equal(t, at, uint64(handled[0].Code))
	story, err := s.Story(ctx, handled[0].Tick, handled[0].Event.Vector)
	require.NoError(t, err)
	require.NotNil(t, story)
	assert.Equal(t, raised.Name, story.Events[0].Name)
	story, err = s.Story(ctx, s.Tick(), idt.VecPF)
	require.NoError(t, err)
	assert.Nil(t, story, "the next step raises nothing")
}
