package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// longMode makes an MMU in 4-level paging: linear 0 to 4 MiB is identity
// mapped, for users too, by the page tables at ptes. Its PTEs can be changed
// by setPTE.
func longMode(cfg Config) *MMU {
	cfg.MaxPhysBits = 40
	m := New(NewMemory(8<<20, 40), cfg)
	tables(m, 4<<20, true, PteWritable|PteUser)
	return m
}

// pteOf gives the address of the entry that maps lin.
func pteOf(m *MMU, lin Linear) Phys {
	w := m.Explain(lin, 0)
	return w.Steps[w.N-1].At
}

// change sets and clears bits of the entry that maps lin, behind the TLB's back.
func change(m *MMU, lin Linear, set, clear uint64) {
	p := pteOf(m, lin)
	m.Mem.Write(p, 8, m.Mem.Read(p, 8)&^clear|set)
}

func canRead(m *MMU, lin Linear) bool { _, ok := m.Read(lin, 4, 0); return ok }

// What a stale entry may do, and what TLB off does instead.
// [SDM 3A, Optional Invalidation; Recommended Invalidation]
func TestAllowedDifferences(t *testing.T) {
	const lin = 0x5123
	for _, c := range []struct {
		name      string
		before    func(m *MMU) // prepares the entry
		change    func(m *MMU)
		do        func(m *MMU) bool
		on, off   bool
		spurious  uint32 // error code, if on faults
		onceAgain bool   // a second try succeeds with the TLB on
	}{
		{"P cleared: the old translation is used",
			func(m *MMU) { canRead(m, lin) },
			func(m *MMU) { change(m, lin, 0, bP) },
			func(m *MMU) bool { return canRead(m, lin) }, true, false, 0, false},
		{"R/W cleared: stores go on",
			func(m *MMU) { m.Write(lin, 4, 0, User) },
			func(m *MMU) { change(m, lin, 0, bW) },
			func(m *MMU) bool { return m.Write(lin, 4, 0, User) }, true, false, 0, false},
		{"R/W set: one spurious fault",
			func(m *MMU) { change(m, lin, 0, bW); m.Read(lin, 4, User) },
			func(m *MMU) { change(m, lin, bW, 0) },
			func(m *MMU) bool { return m.Write(lin, 4, 0, User) }, false, true, PFPresent | PFWrite | PFUser, true},
		{"U/S set: one spurious fault",
			func(m *MMU) { change(m, lin, 0, bU); canRead(m, lin) },
			func(m *MMU) { change(m, lin, bU, 0) },
			func(m *MMU) bool { _, ok := m.Read(lin, 4, User); return ok }, false, true, PFPresent | PFUser, true},
		{"XD cleared: one spurious fault",
			func(m *MMU) { change(m, lin, bX, 0); canRead(m, lin) },
			func(m *MMU) { change(m, lin, 0, bX) },
			func(m *MMU) bool { _, ok := m.Fetch(lin, 0); return ok }, false, true, PFPresent | PFFetch, true},
		{"P set: nothing was kept of the fault",
			func(m *MMU) { change(m, lin, 0, bP); canRead(m, lin) },
			func(m *MMU) {
				change(m, lin, bP, 0)
			},
			func(m *MMU) bool { return canRead(m, lin) }, true, true, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, off := range []bool{false, true} {
				m := longMode(Config{TLBOff: off})
				c.before(m)
				c.change(m)
				want := c.on
				if off {
					want = c.off
				}
				require.Equal(t, want, c.do(m), "TLB off: %v", off)
				if !off && !c.on {
					require.Equal(t, Fault{lin, c.spurious}, m.Fault)
				}
				if !off && c.onceAgain {
					require.True(t, c.do(m), "the fault dropped the entry")
				}
			}
		})
	}
	t.Run("A cleared: it stays clear while the entry lives", func(t *testing.T) {
		m := longMode(Config{})
		canRead(m, lin)
		change(m, lin, 0, bA)
		canRead(m, lin)
		require.Zero(t, m.Mem.Read(pteOf(m, lin), 8)&bA)
		m.Invlpg(lin)
		canRead(m, lin)
		require.NotZero(t, m.Mem.Read(pteOf(m, lin), 8)&bA)
	})
	t.Run("D cleared: it stays clear while the entry lives", func(t *testing.T) {
		m := longMode(Config{})
		m.Write(lin, 4, 0, 0)
		change(m, lin, 0, bD)
		m.Write(lin, 4, 0, 0)
		require.Zero(t, m.Mem.Read(pteOf(m, lin), 8)&bD)
		m.Invlpg(lin)
		m.Write(lin, 4, 0, 0)
		require.NotZero(t, m.Mem.Read(pteOf(m, lin), 8)&bD)
	})
}

