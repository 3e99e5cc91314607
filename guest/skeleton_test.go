package guest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
)

func TestWriteSkeleton(t *testing.T) {
	for _, bits := range []int{32, 64} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "new kernel")
			require.NoError(t, WriteSkeleton(dir, bits))
			var got []string
			require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if rel, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() {
					got = append(got, filepath.ToSlash(rel))
				}
				return err
			}))
			assert.Equal(t, []string{
				"Makefile", fmt.Sprintf("lib/boot%d.S", bits), "lib/console.c", "lib/lib.h", "lib/link.ld", "lib/paging.c",
				fmt.Sprintf("lib/segments%d.c", bits), "lib/stubs.h", "lib/trap.c", fmt.Sprintf("lib/traps%d.S", bits), "main.c",
			}, got)
			makefile, err := os.ReadFile(filepath.Join(dir, "Makefile"))
			require.NoError(t, err)
			assert.Contains(t, string(makefile), fmt.Sprintf("\nBITS   = %d\n", bits))

			assert.ErrorContains(t, WriteSkeleton(dir, bits), "is not empty")
		})
	}
}

func TestWriteSkeletonRefuses(t *testing.T) {
	assert.ErrorContains(t, WriteSkeleton(filepath.Join(t.TempDir(), "x"), 16), "must be 32 or 64")
	assert.ErrorContains(t, WriteSkeleton("", 32), "no name")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o600))
	assert.Error(t, WriteSkeleton(file, 32))
	assert.Error(t, WriteSkeleton(filepath.Join(file, "below"), 32))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(data))
	assert.NoError(t, WriteSkeleton(t.TempDir(), 32), "an empty folder will do")
}

// The skeleton builds without a warning, and runs to its end.
func TestSkeletonRuns(t *testing.T) {
	for _, program := range []string{"make", "gcc", "ld"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	for _, bits := range []int{32, 64} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, WriteSkeleton(dir, bits))
			build := exec.Command("make", "-s", "-C", dir)
			build.Env = append(os.Environ(), "MAKEFLAGS=")
			out, err := build.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Empty(t, string(out))

			data, err := os.ReadFile(filepath.Join(dir, "kernel.elf"))
			require.NoError(t, err)
			var serial bytes.Buffer
			m, err := machine.New(machine.Config{Serial: machine.NewOutput(&serial)})
			require.NoError(t, err)
			image, err := Parse(data)
			require.NoError(t, err)
			require.NoError(t, image.Load(m, Options{}))
			result, err := m.Run(context.Background(), 10_000_000)
			require.NoError(t, err)
			assert.Zero(t, result.Status())
			assert.Equal(t, fmt.Sprintf("Hello from %d bits.\npage fault at 0x%0*x, error code 2\nThe heap holds 42.\n", bits, bits/4, 0x40000000), serial.String())
		})
	}
}
