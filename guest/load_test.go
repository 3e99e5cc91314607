package guest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

func newMachine(t testing.TB, cfg machine.Config) *machine.Machine {
	t.Helper()
	if cfg.RAM == 0 {
		cfg.RAM = 4 << 20
	}
	m, err := machine.New(cfg)
	require.NoError(t, err)
	return m
}

func flat(t testing.TB, data []byte, addr uint64, mode Mode, cpl uint8) *Image {
	t.Helper()
	img, err := ParseFlat(data, addr, mode, cpl)
	require.NoError(t, err)
	return img
}

func parse(t testing.TB, data []byte) *Image {
	t.Helper()
	img, err := Parse(data)
	require.NoError(t, err)
	return img
}

// exit writes 0 to port 0xF4 in any mode.
var exit = []byte("\x31\xc0\xe6\xf4\xf4") // xor eax,eax; out 0xf4,al; hlt

// The code of every format runs, in the mode it asks for, from its entry.
func TestEntryRuns(t *testing.T) {
	elf := func(class byte) []byte {
		return elfSpec{class: class, entry: 0x100004, segments: []elfSegment{{paddr: 0x100000, data: append(code[:4:4], exit...)}}}.build()
	}
	sector := bootSector()
	copy(sector, exit)
	for _, c := range []struct {
		name  string
		img   *Image
		mode  Mode
		cpl   uint8
		long  bool
		entry uint64
	}{
		{"ELF32", parse(t, elf(elfClass32)), Mode32, 0, false, 0x100004},
		{"ELF64", parse(t, elf(elfClass64)), Mode64, 0, true, 0x100004},
		{"multiboot", parse(t, append(mbHeader(mbAddresses, 0x100000, 0x100000, 0, 0, 0x100020), exit...)), Mode32, 0, false, 0x100020},
		{"boot sector", parse(t, sector), Mode16, 0, false, 0x7c00},
		{"flat 16", flat(t, exit, 0x500, Mode16, 0), Mode16, 0, false, 0x500},
		{"flat 16 above 64 KiB", flat(t, exit, 0x12345, Mode16, 0), Mode16, 0, false, 0x12345},
		{"flat 16 CPL 3", flat(t, exit, 0x500, Mode16, 3), Mode16, 3, false, 0x500},
		{"flat 32", flat(t, exit, 0x123456, Mode32, 0), Mode32, 0, false, 0x123456},
		{"flat 32 CPL 1", flat(t, exit, 0x123456, Mode32, 1), Mode32, 1, false, 0x123456},
		{"flat 32 CPL 3", flat(t, exit, 0x123456, Mode32, 3), Mode32, 3, false, 0x123456},
		{"flat 64", flat(t, exit, 0x123456, Mode64, 0), Mode64, 0, true, 0x123456},
		{"flat 64 CPL 3", flat(t, exit, 0x123456, Mode64, 3), Mode64, 3, true, 0x123456},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, machine.Config{})
			require.NoError(t, c.img.Load(m, Options{}))
			s := m.CPU.State()
			cs := s.Seg[decode.CS]
			assert.Equal(t, c.entry, cs.Base+s.RIP)
			assert.Equal(t, c.cpl, s.CPL)
			assert.Equal(t, c.cpl, cs.Attr.DPL())
			assert.Equal(t, uint16(c.cpl), cs.Sel&3)
			assert.Equal(t, c.long, s.EFER&mmu.EFERLMA != 0)
			assert.Equal(t, c.long, s.CR0&mmu.CR0PG != 0)
			assert.Equal(t, c.mode == Mode64, cs.Attr&idt.AttrL != 0)
			assert.Equal(t, c.mode == Mode32, cs.Attr&idt.AttrDB != 0)
			assert.Zero(t, s.RFLAGS&(idt.FlagIF|idt.FlagDF))
			assert.True(t, s.A20)
			r, err := m.Run(context.Background(), 10)
			require.NoError(t, err)
			assert.Equal(t, machine.Exited, r.Reason)
			assert.Zero(t, r.Value)
			assert.EqualValues(t, 2, r.Ticks)
		})
	}
}

