package peers

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/corpus"
)

var update = flag.Bool("update", false, "write ../PEERS.md")

const head = `# What other emulators do otherwise

Differences that have been understood, as package diff/peers has them. Each row foretells the peer's wrong answer
from the right one, to the bit; what it does not foretell stays unexplained. Up to three rows may explain one case
together. The peers are Debian 12's: QEMU 7.2 (TCG) and Bochs 2.7. A summary counts each row that it meets.

| row | the sentence that it breaks |
|---|---|
`

func TestRowsAreWrittenDown(t *testing.T) {
	var b strings.Builder
	b.WriteString(head)
	for _, row := range Rows() {
		fmt.Fprintf(&b, "| %s | %s |\n", row.Name, row.Cite)
	}
	const name = "../PEERS.md"
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o644))
	}
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(text), "go test ./diff/peers -update writes it")
}

func TestRowsSayWhomAndWhy(t *testing.T) {
	names := map[string]bool{}
	for _, row := range Rows() {
		assert.False(t, names[row.Name], "%s is there twice", row.Name)
		names[row.Name] = true
		assert.NotEmpty(t, row.Oracles, row.Name)
		assert.Regexp(t, `\[[^\]]+\]$`, row.Cite, "%s cites a section", row.Name)
	}
}

// The files testdata/paging-* hold answers that the peers have given.
func TestRowsForetell(t *testing.T) {
	met := map[string]bool{}
	for _, name := range []string{"qemu", "bochs"} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open("testdata/paging-" + name + ".jsonl")
			require.NoError(t, err)
			defer f.Close()
			groups, err := corpus.Read(f, f.Name())
			require.NoError(t, err)
			for _, g := range groups {
				for _, row := range foretold(t, name, g) {
					met[row] = true
				}
			}
		})
	}
	for _, row := range slices.Concat(paging, keys) {
		assert.True(t, met[row.Name], "no case for %s", row.Name)
	}
}

// foretold checks that rows explain all answers of a peer, and tells which.
func foretold(t *testing.T, peer string, g *corpus.Group) (rows []string) {
	t.Helper()
	right, wrong := make([]diff.Result, len(g.Cases)), make([]diff.Result, len(g.Cases))
	require.NoError(t, diff.NewEmu(false).Run(t.Context(), g.Cases, right))
	require.NoError(t, g.Oracle().Run(t.Context(), g.Cases, wrong))
	for i, c := range g.Cases {
		x, err := diff.NewContext(c)
		require.NoError(t, err)
		undefined, _ := x.MaskOf(&right[i])
		if c.Except != nil {
			undefined.Fields |= c.Except.Fields // what the harness cannot tell
		}
		names := x.Explain(Rows(), peer, "", &right[i], &wrong[i], diff.AllFields, &undefined)
		assert.NotEmpty(t, names, "%s: %s", c.ID, c.Rule)
		rows = append(rows, names...)
	}
	return rows
}
