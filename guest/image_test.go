package guest

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// elfSpec describes an ELF file to build. Fields left zero take what makes a
// valid file.
type elfSpec struct {
	class, data byte
	kind, mach  uint16
	entry       uint64
	phentsize   uint16
	phnum       int // -1: none
	phoff       uint64
	segments    []elfSegment
	cut         int // bytes cut from the end
}

type elfSegment struct {
	kind                  uint32 // 0: PT_LOAD
	vaddr, paddr          uint64
	data                  []byte
	filesz, memsz, offset uint64 // 0: as data has it
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// build makes the file: header, program headers, then the segments' bytes.
func (s elfSpec) build() []byte {
	le := binary.LittleEndian
	l, mach, class := layout32, uint16(elfMachine386), or(s.class, elfClass32)
	if class == elfClass64 {
		l, mach = layout64, elfAMD64
	}
	word := func(b []byte, off int, v uint64) {
		if l.word == 4 {
			le.PutUint32(b[off:], uint32(v))
		} else {
			le.PutUint64(b[off:], v)
		}
	}
	num := len(s.segments)
	b := make([]byte, l.ehsize+uint64(num)*l.phentsize)
	copy(b, "\x7fELF")
	b[4], b[5], b[6] = class, or(s.data, elfLittle), 1
	le.PutUint16(b[16:], or(s.kind, elfExec))
	le.PutUint16(b[18:], or(s.mach, mach))
	word(b, l.entry, s.entry)
	word(b, l.phoff, or(s.phoff, l.ehsize))
	le.PutUint16(b[l.phentsizeAt:], or(s.phentsize, uint16(l.phentsize)))
	switch {
	case s.phnum > 0:
		num = s.phnum
	case s.phnum < 0:
		num = 0
	}
	le.PutUint16(b[l.phnumAt:], uint16(num))
	for i, g := range s.segments {
		ph := b[l.ehsize+uint64(i)*l.phentsize:]
		le.PutUint32(ph, or(g.kind, elfLoad))
		word(ph, l.offset, or(g.offset, uint64(len(b))))
		word(ph, l.vaddr, or(g.vaddr, g.paddr))
		word(ph, l.paddr, g.paddr)
		word(ph, l.filesz, or(g.filesz, uint64(len(g.data))))
		word(ph, l.memsz, or(g.memsz, uint64(len(g.data))))
		b = append(b, g.data...)
	}
	return b[:len(b)-s.cut]
}

// words gives 32-bit words as bytes.
func words(w ...uint32) []byte {
	var b []byte
	for _, v := range w {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// mbHeader is a multiboot header with flags and address fields.
func mbHeader(flags uint32, addrs ...uint32) []byte {
	return words(append([]uint32{mbMagic, flags, -(mbMagic + flags)}, addrs...)...)
}

func bootSector() []byte {
	b := make([]byte, 512)
	b[0], b[510], b[511] = 0xf4, 0x55, 0xaa
	return b
}

var code = []byte{0x90, 0x90, 0x90, 0xf4}

func TestParseTellsTheFormat(t *testing.T) {
	mb := append(mbHeader(3), code...)
	for _, c := range []struct {
		name  string
		data  []byte
		want  Format
		entry uint64
		end   uint64
	}{
		{"ELF32", elfSpec{entry: 0x100001, segments: []elfSegment{{paddr: 0x100000, data: code}}}.build(), ELF32, 0x100001, 0x100004},
		{"ELF64", elfSpec{class: elfClass64, entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: code, memsz: 0x9000}}}.build(), ELF64, 0x100000, 0x109000},
		{"the entry is linked high, loaded low", elfSpec{entry: 0xc0100002, segments: []elfSegment{{vaddr: 0xc0100000, paddr: 0x100000, data: code}}}.build(), ELF32, 0x100002, 0x100004},
		{"multiboot in ELF32", elfSpec{entry: 0x10000c, segments: []elfSegment{{paddr: 0x100000, data: mb}}}.build(), Multiboot, 0x10000c, 0x100010},
		{"multiboot in ELF64 is entered as multiboot says", elfSpec{class: elfClass64, entry: 0x10000c, segments: []elfSegment{{paddr: 0x100000, data: mb}}}.build(), Multiboot, 0x10000c, 0x100010},
		{"multiboot by addresses, whole file, no bss", append(mbHeader(mbAddresses, 0x100000, 0x100000, 0, 0, 0x100020), code...), Multiboot, 0x100020, 0x100024},
		{"multiboot by addresses, header not first, bss", append(make([]byte, 8), append(mbHeader(mbAddresses, 0x100008, 0x100000, 0x10002c, 0x200000, 0x100028), code...)...), Multiboot, 0x100028, 0x200000},
		{"boot sector", bootSector(), BootSector, 0x7c00, 0x7e00},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := Parse(c.data)
			require.NoError(t, err)
			assert.Equal(t, c.want, img.Format)
			assert.Equal(t, c.entry, img.Entry)
			assert.Equal(t, c.end, img.End())
		})
	}
}