func TestDirtyIsSetByTheFirstStore(t *testing.T) {
	m := longMode(Config{})
	require.True(t, canRead(m, 0x5000))
	require.Equal(t, uint64(noPage), m.View[0][5].W, "a clean page has no store shortcut")
	require.Zero(t, m.Mem.Read(pteOf(m, 0x5000), 8)&bD)
	m.Write(0x5000, 4, 0, 0)
	require.NotZero(t, m.Mem.Read(pteOf(m, 0x5000), 8)&bD)
	require.Equal(t, uint64(0x5000), m.View[0][5].W)
	t.Run("the walk for it sees the tables as they are", func(t *testing.T) {
		canRead(m, 0x6000)
		change(m, 0x6000, 0, bP)
		require.True(t, canRead(m, 0x6000))
		require.False(t, m.Write(0x6000, 4, 0, 0))
		require.Equal(t, Fault{0x6000, PFWrite}, m.Fault)
		require.False(t, canRead(m, 0x6000), "and the fault dropped the entry")
	})
}

// Three pages stay translated until they are flushed, though their PTEs lost
// P: 0x1000 under PCID 1, 0x2000 global, 0x3000 under PCID 2 ("1", "G", "2").
func TestFlushRules(t *testing.T) {
	setup := func(pcide bool) *MMU {
		m := longMode(Config{})
		change(m, 0x2000, bG, 0)
		m.SetCR4(m.Ctl.CR4 | CR4PGE)
		if pcide {
			m.SetCR4(m.Ctl.CR4 | CR4PCIDE)
		}
		root := m.Ctl.CR3
		m.SetCR3(root | 1)
		canRead(m, 0x1000)
		canRead(m, 0x2000)
		if pcide {
			m.SetCR3(root | 2 | 1<<63)
			canRead(m, 0x3000)
			m.SetCR3(root | 1 | 1<<63)
		} else {
			canRead(m, 0x3000)
		}
		canRead(m, 0x1000)
		for _, lin := range []Linear{0x1000, 0x2000, 0x3000} {
			change(m, lin, 0, bP)
		}
		return m
	}
	root := func(m *MMU) uint64 { return m.Ctl.CR3 &^ 0xfff }
	kept := func(m *MMU) (s string) {
		for _, p := range []struct {
			lin  Linear
			name string
		}{{0x1000, "1"}, {0x2000, "G"}, {0x3000, "2"}} {
			for _, e := range m.TLB() {
				if e.Page == p.lin {
					s += p.name
				}
			}
		}
		return s
	}
	t.Run("without PCIDs", func(t *testing.T) {
		for _, c := range []struct {
			name string
			do   func(m *MMU)
			want string
		}{
			{"nothing", func(m *MMU) {}, "1G2"},
			{"MOV CR3", func(m *MMU) { m.SetCR3(m.Ctl.CR3) }, "G"},
			{"MOV CR3, PGE=0", func(m *MMU) { m.SetCR4(m.Ctl.CR4 &^ CR4PGE); m.SetCR3(m.Ctl.CR3) }, ""},
			{"CR4.PGE cleared", func(m *MMU) { m.SetCR4(m.Ctl.CR4 &^ CR4PGE) }, ""},
			{"CR4.PSE set", func(m *MMU) { m.SetCR4(m.Ctl.CR4 | CR4PSE) }, ""},
			{"CR4.SMEP set", func(m *MMU) { m.SetCR4(m.Ctl.CR4 | CR4SMEP) }, ""},
			{"CR4.SMEP cleared", func(m *MMU) {
				m.Ctl.CR4 |= CR4SMEP
				m.SetCR4(m.Ctl.CR4 &^ CR4SMEP)
			}, "1G2"},
			{"CR4.SMAP set", func(m *MMU) { m.SetCR4(m.Ctl.CR4 | CR4SMAP) }, "1G2"},
			{"CR4 unchanged", func(m *MMU) { m.SetCR4(m.Ctl.CR4) }, "1G2"},
			{"CR0.WP", func(m *MMU) { m.SetCR0(m.Ctl.CR0 ^ CR0WP) }, "1G2"},
			{"CR0.TS", func(m *MMU) { m.SetCR0(m.Ctl.CR0 ^ CR0TS) }, "1G2"},
			{"CR0.PG off and on", func(m *MMU) { m.SetCR0(CR0PE); m.SetCR0(CR0PE | CR0PG | CR0WP) }, ""},
			{"EFER.NXE", func(m *MMU) { m.SetEFER(m.Ctl.EFER ^ EFERNXE) }, ""},
			{"EFER.SCE", func(m *MMU) { m.SetEFER(m.Ctl.EFER ^ EFERSCE) }, "1G2"},
			{"INVLPG", func(m *MMU) { m.Invlpg(0x1fff) }, "G2"},
			{"INVLPG of a global page", func(m *MMU) { m.Invlpg(0x2000) }, "12"},
			{"INVLPG of another page in the same slot", func(m *MMU) { m.Invlpg(0x1000 + Slots*PageSize) }, "1G2"},
			{"A20", func(m *MMU) { m.SetA20(false) }, ""},
			{"a #PF drops its page", func(m *MMU) { m.SetCR4(m.Ctl.CR4 | CR4SMAP); canRead(m, 0x1000) }, "G2"},
		} {
			t.Run(c.name, func(t *testing.T) {
				m := setup(false)
				c.do(m)
				require.Equal(t, c.want, kept(m))
			})
		}
	})
	t.Run("with PCIDs, 1 current", func(t *testing.T) {
		for _, c := range []struct {
			name string
			do   func(m *MMU)
			want string
		}{
			{"nothing", func(m *MMU) {}, "1G2"},
			{"MOV CR3 to 1", func(m *MMU) { m.SetCR3(root(m) | 1) }, "G2"},
			{"MOV CR3 to 1, bit 63", func(m *MMU) { m.SetCR3(root(m) | 1 | 1<<63) }, "1G2"},
			{"MOV CR3 to 2", func(m *MMU) { m.SetCR3(root(m) | 2) }, "1G"},
			{"MOV CR3 to 2, bit 63", func(m *MMU) { m.SetCR3(root(m) | 2 | 1<<63) }, "1G2"},
			{"CR4.PCIDE cleared", func(m *MMU) { m.SetCR4(m.Ctl.CR4 &^ CR4PCIDE) }, ""},
			{"INVLPG", func(m *MMU) { m.Invlpg(0x1000) }, "G2"},
			{"INVLPG of the other PCID's page", func(m *MMU) { m.Invlpg(0x3000) }, "1G2"},
			{"INVLPG of a global page under another PCID", func(m *MMU) { m.SetCR3(root(m) | 2 | 1<<63); m.Invlpg(0x2000) }, "12"},
			{"INVPCID 0", func(m *MMU) { m.Invpcid(0, 2, 0x3000) }, "1G"},
			{"INVPCID 0, another PCID", func(m *MMU) { m.Invpcid(0, 2, 0x1000) }, "1G2"},
			{"INVPCID 0 spares global pages", func(m *MMU) { m.Invpcid(0, 1, 0x2000) }, "1G2"},
			{"INVPCID 1", func(m *MMU) { m.Invpcid(1, 1, 0) }, "G2"},
			{"INVPCID 2", func(m *MMU) { m.Invpcid(2, 0, 0) }, ""},
			{"INVPCID 3", func(m *MMU) { m.Invpcid(3, 0, 0) }, "G"},
			{"INVPCID 4 is none", func(m *MMU) { m.Invpcid(4, 0, 0) }, "1G2"},
		} {
			t.Run(c.name, func(t *testing.T) {
				m := setup(true)
				c.do(m)
				require.Equal(t, c.want, kept(m))
			})
		}
		t.Run("each PCID sees its own entries and the global ones", func(t *testing.T) {
			m := setup(true)
			require.True(t, canRead(m, 0x1000))
			require.True(t, canRead(m, 0x2000))
			require.False(t, canRead(m, 0x3000))
			m.SetCR3(root(m) | 2 | 1<<63)
			require.Zero(t, m.Ctl.CR3>>63, "bit 63 is not kept")
			require.True(t, canRead(m, 0x3000))
			require.True(t, canRead(m, 0x2000))
			require.False(t, canRead(m, 0x1000), "no shortcut of PCID 1 serves PCID 2")
		})
	})
}

