package screen

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"x86emu/guest"
	"x86emu/machine"
	"x86emu/mmu"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// drawn is a machine whose text screen is drawn from outside.
type drawn struct {
	t *testing.T
	m *machine.Machine
}

func newGuest(t *testing.T) *drawn {
	m, err := machine.New(machine.Config{RAM: 1 << 20})
	require.NoError(t, err)
	return &drawn{t, m}
}

// put writes text, in the PC's characters, with an attribute.
func (g *drawn) put(x, y int, attribute byte, text string) {
	mode := g.m.VGA.Text()
	for i := range len(text) {
		g.m.Mem.WriteBytes(mode.Cell(x+i, y), []byte{text[i], attribute})
	}
}

// crtc sets registers of the CRT controller: index, value, and so on.
func (g *drawn) crtc(list ...uint8) {
	for i := 0; i < len(list); i += 2 {
		g.m.Ports.Out(0x3d4, 2, uint32(list[i])|uint32(list[i+1])<<8)
	}
}

func (g *drawn) out(port uint16, list ...uint8) {
	for _, b := range list {
		g.m.Ports.Out(port, 1, uint32(b))
	}
}

// lines are those of the screen without colours.
func (g *drawn) lines() []string { return Take(g.m).Lines(colorprofile.NoTTY) }

// golden compares text with a file.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o666))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), text, "%s (go test -update writes it anew)", file)
}

func TestCodePage(t *testing.T) {
	require.Len(t, codePage437, 256)
	for b, r := range codePage437 {
		if b >= 0x20 && b != 0x7f && b != 0xff {
			assert.Equal(t, charmap.CodePage437.DecodeByte(byte(b)), r, "%#x", b)
		}
	}
	control := "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
	assert.Equal(t, control, string(codePage437[1:0x20]))
	assert.Equal(t, []rune{' ', '⌂', ' '}, []rune{codePage437[0], codePage437[0x7f], codePage437[0xff]})
}

func TestStandardColours(t *testing.T) {
	g := newGuest(t)
	for i, c := range g.m.VGA.Text().Colours {
		assert.Equal(t, standard(uint8(i)), c, "%d", i)
	}
}

func TestPlainLines(t *testing.T) {
	g := newGuest(t)
	assert.Empty(t, g.lines(), "blank at first")
	g.put(0, 0, 0x07, "Hello  ")
	g.put(2, 2, 0x1f, "  ")
	g.put(78, 3, 0x07, "\xdb!")
	g.put(0, 24, 0x07, "\x00\xff ")
	assert.Equal(t, []string{"Hello", "", "", strings.Repeat(" ", 78) + "█!"}, g.lines())
}

// art draws what a kernel may: all colours, frames, blinking.
func art(g *drawn) {
	g.put(0, 0, 0x1f, "\xc9\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xbb")
	g.put(0, 1, 0x1f, "\xba kernel \xba")
	g.put(0, 2, 0x1f, "\xc8\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xbc")
	for fore := range 16 {
		for back := range 16 {
			g.put(back+17*(fore/8), 4+fore%8, byte(back<<4|fore), string("0123456789abcdef"[fore]))
		}
	}
	g.put(0, 13, 0x07, "plain ")
	g.put(6, 13, 0x8c, "blinking")
	g.put(14, 13, 0x07, " plain")
	g.put(10, 14, 0x40, "   ") // red, also where a line ends
	g.put(79, 24, 0x0e, "\x01")
}

func TestGoldenScreens(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(g *drawn)
	}{
		{"mode3", func(*drawn) {}},
		{"intensity", func(g *drawn) { g.m.Ports.In(0x3da, 1); g.out(0x3c0, 0x10, 0x04, 0x20) }},
		{"mono", func(g *drawn) { g.m.Ports.In(0x3da, 1); g.out(0x3c0, 0x10, 0x0e, 0x20) }},
		{"own-colours", func(g *drawn) { g.out(0x3c8, 1); g.out(0x3c9, 0x10, 0x20, 0x30) }},
		{"other-palette", func(g *drawn) { g.m.Ports.In(0x3da, 1); g.out(0x3c0, 0x05, 0x3d, 0x20) }},
		{"40-columns", func(g *drawn) { g.crtc(0x11, 0x0e, 1, 39, 0x13, 20) }},
		{"50-rows", func(g *drawn) { g.crtc(9, 0x47) }},
		{"scrolled", func(g *drawn) { g.crtc(12, 0x3f, 13, 0xb0) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t)
			c.setup(g)
			art(g)
			for ending, p := range map[string]colorprofile.Profile{".txt": colorprofile.NoTTY, ".ansi": colorprofile.ANSI, ".rgb": colorprofile.TrueColor} {
				if text := strings.Join(Take(g.m).Lines(p), "\n") + "\n"; ending != ".rgb" || c.name == "own-colours" {
					golden(t, c.name+ending, text)
				}
			}
			assert.Equal(t, Take(g.m).Lines(colorprofile.NoTTY), Take(g.m).Lines(colorprofile.ASCII), "NO_COLOR")
		})
	}
}

