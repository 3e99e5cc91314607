package mmu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Memories that fork, become each other and store at random hold what a plain
// copy of each would hold: a page that is used again was nobody's any more.
func TestRecycledPagesWereNobodys(t *testing.T) {
	const pages, chunks = 24, 3
	addr := func(i int) Phys { return Phys(i%chunks)<<chunkShift | Phys(i/chunks)<<PageShift | 0x10 }
	type world struct {
		m    *Memory
		want [pages]uint64
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		worlds := []*world{{m: NewMemory(chunks<<chunkShift, 36)}}
		var reused int
		for step := range 3000 {
			w := worlds[r.IntN(len(worlds))]
			switch op := r.IntN(20); {
			case op == 0 && len(worlds) < 6:
				worlds = append(worlds, &world{w.m.Fork(), w.want})
			case op <= 3:
				o := worlds[r.IntN(len(worlds))]
				before := len(w.m.spare.pages)
				if w != o {
					w.m.Become(o.m)
					w.want = o.want
				}
				reused += len(w.m.spare.pages) - before
			default:
				i := r.IntN(pages)
				w.want[i] = r.Uint64()
				w.m.Write(addr(i), 8, w.want[i])
			}
			for n, w := range worlds {
				for i, want := range w.want {
					if got := w.m.Read(addr(i), 8); got != want {
						require.Equal(t, want, got, fmt.Sprint("seed ", seed, " step ", step, " memory ", n, " page ", i))
					}
				}
			}
		}
		require.Positive(t, reused)
	}
}

// What is kept for reuse is bounded, and keeps nothing else alive.
func TestSpareIsBounded(t *testing.T) {
	m := NewMemory(1<<30, 36)
	moment := m.Fork()
	for range 3 {
		for p := Phys(0); p < 1<<30; p += 1 << 20 {
			m.Write(p, 8, 1)
			m.Write(p+PageSize, 8, 1)
		}
		m.Become(moment)
	}
	require.Len(t, m.spare.pages, sparePages)
	require.Len(t, m.spare.chunks, spareChunks)
	for _, c := range m.spare.chunks {
		require.Equal(t, [chunkPages]*Page{}, c.page)
	}
}
