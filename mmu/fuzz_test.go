package mmu

import (
	"bytes"
	"testing"
)

// rng is a small generator (xorshift), so that a case is its seed.
type rng uint64

func (r *rng) next() uint64 {
	x := uint64(*r)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*r = rng(x)
	return x
}

func (r *rng) oneIn(n uint64) bool { return r.next()>>7%n == 0 }

const walkRAM = 8 * PageSize // tables and pages of the random walks

// randomEntry is likely to be present and to point into RAM.
func randomEntry(r *rng) uint64 {
	e := r.next()&0xf66 | r.next()>>8&7<<12
	if !r.oneIn(24) {
		e |= 1
	}
	if !r.oneIn(4) {
		e |= 6
	}
	if r.oneIn(5) {
		e |= 1 << 7
	}
	if r.oneIn(16) {
		e |= 1 << 63
	}
	if r.oneIn(8) {
		e |= r.next() & 0xf << 59
	}
	if r.oneIn(16) {
		e |= 1 << (r.next() >> 9 & 63)
	}
	if r.oneIn(40) {
		e = r.next()
	}
	return e
}

// randomControl turns 32 random bits into a legal set of paging controls.
func randomControl(bits uint32) Control {
	take := func() bool { b := bits&1 != 0; bits >>= 1; return b }
	c := Control{CR0: CR0PE, A20: true}
	set := func(reg *uint64, v uint64) {
		if take() {
			*reg |= v
		}
	}
	mode := bits & 7
	bits >>= 3
	switch mode {
	case 0:
	case 1, 2:
		c.CR0 |= CR0PG
	case 3, 4:
		c.CR0, c.CR4 = c.CR0|CR0PG, CR4PAE
	default:
		c.CR0, c.CR4, c.EFER = c.CR0|CR0PG, CR4PAE, EFERLME|EFERLMA
		if mode == 7 {
			c.CR4 |= CR4LA57
		}
	}
	set(&c.CR0, CR0WP)
	set(&c.CR4, CR4PSE)
	set(&c.CR4, CR4PGE)
	set(&c.CR4, CR4SMEP)
	set(&c.CR4, CR4SMAP)
	set(&c.CR4, CR4PKE)
	set(&c.EFER, EFERNXE)
	c.A20 = bits&7 != 7
	c.PKRU = bits >> 3 * 0x9e3779b1
	return c
}

