package harness

import (
	"encoding/binary"

	"x86emu/decode"
	"x86emu/diff"
	"x86emu/idt"
	"x86emu/mmu"
)

// state is struct state of image/harness.h: registers as quadwords.
type state [42]uint64

// Places in a state.
const (
	slotRIP = 16 + iota
	slotRFLAGS
	slotFSBase
	slotGSBase
	slotCR0
	slotCR2
	slotCR3
	slotCR4
	slotEFER
	slotDR0                 // to DR7, but for DR4
	slotFrame = slotDR0 + 4 // where the frame of IRETQ ends, if not on the image's stack
)

const (
	slotTR        = 33 + iota // the descriptor that TR is loaded from, 16 bytes
	slotTRUpper               //
	slotGDTLimit              // in the upper 16 bits
	slotGDTBase               //
	slotIDTLimit              // in the upper 16 bits
	slotIDTBase               //
	slotSegments              // ES CS SS DS
	slotSelectors             // FS GS LDTR TR
	slotPKRU                  // and how in the upper half
)

// How a case is begun, in the upper half of the last slot.
const (
	longMode = 1 << (32 + iota)
	loadFS
	loadGS
	fullXMM
	byJump
)

// fixedFlags and so on are bits that always read as 1.
const (
	fixedCR0 = mmu.CR0ET
	fixedDR6 = 0xffff0ff0
	fixedDR7 = 0x400
)

// begin is how the registers of a case are when it begins. tr is the descriptor
// that TR is loaded from.
func begin(x *diff.Context, r *diff.Regs, tr [2]uint64) *state {
	s := new(state)
	copy(s[:], r.GPR[:])
	s[slotRIP], s[slotRFLAGS] = r.RIP, r.RFLAGS|idt.Flag1
	s[slotFSBase], s[slotGSBase] = r.FSBase, r.GSBase
	s[slotCR0], s[slotCR2], s[slotCR3], s[slotCR4], s[slotEFER] = r.CR0|fixedCR0, r.CR2, r.CR3, r.CR4, r.EFER
	copy(s[slotDR0:], r.DR[:4])
	s[slotDR0+6], s[slotDR0+7] = r.DR[6], r.DR[7]
	s[slotDR0+6] |= fixedDR6
	s[slotDR0+7] |= fixedDR7
	tr[0] &^= 2 << 40 // LTR wants a TSS that is not busy
	s[slotTR], s[slotTRUpper] = tr[0], tr[1]
	s[slotGDTLimit], s[slotGDTBase] = uint64(r.GDTR.Limit)<<48, r.GDTR.Base
	s[slotIDTLimit], s[slotIDTBase] = uint64(r.IDTR.Limit)<<48, r.IDTR.Base
	s[slotSegments] = pack(r.Seg[0], r.Seg[1], r.Seg[2], r.Seg[3])
	s[slotSelectors] = pack(r.Seg[4], r.Seg[5], r.LDTR, r.TR)
	s[slotPKRU] = uint64(r.PKRU)

	if r.EFER&mmu.EFERLME == 0 || r.CR0&mmu.CR0PG == 0 {
		for i := range slotSegments {
			if i < slotTR || i == slotGDTBase || i == slotIDTBase {
				s[i] = uint64(uint32(s[i]))
			}
		}
		return s
	}
	s[slotPKRU] |= longMode
	if null(r.Seg[decode.FS]) || x.Mode == decode.Mode64 {
		s[slotPKRU] |= loadFS
	}
	if null(r.Seg[decode.GS]) || x.Mode == decode.Mode64 {
		s[slotPKRU] |= loadGS
	}
	if r.CR4&mmu.CR4OSFXSR != 0 && r.CR0&(mmu.CR0EM|mmu.CR0TS) == 0 {
		s[slotPKRU] |= fullXMM
	}
	return s
}

// end tells what the registers are when changed holds those that differ from
// how the case began with r.
func end(r *diff.Regs, changed *state, which uint64) diff.Regs {
	e := *r
	set := func(slot int, to *uint64) {
		if which>>slot&1 != 0 {
			*to = changed[slot]
		}
	}
	for i := range e.GPR {
		set(i, &e.GPR[i])
	}
	for i, to := range []*uint64{&e.RIP, &e.RFLAGS, &e.FSBase, &e.GSBase, &e.CR0, &e.CR2, &e.CR3, &e.CR4, &e.EFER} {
		set(slotRIP+i, to)
	}
	for i := range e.DR {
		set(slotDR0+i, &e.DR[i])
	}
	set(slotGDTBase, &e.GDTR.Base)
	set(slotIDTBase, &e.IDTR.Base)
	if which>>slotGDTLimit&1 != 0 {
		e.GDTR.Limit = uint16(changed[slotGDTLimit] >> 48)
	}
	if which>>slotIDTLimit&1 != 0 {
		e.IDTR.Limit = uint16(changed[slotIDTLimit] >> 48)
	}
	if which>>slotSegments&1 != 0 {
		unpack(changed[slotSegments], &e.Seg[0], &e.Seg[1], &e.Seg[2], &e.Seg[3])
	}
	if which>>slotSelectors&1 != 0 {
		unpack(changed[slotSelectors], &e.Seg[4], &e.Seg[5], &e.LDTR, &e.TR)
	}
	if which>>slotPKRU&1 != 0 {
		e.PKRU = uint32(changed[slotPKRU])
	}
	return e
}

func null(sel uint16) bool { return sel&^3 == 0 }

func pack(a, b, c, d uint16) uint64 {
	return uint64(a) | uint64(b)<<16 | uint64(c)<<32 | uint64(d)<<48
}

func unpack(v uint64, to ...*uint16) {
	for i, p := range to {
		*p = uint16(v >> (16 * i))
	}
}

// bytes is the state as the image has it.
func (s *state) bytes() []byte {
	var b []byte
	for _, v := range s {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}
