package guest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"x86emu/machine"
	"x86emu/mmu"
)

// [Xen, x86/HVM direct boot ABI; public/arch-x86/hvm/start_info.h; public/elfnote.h]
const (
	xenPhys32Entry = 18 // the note that holds the entry
	pvhMagic       = 0x336ec578
	pvhVersion     = 1
	pvhTSSLimit    = 0x67
)

// pvhEntry finds the note that names an entry for PVH. A nil file has none.
func (f *elfFile) pvhEntry() (entry uint64, ok bool) {
	if f == nil {
		return 0, false
	}
	for _, ph := range f.headers {
		if binary.LittleEndian.Uint32(ph) != elfNote {
			continue
		}
		notes, _ := f.piece(f.word(ph, f.layout.offset), f.word(ph, f.layout.filesz))
		align := uint64(4)
		if f.word(ph, f.layout.align) == 8 {
			align = 8
		}
		if entry, ok = findXenEntry(notes, align); ok {
			return entry, true
		}
	}
	return 0, false
}

// findXenEntry looks for the entry in a segment of notes, each of which has a name
// and a descriptor, padded to align. [ELF-64 Object File Format, Note Section]
func findXenEntry(notes []byte, align uint64) (entry uint64, ok bool) {
	const header = 12
	le := binary.LittleEndian
	for len(notes) >= header {
		nameLen, descLen, kind := uint64(le.Uint32(notes)), uint64(le.Uint32(notes[4:])), le.Uint32(notes[8:])
		desc := (header + nameLen + align - 1) &^ (align - 1)
		end := desc + descLen
		if end > uint64(len(notes)) {
			break
		}
		if kind == xenPhys32Entry && bytes.Equal(notes[header:header+nameLen], []byte("Xen\x00")) {
			switch descLen {
			case 4:
				return uint64(le.Uint32(notes[desc:])), true
			case 8:
				return le.Uint64(notes[desc:]), true
			}
		}
		notes = notes[min((end+align-1)&^(align-1), uint64(len(notes))):]
	}
	return 0, false
}

// parsePVH makes an image of an ELF file that names an entry for PVH.
func parsePVH(file *elfFile, entry uint64) (*Image, error) {
	img, err := file.image()
	if err != nil {
		return nil, err
	}
	if entry > 0xffffffff {
		return nil, fmt.Errorf("PVH entry 0x%x is above 4 GiB", entry)
	}
	img.Format, img.Entry, img.protocol = PVH, entry, pvh{}
	return img.finish()
}

// pvh is the protocol of PVH, version 1 of the start information.
type pvh struct{ fixed }

func (pvh) tell(m *machine.Machine, img *Image, o Options) (registers, error) {
	le := binary.LittleEndian
	places, err := placeModules(m, img.End(), o.Modules)
	if err != nil {
		return registers{}, err
	}
	var a area
	quads := func(b []byte, values ...uint64) []byte {
		for _, v := range values {
			b = le.AppendUint64(b, v)
		}
		return b
	}
	var modules, ranges []byte
	for i, p := range places {
		modules = quads(modules, uint64(p.At), p.Len, uint64(a.text(o.Modules[i].Cmdline)), 0)
	}
	list := m.MemoryMap()
	for _, r := range list {
		ranges = quads(ranges, uint64(r.At), r.Len, uint64(r.Kind))
	}
	var rsdpAt mmu.Phys
	if rsdp, ok := findRSDP(m); ok {
		rsdpAt = rsdp.at
	}
	var info []byte
	for _, v := range []uint32{pvhMagic, pvhVersion, 0, uint32(len(places))} {
		info = le.AppendUint32(info, v)
	}
	info = quads(info, uint64(a.add(modules, 8)), uint64(a.text(o.Cmdline)), uint64(rsdpAt), uint64(a.add(ranges, 8)), uint64(len(list)))
	return registers{rbx: uint64(a.add(info, 8))}, a.write(m)
}
