package guest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"x86emu/machine"
	"x86emu/mmu"
)

// Format is the kind of an image.
type Format uint8

const (
	Multiboot Format = iota
	Multiboot2
	Linux
	PVH
	ELF32
	ELF64
	BootSector
	Flat
	Disk
)

func (f Format) String() string {
	return [...]string{"multiboot", "multiboot 2", "Linux bzImage", "PVH", "ELF32", "ELF64", "boot sector", "flat binary", "disk image"}[f]
}

// Segment is a piece of an image: Data at a physical address, then zeros up to
// Size bytes.
type Segment struct {
	Addr uint64
	Size uint64 // at least len(Data)
	Data []byte
}

// Image is a parsed image. Segments are sorted, not empty, and do not overlap.
type Image struct {
	Format   Format
	Segments []Segment
	Entry    uint64 // physical address of the first instruction
	Mode     Mode   // Flat, Linux: the mode of the first instruction
	CPL      uint8  // Flat: its privilege level

	disk     []byte   // Disk, boot sector: all of it; nil: what the machine's drives have
	protocol protocol // nil: entered and told nothing
}

// Module is a file that a loader puts beside the kernel.
type Module struct {
	Data    []byte
	Cmdline string
}

// Options are what an image is given at start.
type Options struct {
	Cmdline string   // multiboot, Linux, PVH
	Modules []Module // multiboot, PVH; Linux: one, the initrd
	Floppy  bool     // boot sector, disk: in the first floppy drive, not the first hard disk
}

// Where the loader keeps what it makes: descriptors, page tables, multiboot
// information. No image may load there.
const (
	BootArea    = 0x90000
	BootAreaEnd = machine.LowMemoryEnd

	gdtAddr  = BootArea
	pml4Addr = BootArea + 0x1000
	infoAddr = BootArea + 0x8000
)

var errUnknown = errors.New("unknown image format: neither multiboot, a Linux bzImage, ELF nor a boot sector or disk image that has 0x55 0xAA at the end of its first 512 bytes (a flat binary needs its load address)")

// isDisk tells the image of a disk that a BIOS can boot from: whole sectors, the first
// of them signed.
func isDisk(data []byte) bool {
	return len(data) > sectorSize && len(data)%sectorSize == 0 && signed(data)
}

// Parse tells an image's format by its bytes. Of several that one file has, the first
// of these is taken, as QEMU's -kernel does: Linux, multiboot 1 (but PVH where a
// 64-bit ELF file has both), PVH, multiboot 2, ELF; then a boot sector, or a disk, whose
// first sector is one.
func Parse(data []byte) (*Image, error) {
	switch {
	case machine.IsSnapshot(data):
		return nil, errors.New("a snapshot of a machine, and no image to be loaded into one")
	case len(data) == 0:
		return nil, errors.New("the image is empty")
	case isLinux(data):
		return parseLinux(data)
	}
	file, bad := openELF(data)
	entry, pvh := file.pvhEntry()
	h1, mb1 := findMultiboot(data)
	h2, mb2 := findMultiboot2(data)
	if file == nil && isDisk(data) {
		mb1, mb2 = false, false // the headers are GRUB's own, on whose disks they stand
	}
	from := source{data, file, bad}
	switch {
	case mb1 && !(pvh && file.class == elfClass64):
		return parseMultiboot(from, h1)
	case pvh:
		return parsePVH(file, entry)
	case mb2:
		return parseMultiboot2(from, h2)
	case file != nil || bad != nil:
		return from.image()
	case len(data) >= sectorSize && signed(data):
		return diskImage(data), nil
	}
	return nil, errUnknown
}

// source is the file of an image, and as ELF, if it is that: file, or what is bad
// about it.
type source struct {
	data []byte
	file *elfFile
	bad  error
}

// image is what an ELF file loads.
func (f source) image() (*Image, error) {
	switch {
	case f.bad != nil:
		return nil, f.bad
	case f.file == nil:
		return nil, errors.New("multiboot image is neither ELF nor has load addresses in its header")
	}
	return f.file.image()
}

const sectorSize = 512

// signed tells whether a sector says that it can be booted.
func signed(sector []byte) bool { return sector[510] == 0x55 && sector[511] == 0xaa }