func TestLargePageFragments(t *testing.T) {
	m := longMode(Config{})
	w := m.Explain(0x200000, 0)
	m.Mem.Write(w.Steps[2].At, 8, 0x200000|bP|bW|bU|bS)
	read := func() {
		for _, lin := range []Linear{0x200000, 0x2ff000, 0x3ff000, 0x1000} {
			require.True(t, canRead(m, lin))
		}
		require.Len(t, m.TLB(), 4)
	}
	read()
	m.Invlpg(0x2ff123)
	require.Len(t, m.TLB(), 1, "INVLPG drops the whole large page")
	read()
	_, ok := m.Read(0x300000, 4, 0)
	require.True(t, ok)
	m.SetPKRU(0)
	require.False(t, func() bool { change(m, 0x200000, 0, bU); _, ok := m.Read(0x310000, 4, User); return ok }())
	require.Len(t, m.TLB(), 1, "so does a #PF in it")
	m.Invlpg(0x400000)
	require.Len(t, m.TLB(), 1, "another page")
}

// Inputs of the rights that change no entry take effect at once.
func TestRightsFollowControls(t *testing.T) {
	m := longMode(Config{})
	const ro, user = 0x7000, 0x8000
	change(m, ro, 0, bW|bU)
	m.SetCR0(m.Ctl.CR0 &^ CR0WP)
	require.True(t, m.Write(ro, 4, 1, 0))
	require.True(t, m.Write(user, 4, 1, 0))
	_, ok := m.Fetch(user, 0)
	require.True(t, ok)
	for _, c := range []struct {
		name string
		set  func()
		do   func() bool
		code uint32
	}{
		{"WP", func() { m.SetCR0(m.Ctl.CR0 | CR0WP) }, func() bool { return m.Write(ro, 4, 1, 0) }, PFPresent | PFWrite},
		{"SMAP", func() { m.SetCR4(m.Ctl.CR4 | CR4SMAP) }, func() bool { return canRead(m, user) }, PFPresent},
		{"SMEP", func() { m.SetCR4(m.Ctl.CR4 | CR4SMEP) }, func() bool { _, ok := m.Fetch(user, 0); return ok }, PFPresent | PFFetch},
		{"PKRU", func() { m.SetCR4(m.Ctl.CR4 | CR4PKE); m.Read(user, 4, User); m.SetPKRU(1) },
			func() bool { _, ok := m.Read(user, 4, User); return ok }, PFPresent | PFUser | PFPKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.True(t, c.do())
			gen := m.Gen
			c.set()
			require.NotEqual(t, gen, m.Gen)
			require.False(t, c.do())
			require.Equal(t, c.code, m.Fault.Code)
		})
	}
}

