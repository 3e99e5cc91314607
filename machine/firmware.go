package machine

import (
	"fmt"

	"x86emu/mmu"
)

// Limits of Config.Firmware in bytes; the largest is what QEMU's PCs take.
const (
	MinFirmware = 4 << 10
	MaxFirmware = 8 << 20
)

// lowFirmware is how much of a firmware's end is below 1 MiB, too, at most. A PC shows
// 128 KiB there until the chip set is told to have RAM in its place; SeaBIOS of 256 KiB,
// which copies all of itself then, finds it copied.
const lowFirmware = 256 << 10

// CheckFirmware tells what is wrong with the size of a firmware in bytes, if anything is.
func CheckFirmware(size uint64) error {
	if size < MinFirmware || size > MaxFirmware || size%mmu.PageSize != 0 {
		return fmt.Errorf("firmware of %d bytes: must be a multiple of 4K between %dK and %dM", size, MinFirmware>>10, MaxFirmware>>20)
	}
	return nil
}

// mapFirmware puts a firmware where a PC has it: as ROM that ends at 4 GiB, where
// the processor's first instruction is, and its end below 1 MiB, in RAM that can
// be written from the beginning: no register of a chip set locks or opens it.
// [Intel 82441FX data sheet, PAM Registers]
func mapFirmware(mem *mmu.Memory, rom []byte) error {
	if err := CheckFirmware(uint64(len(rom))); err != nil {
		return err
	}
	if err := mem.MapROM(mmu.Phys(1<<32-len(rom)), rom); err != nil {
		return err
	}
	low := rom[max(0, len(rom)-lowFirmware):]
	mem.WriteBytes(mmu.Phys(1<<20-len(low)), low)
	return nil
}

// fitFirmware lists the firmware among the board's parts. Its memory is there, by New,
// or is that of the machine that was forked.
func (m *Machine) fitFirmware() {
	if n := len(m.cfg.Firmware); n > 0 {
		m.parts = append(m.parts, Part{Name: "firmware", What: "ROM", Mem: []mmu.Range{{At: mmu.Phys(1<<32 - n), Len: uint64(n)}}})
	}
}