// The hidden parts at entry are what the loader's descriptors hold.
func TestEntryDescriptorsAreInMemory(t *testing.T) {
	for _, mode := range []Mode{Mode16, Mode32, Mode64} {
		for _, cpl := range []uint8{0, 1, 2, 3} {
			m := newMachine(t, machine.Config{})
			require.NoError(t, flat(t, exit, 0x500, mode, cpl).Load(m, Options{}))
			s := m.CPU.State()
			if s.CR0&mmu.CR0PE == 0 {
				continue
			}
			for r, seg := range s.Seg {
				require.LessOrEqual(t, seg.Sel|7, s.GDTR.Limit)
				d := m.Mem.Read(mmu.Phys(s.GDTR.Base)+mmu.Phys(seg.Sel&^7), 8)
				assert.Equal(t, seg.Attr, idt.Attr(d>>40)&0xf0ff, "mode %d CPL %d %s", mode, cpl, decode.SegReg(r))
				assert.Equal(t, uint64(0xf_0000_0000_ffff), d&0xff0f_00ff_ffff_ffff, "base 0, limit 4 GiB")
			}
		}
	}
}

func TestIdentityMap(t *testing.T) {
	m := newMachine(t, machine.Config{})
	require.NoError(t, flat(t, exit, 0x500, Mode64, 0).Load(m, Options{}))
	m.CPU.State()
	for _, lin := range []mmu.Linear{0, 0x1fffff, 0x200000, 0x7fffffff, 0xc0000123, 0xffffffff} {
		w := m.MMU.Explain(lin, mmu.Write)
		assert.True(t, w.OK(), "0x%x", lin)
		assert.EqualValues(t, lin, w.Phys())
	}
	assert.False(t, func() bool { w := m.MMU.Explain(1<<32, mmu.Read); return w.OK() }(), "nothing above 4 GiB")
	assert.False(t, func() bool { w := m.MMU.Explain(0, mmu.User); return w.OK() }(), "supervisor pages for CPL 0")
}

func TestBootSectorState(t *testing.T) {
	m := newMachine(t, machine.Config{})
	require.NoError(t, parse(t, bootSector()).Load(m, Options{}))
	s := m.CPU.State()
	assert.EqualValues(t, 0x80, s.GPR[2])
	assert.EqualValues(t, 0x7c00, s.GPR[4])
	assert.EqualValues(t, 0x7c00, s.RIP)
	for r := range s.Seg {
		assert.Zero(t, s.Seg[r].Sel)
	}

	m = newMachine(t, machine.Config{})
	require.NoError(t, parse(t, bootSector()).Load(m, Options{Floppy: true}))
	assert.Zero(t, m.CPU.State().GPR[2], "the first floppy disk is drive 0")
}

// at reads a 32-bit word of physical memory.
func at(m *machine.Machine, p uint32) uint32 { return uint32(m.Mem.Read(mmu.Phys(p), 4)) }

