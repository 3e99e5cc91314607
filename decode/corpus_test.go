package decode

import (
	"bufio"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// padded gives bytes followed by zeros up to MaxLen, as a fetch would.
func padded(b []byte) []byte {
	return append(append(make([]byte, 0, 2*MaxLen), b...), make([]byte, max(0, MaxLen-len(b)))...)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err, s)
	return b
}

// corpusCase is one line of a corpus: mode, bytes, text or UD.
type corpusCase struct {
	mode  Mode
	bytes []byte
	text  string
}

func readCorpus(t *testing.T, name string) (cases []corpusCase) {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		field := strings.SplitN(line, " ", 3)
		require.Len(t, field, 3, line)
		modes := map[string][]Mode{"16": {Mode16}, "32": {Mode32}, "64": {Mode64}, "*": {Mode16, Mode32, Mode64}}[field[0]]
		require.NotEmpty(t, modes, line)
		for _, m := range modes {
			cases = append(cases, corpusCase{m, unhex(t, field[1]), field[2]})
		}
	}
	return cases
}

// TestCorpora decodes every line of testdata: status, length, text, and
// NeedMore for every shorter piece.
func TestCorpora(t *testing.T) {
	t.Run("intel", func(t *testing.T) { checkCorpora(t, "testdata/intel/*.txt", (*Inst).Intel) })
	t.Run("att", func(t *testing.T) { checkCorpora(t, "testdata/att/*.txt", (*Inst).GNU) })
}

func checkCorpora(t *testing.T, pattern string, text func(in *Inst, pc uint64) string) {
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	d := Decoder{Features: FeatAll}
	for _, name := range names {
		for _, c := range readCorpus(t, name) {
			var in Inst
			st := d.Decode(&in, padded(c.bytes), c.mode)
			want := OK
			if c.text == "UD" {
				want = Undef
			}
			if st != want || int(in.Len) != len(c.bytes) {
				t.Errorf("%s: mode %d, % x: status %d, length %d, want %d, %d", name, c.mode, c.bytes, st, in.Len, want, len(c.bytes))
				continue
			}
			if st == Undef {
				continue
			}
			if got := text(&in, 0); got != c.text {
				t.Errorf("%s: mode %d, % x: %q, want %q", name, c.mode, c.bytes, got, c.text)
			}
			for n := range c.bytes {
				if st := d.Decode(&in, c.bytes[:n], c.mode); st != NeedMore {
					t.Errorf("%s: mode %d, % x: status %d with %d bytes", name, c.mode, c.bytes, st, n)
				}
			}
		}
	}
}
