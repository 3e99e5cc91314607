package mmu

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each page that Tables shows is what a walk of its address finds, and each
// address that it shows none for is one that a walk fails at.
func TestTablesAgreeWithWalks(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		for mode := Mode32; mode <= Mode5Level; mode++ {
			m := randomTables(seed, mode)
			n, bad := 0, 0
			m.Tables(0, ^Linear(0), func(e *TableEntry) Next {
				if n++; n > 20000 {
					return Stop
				}
				w := m.Explain(e.First, 0)
				found := w.Rule != RuleNotPresent && w.Rule != RuleReserved
				switch e.Kind {
				case EntryPage:
					if !found || w.Frame != e.Frame || w.Rights != e.Rights || w.Shift != e.Shift || w.Key != e.Key {
						bad++
					}
				case EntryAbsent:
					if w.Rule != RuleNotPresent {
						bad++
					}
				case EntryReserved:
					if w.Rule != RuleReserved {
						bad++
					}
				}
				return Descend
			})
			assert.NotZero(t, n)
			assert.Zero(t, bad, "seed %d, %s paging", seed, mode)
		}
	}
}

// randomTables makes an MMU whose first 64 pages are full of entries that
// mostly lead to one another.
func randomTables(seed uint64, mode Mode) *MMU {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	c := Control{CR0: CR0PE | CR0PG | CR0WP, CR4: CR4PSE | CR4PGE, CR3: 0x1000, A20: true}
	size := uint(8)
	switch mode {
	case Mode32:
		size = 4
	case ModePAE:
		c.CR4 |= CR4PAE
	default:
		c.CR4 |= CR4PAE
		c.EFER = EFERLME | EFERLMA | EFERNXE
		if mode == Mode5Level {
			c.CR4 |= CR4LA57
		}
	}
	next := func() uint64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return seed
	}
	for p := Phys(0); p < 1<<18; p += Phys(size) {
		v := next()
		e := v&0x3f000 | v>>20&0x1ff
		if v>>32&3 == 0 {
			e = 0
		}
		if v>>40&31 == 0 {
			e |= 1 << (20 + v>>48&43)
		}
		m.Mem.Write(p, size, e)
	}
	m.SetControl(c)
	if mode == ModePAE {
		for i := range m.Ctl.PDPTE {
			m.Ctl.PDPTE[i] = next()&0x3f000 | uint64(i)&1
		}
		m.SetControl(m.Ctl)
	}
	return m
}

// A self-mapped table is followed as often as there are levels, and the visitor
// may end it.
func TestTablesThatMapThemselves(t *testing.T) {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	for i := Phys(0); i < 512; i++ {
		m.Mem.Write(0x1000+8*i, 8, 0x1007)
	}
	m.SetControl(Control{CR0: CR0PE | CR0PG, CR4: CR4PAE, EFER: EFERLME | EFERLMA, CR3: 0x1000, A20: true})
	n := 0
	m.Tables(0, ^Linear(0), func(*TableEntry) Next {
		if n++; n == 100000 {
			return Stop
		}
		return Descend
	})
	assert.Equal(t, 100000, n)
	pages := 0
	m.Tables(0x7fff_ffff_f000, 0x7fff_ffff_ffff, func(e *TableEntry) Next {
		if e.Kind == EntryPage {
			pages++
		}
		return Descend
	})
	assert.Equal(t, 1, pages)
}
