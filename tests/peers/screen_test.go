package peers

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// What text-screen-32 leaves in text memory is what it leaves on QEMU, all 32 KiB:
// the blanks that it has not touched are those of QEMU's firmware.
func TestTextMemory(t *testing.T) {
	peer := All()[0]
	peer.require(t)
	kernel, ok := guest.KernelNamed("text-screen-32")
	require.True(t, ok)
	const at, size = 0xb8000, 32 << 10

	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	image, err := guest.Parse(kernel.Image)
	require.NoError(t, err)
	require.NoError(t, image.Load(m, guest.Options{}))
	_, err = m.Run(t.Context(), budget)
	require.NoError(t, err)
	ours := make([]byte, size)
	m.Mem.ReadBytes(at, ours)

	theirs := peer.qemuMemory(t, kernel, at, size)
	require.Len(t, theirs, size)
	for i := 0; i < size; i += 2 {
		require.Equal(t, theirs[i:i+2], ours[i:i+2], "cell %d", i/2)
	}
	assert.Equal(t, []byte{' ', 0x07}, theirs[size-2:], "the last one is blank")
}

// qemuMemory is what QEMU has in some bytes of physical memory when a kernel has ended.
func (p Peer) qemuMemory(t *testing.T, kernel guest.Kernel, at, size int) []byte {
	program, _ := p.Program()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), timeLimit)
	defer cancel()
	socket, file := filepath.Join(dir, "monitor"), filepath.Join(dir, "memory")
	cmd, err := qemuCommand(ctx, program, dir, kernel.Image, "-monitor", "unix:"+socket+",server,nowait")
	require.NoError(t, err)
	// Without the port that ends QEMU the kernel halts when it is through.
	i := slices.Index(cmd.Args, "-device")
	cmd.Args = slices.Delete(cmd.Args, i, i+2)
	serial, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	sent := make([]byte, len(kernel.Transcript))
	_, err = io.ReadFull(serial, sent)
	require.NoError(t, err)
	require.Equal(t, kernel.Transcript, string(sent))

	monitor, err := net.Dial("unix", socket)
	require.NoError(t, err)
	defer monitor.Close()
	fmt.Fprintf(monitor, "pmemsave %#x %#x %q\nquit\n", at, size, file)
	io.Copy(io.Discard, monitor)
	require.NoError(t, cmd.Wait())
	memory, err := os.ReadFile(file)
	require.NoError(t, err)
	return memory
}
