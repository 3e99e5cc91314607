package gen

import "math/rand/v2"

// Bits of the control registers that matter to paging.
const (
	cr0WP   = 1 << 16
	cr4PSE  = 1 << 4
	cr4PGE  = 1 << 7
	cr4SMEP = 1 << 20
	cr4SMAP = 1 << 21
	cr4PKE  = 1 << 22
	eferNXE = 1 << 11
	flagAC  = 1 << 18
)

// spot is a systematic case's deviation: which entry of which walk.
type spot struct {
	mode      *mode
	leaf      int // the level that maps the page
	level     int // the entry's
	deviation *deviation
}

// places lists all of them.
var places = func() (list []spot) {
	for i := range modes {
		m := &modes[i]
		for leaf := 1; leaf <= m.large; leaf++ {
			for level := leaf; level <= m.levels; level++ {
				for j := range deviations {
					if d := &deviations[j]; d.fits(m, level, level == leaf) {
						list = append(list, spot{m, leaf, level, d})
					}
				}
			}
		}
	}
	return list
}()

// controlBits is how many bits controls takes.
const controlBits = 5

// Systematic is how many systematic cases there are; then they come round again
// with other addresses, instructions and sizes.
func (Paging) Systematic() uint64 {
	return uint64(len(places)) * uint64(kinds) * 2 << controlBits
}

// systematic makes case n of the list, which is gone through in strides, so that a
// part of it is a sample of all.
func systematic(r *rand.Rand, n uint64) *paging {
	const stride = 1_000_003 // a prime that is no factor of the length
	total := Paging{}.Systematic()
	n = n % total * stride % total
	take := func(of int) int {
		v := int(n % uint64(of))
		n /= uint64(of)
		return v
	}
	at := places[take(len(places))]
	p := newPaging(r, *at.mode)
	p.kind = kind(take(int(kinds)))
	p.user = take(2) == 1
	p.controls(take(1 << controlBits))
	p.anySize()
	p.place(at.leaf)
	p.enable4M()
	for _, e := range p.entries {
		if e.level == at.level {
			p.deviate(e, at.deviation)
		}
	}
	return p
}

// controls sets the bits that every access meets.
func (p *paging) controls(bits int) {
	p.regs.CR0 &^= cr0WP
	for i, set := range []struct {
		reg *uint64
		bit uint64
	}{
		{&p.regs.CR0, cr0WP}, {&p.regs.CR4, cr4SMEP}, {&p.regs.CR4, cr4SMAP}, {&p.regs.RFLAGS, flagAC}, {&p.regs.EFER, eferNXE},
	} {
		if bits>>i&1 != 0 {
			*set.reg |= set.bit
		}
	}
	if p.oneIn(2) {
		p.regs.CR4 |= cr4PGE
	}
	if !p.oneIn(4) {
		p.regs.CR4 |= cr4PSE
	}
	if p.oneIn(4) {
		p.regs.CR4 |= cr4PKE
	}
	// Key 0 may do all; where there are no keys, PKRU says nothing.
	p.regs.PKRU = p.r.Uint32() &^ 3
	if !p.mode.long && p.oneIn(2) {
		p.regs.PKRU |= 3
	}
}

// random makes a case that is not systematic.
func random(r *rand.Rand) *paging {
	p := newPaging(r, modes[r.IntN(len(modes))])
	p.kind = kind(r.IntN(int(kinds)))
	p.user = p.oneIn(2)
	p.controls(r.IntN(1 << controlBits))
	p.anySize()
	switch {
	case p.oneIn(12) && (p.kind == load || p.kind == fetch):
		p.placeInItself()
	case p.oneIn(40) && p.mode.long && p.kind != implicit:
		p.placeInHole()
	case p.oneIn(3):
		p.placeAcross()
	default:
		p.place(1 + r.IntN(p.mode.large))
	}
	p.enable4M()
	if len(p.entries) > 0 {
		p.otherRoot()
		for range []int{0, 1, 1, 2, 2, 2, 3, 4}[r.IntN(8)] {
			p.deviateAny()
		}
		if p.oneIn(6) {
			p.scramble()
		}
	}
	for _, e := range p.entries {
		// Marks of earlier walks.
		if !p.isPDPTR(e) && p.oneIn(3) {
			e.value |= uint64(r.IntN(4)) << 5
		}
	}
	return p
}

// has4M tells whether the case has a 4-MByte page.
func (p *paging) has4M() bool {
	for _, e := range p.entries {
		if e.page && e.level == 2 && p.mode.size == 4 {
			return true
		}
	}
	return false
}

// enable4M sets CR4.PSE where the case needs it.
func (p *paging) enable4M() {
	if p.has4M() {
		p.regs.CR4 |= cr4PSE
	}
}