func TestScreenFollowsTheRegisters(t *testing.T) {
	g := newGuest(t)
	g.put(0, 0, 7, "first")
	g.put(0, 1, 7, "second")
	g.crtc(13, 80)
	assert.Equal(t, []string{"second"}, g.lines(), "scrolled by a row")
	g.crtc(14, 0, 15, 82)
	s := Take(g.m)
	assert.Equal(t, "80x25, cursor in column 2, row 0", s.String())
	g.crtc(10, 0x20)
	assert.Equal(t, "80x25, no cursor", Take(g.m).String())
	g.crtc(13, 160)
	assert.Equal(t, "80x25, no cursor; it is blank", Take(g.m).String())
}

func TestNothingToSee(t *testing.T) {
	for _, c := range []struct {
		note string
		out  [2]uint8 // to the port and the one behind it
		port uint16
	}{
		{"the screen is switched off", [2]uint8{1, 0x20}, 0x3c4},
		{"the screen is in a graphics mode, of which nothing can be shown", [2]uint8{6, 5}, 0x3ce},
	} {
		g := newGuest(t)
		g.put(0, 0, 7, "hidden")
		g.out(c.port, c.out[0])
		g.out(c.port+1, c.out[1])
		assert.Equal(t, c.note, Take(g.m).String())
		assert.Empty(t, g.lines())
	}
	m, err := machine.New(machine.Config{Board: machine.Bare})
	require.NoError(t, err)
	m.Mem.WriteBytes(0xb8000, []byte("A\x07"))
	assert.Equal(t, "this board has no screen", Take(m).Note)
}

// counter is a guest that counts at the top left for ever: mov ax,0xb800;
// mov ds,ax; inc word [0]; jmp back.
const counter = "\xb8\x00\xb8\x8e\xd8\xff\x06\x00\x00\xeb\xfa"

func newCounter(t *testing.T) *drawn {
	g := newGuest(t)
	image, err := guest.ParseFlat([]byte(counter), 0x7c00, guest.Mode16, 0)
	require.NoError(t, err)
	require.NoError(t, image.Load(g.m, guest.Options{}))
	return g
}

func (g *drawn) run(ticks uint64) {
	r, err := g.m.Run(context.Background(), ticks)
	require.NoError(g.t, err)
	require.Equal(g.t, machine.Budget, r.Reason)
}

// A register that reaches beyond RAM shows what is there, and no more.
func TestScreenOutsideOfRAM(t *testing.T) {
	g := newGuest(t)
	g.m.Mem.Unmap(0xb8000, 0x8000)
	assert.Empty(t, g.lines())
	g.m.Mem.MapRAM(mmu.Phys(0xb9000), 0x1000)
	assert.Empty(t, g.lines())
}

// The kernel that shows the text screen: scrolled, in colours of its own.
func TestKernelsScreen(t *testing.T) {
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	kernel, ok := guest.KernelNamed("text-screen-32")
	require.True(t, ok)
	image, err := guest.Parse(kernel.Image)
	require.NoError(t, err)
	require.NoError(t, image.Load(m, guest.Options{}))
	r, err := m.Run(context.Background(), machine.NoBudget)
	require.NoError(t, err)
	require.Zero(t, r.Status())
	s := Take(m)
	assert.Equal(t, "80x25, cursor in column 2, row 7", s.String())
	golden(t, "text-screen-32.txt", strings.Join(s.Lines(colorprofile.NoTTY), "\n")+"\n")
	golden(t, "text-screen-32.rgb", strings.Join(s.Lines(colorprofile.TrueColor), "\n")+"\n")
}
