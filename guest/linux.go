package guest

import (
	"encoding/binary"
	"errors"
	"fmt"

	"x86emu/machine"
	"x86emu/mmu"
)

// The setup header of a bzImage, by offsets in the file, which are those in the boot
// parameters too, and the version of the protocol that brought the field.
// [Linux, The Linux/x86 Boot Protocol, The Real-Mode Kernel Header]
const (
	hdrSetupSectors  = 0x1f1
	hdrCodeSize      = 0x1f4 // in units of 16 bytes; 32 bits wide since 2.04
	hdrBootFlag      = 0x1fe
	hdrJump          = 0x201 // the distance from 0x202 to the end of the header
	hdrMagic         = 0x202
	hdrVersion       = 0x206
	hdrLoader        = 0x210
	hdrLoadFlags     = 0x211
	hdrCode32        = 0x214
	hdrInitrd        = 0x218
	hdrInitrdSize    = 0x21c
	hdrCmdline       = 0x228
	hdrInitrdMax     = 0x22c // 2.03
	hdrKernelAlign   = 0x230 // 2.05
	hdrRelocates     = 0x234 // 2.05
	hdrXLoadFlags    = 0x236 // 2.12
	hdrCmdlineMax    = 0x238 // 2.06
	hdrPrefAddress   = 0x258 // 2.10
	hdrInitSize      = 0x260 // 2.10
	hdrCopyEnd       = 0x290 // what follows in the boot parameters is not the header
	linuxMinVersion  = 0x202 // the first with a pointer to the command line
	linuxLoadedHigh  = 1 << 0
	linuxKernel64    = 1 << 0 // of the extended flags
	linuxEntry64     = 0x200  // behind the start of the code
	linuxOtherLoader = 0xff   // a loader without a number

	linuxCode, linuxData = 0x10, 0x18 // the selectors that it expects
)

// isLinux tells a bzImage by the signature of its setup header.
func isLinux(data []byte) bool {
	return len(data) >= hdrVersion+2 && string(data[hdrMagic:hdrMagic+4]) == "HdrS" &&
		binary.LittleEndian.Uint16(data[hdrBootFlag:]) == 0xaa55
}

// linux is the boot protocol of Linux from its 32- or 64-bit entry on: the code in
// real mode that a BIOS would be asked by is left out, and what it finds is told.
type linux struct {
	header                []byte // as in the file, from its beginning on
	relocates             bool
	preferred, align      uint64
	maxCmdline, initrdMax uint64
}

// parseLinux reads a bzImage.
func parseLinux(data []byte) (*Image, error) {
	le := binary.LittleEndian
	version := le.Uint16(data[hdrVersion:])
	if version < linuxMinVersion {
		return nil, fmt.Errorf("a Linux kernel of boot protocol %d.%02d: must be 2.02 or later", version>>8, version&0xff)
	}
	end := min(hdrMagic+int(data[hdrJump]), hdrCopyEnd)
	if end < hdrInitrdMax || len(data) < end {
		return nil, errors.New("truncated Linux kernel: no setup header")
	}
	h := make([]byte, hdrCopyEnd) // fields beyond the header's end are zero
	copy(h, data[:end])
	if h[hdrLoadFlags]&linuxLoadedHigh == 0 {
		return nil, errors.New("a Linux kernel to be loaded below 1 MiB (zImage): must be a bzImage")
	}
	sectors := int(h[hdrSetupSectors])
	if sectors == 0 {
		sectors = 4
	}
	from := (1 + sectors) * sectorSize
	if len(data) <= from {
		return nil, errors.New("truncated Linux kernel: no code behind its setup")
	}
	code := data[from:]
	// The last unit may be there in part.
	if says := 16 * field32(h, hdrCodeSize); version >= 0x204 && uint64(len(code))+15 < says {
		return nil, fmt.Errorf("truncated Linux kernel: %d bytes of code, where its header says %d", len(code), says)
	}
	k := linux{
		header: h, relocates: h[hdrRelocates] != 0, align: max(field32(h, hdrKernelAlign), mmu.PageSize),
		preferred: le.Uint64(h[hdrPrefAddress:]), maxCmdline: field32(h, hdrCmdlineMax), initrdMax: field32(h, hdrInitrdMax),
	}
	if k.align&(k.align-1) != 0 {
		return nil, fmt.Errorf("a Linux kernel to be aligned at %d: must be a power of 2", k.align)
	}
	if k.preferred > 0xffffffff {
		return nil, fmt.Errorf("a Linux kernel to be loaded at 0x%x: must be below 4 GiB", k.preferred)
	}
	if k.maxCmdline == 0 {
		k.maxCmdline = 255
	}
	if k.initrdMax == 0 {
		k.initrdMax = 0x37ffffff
	}
	// It needs so much from where it will run, which may not be where it is loaded.
	size := field32(h, hdrInitSize)
	if !k.relocates && k.preferred > machine.HighMemory {
		size += k.preferred - machine.HighMemory
	}
	img := &Image{
		Format: Linux, Mode: Mode32, Entry: machine.HighMemory, protocol: k,
		Segments: []Segment{{Addr: machine.HighMemory, Size: max(size, uint64(len(code))), Data: code}},
	}
	if le.Uint16(h[hdrXLoadFlags:])&linuxKernel64 != 0 {
		img.Mode, img.Entry = Mode64, img.Entry+linuxEntry64
	}
	return img.finish()
}

