package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

// A host's part, played against a machine that is nothing but its memory.
func TestHostPreparesAndCompares(t *testing.T) {
	first, second := simple("sys32", 0x90), simple("user", 0x0f, 0x0b)
	first.Patches = []diff.Patch{{At: diff.SysData + 5, Bytes: []byte{1, 2, 3}}}
	tb := newTable(1)
	for _, c := range []*diff.Case{first, second} {
		q, err := newQuestion(c, false)
		require.NoError(t, err)
		require.True(t, tb.add(q))
	}
	var got []*report
	ram := make([]byte, 32<<20)
	console := NewHost(ram, tb.image(0), &reports{got: func(r *report) { got = append(got, r) }})
	arena := ram[diff.ArenaBase : diff.ArenaBase+diff.ArenaSize]
	assert.Equal(t, []byte{1, 2, 3}, arena[diff.SysData+5:diff.SysData+8], "the first case's patch")
	assert.Equal(t, byte(0x90), arena[diff.SysCode0], "its code")

	arena[diff.SysStack0+8] = 0x77
	_, err := console.Write((&report{kind: reportCase, vector: 3, which: 1 << slotRIP, changed: state{slotRIP: 0x200060}}).bytes())
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, uint64(0x200060), got[0].changed[slotRIP])
	assert.Equal(t, []diff.Word{{At: diff.SysStack0 + 8, Value: 0xa5a5a5a5a5a5a577}}, got[0].words)
	assert.Equal(t, []byte{0x0f, 0x0b}, arena[:2], "the second case's code, in its world")

	_, err = console.Write((&report{kind: reportCase, number: 1, vector: 6}).bytes())
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Empty(t, got[1].words)
}

func TestReportsPassOverNoise(t *testing.T) {
	good := (&report{kind: reportCase, number: 7, vector: 14, words: []diff.Word{{At: 8, Value: 9}}}).bytes()
	bad := append([]byte(nil), good...)
	bad[len(bad)-1]++ // the sum
	var got []*report
	console := &reports{got: func(r *report) { got = append(got, r) }}
	for _, b := range append(append(append([]byte("SeaBIOS \xa5 "), bad...), good...), (&report{kind: reportEnd, number: 3}).bytes()...) {
		_, err := console.Write([]byte{b})
		require.NoError(t, err)
	}
	// A mark in the noise may swallow what follows, never make something up.
	for _, r := range got {
		assert.Contains(t, []byte{reportCase, reportEnd}, r.kind)
	}
}

func FuzzReports(f *testing.F) {
	f.Add((&report{kind: reportCase, number: 7, which: 3, words: []diff.Word{{At: 8, Value: 9}}}).bytes())
	f.Add([]byte{reportMark, 5, 0, reportEnd, 0, 0, 0, 0, reportEnd})
	f.Fuzz(func(t *testing.T, b []byte) {
		(&reports{got: func(*report) {}}).Write(b)
	})
}
