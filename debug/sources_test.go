package debug

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSourceLines(t *testing.T) {
	s, err := LoadSymbols(average(t))
	require.NoError(t, err)
	files := s.Files()
	require.Len(t, files, 1)
	for _, c := range []struct {
		name   string
		file   string
		line   int
		found  int
		starts []uint64
	}{
		{"a line in two stretches", files[0], 12, 12, []uint64{0x100000, 0x100010}},
		{"a line in one stretch", files[0], 24, 24, []uint64{0x100036}},
		{"a line without code: the next one below", files[0], 22, 23, []uint64{0x100033}},
		{"behind the last line", files[0], 29, 0, nil},
		{"no such file", "other.c", 12, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, starts := s.Line(c.file, c.line)
			assert.Equal(t, c.found, found)
			assert.Equal(t, c.starts, starts)
		})
	}
	assert.Equal(t, []int{18, 19, 23}, s.Lines(files[0], 16, 23))
	assert.True(t, s.BeginsLine(0x100023))
	assert.False(t, s.BeginsLine(0x100024))
	assert.False(t, s.BeginsLine(0x10002e), "in the midst of a statement")
	assert.False(t, s.BeginsLine(0x100065), "the end of the code")

	var none *Symbols
	assert.Empty(t, none.Files())
	assert.Empty(t, none.Lines("a.c", 1, 9))
	assert.False(t, none.BeginsLine(0))
	_, starts := none.Line("a.c", 1)
	assert.Empty(t, starts)
}
