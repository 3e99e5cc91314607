package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Where the tables of the rule cases lie, and the page they map.
const (
	tablePML5 = 0x5000
	tablePML4 = 0x4000
	tablePDPT = 0x3000
	tablePD   = 0x2000
	tablePT   = 0x1000
	pageAt    = 0x6000

	// Entries by their bits: P, W, U, A, D, S (PS), G, X (XD).
	bP = 1
	bW = 2
	bU = 4
	bA = 0x20
	bD = 0x40
	bS = 0x80
	bG = 0x100
	bX = 1 << 63

	pwu = bP | bW | bU
)

// ruleCase is one walk: entries of each level, first level first, as they are
// placed on the path of lin. A fault leaves them as they are; else each gets A
// and, for a write, the last one D.
type ruleCase struct {
	name    string
	entries []uint64
	lin     uint64 // 0: a default
	access  Access
	phys    Phys   // if it succeeds
	code    uint32 // if it faults
	fault   bool
	rule    Rule
	cr0     uint64 // besides PE and PG
	cr4     uint64 // besides the mode's
	efer    uint64
	pkru    uint32
	cfg     Config
}

const defaultLin = 0x403123 // index 1 of the page directory (2 with 64-bit entries), 3 of the page table

func ok(name string, entries []uint64, a Access, phys Phys) ruleCase {
	return ruleCase{name: name, entries: entries, access: a, phys: phys}
}

func pf(name string, entries []uint64, a Access, rule Rule, code uint32) ruleCase {
	return ruleCase{name: name, entries: entries, access: a, rule: rule, code: code, fault: true}
}

func (c ruleCase) with(f func(*ruleCase)) ruleCase { f(&c); return c }

func (c ruleCase) nx() ruleCase { return c.with(func(c *ruleCase) { c.efer |= EFERNXE }) }
func (c ruleCase) ctl(cr0, cr4 uint64) ruleCase {
	return c.with(func(c *ruleCase) { c.cr0, c.cr4 = c.cr0|cr0, c.cr4|cr4 })
}

// place writes the entries on the path of lin and gives their addresses.
func place(m *MMU, mode Mode, lin uint64, entries []uint64) []Phys {
	var shifts []uint
	var at Phys
	size := uint(8)
	switch mode {
	case Mode32:
		shifts, at, size = []uint{22, 12}, tablePD, 4
	case ModePAE:
		m.Ctl.PDPTE = [4]uint64{bP | tablePD, bP | tablePD, bP | tablePD, bP | tablePD}
		shifts, at = []uint{21, 12}, tablePD
	case Mode4Level:
		shifts, at = []uint{39, 30, 21, 12}, tablePML4
	case Mode5Level:
		shifts, at = []uint{48, 39, 30, 21, 12}, tablePML5
	}
	m.Ctl.CR3 = uint64(at)
	var addrs []Phys
	for i, e := range entries {
		p := at + Phys(lin>>shifts[i]&(PageSize/uint64(size)-1))*Phys(size)
		m.Mem.Write(p, size, e)
		addrs = append(addrs, p)
		at -= PageSize
	}
	return addrs
}

func runRules(t *testing.T, mode Mode, cases []ruleCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := c.cfg
			if cfg.MaxPhysBits == 0 {
				cfg.MaxPhysBits = 40
			}
			if c.lin == 0 {
				c.lin = defaultLin
			}
			m := New(NewMemory(1<<20, 40), cfg)
			at := place(m, mode, c.lin, c.entries)
			m.Ctl.CR0 = CR0PE | CR0PG | c.cr0
			m.Ctl.CR4, m.Ctl.EFER, m.Ctl.PKRU = c.cr4, c.efer, c.pkru
			size := uint(8)
			switch mode {
			case Mode32:
				size = 4
			case ModePAE:
				m.Ctl.CR4 |= CR4PAE
			case Mode5Level:
				m.Ctl.CR4 |= CR4LA57
				fallthrough
			case Mode4Level:
				m.Ctl.CR4 |= CR4PAE
				m.Ctl.EFER |= EFERLME | EFERLMA
			}
			m.FlushAll()
			require.Equal(t, mode, m.Mode())

			w := m.Explain(Linear(c.lin), c.access)
			require.Equal(t, c.rule, w.Rule, "explained")
			p, ok := m.Translate(Linear(c.lin), c.access)
			require.Equal(t, !c.fault, ok, "translated")
			if c.fault {
				require.Equal(t, Fault{Linear(c.lin), c.code}, m.Fault)
				require.Equal(t, c.code, w.Code, "explained code")
			} else {
				require.Equal(t, c.phys, p)
				require.Equal(t, c.phys, w.Phys(), "explained address")
			}
			for i, a := range at {
				want := c.entries[i]
				if !c.fault {
					want |= bA
					if i == len(at)-1 && c.access&Write != 0 {
						want |= bD
					}
				}
				require.Equal(t, want, m.Mem.Read(a, size), "entry %d", i)
			}
		})
	}
}

