package tests

import (
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/corpus"
)

// Bugs of ours that a campaign has found stay fixed. Each case is minimised, its
// rule says what had been wrong, and the answer is what the others give.
func TestFoundStaysFixed(t *testing.T) {
	for file, groups := range corpora(t, "testdata/found/*.jsonl") {
		for _, g := range groups {
			for _, step := range []bool{false, true} {
				s, err := (&diff.Campaign{
					Oracles: []diff.Oracle{diff.NewEmu(step), g.Oracle()},
					Cases:   diff.Listed(g.Cases),
				}).Run(t.Context())
				require.NoError(t, err)
				assert.Equal(t, uint64(len(g.Cases)), s.Oracles[1].Agree, "%s, step %v: %v", file, step, s.First)
			}
		}
	}
}

// corpora are the corpora in files.
func corpora(t *testing.T, pattern string) iter.Seq2[string, []*corpus.Group] {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return func(yield func(string, []*corpus.Group) bool) {
		for _, file := range files {
			f, err := os.Open(file)
			require.NoError(t, err)
			groups, err := corpus.Read(f, file)
			f.Close()
			require.NoError(t, err)
			if !yield(file, groups) {
				return
			}
		}
	}
}
