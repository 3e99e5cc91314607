package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

func TestKnownTablesHaveEveryRow(t *testing.T) {
	status, out, errs := cli(t, "", "diff", "known")
	require.Zero(t, status, errs)
	for _, r := range known() {
		assert.Contains(t, out, "- **"+r.Name+"**")
	}
	for _, r := range diff.Undefined() {
		assert.Contains(t, out, "- **"+r[0]+"**. "+r[1])
	}
	assert.Contains(t, out, "\n## Old processors\n")
}

func TestEveryRowSaysWhatItGoesBy(t *testing.T) {
	names := map[string]bool{}
	for _, r := range known() {
		assert.NotEmpty(t, r.Name)
		assert.NotEmpty(t, r.Cite, r.Name)
		assert.True(t, r.Predict != nil || r.Group != nil, r.Name)
		assert.False(t, names[r.Name], "%s is there twice", r.Name)
		names[r.Name] = true
	}
}