// diskImage is a disk that begins with a boot sector, or only that.
func diskImage(data []byte) *Image {
	img := &Image{
		Format: Disk, disk: data, Entry: bootAddr,
		Segments: []Segment{{Addr: bootAddr, Size: sectorSize, Data: data[:sectorSize]}},
	}
	if len(data) == sectorSize {
		img.Format = BootSector
	}
	return img
}

// ParseFlat makes an image of bytes without format: loaded at an address and
// entered there in a mode and at a CPL (0 to 3). 16-bit code at CPL 0 starts
// in real mode and must lie below 1 MiB; at another CPL it starts in protected
// mode and must lie below 64 KiB.
func ParseFlat(data []byte, addr uint64, mode Mode, cpl uint8) (*Image, error) {
	limit := uint64(1) << 32
	switch {
	case mode == Mode16 && cpl == 0:
		limit = 1 << 20
	case mode == Mode16:
		limit = 1 << 16
	}
	switch {
	case len(data) == 0:
		return nil, errors.New("the image is empty")
	case mode != Mode16 && mode != Mode32 && mode != Mode64:
		return nil, fmt.Errorf("mode %d: must be 16, 32 or 64", mode)
	case cpl > 3:
		return nil, fmt.Errorf("CPL %d: must be 0 to 3", cpl)
	case addr >= limit:
		return nil, fmt.Errorf("load address 0x%x: code of this mode must start below 0x%x", addr, limit)
	}
	return &Image{
		Format: Flat, Entry: addr, Mode: mode, CPL: cpl,
		Segments: []Segment{{Addr: addr, Size: uint64(len(data)), Data: data}},
	}, nil
}

// finish sorts the segments and checks that they are disjoint and that the
// entry lies in one of them.
func (img *Image) finish() (*Image, error) {
	if len(img.Segments) == 0 {
		return nil, errors.New("the image has no loadable segment")
	}
	slices.SortFunc(img.Segments, func(a, b Segment) int { return cmp.Compare(a.Addr, b.Addr) })
	for i, s := range img.Segments {
		if s.Addr+s.Size < s.Addr {
			return nil, fmt.Errorf("segment at 0x%x wraps around the end of the address space", s.Addr)
		}
		if i > 0 && img.Segments[i-1].Addr+img.Segments[i-1].Size > s.Addr {
			return nil, fmt.Errorf("segments at 0x%x and 0x%x overlap", img.Segments[i-1].Addr, s.Addr)
		}
	}
	if !slices.ContainsFunc(img.Segments, func(s Segment) bool { return img.Entry >= s.Addr && img.Entry < s.Addr+s.Size }) {
		return nil, fmt.Errorf("entry 0x%x lies in no segment", img.Entry)
	}
	return img, nil
}

// End is the first address above the image.
func (img *Image) End() uint64 {
	s := img.Segments[len(img.Segments)-1]
	return s.Addr + s.Size
}

// Load puts the image into a fresh machine (its RAM is zero) and sets its
// processor to the state at entry. Where the machine has firmware, the image is what
// Configure put into a drive: the built-in BIOS runs until it enters the boot sector,
// and other firmware stands at its first instruction.
func (img *Image) Load(m *machine.Machine, o Options) error {
	if img.protocol != nil {
		var err error
		if img, err = img.protocol.settle(img, m.RAM()); err != nil {
			return err
		}
	} else if err := img.refuse(o); err != nil {
		return err
	}
	if img.byFirmware() && m.Config().Firmware != nil {
		return start(m)
	}
	if img.Format == Disk {
		return errors.New("a disk image is booted by firmware, which the machine lacks")
	}
	if end := img.End(); end > m.RAM() {
		return fmt.Errorf("the image needs memory up to 0x%x, more than the %d MiB of RAM", end, m.RAM()>>20)
	}
	for _, s := range img.Segments {
		if s.Addr < BootAreaEnd && s.Addr+s.Size > BootArea && img.Format != BootSector && !img.real() {
			return fmt.Errorf("segment at 0x%x overlaps the loader's area 0x%x-0x%x", s.Addr, BootArea, BootAreaEnd-1)
		}
	}
	if err := img.checkModel(m.Config().Model); err != nil {
		return err
	}
	m.InstallTables()
	var told registers
	if img.protocol != nil {
		var err error
		if told, err = img.protocol.tell(m, img, o); err != nil {
			return err
		}
	}
	for _, s := range img.Segments {
		m.Mem.WriteBytes(mmu.Phys(s.Addr), s.Data)
	}
	img.enter(m, told, o.Floppy)
	return nil
}