func TestParseRefuses(t *testing.T) {
	seg := []elfSegment{{paddr: 0x100000, data: code}}
	good := elfSpec{entry: 0x100000, segments: seg}
	with := func(f func(*elfSpec)) []byte {
		s := good
		f(&s)
		return s.build()
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"unknown", []byte("hello, world"), "unknown image format"},
		{"boot sector without signature", make([]byte, 512), "unknown image format"},
		{"ELF cut in its identification", []byte("\x7fELF\x01"), "truncated ELF"},
		{"ELF32 cut in its header", good.build()[:51], "truncated ELF"},
		{"ELF64 cut in its header", with(func(s *elfSpec) { s.class = elfClass64 })[:60], "truncated ELF"},
		{"ELF cut in a segment", with(func(s *elfSpec) { s.cut = 1 }), "truncated ELF"},
		{"ELF cut in the program headers", good.build()[:60], "truncated ELF"},
		{"program header offset beyond any file", with(func(s *elfSpec) { s.phoff = 0xfffffff0 }), "truncated ELF"},
		{"ELF64 program header offset wraps", with(func(s *elfSpec) { s.class, s.phoff = elfClass64, ^uint64(0)-8 }), "truncated ELF"},
		{"segment offset wraps", with(func(s *elfSpec) {
			s.class, s.segments = elfClass64, []elfSegment{{paddr: 0x100000, data: code, offset: ^uint64(0) - 1}}
		}), "truncated ELF"},
		{"class 3", with(func(s *elfSpec) { s.class = 3 }), "class 3"},
		{"big-endian", with(func(s *elfSpec) { s.data = 2 }), "little-endian"},
		{"relocatable", with(func(s *elfSpec) { s.kind = 1 }), "type 1"},
		{"ARM", with(func(s *elfSpec) { s.mach = 40 }), "machine 40"},
		{"386 code in class 64", with(func(s *elfSpec) { s.class, s.mach = elfClass64, elfMachine386 }), "machine 3"},
		{"no program headers", with(func(s *elfSpec) { s.phnum = -1 }), "no loadable segment"},
		{"only notes", with(func(s *elfSpec) { s.segments = []elfSegment{{kind: 4, paddr: 0x100000, data: code}} }), "no loadable segment"},
		{"dynamically linked", with(func(s *elfSpec) { s.segments = append(s.segments, elfSegment{kind: 3, paddr: 0x200000, data: code}) }), "dynamic loader"},
		{"program headers of odd size", with(func(s *elfSpec) { s.phentsize = 40 }), "program headers of 40 bytes"},
		{"program headers without number", with(func(s *elfSpec) { s.phnum = 0xffff }), "at most"},
		{"larger in the file than in memory", with(func(s *elfSpec) { s.segments = []elfSegment{{paddr: 0x100000, data: code, memsz: 2}} }), "larger in the file"},
		{"segments overlap", with(func(s *elfSpec) { s.segments = append(s.segments, elfSegment{paddr: 0x100003, data: code}) }), "overlap"},
		{"segment wraps", with(func(s *elfSpec) {
			s.class, s.segments = elfClass64, append(s.segments, elfSegment{paddr: ^uint64(0) - 1, data: code})
		}), "wraps around"},
		{"entry outside", with(func(s *elfSpec) { s.entry = 0x200000 }), "entry 0x200000"},
		{"multiboot without ELF or addresses", append(mbHeader(0), code...), "neither ELF nor"},
		{"multiboot with unknown required flags", append(mbHeader(0x8000), code...), "flags 0x8000"},
		{"multiboot address header cut", mbHeader(mbAddresses, 0x100000), "truncated multiboot header"},
		{"multiboot header not where it says", mbHeader(mbAddresses, 0x100010, 0x100000, 0, 0, 0x100000), "not where"},
		{"multiboot load address above header", mbHeader(mbAddresses, 0x100000, 0x100010, 0, 0, 0x100000), "not where"},
		{"multiboot load end beyond the file", mbHeader(mbAddresses, 0x100000, 0x100000, 0x200000, 0, 0x100000), "ends before"},
		{"multiboot load end below load", mbHeader(mbAddresses, 0x100000, 0x100000, 0x1000, 0, 0x100000), "below load address"},
		{"multiboot bss end below load end", mbHeader(mbAddresses, 0x100000, 0x100000, 0, 0x100001, 0x100000), "bss end"},
		{"multiboot entry outside", mbHeader(mbAddresses, 0x100000, 0x100000, 0, 0, 0x90000), "entry 0x90000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.data)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestFindMultiboot(t *testing.T) {
	at := func(off, size int) []byte {
		b := make([]byte, size)
		copy(b[off:], mbHeader(0))
		return b
	}
	broken := mbHeader(0)
	broken[8]++
	for _, c := range []struct {
		name string
		data []byte
		want bool
	}{
		{"at the start", at(0, 12), true},
		{"the last place", at(mbSearch-12, mbSearch), true},
		{"runs over the first 8 KiB", at(mbSearch-8, 2*mbSearch), false},
		{"not at a multiple of 4", at(2, 100), false},
		{"checksum wrong", broken, false},
		{"cut", mbHeader(0)[:11], false},
	} {
		_, ok := findMultiboot(c.data)
		assert.Equal(t, c.want, ok, c.name)
	}
}

func TestParseFlatRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		addr uint64
		mode Mode
		cpl  uint8
		want string
	}{
		{"empty", nil, 0, Mode32, 0, "empty"},
		{"mode", code, 0, 8, 0, "mode 8"},
		{"CPL", code, 0, Mode32, 4, "CPL 4"},
		{"real mode above 1 MiB", code, 1 << 20, Mode16, 0, "below 0x100000"},
		{"16-bit at CPL 3 above 64 KiB", code, 1 << 16, Mode16, 3, "below 0x10000"},
		{"above 4 GiB", code, 1 << 32, Mode64, 0, "below 0x100000000"},
	} {
		_, err := ParseFlat(c.data, c.addr, c.mode, c.cpl)
		assert.ErrorContains(t, err, c.want, c.name)
	}
}
