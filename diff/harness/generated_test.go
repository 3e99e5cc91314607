package harness

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/gen"
)

// The processor in this process and the same processor behind the image give the
// same answers, to the bit: what the harness does to a case shows here.
func TestBoardAnswersGeneratedCases(t *testing.T) {
	const count = 120
	o, err := New(NewBoard("max"))
	require.NoError(t, err)
	for _, g := range []diff.Generator{gen.NewInsn(), gen.NewSequence(), gen.Paging{}, gen.NewDelivery()} {
		t.Run(g.Name(), func(t *testing.T) {
			var cases []*diff.Case
			for n := range uint64(count) {
				cases = append(cases, diff.MakeCase(g, 5, n))
			}
			want, got := make([]diff.Result, count), make([]diff.Result, count)
			require.NoError(t, diff.NewEmu(false).Run(context.Background(), cases, want))
			require.NoError(t, o.Run(context.Background(), cases, got))
			silent := 0
			for i, c := range cases {
				x, err := diff.NewContext(c)
				require.NoError(t, err)
				if got[i].End == diff.Silent {
					silent++
				}
				m, _ := x.MaskOf(&want[i])
				assert.Zero(t, x.Compare(&want[i], &got[i], o.Answers(c), &m), "%s (%s)\nemu   %+v\nimage %+v", c.ID, c.Rule, want[i], got[i])
			}
			assert.Less(t, silent, count/20)
		})
	}
}
