package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/guest/experiment"
)

// A sample of the runs of x86emu experiment by-accident, on QEMU: the same
// places, the same double faults.
func TestByAccidentSample(t *testing.T) {
	qemu := All()[0]
	require.Equal(t, "qemu", qemu.Name)
	qemu.require(t)
	program, _ := qemu.Program()

	var sample []experiment.Run
	for i, r := range experiment.Plan(experiment.Sweep(), 1, 1) {
		if i%9 == 4 {
			sample = append(sample, r)
		}
	}
	outcomes, err := experiment.Do(context.Background(), sample, 2, nil)
	require.NoError(t, err)
	for _, o := range outcomes {
		t.Run(fmt.Sprintf("%s/%s/%d", o.Panel, o.Series, o.X), func(t *testing.T) {
			kernel, ok := guest.KernelNamed(o.Kernel())
			require.True(t, ok)
			ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
			defer cancel()
			cmd, err := qemuCommand(ctx, program, t.TempDir(), kernel.Image, "-append", o.Options(o.Seed))
			require.NoError(t, err)
			out, err := cmd.Output()
			var status *exec.ExitError
			require.True(t, errors.As(err, &status), "isa-debug-exit never ends with 0: %v", err)
			code := 0
			if o.DoubleFault() {
				code = 4
			}
			assert.Equal(t, code*2+1, status.ExitCode())
			serial := string(bytes.ReplaceAll(out, []byte("\r"), nil))
			assert.Contains(t, serial, fmt.Sprintf("handler 0x%0*x, ", o.Bits/4, o.HandlerAt))
			assert.Contains(t, serial, fmt.Sprintf("  lacking in %d of %d tables; double fault in %d of %d processes\n",
				o.Lacking, o.Processes, o.Deaths, o.Processes))
		})
	}
}
