package guest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
	"x86emu/mmu"
)

// hdrTag is a tag of a multiboot 2 header, padded.
func hdrTag(kind, flags uint16, values ...uint32) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = append(append(b, words(uint32(8+4*len(values)))...), words(values...)...)
	return append(b, make([]byte, -len(b)&7)...)
}

// mb2Start is the beginning of a header.
func mb2Start(arch, length uint32) []byte {
	return words(mb2Magic, arch, length, -(mb2Magic + arch + length))
}

// mb2File is a header with tags and the one that ends them, then code.
func mb2File(code []byte, tags ...[]byte) []byte {
	all := append(bytes.Join(tags, nil), hdrTag(hdrEnd, 0)...)
	return append(append(mb2Start(mb2I386, uint32(mb2Header+len(all))), all...), code...)
}

const mb2Base = 0x100000

var (
	// byAddresses loads the whole file at 1 MiB, and more memory up to 0x101234.
	byAddresses = hdrTag(hdrAddress, 0, mb2Base, mb2Base, 0, mb2Base+0x1234)
	// entryTag enters at the file's first byte.
	entryTag = hdrTag(hdrEntry, 0, mb2Base)
)

// elfMB2 is an ELF file with a multiboot 2 header at 1 MiB, and its code behind it.
func elfMB2(class byte, tags ...[]byte) []byte {
	head := mb2File(exit, tags...)
	b := elfSpec{class: class, entry: mb2Base + uint64(len(head)-len(exit)), segments: []elfSegment{{paddr: mb2Base, data: head, offset: 0x200}}}.build()
	at := 0x200
	b = append(b[:min(len(b), at)], make([]byte, max(0, at-len(b)))...)
	return append(b[:at], head...)
}

func TestMultiboot2Refuses(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"another architecture", mb2Start(4, 16), "architecture 4"},
		{"header longer than the file", mb2Start(mb2I386, 1<<16), "header of 65536 bytes"},
		{"no end tag", mb2Start(mb2I386, 16), "without the tag that ends it"},
		{"tag longer than the header", mb2File(nil, append(words(hdrEntry, 400), 0, 0, 0, 0, 0, 0, 0, 0)), "tag 3 of 400 bytes"},
		{"tag too short for what it is", mb2File(nil, hdrTag(hdrAddress, 0, 1)), "tag 2 of 12 bytes"},
		{"a tag of no size", mb2File(nil, words(hdrAlignment, 0)), "tag 6 of 0 bytes"},
		{"unknown required tag", mb2File(exit, byAddresses, entryTag, hdrTag(99, 0)), "requires tag 99"},
		{"VBE required", mb2File(exit, byAddresses, entryTag, hdrTag(hdrRequest, 0, infoMemoryMap, 7)), "requires VBE information (tag 7)"},
		{"unknown information required", mb2File(exit, byAddresses, entryTag, hdrTag(hdrRequest, 0, 1000)), "information by tag 1000"},
		{"a console, but not the text screen", mb2File(exit, byAddresses, entryTag, hdrTag(hdrConsole, 0, consoleRequired)), "the text screen"},
		{"addresses without an entry", mb2File(exit, byAddresses), "no entry address"},
		{"neither ELF nor addresses", mb2File(exit), "neither ELF nor"},
		{"entry outside", mb2File(exit, byAddresses, hdrTag(hdrEntry, 0, 0x1000)), "entry 0x1000"},
		{"alignment", mb2File(exit, byAddresses, entryTag, hdrTag(hdrRelocatable, 0, 0, 1<<30, 3, 0)), "power of 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.data)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestMultiboot2Accepts(t *testing.T) {
	optional := uint16(hdrOptional)
	for name, tags := range map[string][][]byte{
		"requests of what is there":          {hdrTag(hdrRequest, 0, 1, 2, 3, 4, 5, 6, 8, 9, 14, 15, 21)},
		"optional requests of all":           {hdrTag(hdrRequest, optional, 7, 10, 1000)},
		"an optional unknown tag":            {hdrTag(99, optional)},
		"a framebuffer: the text screen":     {hdrTag(hdrFramebuffer, 0, 1024, 768, 32)},
		"a console: the text screen":         {hdrTag(hdrConsole, 0, consoleRequired|consoleText)},
		"alignment of modules, and EFI tags": {hdrTag(hdrAlignment, 0), hdrTag(hdrEFIServices, 0), hdrTag(hdrEntryEFI32, 0, 1), hdrTag(hdrEntryEFI64, 0, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			img, err := Parse(mb2File(exit, append([][]byte{byAddresses, entryTag}, tags...)...))
			require.NoError(t, err)
			assert.Equal(t, Multiboot2, img.Format)
			assert.EqualValues(t, mb2Base, img.Entry)
			assert.EqualValues(t, mb2Base+0x1234, img.End())
		})
	}
}

func TestMultiboot2LoadsByAddresses(t *testing.T) {
	shifted := append(make([]byte, 24), mb2File(exit, hdrTag(hdrAddress, 0, mb2Base+24, 0xffffffff, 0, 0), entryTag)...)
	img, err := Parse(shifted)
	require.NoError(t, err)
	assert.EqualValues(t, mb2Base, img.Segments[0].Addr, "a load address of all ones is that of the file's first byte")
	assert.Len(t, img.Segments[0].Data, len(shifted))
}

