package harness

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

// simple makes a case that runs one instruction.
func simple(world string, code ...byte) *diff.Case {
	w, err := diff.WorldByName(world)
	if err != nil {
		panic(err)
	}
	return &diff.Case{ID: world, World: world, Model: "max", Regs: w.Regs, Code: code, Steps: 1}
}

func TestBoardAnswersAsTheProcessor(t *testing.T) {
	check(t, New(NewBoard("max")), simpleCases())
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

// check compares an oracle's answers with the processor's.
func check(t *testing.T, o diff.Oracle, cases []*diff.Case) {
	t.Helper()
	ctx := context.Background()
	defer o.Close()
	emu := diff.NewEmu(false)
	want, got := make([]diff.Result, len(cases)), make([]diff.Result, len(cases))
	require.NoError(t, emu.Run(ctx, cases, want))
	require.NoError(t, o.Run(ctx, cases, got))
	for i, c := range cases {
		x, err := diff.NewContext(c)
		require.NoError(t, err)
		fields := x.Compare(&want[i], &got[i], o.Answers(c), &diff.Mask{})
		if fields != 0 || got[i].End == diff.Silent {
			t.Errorf("%s % x: fields %v\nemu   %+v\nimage %+v", c.ID, c.Code, fields, want[i], got[i])
		}
	}
}
