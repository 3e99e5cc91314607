package qemulog

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// run makes a log of a built-in kernel.
func run(t *testing.T, name string, o Options) string {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	var b bytes.Buffer
	l := Watch(m, &b, o)
	_, err = m.Run(context.Background(), machine.NoBudget)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return b.String()
}

// The whole log of a kernel's deliveries, as a file: tests/peers holds the same
// to QEMU's own.
func TestIntLayout(t *testing.T) {
	want, err := os.ReadFile("testdata/user-mode-64.int")
	require.NoError(t, err)
	assert.Equal(t, string(want), run(t, "user-mode-64", Options{Int: true}))
}

// A chain of exceptions has a check_exception line each, and an event line each
// but the one that becomes #DF with the one before, and the third.
func TestDoubleFaultLines(t *testing.T) {
	for _, c := range []struct {
		kernel string
		want   []string
	}{
		{"unmapped-handler-32", []string{"check 0xe 0xe", "v=08"}},
		{"df-no-gate-32", []string{"check 0xe 0xe", "v=08", "check 0x8 0xb"}},
	} {
		var got []string
		for line := range strings.Lines(run(t, c.kernel, Options{Int: true})) {
			f := strings.Fields(line)
			switch {
			case f[0] == "check_exception" && f[2] != "0xffffffff":
				got = append(got, "check "+f[2]+" "+f[4])
			case len(f) > 1 && f[1] == "v=08":
				got = append(got, f[1])
			}
		}
		assert.Equal(t, c.want, got, c.kernel)
	}
}

// With both layouts a block's line stands before the events within it.
func TestBlocksAndEvents(t *testing.T) {
	k, ok := guest.KernelNamed("hello-32")
	require.True(t, ok)
	syms, err := debug.LoadSymbols(k.Image)
	require.NoError(t, err)
	log := run(t, "hello-32", Options{Int: true, Exec: true, Syms: syms})
	first, _, _ := strings.Cut(log, "\n")
	assert.Regexp(t, `^Trace 0: 0x1[0-9a-f]{5} \[0{16}/0{10}1[0-9a-f]{5}/000000b0/ff000200\] \w*$`, first)
	both := run(t, "user-mode-32", Options{Int: true, Exec: true})
	event := strings.Index(both, ": v=80")
	require.Positive(t, event)
	before := strings.Split(strings.TrimSpace(both[:event]), "\n")
	assert.Contains(t, before[len(before)-2], "/0000000040000000/", "the block that INT is in")
}

// Real mode has no event lines, as in QEMU.
func TestRealMode(t *testing.T) {
	assert.Empty(t, run(t, "hello-16", Options{Int: true}))
	assert.Contains(t, run(t, "hello-16", Options{Exec: true}), "[0000000000000000/0000000000007c00/00000040/ff000200]")
}

// An interrupt of the board's is announced, in every mode.
func TestHardwareInterrupt(t *testing.T) {
	img, err := guest.ParseFlat([]byte("\xfb\xf4\xeb\xfd"), 0x500, guest.Mode16, 0) // sti; hlt; jmp
	require.NoError(t, err)
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	var b bytes.Buffer
	l := Watch(m, &b, Options{Int: true})
	m.RaiseINTR(0x20)
	_, err = m.Run(context.Background(), 5)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Equal(t, "Servicing hardware INT=0x20\n", b.String())
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// The writer's error comes out at the end.
func TestWriteError(t *testing.T) {
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	l := Watch(m, full{}, Options{Int: true, Exec: true})
	s := m.CPU.State()
	l.state, l.state.CR0 = s, s.CR0|1
	l.event(&idt.Event{Vector: idt.VecPF})
	assert.ErrorContains(t, l.Close(), "disk full")
}
