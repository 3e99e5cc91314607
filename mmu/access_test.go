package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPageCrossing(t *testing.T) {
	const last = 0x5fff // the last byte of a page
	type access struct {
		name string
		a    Access
		do   func(m *MMU) bool
	}
	accesses := []access{
		{"read", 0, func(m *MMU) bool { _, ok := m.Read(last-1, 8, User); return ok }},
		{"write", Write, func(m *MMU) bool { return m.Write(last-1, 8, 0x1122334455667788, User) }},
		{"probe", Write, func(m *MMU) bool { return m.Probe(last-1, 8, User|Write) }},
	}
	for _, off := range []bool{false, true} {
		for _, warm := range []bool{false, true} {
			for _, acc := range accesses {
				for _, c := range []struct {
					name string
					page Linear // loses P
					addr Linear
				}{
					{"both present", 0, 0},
					{"first missing", 0x5000, last - 1},
					{"second missing", 0x6000, 0x6000},
				} {
					t.Run(acc.name+", "+c.name, func(t *testing.T) {
						m := longMode(Config{TLBOff: off})
						if c.page != 0 {
							change(m, c.page, 0, bP)
						}
						if warm {
							m.Read(0x5000, 4, User)
							m.Read(0x6000, 4, User)
						}
						m.Mem.Write(last-1, 8, 0xa1a2a3a4a5a6a7a8)
						ad := func(lin Linear) uint64 { return m.Mem.Read(pteOf(m, lin), 8) & (bA | bD) }
						a5, a6 := ad(0x5000), ad(0x6000)
						ok := acc.do(m)
						require.Equal(t, c.page == 0, ok)
						want := uint64(0xa1a2a3a4a5a6a7a8)
						if ok && acc.name == "write" {
							want = 0x1122334455667788
						}
						require.Equal(t, want, m.Mem.Read(last-1, 8), "nothing half-written")
						if ok {
							set := uint64(bA)
							if acc.a&Write != 0 {
								set |= bD
							}
							require.Equal(t, set, ad(0x5000))
							require.Equal(t, set, ad(0x6000))
						} else {
							require.Equal(t, Fault{c.addr, PFUser | uint32(acc.a&Write)*PFWrite}, m.Fault)
							require.Equal(t, a5, ad(0x5000), "A and D of the first page")
							require.Equal(t, a6, ad(0x6000))
						}
					})
				}
			}
		}
	}
}

func TestCrossingSplits(t *testing.T) {
	m := longMode(Config{})
	p := pteOf(m, 0x6000)
	m.Mem.Write(p, 8, 0x9000|pwu) // the second page lies elsewhere
	for size := uint(2); size <= 8; size *= 2 {
		for lin := Linear(0x6001 - uint64(size)); lin < 0x6000; lin++ {
			v := uint64(0x8877665544332211) & (1<<(8*size) - 1)
			m.Mem.WriteBytes(0x5ff0, make([]byte, 32))
			m.Mem.WriteBytes(0x9000, make([]byte, 16))
			require.True(t, m.Write(lin, size, ^v, User))
			require.True(t, m.Write(lin, size, v, User))
			got, ok := m.Read(lin, size, User)
			require.True(t, ok)
			require.Equal(t, v, got)
			n := 0x6000 - uint(lin)
			require.Equal(t, v&(1<<(8*n)-1), m.Mem.Read(Phys(lin), n))
			require.Equal(t, v>>(8*n), m.Mem.Read(0x9000, 8), "no byte too many")
			require.Zero(t, m.Mem.Read(0x6000, 8))
		}
	}
}

func TestWrapAt4G(t *testing.T) {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	m.Mem.Write(0x2000, 4, 0x3007)
	m.Mem.Write(0x2ffc, 4, 0x4007)
	m.Mem.Write(0x3000, 4, 0x8007)
	m.Mem.Write(0x4ffc, 4, 0x9007)
	m.SetCR3(0x2000)
	m.SetCR0(CR0PE | CR0PG)
	require.True(t, m.Write(0xfffffffe, 4, 0x44332211, User))
	require.Equal(t, uint64(0x2211), m.Mem.Read(0x9ffe, 2))
	require.Equal(t, uint64(0x4433), m.Mem.Read(0x8000, 2))
	v, ok := m.Read(0x1_fffffffe, 4, User)
	require.True(t, ok)
	require.Equal(t, uint64(0x44332211), v)
}

