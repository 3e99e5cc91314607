package audit_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/audit"
	"x86emu/debug/tables"
	"x86emu/guest"
)

// dump runs a built-in kernel on QEMU until it has printed all and halts, and
// has QEMU dump its memory.
func dump(t *testing.T, kernel *guest.Kernel) *tables.Moment {
	t.Helper()
	dir := t.TempDir()
	image, serial, core := filepath.Join(dir, "kernel"), filepath.Join(dir, "serial"), filepath.Join(dir, "core")
	require.NoError(t, os.WriteFile(image, kernel.Image, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-kernel", image, "-accel", "tcg,thread=single",
		"-cpu", "max,vendor=GenuineIntel", "-m", "64", "-display", "none", "-nodefaults", "-serial", "file:"+serial, "-monitor", "stdio")
	monitor, err := cmd.StdinPipe()
	require.NoError(t, err)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	// Without the device for it, the kernel's wish to end is not heard: it halts.
	for ctx.Err() == nil {
		said, _ := os.ReadFile(serial)
		if len(bytes.ReplaceAll(said, []byte("\r"), nil)) >= len(kernel.Transcript) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	_, err = io.WriteString(monitor, "stop\ndump-guest-memory "+core+"\nquit\n")
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), "%s", &out)
	f, err := os.Open(core)
	require.NoError(t, err, "%s", &out)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	o, noted, err := tables.OpenCore(f, info.Size())
	require.NoError(t, err)
	require.True(t, noted)
	require.NoError(t, o.Settle())
	return o
}

// A core that QEMU has written of a guest of its own is asked about as x86emu's own
// guest is: every vector, in every address space, with the same answers.
//
// This is for CI: X86EMU_PEERS=require.
func TestCoreOfQEMU(t *testing.T) {
	if os.Getenv("X86EMU_PEERS") == "" {
		t.Skip("X86EMU_PEERS is not set")
	}
	for name, spaces := range map[string][]uint64{
		"unmapped-handler-32": {0x200000, 0x202000, 0x205000},
		"unmapped-handler-64": {0x200000, 0x205000, 0x20a000},
	} {
		t.Run(name, func(t *testing.T) {
			kernel, ok := guest.KernelNamed(name)
			require.True(t, ok)
			core := dump(t, &kernel)
			m := boot(t, &kernel)
			_, err := m.Run(context.Background(), budget)
			require.NoError(t, err)
			own := tables.At(m)
			assert.Equal(t, own.State.CR3, core.State.CR3)
			assert.Equal(t, own.State.TR.Sel, core.State.TR.Sel)
			assert.Equal(t, own.State.TR.Base, core.State.TR.Base)
			bad := 0
			for _, cr3 := range spaces {
				from := []audit.From{audit.User}
				mine := audit.Report(own, cr3, audit.Events(), from, 0)
				theirs := audit.Report(core, cr3, audit.Events(), from, 0)
				require.Len(t, theirs.Lines, len(mine.Lines))
				for i := range mine.Lines {
					a, b := mine.Lines[i].Answer, theirs.Lines[i].Answer
					assert.Equal(t, a.Words(), b.Words(), "vector %#x, CR3 %#x", i, cr3)
					assert.Equal(t, a.Missing, b.Missing, "vector %#x, CR3 %#x", i, cr3)
					if b.Verdict.Bad() {
						bad++
					}
				}
			}
			assert.NotZero(t, bad, "the process's handler is missing there too")
		})
	}
}
