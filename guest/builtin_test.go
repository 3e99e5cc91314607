package guest

import (
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
			img, err := Parse(k.Image)
			require.NoError(t, err)
			want := Multiboot
			if strings.HasPrefix(k.Name, "multiboot2-") {
				want = Multiboot2
			}
			assert.Equal(t, want, img.Format)
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
