package guest

import (
	"encoding/binary"
	"errors"
	"fmt"

	"x86emu/machine"
	"x86emu/mmu"
)

// [Multiboot Specification, The layout of Multiboot header; Boot information format]
const (
	mbMagic     = 0x1badb002
	mbLoaded    = 0x2badb002
	mbSearch    = 8192
	mbPageAlign = 1 << 0  // modules at page boundaries
	mbMemory    = 1 << 1  // memory information wanted
	mbVideo     = 1 << 2  // a video mode wanted
	mbAddresses = 1 << 16 // the address fields are valid
	mbRequired  = 0xffff  // flags that a loader must understand

	infoSize    = 0x78
	infoMemory  = 1 << 0
	infoCmdline = 1 << 2
	infoModules = 1 << 3
	infoMap     = 1 << 6
	infoLoader  = 1 << 9
)

const loaderName = "x86emu"

// findMultiboot gives the offset of the multiboot header: at a multiple of 4,
// whole within the first 8 KiB, its first three words adding up to zero.
func findMultiboot(data []byte) (int, bool) {
	n := min(len(data), mbSearch)
	for off := 0; off+12 <= n; off += 4 {
		h := data[off:]
		if magic := binary.LittleEndian.Uint32(h); magic == mbMagic &&
			magic+binary.LittleEndian.Uint32(h[4:])+binary.LittleEndian.Uint32(h[8:]) == 0 {
			return off, true
		}
	}
	return 0, false
}

// parseMultiboot reads an image with a multiboot header at off.
func parseMultiboot(data []byte, off int) (*Image, error) {
	flags := binary.LittleEndian.Uint32(data[off+4:])
	if unknown := flags & mbRequired &^ (mbPageAlign | mbMemory | mbVideo); unknown != 0 {
		return nil, fmt.Errorf("multiboot header requires features unknown to the specification (flags 0x%x)", unknown)
	}
	img, err := (*Image)(nil), error(nil)
	switch {
	case flags&mbAddresses != 0:
		img, err = parseAddresses(data, off)
	case len(data) >= 4 && string(data[:4]) == "\x7fELF":
		img, err = parseELF(data)
	default:
		return nil, errors.New("multiboot image is neither ELF nor has load addresses in its header")
	}
	if err != nil {
		return nil, err
	}
	if img.Entry > 0xffffffff {
		return nil, fmt.Errorf("multiboot entry 0x%x is above 4 GiB", img.Entry)
	}
	img.Format = Multiboot
	img.pageModules = flags&mbPageAlign != 0
	return img, nil
}

// parseAddresses reads the load addresses of the header, by which any file
// format can be loaded.
func parseAddresses(data []byte, off int) (*Image, error) {
	if len(data)-off < 32 {
		return nil, errors.New("truncated multiboot header")
	}
	field := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(data[off+i:])) }
	header, load, loadEnd, bssEnd, entry := field(12), field(16), field(20), field(24), field(28)
	if load > header || header-load > uint64(off) {
		return nil, fmt.Errorf("multiboot header at 0x%x is not where its load address 0x%x puts it", header, load)
	}
	data = data[uint64(off)-(header-load):]
	size := uint64(len(data))
	if loadEnd != 0 {
		if loadEnd < load {
			return nil, fmt.Errorf("multiboot load end 0x%x lies below load address 0x%x", loadEnd, load)
		}
		if loadEnd-load > size {
			return nil, errors.New("truncated multiboot image: it ends before its load end address")
		}
		size = loadEnd - load
	}
	s := Segment{Addr: load, Size: size, Data: data[:size]}
	if bssEnd != 0 {
		if bssEnd < load+size {
			return nil, fmt.Errorf("multiboot bss end 0x%x lies below the end of the loaded part 0x%x", bssEnd, load+size)
		}
		s.Size = bssEnd - load
	}
	if s.Size == 0 {
		return nil, errors.New("the image has no loadable segment")
	}
	return (&Image{Entry: entry, Segments: []Segment{s}}).finish()
}

// writeInfo places modules behind the image and the boot information into the
// loader's area, and returns its address.
func (img *Image) writeInfo(m *machine.Machine, o Options) (uint64, error) {
	info := make([]byte, infoSize, BootAreaEnd-infoAddr)
	room := true
	// add appends to the information and gives the address.
	add := func(b []byte) uint32 {
		for len(info)%4 != 0 {
			info = append(info, 0)
		}
		at := infoAddr + len(info)
		if len(info)+len(b) > BootAreaEnd-infoAddr-8 {
			room = false
			return 0
		}
		info = append(info, b...)
		return uint32(at)
	}
	put := func(off int, v uint32) { binary.LittleEndian.PutUint32(info[off:], v) }
	text := func(s string) uint32 { return add(append([]byte(s), 0)) }

	le := binary.LittleEndian
	put(0, infoMemory|infoCmdline|infoMap|infoLoader)
	put(4, machine.LowMemoryEnd>>10)
	put(8, uint32((m.RAM()-machine.HighMemory)>>10))
	put(16, text(o.Cmdline))
	put(64, text(loaderName))
	var ranges []byte
	for _, r := range m.MemoryMap() {
		ranges = le.AppendUint32(ranges, 20)
		ranges = le.AppendUint64(le.AppendUint64(ranges, uint64(r.At)), r.Len)
		ranges = le.AppendUint32(ranges, uint32(r.Kind))
	}
	put(44, uint32(len(ranges)))
	put(48, add(ranges))

	if len(o.Modules) > 0 {
		var list []byte
		next := max(img.End(), machine.HighMemory)
		for i, mod := range o.Modules {
			next = (next + mmu.PageMask) &^ mmu.PageMask
			end := next + uint64(len(mod.Data))
			if end > m.RAM() {
				return 0, fmt.Errorf("module %d needs memory up to 0x%x, more than the %d MiB of RAM", i+1, end, m.RAM()>>20)
			}
			m.Mem.WriteBytes(mmu.Phys(next), mod.Data)
			for _, v := range []uint32{uint32(next), uint32(end), text(mod.Cmdline), 0} {
				list = le.AppendUint32(list, v)
			}
			next = end
		}
		put(0, le.Uint32(info)|infoModules)
		put(20, uint32(len(o.Modules)))
		put(24, add(list))
	}
	if !room {
		return 0, fmt.Errorf("command line and modules need more than the %d KiB that the loader has for them", (BootAreaEnd-infoAddr)>>10)
	}
	m.Mem.WriteBytes(infoAddr, info)
	return infoAddr, nil
}
