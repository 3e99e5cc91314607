package gen

import (
	"fmt"

	"x86emu/decode"
	"x86emu/diff"
)

// Undefined makes encodings that no feature gives a meaning: opcodes and
// fields of ModRM that are reserved, opcodes that 64-bit mode has dropped, LOCK
// before what cannot be locked. All that they may do is #UD, after a fetch of
// their length.
type Undefined struct {
	insn *Insn
	all  decode.Decoder // knows every feature there is
}

// NewUndefined makes the generator.
func NewUndefined() *Undefined {
	return &Undefined{insn: NewInsn(), all: decode.Decoder{Features: decode.FeatAll}}
}

// Name is "undef".
func (g *Undefined) Name() string { return "undef" }

// About is one line about the cases.
func (g *Undefined) About() string {
	return "encodings without a meaning at CPL 3: reserved opcodes and fields, LOCK where it must not be"
}

// Make makes a case.
func (g *Undefined) Make(c *diff.Case, seed, n uint64) {
	r := diff.Rand(seed, n)
	c.Kind, c.World = diff.Insn, g.insn.world.Name
	for {
		f := decode.Form{Mode: pick(r, decode.Mode16, decode.Mode32, decode.Mode64), Reg: -1, RM: -1, HasModRM: true}
		f.Map, f.Opcode = pick[uint8](r, 0, 1, 1), uint8(r.Uint32())
		f.Memory = once(r, 2)
		for _, p := range []decode.Prefix{decode.PrefixOpSize, decode.PrefixAddr} {
			if once(r, 3) {
				f.Prefix |= p
			}
		}
		f.Prefix |= pick(r, 0, 0, decode.PrefixRep, decode.PrefixRepne, decode.PrefixLock, decode.PrefixLock)
		if f.Mode == decode.Mode64 && once(r, 3) {
			f.Prefix |= decode.PrefixRexW
		}
		m := maker{Insn: g.insn, r: r, c: c, f: &f}
		m.e = encode(r, &f)
		if g.all.Decode(&m.in, m.e.code, f.Mode) != decode.Undef || m.in.Map != f.Map || m.in.Opcode != f.Opcode || taken(&m.in) {
			continue
		}
		m.e.limit = int(m.in.Len)
		m.state()
		c.Code = m.e.code[:m.e.limit:m.e.limit]
		c.Rule = fmt.Sprintf("undefined %d.%d.%02x", f.Mode, f.Map, f.Opcode)
		if f.Prefix&decode.PrefixLock != 0 {
			c.Rule += ".lock"
		}
		return
	}
}

// taken tells encodings that some processor gives a meaning, though none that
// the decoder knows of.
func taken(in *decode.Inst) bool {
	group := in.ModRM >> 3 & 7
	switch in.Map {
	case 0:
		switch in.Opcode {
		case 0x62, 0xc4, 0xc5: // EVEX and VEX
			return true
		case 0x8f: // XOP
			return group != 0
		}
	case 1:
		switch in.Opcode {
		case 0x0e, 0x0f: // 3DNow!
			return true
		case 0x78, 0x79: // SSE4a
			return true
		case 0x01: // VMX, SVM and their kin, some of which ask a hypervisor; with prefixes that others reserve
			return in.ModRM >= 0xc0 && (group == 0 || group == 3 || group == 7)
		}
	}
	return false
}