func TestRules32Bit(t *testing.T) {
	e := func(pde, pte uint64) []uint64 { return []uint64{tablePT | pde, pageAt | pte} }
	big := func(v uint64) []uint64 { return []uint64{v} }
	runRules(t, Mode32, []ruleCase{
		ok("supervisor read sets A at both levels", e(bP, bP), 0, pageAt+0x123),
		ok("user read of a user page", e(pwu, pwu), User, pageAt+0x123),
		ok("user write sets D in the PTE only", e(pwu, pwu), User|Write, pageAt+0x123),
		ok("supervisor write to a read-only page, WP=0", e(bP, bP), Write, pageAt+0x123),
		ok("fetch has no XD", e(bP, bP), Exec, pageAt+0x123),
		pf("PDE P=0, read", e(0, pwu), 0, RuleNotPresent, 0),
		pf("PTE P=0, read", e(pwu, bW|bU), 0, RuleNotPresent, 0),
		pf("P=0, user write", e(pwu, 0), User|Write, RuleNotPresent, PFUser|PFWrite),
		pf("fetch has no I/D without SMEP and NXE", e(pwu, 0), User|Exec, RuleNotPresent, PFUser),
		pf("fetch has I/D with SMEP", e(pwu, 0), User|Exec, RuleNotPresent, PFUser|PFFetch).ctl(0, CR4SMEP),
		pf("fetch has no I/D with NXE but no PAE", e(pwu, 0), User|Exec, RuleNotPresent, PFUser).nx(),
		pf("U/S=0 in the PTE, user read", e(pwu, bP|bW), User, RuleUser, PFPresent|PFUser),
		pf("U/S=0 in the PDE, user read", e(bP|bW, pwu), User, RuleUser, PFPresent|PFUser),
		pf("U/S=0, user write to a read-only page", e(bP, bP), User|Write, RuleUser, PFPresent|PFUser|PFWrite),
		pf("R/W=0 in the PTE, user write", e(pwu, bP|bU), User|Write, RuleWrite, PFPresent|PFUser|PFWrite),
		pf("R/W=0 in the PDE, user write", e(bP|bU, pwu), User|Write, RuleWrite, PFPresent|PFUser|PFWrite),
		pf("R/W=0, supervisor write, WP=1", e(pwu, bP), Write, RuleWrite, PFPresent|PFWrite).ctl(CR0WP, 0),
		pf("R/W=0 in the PDE, supervisor write, WP=1", e(bP, pwu), Write, RuleWrite, PFPresent|PFWrite).ctl(CR0WP, 0),
		pf("SMEP: supervisor fetch from a user page", e(pwu, pwu), Exec, RuleSMEP, PFPresent|PFFetch).ctl(0, CR4SMEP),
		ok("SMEP: supervisor page by its PDE", e(bP|bW, pwu), Exec, pageAt+0x123).ctl(0, CR4SMEP),
		pf("SMAP: supervisor read of a user page", e(pwu, pwu), 0, RuleSMAP, PFPresent).ctl(0, CR4SMAP),
		ok("SMAP: EFLAGS.AC lifts it", e(pwu, pwu), AC, pageAt+0x123).ctl(0, CR4SMAP),
		ok("SMAP: EFLAGS.AC lifts it for writes", e(pwu, pwu), AC|Write, pageAt+0x123).ctl(CR0WP, CR4SMAP),
		pf("SMAP: AC leaves WP in force", e(pwu, bP|bU), AC|Write, RuleWrite, PFPresent|PFWrite).ctl(CR0WP, CR4SMAP),
		ok("SMAP: fetches are not its matter", e(pwu, pwu), Exec, pageAt+0x123).ctl(0, CR4SMAP),
		ok("PS ignored without PSE", e(pwu|bS, pwu), 0, pageAt+0x123),
		ok("no bits reserved in a PTE", e(pwu, pwu|bS), 0, pageAt+0x123).ctl(0, CR4PSE),

		ok("4M page", big(0x00800000|pwu|bS), User|Write, 0x00803123).ctl(0, CR4PSE),
		ok("4M page: PSE-36 gives bits 39:32", big(0x00800000|0x1fe000|pwu|bS), 0, 0xff00803123).ctl(0, CR4PSE),
		ok("4M page: PAT is no address bit", big(0x00800000|1<<12|pwu|bS), 0, 0x00803123).ctl(0, CR4PSE),
		pf("4M page: bit 21 is reserved", big(0x00800000|1<<21|pwu|bS), User, RuleReserved, PFPresent|PFReserved|PFUser).ctl(0, CR4PSE),
		pf("4M page: bits beyond MAXPHYADDR 36 are reserved", big(0x00800000|1<<17|pwu|bS), 0, RuleReserved, PFPresent|PFReserved).
			ctl(0, CR4PSE).with(func(c *ruleCase) { c.cfg.MaxPhysBits = 36 }),
		ok("4M page: MAXPHYADDR 36 leaves bits 16:13", big(0x00800000|0xf<<13|pwu|bS), 0, 0xf00803123).
			ctl(0, CR4PSE).with(func(c *ruleCase) { c.cfg.MaxPhysBits = 36 }),
		pf("4M page: without PSE-36 bit 13 is reserved", big(0x00800000|1<<13|pwu|bS), 0, RuleReserved, PFPresent|PFReserved).
			ctl(0, CR4PSE).with(func(c *ruleCase) { c.cfg.MaxPhysBits = 32 }),
		pf("4M page: reserved bits before rights", big(0x00800000|1<<21|bP|bS), User|Write, RuleReserved, PFPresent|PFReserved|PFUser|PFWrite).ctl(0, CR4PSE),
		pf("4M page: reserved bits not checked if P=0", big(0x00800000|1<<21|bW|bU|bS), User, RuleNotPresent, PFUser).ctl(0, CR4PSE),
		pf("4M page: without PAT bit 12 is reserved", big(0x00800000|1<<12|pwu|bS), 0, RuleReserved, PFPresent|PFReserved).
			ctl(0, CR4PSE).with(func(c *ruleCase) { c.cfg.NoPAT = true }),
		pf("PTE: without PAT bit 7 is reserved", e(pwu, pwu|bS), 0, RuleReserved, PFPresent|PFReserved).
			ctl(0, CR4PSE).with(func(c *ruleCase) { c.cfg.NoPAT = true }),
		ok("PTE: without PAT and PSE nothing is reserved", e(pwu, pwu|bS), 0, pageAt+0x123).
			with(func(c *ruleCase) { c.cfg.NoPAT = true }),
		pf("page table in a hole reads as ones: its page does", []uint64{0xfff00000 | bP}, User, RuleUser, PFPresent|PFUser),
	})
}

