package mmu

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// testDevice logs what it is asked and answers with the offset.
type testDevice struct{ log []string }

func (d *testDevice) Read(off uint64, size uint) uint64 {
	d.log = append(d.log, fmt.Sprintf("r%d %#x", size, off))
	return 0x1111111111111111*(off&0xf) | 0xf0f0<<48
}

func (d *testDevice) Write(off uint64, size uint, v uint64) {
	d.log = append(d.log, fmt.Sprintf("w%d %#x %#x", size, off, v))
}

func TestMemoryRegions(t *testing.T) {
	m := NewMemory(1<<20, 40)
	dev := &testDevice{}
	require.NoError(t, m.MapROM(0xf0000, []byte{1, 2, 3, 4}))
	require.NoError(t, m.MapMMIO(0xa0000, 0x100, dev))
	require.NoError(t, m.MapRAM(1<<32, 1<<32))

	t.Run("RAM", func(t *testing.T) {
		require.Zero(t, m.Read(0x123, 8))
		m.Write(0xffd, 8, 0x8877665544332211)
		require.Equal(t, uint64(0x8877665544332211), m.Read(0xffd, 8), "across pages")
		require.Equal(t, uint64(0x332211), m.Read(0xffd, 3))
		m.Write(5<<30, 4, 7)
		require.Equal(t, uint64(7), m.Read(5<<30, 8))
	})
	t.Run("ROM loses writes", func(t *testing.T) {
		m.Write(0xf0000, 4, 0x99999999)
		m.WriteBytes(0xf0000, []byte{9})
		require.Equal(t, uint64(0xffffffff04030201), m.Read(0xf0000, 8))
	})
	t.Run("a shared page is copied where it is stored into", func(t *testing.T) {
		pg := &Page{1, 2, 3}
		require.NoError(t, m.MapShared(0x200000000-0x2000, 0x2000, pg))
		require.NoError(t, m.MapShared(4<<30, 2<<20, pg), "a whole chunk")
		require.Error(t, m.MapShared(5, 0x1000, pg))
		other := m.Fork()
		m.Write(0x200000000-1, 1, 9)
		m.Write(4<<30, 1, 9)
		require.Equal(t, uint64(0x030201), m.Read(0x200000000-0x2000, 8), "in one place")
		require.Equal(t, uint64(0x030201), other.Read(4<<30, 8), "of one memory")
		require.Equal(t, uint64(0x030209), m.Read(4<<30, 8))
		require.Equal(t, Page{1, 2, 3}, *pg)
	})
	t.Run("holes read as ones", func(t *testing.T) {
		m.Write(0x200000, 8, 0)
		require.Equal(t, ^uint64(0), m.Read(0x200000, 8))
		require.Equal(t, uint64(0xffff), m.Read(0x200000, 2))
		b := []byte{0, 0}
		m.ReadBytes(0x200000, b)
		require.Equal(t, []byte{0xff, 0xff}, b)
	})
	t.Run("anywhere", func(t *testing.T) {
		for _, p := range []Phys{1 << 40, 1<<52 - 4, ^Phys(0) - 3, ^Phys(0)} {
			m.Write(p, 8, 1)
			m.WriteBytes(p, make([]byte, 100))
			m.ReadBytes(p, make([]byte, 100))
			m.MarkCode(p&^PageMask, 5)
			m.ClearCode(p)
			require.Equal(t, uint64(0xff), m.Read(p, 1))
		}
	})
	t.Run("devices", func(t *testing.T) {
		dev.log = nil
		require.Equal(t, uint64(0x44444444), m.Read(0xa0004, 4))
		m.Write(0xa0008, 2, 0x12345678)
		m.WriteBytes(0xa0010, []byte{7})
		require.Equal(t, []string{"r4 0x4", "w2 0x8 0x5678", "w1 0x10 0x7"}, dev.log)
	})
	t.Run("straddling RAM and a device", func(t *testing.T) {
		dev.log = nil
		m.Write(0x9fffe, 4, 0xddccbbaa)
		require.Equal(t, uint64(0xbbaa), m.Read(0x9fffe, 2))
		require.Equal(t, uint64(0x1100bbaa), m.Read(0x9fffe, 4))
		require.Equal(t, []string{"w1 0x0 0xcc", "w1 0x1 0xdd", "r1 0x0", "r1 0x1"}, dev.log)
	})
	t.Run("straddling a device's end", func(t *testing.T) {
		dev.log = nil
		require.Equal(t, uint64(0xffffffee), m.Read(0xa00fe, 4)&0xffff00ff|0xff00, "the rest of its page is a hole")
		require.Equal(t, []string{"r1 0xfe", "r1 0xff"}, dev.log)
	})
	t.Run("remapping", func(t *testing.T) {
		dev.log = nil
		require.NoError(t, m.MapMMIO(0xd0000000, 0x3000, dev))
		other := &testDevice{}
		require.NoError(t, m.MapMMIO(0xd0001000, 0x1000, other))
		m.Read(0xd0000004, 1)
		m.Read(0xd0001004, 1)
		m.Read(0xd0002004, 1)
		require.Equal(t, []string{"r1 0x4", "r1 0x2004"}, dev.log)
		require.Equal(t, []string{"r1 0x4"}, other.log)
		m.Unmap(0xd0000000, 0x10000)
		require.Equal(t, uint64(0xff), m.Read(0xd0001004, 1))
		require.Equal(t, uint64(0xffff), m.Read(0x9fffe, 4)>>16|0xffff, "others stay")
	})
	t.Run("refused", func(t *testing.T) {
		require.Error(t, m.MapRAM(0x800, 0x1000))
		require.Error(t, m.MapRAM(0, 0x801))
		require.Error(t, m.MapRAM(1<<40, 0x1000))
		require.Error(t, m.MapRAM(^Phys(PageMask), 0x2000))
		require.Error(t, m.MapROM(5, []byte{1}))
		require.Error(t, m.MapMMIO(0, 0, dev))
		require.Error(t, m.MapMMIO(^Phys(0), 16, dev))
	})
	t.Run("NewMemory cuts what does not fit", func(t *testing.T) {
		m := NewMemory(1<<33+5, 32)
		m.Write(1<<32-4, 8, 1<<32|5)
		require.Equal(t, uint64(0xffffffff00000005), m.Read(1<<32-4, 8))
	})
}

