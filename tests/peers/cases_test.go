package peers

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
)

var update = flag.Bool("update", false, "write what x86emu prints into cases/*.txt, and what peers print into the folder that X86EMU_PEERS_OUT names")

// x86emu prints, case by case, what the manual says. No peer is needed.
func TestCasesHere(t *testing.T) {
	for _, c := range AllCases() {
		t.Run(c.Name, func(t *testing.T) {
			serial, err := Here(c.Image, machine.Config{}, machine.Exited)
			require.NoError(t, err)
			if *update {
				require.NoError(t, os.WriteFile("cases/"+c.Name+".txt", []byte(serial), 0o644))
				return
			}
			got := splitLines(serial)
			for i := range min(len(got), len(c.Lines)) {
				if got[i] != c.Lines[i] {
					t.Errorf("line %d\nis    %s\nnot   %s", i+1, got[i], c.Lines[i])
				}
			}
			assert.Equal(t, len(c.Lines), len(got), "number of lines")
		})
	}
}

// Each peer prints the same, except for the lines that are listed under the
// rule of the manual that it does not keep.
func TestCases(t *testing.T) {
	for _, peer := range All() {
		t.Run(peer.Name, func(t *testing.T) {
			if os.Getenv("X86EMU_PEERS") != "require" {
				t.Skipf("%s: takes a minute or two; X86EMU_PEERS=require runs it", peer.Name)
			}
			peer.require(t)
			for _, c := range AllCases() {
				t.Run(c.Name, func(t *testing.T) {
					serial, err := peer.Run(c.Image, nil, "")
					if dir := os.Getenv("X86EMU_PEERS_OUT"); *update && dir != "" {
						require.NoError(t, os.WriteFile(filepath.Join(dir, c.Name+"-"+peer.Name+".txt"), []byte(serial), 0o644))
					}
					require.NoError(t, err)
					known, err := c.KnownDifferences(peer.Name)
					require.NoError(t, err)
					compareCases(t, c.Lines, splitLines(serial), known)
				})
			}
		})
	}
}

// compareCases reports lines that differ and are not listed, and listed lines
// that do not differ.
func compareCases(t *testing.T, want, got []string, known []Known) {
	t.Helper()
	listed := make(map[string]bool)
	for _, k := range known {
		for _, line := range k.Lines {
			listed[line] = false
		}
	}
	for i := range min(len(want), len(got)) {
		if got[i] == want[i] {
			continue
		}
		if _, ok := listed[got[i]]; ok {
			listed[got[i]] = true
			continue
		}
		t.Errorf("not on the list of known differences\npeer    %s\nx86emu  %s", got[i], want[i])
	}
	assert.Equal(t, len(want), len(got), "number of lines")
	for _, k := range known {
		for _, line := range k.Lines {
			assert.True(t, listed[line], "listed, but the peer does not print it: %s", line)
		}
	}
}

// The list says of every line which rule it breaks and where the manual has
// it, and names a case that there is.
func TestKnownDifferencesAreCited(t *testing.T) {
	for _, c := range AllCases() {
		names := make(map[string]bool)
		for _, line := range c.Lines {
			names[caseName(line)] = true
		}
		for _, peer := range All() {
			known, err := c.KnownDifferences(peer.Name)
			require.NoError(t, err)
			for _, k := range known {
				assert.Regexp(t, `\[(SDM|APM) .*\]|left open`, k.Rule)
				assert.NotEmpty(t, k.Lines, k.Rule)
				for _, line := range k.Lines {
					assert.True(t, names[caseName(line)], "%s: no such case: %s", peer.Name, line)
				}
			}
		}
	}
}

// Every case has a name of its own.
func TestCaseNames(t *testing.T) {
	for _, c := range AllCases() {
		seen := make(map[string]bool)
		for _, line := range c.Lines {
			name := caseName(line)
			assert.False(t, seen[name], "%s: twice: %s", c.Name, name)
			assert.True(t, strings.Contains(line, ": "), line)
			seen[name] = true
		}
	}
}
