package experiment

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// carryOut does the sweep and returns its outcomes. Hundreds of runs: not for
// the short mode, in which the race detector slows each down many times.
func carryOut(t *testing.T, times int, seed uint64, jobs int) []Outcome {
	t.Helper()
	if testing.Short() {
		t.Skip("not in short mode: hundreds of runs")
	}
	outcomes, err := Do(context.Background(), Plan(Sweep(), times, seed), jobs, nil)
	require.NoError(t, err)
	return outcomes
}

// invented makes outcomes of the sweep without a run.
func invented() []Outcome {
	var all []Outcome
	for i, r := range Plan(Sweep(), 3, 1) {
		all = append(all, Outcome{Run: r, HandlerAt: 0xf8000000, Lacking: i % 2, Deaths: i % 2})
	}
	return all
}

func asCSV(t *testing.T, outcomes []Outcome) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteCSV(&b, outcomes))
	return b.String()
}

// Each point once: the same rows, however many run at once.
func TestGoldenCSV(t *testing.T) {
	const golden = "testdata/once.csv"
	got := asCSV(t, carryOut(t, 1, 1, 1))
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o666))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
	assert.Equal(t, got, asCSV(t, carryOut(t, 1, 1, 7)), "seven at once")
	assert.NotEqual(t, got, asCSV(t, carryOut(t, 1, 2, 2)), "another seed")
}

func TestCSVIsARowForEachRun(t *testing.T) {
	plan := Plan(Sweep()[3:], 1, 5)
	var counted int
	outcomes, err := Do(context.Background(), plan, 2, func() { counted++ })
	require.NoError(t, err)
	assert.Equal(t, len(plan), counted, "calls of progress")
	rows, err := csv.NewReader(strings.NewReader(asCSV(t, outcomes))).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(plan))
}

// What is measured is what arithmetic expects, in each series as a whole: within
// four standard deviations, and exactly where no chance is left.
func TestMeasuredAsExpected(t *testing.T) {
	for _, l := range Summarise(carryOut(t, 6, 3, 4)) {
		expected, variance, faults := 0.0, 0.0, 0.0
		for _, e := range l.Estimates {
			p := e.Expected()
			if p == 0 || p == 1 {
				assert.Equal(t, p, e.Chance(), "%s, %s, %d", l.Panel, l.Series, e.X)
			}
			expected += p * float64(e.Runs)
			variance += p * (1 - p) * float64(e.Runs)
			faults += float64(e.DoubleFaults)
		}
		assert.InDelta(t, expected, faults, 4*math.Sqrt(variance)+1e-9, "%s, %s", l.Panel, l.Series)
	}
}

// The numbers of the finding that no run is needed for.
func TestExpected(t *testing.T) {
	base := Setting{Bits: 32, Area: "vmalloc", Place: "row", BootPages: 16, Pages: 64, Data: "behind", Tables: "copied", Processes: 4}
	for _, c := range []struct {
		name   string
		change func(*Setting)
		want   float64
	}{
		{"nothing at boot", func(s *Setting) {}, 1},
		{"one module at boot: the same entry", func(s *Setting) { s.Boot = 1 }, 0},
		{"58 at boot: the data is under the next", func(s *Setting) { s.Boot = 58 }, 1},
		{"58 at boot, no data", func(s *Setting) { s.Boot, s.Data = 58, "none" }, 0},
		{"58 at boot in 64 bits: the same entry", func(s *Setting) { s.Boot, s.Bits = 58, 64 }, 0},
		{"64 bits, nothing at boot", func(s *Setting) { s.Bits = 64 }, 1},
		{"64 bits, under the image's entry", func(s *Setting) { s.Bits, s.Area = 64, "modules" }, 0},
		{"entries in advance", func(s *Setting) { s.Tables = "advance" }, 0},
		{"shifted: 66 starts of 1024 put the data under the next", func(s *Setting) { s.Boot, s.Place, s.Handler = 1, "shifted", 63 }, 66.0 / 1024},
		{"a driver that three of four use", func(s *Setting) { s.Late, s.Use, s.Processes = 1, 75, 2 }, 1 - 9.0/16},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := base
			c.change(&s)
			assert.InDelta(t, c.want, s.Expected(), 1e-9)
		})
	}
}

func TestTable(t *testing.T) {
	sweep := Sweep()
	var b strings.Builder
	require.NoError(t, WriteTable(&b, sweep, Summarise(invented())))
	for _, p := range sweep {
		assert.Contains(t, b.String(), p.Name+": "+p.Title+"\n  "+p.X)
		for _, s := range p.Series {
			assert.Contains(t, b.String(), "\n  "+s.Name+" ")
		}
	}
}

func TestDraw(t *testing.T) {
	sweep := Sweep()
	lines := Summarise(invented())
	draw := func(format string) []byte {
		var b bytes.Buffer
		require.NoError(t, Draw(&b, format, sweep, lines))
		return b.Bytes()
	}
	svg := draw("svg")
	assert.Contains(t, string(svg), "<svg")
	assert.Contains(t, string(svg), "Modules anywhere in the area")
	assert.Equal(t, svg, draw("svg"), "the same picture again")
	picture, err := png.Decode(bytes.NewReader(draw("png")))
	require.NoError(t, err)
	assert.Greater(t, picture.Bounds().Dx(), 800)
	assert.Error(t, Draw(new(bytes.Buffer), "gif87", sweep, lines))
}

func TestDoEnds(t *testing.T) {
	plan := Plan(Sweep(), 2, 1)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Do(ctx, plan, 2, func() { cancel() })
	assert.ErrorIs(t, err, context.Canceled)

	plan[3].Bits = 16
	_, err = Do(context.Background(), plan, 2, nil)
	assert.ErrorContains(t, err, "no built-in kernel by-accident-16")

	plan = plan[:3]
	plan[1].Setting.Pages, plan[1].Handler = 8, 9
	_, err = Do(context.Background(), plan, 2, nil)
	assert.ErrorContains(t, err, "a module of 8 pages has no page 9")
	assert.False(t, errors.Is(err, context.Canceled))
}

func TestParse(t *testing.T) {
	const good = "handler 0xf8001000, PDE 992; its data 0xf8003000, PDE 992\n  lacking in 2 of 4 tables; double fault in 2 of 4 processes\n"
	o, ok := parse([]byte("  #PF, ...\n" + good))
	assert.True(t, ok)
	assert.Equal(t, Outcome{HandlerAt: 0xf8001000, DataAt: 0xf8003000, Lacking: 2, Deaths: 2}, o)
	o, ok = parse([]byte("handler 0xffffffffa0000000, PML4 entry 511\n  lacking in 0 of 4 tables; double fault in 0 of 4 processes\n"))
	assert.True(t, ok)
	assert.Equal(t, Outcome{HandlerAt: 0xffffffffa0000000}, o)
	for _, bad := range []string{"", "out of pages\n", good + "SURPRISE", good[:len(good)-9],
		strings.Replace(good, "0xf8001000", "0x11112222333344445", 1)} {
		_, ok := parse([]byte(bad))
		assert.False(t, ok, bad)
	}
}
