package session

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/machine"
	"x86emu/mmu"
)

func TestTests(t *testing.T) {
	s := openFile(t, "../testdata/symbols/average.elf")
	require.NoError(t, s.Change(func(m *machine.Machine) {
		st := m.CPU.State()
		st.GPR[0] = 5
		m.CPU.SetState(st)
	}))
	for _, c := range []struct {
		text string
		want bool
		err  string
	}{
		{"$eax == 5", true, ""},
		{"$rax!=5", false, ""},
		{"$eax+1 > 5", true, ""},
		{"$eax >= 6", false, ""},
		{"4 < $eax", true, ""},
		{"$eax-1 <= 4", true, ""},
		{"$pc == _start", true, ""},
		{"$eax", false, "must be a comparison"},
		{"$eax = 5", false, "comparisons are"},
		{"$eax == nowhere", false, "neither a number"},
		{"== 5", false, "neither a number"},
		{strings.Repeat("1+", 1000) + "1 == 2", false, "more than 64 terms"},
	} {
		test, err := s.Test(c.text)
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, c.text)
			continue
		}
		require.NoError(t, err, c.text)
		assert.Equal(t, c.want, test.Holds(s.m), c.text)
	}
}

// A breakpoint with a test stops where the test holds only, forward and back.
func TestBreakpointWithTest(t *testing.T) {
	s := openFile(t, "../testdata/symbols/average.elf")
	at := uint64(0x10001e) // average(list, n)
	s.Add(debug.AtAddress{Linear: mmu.Linear(at)})
	var first, second uint64
	require.NoError(t, s.Continue(ctx))
	first = s.Tick()
	require.NoError(t, s.Continue(ctx))
	second = s.Tick()
	require.Equal(t, at, uint64(s.m.CPU.CodeAt()))
	edx := [2]uint64{}
	for i, tick := range []uint64{first, second} {
		require.NoError(t, s.Goto(ctx, tick))
		edx[i] = s.m.CPU.GPR()[2]
	}
	require.NotEqual(t, edx[0], edx[1], "the register tells the two calls apart")
	for i, tick := range []uint64{first, second} {
		for _, b := range s.Breaks() {
			require.NoError(t, s.Delete(b.Number))
		}
		want := edx[i]
		test := &debug.Test{Text: "edx", Holds: func(m *machine.Machine) bool { return m.CPU.GPR()[2] == want }}
		s.Add(debug.AtAddress{Linear: mmu.Linear(at), If: test})
		require.NoError(t, s.Begin(ctx))
		require.NoError(t, s.Continue(ctx))
		assert.Equal(t, tick, s.Tick())
		require.NoError(t, s.End(ctx))
		require.NoError(t, s.BackContinue(ctx))
		assert.Equal(t, tick, s.Tick())
		assert.Len(t, s.Stopped().Met, 1)
	}
}

func TestInstructions(t *testing.T) {
	s := openFile(t, "../testdata/symbols/average.elf")
	const start = 0x100033
	whole := s.Instructions(start, 0, 12)
	require.Len(t, whole, 12)
	assert.Equal(t, "_start", whole[0].Label)
	assert.Equal(t, "average.c", whole[0].Source)
	assert.Equal(t, 23, whole[0].Line)
	for i, l := range whole[:11] {
		assert.Equal(t, l.Addr+uint64(len(l.Bytes)/2), whole[i+1].Addr, "one behind the other")
	}
	assert.Equal(t, whole[3:8], s.Instructions(start, 3, 5))
	around := s.Instructions(start, -4, 10)
	require.Len(t, around, 10)
	assert.Equal(t, whole[:6], around[4:])
	assert.Equal(t, whole, s.Instructions(whole[7].Addr, -7, 12))
	assert.Len(t, s.Instructions(start, -5000, 3), 3)
	assert.Len(t, s.Instructions(2, -10, 20), 20, "in front of address 0 there is nothing")
	far := s.Instructions(0xffffffffffffffff, -2, 5)
	require.Len(t, far, 5)
	assert.Equal(t, "(cannot be read)", far[0].Text)
}

func TestPoke(t *testing.T) {
	s := openFile(t, "../testdata/symbols/average.elf")
	assert.Equal(t, 3, debug.Poke(s.m, 0x200fff, []byte{1, 2, 3}))
	var b [4]byte
	debug.Peek(s.m, 0x200ffe, b[:])
	assert.Equal(t, [4]byte{0, 1, 2, 3}, b)
	end := mmu.Linear(s.m.RAM())
	assert.Equal(t, 2, debug.Poke(s.m, end-2, []byte{1, 2, 3}), "only what lies in RAM")
}
