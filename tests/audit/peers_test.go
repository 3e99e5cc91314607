package audit_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/audit"
	"x86emu/diff"
	"x86emu/diff/harness"
	"x86emu/diff/peers"
)

// sample is how many set-ups the other emulators are asked about.
const sample = 500

// A sample of the set-ups, run on QEMU and Bochs: what is foretold happens there,
// or it is a difference that package diff/peers knows and foretells. Set-ups
// without an end are left out, as a machine that answers nothing proves nothing: of
// the built-in kernels without an end, tests/peers counts the deliveries.
//
// This is for CI: X86EMU_PEERS=require.
func TestSetupsOnPeers(t *testing.T) {
	if os.Getenv("X86EMU_PEERS") == "" {
		t.Skip("X86EMU_PEERS is not set")
	}
	var cases []*diff.Case
	var foretold []diff.Result
	stands := map[string]*diff.Stand{}
	for i := uint64(0); len(cases) < sample; i++ {
		c := newSetup(seed+1, i)
		if stands[c.World] == nil {
			var err error
			stands[c.World], err = diff.NewStand(c.World, c.Model)
			require.NoError(t, err)
		}
		o := moment(stands[c.World].Begin(c))
		a, err := audit.Ask(o, audit.Question{Event: event(c), CR3: o.State.CR3})
		require.NoError(t, err)
		if a.Verdict == audit.Endless {
			continue
		}
		cases = append(cases, c)
		foretold = append(foretold, answer(a, o, stands[c.World]))
	}
	for _, e := range []harness.Engine{harness.NewQEMU(""), harness.NewBochs("")} {
		t.Run(e.Name(), func(t *testing.T) {
			o, err := harness.New(e)
			require.NoError(t, err)
			defer o.Close()
			answers := make([]diff.Result, len(cases))
			require.NoError(t, o.Run(context.Background(), cases, answers))
			same, silent := 0, 0
			known := map[string]int{}
			for i, c := range cases {
				mine, theirs := &foretold[i], &answers[i]
				if theirs.End == diff.Silent {
					silent++
					t.Logf("%s (%s): no answer: %s", c.ID, c.Rule, theirs.Note)
					continue
				}
				x, err := diff.NewContext(c)
				require.NoError(t, err)
				mask, _ := x.MaskOf(mine)
				count := o.Answers(c)
				if x.Compare(mine, theirs, count, &mask) == 0 {
					same++
					continue
				}
				rows := x.Explain(peers.Rows(), o.Name(), o.Version(), mine, theirs, count, &mask)
				for _, row := range rows {
					known[row]++
				}
				if rows == nil {
					t.Errorf("%s (%s): %s", c.ID, c.Rule, differ(c, mine, theirs, count))
				}
			}
			t.Logf("%s: %d of %d as foretold, %d without an answer; differences known: %v", o.Version(), same, sample, silent, known)
			assert.Less(t, silent, sample/20)
		})
	}
}