func TestGen(t *testing.T) {
	m := longMode(Config{})
	_, host, ok := m.FetchPage(0x1234, 0)
	require.True(t, ok)
	require.NotNil(t, host)
	for _, c := range []struct {
		name    string
		do      func()
		changes bool
	}{
		{"data access to another slot", func() { canRead(m, 0x2000) }, false},
		{"data access to the page", func() { canRead(m, 0x1000) }, false},
		{"fetch from another slot", func() { m.Fetch(0x2000, 0) }, false},
		{"hit", func() { m.FetchPage(0x1000, 0) }, false},
		{"INVLPG elsewhere", func() { m.Invlpg(0x5000) }, false},
		{"INVLPG", func() { m.Invlpg(0x1000) }, true},
		{"MOV CR3", func() { m.SetCR3(m.Ctl.CR3) }, true},
		{"a copy of its page", func() { m.Mem.Fork(); m.Mem.Write(0x1000, 4, 1) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.FetchPage(0x1234, 0)
			gen := m.Gen
			c.do()
			require.Equal(t, c.changes, gen != m.Gen)
		})
	}
}

func TestStale(t *testing.T) {
	m := longMode(Config{})
	for lin := Linear(0x1000); lin < 0x6000; lin += PageSize {
		canRead(m, lin)
	}
	require.Empty(t, m.Stale())
	change(m, 0x2000, 0, bP)
	change(m, 0x3000, 0, bW)
	change(m, 0x4000, 0x40000, 0)
	change(m, 0x5000, bD, bA)
	var pages []Linear
	for _, e := range m.Stale() {
		pages = append(pages, e.Page)
	}
	require.Equal(t, []Linear{0x2000, 0x3000, 0x4000}, pages)
	e, ok := m.Cached(0x4123)
	require.True(t, ok)
	require.Equal(t, Phys(0x4000), e.Frame)
	_, ok = m.Cached(0x9000)
	require.False(t, ok)
}

