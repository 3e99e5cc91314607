package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// --bios, and -bios of a command line of QEMU's, starts the processor in a ROM, and takes nothing beside it that the ROM would not look at.
func TestBIOS(t *testing.T) {
	const size = 4 << 10
	exit7 := "\xb0\x07\xe6\xf4" // mov al,7; out 0xf4,al
	rom := file(t, "rom", strings.Repeat("\x00", size-16)+exit7+strings.Repeat("\xf4", 16-len(exit7)))
	disk := file(t, "disk", sector(exit5))
	status, _, errs := cli(t, "", "qemu", "-bios", rom, "-hda", disk, "-display", "none", "-device", "isa-debug-exit,iobase=0xf4")
	assert.Equal(t, 15, status, errs)
	assert.Empty(t, errs)
	for _, c := range []struct {
		rule   string
		args   []string
		status int
		errs   string // of the one line, if there is one
	}{
		{"it begins at its reset vector", []string{"--bios", rom}, 15, ""},
		{"whatever the disks have", []string{"--bios", rom, "--hda", disk}, 15, ""},
		{"an image of a disk is one", []string{"--bios", rom, disk}, 15, ""},
		{"without one the disk is booted", []string{"--hda", disk}, 11, ""},
		{"an odd size", []string{"--bios", file(t, "odd", "123")}, statusBadUsage, "odd: firmware of 3 bytes: must be a multiple of 4K between 4K and 8M"},
		{"no bytes", []string{"--bios", file(t, "empty", "")}, statusBadUsage, "empty: firmware of 0 bytes"},
		{"too large", []string{"--bios", file(t, "large", strings.Repeat("\x00", 8<<20+size))}, statusBadUsage, "large: larger than the 8 MiB that firmware may have"},
		{"no such file", []string{"--bios", "missing.rom"}, statusBadUsage, "missing.rom"},
		{"a kernel, which it would not start", []string{"--bios", rom, "hello-32"}, statusBadUsage, "would not look at the image: a multiboot"},
		{"the board without", []string{"--board", "bare", "--bios", rom}, statusBadUsage, "firmware and disks need the board pc"},
		{"the board without drives", []string{"--board", "bare", "--hda", disk}, statusBadUsage, "--board bare"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			status, _, errs := cli(t, "", append([]string{"run"}, c.args...)...)
			assert.Equal(t, c.status, status, errs)
			assert.Contains(t, errs, c.errs)
			if c.status == statusBadUsage {
				assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
			} else {
				assert.Empty(t, errs)
			}
		})
	}
}