func TestDevicesThroughPaging(t *testing.T) {
	m := longMode(Config{})
	dev := &testDevice{}
	require.NoError(t, m.Mem.MapMMIO(0x5000, PageSize, dev))
	m.Write(0x5010, 4, 0x12345678, 0)
	m.Write(0x5010, 4, 0x12345678, 0)
	m.Read(0x5020, 8, User)
	require.Equal(t, []string{"w4 0x10 0x12345678", "w4 0x10 0x12345678", "r8 0x20"}, dev.log)
	require.Equal(t, uint64(noPage), m.View[0][5].W)
	require.Equal(t, uint64(noPage), m.View[1][5].R)
	f, host, ok := m.FetchPage(0x5000, 0)
	require.True(t, ok)
	require.Nil(t, host)
	require.Equal(t, Phys(0x5000), f)
	t.Run("ROM has shortcuts for reading only", func(t *testing.T) {
		require.NoError(t, m.Mem.MapROM(0x6000, []byte{1, 2}))
		require.True(t, m.Write(0x6000, 1, 9, 0))
		v, _ := m.Read(0x6000, 2, 0)
		require.Equal(t, uint64(0x201), v)
		require.Equal(t, uint64(0x6000), m.View[0][6].R)
		require.Equal(t, uint64(noPage), m.View[0][6].W)
	})
}

func TestProbeThenWriteCannotFail(t *testing.T) {
	m := longMode(Config{})
	require.True(t, m.Probe(0x5123, 4, Write))
	require.Equal(t, uint64(bA|bD), m.Mem.Read(pteOf(m, 0x5123), 8)&(bA|bD))
	require.Equal(t, uint64(0x5000), m.View[0][5].W)
	require.False(t, m.Probe(0x8000000, 4, Write))
	require.Equal(t, Fault{0x8000000, PFWrite}, m.Fault)
}

func TestOnWalk(t *testing.T) {
	m := longMode(Config{})
	var walks []Walk
	m.OnWalk = func(w *Walk) { walks = append(walks, *w) }

	m.Write(0x5ffe, 4, 0x44332211, User)
	m.Read(0x5ffe, 1, User)
	require.Len(t, walks, 2, "one for each page")
	w := walks[0]
	require.True(t, w.OK())
	require.Equal(t, Phys(0x5ffe), w.Phys())
	require.Equal(t, 4, w.N)
	require.Equal(t, []Level{LevelPML4E, LevelPDPTE, LevelPDE, LevelPTE},
		[]Level{w.Steps[0].Level, w.Steps[1].Level, w.Steps[2].Level, w.Steps[3].Level})

	walks = nil
	change(m, 0x7000, 0, bW|bU)
	m.Read(0x7000, 4, 0)
	m.Write(0x7000, 4, 0, User)
	require.Len(t, walks, 2)
	require.True(t, walks[1].FromTLB)
	require.Equal(t, RuleUser, walks[1].Rule)
	require.Equal(t, PFPresent|PFWrite|PFUser, walks[1].Code)

	walks = nil
	m.Write(0x7ffe, 4, 0, User)
	require.Len(t, walks, 1, "a page-crossing fault is told once")
	require.Equal(t, 3, walks[0].Decider)
	require.Equal(t, uint64(bU), walks[0].Bits)
}

