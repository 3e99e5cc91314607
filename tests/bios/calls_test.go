package bios

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// boots are the tables, each made of calls of one boot.
var boots = []struct {
	name   string
	floppy bool
	calls  []Call
}{{"hard disk", false, Calls}, {"floppy disk", true, FloppyCalls}}

// boot makes a machine that boots a disk, and what it tells.
func boot(t *testing.T, disk []byte, floppy bool, cfg machine.Config) (*machine.Machine, *bytes.Buffer) {
	t.Helper()
	out := new(bytes.Buffer)
	cfg.Console = machine.NewOutput(out)
	img, err := guest.Parse(disk)
	require.NoError(t, err)
	o := guest.Options{Floppy: floppy}
	require.NoError(t, img.Configure(&cfg, o))
	m, err := machine.New(cfg)
	require.NoError(t, err)
	require.NoError(t, img.Load(m, o))
	return m, out
}

// ends runs a machine to the guest's own end.
func ends(t *testing.T, m *machine.Machine) {
	t.Helper()
	r, err := m.Run(context.Background(), 10_000_000_000)
	require.NoError(t, err)
	assert.Equal(t, machine.Exited, r.Reason)
	assert.Zero(t, r.Value)
}

func TestCalls(t *testing.T) {
	for _, b := range boots {
		t.Run(b.name, func(t *testing.T) {
			disk, err := Disk(b.calls, b.floppy)
			require.NoError(t, err)
			m, out := boot(t, disk, b.floppy, machine.Config{})
			ends(t, m)
			rest := out.Bytes()
			for _, c := range b.calls {
				var wrong []string
				wrong, rest = c.Judge(rest)
				assert.Empty(t, wrong, "%s: %s", c.Name, c.Do)
			}
			assert.Empty(t, rest)
		})
	}
}

// judgeSeaBIOS holds what SeaBIOS has told to the table: it answers as the table wants, but where the
// table says why it does not. here tells whether it ran on this board.
func judgeSeaBIOS(t *testing.T, calls []Call, here bool, out []byte) {
	t.Helper()
	for _, c := range calls {
		var wrong []string
		wrong, out = c.Judge(out)
		why := c.SeaBIOS
		if here && why == "" {
			why = c.NotHere
		}
		if why == "" {
			assert.Empty(t, wrong, "%s: %s", c.Name, c.Do)
		} else {
			assert.NotEmpty(t, wrong, "%s: SeaBIOS agrees, though: %s", c.Name, why)
		}
	}
	assert.Empty(t, out)
}

// TestROM has the disks booted here by SeaBIOS, in place of the built-in BIOS. It has no INT 10: that is
// in the ROM of a display card, which the board lacks.
func TestROM(t *testing.T) {
	for _, file := range []string{"bios-256k.bin", "bios.bin"} {
		t.Run(file, func(t *testing.T) {
			rom, err := os.ReadFile("/usr/share/seabios/" + file)
			if os.IsNotExist(err) && os.Getenv("X86EMU_PEERS") != "require" {
				t.Skip("SeaBIOS, Debian's package seabios, is not installed")
			}
			require.NoError(t, err)
			for _, b := range boots {
				t.Run(b.name, func(t *testing.T) {
					calls := b.calls
					if !b.floppy {
						calls = calls[len(video):]
					}
					disk, err := Disk(calls, b.floppy)
					require.NoError(t, err)
					m, out := boot(t, disk, b.floppy, machine.Config{Firmware: rom})
					ends(t, m)
					judgeSeaBIOS(t, calls, true, out.Bytes())
				})
			}
		})
	}
}

// TestSeaBIOS asks SeaBIOS on QEMU the same.
func TestSeaBIOS(t *testing.T) {
	program, err := exec.LookPath("qemu-system-x86_64")
	if err != nil && os.Getenv("X86EMU_PEERS") != "require" {
		t.Skip("qemu-system-x86_64 is not installed")
	}
	require.NoError(t, err)
	for _, b := range boots {
		t.Run(b.name, func(t *testing.T) {
			disk, err := Disk(b.calls, b.floppy)
			require.NoError(t, err)
			dir := t.TempDir()
			image, answers := filepath.Join(dir, "disk"), filepath.Join(dir, "answers")
			require.NoError(t, os.WriteFile(image, disk, 0o600))
			kind := "ide"
			if b.floppy {
				kind = "floppy"
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, "-drive", "format=raw,if="+kind+",file="+image, "-m", "64", "-accel", "tcg", "-display", "none",
				"-net", "none", "-no-reboot", "-rtc", "base=2024-01-01", "-debugcon", "file:"+answers, "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
			err = cmd.Run()
			require.NoError(t, ctx.Err(), "no end")
			assert.ErrorContains(t, err, "exit status 1", "the guest's word")
			out, err := os.ReadFile(answers)
			require.NoError(t, err)
			judgeSeaBIOS(t, b.calls, false, out)
		})
	}
}
