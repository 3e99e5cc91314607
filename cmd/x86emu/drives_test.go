package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Boot sectors for the first hard disk. second names sector 2, and a count of 1; readSecond reads it
// and ends with its first byte; writeSecond fills it with 0x42 first.
const (
	//	mov dx,0x1f6; mov al,0xe0; out dx,al; mov dx,0x1f2; mov al,1; out dx,al; inc dx; mov al,2; out dx,al
	//	inc dx; mov al,0; out dx,al; inc dx; out dx,al; mov dx,0x1f7
	second = "\xba\xf6\x01\xb0\xe0\xee\xba\xf2\x01\xb0\x01\xee\x42\xb0\x02\xee\x42\xb0\x00\xee\x42\xee\xba\xf7\x01"
	//	b: in al,dx; test al,0x80; jnz b
	notBusy = "\xec\xa8\x80\x75\xfb"
	//	mov al,0x20; out dx,al; notBusy; mov dx,0x1f0; in ax,dx; out 0xf4,al
	readSecond = second + "\xb0\x20\xee" + notBusy + "\xba\xf0\x01\xed\xe6\xf4"
	//	mov al,0x30; out dx,al; mov dx,0x1f0; mov ax,0x4242; mov cx,256; w: out dx,ax; loop w; mov dx,0x1f7; notBusy
	writeSecond = second + "\xb0\x30\xee\xba\xf0\x01\xb8\x42\x42\xb9\x00\x01\xef\xe2\xfd\xba\xf7\x01" + notBusy + readSecond
)

// What a guest writes is on its disk, and in the file only with --write.
func TestDisks(t *testing.T) {
	const statusOf42 = 0x42*2 + 1
	image := bytes.Repeat([]byte{7}, 4*512)
	written := bytes.Clone(image)
	copy(written[2*512:], bytes.Repeat([]byte{0x42}, 512))
	for _, c := range []struct {
		name, code string
		more       []string
		status     int
		after      []byte
	}{
		{"read", readSecond, nil, 15, image},
		{"written to memory", writeSecond, nil, statusOf42, image},
		{"written to the file", writeSecond, []string{"--write"}, statusOf42, written},
		{"to the file when the budget ends the run", writeSecond, []string{"--write", "--budget", "10000"}, 124, written},
		{"nothing written to write", readSecond, []string{"--write"}, 15, image},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := file(t, "disk", string(image))
			status, _, errs := cli(t, "", append([]string{"run", file(t, "boot", sector(c.code)), "--hda", disk}, c.more...)...)
			assert.Equal(t, c.status, status, errs)
			after, err := os.ReadFile(disk)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(c.after, after), "the file")
		})
	}
}

// A command line of QEMU's has disks, and writes to those that QEMU would write to.
func TestDisksOfQEMU(t *testing.T) {
	const exit = "isa-debug-exit,iobase=0xf4"
	image := sector(writeSecond) + strings.Repeat("\x07", 3*512-100) // which ends within a sector
	written := []byte(image)
	copy(written[2*512:], bytes.Repeat([]byte{0x42}, 512))
	for _, c := range []struct {
		rule    string
		args    []string
		written bool
	}{
		{"a disk", []string{"-hda", "DISK"}, true},
		{"no disk is written", []string{"-hda", "DISK", "-snapshot"}, false},
		{"a drive that is not written", []string{"-drive", "file=DISK,format=raw,snapshot=on"}, false},
		{"one that is read only", []string{"-drive", "file=DISK,format=raw,readonly=on"}, false},
		{"a drive", []string{"-drive", "file=DISK,format=raw,index=0,media=disk"}, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			disk := file(t, "disk", image)
			args := append([]string{"qemu", "-display", "none", "-device", exit}, c.args...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "DISK", disk)
			}
			status, _, errs := cli(t, "", args...)
			assert.Equal(t, 0x42*2+1, status, errs)
			after, err := os.ReadFile(disk)
			require.NoError(t, err)
			want := []byte(image)
			if c.written {
				want = written
			}
			assert.True(t, bytes.Equal(want, after), "the file")
		})
	}
	status, _, errs := cli(t, "", "qemu", "-kernel", file(t, "boot", sector(readSecond)), "-hda", "missing.img")
	assert.Equal(t, statusQEMUError, status)
	assert.Contains(t, errs, "missing.img: ")
}

// A snapshot has what was written, and wants the image again.
func TestDisksInSnapshots(t *testing.T) {
	disk, boot, snap := file(t, "disk", string(make([]byte, 2048))), file(t, "boot", sector(writeSecond)), filepath.Join(t.TempDir(), "snap")
	status, _, errs := cli(t, "", "run", boot, "--hda", disk, "--at", "81000", "--save", snap)
	require.Zero(t, status, errs)
	status, _, errs = cli(t, "", "run", snap, "--hda", disk)
	assert.Equal(t, 0x42*2+1, status, errs)
	status, _, errs = cli(t, "", "run", snap)
	assert.Equal(t, statusBadUsage, status)
	assert.Contains(t, errs, "it was saved with a disk of 2048 bytes in the drive hda: give its image again")
}

// Wrong disks cost one line, and nothing that is in a file.
func TestBadDisks(t *testing.T) {
	good, odd := file(t, "good", string(make([]byte, 1024))), file(t, "odd", "12345")
	large := file(t, "large", string(make([]byte, 1465*1024)))
	boot := file(t, "boot", sector(readSecond))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no file", []string{"--hda", filepath.Join(t.TempDir(), "missing")}, "--hda: open "},
		{"a folder", []string{"--hdb", t.TempDir()}, "--hdb: "},
		{"not whole sectors", []string{"--hdc", odd}, odd + " has 5 bytes: a disk image is made of whole sectors of 512 bytes"},
		{"a floppy disk too large", []string{"--fda", large}, "--fda: 1500160 bytes: a floppy disk has 360, 720"},
		{"--write without a disk", []string{"--write"}, "--write needs a disk"},
		{"--write with one file in two drives", []string{"--hda", good, "--hdd", good, "--write"}, "is in the drive hda already"},
		{"a board without drives", []string{"--hda", good, "--board", "bare"}, "--board bare: it has no drives for disks"},
		{"the disk as the place of the output", []string{"--hda", good, "--serial", good}, "the output would overwrite the image"},
		{"no amount of memory", []string{"--disk-memory", "x"}, `--disk-memory "x": must be a number of MiB`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", append([]string{"run", boot}, c.args...)...)
			assert.Equal(t, statusBadUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, errs, c.want)
			assert.Equal(t, 1, bytes.Count([]byte(errs), []byte("\n")), errs)
		})
	}
	left, err := os.ReadFile(good)
	require.NoError(t, err)
	assert.Len(t, left, 1024)
}
