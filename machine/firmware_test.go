package machine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// firmware is a ROM of n bytes, with a number in every page and code at the reset vector.
func firmware(n int, code string) []byte {
	rom := make([]byte, n)
	for i := 0; i < n; i += mmu.PageSize {
		rom[i] = uint8(i / mmu.PageSize)
	}
	copy(rom[n-16:], code)
	return rom
}

func TestFirmwarePlaces(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		low  uint64 // where it begins below 1 MiB, and with which page
		page uint8
	}{
		{"the smallest one", 4 << 10, 0xff000, 0},
		{"a segment", 64 << 10, 0xf0000, 0},
		{"all of 256 KiB is below 1 MiB", 256 << 10, 0xc0000, 0},
		{"the end of what is larger", 1 << 20, 0xc0000, 192},
		{"the largest one", 8 << 20, 0xc0000, 0xc0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(Config{Firmware: firmware(c.size, "\xf4")})
			require.NoError(t, err)
			at := mmu.Phys(1<<32 - c.size)
			assert.EqualValues(t, 0, m.Mem.Read(at, 1))
			m.Mem.Write(at, 1, 5)
			assert.EqualValues(t, 0, m.Mem.Read(at, 1), "ROM")
			assert.Equal(t, uint64(c.page), m.Mem.Read(mmu.Phys(c.low), 1))
			m.Mem.Write(mmu.Phys(c.low), 1, 77)
			assert.EqualValues(t, 77, m.Mem.Read(mmu.Phys(c.low), 1), "the copy is RAM")
			if c.low > 0xc0000 {
				assert.EqualValues(t, 0, m.Mem.Read(mmu.Phys(c.low-1), 1), "nothing below")
			}
			parts := m.Parts()
			assert.Equal(t, []mmu.Range{{At: at, Len: uint64(c.size)}}, parts[len(parts)-1].Mem)
			ranges := m.MemoryMap()
			assert.Equal(t, MemoryRange{mmu.Range{At: at, Len: uint64(c.size)}, ReservedMemory}, ranges[len(ranges)-1])
		})
	}
}

func TestFirmwareSize(t *testing.T) {
	for _, n := range []int{0, 1, 4095, 4097, 8<<20 + 4096} {
		_, err := New(Config{Firmware: make([]byte, n)})
		assert.ErrorContains(t, err, "a multiple of 4K", n)
	}
}

// A run that begins at the reset vector is the same in a fork and out of a snapshot, which
// need not be told the firmware again.
func TestFirmwareRuns(t *testing.T) {
	// inc word [cs:fffe]; jmp f000:fffc, in the copy below 1 MiB, where there is hlt
	m, err := New(Config{Firmware: firmware(64<<10, "\x2e\xff\x06\xfe\xff\xea\xfc\xff\x00\xf0\x00\x00\xf4")})
	require.NoError(t, err)
	f, err := m.Fork()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, m.Save(&b))
	r, err := Restore(&b, Config{})
	require.NoError(t, err)
	for i, x := range []*Machine{m, f, r} {
		assert.Equal(t, Halted, run(t, x, 10).Reason, i)
		assert.EqualValues(t, 3, x.CPU.Ticks(), i)
		assert.EqualValues(t, 0, x.Mem.Read(0xfffffffe, 2), "ROM")
		assert.Len(t, x.Parts(), len(m.Parts()))
		assert.Empty(t, same(m, x))
	}
}
