package peers

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// requireLoader skips the test where a peer has no way to load a kernel's format.
func (p Peer) requireLoader(t *testing.T, image []byte) {
	t.Helper()
	switch {
	case !isMultiboot2(image):
	case p.Name != "qemu":
		t.Skipf("%s: the ROM that starts kernels there is no multiboot 2 loader", p.Name)
	case !haveGRUB() && os.Getenv("X86EMU_PEERS") == "require":
		t.Fatal("grub-mkimage or its modules for a BIOS are not installed, and X86EMU_PEERS=require")
	case !haveGRUB():
		t.Skip("grub-mkimage or its modules for a BIOS are not installed")
	}
}

// GRUB tells a multiboot 2 kernel of its command line and modules what x86emu does.
func TestMultiboot2Options(t *testing.T) {
	kernel, ok := guest.KernelNamed("multiboot2-info-32")
	require.True(t, ok)
	peer := All()[0]
	peer.require(t)
	peer.requireLoader(t, kernel.Image)
	options := guest.Options{Cmdline: "one two", Modules: []guest.Module{
		{Data: []byte("the first file"), Cmdline: "first"}, {Data: bytes.Repeat([]byte("x"), 10000), Cmdline: "a b"}, {Data: []byte("y")},
	}}

	var here bytes.Buffer
	m, err := guest.Boot("multiboot2-info-32", machine.Config{Serial: machine.NewOutput(&here)}, options)
	require.NoError(t, err)
	r, err := m.Run(context.Background(), budget)
	require.NoError(t, err)
	assert.Zero(t, r.Status())
	assert.Contains(t, here.String(), `module "a b": 10000 bytes`)

	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	disk, err := grubDisk(ctx, kernel.Image, options)
	require.NoError(t, err)
	there, err := peer.Run(disk, nil, "")
	assert.NoError(t, err)
	assert.Equal(t, here.String(), there)
}
