package guest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/machine"
	"x86emu/mmu"
)

// xenNote is a note of the name Xen, with a descriptor.
func xenNote(kind uint32, desc ...uint32) []byte {
	return append(append(words(4, uint32(4*len(desc)), kind), "Xen\x00"...), words(desc...)...)
}

// pvhFile is an ELF file with notes and code at 1 MiB.
func pvhFile(class byte, notes []byte, code []byte) []byte {
	return elfSpec{class: class, entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: code}, {kind: elfNote, data: notes}}}.build()
}

func TestFindXenEntry(t *testing.T) {
	other := append(words(5, 3, 1), "GNU\x00\x00\x00\x00\x00abc\x00"...)
	for _, c := range []struct {
		name  string
		notes []byte
		align uint64
		want  uint64 // 0: none
	}{
		{"4 bytes", xenNote(xenPhys32Entry, 0x100010), 4, 0x100010},
		{"8 bytes", xenNote(xenPhys32Entry, 0x100010, 0), 4, 0x100010},
		{"after others", append(append(other, xenNote(1, 7)...), xenNote(xenPhys32Entry, 0x100010)...), 4, 0x100010},
		{"aligned at 8", append(append(words(4, 4, 3), "GNU\x00abcd\x00\x00\x00\x00"...), xenNote(xenPhys32Entry, 0x100010)...), 8, 0x100010},
		{"none", xenNote(1, 0x100010), 4, 0},
		{"another's", append(append(words(4, 4, xenPhys32Entry), "Foo\x00"...), words(0x100010)...), 4, 0},
		{"cut in its descriptor", xenNote(xenPhys32Entry, 0x100010)[:18], 4, 0},
		{"a name of 4 GiB", append(words(0xffffffff, 4, xenPhys32Entry), "Xen\x00"...), 4, 0},
		{"a descriptor of 3 bytes", append(append(words(4, 3, xenPhys32Entry), "Xen\x00"...), 1, 2, 3, 0), 4, 0},
	} {
		entry, ok := findXenEntry(c.notes, c.align)
		assert.Equal(t, c.want != 0, ok, c.name)
		assert.Equal(t, c.want, entry, c.name)
	}
}

func TestPVH(t *testing.T) {
	body := append([]byte{0xf4, 0xf4}, exit...) // the file's own entry would halt
	for _, class := range []byte{elfClass32, elfClass64} {
		img := parse(t, pvhFile(class, xenNote(xenPhys32Entry, 0x100002), body))
		assert.Equal(t, PVH, img.Format)
		model, _ := cpu.ModelByName("486")
		m := newMachine(t, machine.Config{Model: model})
		mods := []Module{{[]byte("first module"), "a.img ro"}, {[]byte("x"), ""}}
		require.NoError(t, img.Load(m, Options{Cmdline: "console=hvc0", Modules: mods}))

		s := m.CPU.State()
		assert.EqualValues(t, 0x67, s.TR.Limit)
		assert.Zero(t, s.CR0&mmu.CR0PG)
		assert.EqualValues(t, 0x100002, s.RIP)
		read := func(p mmu.Phys, n int) (v []uint64) {
			for i := range n {
				v = append(v, m.Mem.Read(p+mmu.Phys(8*i), 8))
			}
			return v
		}
		info := mmu.Phys(s.GPR[3])
		assert.EqualValues(t, 0x336ec578, at(m, uint32(info)))
		assert.EqualValues(t, 1, at(m, uint32(info)+4), "version")
		assert.EqualValues(t, len(mods), at(m, uint32(info)+12))
		rest := read(info+16, 5)
		for i, mod := range mods {
			e := read(mmu.Phys(rest[0])+mmu.Phys(32*i), 4)
			got := make([]byte, e[1])
			m.Mem.ReadBytes(mmu.Phys(e[0]), got)
			assert.Equal(t, string(mod.Data), string(got))
			assert.Equal(t, mod.Cmdline, text(m, uint32(e[2])))
		}
		assert.Equal(t, "console=hvc0", text(m, uint32(rest[1])))
		var list []machine.MemoryRange
		for i := range int(rest[4]) {
			e := read(mmu.Phys(rest[3])+mmu.Phys(24*i), 3)
			list = append(list, machine.MemoryRange{Range: mmu.Range{At: mmu.Phys(e[0]), Len: e[1]}, Kind: machine.MemoryKind(e[2])})
		}
		assert.Equal(t, m.MemoryMap(), list)

		r, err := m.Run(t.Context(), 100)
		require.NoError(t, err)
		assert.Equal(t, machine.Exited, r.Reason, "entered in 32-bit mode, whatever its class")
	}
}

func TestPVHRefuses(t *testing.T) {
	for want, note := range map[string][]byte{
		"entry 0x1000 lies in no segment": xenNote(xenPhys32Entry, 0x1000),
		"above 4 GiB":                     xenNote(xenPhys32Entry, 0, 1),
	} {
		_, err := Parse(pvhFile(elfClass64, note, exit))
		assert.ErrorContains(t, err, want)
	}
}

// GRUB has a multiboot header behind the boot sector of each disk that it is on.
func TestDiskIsNotMultiboot(t *testing.T) {
	disk := append(bootSector(), make([]byte, 2*sectorSize)...)
	copy(disk[sectorSize:], mbHeader(mbAddresses, 0x100200, 0x100000, 0, 0, 0x100220))
	copy(disk[sectorSize+64:], mb2File(exit, byAddresses, entryTag))
	if img, err := Parse(disk); err == nil {
		assert.NotContains(t, []Format{Multiboot, Multiboot2}, img.Format)
	}
	assert.Equal(t, Multiboot, parse(t, disk[:len(disk)-1]).Format, "but a file that has no whole sectors is no disk")
}

// What is taken of a file that could be loaded in several ways.
func TestPreference(t *testing.T) {
	mb1, mb2, note := mbHeader(0), mb2File(exit), xenNote(xenPhys32Entry, 0x100000)
	// file is an ELF file that has these; a header of multiboot 2 stands behind it.
	file := func(class byte, loaded []byte, notes, second bool) []byte {
		s := elfSpec{class: class, entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: loaded}}}
		if notes {
			s.segments = append(s.segments, elfSegment{kind: elfNote, data: note})
		}
		b := s.build()
		if second {
			b = append(append(b, make([]byte, -len(b)&7)...), mb2...)
		}
		_, ok := findMultiboot2(b)
		assert.Equal(t, second, ok)
		return b
	}
	linux := bzImage(bzSpec{})
	copy(linux[0x300:], mbHeader(mbAddresses, 0x100300, 0x100000, 0, 0, 0x100000))
	for _, c := range []struct {
		name string
		data []byte
		want Format
	}{
		{"Linux before multiboot 1", linux, Linux},
		{"multiboot 1 before 2 and PVH", file(elfClass32, mb1, true, true), Multiboot},
		{"multiboot 1 in ELF64", file(elfClass64, mb1, false, false), Multiboot},
		{"PVH before multiboot 1 in ELF64", file(elfClass64, mb1, true, false), PVH},
		{"PVH before multiboot 2", file(elfClass32, exit, true, true), PVH},
		{"multiboot 2 before ELF", file(elfClass64, exit, false, true), Multiboot2},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, parse(t, c.data).Format)
		})
	}
}