func TestRulesPAE(t *testing.T) {
	e := func(pde, pte uint64) []uint64 { return []uint64{tablePT | pde, pageAt | pte} }
	big := func(v uint64) []uint64 { return []uint64{v} }
	runRules(t, ModePAE, []ruleCase{
		ok("read", e(bP, bP), 0, pageAt+0x123),
		ok("write", e(pwu, pwu), User|Write, pageAt+0x123),
		ok("2M page without PSE", big(0x00a00000|pwu|bS), User, 0x00a03123),
		ok("XD allows data", e(pwu, pwu|bX), User, pageAt+0x123).nx(),
		pf("XD in the PTE, fetch", e(pwu, pwu|bX), User|Exec, RuleXD, PFPresent|PFUser|PFFetch).nx(),
		pf("XD in the PDE, fetch", e(pwu|bX, pwu), Exec, RuleXD, PFPresent|PFFetch).nx(),
		pf("XD reserved without NXE, read", e(pwu, pwu|bX), User, RuleReserved, PFPresent|PFUser|PFReserved),
		pf("XD reserved without NXE, in the PDE", e(pwu|bX, 0), 0, RuleReserved, PFPresent|PFReserved),
		pf("not present before XD reserved below", e(0, pwu|bX), 0, RuleNotPresent, 0),
		pf("fetch has I/D with NXE", e(pwu, 0), User|Exec, RuleNotPresent, PFUser|PFFetch).nx(),
		pf("fetch has no I/D without NXE", e(pwu, 0), User|Exec, RuleNotPresent, PFUser),
		pf("bit MAXPHYADDR in the PTE", e(pwu, pwu|1<<40), 0, RuleReserved, PFPresent|PFReserved),
		pf("bit 62 in the PTE", e(pwu, pwu|1<<62), 0, RuleReserved, PFPresent|PFReserved),
		pf("bit 52 in the PDE", e(pwu|1<<52, pwu), 0, RuleReserved, PFPresent|PFReserved),
		pf("2M page: bit 13", big(0x00a00000|1<<13|pwu|bS), 0, RuleReserved, PFPresent|PFReserved),
		pf("2M page: bit 20", big(0x00a00000|1<<20|pwu|bS), 0, RuleReserved, PFPresent|PFReserved),
		ok("2M page: PAT", big(0x00a00000|1<<12|pwu|bS), 0, 0x00a03123),
		ok("frame above 4G", e(pwu, pwu|0xab00000000), 0, 0xab00000000|pageAt|0x123),
		ok("no keys in PAE paging: bits are reserved only", e(pwu, pwu), User, pageAt+0x123).
			ctl(0, CR4PKE).with(func(c *ruleCase) { c.pkru = 3 }),
	})
	t.Run("PDPTE P=0", func(t *testing.T) {
		m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
		place(m, ModePAE, defaultLin, e(pwu, pwu))
		m.Ctl.PDPTE[3] = 0
		m.Ctl.CR0, m.Ctl.CR4 = CR0PE|CR0PG, CR4PAE
		m.FlushAll()
		_, ok := m.Translate(0xc0403123, User|Write)
		require.False(t, ok)
		require.Equal(t, Fault{0xc0403123, PFUser | PFWrite}, m.Fault)
		_, ok = m.Translate(0x80403123, User|Write)
		require.True(t, ok)
	})
}

