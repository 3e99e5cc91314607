package guest

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"x86emu/machine"
	"x86emu/mmu"
)

//go:embed bios/bios.bin
var bios []byte

// BIOS is the built-in BIOS, whose source is guest/bios: ROM for machine.Config.Firmware.
func BIOS() []byte { return slices.Clone(bios) }

// Drives is an image without bytes: what starts is what the firmware finds on the disks
// that the machine's configuration has, or is the firmware itself.
func Drives() *Image { return &Image{Format: Disk} }

// byFirmware tells whether the image is a disk, which firmware boots.
func (img *Image) byFirmware() bool { return img.Format == BootSector || img.Format == Disk }

// Configure completes what a machine for the image is to be made with: a disk image or boot
// sector is the disk in a drive, the first free one for hard disks, or for floppy disks if it has the
// size of one or Options.Floppy says so, and is booted by the built-in BIOS if cfg has no firmware. It leaves the
// configuration for all others as it is. A boot sector needs neither drive nor firmware on a board
// that has none.
func (img *Image) Configure(cfg *machine.Config, o Options) error {
	if !img.byFirmware() {
		if cfg.Firmware != nil {
			return fmt.Errorf("the firmware starts the machine, and would not look at the image: a %s", img.Format)
		}
		return nil
	}
	if cfg.Board != machine.PC {
		if img.Format == Disk {
			return fmt.Errorf("firmware and disks need the board %s", machine.PC)
		}
		return nil
	}
	if cfg.Firmware == nil {
		cfg.Firmware = bios
	}
	if img.disk == nil {
		return nil
	}
	disk, err := newDisk(img.disk)
	if err != nil {
		return err
	}
	drives, names := cfg.Drives.IDE[:], machine.DriveNames[:]
	if o.Floppy || machine.IsFloppy(uint64(len(img.disk))) {
		drives, names = cfg.Drives.Floppy[:1], names[len(cfg.Drives.IDE):]
	}
	free := slices.Index(drives, nil)
	if free < 0 {
		return errors.New("no drive is free for the image")
	}
	drives[free], cfg.BootFrom = disk, names[free]
	return nil
}

// newDisk makes a disk of an image, with zeros up to a whole sector. A small one is in
// the snapshots of its machine.
func newDisk(data []byte) (*machine.Disk, error) {
	if rest := len(data) % sectorSize; rest != 0 {
		data = append(slices.Clip(data), make([]byte, sectorSize-rest)...)
	}
	if len(data) <= machine.MaxMemoryDisk {
		return machine.NewMemoryDisk(data)
	}
	return machine.NewDisk(bytes.NewReader(data), int64(len(data)))
}

// bootAddr is where a boot sector is loaded and entered.
const bootAddr = 0x7c00

// postTicks are many more than the built-in BIOS takes up to a boot sector.
const postTicks = 1 << 32

// start lets the built-in BIOS run up to the first instruction of the boot sector, beside the
// tables that describe the board. Any other firmware stands at its own first one.
func start(m *machine.Machine) error {
	if !bytes.Equal(m.Config().Firmware, bios) {
		return nil
	}
	m.InstallTables()
	entered := false
	m.CPU.SetBreaks([]mmu.Linear{bootAddr}, func(mmu.Linear) bool {
		entered = true
		m.Stop()
		return true
	})
	defer m.CPU.SetBreaks(nil, nil)
	if _, err := m.Run(context.Background(), postTicks); err != nil {
		return err
	}
	if !entered {
		return errors.New("the BIOS finds nothing to boot: no drive has a disk whose first sector ends in 0x55 0xAA")
	}
	return nil
}
