package machine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

func TestVGAPorts(t *testing.T) {
	const unlock = "crtc 11 0; "
	for _, c := range []struct{ rule, script string }{
		// As firmware leaves it.
		{"the CRT controller is at 0x3D4", "in 3cc 67; out 3d4 1; in 3d4 1; in 3d5 4f; out 3b4 1; in 3b4 ff; in 3b5 ff; in 3ba ff"},
		{"25 rows of 16 lines", "out 3d4 9; in 3d5 4f; out 3d4 12; in 3d5 8f; out 3d4 7; in 3d5 1f"},
		{"the cursor is lines 13 and 14 at the top left", "out 3d4 a; in 3d5 d; out 3d4 b; in 3d5 e; out 3d4 e; in 3d5 0; out 3d4 f; in 3d5 0"},
		{"the palette is in use, the attribute flip-flop at the index", "in 3c0 20"},
		{"colours 0, 6 and 15", "out 3c7 0; in 3c9 0; in 3c9 0; in 3c9 0; out 3c7 14; in 3c9 2a; in 3c9 15; in 3c9 0; out 3c7 3f; in 3c9 3f; in 3c9 3f; in 3c9 3f; in 3c9 0"},

		// The CRT controller.
		{"start and cursor keep what is written", "crtc c 12; crtc d 34; crtc e 56; crtc f 78; out 3d4 c; in 3d5 12; out 3d4 d; in 3d5 34; out 3d4 e; in 3d5 56; out 3d4 f; in 3d5 78"},
		{"registers 0 to 7 are protected", "crtc 1 27; out 3d4 1; in 3d5 4f; crtc 0 0; out 3d4 0; in 3d5 5f"},
		{"but for bit 4 of register 7", "crtc 7 0; out 3d4 7; in 3d5 f; crtc 7 ff; in 3d5 1f"},
		{"and the protection can be taken off", unlock + "crtc 1 27; in 3d5 27; crtc 7 ff; in 3d5 ff; crtc 11 80; crtc 1 4f; in 3d5 27"},
		{"8 and up are not protected", "crtc 9 47; in 3d5 47; crtc 13 14; in 3d5 14"},
		{"the index keeps eight bits; behind 0x18 there is nothing", "crtc 18 aa; in 3d5 aa; crtc 19 55; in 3d4 19; in 3d5 0; crtc ff 55; in 3d5 0; in 3d4 ff"},
		{"it moves to 0x3B4 without the colour bit", "out 3c2 66; in 3cc 66; in 3d4 ff; in 3d5 ff; out 3b4 9; in 3b4 9; in 3b5 4f; out 3b5 d; in 3b5 d; out 3d4 1; in 3b4 9; out 3c2 67; in 3d4 9; in 3d5 d"},

		// The attribute controller.
		{"index and data by turns", "out 3c0 1; out 3c0 3f; out 3c0 2; out 3c0 2a; out 3c0 1; in 3c1 3f; in 3da 9; out 3c0 2; in 3c1 2a"},
		{"reading input status 1 makes it the index's turn", "out 3c0 1; in 3da 9; out 3c0 22; in 3da 9; in 3c0 22; in 3c1 2"},
		{"between index and data the index is not read", "out 3c0 3; in 3c0 0; in 3c1 3; out 3c0 3; in 3c0 3"},
		{"mode", "out 3c0 10; out 3c0 ff; out 3c0 10; in 3c1 ef"},
		{"overscan", "out 3c0 11; out 3c0 ff; out 3c0 11; in 3c1 ff"},
		{"planes", "out 3c0 12; out 3c0 ff; out 3c0 12; in 3c1 3f"},
		{"panning and colour page", "out 3c0 13; out 3c0 ff; out 3c0 13; in 3c1 f; out 3c0 0; out 3c0 14; out 3c0 ff; out 3c0 14; in 3c1 f"},
		{"the palette has six bits", "out 3c0 f; out 3c0 ff; out 3c0 f; in 3c1 3f"},
		{"the index has six bits, and nothing behind 0x14", "out 3c0 df; in 3da 9; in 3c0 1f; in 3c1 0; out 3c0 1f; out 3c0 55; in 3c1 0"},
		{"0x3C1 is not written", "out 3c0 1; out 3c1 33; out 3c0 22; out 3c0 1; in 3c1 22"},

		// The DAC.
		{"an entry changes as a whole, and the next one follows", "out 3c8 1; out 3c9 11; out 3c9 12; out 3c7 1; in 3c9 0; in 3c9 0; in 3c9 2a; " +
			"out 3c8 1; out 3c9 11; out 3c9 12; out 3c9 13; in 3c8 2; out 3c9 21; out 3c9 22; out 3c9 23; in 3c8 3; " +
			"out 3c7 1; in 3c9 11; in 3c9 12; in 3c9 13; in 3c9 21; in 3c9 22; in 3c9 23; in 3c9 0; in 3c9 2a"},
		{"it tells whether it is read or written", "out 3c7 1; in 3c7 3; out 3c8 1; in 3c7 0"},
		{"colours have six bits", "out 3c8 ff; out 3c9 ff; out 3c9 c1; out 3c9 40; out 3c7 ff; in 3c9 3f; in 3c9 1; in 3c9 0; in 3c9 0"},
		{"the mask", "in 3c6 ff; out 3c6 5a; in 3c6 5a"},

		// Sequencer, graphics controller and the rest.
		{"sequencer", "out 3c4 9; in 3c4 1; out 3c5 ff; in 3c5 3d; out 3c4 0; out 3c5 ff; in 3c5 3; out 3c4 2; in 3c5 3; out 3c5 ff; in 3c5 f; out 3c4 3; out 3c5 ff; in 3c5 3f; out 3c4 4; out 3c5 ff; in 3c5 e; out 3c4 5; out 3c5 ff; in 3c5 0; out 3c4 7; in 3c5 0"},
		{"graphics controller", "out 3ce 16; in 3ce 6; in 3cf e; out 3cf ff; in 3cf f; out 3ce 5; in 3cf 10; out 3cf ff; in 3cf 7b; out 3ce 8; out 3cf 0; in 3cf 0; out 3ce 3; out 3cf ff; in 3cf 1f; out 3ce 4; out 3cf ff; in 3cf 3; out 3ce 9; out 3cf ff; in 3cf 0; out 3ce f; in 3cf 0"},
		{"feature control is written at 0x3DA", "out 3da ff; in 3ca 10; out 3ca 0; in 3ca 10"},
		{"miscellaneous output is read at 0x3CC; input status 0 is nothing", "out 3c2 f7; in 3cc e7; in 3c2 0; out 3cc 0; in 3cc e7"},
		{"the adapter is enabled", "in 3c3 1; out 3c3 0; in 3c3 1"},
		{"0x3CB and 0x3CD are nothing", "out 3cb 5; in 3cb 0; out 3cd 5; in 3cd 0"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.now = 0
			r.at(t, 412*100) // in the retrace: input status 1 is 9
			r.play(t, c.script)
		})
	}
}

