package guest

import (
	"encoding/binary"
	"errors"
	"fmt"

	"x86emu/machine"
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
func parseMultiboot(from source, off int) (*Image, error) {
	data := from.data
	flags := binary.LittleEndian.Uint32(data[off+4:])
	if unknown := flags & mbRequired &^ (mbPageAlign | mbMemory | mbVideo); unknown != 0 {
		return nil, fmt.Errorf("multiboot header requires features unknown to the specification (flags 0x%x)", unknown)
	}
	var img *Image
	var err error
	if flags&mbAddresses != 0 {
		img, err = parseAddresses(data, off)
	} else {
		img, err = from.image()
	}
	if err != nil {
		return nil, err
	}
	if img.Entry > 0xffffffff {
		return nil, fmt.Errorf("multiboot entry 0x%x is above 4 GiB", img.Entry)
	}
	img.Format, img.protocol = Multiboot, multiboot1{}
	return img, nil
}

// parseAddresses reads the load addresses of the header, by which any file
// format can be loaded.
func parseAddresses(data []byte, off int) (*Image, error) {
	if len(data)-off < 32 {
		return nil, errors.New("truncated multiboot header")
	}
	field := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(data[off+i:])) }
	return loadByAddresses(data, off, addresses{header: field(12), load: field(16), loadEnd: field(20), bssEnd: field(24), entry: field(28)})
}

// addresses are where a header says that it is, and what of its file goes where.
// A loadEnd of zero is the end of the file, a bssEnd of zero is loadEnd.
type addresses struct{ header, load, loadEnd, bssEnd, entry uint64 }

// loadByAddresses makes an image of a file with a header at off.
func loadByAddresses(data []byte, off int, a addresses) (*Image, error) {
	header, load, loadEnd, bssEnd := a.header, a.load, a.loadEnd, a.bssEnd
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
	return (&Image{Entry: a.entry, Segments: []Segment{s}}).finish()
}

// multiboot1 is the protocol of multiboot 1. Modules are at page boundaries, whether
// or not the header asks for it.
type multiboot1 struct{ fixed }

func (multiboot1) tell(m *machine.Machine, img *Image, o Options) (registers, error) {
	var a area
	info := make([]byte, infoSize)
	at := a.add(info, 4)
	put := func(off int, v uint32) { binary.LittleEndian.PutUint32(a.data[off:], v) }

	le := binary.LittleEndian
	flags := uint32(infoMemory | infoCmdline | infoMap | infoLoader)
	put(4, machine.LowMemoryEnd>>10)
	put(8, uint32((m.RAM()-machine.HighMemory)>>10))
	put(16, a.text(o.Cmdline))
	put(64, a.text(loaderName))
	var ranges []byte
	for _, r := range m.MemoryMap() {
		ranges = le.AppendUint32(ranges, 20)
		ranges = le.AppendUint64(le.AppendUint64(ranges, uint64(r.At)), r.Len)
		ranges = le.AppendUint32(ranges, uint32(r.Kind))
	}
	put(44, uint32(len(ranges)))
	put(48, a.add(ranges, 4))

	if len(o.Modules) > 0 {
		places, err := placeModules(m, img.End(), o.Modules)
		if err != nil {
			return registers{}, err
		}
		var list []byte
		for i, p := range places {
			for _, v := range []uint32{uint32(p.At), uint32(uint64(p.At) + p.Len), a.text(o.Modules[i].Cmdline), 0} {
				list = le.AppendUint32(list, v)
			}
		}
		flags |= infoModules
		put(20, uint32(len(places)))
		put(24, a.add(list, 4))
	}
	put(0, flags)
	return registers{rax: mbLoaded, rbx: uint64(at)}, a.write(m)
}