// Peek reads RAM and ROM, across a page border too, and stops before a device.
func TestPeek(t *testing.T) {
	m := NewMemory(1<<20, 32)
	dev := &testDevice{}
	require.NoError(t, m.MapMMIO(0x3000, 0x1000, dev))
	m.WriteBytes(0x1ffe, []byte{1, 2, 3, 4})
	b := make([]byte, 4)
	require.Equal(t, 4, m.Peek(0x1ffe, b))
	require.Equal(t, []byte{1, 2, 3, 4}, b)
	require.Equal(t, 2, m.Peek(0x2ffe, b))
	require.Zero(t, m.Peek(0x3000, b))
	require.Zero(t, m.Peek(1<<20, b), "a hole")
	require.Empty(t, dev.log)
}

func TestFork(t *testing.T) {
	a := NewMemory(16<<20, 40)
	a.Write(0x1000, 4, 1)
	a.Write(0x500000, 4, 2)
	b := a.Fork()
	require.True(t, a.Equal(b))

	a.Write(0x1000, 4, 10)
	require.Equal(t, uint64(1), b.Read(0x1000, 4), "the parent's store")
	b.Write(0x500000, 4, 20)
	require.Equal(t, uint64(2), a.Read(0x500000, 4), "the child's store")
	b.Write(0x700000, 4, 30)
	require.Zero(t, a.Read(0x700000, 4), "a page of zeros")
	require.False(t, a.Equal(b))
	require.False(t, b.Equal(a))

	c := b.Fork().Fork()
	require.True(t, c.Equal(b))
	a.Write(0x500000, 4, 20)
	a.Write(0x700000, 4, 30)
	b.Write(0x1000, 4, 10)
	require.True(t, a.Equal(b), "equal contents in different pages")
	require.Equal(t, uint64(1), c.Read(0x1000, 4))
	b.Write(0x900000, 4, 0)
	require.True(t, a.Equal(b), "a stored zero is a zero")
	require.False(t, a.Equal(NewMemory(32<<20, 40)), "another size")
}

