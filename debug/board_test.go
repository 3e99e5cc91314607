package debug

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
)

// The table says for each part of the board where it is.
func TestBoard(t *testing.T) {
	for board, name := range machine.Boards {
		m, err := machine.New(machine.Config{Board: machine.Board(board)})
		require.NoError(t, err)
		list := Board(m)
		assert.Len(t, list, len(m.Parts()), name)
		for _, p := range list {
			assert.NotEmpty(t, p.What, p.Name)
			assert.NotEmpty(t, append(p.Ports, p.Mem...), p.Name)
		}
	}
}

func TestWriteBoard(t *testing.T) {
	parts := []BoardPart{
		{Name: "a", What: "at two places", Ports: words(joined([]interval{{0xa1, 0xa1}, {0x20, 0x21}, {0xa0, 0xa0}})), IRQs: []int{3, 14}},
		{Name: "longer", What: "in memory", Mem: words([]interval{{0xfec00000, 0xfec00fff}})},
		{Name: "none", What: "nowhere"},
	}
	var text, lines bytes.Buffer
	require.NoError(t, WriteBoard(&text, parts))
	assert.Equal(t, strings.TrimLeft(`
DEVICE  IRQ   WHAT           AT
a       3,14  at two places  port 0x20-0x21
                             port 0xa0-0xa1
longer        in memory      memory 0xfec00000-0xfec00fff
none          nowhere        -
`, "\n"), text.String())
	require.NoError(t, WriteBoardJSON(&lines, parts))
	assert.Equal(t, strings.TrimLeft(`
{"name":"a","what":"at two places","ports":["0x20-0x21","0xa0-0xa1"],"irqs":[3,14]}
{"name":"longer","what":"in memory","memory":["0xfec00000-0xfec00fff"]}
{"name":"none","what":"nowhere"}
`, "\n"), lines.String())
}
