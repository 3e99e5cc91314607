package debug

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// boot makes a machine with a built-in kernel.
func boot(t testing.TB, name string, cfg machine.Config) *machine.Machine {
	t.Helper()
	k, ok := guest.KernelNamed(name)
	require.True(t, ok, name)
	img, err := guest.Parse(k.Image)
	require.NoError(t, err)
	m, err := machine.New(cfg)
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	return m
}

// fast makes a history take moments often, by a clock that jumps.
func fast(h *History) {
	now := time.Unix(0, 0)
	h.pace.clock = func() time.Time { now = now.Add(leastGap); return now }
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
				tick := rng.Uint64N(r.Ticks + 1)
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
