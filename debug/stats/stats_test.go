package stats

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// count runs a built-in kernel and counts.
func count(t *testing.T, name string, cfg machine.Config, top int) *Report {
	t.Helper()
	m, err := guest.Boot(name, cfg, guest.Options{})
	require.NoError(t, err)
	c := Watch(m, nil)
	m.CPU.SetObserver(c)
	r, err := m.Run(context.Background(), machine.NoBudget)
	require.NoError(t, err)
	c.Close()
	return c.Report(r, top)
}

// All that is counted adds up.
func TestSums(t *testing.T) {
	for _, name := range []string{"hello-16", "user-mode-32", "unmapped-handler-64", "single-step-32"} {
		r := count(t, name, machine.Config{}, maxPlaces)
		var forms, pages, blocks, delivered uint64
		for _, f := range r.Forms {
			forms += f.Count
		}
		for _, p := range r.Pages {
			pages += p.Instructions
		}
		for _, b := range r.Blocks {
			blocks += b.Instructions
		}
		for _, e := range r.Events {
			delivered += e.Delivered
		}
		assert.Equal(t, r.Instructions, forms, name)
		assert.Equal(t, r.Instructions, pages, name)
		assert.Equal(t, r.Instructions, blocks, name)
		assert.GreaterOrEqual(t, r.Fetches.Hits+r.Fetches.Misses, r.Instructions, name)
		assert.LessOrEqual(t, r.Ticks, r.Instructions+delivered, name)
		assert.Zero(t, r.MoreForms+r.MorePages+r.MoreBlocks)
	}
}

// The story of unmapped-handler-32 tells these numbers; so do its walks.
func TestEventsByVector(t *testing.T) {
	r := count(t, "unmapped-handler-32", machine.Config{}, 3)
	assert.Equal(t, []Event{
		{"#DF", 8, 1, 1},
		{"#PF", 14, 260, 258}, // the last of the recursion, and what it met, became #DF
		{"INT 0x80", 0x80, 6, 6},
	}, r.Events)
	var refused uint64
	for _, w := range r.Walks {
		if w.Result != "ok" {
			refused += w.Count
		}
	}
	assert.Equal(t, uint64(260), refused)
	assert.Len(t, r.Forms, 3)
	assert.Positive(t, r.MoreForms)
	assert.Equal(t, "exited", r.End)
	assert.Contains(t, r.Ports, Port{0xf4, true, 1})
}

// Without a TLB nothing hits.
func TestTLBOff(t *testing.T) {
	r := count(t, "hello-32", machine.Config{TLBOff: true}, 1)
	assert.Zero(t, r.Data.Hits)
	assert.Zero(t, r.Fetches.Hits)
	assert.Positive(t, r.Data.Misses)
	with := count(t, "hello-32", machine.Config{}, 1)
	assert.Equal(t, r.Data.Misses, with.Data.Hits+with.Data.Misses)
	assert.Less(t, with.Data.Misses, uint64(20))
}

func TestOutput(t *testing.T) {
	r := count(t, "user-mode-32", machine.Config{}, 2)
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	var back Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	assert.Equal(t, r, &back)
	b.Reset()
	require.NoError(t, r.WriteText(&b))
	for _, want := range []string{"instructions", "INT 0x80", "TLB", "out 0x3f8", "more blocks", "32-bit"} {
		assert.Contains(t, b.String(), want)
	}
}