func TestForkKeepsNoShortcut(t *testing.T) {
	mem := NewMemory(1<<20, 40)
	m := New(mem, Config{MaxPhysBits: 40})
	require.True(t, m.Write(0x1000, 4, 1, 0))
	f := mem.Fork()
	n := New(f, Config{MaxPhysBits: 40})
	v, _ := n.Read(0x1000, 4, 0)
	require.Equal(t, uint64(1), v)
	require.True(t, m.Write(0x1000, 4, 2, 0))
	v, _ = n.Read(0x1000, 4, 0)
	require.Equal(t, uint64(1), v)
	require.True(t, n.Write(0x1000, 4, 3, 0))
	v, _ = m.Read(0x1000, 4, 0)
	require.Equal(t, uint64(2), v)
	v, _ = n.Read(0x1000, 4, 0)
	require.Equal(t, uint64(3), v, "the copy replaced a page that had a shortcut")
}

// A page read through two addresses gets its own host page when one is
// stored to: the other's shortcut must follow.
func TestAliasesFollowTheCopy(t *testing.T) {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	m.Mem.Write(0x2000, 4, 0x3007)
	m.Mem.Write(0x3000, 4, 0x8007)
	m.Mem.Write(0x3004, 4, 0x8007)
	m.SetCR3(0x2000)
	m.SetCR0(CR0PE | CR0PG)
	for _, a := range []Access{0, User, AC} {
		_, ok := m.Read(0x1000, 4, a)
		require.True(t, ok)
	}
	require.True(t, m.Write(0x0000, 4, 77, 0))
	for _, a := range []Access{0, User, AC} {
		v, _ := m.Read(0x1000, 4, a)
		require.Equal(t, uint64(77), v)
	}
	m.Mem.Fork()
	m.Mem.WriteBytes(0x8000, []byte{78})
	v, _ := m.Read(0x1000, 1, User)
	require.Equal(t, uint64(78), v, "a device's store")
}

func TestPagesAndRestore(t *testing.T) {
	a := NewMemory(16<<20, 40)
	require.NoError(t, a.MapROM(0xf0000, []byte{1, 2, 3}))
	a.Write(0x3008, 4, 5)
	a.Write(0x900000, 4, 6)
	kept := map[Phys]Page{}
	var order []Phys
	for p, pg := range a.Pages() {
		kept[p] = *pg
		order = append(order, p)
	}
	require.Equal(t, []Phys{0x3000, 0xf0000, 0x900000}, order)
	for range a.Pages() {
		break
	}

	b := a.Fork()
	b.Write(0x3008, 4, 55)
	b.Write(0x100000, 4, 66)
	m := New(b, Config{MaxPhysBits: 40})
	v, _ := m.Read(0x3008, 4, 0)
	require.Equal(t, uint64(55), v)
	b.ClearRAM()
	require.Zero(t, b.Read(0x100000, 4))
	require.Equal(t, uint64(0x030201), b.Read(0xf0000, 3))
	for p, pg := range kept {
		require.True(t, b.SetPage(p, &pg))
	}
	require.True(t, a.Equal(b))
	require.Equal(t, uint64(5), a.Read(0x3008, 4))
	v, _ = m.Read(0x3008, 4, 0)
	require.Equal(t, uint64(5), v, "no shortcut survives")
	rom, full := kept[0xf0000], Page{7, 7}
	require.True(t, b.SetPage(0xf0000, &full))
	require.Equal(t, uint64(0x0707), b.Read(0xf0000, 2))
	require.Equal(t, uint64(0x0201), a.Read(0xf0000, 2))
	b.Write(0xf0000, 4, 0)
	require.Equal(t, uint64(0x0707), b.Read(0xf0000, 2), "still ROM")
	require.True(t, b.SetPage(0xf0000, &rom))
	require.True(t, a.Equal(b))
	require.False(t, b.SetPage(0x10000000, &Page{}), "no RAM there")
}

