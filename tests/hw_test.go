package tests

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/corpus"
	"x86emu/diff/native"
)

// The emulator answers every case of testdata/hw as the processor did on which it
// was captured, but for what the manual leaves undefined and for the named
// differences of that processor, which are foretold to the bit. Both engines: in
// blocks, and instruction by instruction.
func TestHardwareCorpus(t *testing.T) {
	total, floats := 0, 0
	rows := map[string]uint64{}
	for file, groups := range corpora(t, "testdata/hw/*.jsonl.gz") {
		for _, g := range groups {
			total += len(g.Cases)
			if strings.HasPrefix(filepath.Base(file), "float") {
				floats += len(g.Cases)
			}
			assert.Equal(t, "hw", g.Source, file)
			for _, step := range []bool{false, true} {
				maps.Copy(rows, replayGroup(t, file, g, step).Known)
			}
		}
	}
	assert.GreaterOrEqual(t, total, 20_000)
	assert.GreaterOrEqual(t, floats, 10_000, "of x87, MMX and SSE")
	// No row is there without an answer that shows it.
	for i := range native.Known {
		if row := &native.Known[i]; !strings.HasPrefix(row.Name, "Linux: a return to beyond") { // which takes an interrupt at the moment
			assert.Contains(t, rows, "native: "+row.Name)
		}
	}
}

func replayGroup(t *testing.T, file string, g *corpus.Group, step bool) *diff.Summary {
	c := &diff.Campaign{
		Oracles: []diff.Oracle{diff.NewEmu(step), g.Oracle()},
		Known:   native.Known,
		Cases:   diff.Listed(g.Cases),
	}
	s, err := c.Run(t.Context())
	require.NoError(t, err)
	if s.Unexplained() > 0 {
		var text strings.Builder
		require.NoError(t, s.Print(&text, false))
		t.Errorf("%s, step %v: \"x86emu diff replay\" tells more\n%s", file, step, text.String())
	}
	return s
}
