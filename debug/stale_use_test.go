package debug

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// Uses of stale entries stand above the event that comes next, or at the end.
func TestStaleUsesInStories(t *testing.T) {
	all := explain(t, kernel(t, "missing-invlpg-32"), ExplainOptions{Stale: true})
	golden(t, "stories/missing-invlpg-32-stale.txt", text(t, all))
	require.Len(t, all, 3)
	assert.Len(t, all[0].Stale, 2)
	assert.Empty(t, all[1].Stale)
	assert.Len(t, all[2].Stale, 3)

	plain := explain(t, kernel(t, "missing-invlpg-32"), ExplainOptions{})
	for i, s := range plain {
		assert.Equal(t, s.Events, all[i].Events, "watching changes nothing")
	}

	all = explain(t, kernel(t, "missing-invlpg-32"), ExplainOptions{Stale: true, Count: 1})
	require.Len(t, all, 1)
	assert.Len(t, all[0].Stale, 2, "not watched beyond the last story")

	all = explain(t, kernel(t, "missing-invlpg-32"), ExplainOptions{Stale: true, From: 72000, Count: 1})
	require.Len(t, all, 1)
	assert.Len(t, all[0].Stale, 2, "watched from the beginning")
}

// What is used after the last event is told in a story without events.
func TestStaleUsesAfterTheLastEvent(t *testing.T) {
	all := explain(t, kernel(t, "missing-invlpg-32"), ExplainOptions{Stale: true, ByVector: true, Vector: 6, Budget: 80_000})
	require.Len(t, all, 1)
	assert.Empty(t, all[0].Events)
	assert.Equal(t, uint64(2), all[0].StaleUses())
	assert.Equal(t, "cut", all[0].End)
}

// A push of a delivery through a stale entry is a stage of the delivery. The
// entry is from before the watch, which is said and not guessed.
func TestStaleUseInADelivery(t *testing.T) {
	m := kernel(t, "missing-invlpg-32")
	_, err := m.Run(context.Background(), 71_320)
	require.NoError(t, err)
	w := m.MMU.Explain(m.CPU.StackAt(), mmu.Write)
	require.True(t, w.OK())
	last := w.Steps[w.N-1]
	m.Mem.Write(last.At, uint(last.Size), last.Raw&^mmu.PtePresent)

	s := explain(t, m, ExplainOptions{Stale: true, Count: 1})[0]
	require.Len(t, s.Events, 1)
	used := s.Events[0].Find(StageStale)
	require.NotNil(t, used)
	assert.Equal(t, "supervisor write", used.Stale.Access)
	assert.Equal(t, Hex(m.CPU.StackAt())&^mmu.PageMask, used.Stale.TLB.Page)
	assert.Nil(t, used.Stale.TLB.Since)
	assert.Nil(t, used.Stale.Changed)
	assert.Len(t, s.Stale, 4, "one for each instruction before")
	assert.Equal(t, uint64(6), s.StaleUses(), "and the handler's first instruction")
	b, err := json.Marshal(used)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"stage":"stale"`)
	assert.Contains(t, text(t, []*Story{s}), "\n  stale TLB    supervisor write of 0x103fb8 at 0x8:0x100932\n")
}
