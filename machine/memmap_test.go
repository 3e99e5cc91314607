package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

func TestMemoryMap(t *testing.T) {
	low := []MemoryRange{
		{mmu.Range{At: 0, Len: 0x9fc00}, UsableMemory},
		{mmu.Range{At: 0x9fc00, Len: 0x60400}, ReservedMemory},
	}
	for _, c := range []struct {
		name    string
		ram     uint64
		devices []mmu.Range
		want    []MemoryRange
	}{
		{"no memory above 1 MiB", 1 << 20, nil, nil},
		{"RAM above 1 MiB", 4 << 20, nil, []MemoryRange{{mmu.Range{At: 1 << 20, Len: 3 << 20}, UsableMemory}}},
		{"devices are reserved by whole pages, sorted; neighbours are one", 1 << 20,
			[]mmu.Range{{At: 0xfee00000, Len: 0x1000}, {At: 0xfec00010, Len: 0x20}, {At: 0xfec01000, Len: 0x400}},
			[]MemoryRange{
				{mmu.Range{At: 0xfec00000, Len: 0x2000}, ReservedMemory},
				{mmu.Range{At: 0xfee00000, Len: 0x1000}, ReservedMemory},
			}},
		{"a device below the end of RAM is none of its own", 1 << 20, []mmu.Range{{At: 0xb8000, Len: 0x1000}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(Config{RAM: c.ram, Board: Bare})
			require.NoError(t, err)
			for _, r := range c.devices {
				m.parts = append(m.parts, Part{Mem: []mmu.Range{r}})
			}
			assert.Equal(t, append(low[:2:2], c.want...), m.MemoryMap())
		})
	}
}
