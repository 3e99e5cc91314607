package guest

import (
	"encoding/binary"

	"x86emu/machine"
)

// The tags of the boot information. [Multiboot2 Specification 2.0, Boot information
// format]
const (
	infoEnd         = 0
	infoCommandLine = 1
	infoLoaderName  = 2
	infoModule      = 3
	infoMeminfo     = 4
	infoBootDevice  = 5 // never given: no image of a disk has this format
	infoMemoryMap   = 6
	infoFramebuffer = 8
	infoSections    = 9
	infoOldACPI     = 14
	infoNewACPI     = 15
	infoLoadBase    = 21
)

// mb2Absent are the tags for what no board here has.
var mb2Absent = map[uint32]string{
	7: "VBE information", 10: "an APM table", 11: "an EFI system table", 12: "an EFI system table",
	13: "SMBIOS tables", 16: "network information", 17: "an EFI memory map",
	18: "EFI boot services", 19: "an EFI image handle", 20: "an EFI image handle",
}

// infoTags is the boot information as it grows: its tags, without the header.
type infoTags struct{ data []byte }

// words32 gives 32-bit words as bytes.
func words32(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// tag adds a tag made of parts, padded to the next one's place.
func (t *infoTags) tag(kind uint32, parts ...[]byte) {
	size := 8
	for _, p := range parts {
		size += len(p)
	}
	t.data = append(t.data, words32(kind, uint32(size))...)
	for _, p := range parts {
		t.data = append(t.data, p...)
	}
	t.data = append(t.data, make([]byte, -size&7)...)
}

func (t *infoTags) text(kind uint32, s string) { t.tag(kind, append([]byte(s), 0)) }

// end ends the tags and gives the whole information, its size first.
func (t *infoTags) end() []byte {
	t.tag(infoEnd)
	return append(words32(uint32(8+len(t.data)), 0), t.data...)
}

// machine tells of memory, screen and ACPI.
func (t *infoTags) machine(m *machine.Machine) {
	le := binary.LittleEndian
	t.tag(infoMeminfo, words32(machine.LowMemoryEnd>>10, uint32((m.RAM()-machine.HighMemory)>>10)))

	const entrySize, version = 24, 0
	var entries []byte
	for _, r := range m.MemoryMap() {
		entries = le.AppendUint64(le.AppendUint64(entries, uint64(r.At)), r.Len)
		entries = append(entries, words32(uint32(r.Kind), 0)...)
	}
	t.tag(infoMemoryMap, words32(entrySize, version), entries)

	const bitsPerCell, textType = 16, 2
	t.tag(infoFramebuffer, le.AppendUint64(nil, textScreen),
		words32(2*textColumns, textColumns, textLines), []byte{bitsPerCell, textType, 0, 0})

	if rsdp, ok := findRSDP(m); ok {
		t.tag(infoOldACPI, rsdp.data[:rsdpSize])
		if len(rsdp.data) > rsdpSize {
			t.tag(infoNewACPI, rsdp.data)
		}
	}
}

// The text screen, as a loader leaves it: mode 3 of the VGA.
const (
	textMode    = 3
	textScreen  = 0xb8000
	textColumns = 80
	textLines   = 25
	textPoints  = 16 // a character's height
)
