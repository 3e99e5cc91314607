package tables_test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/tables"
	"x86emu/debug/tables/coretest"
	"x86emu/guest"
	"x86emu/machine"
	"x86emu/mmu"
)

const ram = 8 << 20

// ran is a moment in the run of a built-in kernel, on a board with no memory but RAM: a core has no other.
func ran(t testing.TB, name string, tick uint64) *tables.Moment {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{RAM: ram, Board: machine.Bare}, guest.Options{})
	require.NoError(t, err)
	_, err = m.Run(context.Background(), tick)
	require.NoError(t, err)
	return tables.At(m)
}

func open(core []byte) (*tables.Moment, bool, error) {
	return tables.OpenCore(bytes.NewReader(core), int64(len(core)))
}

// What a core tells is what was dumped.
func TestCore(t *testing.T) {
	for _, name := range []string{"unmapped-handler-32", "unmapped-handler-64"} {
		o := ran(t, name, 190_000)
		got, noted, err := open(coretest.Write(o, coretest.Options{RAM: ram}))
		require.NoError(t, err)
		assert.True(t, noted)
		require.NoError(t, got.Settle())
		assert.True(t, got.Mem.Equal(o.Mem))
		assert.Equal(t, o.State.GPR, got.State.GPR)
		for i := range o.State.Seg {
			assert.Equal(t, o.State.Seg[i].Base, got.State.Seg[i].Base)
			assert.Equal(t, o.State.Seg[i].Sel, got.State.Seg[i].Sel)
		}
		assert.Equal(t, o.State.TR, got.State.TR)
		assert.Equal(t, o.State.GDTR, got.State.GDTR)
		assert.Equal(t, o.State.IDTR, got.State.IDTR)
		assert.Equal(t, o.State.CPL, got.State.CPL)
		assert.Equal(t, o.State.RFLAGS, got.State.RFLAGS)
		assert.Equal(t, [4]uint64{o.State.CR0, o.State.CR2, o.State.CR3, o.State.CR4}, [4]uint64{got.State.CR0, got.State.CR2, got.State.CR3, got.State.CR4})
		assert.True(t, got.Core)

		var a, b strings.Builder
		for _, x := range []struct {
			o *tables.Moment
			b *strings.Builder
		}{{o, &a}, {got, &b}} {
			m, err := x.o.Space(o.State.CR3)
			require.NoError(t, err)
			ranges, _ := tables.Pages(m, tables.Everything)
			require.NoError(t, tables.WritePages(x.b, m, ranges, true))
		}
		assert.Equal(t, a.String(), b.String())
	}
}

// A core without QEMU's note has memory alone.
func TestCoreWithoutNote(t *testing.T) {
	o := ran(t, "unmapped-handler-32", 190_000)
	got, noted, err := open(coretest.Write(o, coretest.Options{RAM: ram, NoNote: true}))
	require.NoError(t, err)
	assert.False(t, noted)
	got.State.GDTR, got.State.CR3 = o.State.GDTR, o.State.CR3
	got.State.CR4 = mmu.CR4PSE
	require.NoError(t, got.Settle())
	require.NoError(t, got.SetTR(o.State.TR.Sel))
	assert.Equal(t, o.State.TR.Base, got.State.TR.Base)
	assert.ErrorContains(t, got.SetTR(8), "names no TSS")
	assert.ErrorContains(t, got.SetTR(4), "names the LDT")
	assert.ErrorContains(t, got.SetTR(0x1000), "beyond the table's limit")
	assert.ErrorContains(t, got.SetCR3(0x40000000), "there is no memory")
}

func TestBadCores(t *testing.T) {
	whole := coretest.Write(ran(t, "unmapped-handler-64", 190_000), coretest.Options{RAM: 1 << 20})
	changed := func(at int, v ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], v)
		return b
	}
	const load = 64 + 56 // the first PT_LOAD header
	for _, c := range []struct {
		name string
		core []byte
		want string
	}{
		{"empty", nil, "truncated"},
		{"no ELF", []byte("this is not an ELF file, but long enough for a header of one, is it not?"), "no ELF core"},
		{"header cut", whole[:40], "truncated"},
		{"program headers cut", whole[:100], "truncated"},
		{"notes cut", whole[:300], "truncated"},
		{"memory cut", whole[:len(whole)-5000], "truncated or damaged core"},
		{"an executable", changed(16, 2), "no memory core"},
		{"another machine", changed(18, 40), "no memory core"},
		{"more in the file than in memory", changed(load+40, 0, 0, 0), "damaged"},
		{"segment not at a page", changed(load+24, 1), "not at a page"},
		{"segment beyond 256 GiB", changed(load+29, 1), "more than"},
		{"note longer than its segment", changed(64+3*56+4, 0xff, 0xff), "a note is longer than its segment"},
		{"note of another version", changed(64+3*56+12+8+336+12+8, 2), "version 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := open(c.core)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// Whatever a file holds, it is refused or read, and can be asked about.
func FuzzCore(f *testing.F) {
	whole := coretest.Write(ran(f, "unmapped-handler-64", 190_000), coretest.Options{RAM: 0xa0000 + 4096})
	f.Add(whole[:64+3*56])
	f.Add(whole[:64+3*56+900+8192])
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	small := bytes.Clone(whole[:64+3*56+820])
	binary.LittleEndian.PutUint16(small[56:], 1) // the notes alone
	f.Add(small)
	f.Fuzz(func(t *testing.T, core []byte) {
		o, _, err := open(core)
		if err != nil {
			return
		}
		if o.Settle() != nil {
			return
		}
		v, err := o.View(o.State.CR3)
		if err != nil {
			return
		}
		_, _ = v.IDT()
		_, _ = v.GDT()
		_, _ = v.TSS(0)
		tables.Pages(v.MMU, tables.PagesOptions{First: 0, Last: 0x3fffff})
	})
}

// A core's sections are not looked at: their names could ask for any amount of memory.
func TestCoreWithHostileSections(t *testing.T) {
	const n = 4000
	le, names := binary.LittleEndian, append(bytes.Repeat([]byte{'a'}, 64*n), 0)
	head, sections := make([]byte, 64), make([]byte, 64*n)
	copy(head, "\x7fELF\x02\x01\x01")
	le.PutUint16(head[16:], uint16(elf.ET_CORE))
	le.PutUint16(head[18:], uint16(elf.EM_X86_64))
	le.PutUint32(head[20:], 1)
	le.PutUint64(head[40:], uint64(len(head)+len(names)))
	for i, v := range []uint16{64, 0, 0, 64, n, n - 1} {
		le.PutUint16(head[52+2*i:], v)
	}
	last := sections[64*(n-1):]
	le.PutUint32(last[4:], uint32(elf.SHT_STRTAB))
	le.PutUint64(last[24:], uint64(len(head)))
	le.PutUint64(last[32:], uint64(len(names)))
	file := slices.Concat(head, names, sections)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := tables.OpenCore(bytes.NewReader(file), int64(len(file)))
	runtime.ReadMemStats(&after)
	assert.EqualError(t, err, "the core holds no memory")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, 4*uint64(len(file)))
}