// Random stores and forks, against plain copies of the whole memory.
func TestForksAgainstCopies(t *testing.T) {
	const size = 4<<20 + 8*PageSize
	type pair struct {
		m     *Memory
		flat  []byte
		hooks map[Phys]int
	}
	watch := func(p *pair) *pair {
		p.hooks = map[Phys]int{}
		p.m.OnCodeWrite = func(at Phys, n int) { p.hooks[at] += n }
		return p
	}
	r := rng(4711)
	all := []*pair{watch(&pair{m: NewMemory(size, 40), flat: make([]byte, size)})}
	for range 4000 {
		p := all[r.next()>>9%uint64(len(all))]
		// Eight pages in three chunks, and the borders between them.
		at := Phys(r.next()>>13%3<<chunkShift + r.next()>>17%(8*PageSize))
		switch r.next() >> 21 % 8 {
		case 0:
			if len(all) < 6 {
				all = append(all, watch(&pair{m: p.m.Fork(), flat: append([]byte(nil), p.flat...)}))
			} else {
				i := r.next() >> 9 % 6
				all[i] = watch(&pair{m: p.m.Fork(), flat: append([]byte(nil), p.flat...)})
			}
		case 1:
			b := make([]byte, min(r.next()>>11%10000, size-uint64(at)))
			for i := range b {
				b[i] = byte(r.next() >> 5)
			}
			copy(p.flat[at:], b)
			p.m.WriteBytes(at, b)
		default:
			n := uint(1) << (r.next() >> 7 & 3)
			v := r.next()
			if uint64(at)+uint64(n) > size {
				continue
			}
			for i := range n {
				p.flat[uint(at)+i] = byte(v >> (8 * i))
			}
			p.m.Write(at, n, v)
		}
		q := all[r.next()>>9%uint64(len(all))]
		b := make([]byte, 64)
		at = min(at, size-64)
		q.m.ReadBytes(at, b)
		require.Equal(t, q.flat[at:at+64], b)
	}
	whole := make([]byte, size)
	for i, p := range all {
		p.m.ReadBytes(0, whole)
		require.True(t, bytes.Equal(p.flat, whole), "memory %d", i)
		for _, q := range all {
			require.Equal(t, bytes.Equal(p.flat, q.flat), p.m.Equal(q.m))
		}
		require.Empty(t, p.hooks)
	}
}

// Forks belong to different goroutines, and share pages.
func TestForksRunApart(t *testing.T) {
	m := NewMemory(1<<20, 40)
	m.Write(0x1000, 4, 7)
	var wg sync.WaitGroup
	for i := range uint64(4) {
		f := m.Fork()
		wg.Go(func() {
			for at := Phys(0); at < 1<<20; at += 0x800 {
				f.Write(at, 8, f.Read(at, 8)+i)
			}
		})
	}
	for at := Phys(0); at < 1<<20; at += 0x800 {
		m.Write(at, 8, m.Read(at, 8)+9)
	}
	wg.Wait()
	require.Equal(t, uint64(16), m.Read(0x1000, 4))
}

func TestHugeRAMCostsNothing(t *testing.T) {
	m := NewMemory(64<<30, 40)
	m.Write(63<<30, 4, 1)
	n := 0
	for range m.Pages() {
		n++
	}
	require.Equal(t, 1, n)
	require.True(t, m.Equal(m.Fork()))
}

