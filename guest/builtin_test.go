package guest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKernels(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			assert.False(t, seen[k.Name], "a name twice")
			seen[k.Name] = true

			assert.NotEmpty(t, k.Story)
			assert.True(t, strings.HasPrefix(k.Transcript, k.Name+": "), "a transcript opens with the kernel's name")
			assert.NotContains(t, k.Summary, "\n")
			assert.DirExists(t, filepath.Join("..", k.Source))

			if k.Bits == 16 {
				require.Len(t, k.Image, 512)
				assert.Equal(t, "\x55\xaa", string(k.Image[510:]), "a boot sector's signature")
				return
			}
			header := k.Image[:min(len(k.Image), 8192)]
			at := strings.Index(string(header), "\x02\xb0\xad\x1b")
			require.GreaterOrEqual(t, at, 0, "no multiboot header in the first 8 KiB")
			sum := uint32(0)
			for i := range 3 {
				sum += binary.LittleEndian.Uint32(header[at+4*i:])
			}
			assert.Zero(t, sum, "magic, flags and checksum must add up to 0")
		})
	}
}

func TestKernelNamed(t *testing.T) {
	k, ok := KernelNamed("unmapped-handler-32")
	assert.True(t, ok)
	assert.Equal(t, "unmapped-handler-32", k.Name)
	_, ok = KernelNamed("no-such-kernel")
	assert.False(t, ok)
}

// Every image belongs to a kernel of the table, so that none is forgotten.
func TestNoStrayImages(t *testing.T) {
	images, err := filepath.Glob("kernels/images/*")
	require.NoError(t, err)
	assert.Len(t, images, len(builtins))
	_, err = os.Stat("kernels/TOOLCHAIN")
	assert.NoError(t, err, "the versions that built the images")
}
