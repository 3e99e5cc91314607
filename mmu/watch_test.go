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

func TestBecome(t *testing.T) {
	mem := NewMemory(4<<20, 36)
	mem.Write(0x1000, 4, 1)
	past := mem.Fork()
	copied := mem.Copied()
	mem.Write(0x1000, 4, 2)
	mem.Write(0x200000, 4, 3)
	assert.Equal(t, copied+1, mem.Copied(), "a page of zeros is not copied")
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
