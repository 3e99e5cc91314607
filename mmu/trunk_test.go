package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What may happen between the walks of two neighbours so that the second must not go by
// the upper levels of the first.
func TestTrunkIsLookedAtAnew(t *testing.T) {
	const first, second = Linear(0x5000), Linear(0x9123)
	// at gives the address of an entry of the second's path.
	at := func(m *MMU, l Level) Phys {
		for _, s := range m.Explain(second, Read).Steps {
			if s.Level == l && s.At != 0 {
				return s.At
			}
		}
		panic("BUG: no such level")
	}
	edit := func(l Level, set, clear uint64) func(*MMU) {
		return func(m *MMU) { p := at(m, l); m.Mem.Write(p, 8, m.Mem.Read(p, 8)&^clear|set) }
	}
	for _, c := range []struct {
		name   string
		change func(m *MMU)
		access Access
		rule   Rule
		phys   Phys // if it is allowed
	}{
		{"nothing", func(*MMU) {}, Read, RuleOK, 0x9123},
		{"PML4E not present", edit(LevelPML4E, 0, bP), Read, RuleNotPresent, 0},
		{"PDPTE not present", edit(LevelPDPTE, 0, bP), Read, RuleNotPresent, 0},
		{"PDE not present", edit(LevelPDE, 0, bP), Read, RuleNotPresent, 0},
		{"PDE read-only", edit(LevelPDE, 0, bW), Write, RuleWrite, 0},
		{"PML4E supervisor", edit(LevelPML4E, 0, bU), User, RuleUser, 0},
		{"PDPTE with a reserved bit", edit(LevelPDPTE, 1<<45, 0), Read, RuleReserved, 0},
		{"PDE maps a large page", edit(LevelPDE, bS, 0x1ff000), Read, RuleOK, 0x409123},
		{"PDE refers to another table", func(m *MMU) {
			m.Mem.Write(0x7ff000+9*8, 8, 0x123000|pwu)
			m.Mem.Write(at(m, LevelPDE), 8, 0x7ff000|pwu)
		}, Read, RuleOK, 0x123123},
		{"CR3", func(m *MMU) { m.SetCR3(0x7fe000) }, Read, RuleNotPresent, 0},
		{"5-level paging", func(m *MMU) {
			m.Mem.Write(0x7fe000, 8, 0x7fd000|pwu) // to a PML4 that has nothing
			m.Ctl.CR3 = 0x7fe000
			m.SetCR4(m.Ctl.CR4 | CR4LA57)
		}, Read, RuleNotPresent, 0},
		{"A20 closed", func(m *MMU) {
			m.Mem.Write(0x7fe000, 8, m.Mem.Read(at(m, LevelPDE), 8)) // another directory, which the gate hides
			m.Mem.Write(at(m, LevelPDPTE), 8, 0x7fe000|pwu|bA)
			require.True(t, canRead(m, second+PageSize))
			require.True(t, m.trunk.holds(second))
			m.SetA20(false)
		}, Read, RuleNotPresent, 0},
		{"the page of a table is another one's too", func(m *MMU) {
			fork := m.Mem.Fork()
			edit(LevelPDE, 0, bP)(m) // into a copy
			require.True(t, fork.Read(at(m, LevelPDE), 8)&bP != 0)
		}, Read, RuleNotPresent, 0},
		{"the table's RAM is gone", func(m *MMU) { m.Mem.Unmap(at(m, LevelPML4E)&^PageMask, PageSize) }, Read, RuleReserved, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := longMode(Config{})
			for p := Phys(0x7fd000); p <= 0x7ff000; p += PageSize {
				m.Mem.Write(p, 8, 0) // later, a page's first store would forget all tables
			}
			require.True(t, canRead(m, first))
			require.True(t, canRead(m, first+PageSize))
			require.True(t, m.trunk.holds(second), "the first walks have left one")
			c.change(m)
			w := m.Explain(second, c.access)
			require.Equal(t, c.rule, w.Rule, "what the tables say")
			p, ok := m.Translate(second, c.access)
			require.Equal(t, c.rule == RuleOK, ok)
			if ok {
				require.Equal(t, c.phys, p)
			} else {
				require.Equal(t, Fault{second, w.Code}, m.Fault)
			}
		})
	}
}

// An upper entry whose A was cleared gets it again.
func TestTrunkSetsAccessed(t *testing.T) {
	for _, l := range []Level{LevelPML4E, LevelPDPTE, LevelPDE} {
		m := longMode(Config{})
		require.True(t, canRead(m, 0x5000))
		require.True(t, canRead(m, 0x6000))
		w := m.Explain(0x7000, Read)
		s := w.Steps[LevelPML4E-l]
		require.Equal(t, l, s.Level)
		m.Mem.Write(s.At, 8, s.Raw&^PteAccessed)
		require.True(t, canRead(m, 0x7000))
		require.NotZero(t, m.Mem.Read(s.At, 8)&PteAccessed, "%v", l)
	}
}

// Under PAE the first level is a register.
func TestTrunkOfPDPTERegisters(t *testing.T) {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	for i, e := range []uint64{0x2000 | bP, 0x3000 | bP} { // two tables at 0x1000 and 0x1020
		m.Mem.Write(0x1000+Phys(i)*32, 8, e)
		m.Mem.Write(0x2000+Phys(i)<<12, 8, 0x4000+uint64(i)<<12|pwu)
		m.Mem.Write(0x4000+Phys(i)<<12+8, 8, 0x6000+uint64(i)<<12|pwu)
	}
	m.SetCR4(CR4PAE)
	require.True(t, m.LoadPDPTEs(0x1000))
	m.SetCR3(0x1000)
	m.SetCR0(CR0PE | CR0PG)
	require.False(t, canRead(m, 0x2000))
	require.True(t, canRead(m, 0x1000))
	m.Invlpg(0x1000)
	require.True(t, canRead(m, 0x1000))
	m.Invlpg(0x1000)
	require.True(t, m.LoadPDPTEs(0x1020), "as a MOV to CR0 does that flushes nothing")
	p, ok := m.Translate(0x1004, Read)
	require.True(t, ok)
	require.Equal(t, Phys(0x7004), p)
}