func TestRulesLongMode(t *testing.T) {
	e := func(pml4e, pdpte, pde, pte uint64) []uint64 {
		return []uint64{tablePDPT | pml4e, tablePD | pdpte, tablePT | pde, pageAt | pte}
	}
	all := func(bits uint64) []uint64 { return e(bits, bits, bits, bits) }
	at := func(level int, bits uint64) []uint64 { // bits added at one level
		v := all(pwu)
		v[3-level] |= bits
		return v
	}
	without := func(level int, bits uint64) []uint64 {
		v := all(pwu)
		v[3-level] &^= bits
		return v
	}
	pk := func(c ruleCase, key uint64, pkru uint32) ruleCase {
		c.entries[len(c.entries)-1] |= key << 59
		c.cr4 |= CR4PKE
		c.pkru = pkru
		return c
	}
	cases := []ruleCase{
		ok("read", all(bP), 0, pageAt+0x123),
		ok("user write", all(pwu), User|Write, pageAt+0x123),
		ok("fetch", all(pwu), User|Exec, pageAt+0x123),
		ok("high half", all(pwu), User, pageAt+0x123).with(func(c *ruleCase) { c.lin = 0xffff800000403123 }),
		ok("2M page", []uint64{tablePDPT | pwu, tablePD | pwu, 0x00a00000 | pwu | bS}, User|Write, 0x00a03123),
		ok("1G page", []uint64{tablePDPT | pwu, 0x40000000 | pwu | bS}, User|Write, 0x40403123),
		ok("2M page: PAT", []uint64{tablePDPT | pwu, tablePD | pwu, 0x00a00000 | 1<<12 | pwu | bS}, 0, 0x00a03123),
		ok("1G page: PAT", []uint64{tablePDPT | pwu, 0x40000000 | 1<<12 | pwu | bS}, 0, 0x40403123),
		pf("2M page: bit 13", []uint64{tablePDPT | pwu, tablePD | pwu, 0x00a00000 | 1<<13 | pwu | bS}, 0, RuleReserved, PFPresent|PFReserved),
		pf("2M page: bit 20", []uint64{tablePDPT | pwu, tablePD | pwu, 0x00a00000 | 1<<20 | pwu | bS}, 0, RuleReserved, PFPresent|PFReserved),
		pf("1G page: bit 13", []uint64{tablePDPT | pwu, 0x40000000 | 1<<13 | pwu | bS}, 0, RuleReserved, PFPresent|PFReserved),
		pf("1G page: bit 29", []uint64{tablePDPT | pwu, 0x40000000 | 1<<29 | pwu | bS}, 0, RuleReserved, PFPresent|PFReserved),
		pf("1G page: PS reserved without the feature", []uint64{tablePDPT | pwu, 0x40000000 | pwu | bS}, 0, RuleReserved, PFPresent|PFReserved).
			with(func(c *ruleCase) { c.cfg.No1G = true }),
		pf("1G page: MAXPHYADDR", []uint64{tablePDPT | pwu, 1<<39 | pwu | bS}, 0, RuleReserved, PFPresent|PFReserved).
			with(func(c *ruleCase) { c.cfg.MaxPhysBits = 39 }),
		pf("PS in the PML4E is reserved", at(3, bS), User, RuleReserved, PFPresent|PFUser|PFReserved),
		ok("bit 7 of the PTE is PAT", at(0, bS), 0, pageAt+0x123),
		ok("bits 58:52 are ignored", e(pwu|0x7f<<52, pwu|0x7f<<52, pwu|0x7f<<52, pwu|0x7f<<52), 0, pageAt+0x123),
		ok("bits 62:59 are ignored without PKE", all(pwu|0xf<<59), User, pageAt+0x123).with(func(c *ruleCase) { c.pkru = 0xffffffff }),
		ok("bit 8 of the PML4E is ignored", at(3, bG), 0, pageAt+0x123),
		pf("fetch has I/D with NXE", without(0, bP), User|Exec, RuleNotPresent, PFUser|PFFetch).nx(),
		pf("fetch has no I/D without NXE and SMEP", without(0, bP), User|Exec, RuleNotPresent, PFUser),
		ok("WP=0: supervisor write to a read-only user page", all(bP|bU), Write, pageAt+0x123),
		pf("R/W=0 and U/S=0 at different levels, user write", e(bP|bW, bP|bU, pwu, pwu), User|Write, RuleUser, PFPresent|PFUser|PFWrite),
		pf("unbacked table: ones are reserved bits", []uint64{0xf000000000 | pwu}, User, RuleReserved, PFPresent|PFUser|PFReserved),

		pk(pf("PK: AD, user read", all(pwu), User, RuleKeyAccess, PFPresent|PFUser|PFPKey), 5, 1<<10),
		pk(pf("PK: AD, supervisor read", all(pwu), 0, RuleKeyAccess, PFPresent|PFPKey), 5, 1<<10),
		pk(pf("PK: AD, supervisor write, WP=0", all(pwu), Write, RuleKeyAccess, PFPresent|PFWrite|PFPKey), 5, 1<<10),
		pk(pf("PK: WD, user write", all(pwu), User|Write, RuleKeyWrite, PFPresent|PFUser|PFWrite|PFPKey), 15, 1<<31),
		pk(ok("PK: WD, user read", all(pwu), User, pageAt+0x123), 15, 1<<31),
		pk(ok("PK: WD, supervisor write, WP=0", all(pwu), Write, pageAt+0x123), 15, 1<<31),
		pk(pf("PK: WD, supervisor write, WP=1", all(pwu), Write, RuleKeyWrite, PFPresent|PFWrite|PFPKey), 15, 1<<31).ctl(CR0WP, 0),
		pk(ok("PK: fetches are not its matter", all(pwu), User|Exec, pageAt+0x123), 5, 0xffffffff),
		pk(ok("PK: supervisor pages have no key", all(bP|bW), Write, pageAt+0x123), 5, 0xffffffff),
		pk(ok("PK: one supervisor level is enough", without(3, bU), Write, pageAt+0x123), 5, 0xffffffff),
		pk(ok("PK: another key's bits", all(pwu), User|Write, pageAt+0x123), 5, ^uint32(3<<10)),
		pk(pf("PK: told along with R/W=0", all(bP|bU), User|Write, RuleWrite, PFPresent|PFUser|PFWrite|PFPKey), 5, 1<<11),
		pk(pf("PK: told along with SMAP", all(pwu), 0, RuleSMAP, PFPresent|PFPKey), 5, 1<<10).ctl(0, CR4SMAP),
		pk(pf("PK: not told if P=0", without(0, bP), User, RuleNotPresent, PFUser), 5, 1<<10),
		pk(ok("PK: key 0 counts too", all(pwu), User, pageAt+0x123), 0, 0),
		pk(pf("PK: key 0, AD", all(pwu), User, RuleKeyAccess, PFPresent|PFUser|PFPKey), 0, 1),
	}
	names := []string{"PTE", "PDE", "PDPTE", "PML4E"}
	for l, name := range names {
		cases = append(cases,
			pf(name+" P=0, read", without(l, bP), 0, RuleNotPresent, 0),
			pf(name+" P=0, user write", without(l, bP), User|Write, RuleNotPresent, PFUser|PFWrite),
			pf(name+" U/S=0, user read", without(l, bU), User, RuleUser, PFPresent|PFUser),
			pf(name+" U/S=0, user fetch", without(l, bU), User|Exec, RuleUser, PFPresent|PFUser|PFFetch).nx(),
			pf(name+" R/W=0, user write", without(l, bW), User|Write, RuleWrite, PFPresent|PFUser|PFWrite),
			ok(name+" R/W=0, supervisor write, WP=0", without(l, bW), Write, pageAt+0x123),
			pf(name+" R/W=0, supervisor write, WP=1", without(l, bW), Write, RuleWrite, PFPresent|PFWrite).ctl(CR0WP, 0),
			pf(name+" XD, fetch", at(l, bX), User|Exec, RuleXD, PFPresent|PFUser|PFFetch).nx(),
			ok(name+" XD, read", at(l, bX), User, pageAt+0x123).nx(),
			pf(name+" XD reserved without NXE", at(l, bX), 0, RuleReserved, PFPresent|PFReserved),
			pf(name+" XD reserved without NXE, fetch", at(l, bX), User|Exec, RuleReserved, PFPresent|PFUser|PFReserved),
			pf(name+" bit MAXPHYADDR", at(l, 1<<40), User|Write, RuleReserved, PFPresent|PFUser|PFWrite|PFReserved),
			pf(name+" bit 51", at(l, 1<<51), 0, RuleReserved, PFPresent|PFReserved),
			ok(name+" SMEP: supervisor level", without(l, bU), Exec, pageAt+0x123).ctl(0, CR4SMEP),
			ok(name+" SMAP: supervisor level", without(l, bU), 0, pageAt+0x123).ctl(0, CR4SMAP),
		)
	}
	cases = append(cases,
		pf("SMEP", all(pwu), Exec, RuleSMEP, PFPresent|PFFetch).ctl(0, CR4SMEP),
		ok("SMEP: user fetch", all(pwu), User|Exec, pageAt+0x123).ctl(0, CR4SMEP),
		pf("SMAP: implicit access at CPL 3 is a supervisor one", all(pwu), 0, RuleSMAP, PFPresent).ctl(0, CR4SMAP),
		pf("SMAP: write", all(pwu), Write, RuleSMAP, PFPresent|PFWrite).ctl(0, CR4SMAP),
		ok("SMAP: AC", all(pwu), AC, pageAt+0x123).ctl(0, CR4SMAP),
		ok("SMAP: user access", all(pwu), User, pageAt+0x123).ctl(0, CR4SMAP),
	)
	t.Run("4-level", func(t *testing.T) { runRules(t, Mode4Level, cases) })

	for i := range cases {
		cases[i].entries = append([]uint64{tablePML4 | pwu}, cases[i].entries...)
	}
	top := func(bits uint64) []uint64 { return append([]uint64{tablePML4 | bits}, all(pwu)...) }
	cases = append(cases,
		ok("57-bit address", top(pwu), User, pageAt+0x123).with(func(c *ruleCase) { c.lin = 0xff00000000403123 }),
		pf("PML5E P=0", top(bW|bU), User, RuleNotPresent, PFUser),
		pf("PML5E PS is reserved", top(pwu|bS), User, RuleReserved, PFPresent|PFUser|PFReserved),
		pf("PML5E U/S=0", top(bP|bW), User, RuleUser, PFPresent|PFUser),
		pf("PML5E R/W=0", top(bP|bU), User|Write, RuleWrite, PFPresent|PFUser|PFWrite),
		pf("PML5E XD", top(pwu|bX), Exec, RuleXD, PFPresent|PFFetch).nx(),
	)
	t.Run("5-level", func(t *testing.T) { runRules(t, Mode5Level, cases) })
}

