package guest

import (
	"bytes"
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
	ELF32
	ELF64
	BootSector
	Flat
)

func (f Format) String() string {
	return [...]string{"multiboot", "ELF32", "ELF64", "boot sector", "flat binary"}[f]
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
	Mode     Mode   // Flat: the mode of the first instruction
	CPL      uint8  // Flat: its privilege level

	pageModules bool // Multiboot: modules start at page boundaries
}

// Module is a file that a multiboot loader puts beside the kernel.
type Module struct {
	Data    []byte
	Cmdline string
}

// Options are what an image is given at start.
type Options struct {
	Cmdline string   // multiboot
	Modules []Module // multiboot
	Floppy  bool     // boot sector: of the first floppy disk, not of the first hard disk
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

var errUnknown = errors.New("unknown image format: neither multiboot, ELF nor a 512-byte boot sector (a flat binary needs its load address)")

// Parse tells an image's format by its bytes. A multiboot header comes before
// ELF, ELF before a boot sector.
func Parse(data []byte) (*Image, error) {
	if machine.IsSnapshot(data) {
		return nil, errors.New("a snapshot of a machine, and no image to be loaded into one")
	}
	if h, ok := findMultiboot(data); ok {
		return parseMultiboot(data, h)
	}
	if bytes.HasPrefix(data, []byte("\x7fELF")) {
		return parseELF(data)
	}
	if len(data) == sectorSize && signed(data) {
		return sectorImage(data), nil
	}
	if len(data) == 0 {
		return nil, errors.New("the image is empty")
	}
	if isLinux(data) {
		return nil, errors.New("a Linux kernel (bzImage): it needs the Linux boot protocol, and a multiboot or ELF image is what can be loaded")
	}
	return nil, errUnknown
}

// isLinux tells a bzImage by the signature of its setup header.
// [Linux, The Linux/x86 Boot Protocol]
func isLinux(data []byte) bool {
	const at = 0x202
	return len(data) >= at+4 && string(data[at:at+4]) == "HdrS"
}

// ParseDisk makes an image of the first sector of a disk. It must end in 0x55
// 0xAA, unless unsigned says that it need not.
func ParseDisk(disk []byte, unsigned bool) (*Image, error) {
	switch {
	case len(disk) < sectorSize:
		return nil, fmt.Errorf("a disk image of %d bytes: its first sector has %d", len(disk), sectorSize)
	case !unsigned && !signed(disk):
		return nil, errors.New("not a bootable disk: its first sector does not end in 0x55 0xAA")
	}
	return sectorImage(disk[:sectorSize]), nil
}

const sectorSize = 512

// signed tells whether a sector says that it can be booted.
func signed(sector []byte) bool { return sector[510] == 0x55 && sector[511] == 0xaa }

func sectorImage(sector []byte) *Image {
	return &Image{Format: BootSector, Entry: 0x7c00, Segments: []Segment{{Addr: 0x7c00, Size: sectorSize, Data: sector}}}
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
// processor to the state at entry.
func (img *Image) Load(m *machine.Machine, o Options) error {
	if end := img.End(); end > m.RAM() {
		return fmt.Errorf("the image needs memory up to 0x%x, more than the %d MiB of RAM", end, m.RAM()>>20)
	}
	for _, s := range img.Segments {
		if s.Addr < BootAreaEnd && s.Addr+s.Size > BootArea && img.Format != BootSector && !img.real() {
			return fmt.Errorf("segment at 0x%x overlaps the loader's area 0x%x-0x%x", s.Addr, BootArea, BootAreaEnd-1)
		}
	}
	if img.Format != Multiboot && len(o.Modules) > 0 {
		return fmt.Errorf("modules need a multiboot image, this is a %s", img.Format)
	}
	if img.Format != Multiboot && o.Cmdline != "" {
		return fmt.Errorf("a command line needs a multiboot image, this is a %s", img.Format)
	}
	if err := img.checkModel(m.Config().Model); err != nil {
		return err
	}
	info := uint64(0)
	if img.Format == Multiboot {
		var err error
		if info, err = img.writeInfo(m, o); err != nil {
			return err
		}
	}
	for _, s := range img.Segments {
		m.Mem.WriteBytes(mmu.Phys(s.Addr), s.Data)
	}
	img.enter(m, info, o.Floppy)
	return nil
}