// walkCase makes one random walk and compares it with the reference.
func walkCase(t *testing.T, m *MMU, seed uint64, control uint32, lin uint64, access uint8) {
	r := rng(seed | 1)
	ref := refMachine{ram: make([]byte, walkRAM), c: randomControl(control), maxPhys: m.cfg.MaxPhysBits, no1G: m.cfg.No1G, noPAT: m.cfg.NoPAT}
	for at := uint64(0); at < walkRAM; at += 8 {
		e := randomEntry(&r)
		if ref.c.CR4&CR4PAE == 0 {
			e = e&0xffffffff | randomEntry(&r)<<32
		}
		ref.writePhys(at, 8, e)
	}
	ref.c.CR3 = r.next() & 0x7000
	if r.oneIn(50) {
		ref.c.CR3 = r.next() & addrMask
	}
	for i := range ref.c.PDPTE {
		ref.c.PDPTE[i] = randomEntry(&r) &^ m.pdpteReserved()
	}
	if ref.c.EFER&EFERLMA == 0 {
		lin &= 0xffffffff
	}
	a := Access(access & 15)
	if a&Exec != 0 {
		a &^= Write
	}
	m.Mem.WriteBytes(0, ref.ram)
	m.SetControl(ref.c)
	m.FlushAll()

	var got, want [walkRAM]byte
	same := func(what string) {
		t.Helper()
		copy(want[:], ref.ram)
		m.Mem.ReadBytes(0, got[:])
		if !bytes.Equal(got[:], want[:]) {
			t.Fatalf("%s: A/D differ", what)
		}
	}
	w := m.Explain(Linear(lin), a)
	same("explain")
	phys, code, ok := ref.access(lin, a, false)
	if w.OK() != ok || ok && w.Phys() != Phys(phys) || !ok && w.Code != code {
		t.Fatalf("explain %#x %v: %v %#x, want %v %#x %#x", lin, a, w.Rule, w.Code, ok, phys, code)
	}
	p, gotOK := m.Translate(Linear(lin), a)
	if gotOK != ok || ok && p != Phys(phys) || !ok && m.Fault != (Fault{Linear(lin), code}) {
		t.Fatalf("walk %#x %v: %v %#x %+v, want %v %#x %#x", lin, a, gotOK, p, m.Fault, ok, phys, code)
	}
	same("walk")

	// What the TLB or a shortcut proves, for each privilege, must be the
	// reference's answer too; tables that map themselves may have changed it.
	page := uint64(lin) &^ PageMask
	for _, right := range []Access{0, User, AC} {
		s := &m.View[right.ViewOf()][slot(Linear(lin))]
		for _, k := range []struct {
			tag uint64
			a   Access
		}{{s.R, Read}, {s.W, Write}, {s.X, Exec}} {
			if k.tag != page {
				continue
			}
			phys, _, ok := ref.access(lin, k.a|right, true)
			if !ok || s.Host != m.Mem.page(Phys(phys)) {
				t.Fatalf("view of %#x: access %v is in %+v, reference says %v", lin, k.a|right, s, ok)
			}
			if last := len(ref.used) - 1; k.a == Write && last >= 0 && ref.used[last].value&PteDirty == 0 {
				t.Fatalf("view of %#x: writable, not dirty", lin)
			}
		}
	}
	for _, right := range []Access{0, User, AC} {
		for _, k := range []Access{Read, Exec, Write} {
			phys, code, ok := ref.access(lin, k|right, false)
			p, gotOK := m.Translate(Linear(lin), k|right)
			if gotOK != ok || ok && p != Phys(phys) || !ok && m.Fault.Code != code {
				t.Fatalf("after walk: %#x %v: %v %#x %+v, want %v %#x %#x", lin, k|right, gotOK, p, m.Fault, ok, phys, code)
			}
		}
	}
	same("after walk")

	// Its neighbours have the upper levels in common with it, unless these change.
	for range 3 {
		at := r.next() % walkRAM &^ 7
		if e := randomEntry(&r); r.oneIn(2) {
			ref.writePhys(at, 8, e)
			m.Mem.Write(Phys(at), 8, e)
		}
		near := lin ^ r.next()&0xff<<PageShift
		if m.lookup(Linear(near)&m.linMask&^PageMask) != nil {
			continue // used as it was
		}
		phys, code, ok := ref.access(near, a, false)
		p, gotOK := m.Translate(Linear(near), a)
		if gotOK != ok || ok && p != Phys(phys) || !ok && m.Fault.Code != code {
			t.Fatalf("neighbour %#x %v: %v %#x %+v, want %v %#x %#x", near, a, gotOK, p, m.Fault, ok, phys, code)
		}
		same("neighbour")
	}
}

// walkMMUs are the processors that the random walks run on.
func walkMMUs() []*MMU {
	var all []*MMU
	for _, cfg := range []Config{
		{MaxPhysBits: 36},
		{MaxPhysBits: 52},
		{MaxPhysBits: 32, NoPAT: true, No1G: true},
		{MaxPhysBits: 46, TLBOff: true},
		{MaxPhysBits: 40, No1G: true},
	} {
		all = append(all, New(NewMemory(walkRAM, cfg.MaxPhysBits), cfg))
	}
	return all
}

func TestRandomWalks(t *testing.T) {
	mmus := walkMMUs()
	r := rng(0x1234567)
	n := 8000
	if testing.Short() {
		n = 2000
	}
	for i := range n {
		walkCase(t, mmus[i%len(mmus)], r.next(), uint32(r.next()>>16), r.next(), uint8(r.next()>>8))
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(uint64(1), uint32(0), uint64(0), uint8(0))
	f.Add(uint64(2), uint32(1), uint64(0x12345678), uint8(1))
	f.Add(uint64(3), uint32(3), uint64(0xc0001000), uint8(2))
	f.Add(uint64(4), uint32(5), uint64(0xffff800000000000), uint8(5))
	f.Add(uint64(5), uint32(0xfff7), uint64(0xff00000000001fff), uint8(9))
	mmus := walkMMUs()
	f.Fuzz(func(t *testing.T, seed uint64, control uint32, lin uint64, access uint8) {
		walkCase(t, mmus[seed%uint64(len(mmus))], seed, control, lin, access)
	})
}
