package perfetto

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// file is a whole trace as the UI reads it.
type file struct {
	TraceEvents []struct {
		Name, Ph, Cat, S string
		TS               float64
		PID, TID         int
		Args             map[string]any
	}
}

// write makes a kernel's time line.
func write(t *testing.T, name string) (f file) {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	var b bytes.Buffer
	p := Watch(m, &b, Options{Image: name})
	r, err := m.Run(context.Background(), machine.NoBudget)
	require.NoError(t, err)
	require.NoError(t, p.Close(r))
	require.NoError(t, json.Unmarshal(b.Bytes(), &f))
	return f
}

// What the format demands: time does not go back on a track, each slice ends
// within the one around it, counters have a number, marks a scope.
func TestRules(t *testing.T) {
	for _, k := range guest.Kernels() {
		if k.End == machine.Looping {
			continue // its deliveries are thousands, and tell nothing more
		}
		f := write(t, k.Name)
		depth, last, counts := 0, 0.0, map[string]float64{}
		for i, e := range f.TraceEvents {
			require.Equal(t, machineID, e.PID)
			require.GreaterOrEqual(t, e.TS, last, "%s: event %d", k.Name, i)
			last = e.TS
			switch e.Ph {
			case "M":
				require.Zero(t, e.TS)
				require.NotEmpty(t, e.Args["name"])
			case "B":
				require.NotEmpty(t, e.Name)
				depth++
			case "E":
				depth--
				require.GreaterOrEqual(t, depth, 0, "%s: event %d", k.Name, i)
			case "C":
				n := e.Args["count"].(float64)
				require.Greater(t, n, counts[e.Name], "%s counts up", e.Name)
				counts[e.Name] = n
			case "i":
				require.Equal(t, "t", e.S)
			default:
				t.Fatalf("%s: phase %q", k.Name, e.Ph)
			}
		}
		assert.Zero(t, depth, "%s: slices without an end", k.Name)
	}
}

// The recursion of the unmapped handler: 256 slices, one within the other, and
// #DF in the innermost.
func TestNesting(t *testing.T) {
	f := write(t, "unmapped-handler-32")
	var open []string
	deepest, last := 0, map[string]float64{}
	for _, e := range f.TraceEvents {
		switch e.Ph {
		case "B":
			open = append(open, e.Name)
			if e.Name == "#DF" {
				assert.Equal(t, "#PF", open[len(open)-2])
			}
			deepest = max(deepest, len(open))
		case "E":
			open = open[:len(open)-1]
		case "C":
			last[e.Name] = e.Args["count"].(float64)
		}
	}
	assert.Equal(t, 256, deepest)
	assert.Equal(t, 260.0, last["#PF"])
	assert.Equal(t, 1.0, last["#DF"])
	assert.Positive(t, last["TLB misses"])
}

func TestName(t *testing.T) {
	e := &idt.Event{Vector: idt.VecPF, HasCode: true, Code: 2, CR2: 0x1000}
	assert.Equal(t, "#PF", name(e, nil))
	assert.Equal(t, "#PF in kmain", name(e, &debug.Place{Symbol: "kmain", Offset: 4}))
	assert.Equal(t, map[string]string{
		"vector": "14", "error code": "0x2 W: supervisor write, not present", "CR2": "0x1000", "at": "0x500 kmain+0x4", "handler": "0x600",
	}, args(e, spot{0x500, &debug.Place{Symbol: "kmain", Offset: 4}}, spot{0x600, nil}))
}
