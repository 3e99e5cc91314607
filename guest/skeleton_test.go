package guest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
				fmt.Sprintf("lib/segments%d.c", bits), "lib/trap.c", fmt.Sprintf("lib/traps%d.S", bits), "main.c",
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
