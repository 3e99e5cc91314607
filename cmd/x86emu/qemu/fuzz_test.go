package qemu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the words are, there is a line or an error, and a line names a model
// and something to boot.
func FuzzParse(f *testing.F) {
	for _, c := range append(append(realLines, refusedLines...), lines...) {
		f.Add(strings.Join(words(c.line), "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(strings.Split(text, "\n"))
		if err != nil || l.Say != "" {
			return
		}
		require.NotNil(t, l.Model)
		require.True(t, l.Kernel != "" || l.BootFrom != "" || l.BIOS != "")
		require.NotZero(t, l.RAM)
	})
}
