package harness

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

// simple makes a case that runs one instruction.
func simple(world string, code ...byte) *diff.Case {
	w, err := diff.WorldByName(world)
	if err != nil {
		panic(err)
	}
	return &diff.Case{ID: world, World: world, Model: "max", Regs: w.Regs, Code: code}
}

// shutdown makes a case whose first event has no handler, and no stack for a
// double fault.
func shutdown(world string) *diff.Case {
	c := simple(world, 0x0f, 0x0b)
	c.Regs.IDTR.Limit = 0
	return c
}

func TestShutdownBetweenOtherCases(t *testing.T) {
	check(t, NewBoard("max"), 0, []*diff.Case{
		simple("sys32", 0x90), shutdown("sys32"), simple("sys64", 0x90), shutdown("sys64"), shutdown("sys64"), simple("sys32", 0x0f, 0x0b), shutdown("sys32"),
	})
}

func TestCaseWithoutAnEndIsSilent(t *testing.T) {
	o, err := New(NewBoard("max"))
	require.NoError(t, err)
	o.(*oracle).patience = 500 * time.Millisecond
	cases := []*diff.Case{simple("sys32", 0xeb, 0xfe), simple("sys32", 0x90)}
	got := make([]diff.Result, len(cases))
	require.NoError(t, o.Run(context.Background(), cases, got))
	require.Equal(t, diff.Silent, got[0].End)
	require.Contains(t, got[0].Note, "no end within")
	require.Equal(t, diff.Trapped, got[1].End)
}

func TestWhatCannotBegin(t *testing.T) {
	tests := []struct {
		name   string
		change func(*diff.Case)
		note   string
	}{
		{"real mode", func(c *diff.Case) { c.Regs.CR0 = 0 }, "begins in real mode"},
		{"no TR", func(c *diff.Case) { c.Regs.TR = 0 }, "TR cannot be 0"},
		{"null DS with an RPL at CPL 3", func(c *diff.Case) { c.Regs.Seg = [6]uint16{0, diff.Sys32Code3, diff.Sys32Data3, 1} }, "null selector of 1"},
		{"CR4 with a reserved bit", func(c *diff.Case) { c.Regs.CR4 |= 1 << 31 }, "could not begin: exception 13"},
		{"SS that is null", func(c *diff.Case) { c.Regs.Seg[2] = 0 }, "could not begin: exception 13"},
		{"a patch beyond the arena", func(c *diff.Case) { c.Patches = []diff.Patch{{At: diff.ArenaSize - 1, Bytes: []byte{1, 2}}} }, "beyond the arena"},
	}
	o, err := New(NewBoard("max"))
	require.NoError(t, err)
	var cases []*diff.Case
	for _, test := range tests {
		c := simple("sys32", 0x90)
		test.change(c)
		cases = append(cases, c)
	}
	got := make([]diff.Result, len(cases))
	require.NoError(t, o.Run(context.Background(), cases, got))
	for i, test := range tests {
		require.Equal(t, diff.Silent, got[i].End, test.name)
		require.Contains(t, got[i].Note, test.note, test.name)
	}
}

func TestBoardAnswersAsTheProcessor(t *testing.T) {
	check(t, NewBoard("max"), 0, simpleCases())
}

// simpleCases are a few in every world.
func simpleCases() []*diff.Case {
	var cases []*diff.Case
	for _, world := range []string{"user", "sys32", "sys64", "paging32", "pagingpae", "paging4", "paging5"} {
		cases = append(cases,
			simple(world, 0x90),                   // NOP, then INT3
			simple(world, 0x0f, 0x0b),             // UD2
			simple(world, 0xcd, 0x30),             // INT 0x30
			simple(world, 0xff, 0x35, 0, 0, 0, 0), // PUSH m: #PF
			simple(world, 0x31, 0xc0, 0x50),       // XOR EAX, EAX; PUSH
		)
	}
	return cases
}

// check compares an engine's answers with the processor's, but for some fields.
func check(t *testing.T, e Engine, leave diff.Fields, cases []*diff.Case) {
	t.Helper()
	o, err := New(e)
	require.NoError(t, err)
	ctx := context.Background()
	defer o.Close()
	emu := diff.NewEmu(false)
	want, got := make([]diff.Result, len(cases)), make([]diff.Result, len(cases))
	require.NoError(t, emu.Run(ctx, cases, want))
	require.NoError(t, o.Run(ctx, cases, got))
	for i, c := range cases {
		x, err := diff.NewContext(c)
		require.NoError(t, err)
		fields := x.Compare(&want[i], &got[i], o.Answers(c)&^leave, &diff.Mask{})
		if fields != 0 || want[i].End == diff.Silent || got[i].End == diff.Silent {
			t.Errorf("%s % x: fields %v\nemu   %+v\nimage %+v", c.ID, c.Code, fields, want[i], got[i])
		}
	}
}
