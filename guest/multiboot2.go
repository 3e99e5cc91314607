package guest

import (
	"encoding/binary"
	"errors"
	"fmt"

	"x86emu/machine"
)

// [Multiboot2 Specification 2.0, OS image format]
const (
	mb2Magic  = 0xe85250d6
	mb2Loaded = 0x36d76289
	mb2Search = 32768
	mb2Header = 16
	mb2I386   = 0 // architecture

	hdrEnd         = 0
	hdrRequest     = 1
	hdrAddress     = 2
	hdrEntry       = 3
	hdrConsole     = 4
	hdrFramebuffer = 5
	hdrAlignment   = 6
	hdrEFIServices = 7
	hdrEntryEFI32  = 8
	hdrEntryEFI64  = 9
	hdrRelocatable = 10

	hdrOptional = 1 << 0 // of a tag's flags

	consoleRequired = 1 << 0
	consoleText     = 1 << 1 // the kernel can do with the text screen

	preferLowest  = 1
	preferHighest = 2
)

// findMultiboot2 gives the offset of the multiboot 2 header: at a multiple of 8,
// whole within the first 32 KiB, its first four words adding up to zero.
func findMultiboot2(data []byte) (int, bool) {
	n := min(len(data), mb2Search)
	le := binary.LittleEndian
	for off := 0; off+mb2Header <= n; off += 8 {
		h := data[off:]
		if magic := le.Uint32(h); magic == mb2Magic && magic+le.Uint32(h[4:])+le.Uint32(h[8:])+le.Uint32(h[12:]) == 0 {
			return off, true
		}
	}
	return 0, false
}

// multiboot2 is the protocol of multiboot 2, for the BIOS's PC: the header's tags
// for EFI, and modules' alignment, ask for nothing that a kernel here would miss.
type multiboot2 struct {
	relocatable *relocation  // nil: it runs where it was linked
	sections    *elfSections // nil: not from an ELF file
}

// relocation is where a relocatable image may go.
type relocation struct {
	from, to   uint64 // the lowest and the highest address of the image
	align      uint64
	preference uint32
}

// mb2Tags are the tags of a header.
type mb2Tags struct {
	address, entry []byte
	relocation     *relocation
	console        uint32
}

// parseMultiboot2 reads an image with a multiboot 2 header at off.
func parseMultiboot2(from source, off int) (*Image, error) {
	data := from.data
	le := binary.LittleEndian
	if arch := le.Uint32(data[off+4:]); arch != mb2I386 {
		return nil, fmt.Errorf("multiboot 2 header for architecture %d: must be %d, i386", arch, mb2I386)
	}
	length := uint64(le.Uint32(data[off+8:]))
	if length < mb2Header || uint64(off)+length > uint64(min(len(data), mb2Search)) {
		return nil, fmt.Errorf("multiboot 2 header of %d bytes: must lie within the file and its first %d KiB", length, mb2Search>>10)
	}
	tags, err := readMB2Tags(data[off+mb2Header : off+int(length)])
	if err != nil {
		return nil, err
	}
	if tags.console&(consoleRequired|consoleText) == consoleRequired {
		return nil, errors.New("the multiboot 2 header requires a console and cannot do with the text screen, which is all that there is")
	}
	protocol := multiboot2{relocatable: tags.relocation}
	var img *Image
	if tags.address != nil {
		if tags.entry == nil {
			return nil, errors.New("multiboot 2 header with load addresses and no entry address")
		}
		a := addresses{header: field32(tags.address, 8), load: field32(tags.address, 12), loadEnd: field32(tags.address, 16), bssEnd: field32(tags.address, 20)}
		if a.load == 0xffffffff { // the whole file
			a.load = a.header - uint64(off)
		}
		a.entry = field32(tags.entry, 8)
		img, err = loadByAddresses(data, off, a)
	} else {
		if img, err = from.image(); err == nil {
			protocol.sections, err = from.file.sections()
		}
	}
	if err != nil {
		return nil, err
	}
	if tags.entry != nil {
		img.Entry = field32(tags.entry, 8)
	}
	if img.Entry > 0xffffffff {
		return nil, fmt.Errorf("multiboot 2 entry 0x%x is above 4 GiB", img.Entry)
	}
	img.Format, img.protocol = Multiboot2, protocol
	return img.finish()
}

func field32(b []byte, off int) uint64 { return uint64(binary.LittleEndian.Uint32(b[off:])) }

// hdrSizes are the sizes of the tags that are read.
var hdrSizes = map[uint16]uint64{hdrAddress: 24, hdrEntry: 12, hdrConsole: 12, hdrFramebuffer: 20, hdrRelocatable: 24}

