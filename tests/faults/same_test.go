package faults

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// advance runs until a tick, in pieces of at most piece ticks.
func advance(t *testing.T, m *machine.Machine, until, piece uint64) machine.Result {
	for {
		n := until - m.CPU.Ticks()
		if !m.CPU.State().Halted { // the time asleep is skipped in one piece
			n = min(piece, n)
		}
		result, err := m.Run(context.Background(), n)
		if err != nil { // asking require at each tick takes longer than the tick
			require.NoError(t, err)
		}
		if result.Reason != machine.Budget || m.CPU.Ticks() >= until {
			return result
		}
	}
}

// snapshot is everything that a machine is.
func snapshot(t *testing.T, m *machine.Machine) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, m.Save(&out))
	return out.Bytes()
}

// However a run is made, it is the same run: at one go, a tick at a time, with
// somebody watching, in a fork, from a snapshot. Compared are the processor's
// state at every stop, and the whole machine now and then.
func TestSameHoweverRun(t *testing.T) {
	const (
		stop  = 97   // ticks between two comparisons of the state
		whole = 4096 // stops between two comparisons of everything
	)
	ways := []struct {
		name  string
		piece uint64
		begin func(t *testing.T, m *machine.Machine)
		next  func(t *testing.T, m *machine.Machine) *machine.Machine
	}{
		{name: "one tick at a time", piece: 1},
		{name: "watched", piece: stop, begin: func(t *testing.T, m *machine.Machine) { m.CPU.SetObserver(&recorder{}) }},
		{name: "in a fork of a fork", piece: stop, next: func(t *testing.T, m *machine.Machine) *machine.Machine {
			f, err := m.Fork()
			require.NoError(t, err)
			return f
		}},
		{name: "from snapshots", piece: stop, next: func(t *testing.T, m *machine.Machine) *machine.Machine {
			r, err := machine.Restore(bytes.NewReader(snapshot(t, m)), m.Config())
			require.NoError(t, err)
			return r
		}},
	}
	for k, kernel := range guest.Kernels() {
		if kernel.End == machine.Looping {
			continue // a loop is found by a run that is long enough
		}
		for w, way := range ways {
			// unmapped-handler is run in every way, each other kernel in one:
			// more would take long and find the same.
			if !strings.HasPrefix(kernel.Name, "unmapped-handler-") && (k+w)%len(ways) != 0 {
				continue
			}
			t.Run(kernel.Name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				config := machine.Config{RAM: 8 << 20, Keys: guest.BuiltinKeys(kernel.Name), Drives: kernel.Drives(), ResumeInput: true}
				plain, other := boot(t, kernel.Image, config), boot(t, kernel.Image, config)
				if way.begin != nil {
					way.begin(t, other)
				}
				for i := 0; ; i++ {
					until := plain.CPU.Ticks() + stop
					if tick, ok := plain.Wake(); ok && plain.CPU.State().Halted {
						until = max(until, tick)
					}
					want := advance(t, plain, until, stop)
					got := advance(t, other, until, way.piece)
					if want.Reason != got.Reason {
						require.Equal(t, want.Reason, got.Reason)
					}
					if a, b := plain.CPU.State(), other.CPU.State(); a != b {
						require.Equal(t, a, b, "at tick %d", plain.CPU.Ticks())
					}
					done := want.Reason != machine.Budget
					if done || i%whole == 0 {
						assert.True(t, bytes.Equal(snapshot(t, plain), snapshot(t, other)), "at tick %d", plain.CPU.Ticks())
						if way.next != nil {
							other = way.next(t, other)
						}
					}
					if done {
						require.Equal(t, kernel.End, want.Reason)
						break
					}
				}
			})
		}
	}
}
