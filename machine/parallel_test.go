package machine_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// Machines in several goroutines share nothing that one of them changes: made
// apart, forked from each other while their parent runs on, saved and
// restored, with hooks and without. Each ends as it does alone. The race
// detector looks on in CI.
func TestMachinesInGoroutines(t *testing.T) {
	kernels := []string{"cow-fork-32", "cow-fork-64", "nx-smep-smap-64", "unmapped-handler-32"}
	// whole runs a kernel to its end and gives the machine as a file.
	whole := func(m *machine.Machine) ([]byte, error) {
		if _, err := m.Run(context.Background(), 2_000_000); err != nil {
			return nil, err
		}
		var end bytes.Buffer
		err := m.Save(&end)
		return end.Bytes(), err
	}
	ways := []func(m *machine.Machine) ([]byte, error){
		whole,
		func(m *machine.Machine) ([]byte, error) { // a fork, while the parent goes on
			if _, err := m.Run(context.Background(), 50_000); err != nil {
				return nil, err
			}
			f, err := m.Fork()
			if err != nil {
				return nil, err
			}
			done := make(chan error, 1)
			go func() { _, err := whole(m); done <- err }()
			end, err := whole(f)
			return end, cmp.Or(err, <-done)
		},
		func(m *machine.Machine) ([]byte, error) { // through a file, watched
			if _, err := m.Run(context.Background(), 60_000); err != nil {
				return nil, err
			}
			var file bytes.Buffer
			if err := m.Save(&file); err != nil {
				return nil, err
			}
			r, err := machine.Restore(&file, machine.Config{})
			if err != nil {
				return nil, err
			}
			r.CPU.OnEvent = func(*idt.Event) bool { return true }
			r.CPU.OnDelivery = func(*idt.Outcome) {}
			return whole(r)
		},
		func(m *machine.Machine) ([]byte, error) { // back to a moment, and again
			begin := m.Moment()
			if _, err := m.Run(context.Background(), 70_000); err != nil {
				return nil, err
			}
			m.Return(begin)
			return whole(m)
		},
	}
	var wg sync.WaitGroup
	for _, name := range kernels {
		kernel, ok := guest.KernelNamed(name)
		require.True(t, ok)
		image, err := guest.Parse(kernel.Image)
		require.NoError(t, err)
		boot := func() *machine.Machine {
			m, err := machine.New(machine.Config{RAM: 8 << 20, Serial: machine.NewOutput(io.Discard)})
			require.NoError(t, err)
			require.NoError(t, image.Load(m, guest.Options{}))
			return m
		}
		want, err := whole(boot())
		require.NoError(t, err)
		for _, way := range ways {
			m := boot()
			wg.Go(func() {
				got, err := way(m)
				assert.NoError(t, err)
				assert.True(t, bytes.Equal(want, got), name)
			})
		}
	}
	wg.Wait()
}