// text reads a string that ends with NUL.
func text(m *machine.Machine, p uint32) string {
	b := make([]byte, 256)
	m.Mem.ReadBytes(mmu.Phys(p), b)
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func TestMultibootInformation(t *testing.T) {
	for _, flags := range []uint32{mbAddresses, mbAddresses | mbPageAlign | mbMemory | mbVideo} {
		img := parse(t, append(mbHeader(flags, 0x100000, 0x100000, 0, 0x101234, 0x100020), exit...))
		m := newMachine(t, machine.Config{})
		mods := []Module{{[]byte("first module"), "a.img ro"}, {nil, "empty"}, {bytes.Repeat([]byte("x"), 5000), ""}}
		require.NoError(t, img.Load(m, Options{Cmdline: "kernel console=ttyS0", Modules: mods}))
		s := m.CPU.State()
		assert.EqualValues(t, 0x2badb002, s.GPR[0])
		info := uint32(s.GPR[3])
		assert.EqualValues(t, 1<<0|1<<2|1<<3|1<<6|1<<9, at(m, info), "flags")
		assert.EqualValues(t, 639, at(m, info+4), "lower memory in KiB")
		assert.EqualValues(t, 3*1024, at(m, info+8), "upper memory in KiB")
		assert.Equal(t, "kernel console=ttyS0", text(m, at(m, info+16)))
		assert.Equal(t, "x86emu", text(m, at(m, info+64)))

		assert.EqualValues(t, 3, at(m, info+20), "modules")
		list, end := at(m, info+24), uint32(0x101234)
		for i, mod := range mods {
			e := list + uint32(16*i)
			start := at(m, e)
			assert.Zero(t, start%4096)
			assert.GreaterOrEqual(t, start, end)
			end = at(m, e+4)
			got := make([]byte, end-start)
			m.Mem.ReadBytes(mmu.Phys(start), got)
			assert.Equal(t, string(mod.Data), string(got))
			assert.Equal(t, mod.Cmdline, text(m, at(m, e+8)))
			assert.Zero(t, at(m, e+12))
		}

		var got []machine.MemoryRange
		for p, n := at(m, info+48), at(m, info+44); n > 0; {
			size := at(m, p) + 4
			got = append(got, machine.MemoryRange{
				Range: mmu.Range{At: mmu.Phys(m.Mem.Read(mmu.Phys(p+4), 8)), Len: m.Mem.Read(mmu.Phys(p+12), 8)},
				Kind:  machine.MemoryKind(at(m, p+20)),
			})
			p, n = p+size, n-size
		}
		assert.Equal(t, m.MemoryMap(), got)
	}
}

func TestLoadRefuses(t *testing.T) {
	mb := append(mbHeader(mbAddresses, 0x100000, 0x100000, 0, 0, 0x100020), exit...)
	model := func(name string) *cpu.Model {
		m, ok := cpu.ModelByName(name)
		require.True(t, ok)
		return m
	}
	for _, c := range []struct {
		name  string
		img   *Image
		opts  Options
		model *cpu.Model
		want  string
	}{
		{"too large for RAM", flat(t, make([]byte, 4<<20), 0x100000, Mode32, 0), Options{}, nil, "more than the 4 MiB of RAM"},
		{"loaded beyond RAM", parse(t, elfSpec{entry: 0x10000000, segments: []elfSegment{{paddr: 0x10000000, data: code}}}.build()), Options{}, nil, "more than the 4 MiB of RAM"},
		{"bss beyond RAM", parse(t, elfSpec{entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: code, memsz: 1 << 30}}}.build()), Options{}, nil, "more than the 4 MiB of RAM"},
		{"over the loader's area", flat(t, make([]byte, 0x1000), 0x8ffff, Mode32, 0), Options{}, nil, "overlaps the loader's area"},
		{"modules for ELF", parse(t, elfSpec{entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: code}}}.build()), Options{Modules: []Module{{}}}, nil, "modules are for kernels of"},
		{"command line for a boot sector", parse(t, bootSector()), Options{Cmdline: "x"}, nil, "a command line is for kernels of"},
		{"64-bit on a 486", flat(t, exit, 0x500, Mode64, 0), Options{}, model("486"), "needs long mode"},
		{"modules too large", parse(t, mb), Options{Modules: []Module{{make([]byte, 2<<20), ""}, {make([]byte, 2<<20), ""}}}, nil, "module 2 needs memory"},
		{"command line too long", parse(t, mb), Options{Cmdline: strings.Repeat("x", 40000)}, nil, "need more than"},
		{"too many modules", parse(t, mb), Options{Modules: make([]Module, 4000)}, nil, "need more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.img.Load(newMachine(t, machine.Config{Model: c.model}), c.opts)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// FuzzLoad loads any bytes: a refusal is one line, and what is accepted runs
// its budget.
func FuzzLoad(f *testing.F) {
	exe := append(code[:4:4], exit...)
	f.Add(elfSpec{entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: exe}}}.build(), uint64(0x100000), byte(32))
	f.Add(elfSpec{class: elfClass64, entry: 0x100000, segments: []elfSegment{{paddr: 0x100000, data: exe}, {paddr: 0x110000, data: exe, memsz: 1 << 16}}}.build(), uint64(0x500), byte(64))
	f.Add(append(mbHeader(mbAddresses, 0x100000, 0x100000, 0, 0, 0x100020), exe...), uint64(0xffff), byte(16))
	f.Add(bootSector(), uint64(1)<<63, byte(0))
	f.Add(withSections(elfMB2(elfClass32, hdrTag(hdrRequest, 0, infoMemoryMap), hdrTag(hdrRelocatable, 0, 0x110000, 0x1fffff, 0x1000, preferHighest))), uint64(0), byte(0))
	f.Add(mb2File(exe, byAddresses, entryTag, hdrTag(hdrConsole, 0, consoleText)), uint64(0), byte(0))
	f.Add(bzImage(bzSpec{relocates: true}), uint64(0), byte(0))
	f.Add(bzImage(bzSpec{wide: true}), uint64(0), byte(0))
	f.Add(pvhFile(elfClass64, xenNote(xenPhys32Entry, 0x100000), exe), uint64(0), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, addr uint64, mode byte) {
		for _, parse := range []func() (*Image, error){
			func() (*Image, error) { return Parse(data) },
			func() (*Image, error) { return ParseFlat(data, addr, Mode(mode), mode&3) },
		} {
			m := newMachine(t, machine.Config{RAM: 2 << 20})
			img, err := parse()
			var told Options
			if err == nil && img.protocol != nil {
				told = Options{Cmdline: "a command line", Modules: []Module{{make([]byte, 5000), "a module"}}}
			}
			if err == nil {
				err = img.Load(m, told)
			}
			if err != nil {
				if err.Error() == "" || strings.ContainsAny(err.Error(), "\r\n") {
					t.Fatalf("not one line: %q", err)
				}
				continue
			}
			if _, err := m.Run(context.Background(), 200); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestReadFileReadsWhatItMay(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data")
	for size, want := range map[int64]string{0: "", 1 << 20: "", 1<<20 + 1: "data: larger than the 1 MiB that a test may have"} {
		require.NoError(t, os.WriteFile(name, nil, 0o600))
		require.NoError(t, os.Truncate(name, size))
		data, err := ReadFile(name, 1<<20, "a test")
		if want != "" {
			assert.ErrorContains(t, err, want)
			continue
		}
		require.NoError(t, err)
		assert.Len(t, data, int(size))
	}
}

func TestOpenModules(t *testing.T) {
	assert.Equal(t, []string{"a b", "c,d", "e"}, splitModules("a b,c,,d,e"))
	_, err := OpenModules("/nonexistent/file args")
	assert.ErrorContains(t, err, "/nonexistent/file")
	assert.NotContains(t, err.Error(), "args")
}

// An image that is cut anywhere before the end of what it loads is refused in
// one line.
func TestParseCutAnywhere(t *testing.T) {
	seg := []elfSegment{{paddr: 0x100000, data: code}, {paddr: 0x200000, data: code, memsz: 100}}
	images := map[string][]byte{
		"ELF32":  elfSpec{entry: 0x100000, segments: seg}.build(),
		"ELF64":  elfSpec{class: elfClass64, entry: 0x100000, segments: seg}.build(),
		"a.out":  append(mbHeader(mbAddresses, 0x100000, 0x100000, 0x100024, 0x200000, 0x100020), code...),
		"sector": bootSector(),

		"multiboot 2":       elfMB2(elfClass32),
		"multiboot 2 a.out": mb2File(code, hdrTag(hdrAddress, 0, mb2Base, mb2Base, mb2Base+68, mb2Base+0x1234), entryTag),
		"PVH":               elfSpec{entry: 0x100000, segments: []elfSegment{{kind: elfNote, data: xenNote(xenPhys32Entry, 0x100000)}, {paddr: 0x100000, data: code}}}.build(),
	}
	for name, whole := range images {
		for n := range whole {
			_, err := Parse(whole[:n])
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%s cut at %d of %d: %v", name, n, len(whole), err)
			}
		}
	}
	for _, k := range Kernels() {
		img, err := Parse(k.Image)
		require.NoError(t, err)
		last := 0
		for _, s := range img.Segments {
			if len(s.Data) > 0 {
				last = max(last, len(k.Image)-cap(s.Data)+len(s.Data))
			}
		}
		for n := range last {
			if _, err := Parse(k.Image[:n]); err == nil {
				t.Fatalf("%s cut at %d of %d is accepted", k.Name, n, last)
			}
		}
	}
}