// charHz are the characters that mode 3 draws in a second.
const charHz = 28_322_000 / 9

// at lets time pass up to a character of the first picture.
func (r *rig) at(t *testing.T, char uint64) {
	tick := r.m.tickOf(char, charHz)
	require.GreaterOrEqual(t, tick, r.now)
	r.now = tick
}

// Mode 3 has 449 lines of 100 characters, of which 400 lines of 80 are shown.
func TestVGARetrace(t *testing.T) {
	const wide, none, both = "\x00", "\x01", "\x09"
	r := newRig(t)
	r.now = 0
	for _, c := range []struct {
		line, column uint64
		want         string
	}{
		{0, 0, wide}, {0, 79, wide}, {0, 80, none}, {0, 99, none},
		{1, 0, wide}, {399, 79, wide}, {399, 80, none}, {400, 0, none},
		{411, 99, none}, {412, 0, both}, {413, 99, both}, {414, 0, none},
		{448, 99, none}, {449, 0, wide}, {449 + 412, 50, both},
	} {
		r.at(t, 100*c.line+c.column)
		assert.Equal(t, uint32(c.want[0]), r.m.Ports.In(0x3da, 1), "line %d, column %d", c.line, c.column)
	}
}

func TestVGAText(t *testing.T) {
	type place struct{ x, y int }
	for _, c := range []struct {
		rule, script  string
		columns, rows int
		cells         map[place]mmu.Phys
		cursor        *place
	}{
		{"mode 3", "", 80, 25, map[place]mmu.Phys{{0, 0}: 0xb8000, {79, 24}: 0xb8f9e}, &place{0, 0}},
		{"the cursor moves", "crtc e 7; crtc f cf", 80, 25, nil, &place{79, 24}},
		{"below the screen it is not seen", "crtc e 7; crtc f d0", 80, 25, nil, nil},
		{"switched off", "crtc a 2d", 80, 25, nil, nil},
		{"its end before its beginning", "crtc a e; crtc b d", 80, 25, nil, nil},
		{"its beginning below the character", "crtc a 10; crtc b 1f", 80, 25, nil, nil},
		{"its skew is not its end", "crtc b 6e", 80, 25, nil, &place{0, 0}},
		{"scrolled by a row", "crtc c 0; crtc d 50; crtc f 51", 80, 25, map[place]mmu.Phys{{0, 0}: 0xb80a0}, &place{1, 0}},
		{"scrolled to the end of memory, text goes on at its beginning", "crtc c 3f; crtc d b0; crtc f 1", 80, 25, map[place]mmu.Phys{{0, 0}: 0xbff60, {79, 0}: 0xbfffe, {0, 1}: 0xb8000}, &place{1, 1}},
		{"a start behind the end of memory", "crtc c 40; crtc d 0", 80, 25, map[place]mmu.Phys{{0, 0}: 0xb8000}, &place{0, 0}},
		{"50 rows of 8 lines", "crtc 9 47; crtc a 6; crtc b 7; crtc e f; crtc f 9f", 80, 50, map[place]mmu.Phys{{79, 49}: 0xb9f3e}, &place{79, 49}},
		{"25 rows of 8 lines that are drawn twice", "crtc 9 c7; crtc a 6; crtc b 7", 80, 25, nil, &place{0, 0}},
		{"28 rows of 14 lines", "crtc 9 4d; crtc a c; crtc b c", 80, 28, nil, &place{0, 0}},
		{"40 columns", "crtc 11 e; crtc 1 27; crtc 13 14; crtc f 29", 40, 25, map[place]mmu.Phys{{0, 1}: 0xb8050}, &place{1, 1}},
		{"rows longer than the screen is wide", "crtc 13 40; crtc f 80", 80, 25, map[place]mmu.Phys{{0, 1}: 0xb8100}, &place{0, 1}},
		{"a cursor between the rows is not seen", "crtc 13 40; crtc f 50", 80, 25, nil, nil},
		{"480 lines", "crtc 11 c; crtc 12 df; crtc 7 3e", 80, 30, nil, &place{0, 0}},
		{"a split screen", "crtc 18 3f; crtc 7 f; crtc 9 f; crtc c 4; crtc d 0; crtc e 0", 80, 25, map[place]mmu.Phys{{0, 3}: 0xb89e0, {0, 4}: 0xb8000, {0, 5}: 0xb80a0}, &place{0, 4}},
		{"text at 0xB0000, as of a monochrome adapter", "out 3ce 6; out 3cf a", 80, 25, map[place]mmu.Phys{{0, 0}: 0xb0000}, &place{0, 0}},
		{"text at 0xA0000, 64 KiB of it", "out 3ce 6; out 3cf 6; crtc c 7f; crtc d ff; crtc f 1", 80, 25, map[place]mmu.Phys{{0, 0}: 0xafffe, {1, 0}: 0xa0000}, &place{2, 0}},
		{"all lines, one for a row", "crtc 11 0; crtc 12 ff; crtc 7 42; crtc 9 40", 80, 1024, nil, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, c.script)
			text := r.m.VGA.Text()
			assert.False(t, text.Off || text.Graphics)
			assert.Equal(t, [2]int{c.columns, c.rows}, [2]int{text.Columns, text.Rows})
			for p, want := range c.cells {
				assert.Equal(t, want, text.Cell(p.x, p.y), "%v", p)
			}
			x, y, on := text.Cursor()
			if c.cursor == nil {
				assert.False(t, on)
			} else {
				assert.Equal(t, *c.cursor, place{x, y})
				assert.True(t, on)
			}
		})
	}
}

