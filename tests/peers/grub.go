package peers

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"x86emu/guest"
)

// grubModules is where Debian's grub-pc-bin has GRUB for a PC's BIOS.
const grubModules = "/usr/lib/grub/i386-pc"

// haveGRUB tells whether a disk with GRUB can be made here.
func haveGRUB() bool {
	_, err := exec.LookPath("grub-mkimage")
	if err == nil {
		_, err = os.Stat(filepath.Join(grubModules, "boot.img"))
	}
	return err == nil
}

// isMultiboot2 tells a kernel that QEMU cannot load by itself.
func isMultiboot2(image []byte) bool {
	parsed, err := guest.Parse(image)
	return err == nil && parsed.Format == guest.Multiboot2 && !isDisk(image)
}

// grubDisk makes a disk from which GRUB starts a multiboot 2 kernel with what the
// options give: GRUB's boot sector, and behind it GRUB with the files inside.
func grubDisk(ctx context.Context, image []byte, o guest.Options) ([]byte, error) {
	dir, err := os.MkdirTemp("", "x86emu-grub-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	var files bytes.Buffer
	archive := tar.NewWriter(&files)
	add := func(name string, data []byte) {
		if err == nil {
			err = archive.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o600})
		}
		if err == nil {
			_, err = archive.Write(data)
		}
	}
	script := fmt.Sprintf("multiboot2 (memdisk)/kernel %s\n", o.Cmdline)
	add("kernel", image)
	for i, m := range o.Modules {
		name := fmt.Sprintf("module%d", i)
		script += fmt.Sprintf("module2 (memdisk)/%s %s\n", name, m.Cmdline)
		add(name, m.Data)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return nil, err
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, data := range map[string][]byte{"files.tar": files.Bytes(), "script": []byte(script + "boot\n")} {
		if err := os.WriteFile(path(name), data, 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, "grub-mkimage", "-O", "i386-pc", "-p", "/", "-c", path("script"), "-m", path("files.tar"), "-o", path("core"),
		"memdisk", "tar", "multiboot2", "biosdisk")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("grub-mkimage: %w: %s", err, out)
	}
	sector, err := os.ReadFile(filepath.Join(grubModules, "boot.img"))
	if err != nil {
		return nil, err
	}
	core, err := os.ReadFile(path("core"))
	if err != nil {
		return nil, err
	}
	const track = 63 * 512 // a disk ends with a whole one
	disk := append(sector, core...)
	return append(disk, make([]byte, track-len(disk)%track)...), nil
}