func TestFindMultiboot2(t *testing.T) {
	at := func(off, size int) []byte {
		b := make([]byte, size)
		copy(b[off:], mb2File(nil))
		return b
	}
	broken := mb2File(nil)
	broken[12]++
	for _, c := range []struct {
		name string
		data []byte
		want bool
	}{
		{"at the start", at(0, 24), true},
		{"the last place", at(mb2Search-16, mb2Search), true},
		{"beyond the first 32 KiB", at(mb2Search-8, 2*mb2Search), false},
		{"not at a multiple of 8", at(4, 100), false},
		{"checksum wrong", broken, false},
		{"cut", mb2File(nil)[:15], false},
	} {
		_, ok := findMultiboot2(c.data)
		assert.Equal(t, c.want, ok, c.name)
	}
}

// infoOf loads an image and gives the tags of the information that EBX leads to, by type.
func infoOf(t *testing.T, m *machine.Machine, data []byte, o Options) map[uint32][][]byte {
	t.Helper()
	require.NoError(t, parse(t, data).Load(m, o))
	s := m.CPU.State()
	assert.EqualValues(t, 0x36d76289, s.GPR[0])
	at := mmu.Phys(s.GPR[3])
	assert.Zero(t, at%8)
	b := make([]byte, m.Mem.Read(at, 4))
	m.Mem.ReadBytes(at, b)
	tags := make(map[uint32][][]byte)
	for off := 8; ; {
		kind, size := uint32(field32(b, off)), int(field32(b, off+4))
		tags[kind] = append(tags[kind], b[off+8:off+size])
		if off += (size + 7) &^ 7; kind == infoEnd {
			assert.Equal(t, len(b), off, "the information ends with its last tag")
			return tags
		}
	}
}

func TestMultiboot2Information(t *testing.T) {
	for _, class := range []byte{elfClass32, elfClass64} {
		m := newMachine(t, machine.Config{})
		mods := []Module{{[]byte("first module"), "a.img ro"}, {nil, "empty"}, {[]byte("third"), ""}}
		tags := infoOf(t, m, elfMB2(class), Options{Cmdline: "console=ttyS0", Modules: mods})

		assert.Equal(t, "console=ttyS0\x00", string(tags[infoCommandLine][0]))
		assert.Equal(t, "x86emu\x00", string(tags[infoLoaderName][0]))
		assert.Equal(t, words(639, 3*1024), tags[infoMeminfo][0])
		require.Len(t, tags[infoModule], len(mods))
		for i, mod := range tags[infoModule] {
			at, end := field32(mod, 0), field32(mod, 4)
			assert.Zero(t, at%4096)
			got := make([]byte, end-at)
			m.Mem.ReadBytes(mmu.Phys(at), got)
			assert.Equal(t, string(mods[i].Data), string(got))
			assert.Equal(t, mods[i].Cmdline+"\x00", string(mod[8:]))
		}
		entries := tags[infoMemoryMap][0]
		assert.Equal(t, words(24, 0), entries[:8])
		var list []machine.MemoryRange
		for e := entries[8:]; len(e) > 0; e = e[24:] {
			le := binary.LittleEndian
			list = append(list, machine.MemoryRange{
				Range: mmu.Range{At: mmu.Phys(le.Uint64(e)), Len: le.Uint64(e[8:])}, Kind: machine.MemoryKind(le.Uint32(e[16:])),
			})
		}
		assert.Equal(t, m.MemoryMap(), list)
		assert.Equal(t, append(words(0xb8000, 0, 160, 80, 25), 16, 2, 0, 0), tags[infoFramebuffer][0])
		for _, absent := range []uint32{infoBootDevice, infoSections, infoLoadBase, 7, 10} {
			assert.Empty(t, tags[absent], "tag %d", absent)
		}
		s := m.CPU.State()
		assert.Zero(t, s.CR0&mmu.CR0PG)
		r, err := m.Run(t.Context(), 100)
		require.NoError(t, err)
		assert.Equal(t, machine.Exited, r.Reason, "it is entered in 32-bit mode, whatever its class")
	}
}

// rsdpOf is a root pointer of ACPI's.
func rsdpOf(revision byte) []byte {
	p := make([]byte, rsdp2Size)
	copy(p, "RSD PTR ")
	p[15], p[20] = revision, rsdp2Size
	p[8] = -sum(p[:rsdpSize])
	p[32] = -sum(p)
	return p
}