// settle moves a kernel to the address that it prefers, or, where RAM ends before, to
// the lowest that is aligned as it must be.
func (k linux) settle(img *Image, ram uint64) (*Image, error) {
	if !k.relocates {
		return img, nil
	}
	up := func(p uint64) uint64 { return (p + k.align - 1) &^ (k.align - 1) }
	if to := up(k.preferred); to >= machine.HighMemory && to < ram && img.Segments[0].Size <= ram-to {
		return img.moved(machine.HighMemory, to), nil
	}
	return img.moved(machine.HighMemory, up(machine.HighMemory)), nil
}

// The boot parameters beside the header. [Linux, The Linux/x86 Boot Protocol, Zero
// Page]
const (
	bpCursor     = 0x000
	bpExtendedK  = 0x002
	bpVideoMode  = 0x006
	bpColumns    = 0x007
	bpLines      = 0x00e
	bpVGA        = 0x00f
	bpPoints     = 0x010
	bpRSDP       = 0x070
	bpHighK      = 0x1e0
	bpE820Number = 0x1e8
	bpE820       = 0x2d0
	bpE820Max    = 128
	bpSize       = 4096
)

func (k linux) tell(m *machine.Machine, img *Image, o Options) (registers, error) {
	if uint64(len(o.Cmdline)) > k.maxCmdline {
		return registers{}, fmt.Errorf("a command line of %d bytes: this kernel takes %d", len(o.Cmdline), k.maxCmdline)
	}
	initrd, err := k.placeInitrd(m, img, o.Modules)
	if err != nil {
		return registers{}, err
	}
	var a area
	at := a.add(make([]byte, bpSize), mmu.PageSize)
	cmdline := a.text(o.Cmdline)

	le, p := binary.LittleEndian, a.data
	copy(p[hdrSetupSectors:], k.header[hdrSetupSectors:])
	p[hdrLoader] = linuxOtherLoader
	put := func(off int, v uint32) { le.PutUint32(p[off:], v) }
	put(hdrCode32, uint32(img.Segments[0].Addr))
	put(hdrInitrd, uint32(initrd.At))
	put(hdrInitrdSize, uint32(initrd.Len))
	put(hdrCmdline, cmdline)

	highK := (m.RAM() - machine.HighMemory) >> 10
	le.PutUint16(p[bpExtendedK:], uint16(min(highK, 0xffff)))
	put(bpHighK, uint32(highK))
	p[bpVideoMode], p[bpColumns], p[bpLines], p[bpVGA] = textMode, textColumns, textLines, 1
	le.PutUint16(p[bpPoints:], textPoints)
	if rsdp, ok := findRSDP(m); ok {
		le.PutUint64(p[bpRSDP:], uint64(rsdp.at))
	}
	list := m.MemoryMap()
	list = list[:min(len(list), bpE820Max)]
	p[bpE820Number] = uint8(len(list))
	for i, r := range list {
		e := p[bpE820+20*i:]
		le.PutUint64(e, uint64(r.At))
		le.PutUint64(e[8:], r.Len)
		le.PutUint32(e[16:], uint32(r.Kind))
	}
	return registers{rsi: uint64(at)}, a.write(m)
}

// placeInitrd puts the initial RAM disk as high as the kernel allows, at a page
// boundary. Without one the range is zero.
func (k linux) placeInitrd(m *machine.Machine, img *Image, mods []Module) (r mmu.Range, err error) {
	switch {
	case len(mods) == 0:
		return r, nil
	case len(mods) > 1:
		return r, fmt.Errorf("%d modules: a Linux kernel takes one, its initrd", len(mods))
	}
	size, behind, end := uint64(len(mods[0].Data)), img.End(), min(k.initrdMax+1, m.RAM())
	if end < size || (end-size)&^mmu.PageMask < behind {
		return r, fmt.Errorf("the initrd of %d bytes does not fit between the kernel's end at 0x%x and 0x%x", size, behind, end)
	}
	r = mmu.Range{At: mmu.Phys(end-size) &^ mmu.PageMask, Len: size}
	m.Mem.WriteBytes(r.At, mods[0].Data)
	return r, nil
}
