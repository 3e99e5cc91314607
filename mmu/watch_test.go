package mmu

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWatchTellsStores(t *testing.T) {
	mem := NewMemory(1<<20, 36)
	m := New(mem, Config{MaxPhysBits: 36})
	type seen struct {
		p    Phys
		n    int
		walk bool
	}
	var got []seen
	mem.OnStore = func(p Phys, n int, walk bool) { got = append(got, seen{p, n, walk}) }
	write := func(p Phys) { m.Write(Linear(p), 4, 1, 0) }
	write(0x3000) // leaves a shortcut
	mem.Watch([]Range{{At: 0x3004, Len: 4}, {At: 0x4ffe, Len: 4}})
	for _, c := range []struct {
		name string
		do   func()
		want []seen
	}{
		{"before the range", func() { write(0x3000) }, nil},
		{"behind it", func() { write(0x3008) }, nil},
		{"into it", func() { write(0x3004) }, []seen{{0x3004, 4, false}}},
		{"over its end", func() { write(0x3006) }, []seen{{0x3006, 4, false}}},
		{"on the second page of a range", func() { write(0x5000) }, []seen{{0x5000, 4, false}}},
		{"over both pages", func() { write(0x4fff) }, []seen{{0x4fff, 1, false}, {0x5000, 3, false}}},
		{"by a device", func() { mem.WriteBytes(0x3005, []byte{1}) }, []seen{{0x3005, 1, false}}},
		{"a read", func() { mem.Read(0x3004, 4) }, nil},
		{"no longer", func() { mem.Watch(nil); write(0x3004) }, nil},
	} {
		got = nil
		c.do()
		assert.Equal(t, c.want, got, c.name)
	}
}

func TestWatchTellsLinearAccesses(t *testing.T) {
	m := New(NewMemory(1<<20, 36), Config{MaxPhysBits: 36})
	type seen struct {
		lin   Linear
		n     uint
		write bool
	}
	var got []seen
	m.OnAccess = func(lin Linear, n uint, write bool) { got = append(got, seen{lin, n, write}) }
	read := func(lin Linear) { m.Read(lin, 4, 0) }
	write := func(lin Linear) { m.Write(lin, 4, 1, 0) }
	read(0x3000) // leaves a shortcut
	write(0x3000)
	m.WatchLinear([]LinearRange{{At: 0x3004, Len: 4}, {At: 0x4ffe, Len: 4}})
	for _, c := range []struct {
		name string
		do   func()
		want []seen
	}{
		{"before the range", func() { read(0x3000); write(0x3000) }, nil},
		{"behind it", func() { read(0x3008); write(0x3008) }, nil},
		{"into it, each time", func() { read(0x3004); read(0x3004) }, []seen{{0x3004, 4, false}, {0x3004, 4, false}}},
		{"over its end", func() { write(0x3006) }, []seen{{0x3006, 4, true}}},
		{"over two pages, once", func() { write(0x4fff) }, []seen{{0x4fff, 4, true}}},
		{"over two pages, into the second", func() { m.WatchLinear([]LinearRange{{At: 0x5000, Len: 1}}); read(0x4ffd) }, []seen{{0x4ffd, 4, false}}},
		{"a fetch", func() { m.Fetch(0x5000, 0) }, nil},
		{"a probe, and the page's shortcut", func() { m.Probe(0x5000, 4, Write); write(0x5000) }, []seen{{0x5000, 4, true}}},
		{"memory below", func() { m.Mem.Write(0x5000, 4, 1) }, nil},
		{"the end of all addresses", func() { m.WatchLinear([]LinearRange{{At: 0xfffffffe, Len: 2}}); read(0xfffffffd) }, []seen{{0xfffffffd, 4, false}}},
		{"no longer", func() { m.WatchLinear(nil); write(0x3004) }, nil},
	} {
		got = nil
		c.do()
		assert.Equal(t, c.want, got, c.name)
	}
}

func TestWatchPhysTellsAccesses(t *testing.T) {
	m := New(NewMemory(1<<20, 36), Config{MaxPhysBits: 36})
	// Paging: linear 0x8000 and 0x9000 both lead to 0x3000, 0xa000 to 0x4000.
	m.Mem.Write(0x1000, 4, 0x2000|PtePresent|PteWritable)
	for page, frame := range map[Phys]uint64{8: 0x3000, 9: 0x3000, 10: 0x4000} {
		m.Mem.Write(0x2000+4*page, 4, frame|PtePresent|PteWritable)
	}
	m.SetControl(Control{CR0: CR0PE | CR0PG, CR3: 0x1000, A20: true})
	type seen struct {
		p     Phys
		n     uint
		write bool
	}
	var got []seen
	m.OnPhys = func(p Phys, n uint, write bool) { got = append(got, seen{p, n, write}) }
	read := func(lin Linear) { m.Read(lin, 4, 0) }
	write := func(lin Linear) { m.Write(lin, 4, 1, 0) }
	read(0x8000) // leaves a shortcut
	m.WatchPhys([]Range{{At: 0x3004, Len: 4}, {At: 0x4000, Len: 1}})
	for _, c := range []struct {
		name string
		do   func()
		want []seen
	}{
		{"before the range", func() { read(0x8000); write(0x8000) }, nil},
		{"into it, each time", func() { read(0x8004); read(0x8004) }, []seen{{0x3004, 4, false}, {0x3004, 4, false}}},
		{"by another mapping", func() { write(0x9006) }, []seen{{0x3006, 4, true}}},
		{"over two pages, into the second", func() { read(0x9ffe) }, []seen{{0x4000, 2, false}}},
		{"a fetch", func() { m.Fetch(0x8004, 0) }, nil},
		{"a walk", func() { m.WatchPhys([]Range{{At: 0x2000, Len: 4096}}); m.Invlpg(0x8000); read(0x8004) }, nil},
		{"no longer", func() { m.WatchPhys(nil); write(0x8004) }, nil},
	} {
		got = nil
		c.do()
		assert.Equal(t, c.want, got, c.name)
	}
}

func TestBecome(t *testing.T) {
	mem := NewMemory(4<<20, 36)
	mem.Write(0x1000, 4, 1)
	past := mem.Fork()
	copied, _ := mem.Copied()
	mem.Write(0x1000, 4, 2)
	mem.Write(0x200000, 4, 3)
	after, _ := mem.Copied()
	assert.Equal(t, copied+1, after, "a page of zeros is not copied")
	assert.False(t, mem.SamePage(past, 0x1000))
	assert.True(t, mem.SamePage(past, 0x2000))
	assert.Equal(t, 2, past.Alone(mem), "a page, and the chunk that it is in")
	var lost []Phys
	mem.OnCodeWrite = func(p Phys, n int) { lost = append(lost, p) }
	mem.MarkCode(0x1000, 16)
	mem.MarkCode(0x2000, 16)
	mem.Become(past)
	assert.Equal(t, []Phys{0x1000}, lost, "code on pages that differ")
	assert.True(t, mem.Equal(past))
	mem.Write(0x1000, 4, 9)
	assert.Equal(t, uint64(1), past.Read(0x1000, 4))
}

// Copies are timed, one in sixteen for all.
func TestCopiesAreTimed(t *testing.T) {
	mem := NewMemory(1<<20, 36)
	pages := make([]byte, 64*PageSize)
	mem.WriteBytes(0, pages)
	for range 10_000 { // a host's clock may be coarse
		mem.Fork()
		mem.WriteBytes(0, pages)
		if _, took := mem.Copied(); took > 0 {
			n, _ := mem.Copied()
			assert.Zero(t, n%64)
			return
		}
	}
	t.Error("copies take no time")
}
