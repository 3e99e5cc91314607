package guest

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The skeleton of a kernel: what is its own, and the runtime that the built-in
// kernels share.
//
//go:embed skeleton
//go:embed kernels/lib/lib.h kernels/lib/stubs.h kernels/lib/link.ld
//go:embed kernels/lib/console.c kernels/lib/paging.c kernels/lib/trap.c
//go:embed kernels/lib/boot32.S kernels/lib/traps32.S kernels/lib/segments32.c
//go:embed kernels/lib/boot64.S kernels/lib/traps64.S kernels/lib/segments64.c
var skeletonFiles embed.FS

// WriteSkeleton writes a kernel to begin with into a folder, which it makes if
// it is not there and refuses if it is not empty: sources, the runtime in lib,
// and a Makefile that builds kernel.elf with gcc and runs it on x86emu. bits is
// 32 or 64. An error is the host's, or says what is wrong with an argument.
func WriteSkeleton(dir string, bits int) error {
	if dir == "" {
		return errors.New("no name of a folder for the new kernel")
	}
	if bits != 32 && bits != 64 {
		return fmt.Errorf("a kernel of %d bits: must be 32 or 64", bits)
	}
	if there, err := os.ReadDir(dir); err == nil && len(there) > 0 {
		return fmt.Errorf("%s is not empty: a new kernel wants a folder of its own", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	otherBits := fmt.Sprint(32 + 64 - bits)
	return fs.WalkDir(skeletonFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, otherBits) {
			return err
		}
		data, err := skeletonFiles.ReadFile(path)
		if err != nil {
			return err
		}
		to, own := strings.CutPrefix(path, "skeleton/")
		if !own {
			to = strings.TrimPrefix(path, "kernels/")
		}
		if to == "Makefile" {
			data = []byte(strings.Replace(string(data), "BITS   = 32", fmt.Sprintf("BITS   = %d", bits), 1))
		}
		return writeNew(filepath.Join(dir, filepath.FromSlash(to)), data)
	})
}

// writeNew writes a file that is not there yet, and makes its folder.
func writeNew(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
