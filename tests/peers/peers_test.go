package peers

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// require skips the test if the peer is not installed or the run has to be
// short; with X86EMU_PEERS=require, as in CI, a missing peer is a failure.
func (p Peer) require(t *testing.T) {
	t.Helper()
	if _, ok := p.Program(); !ok {
		if os.Getenv("X86EMU_PEERS") == "require" {
			t.Fatalf("%s is not installed, and X86EMU_PEERS=require", p.Name)
		}
		t.Skipf("%s is not installed", p.Name)
	}
	if testing.Short() {
		t.Skipf("%s: not in short mode", p.Name)
	}
}

// Each built-in kernel prints its golden transcript on each peer.
func TestTranscripts(t *testing.T) {
	for _, peer := range All() {
		t.Run(peer.Name, func(t *testing.T) {
			peer.require(t)
			for _, kernel := range guest.Kernels() {
				t.Run(kernel.Name, func(t *testing.T) {
					peer.requireLoader(t, kernel.Image)
					switch kernel.End {
					case machine.Exited:
					case machine.TurnedOff:
						peer.testPowerOff(t, kernel)
						return
					default:
						peer.testEnding(t, kernel)
						return
					}
					if why := absent[peer.Name][kernel.Name]; why != "" {
						t.Skip(why)
					}
					serial, err := peer.Run(kernel.Image, kernel.Disk, kernel.Keys)
					assert.NoError(t, err)
					assert.Equal(t, peer.transcript(t, kernel), serial)
				})
			}
		})
	}
}

// absent are the kernels that a peer does not run, and why; guest/PEERS.md lists them.
var absent = map[string]map[string]string{
	"bochs": {"keyboard-echo-32": "nothing types on Bochs' keyboard without a window"},
}

// deviations are the lines of a golden transcript that a peer prints otherwise, by
// peer and kernel; guest/PEERS.md says why.
var deviations = map[string]map[string][]struct{ golden, peer string }{
	"qemu": {"fpu-switch-64": {{"    #XM in B at 0x000040000000004e: MXCSR 0x1d84. Masked.\n", ""}}},
	"bochs": {"ioapic-redirect-32": {
		{"  remote IRR was 1 in the handler, and is 0\n", "  remote IRR was 0 in the handler, and is 0\n"},
		{"  comes again after each end: interrupts 3\n", "  comes again after each end: interrupts 1\n"},
	}},
}

// transcript is what a peer prints for a kernel.
func (p Peer) transcript(t *testing.T, kernel guest.Kernel) string {
	text := kernel.Transcript
	for _, d := range deviations[p.Name][kernel.Name] {
		require.Equal(t, 1, strings.Count(text, d.golden), "the line is there: %s", d.golden)
		text = strings.Replace(text, d.golden, d.peer, 1)
	}
	return text
}

// x86emu prints what the peers print. No peer is needed for this half.
func TestHere(t *testing.T) {
	for _, kernel := range guest.Kernels() {
		t.Run(kernel.Name, func(t *testing.T) {
			serial, err := Here(kernel.Image, machine.Config{Drives: kernel.Drives(), Keys: guest.BuiltinKeys(kernel.Name)}, kernel.End)
			assert.NoError(t, err)
			assert.Equal(t, kernel.Transcript, serial)
		})
	}
}

func TestROMImage(t *testing.T) {
	kernel, ok := guest.KernelNamed("unmapped-handler-32")
	require.True(t, ok)

	rom, err := romImage(kernel.Image)
	require.NoError(t, err)
	require.Len(t, rom, minROM)
	assert.Equal(t, []byte("\x02\xb0\xad\x1b"), rom[:4], "the multiboot header comes first")
	last := rom[minROM-4096:]
	assert.Equal(t, []byte{0x00, 0x00, 0xFE, 0xFF}, last[:4], "the source: 128 KiB below 4 GiB")
	assert.Equal(t, []byte{0x00, 0x00, 0x10, 0x00}, last[4:8], "the place: 1 MiB")

	for name, bad := range map[string][]byte{
		"empty":           nil,
		"not an ELF file": []byte("not an ELF file"),
		"cut short":       kernel.Image[:60],
	} {
		_, err := romImage(bad)
		assert.Error(t, err, name)
	}
}