func TestCodeMarks(t *testing.T) {
	type hit struct {
		p Phys
		n int
	}
	var hits []hit
	mem := NewMemory(1<<20, 40)
	mem.OnCodeWrite = func(p Phys, n int) { hits = append(hits, hit{p, n}) }
	m := New(mem, Config{MaxPhysBits: 40})
	for _, a := range []Access{0, User, AC} {
		require.True(t, m.Write(0x1800, 4, 1, a))
		require.Equal(t, uint64(0x1000), m.View[a.ViewOf()][1].W)
	}
	mem.MarkCode(0x1100, 0x81) // granules 2 and 3
	for v := range m.View {
		require.Equal(t, uint64(noPage), m.View[v][1].W, "marking takes stores out of view %d", v)
	}
	for _, c := range []struct {
		name string
		do   func()
		want []hit
	}{
		{"before the granule", func() { m.Write(0x10fc, 4, 1, 0) }, nil},
		{"into its last bytes from before", func() { m.Write(0x10fd, 4, 1, 0) }, []hit{{0x10fd, 4}}},
		{"its last byte", func() { m.Write(0x11ff, 1, 1, User) }, []hit{{0x11ff, 1}}},
		{"behind", func() { m.Write(0x1200, 8, 1, User) }, nil},
		{"a device's bytes", func() { mem.WriteBytes(0xff0, make([]byte, 0x200)) }, []hit{{0x1000, 0x1f0}}},
		{"a device's bytes beside", func() { mem.WriteBytes(0xff0, make([]byte, 0x100)) }, nil},
		{"across pages", func() { m.Write(0xffe, 8, 1, 0) }, nil},
		{"a read", func() { m.Read(0x1100, 4, 0) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			hits = nil
			c.do()
			require.Equal(t, c.want, hits)
			require.Equal(t, uint64(noPage), m.View[0][1].W)
			require.Equal(t, uint64(noPage), m.View[1][1].W)
		})
	}
	t.Run("the bytes are there when the hook runs", func(t *testing.T) {
		mem.OnCodeWrite = func(p Phys, n int) { require.Equal(t, uint64(0xcc), mem.Read(p, 1)) }
		m.Write(0x1100, 1, 0xcc, 0)
	})
	t.Run("cleared", func(t *testing.T) {
		mem.OnCodeWrite = func(Phys, int) { t.Fatal("hook") }
		mem.ClearCode(0x1fff)
		m.Write(0x1100, 4, 1, 0)
		require.Equal(t, uint64(0x1000), m.View[0][1].W, "stores are fast again")
	})
	t.Run("A and D of a marked table", func(t *testing.T) {
		hits = nil
		mem.OnCodeWrite = func(p Phys, n int) { hits = append(hits, hit{p, n}) }
		mem.Write(0x2000, 4, 0x3007)
		mem.Write(0x3000, 4, 0x8007)
		mem.MarkCode(0x3000, 1)
		m.SetCR3(0x2000)
		m.SetCR0(CR0PE | CR0PG)
		m.Read(0, 4, 0)
		m.Write(0, 4, 1, 0)
		m.Write(8, 4, 1, 0)
		require.Equal(t, []hit{{0x3000, 4}, {0x3000, 4}}, hits)
	})
	t.Run("replaced memory", func(t *testing.T) {
		hits = nil
		mem.ClearRAM()
		require.Equal(t, []hit{{0x3000, PageSize}}, hits)
	})
	t.Run("no RAM, no mark", func(t *testing.T) {
		require.NoError(t, mem.MapROM(0xf0000, []byte{1}))
		mem.MarkCode(0xf0000, 1)
		mem.MarkCode(0x900000, 1)
		mem.OnCodeWrite = func(Phys, int) { t.Fatal("hook") }
		mem.Write(0xf0000, 1, 1)
		mem.Write(0x900000, 1, 1)
	})
}

// A fork has the contents, not the devices: those are another machine's.
func TestForkLeavesDevices(t *testing.T) {
	m := NewMemory(4*PageSize, 32)
	require.True(t, m.Vacant(0x8000))
	require.False(t, m.Vacant(0x3fff))
	require.NoError(t, m.MapMMIO(0x8ffc, 8, &testDevice{}))
	require.False(t, m.Vacant(0x8000))
	require.False(t, m.Vacant(0x9000))
	require.True(t, m.Vacant(0xa000))
	f := m.Fork()
	require.True(t, f.Vacant(0x8000))
	m.Become(f)
	require.False(t, m.Vacant(0x8000))
}