func TestVGAShowsNothing(t *testing.T) {
	for _, c := range []struct {
		rule, script  string
		off, graphics bool
	}{
		{"the palette is being written", "out 3c0 0", true, false},
		{"and is in use again", "out 3c0 0; out 3c0 0; out 3c0 20", false, false},
		{"the screen is off", "out 3c4 1; out 3c5 20", true, false},
		{"graphics", "out 3ce 6; out 3cf 5", false, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, c.script)
			text := r.m.VGA.Text()
			assert.Equal(t, [2]bool{c.off, c.graphics}, [2]bool{text.Off, text.Graphics})
		})
	}
}

func TestVGAColours(t *testing.T) {
	const standard = "000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa5500 aaaaaa 555555 5555ff 55ff55 55ffff ff5555 ff55ff ffff55 ffffff"
	with := func(i int, colour string) string {
		all := strings.Fields(standard)
		all[i] = colour
		return strings.Join(all, " ")
	}
	for _, c := range []struct{ rule, script, want string }{
		{"as firmware leaves them", "", standard},
		{"a colour of the DAC", "out 3c8 2; out 3c9 3f; out 3c9 1; out 3c9 20", with(2, "ff0482")},
		{"an entry of the palette", "out 3c0 3; out 3c0 14", with(3, "aa5500")},
		{"the mask", "out 3c6 7", "000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa0000 aaaaaa 000000 0000aa 00aa00 00aaaa aa0000 aa00aa aaaa00 aaaaaa"},
		{"planes", "out 3c0 12; out 3c0 1", strings.TrimSpace(strings.Repeat("000000 0000aa ", 8))},
		{"an upper page of 64", "out 3c0 14; out 3c0 4; out 3c8 41; out 3c9 3f; out 3c9 0; out 3c9 0", strings.TrimSpace("000000 ff0000" + strings.Repeat(" 000000", 14))},
		{"a page of 16", "out 3c0 10; out 3c0 8c; out 3c0 14; out 3c0 3", "555500 5555aa 55ff00 55ffaa ff5500 ff55aa ff5500 ffffaa 555555 5555ff 55ff55 55ffff ff5555 ff55ff ffff55 ffffff"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, c.script)
			var got []string
			for _, colour := range r.m.VGA.Text().Colours {
				got = append(got, fmt.Sprintf("%02x%02x%02x", colour.R, colour.G, colour.B))
			}
			assert.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}

// Text memory is blank as firmware leaves it, which costs no page.
func TestTextMemory(t *testing.T) {
	m := boot(t, Config{}, "\xf4")
	other := boot(t, Config{}, "\xf4")
	for p := textAt; p < textAt+textSize; p += 2 {
		require.Equal(t, uint64(0x0720), m.Mem.Read(p, 2))
	}
	assert.Equal(t, uint64(0), m.Mem.Read(textAt-2, 2))
	assert.Equal(t, uint64(0), m.Mem.Read(textAt+textSize, 2))
	assert.True(t, m.Mem.SamePage(other.Mem, textAt))
	m.Mem.Write(textAt, 2, 0x0741)
	assert.Equal(t, uint64(0x0720), other.Mem.Read(textAt, 2), "each machine has its own")
	bare := boot(t, Config{Board: Bare}, "\xf4")
	assert.Equal(t, uint64(0), bare.Mem.Read(textAt, 2), "without an adapter it is memory like all other")
}

// A fork, a moment and a snapshot hold the adapter in the midst of an access.
func TestVGAStateIsKept(t *testing.T) {
	const midst = "out 3c0 1; out 3c8 5; out 3c9 1; out 3c9 2; crtc f 9"
	const rest = "out 3c0 3a; out 3c0 1; in 3c1 3a; out 3c9 3; out 3c7 5; in 3c9 1; in 3c9 2; in 3c9 3; in 3d4 f; in 3d5 9"
	m := boot(t, Config{}, "\xf4")
	(&rig{m: m}).play(t, midst)
	f, err := m.Fork()
	require.NoError(t, err)
	moment := m.Moment()
	restored, err := Restore(bytes.NewReader(saved(t, m)), Config{})
	require.NoError(t, err)
	for name, other := range map[string]*Machine{"fork": f, "snapshot": restored, "itself": m} {
		t.Run(name, func(t *testing.T) { (&rig{m: other}).play(t, rest) })
	}
	m.Return(moment)
	(&rig{m: m}).play(t, rest)
}
