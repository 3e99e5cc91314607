package guest

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/machine"
	"x86emu/mmu"
)

// bzSpec describes a bzImage to build; zero fields take what makes a valid one.
type bzSpec struct {
	version                     uint16
	low, relocates, wide        bool
	align, initSize, cmdlineMax uint32
	initrdMax                   uint32
	preferred                   uint64
	edit                        func(b []byte)
}

// bzImage builds it: a boot sector, one of setup, then the code.
func bzImage(s bzSpec) []byte {
	b := make([]byte, 2*sectorSize)
	le := binary.LittleEndian
	b[hdrSetupSectors] = 1
	le.PutUint16(b[hdrBootFlag:], 0xaa55)
	b[hdrJump-1], b[hdrJump] = 0xeb, 0x66
	copy(b[hdrMagic:], "HdrS")
	le.PutUint16(b[hdrVersion:], or(s.version, 0x20f))
	if !s.low {
		b[hdrLoadFlags] = linuxLoadedHigh
	}
	le.PutUint32(b[hdrInitrdMax:], or(s.initrdMax, 0x7fffffff))
	le.PutUint32(b[hdrKernelAlign:], or(s.align, 0x1000))
	if s.relocates {
		b[hdrRelocates] = 1
	}
	if s.wide {
		b[hdrXLoadFlags] = linuxKernel64
	}
	le.PutUint32(b[hdrCmdlineMax:], s.cmdlineMax)
	le.PutUint64(b[hdrPrefAddress:], or(s.preferred, 0x100000))
	le.PutUint32(b[hdrInitSize:], or(s.initSize, 0x1000))
	code := append(append(exit[:len(exit):len(exit)], make([]byte, linuxEntry64-len(exit))...), exit...)
	le.PutUint32(b[hdrCodeSize:], uint32(len(code)+15)/16)
	if s.edit != nil {
		s.edit(b)
	}
	return append(b, code...)
}

func TestLinuxRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		spec bzSpec
		opts Options
		want string
	}{
		{"boot protocol 2.01", bzSpec{version: 0x201}, Options{}, "boot protocol 2.01"},
		{"zImage", bzSpec{low: true}, Options{}, "zImage"},
		{"a header that ends early", bzSpec{edit: func(b []byte) { b[hdrJump] = 4 }}, Options{}, "no setup header"},
		{"setup and nothing else", bzSpec{edit: func(b []byte) { b[hdrSetupSectors] = 0xff }}, Options{}, "no code behind its setup"},
		{"less code than it says", bzSpec{edit: func(b []byte) { b[hdrCodeSize]++ }}, Options{}, "517 bytes of code, where its header says 544"},
		{"alignment", bzSpec{align: 0x3000}, Options{}, "power of 2"},
		{"preferred above 4 GiB", bzSpec{preferred: ^uint64(0)}, Options{}, "below 4 GiB"},
		{"memory that it needs", bzSpec{initSize: 0x400000}, Options{}, "more than the 4 MiB of RAM"},
		{"memory from where it runs", bzSpec{initSize: 0x100000, preferred: 0x380000}, Options{}, "up to 0x480000, more than"},
		{"command line", bzSpec{cmdlineMax: 7}, Options{Cmdline: "12345678"}, "of 8 bytes: this kernel takes 7"},
		{"command line, before its limit was told", bzSpec{version: 0x205}, Options{Cmdline: strings.Repeat("x", 256)}, "this kernel takes 255"},
		{"two initrds", bzSpec{}, Options{Modules: make([]Module, 2)}, "takes one"},
		{"initrd too large", bzSpec{}, Options{Modules: []Module{{Data: make([]byte, 4<<20)}}}, "does not fit"},
		{"initrd above what the kernel reaches", bzSpec{initrdMax: 0x1000ff}, Options{Modules: []Module{{Data: make([]byte, 4096)}}}, "does not fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := Parse(bzImage(c.spec))
			if err == nil {
				err = img.Load(newMachine(t, machine.Config{}), c.opts)
			}
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	model, _ := cpu.ModelByName("pentium3")
	err := parse(t, bzImage(bzSpec{wide: true})).Load(newMachine(t, machine.Config{Model: model}), Options{})
	assert.ErrorContains(t, err, "needs long mode")
}

func TestLinuxEntry(t *testing.T) {
	for _, wide := range []bool{false, true} {
		m := newMachine(t, machine.Config{})
		initrd := bytes.Repeat([]byte("initrd"), 1000)
		m.Mem.WriteBytes(0xe0000, rsdpOf(0))
		require.NoError(t, parse(t, bzImage(bzSpec{wide: wide, cmdlineMax: 2047})).Load(m, Options{Cmdline: "console=ttyS0", Modules: []Module{{Data: initrd}}}))
		s := m.CPU.State()
		entry := uint64(0x100000)
		if wide {
			entry += 0x200
		}
		assert.Equal(t, entry, s.RIP)
		assert.Equal(t, wide, s.EFER&mmu.EFERLMA != 0)
		assert.EqualValues(t, 0x10, s.Seg[decode.CS].Sel)
		assert.EqualValues(t, 0x18, s.Seg[decode.DS].Sel)
		assert.EqualValues(t, 0x1f, s.GDTR.Limit)
		for _, zero := range []int{3, 5, 7} { // BX, BP, DI
			assert.Zero(t, s.GPR[zero])
		}

		p := make([]byte, bpSize)
		m.Mem.ReadBytes(mmu.Phys(s.GPR[6]), p)
		assert.EqualValues(t, 0xff, p[hdrLoader])
		assert.Equal(t, "HdrS", string(p[hdrMagic:hdrMagic+4]))
		assert.Equal(t, "console=ttyS0", text(m, uint32(field32(p, hdrCmdline))))
		at := field32(p, hdrInitrd)
		assert.EqualValues(t, 4<<20-0x2000, at, "as high as RAM goes, at a page")
		got := make([]byte, field32(p, hdrInitrdSize))
		m.Mem.ReadBytes(mmu.Phys(at), got)
		assert.Equal(t, initrd, got)
		assert.EqualValues(t, 0x100000, field32(p, hdrCode32))
		assert.EqualValues(t, 3072, field32(p, bpHighK))
		assert.EqualValues(t, 0xe0000, field32(p, bpRSDP))
		assert.Equal(t, []byte{3, 80}, p[bpVideoMode:bpVideoMode+2])
		assert.Equal(t, []byte{25, 1, 16, 0}, p[bpLines:bpPoints+2])
		var list []machine.MemoryRange
		le := binary.LittleEndian
		for i := range int(p[bpE820Number]) {
			e := p[bpE820+20*i:]
			list = append(list, machine.MemoryRange{
				Range: mmu.Range{At: mmu.Phys(le.Uint64(e)), Len: le.Uint64(e[8:])}, Kind: machine.MemoryKind(le.Uint32(e[16:])),
			})
		}
		assert.Equal(t, m.MemoryMap(), list)

		r, err := m.Run(t.Context(), 100)
		require.NoError(t, err)
		assert.Equal(t, machine.Exited, r.Reason)
	}
}

// A kernel that can run elsewhere goes where it prefers, if RAM allows.
func TestLinuxPlace(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name string
		spec bzSpec
		want uint64
	}{
		{"fixed", bzSpec{preferred: 2 * mib}, mib},
		{"where it prefers", bzSpec{relocates: true, preferred: 2 * mib}, 2 * mib},
		{"as it must be aligned", bzSpec{relocates: true, preferred: mib + 0x1000, align: 2 * mib}, 2 * mib},
		{"RAM ends before", bzSpec{relocates: true, preferred: 16 * mib}, mib},
		{"RAM ends before it does", bzSpec{relocates: true, preferred: 3 * mib, initSize: 2 * mib, align: 2 * mib}, 2 * mib},
		{"no preference below 1 MiB", bzSpec{relocates: true, preferred: 0x1000}, mib},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, machine.Config{})
			require.NoError(t, parse(t, bzImage(c.spec)).Load(m, Options{}))
			assert.Equal(t, c.want, m.CPU.State().RIP)
			assert.EqualValues(t, c.want, at(m, uint32(m.CPU.State().GPR[6])+hdrCode32))
			assert.EqualValues(t, exit[0], m.Mem.Read(mmu.Phys(c.want), 1))
		})
	}
}
