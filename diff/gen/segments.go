package gen

import (
	"math/rand/v2"

	"x86emu/decode"
	"x86emu/diff"
)

// ldt is the selector of an entry of diff.UserLDT.
func ldt(i uint16) uint16 { return i<<3 | 7 }

// Entries of the LDT that a segment register may begin with: those of data, in
// the order of how plain they are; of stacks; of code, by mode.
var (
	plainSegments = []uint16{ldt(3), ldt(4), ldt(14), ldt(22), diff.UserDS}
	oddSegments   = []uint16{ldt(1), ldt(5), ldt(6), ldt(7), ldt(12), ldt(17), ldt(18), ldt(19), ldt(20), ldt(21), ldt(23), 0}
	stackSegments = []uint16{ldt(3), ldt(4), ldt(3), ldt(4), ldt(5), ldt(6), ldt(12), ldt(17), ldt(18), ldt(21), ldt(22), ldt(23), diff.UserDS}
	code32        = []uint16{diff.UserCS32, diff.UserCS32, ldt(1), ldt(1), ldt(9), ldt(15), ldt(16), ldt(20)}
	code16        = []uint16{ldt(2), ldt(2), ldt(13)}
)

// selectors are what far transfers and loads of segment registers are given:
// every entry, with every RPL and table, and what is beyond them.
func selector(r *rand.Rand) uint16 {
	switch r.IntN(8) {
	case 0:
		return uint16(r.Uint32())
	case 1:
		return uint16(r.IntN(0x90))
	case 2:
		return pick[uint16](r, diff.UserCS32, diff.UserCS64, diff.UserDS)
	}
	return uint16(r.IntN(len(diff.UserLDT)))<<3 | 7
}

// segments chooses the segment registers: flat ones mostly in 64- and 32-bit
// code, else those of the LDT, and always these where addresses have 16 bits.
func segments(r *rand.Rand, regs *diff.Regs, mode decode.Mode, short bool) {
	s := &regs.Seg
	data := func() uint16 {
		switch {
		case once(r, 5):
			return pick(r, oddSegments...)
		case short || once(r, 2):
			return pick(r, plainSegments...)
		}
		return diff.UserDS
	}
	*s = [6]uint16{data(), 0, diff.UserDS, data(), data(), data()}
	switch mode {
	case decode.Mode64:
		s[decode.CS] = diff.UserCS64
		s[decode.FS], s[decode.GS] = pick(r, 0, 0, s[decode.FS]), pick(r, 0, 0, s[decode.GS])
	case decode.Mode32:
		s[decode.CS] = pick(r, code32...)
	default:
		s[decode.CS] = pick(r, code16...)
	}
	if once(r, 8) || mode != decode.Mode64 && (short || once(r, 3)) {
		s[decode.SS] = pick(r, stackSegments...)
	}
	if mode == decode.Mode64 {
		regs.FSBase, regs.GSBase = pick(r, 0, uint64(r.IntN(64)), -uint64(r.IntN(64))), uint64(r.IntN(64))*8
	}
}

// base is the base of a segment register of a case, as addresses see it.
func base(regs *diff.Regs, s decode.SegReg, mode decode.Mode) uint64 {
	sel := regs.Seg[s]
	d := diff.UserSegment(sel)
	b := d>>16&0xffffff | d>>56<<24
	switch {
	case s == decode.FS && sel&^3 == 0:
		return regs.FSBase
	case s == decode.GS && sel&^3 == 0:
		return regs.GSBase
	case mode == decode.Mode64 && s < decode.FS:
		return 0
	}
	return b
}

// limitEdge is an offset at the limit of a segment register, for an access of so
// many bytes.
func limitEdge(r *rand.Rand, sel uint16, size int) uint64 {
	d := diff.UserSegment(sel)
	limit := d&0xffff | d>>32&0xf0000
	if d>>55&1 != 0 {
		limit = limit<<12 | 0xfff
	}
	return limit + 3 - uint64(r.IntN(size+4))
}
