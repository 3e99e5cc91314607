package diff

import (
	"x86emu/cpu"
	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
)

// put makes the units' state that of f.
func (f *Float) put(s *cpu.FPState) {
	s.CW, s.SW, s.Used, s.MXCSR = f.CW, f.SW, uint8(f.Tags), f.MXCSR
	top := int(f.SW >> 11 & 7)
	for i, r := range f.ST {
		s.R[(top+i)&7] = fp.F80{Sig: r.Sig, SE: r.SE}
	}
	for i, x := range f.XMM {
		s.XMM[i] = simd.Vec{Lo: x[0], Hi: x[1]}
	}
	s.Derive()
}

// get makes f the units' state.
func (f *Float) get(s *cpu.FPState) {
	f.CW, f.SW, f.Tags, f.MXCSR = s.CW, s.SW, uint16(s.Used), s.MXCSR
	top := int(s.SW >> 11 & 7)
	for i := range f.ST {
		r := s.R[(top+i)&7]
		f.ST[i] = Extended{Sig: r.Sig, SE: r.SE}
	}
	for i, x := range s.XMM {
		f.XMM[i] = [2]uint64{x.Lo, x.Hi}
	}
}

// like tells whether two states are the same as far as a mask lets them count.
func (f *Float) like(g *Float, m *Mask) bool {
	a := *f
	a.SW ^= (f.SW ^ g.SW) & m.SW
	for i := range a.ST {
		if a.ST[i].near(g.ST[i], m.Places) {
			a.ST[i] = g.ST[i]
		}
	}
	return a == *g
}

// near tells whether two numbers of one sign are so many places apart at most,
// also where the exponent changes between them.
func (p Extended) near(q Extended, places uint64) bool {
	if p.SE == q.SE {
		return max(p.Sig, q.Sig)-min(p.Sig, q.Sig) <= places
	}
	if p.SE > q.SE {
		p, q = q, p
	}
	// The last number of an exponent has all bits set, a denormal one all but the first.
	const first = 1 << 63
	last := ^uint64(0)
	if p.SE&0x7fff == 0 {
		last &^= first
	}
	below := last - p.Sig
	e := q.SE & 0x7fff
	return q.SE == p.SE+1 && e != 0 && e != 0x7fff && q.Sig&first != 0 && below < places && q.Sig-first < places-below
}