// The root pointer of ACPI is copied, as far as its revision goes.
func TestMultiboot2ACPI(t *testing.T) {
	wrong := rsdpOf(2)
	wrong[9]++
	for _, c := range []struct {
		name     string
		pointer  []byte
		old, new int
	}{
		{"revision 0", rsdpOf(0), rsdpSize, 0},
		{"revision 2", rsdpOf(2), rsdpSize, rsdp2Size},
		{"wrong sum", wrong, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, machine.Config{Board: machine.Bare})
			m.Mem.WriteBytes(0xe5670, c.pointer)
			tags := infoOf(t, m, elfMB2(elfClass32), Options{})
			for kind, size := range map[uint32]int{infoOldACPI: c.old, infoNewACPI: c.new} {
				if size == 0 {
					assert.Empty(t, tags[kind])
				} else {
					require.Len(t, tags[kind], 1)
					assert.Equal(t, c.pointer[:size], tags[kind][0])
				}
			}
		})
	}
}

// withSections adds two sections to an ELF32 file: one that is loaded, one that is not.
func withSections(data []byte) []byte {
	b := append(data, make([]byte, -len(data)&15)...)
	names := len(b)
	b = append(b, "names of symbols"...)
	le := binary.LittleEndian
	le.PutUint32(b[layout32.shoff:], uint32(len(b)))
	le.PutUint16(b[layout32.shentsizeAt:], 40)
	le.PutUint16(b[layout32.shentsizeAt+2:], 3)
	le.PutUint16(b[layout32.shentsizeAt+4:], 2)
	b = append(b, make([]byte, 40)...)
	b = append(b, words(1, 1, 2, mb2Base, 0x200, 16, 0, 0, 4, 0)...)
	return append(b, words(7, 3, 0, 0, uint32(names), 16, 0, 0, 32, 0)...)
}

func TestMultiboot2Sections(t *testing.T) {
	m := newMachine(t, machine.Config{})
	tags := infoOf(t, m, withSections(elfMB2(elfClass32)), Options{Modules: []Module{{Data: []byte("module")}}})
	b := tags[infoSections][0]
	assert.Equal(t, words(3, 40, 2), b[:12], "number, size, index of the names")
	loaded, names := b[12+40:], b[12+80:]
	assert.EqualValues(t, mb2Base, field32(loaded, layout32.shaddr), "a loaded section stands as it was linked")
	at := field32(names, layout32.shaddr)
	assert.Equal(t, "names of symbols", text(m, uint32(at)), "another one has been put into memory")
	assert.Zero(t, at%32)
	assert.Less(t, at, field32(tags[infoModule][0], 0), "and modules lie behind it")

	bad := func(f func(b, last []byte)) []byte {
		b := withSections(elfMB2(elfClass32))
		f(b, b[len(b)-40:])
		return b
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"size of a header", bad(func(b, _ []byte) { b[layout32.shentsizeAt] = 41 }), "section headers of 41 bytes"},
		{"table beyond the file", bad(func(b, _ []byte) { b[layout32.shoff+3] = 1 }), "section headers beyond"},
		{"too many", bad(func(b, _ []byte) { b[layout32.shentsizeAt+3] = 0xff }), "at most 4096"},
		{"bytes beyond the file", bad(func(_, h []byte) { h[layout32.shsize+3] = 1 }), "section 2 beyond its end"},
		{"alignment", bad(func(_, h []byte) { h[layout32.shalign] = 3 }), "aligned at 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := Parse(c.data)
			if err == nil {
				err = img.Load(newMachine(t, machine.Config{}), Options{})
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestMultiboot2Relocation(t *testing.T) {
	const ram, align = 4 << 20, 0x1000
	for _, c := range []struct {
		name                        string
		from, to, align, preference uint32
		want                        uint64 // 0: refused
	}{
		{"none preferred: where it was linked", 0, 0xffffffff, align, 0, mb2Base},
		{"where it was linked is too low", 0x180800, 0xffffffff, align, 0, 0x181000},
		{"where it was linked is not aligned", 0, 0xffffffff, 0x200000, 0, 0x200000},
		{"the lowest", 0x140000, 0xffffffff, align, preferLowest, 0x140000},
		{"the lowest that the loader has", 0, 0xffffffff, align, preferLowest, 0x100000},
		{"the highest of RAM", 0, 0xffffffff, align, preferHighest, ram - 0x2000},
		{"the highest that is allowed", 0, 0x2fffff, align, preferHighest, 0x2fe000},
		{"an alignment of zero is none", 0, 0x2fffff, 0, preferHighest, 0x300000 - 0x1234},
		{"nothing is allowed", 0x300000, 0x300800, align, 0, 0},
		{"above RAM", 0x10000000, 0x20000000, align, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := mb2File(exit, byAddresses, hdrTag(hdrEntry, 0, mb2Base+0x50), hdrTag(hdrRelocatable, 0, c.from, c.to, c.align, c.preference))
			m := newMachine(t, machine.Config{RAM: ram})
			if c.want == 0 {
				err := parse(t, data).Load(m, Options{})
				assert.ErrorContains(t, err, "does not fit between")
				return
			}
			tags := infoOf(t, m, data, Options{})
			assert.EqualValues(t, c.want, field32(tags[infoLoadBase][0], 0))
			assert.EqualValues(t, c.want+0x50, m.CPU.State().RIP, "the entry has moved as well")
			assert.EqualValues(t, mb2Magic, m.Mem.Read(mmu.Phys(c.want), 4))
		})
	}
}
