package tables

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// bits of an entry
const (
	p, w, u, a, d, ps, g = mmu.PtePresent, mmu.PteWritable, mmu.PteUser, mmu.PteAccessed, mmu.PteDirty, mmu.PteLarge, mmu.PteGlobal
	xd                   = uint64(mmu.PteXD)
)

// modes are the control registers of each paging mode, the top table at 0x1000.
var modes = map[mmu.Mode]mmu.Control{
	mmu.Mode32:     {CR0: mmu.CR0PE | mmu.CR0PG, CR3: 0x1000, CR4: mmu.CR4PSE | mmu.CR4PGE, A20: true},
	mmu.ModePAE:    {CR0: mmu.CR0PE | mmu.CR0PG, CR3: 0x1000, CR4: mmu.CR4PAE | mmu.CR4PGE, EFER: mmu.EFERNXE, A20: true},
	mmu.Mode4Level: {CR0: mmu.CR0PE | mmu.CR0PG, CR3: 0x1000, CR4: mmu.CR4PAE | mmu.CR4PGE | mmu.CR4PKE, EFER: mmu.EFERNXE | mmu.EFERLME | mmu.EFERLMA, A20: true},
	mmu.Mode5Level: {CR0: mmu.CR0PE | mmu.CR0PG, CR3: 0x1000, CR4: mmu.CR4PAE | mmu.CR4PGE | mmu.CR4LA57, EFER: mmu.EFERNXE | mmu.EFERLME | mmu.EFERLMA, A20: true},
}

// space makes an address space from entries by their physical address.
func space(mode mmu.Mode, entries map[mmu.Phys]uint64) *mmu.MMU {
	m := mmu.New(mmu.NewMemory(1<<20, 40), mmu.Config{MaxPhysBits: 40})
	size := uint(8)
	if mode == mmu.Mode32 {
		size = 4
	}
	for at, e := range entries {
		m.Mem.Write(at, size, e)
	}
	m.SetControl(modes[mode])
	if mode == mmu.ModePAE {
		m.LoadPDPTEs(0x1000)
	}
	return m
}

func text(t *testing.T, m *mmu.MMU, o PagesOptions, holes bool) string {
	t.Helper()
	var b strings.Builder
	ranges, whole := Pages(m, o)
	assert.True(t, whole)
	require.NoError(t, WritePages(&b, m, ranges, holes))
	return b.String()
}