// OnStep sees each entry as it is read, before any A or D is set.
func TestOnStep(t *testing.T) {
	m := longMode(Config{})
	var levels []Level
	m.OnWalk = func(*Walk) { levels = append(levels, 0xff) }
	m.OnStep = func(w *Walk) {
		s := w.Steps[w.N-1]
		levels = append(levels, s.Level)
		require.Equal(t, s.Raw, m.Mem.Read(s.At, 8))
		require.Zero(t, m.Mem.Read(pteOf(m, 0x5000), 8)&(bA|bD))
		m.Explain(0x6000, Write)
	}
	require.True(t, m.Write(0x5000, 4, 1, 0))
	require.Equal(t, []Level{LevelPML4E, LevelPDPTE, LevelPDE, LevelPTE, 0xff}, levels, "of this walk alone, then the verdict")
	require.Equal(t, uint64(bA|bD), m.Mem.Read(pteOf(m, 0x5000), 8)&(bA|bD))
}

func TestDeciders(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(e *[4]uint64)
		a       Access
		rule    Rule
		decider int
		bits    uint64
	}{
		{"P", func(e *[4]uint64) { e[2] &^= bP }, 0, RuleNotPresent, 2, bP},
		{"reserved", func(e *[4]uint64) { e[0] |= bS | 1<<45 }, 0, RuleReserved, 0, bS | 1<<45},
		{"reserved in a large page", func(e *[4]uint64) { e[1] |= bS }, 0, RuleReserved, 1, tablePD},
		{"U/S: the first level that lacks it", func(e *[4]uint64) { e[1] &^= bU; e[3] &^= bU }, User, RuleUser, 1, bU},
		{"R/W", func(e *[4]uint64) { e[3] &^= bW }, User | Write, RuleWrite, 3, bW},
		{"XD", func(e *[4]uint64) { e[0] |= bX }, User | Exec, RuleXD, 0, bX},
		{"SMEP", func(e *[4]uint64) {}, Exec, RuleSMEP, 3, bU},
		{"SMAP", func(e *[4]uint64) {}, Write, RuleSMAP, 3, bU},
		{"key", func(e *[4]uint64) { e[3] |= 1 << 59 }, User, RuleKeyAccess, 3, 15 << 59},
		{"allowed", func(e *[4]uint64) {}, User, RuleOK, -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
			e := [4]uint64{tablePDPT | pwu, tablePD | pwu, tablePT | pwu, pageAt | pwu}
			c.change(&e)
			place(m, Mode4Level, defaultLin, e[:])
			m.SetControl(Control{CR0: CR0PE | CR0PG, CR3: tablePML4, CR4: CR4PAE | CR4SMEP | CR4SMAP | CR4PKE,
				EFER: EFERLME | EFERLMA | EFERNXE, PKRU: 1 << 2, A20: true})
			m.Fault = Fault{1, 2}
			w := m.Explain(defaultLin, c.a)
			require.Equal(t, c.rule, w.Rule, w.Rule.String())
			require.Equal(t, c.decider, w.Decider)
			require.Equal(t, c.bits, w.Bits)
			require.Equal(t, Fault{1, 2}, m.Fault, "no effect")
			require.Empty(t, m.TLB())
		})
	}
}

// Misses, faults and flushes leave the heap alone, observed or not.
func TestNoAllocations(t *testing.T) {
	m := longMode(Config{})
	for lin := Linear(0); lin < 4<<20; lin += PageSize {
		m.Write(lin, 4, 0, User)
	}
	change(m, 0x5000, 0, bP)
	run := func() {
		m.SetCR3(m.Ctl.CR3)
		for lin := Linear(0); lin < 64<<12; lin += 0xffe {
			m.Write(lin, 4, 1, User)
			m.Read(lin, 8, 0)
			m.FetchPage(lin, User)
		}
		m.Invlpg(0x1000)
		m.Invpcid(0, 0, 0x2000)
		m.Explain(0x5000, User)
		m.SetCR0(m.Ctl.CR0 ^ CR0WP)
		m.FlushAll()
	}
	require.Zero(t, testing.AllocsPerRun(10, run))
	n := 0
	m.OnWalk = func(w *Walk) { n += w.N }
	require.Zero(t, testing.AllocsPerRun(10, run), "observed")
	require.NotZero(t, n)
}