// readMB2Tags reads the tags of a header, each at a multiple of 8, up to the one that
// ends them.
func readMB2Tags(b []byte) (t mb2Tags, err error) {
	le := binary.LittleEndian
	for len(b) >= 8 {
		kind, optional, size := le.Uint16(b), le.Uint16(b[2:])&hdrOptional != 0, uint64(le.Uint32(b[4:]))
		if kind == hdrEnd {
			return t, nil
		}
		if size < max(8, hdrSizes[kind]) || size > uint64(len(b)) {
			return t, fmt.Errorf("multiboot 2 header tag %d of %d bytes: too short, or longer than the header", kind, size)
		}
		tag := b[:size]
		switch kind {
		case hdrRequest:
			if !optional {
				err = checkRequests(tag[8:])
			}
		case hdrAddress:
			t.address = tag
		case hdrEntry:
			t.entry = tag
		case hdrConsole:
			t.console = le.Uint32(tag[8:])
		case hdrRelocatable:
			t.relocation, err = readRelocation(tag)
		case hdrFramebuffer, hdrAlignment, hdrEFIServices, hdrEntryEFI32, hdrEntryEFI64:
		default:
			if !optional {
				err = fmt.Errorf("the multiboot 2 header requires tag %d, which the specification does not know", kind)
			}
		}
		if err != nil {
			return t, err
		}
		b = b[min((size+7)&^7, uint64(len(b))):]
	}
	return t, errors.New("multiboot 2 header without the tag that ends it")
}

// checkRequests refuses a request for information that is never given.
func checkRequests(list []byte) error {
	for ; len(list) >= 4; list = list[4:] {
		kind := binary.LittleEndian.Uint32(list)
		if name, absent := mb2Absent[kind]; absent {
			return fmt.Errorf("the multiboot 2 header requires %s (tag %d), which this board does not have", name, kind)
		}
		if kind > infoLoadBase {
			return fmt.Errorf("the multiboot 2 header requires information by tag %d, which the specification does not know", kind)
		}
	}
	return nil
}

// readRelocation reads the tag of a relocatable image.
func readRelocation(tag []byte) (*relocation, error) {
	r := &relocation{from: field32(tag, 8), to: field32(tag, 12), align: max(field32(tag, 16), 1), preference: uint32(field32(tag, 20))}
	if r.align&(r.align-1) != 0 {
		return nil, fmt.Errorf("multiboot 2 image to be aligned at %d: must be a power of 2", r.align)
	}
	return r, nil
}

// settle chooses the place of a relocatable image: the one it was linked at where that
// is allowed and none is preferred, else the lowest or the highest above 1 MiB.
func (p multiboot2) settle(img *Image, ram uint64) (*Image, error) {
	r := p.relocatable
	if r == nil {
		return img, nil
	}
	linked, size := img.Segments[0].Addr, img.End()-img.Segments[0].Addr
	low := (max(r.from, machine.HighMemory) + r.align - 1) &^ (r.align - 1)
	end := min(r.to+1, ram)
	if end < size || (end-size)&^(r.align-1) < low {
		return nil, fmt.Errorf("the image of %d bytes does not fit between 0x%x and 0x%x, where it is to be", size, low, end)
	}
	high := (end - size) &^ (r.align - 1)
	to := low
	switch {
	case r.preference == preferHighest:
		to = high
	case r.preference != preferLowest && linked >= low && linked <= high && linked&(r.align-1) == 0:
		to = linked
	}
	return img.moved(linked, to), nil
}

// tell makes the information. [Multiboot2 Specification 2.0, Machine state;
// Boot information format]
func (p multiboot2) tell(m *machine.Machine, img *Image, o Options) (registers, error) {
	behind := img.End()
	var t infoTags
	t.text(infoCommandLine, o.Cmdline)
	t.text(infoLoaderName, loaderName)
	if p.sections != nil {
		var table []byte
		var err error
		if table, behind, err = p.sections.place(m, behind); err != nil {
			return registers{}, err
		}
		s := p.sections
		t.tag(infoSections, words32(s.num, s.entsize, s.names), table)
	}
	places, err := placeModules(m, behind, o.Modules)
	if err != nil {
		return registers{}, err
	}
	for i, at := range places {
		t.tag(infoModule, words32(uint32(at.At), uint32(uint64(at.At)+at.Len)), append([]byte(o.Modules[i].Cmdline), 0))
	}
	t.machine(m)
	if p.relocatable != nil {
		t.tag(infoLoadBase, words32(uint32(img.Segments[0].Addr)))
	}
	var a area
	at := a.add(t.end(), 8)
	return registers{rax: mb2Loaded, rbx: uint64(at)}, a.write(m)
}