func TestPagingOff(t *testing.T) {
	m := New(NewMemory(4<<20, 40), Config{MaxPhysBits: 40})
	m.SetCR4(CR4SMEP | CR4SMAP)
	p, ok := m.Translate(0x5_0012_3456, User|Write)
	require.True(t, ok)
	require.Equal(t, Phys(0x123456), p, "32 bits, no rights")
	m.SetA20(false)
	p, _ = m.Translate(0x123456, 0)
	require.Equal(t, Phys(0x023456), p, "A20 masked")
	require.True(t, m.Write(0x100010, 4, 0xabcd, 0))
	require.Equal(t, uint64(0xabcd), m.Mem.Read(0x10, 4))
	m.SetA20(true)
	p, _ = m.Translate(0x123456, 0)
	require.Equal(t, Phys(0x123456), p)
}

func TestTablesAnywhere(t *testing.T) {
	for _, c := range []struct {
		name string
		cr3  uint64
		long bool
		code uint32
	}{
		{"32-bit: the hole's page maps itself", 0xfffff000, false, 0},
		{"4-level: reserved bits", 0xfffff000, true, PFPresent | PFReserved},
		{"4-level: CR3 above MAXPHYADDR", 0x000ffffffffff000, true, PFPresent | PFReserved},
		{"4-level: CR3 in a device", 0xe0000000, true, PFPresent | PFReserved},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
			dev := &testDevice{}
			require.NoError(t, m.Mem.MapMMIO(0xe0000000, 0x1000, dev))
			if c.long {
				m.SetCR4(CR4PAE)
				m.SetEFER(EFERLME)
			}
			m.SetCR3(c.cr3)
			m.SetCR0(CR0PE | CR0PG)
			p, ok := m.Translate(0x1234, Write)
			if c.code == 0 {
				require.True(t, ok)
				require.Equal(t, Phys(0xfffff234), p)
				_, ok = m.Read(0xffffffff, 8, User)
				require.True(t, ok)
			} else {
				require.False(t, ok)
				require.Equal(t, c.code|PFWrite, m.Fault.Code)
			}
			require.Empty(t, dev.log, "a walk does not reach devices")
		})
	}
}

