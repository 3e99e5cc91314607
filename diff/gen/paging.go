package gen

import (
	"math/rand/v2"
	"slices"
	"strings"

	"x86emu/diff"
)

// Paging makes cases of one access through tables of the case: a valid walk with one
// deviation, or two, so that each rule is met alone before it meets others.
//
// Three cases in four are the next of a systematic list, which goes once through every
// deviation of every entry, page size, access, privilege and control bit. The
// fourth is random: two deviations, accesses across two pages, tables that map
// themselves, odd control registers.
type Paging struct{}

// Name is "paging".
func (Paging) Name() string { return "paging" }

// About says what the cases are about.
func (Paging) About() string {
	return "one access through 2-level, PAE, 4-level or 5-level tables that deviate from a valid walk"
}

// Make makes a case.
func (Paging) Make(c *diff.Case, seed, n uint64) {
	r := diff.Rand(seed, n)
	if n%4 != 3 {
		systematic(r, n/4*3+n%4).fill(c)
	} else {
		random(r).fill(c)
	}
}

// paging is a case in the making.
type paging struct {
	r    *rand.Rand
	w    *diff.World
	mode mode
	regs diff.Regs

	kind   kind
	user   bool // at CPL 3
	size   int  // bytes accessed
	lin    uint64
	data   diff.Offset // the byte of the arena that lin is to lead to
	before int         // how many bytes lie in the first of two pages; 0: there is one
	data2  diff.Offset // where the others are

	// What follows from the address.
	noStack  bool // not for the stack pointer
	noMemory bool // nothing is behind it

	entries []*entry
	code    []byte
	patches []diff.Patch
	access  diff.Access
	rules   []string
}

// kind is what is done to the memory.
type kind uint8

const (
	load kind = iota
	store
	modify
	fetch
	implicit // a load of a descriptor
	kinds
)

func (k kind) String() string {
	return [...]string{"load", "store", "modify", "fetch", "implicit load"}[k]
}

// mode is what the generator knows of a paging mode.
type mode struct {
	world  string
	levels int
	bits   uint // of the linear address that select an entry at each level
	size   int  // of an entry in bytes
	large  int  // the highest level at which an entry may map a page
	long   bool
}

var modes = []mode{
	{"paging32", 2, 10, 4, 2, false},
	{"pagingpae", 3, 9, 8, 2, false},
	{"paging4", 4, 9, 8, 3, true},
	{"paging5", 5, 9, 8, 3, true},
}

// shift is the lowest bit of the linear address that selects an entry of a level;
// level 1 has the PTEs.
func (m *mode) shift(level int) uint { return 12 + m.bits*uint(level-1) }

// reach is the size of what an entry of a level maps.
func (m *mode) reach(level int) uint64 { return 1 << m.shift(level) }

// index is which entry of a level a linear address selects.
func (m *mode) index(level int, linear uint64) int {
	return int(linear >> m.shift(level) & (1<<m.bits - 1))
}

func newPaging(r *rand.Rand, m mode) *paging {
	w, err := diff.WorldByName(m.world)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	p := &paging{r: r, w: w, mode: m, regs: w.Regs}
	for i := range p.regs.GPR {
		if i != 4 {
			p.regs.GPR[i] = r.Uint64()
			if !m.long {
				p.regs.GPR[i] &= 0xffffffff
			}
		}
	}
	return p
}

// oneIn is true once in n times.
func (p *paging) oneIn(n int) bool { return p.r.IntN(n) == 0 }

// fill completes the case: privilege, tables, data, code.
func (p *paging) fill(c *diff.Case) {
	if p.user {
		p.regs.RIP = diff.PagingUserCode
		p.regs.Seg = [6]uint16{diff.PagingUserDS, diff.PagingUserCS, diff.PagingUserDS, diff.PagingUserDS, diff.PagingUserDS, diff.PagingUserDS}
	}
	for _, e := range p.entries {
		p.patch(e.at, e.bytes(p.mode.size))
	}
	p.instruction()
	p.access.Linear, p.access.Size, p.access.User = p.lin, p.size, p.user
	c.Kind = diff.Paging
	c.World = p.mode.world
	c.Regs = p.regs
	c.Code = p.code
	c.Patches = p.patches
	c.Access = &p.access
	if len(p.rules) == 0 {
		p.rules = []string{"valid"}
	}
	slices.Sort(p.rules)
	c.Rule = p.kind.String() + ": " + strings.Join(slices.Compact(p.rules), ", "+p.kind.String()+": ")
}

// rule notes what is special about the case.
func (p *paging) rule(name string) { p.rules = append(p.rules, name) }

// patch writes bytes into the arena.
func (p *paging) patch(at diff.Offset, b []byte) {
	p.patches = append(p.patches, diff.Patch{At: at, Bytes: b})
}