func TestEviction(t *testing.T) {
	m := New(NewMemory(16<<20, 40), Config{MaxPhysBits: 40})
	tables(m, 8<<20, true, PteWritable|PteUser)
	m.FetchPage(0x1000, 0)
	gen := m.Gen
	canRead(m, 0x1000+Slots*PageSize)
	require.NotEqual(t, gen, m.Gen, "the entry of the code was replaced")
	require.Nil(t, m.lookup(0x1000))
	require.Equal(t, uint64(noPage), m.View[0][1].X)
}

func TestSnapshotOfTheTLB(t *testing.T) {
	m := longMode(Config{})
	change(m, 0x2000, bG, 0)
	m.SetCR4(m.Ctl.CR4 | CR4PGE | CR4PCIDE)
	canRead(m, 0x1000)
	canRead(m, 0x2000)
	m.Write(0x3000, 4, 1, User)
	change(m, 0x1000, 0, bP)
	n := New(m.Mem.Fork(), Config{MaxPhysBits: 40})
	n.SetControl(m.Ctl)
	n.SetTLB(m.TLB())
	require.Equal(t, m.TLB(), n.TLB())
	require.True(t, canRead(n, 0x1000), "a stale entry is restored as well")
	n.SetCR3(n.Ctl.CR3)
	require.Len(t, n.TLB(), 1)
	require.False(t, canRead(n, 0x1000))
}

// A guest that keeps the flush rules cannot tell whether there is a TLB.
func TestTLBOffIsTheSame(t *testing.T) {
	steps := 20000
	if testing.Short() {
		steps = 3000
	}
	r := rng(99)
	on, off := longMode(Config{}), longMode(Config{TLBOff: true})
	both := func(f func(m *MMU)) { f(on); f(off) }
	random := func() Linear {
		lin := Linear(r.next() >> 9 & 0xfffff)
		if r.oneIn(4) {
			lin = lin&^PageMask + PageSize - Linear(r.next()>>20&7)
		}
		return lin
	}
	rights := []Access{0, User, AC}
	for i := range steps {
		lin, size, v := random(), uint(1)<<(r.next()>>11&3), r.next()
		a := rights[r.next()>>5%3]
		switch r.next() >> 8 % 16 {
		default:
			x, ok := on.Read(lin, size, a)
			y, ok2 := off.Read(lin, size, a)
			require.Equal(t, ok2, ok, "read %#x %v", lin, a)
			require.Equal(t, y, x)
		case 6, 7, 8, 9:
			require.Equal(t, off.Write(lin, size, v, a), on.Write(lin, size, v, a), "write %#x %v", lin, a)
		case 10:
			p, ok := on.Fetch(lin, a)
			q, ok2 := off.Fetch(lin, a)
			require.Equal(t, ok2, ok)
			require.Equal(t, q, p)
		case 11:
			require.Equal(t, off.Probe(lin, size, a|Write), on.Probe(lin, size, a|Write))
		case 12:
			both(func(m *MMU) {
				change(m, lin, v&0x166|bX*(v>>40&1)|bP*min(1, v>>41&7), 0x1e7|bX)
				m.Invlpg(lin)
				m.Invpcid(InvpcidAllLocal, 0, 0)
			})
		case 13:
			both(func(m *MMU) { m.SetCR3(m.Ctl.CR3&^0xfff | v>>33&3*(m.Ctl.CR4>>17&1)) })
		case 14:
			both(func(m *MMU) { m.SetCR0(m.Ctl.CR0 ^ v&CR0WP); m.SetPKRU(uint32(v >> 20)) })
		case 15:
			both(func(m *MMU) {
				flip := v & (CR4SMAP | CR4SMEP | CR4PGE | CR4PKE | CR4PCIDE)
				if flip&CR4PCIDE != 0 {
					m.SetCR3(m.Ctl.CR3 &^ 0xfff)
				}
				m.SetCR4(m.Ctl.CR4 ^ flip)
			})
		}
		require.Equal(t, off.Fault, on.Fault, "step %d", i)
		if i%1000 == 0 {
			require.True(t, on.Mem.Equal(off.Mem), "step %d", i)
		}
	}
	require.True(t, on.Mem.Equal(off.Mem))
	require.Empty(t, off.TLB())
	for v := range off.View {
		for i, s := range off.View[v] {
			require.Equal(t, Slot{noPage, noPage, noPage, nil}, s, "slot %d", i)
		}
	}
}
