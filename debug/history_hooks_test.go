package debug

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// Whoever had OnDelivery before a history sees what runs on purpose, each
// delivery once, and has it again afterwards.
func TestHistoryShowsDeliveriesOnce(t *testing.T) {
	ctx := context.Background()
	m := boot(t, "demand-paging-32", machine.Config{})
	seen := 0
	m.CPU.OnDelivery = func(*idt.Outcome) { seen++ }
	h := NewHistory(m, 64<<20)
	_, err := h.Run(ctx, machine.NoBudget)
	require.NoError(t, err)
	all := seen
	require.Greater(t, all, 4)

	a, err := h.ReverseContinue(ctx, OnEvent{Vector: idt.VecPF})
	require.NoError(t, err)
	require.Equal(t, AtCondition, a.Why)
	_, err = h.Goto(ctx, 0)
	require.NoError(t, err)
	assert.Equal(t, all, seen, "replays")
	_, err = h.Run(ctx, machine.NoBudget)
	require.NoError(t, err)
	assert.Equal(t, 2*all, seen, "run once more on purpose")

	h.Close()
	assert.NotNil(t, m.CPU.OnDelivery)
}

// A machine that the guest turned off or reset is at the end of its run, from
// which one can go back.
func TestHistoryEndsAtPower(t *testing.T) {
	ctx := context.Background()
	for code, want := range map[string]machine.Reason{
		"\x90\xba\x04\x06\xb8\x00\x20\xef": machine.TurnedOff,
		"\x90\xb0\xfe\xe6\x64":             machine.Reset,
	} {
		h := NewHistory(loadInto(t, machine.Config{}, guest.Mode16, code), 64<<20)
		for range 2 {
			a, err := h.Run(ctx, machine.NoBudget)
			require.NoError(t, err)
			assert.True(t, a.Over)
			assert.Equal(t, want, a.Result.Reason)
			a, err = h.StepBack(ctx, 2)
			require.NoError(t, err)
			assert.False(t, a.Over)
		}
	}
}