func TestPages(t *testing.T) {
	tests := []struct {
		name    string
		mode    mmu.Mode
		entries map[mmu.Phys]uint64
		merge   bool
		want    string // without holes
	}{
		{"32-bit: rights of both levels, runs of frames", mmu.Mode32, map[mmu.Phys]uint64{
			0x1000: 0x2000 | p | w | u, 0x2000: 0x10000 | p | w, 0x2004: 0x11000 | p | w, 0x2008: 0x12000 | p | w | u | a, 0x2010: 0x5000 | p | u,
			0x1004: 0x3000 | p, 0x3000: 0x10000 | p | w | u,
		}, false, `
0x00000000-0x00001fff     8K  srwx --- 4K -> 0x10000
0x00002000-0x00002fff     4K  urwx -A- 4K -> 0x12000
0x00004000-0x00004fff     4K  ur-x --- 4K -> 0x5000
0x00400000-0x00400fff     4K  sr-x --- 4K -> 0x10000
`},
		{"32-bit: 4 MiB pages, bits 39:32 of the address, G", mmu.Mode32, map[mmu.Phys]uint64{
			0x1ffc: 0xc00000 | p | w | ps | g | a | d, 0x1ff8: 0x400000 | 1<<13 | p | ps,
		}, false, `
0xff800000-0xffbfffff     4M  sr-x --- 4M -> 0x100400000
0xffc00000-0xffffffff     4M  srwx GAD 4M -> 0xc00000
`},
		{"PAE: registers without rights, XD, 2 MiB", mmu.ModePAE, map[mmu.Phys]uint64{
			0x1000: 0x2000 | p, 0x1018: 0x3000 | p, 0x2000: 0x200000 | p | w | u | ps | xd, 0x3ff8: 0x4000 | p | w | xd, 0x4ff8: 0x9000 | p | w,
		}, false, `
0x00000000-0x001fffff     2M  urw- --- 2M -> 0x200000
0xfffff000-0xffffffff     4K  srw- --- 4K -> 0x9000
`},
		{"4-level: 1 GiB, key, a reserved bit", mmu.Mode4Level, map[mmu.Phys]uint64{
			0x1000: 0x2000 | p | w | u, 0x2000: 0x40000000 | p | w | u | ps | 5<<59, 0x2008: 0x40000000 | 1<<13 | p | ps,
			0x1ff8: 0x2000 | p | w,
		}, false, `
0x0000000000000000-0x000000003fffffff     1G  urwx --- 1G -> 0x40000000, key 5
0x0000000040000000-0x000000007fffffff     1G  a reserved bit is set: PDPTE 1 = 0x40002081 at 0x2008
0xffffff8000000000-0xffffff803fffffff     1G  srwx --- 1G -> 0x40000000, key 5
0xffffff8040000000-0xffffff807fffffff     1G  a reserved bit is set: PDPTE 1 = 0x40002081 at 0x2008
`},
		{"5-level", mmu.Mode5Level, map[mmu.Phys]uint64{
			0x1ff8: 0x2000 | p | w, 0x2ff8: 0x3000 | p | w, 0x3ff8: 0x40000000 | p | w | ps,
		}, false, `
0xffffffffc0000000-0xffffffffffffffff     1G  srwx --- 1G -> 0x40000000
`},
		{"merged by rights", mmu.Mode32, map[mmu.Phys]uint64{
			0x1000: 0x2000 | p | w | u, 0x2000: 0x10000 | p | w, 0x2004: 0x13000 | p | w | a | d, 0x2008: 0x11000 | p,
		}, true, `
0x00000000-0x00001fff     8K  srwx --- 4K -> scattered
0x00002000-0x00002fff     4K  sr-x --- 4K -> 0x11000
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := Everything
			o.Merge = test.merge
			assert.Equal(t, strings.TrimPrefix(test.want, "\n"), text(t, space(test.mode, test.entries), o, false))
		})
	}
}

func TestHoles(t *testing.T) {
	m := space(mmu.Mode4Level, map[mmu.Phys]uint64{0x1000: 0x2000 | p, 0x2000: 0x40000000 | p | ps, 0x2010: 0x1234 << 12})
	assert.Equal(t, strings.TrimPrefix(`
0x0000000000000000-0x000000003fffffff     1G  sr-x --- 1G -> 0x40000000
0x0000000040000000-0x00007fffffffffff 128.0T  hole: PDPTE 1 = 0x0 at 0x2008, and 765 more; 1 not zero
0x0000800000000000-0xffff7fffffffffff  16.0E  not canonical
0xffff800000000000-0xffffffffffffffff   128T  hole: PML4E 256 = 0x0 at 0x1800, and 255 more
`, "\n"), text(t, m, Everything, true))
}

// The ranges cover every address once, and say of each what a walk finds.
func TestPagesAgreeWithWalks(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		for mode := range modes {
			entries := map[mmu.Phys]uint64{}
			for at := mmu.Phys(0x1000); at < 0x8000; at += 8 {
				if r.IntN(3) > 0 {
					entries[at] = r.Uint64()&0x7fff | uint64(r.IntN(8))<<12
				}
			}
			m := space(mode, entries)
			first := mmu.Linear(r.Uint64()) & 0xfff00000
			ranges, _ := Pages(m, PagesOptions{First: first, Last: first + 0x3fffff})
			require.NotEmpty(t, ranges)
			assert.LessOrEqual(t, ranges[0].First, first)
			assert.GreaterOrEqual(t, ranges[len(ranges)-1].Last, first+0x3fffff)
			for i, x := range ranges {
				if i > 0 {
					require.Equal(t, ranges[i-1].Last+1, x.First)
				}
				for _, lin := range []mmu.Linear{x.First, x.Last, x.First + mmu.Linear(r.Uint64()%x.Size())} {
					walk := m.Explain(lin, mmu.Read)
					switch x.Kind {
					case Mapped:
						require.Equal(t, x.Phys+mmu.Phys(lin-x.First), walk.Frame|mmu.Phys(lin&mmu.PageMask), "seed %d, %s paging", seed, mode)
						require.Equal(t, x.Rights, walk.Rights)
						require.Equal(t, x.Shift, walk.Shift)
					case Hole:
						require.Equal(t, mmu.RuleNotPresent, walk.Rule)
					case Reserved:
						require.Equal(t, mmu.RuleReserved, walk.Rule)
					}
				}
			}
		}
	}
}

func TestAliases(t *testing.T) {
	m := space(mmu.Mode32, map[mmu.Phys]uint64{
		0x1000: 0x2000 | p | w, 0x2000: 0x8000 | p | w, 0x2004: 0x9000 | p | w, 0x2010: 0x9000 | p, 0x2014: 0xa000 | p,
		0x1004: 0 | p | ps | w, // all of the first 4 MiB again
	})
	ranges, _ := Pages(m, Everything)
	all, whole := Aliases(ranges)
	require.True(t, whole)
	var b strings.Builder
	require.NoError(t, WriteAliases(&b, m, all))
	assert.Equal(t, strings.TrimPrefix(`
physical 0x8000-0x8fff     4K  mapped 2 times: 0x00000000 srwx 0x00408000 srwx
physical 0x9000-0x9fff     4K  mapped 3 times: 0x00001000 srwx 0x00004000 sr-x 0x00409000 srwx
physical 0xa000-0xafff     4K  mapped 2 times: 0x00005000 sr-x 0x0040a000 srwx
`, "\n"), b.String())
	assert.Equal(t, []Use{{Lin: 0x1123, Rights: mmu.RightWrite | mmu.RightExec, Shift: 12}, {Lin: 0x4123, Rights: mmu.RightExec, Shift: 12},
		{Lin: 0x409123, Rights: mmu.RightWrite | mmu.RightExec, Shift: 22}}, WhoMaps(ranges, 0x9123))
	assert.Empty(t, WhoMaps(ranges, 0x400000))
}

// The last entry of the top table is the top table: the classic window.
func TestSelf(t *testing.T) {
	m := space(mmu.Mode32, map[mmu.Phys]uint64{0x1000: 0x2000 | p | w | u, 0x2000: 0x8000 | p, 0x1ffc: 0x1000 | p | w})
	ranges, _ := Pages(m, Everything)
	all, loops, whole := Self(m, ranges)
	require.True(t, whole)
	var b strings.Builder
	require.NoError(t, WriteSelf(&b, m, all, loops))
	assert.Equal(t, strings.TrimPrefix(`
table of PDEs at 0x1000, for 0x00000000 on, is mapped at 0xfffff000 srwx
table of PTEs at 0x2000, for 0x00000000 on, is mapped at 0xffc00000 srwx
PDE 1023 = 0x1003 at 0x1ffc, for 0xffc00000 on, leads back to the table at 0x1000
2 tables, of which 0 not mapped; 1 entry leads back
`, "\n"), b.String())
}

// Every entry refers to its own table: 2^36 pages, which nobody lists.
func TestTablesWithoutEnd(t *testing.T) {
	entries := map[mmu.Phys]uint64{}
	for i := mmu.Phys(0); i < 512; i++ {
		entries[0x1000+8*i] = 0x1000 | p | w
	}
	m := space(mmu.Mode4Level, entries)
	_, whole := Pages(m, PagesOptions{Last: ^mmu.Linear(0), Merge: true})
	assert.False(t, whole)
	all, loops, whole := Self(m, nil)
	assert.True(t, whole)
	assert.Len(t, all, 1)
	assert.Len(t, loops, 512)
}

func TestDiff(t *testing.T) {
	master := map[mmu.Phys]uint64{0x1000: 0x2000 | p | w | u, 0x2000: 0x8000 | p | w, 0x2004: 0x9000 | p | w, 0x2008: 0xa000 | p, 0x200c: 0xb000 | p | a, 0x1004: 0x3000 | p | w, 0x3000: 0xc000 | p}
	process := map[mmu.Phys]uint64{0x1000: 0x2000 | p | w | u, 0x2000: 0x8000 | p | w, 0x2004: 0x9000 | p, 0x2008: 0xd000 | p, 0x200c: 0xb000 | p, 0x1008: 0x4000 | p | w | u, 0x4004: 0xe000 | p | u}
	ma, mb := space(mmu.Mode32, master), space(mmu.Mode32, process)
	ra, _ := Pages(ma, Everything)
	rb, _ := Pages(mb, Everything)
	var b strings.Builder
	require.NoError(t, WriteDiff(&b, ma, mb, Diff(ra, rb, DiffOptions{Used: true})))
	assert.Equal(t, strings.TrimPrefix(`
0x00001000-0x00001fff     4K  rights
    A: srwx --- 4K -> 0x9000
    B: sr-x --- 4K -> 0x9000
0x00002000-0x00002fff     4K  frame
    A: sr-x --- 4K -> 0xa000
    B: sr-x --- 4K -> 0xd000
0x00003000-0x00003fff     4K  used
    A: sr-x -A- 4K -> 0xb000
    B: sr-x --- 4K -> 0xb000
0x00400000-0x00400fff     4K  only A
    A: sr-x --- 4K -> 0xc000
    B: hole: PDE 1 = 0x0 at 0x1004
0x00801000-0x00801fff     4K  only B
    A: hole: PDE 2 = 0x0 at 0x1008
    B: ur-x --- 4K -> 0xe000
`, "\n"), b.String())
	assert.Len(t, Diff(ra, rb, DiffOptions{}), 4)
	assert.Empty(t, Diff(ra, ra, DiffOptions{Used: true}))
}
