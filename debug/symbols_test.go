package debug

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// average is an ELF file with a symbol table and DWARF.
func average(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/symbols/average.elf")
	require.NoError(t, err)
	return data
}

func TestSymbols(t *testing.T) {
	s, err := LoadSymbols(average(t))
	require.NoError(t, err)
	start, ok := s.Lookup("average")
	require.True(t, ok)
	for _, c := range []struct {
		lin  uint64
		want string
	}{
		{start, "average (average.c:18)"},
		{start + 0x11, "average+0x11 (average.c:19)"},
		{0, ""},
		{0x100000 - 1, ""},
		{0xffffffffffffffff, ""},
	} {
		assert.Equal(t, c.want, s.At(c.lin).String(), "%#x", c.lin)
	}
	marks, ok := s.Lookup("marks")
	require.True(t, ok)
	assert.Equal(t, "marks+0x8", s.At(marks+8).String(), "data has a name and no line")
	_, ok = s.Lookup("nowhere")
	assert.False(t, ok)
}

// A kernel linked high runs low until paging is on.
func TestSymbolsOfPhysicalAddresses(t *testing.T) {
	s := &Symbols{moved: []moved{{0x100000, 0xc0100000, 0x1000}}, names: []symbol{{0xc0100010, 0xc0100020, "boot"}}}
	assert.Equal(t, "boot+0x2", s.AtPhys(0x100012).String())
	assert.Nil(t, s.At(0x100012))
	assert.Nil(t, s.AtPhys(0x200012))
}

func TestNoSymbols(t *testing.T) {
	var none *Symbols
	assert.Nil(t, none.At(0x1000))
	assert.Nil(t, none.AtPhys(0x1000))
	k, _ := guest.KernelNamed("hello-32")
	for name, file := range map[string][]byte{"empty": nil, "no ELF": []byte("MZ"), "stripped": k.Image} {
		s, err := LoadSymbols(file)
		require.NoError(t, err, name)
		assert.Nil(t, s.At(0x100000), name)
	}
}

// sectionOf gives the place of a section in the file.
func sectionOf(t testing.TB, file []byte, name string) (from, to uint64) {
	t.Helper()
	f, err := parseELF(file)
	require.NoError(t, err)
	s := f.section(name)
	require.NotNil(t, s, name)
	return s.off, s.off + s.size
}

// Damage is told in one line, and what is whole is used.
func TestDamagedSymbols(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(file []byte) []byte
		want   string
		place  string // of average+0x11
	}{
		{"no section table", func(b []byte) []byte { return b[:0x1800] }, "symbols: ", ""},
		{"header alone", func(b []byte) []byte { return b[:20] }, "symbols: ", ""},
		{"line table of garbage", func(b []byte) []byte {
			from, to := sectionOf(t, b, ".debug_line")
			copy(b[from:to], bytes.Repeat([]byte{0xff}, int(to-from)))
			return b
		}, "source lines: ", "average+0x11"},
		{"line table cut short", func(b []byte) []byte {
			from, _ := sectionOf(t, b, ".debug_line")
			binary.LittleEndian.PutUint32(b[from:], 1<<20)
			return b
		}, "source lines: ", "average+0x11"},
		{"line table of another version", func(b []byte) []byte {
			from, _ := sectionOf(t, b, ".debug_line")
			binary.LittleEndian.PutUint16(b[from+4:], 99)
			return b
		}, "version 99", "average+0x11"},
		{"more sections than the file holds", func(b []byte) []byte {
			binary.LittleEndian.PutUint16(b[48:], 0xffff)
			return b
		}, "symbols: ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := LoadSymbols(c.damage(average(t)))
			place := s.At(0x10002f).String()
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, c.place, place)
		})
	}
}

// hostile is a small file that names one long string over and over: as the name of
// n sections, and of n symbols in the first of them.
func hostile(n int) []byte {
	le, str := binary.LittleEndian, append(bytes.Repeat([]byte{'a'}, 64*n), 0)
	head, symbols, sections := make([]byte, 64), make([]byte, 24*n), make([]byte, 64*(n+2))
	copy(head, "\x7fELF\x02\x01\x01")
	at := uint64(len(head) + len(str) + len(symbols))
	le.PutUint64(head[40:], at) // section headers: how large, how many, whose names
	for i, v := range []uint16{64, uint16(n + 2), uint16(n + 1)} {
		le.PutUint16(head[58+2*i:], v)
	}
	section := func(i int, kind uint32, flags, off, size uint64, link uint32) {
		s := sections[64*i:]
		le.PutUint32(s[4:], kind)
		le.PutUint64(s[8:], flags)
		le.PutUint64(s[24:], off)
		le.PutUint64(s[32:], size)
		le.PutUint32(s[40:], link)
	}
	section(1, elfSymtab, flagAlloc, uint64(len(head)+len(str)), uint64(len(symbols)), uint32(n+1))
	section(n+1, 3, 0, uint64(len(head)), uint64(len(str)), 0)
	for i := range n {
		s := symbols[24*i:]
		s[4], s[6] = symFunc, 1
		le.PutUint64(s[8:], uint64(i))
		le.PutUint64(s[16:], 1)
	}
	return slices.Concat(head, str, symbols, sections)
}

// A file cannot make the reader take much more memory than it has itself.
func TestHostileNames(t *testing.T) {
	for _, n := range []int{1000, 60000} {
		file := hostile(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := LoadSymbols(file)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		assert.Len(t, s.names, n)
		assert.Len(t, s.names[0].name, maxName+len("..."))
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, 16*uint64(len(file)), "%d names in %d bytes", n, len(file))
	}
}

// A story of a program with symbols has names and lines.
func TestStoryWithSymbols(t *testing.T) {
	img, err := guest.Parse(average(t))
	require.NoError(t, err)
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	s, err := LoadSymbols(average(t))
	require.NoError(t, err)
	golden(t, "stories/average.txt", text(t, explain(t, m, ExplainOptions{Symbols: s})))
}

// Whatever an ELF file holds: it is read, or told to be damaged, soon.
func FuzzSymbols(f *testing.F) {
	whole := average(f)
	f.Add(whole, uint32(0), byte(0))
	for _, name := range []string{".debug_line", ".debug_info", ".debug_abbrev", ".symtab", ".strtab", ".debug_aranges"} {
		from, to := sectionOf(f, whole, name)
		for i := from; i < to; i += max(1, (to-from)/4) {
			f.Add(whole, uint32(i), byte(0x5a))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, at uint32, flip byte) {
		if len(file) > 0 {
			file[int(at)%len(file)] ^= flip
		}
		begin := time.Now()
		s, err := LoadSymbols(file)
		require.NotNil(t, s)
		for _, lin := range []uint64{0, 0x100000, 0x10002f, 1 << 63, ^uint64(0)} {
			if p := s.At(lin); p != nil {
				require.NotContains(t, p.String(), "\n")
			}
		}
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
		}
		require.Less(t, time.Since(begin), 5*time.Second)
	})
}
