package machine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// toucher is a 64 MiB machine, all of whose pages hold something, in 32-bit
// code with paging. It goes on by storing into ten pages, some distance apart,
// and ending: 32 instructions.
func toucher(t testing.TB, distance uint32) *Machine {
	m := boot(t, Config{RAM: 64 << 20}, "")
	for p := mmu.Phys(0); p < 64<<20; p += mmu.PageSize {
		m.Mem.Write(p, 8, uint64(p)+1)
	}
	const directory = 0x10000
	for i := range uint64(16) {
		m.Mem.Write(mmu.Phys(directory+4*i), 4, i<<22|0x83) // 4-MByte pages
	}
	// l: mov [ebx],ecx; add ebx,edx; loop l; out 0xf4,al
	m.Mem.WriteBytes(0x7c00, []byte("\x89\x0b\x01\xd3\xe2\xfa\xe6\xf4"))
	s := m.CPU.State()
	s.CR0 |= mmu.CR0PE | mmu.CR0PG
	s.CR3, s.CR4 = directory, mmu.CR4PSE
	for r := range s.Seg {
		s.Seg[r].Attr |= 1<<14 | 1<<15
		s.Seg[r].Limit = 0xffffffff
	}
	s.GPR[1], s.GPR[2], s.GPR[3] = 10, uint64(distance), 0x100000
	m.CPU.SetState(s)
	return m
}

// Thousands of runs from one state: each a fork of its own, or one machine that
// returns to the moment before.
func BenchmarkForkTouchDrop(b *testing.B) {
	for _, distance := range []uint32{4 << 10, 5 << 20} {
		m := toucher(b, distance)
		moment := m.Moment()
		one, err := m.Fork()
		require.NoError(b, err)
		for name, fork := range map[string]func() (*Machine, error){
			"fork":   m.Fork,
			"return": func() (*Machine, error) { one.Return(moment); return one, nil },
		} {
			b.Run(fmt.Sprintf("%s, 10 pages %d KiB apart", name, distance>>10), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f, err := fork()
					if err != nil {
						b.Fatal(err)
					}
					if r := run(b, f, 100); r.Reason != Exited {
						b.Fatal(r.Reason)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "forks/s")
			})
		}
	}
}