func TestLoadPDPTEs(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry uint64
		ok    bool
	}{
		{"present", 0x5001, true},
		{"not present: reserved bits do not count", 0xffff_ffff_ffff_fffe, true},
		{"bit 1", 0x5003, false},
		{"bit 2", 0x5005, false},
		{"bit 5", 0x5021, false},
		{"bit 8", 0x5101, false},
		{"PWT, PCD and bits 11:9 are free", 0x5e19, true},
		{"bit MAXPHYADDR", 1<<40 | 0x5001, false},
		{"bit 63", 1<<63 | 0x5001, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
			m.Mem.Write(0x1020+3*8, 8, c.entry)
			m.Mem.Write(0x1020, 8, 0x7001)
			require.Equal(t, c.ok, m.LoadPDPTEs(0x1020|0x18), "bits 4:0 of CR3 do not count")
			want := [4]uint64{}
			if c.ok {
				want = [4]uint64{0: 0x7001, 3: c.entry}
			}
			require.Equal(t, want, m.Ctl.PDPTE)
		})
	}
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	require.False(t, m.LoadPDPTEs(0xf0000000), "a hole reads as ones")
}

// A table that refers to itself at every level: one entry is used four times.
func TestSelfMap(t *testing.T) {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	const root = 0x1000
	m.Mem.Write(root+510*8, 8, root|bP|bW)
	m.SetCR4(CR4PAE)
	m.SetEFER(EFERLME)
	m.SetCR3(root)
	m.SetCR0(CR0PE | CR0PG)
	lin := Linear(0xffff_0000_0000_0000 | 510<<39 | 510<<30 | 510<<21 | 510<<12)
	v, ok := m.Read(lin+510*8, 8, 0)
	require.True(t, ok)
	require.Equal(t, uint64(root|bP|bW|bA), v, "the walk's A is seen by the read")
	require.True(t, m.Write(lin, 8, 0x3003, 0))
	require.Equal(t, uint64(root|bP|bW|bA|bD), m.Mem.Read(root+510*8, 8), "D of the last level")
	require.Equal(t, uint64(0x3003), m.Mem.Read(root, 8))
}
