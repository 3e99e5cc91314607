package peers

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
)

// testPowerOff runs a kernel that turns the machine off. QEMU ends with status 0 then.
// With -no-reboot it would for a reset, too: without, a reset begins the kernel
// again, and the run has no end.
func (p Peer) testPowerOff(t *testing.T, kernel guest.Kernel) {
	if p.Name == "bochs" {
		t.Skip("the tables are firmware's, and Bochs is started without any")
	}
	program, _ := p.Program()
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	cmd, err := qemuCommand(ctx, program, t.TempDir(), kernel.Image)
	require.NoError(t, err)
	cmd.Args = slices.DeleteFunc(cmd.Args, func(a string) bool { return a == "-no-reboot" })
	out, err := cmd.Output()
	assert.NoError(t, err)
	assert.Equal(t, kernel.Transcript, plain(out))
}
