package cpu

import (
	"encoding/binary"

	"x86emu/cpu/fp"
	"x86emu/decode"
)

// The x87's loads, stores, moves and constants.
// [SDM 1, x87 FPU Data Transfer Instructions; Load Constant Instructions]

var x87Moves = map[decode.Op]handler{
	decode.FLD: execFLD, decode.FILD: execFILD, decode.FBLD: execFBLD,
	decode.FST: execFST, decode.FSTP: execFST, decode.FIST: execFIST, decode.FISTP: execFIST, decode.FISTTP: execFIST, decode.FBSTP: execFBSTP,
	decode.FXCH: execFXCH, decode.FFREE: execFFREE, decode.FFREEP: execFFREE, decode.FINCSTP: execFINCSTP, decode.FDECSTP: execFINCSTP,
	decode.FCMOVB: execFCMOV, decode.FCMOVE: execFCMOV, decode.FCMOVBE: execFCMOV, decode.FCMOVU: execFCMOV,
	decode.FCMOVNB: execFCMOV, decode.FCMOVNE: execFCMOV, decode.FCMOVNBE: execFCMOV, decode.FCMOVNU: execFCMOV,
	decode.FNOP: execFNOP,
}

// constants are kept with 66 bits and a sticky one: what FLDPI and its kin push is
// rounded as the control word says. up and down tell by how much of the last place
// the 64 bits below change when rounding up, or to nearest.
var constants = map[decode.Op]struct {
	low  fp.F80 // truncated
	near bool   // the nearest is one above
	free bool   // exact
}{
	decode.FLD1:   {low: fp.F80{Sig: 0x8000000000000000, SE: 0x3fff}, free: true},
	decode.FLDZ:   {low: fp.F80{}, free: true},
	decode.FLDPI:  {low: fp.F80{Sig: 0xc90fdaa22168c234, SE: 0x4000}, near: true},
	decode.FLDL2E: {low: fp.F80{Sig: 0xb8aa3b295c17f0bb, SE: 0x3fff}, near: true},
	decode.FLDL2T: {low: fp.F80{Sig: 0xd49a784bcd1b8afe, SE: 0x4000}},
	decode.FLDLG2: {low: fp.F80{Sig: 0x9a209a84fbcff798, SE: 0x3ffd}, near: true},
	decode.FLDLN2: {low: fp.F80{Sig: 0xb17217f7d1cf79ab, SE: 0x3ffe}, near: true},
}

func init() {
	for op, h := range x87Moves {
		set87(op, h)
	}
	for op, k := range constants {
		set87(op, func(c *CPU, in *decode.Inst) bool {
			if !c.x87Ready(in) {
				return false
			}
			v := k.low
			// PC does not matter, RC does. [SDM 2, FLD1/FLDL2T/FLDL2E/FLDPI/FLDLG2/FLDLN2/FLDZ]
			if round := c.s.FP.env().Round; !k.free && (round == fp.Up || round == fp.Nearest && k.near) {
				v.Sig++
			}
			c.pushChecked(v)
			return true
		})
	}
}

// pushChecked pushes v, or raises a stack overflow.
func (c *CPU) pushChecked(v fp.F80) {
	p := &c.s.FP
	if !p.empty(7) {
		if p.overflow() {
			p.push(fp.Indefinite80)
		}
		return
	}
	p.SW &^= swC1
	p.push(v)
}

// load80 reads ten bytes.
func (c *CPU) load80(in *decode.Inst) (v fp.F80, ok bool) {
	var b [10]byte
	if !c.loadBlock(in.Seg, c.ea(in), in.AddrSize, b[:]) {
		return v, false
	}
	return fp.F80{Sig: binary.LittleEndian.Uint64(b[:]), SE: binary.LittleEndian.Uint16(b[8:])}, true
}

func execFLD(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	var v fp.F80
	a := in.Args[0]
	switch {
	case a.Kind == decode.ArgST:
		// The source is looked at before the stack's room.
		if p.empty(a.Num & 7) {
			if p.underflow() {
				p.push(fp.Indefinite80)
			}
			return true
		}
		v = *p.st(a.Num & 7)
	case a.Size == 10:
		var ok bool
		if v, ok = c.load80(in); !ok {
			return false
		}
	default:
		raw, ok := c.load(in.Seg, c.ea(in), a.Size)
		if !ok {
			return false
		}
		if !p.empty(7) {
			break
		}
		f := &fp.Double
		if a.Size == 4 {
			f = &fp.Single
		}
		e := p.env()
		v = e.Load80(f, raw)
		if !p.settle(&e) {
			return true
		}
	}
	c.pushChecked(v)
	return true
}

func execFILD(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	raw, ok := c.load(in.Seg, c.ea(in), in.Args[0].Size)
	if ok {
		c.pushChecked(fp.FromInt80(signed(raw, in.Args[0].Size)))
	}
	return ok
}

func execFBLD(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	var d [10]byte
	if !c.loadBlock(in.Seg, c.ea(in), in.AddrSize, d[:]) {
		return false
	}
	c.pushChecked(fp.FromDecimal(d))
	return true
}

// store87 writes the bytes that an instruction makes of ST(0), or those of the
// indefinite if it is empty, and pops if it is to. Memory that cannot be written
// is a fault before anything has changed.
func (c *CPU) store87(in *decode.Inst, pop bool, indefinite []byte, bytes func(e *fp.Env, v fp.F80) []byte) bool {
	p := &c.s.FP
	if !c.canStoreBlock(in.Seg, c.ea(in), in.AddrSize, 8, len(indefinite)) {
		return false
	}
	if p.empty(0) {
		if p.CW&uint16(fp.Invalid) != 0 {
			if !c.storeBlock(in.Seg, c.ea(in), in.AddrSize, indefinite) {
				return false
			}
		}
		if p.underflow() && pop {
			p.pop()
		}
		return true
	}
	e := p.env()
	b := bytes(&e, *p.st(0))
	const stops = fp.Invalid | fp.Denormal | fp.ZeroDiv | fp.Overflow | fp.Underflow
	if e.Unmasked()&stops == 0 {
		if !c.storeBlock(in.Seg, c.ea(in), in.AddrSize, b) {
			return false
		}
		p.settle(&e)
		if pop {
			p.pop()
		}
		return true
	}
	p.settle(&e)
	return true
}

// little gives the low size bytes of v.
func little(v uint64, size uint8) []byte {
	return binary.LittleEndian.AppendUint64(nil, v)[:size]
}

// execFST is FST and FSTP.
func execFST(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	pop := in.Op == decode.FSTP
	switch a := in.Args[0]; {
	case a.Kind == decode.ArgST:
		if p.empty(0) && in.Opcode == 0xd9 {
			// This alias looks at nothing.
			p.SW &^= swC1
			p.pop()
			return true
		}
		if p.empty(0) {
			if p.underflow() {
				p.setST(a.Num&7, fp.Indefinite80)
				if pop {
					p.pop()
				}
			}
			return true
		}
		p.SW &^= swC1
		p.setST(a.Num&7, *p.st(0))
		if pop {
			p.pop()
		}
		return true
	case a.Size == 10:
		return c.store87(in, pop, bytes80(fp.Indefinite80), func(_ *fp.Env, v fp.F80) []byte { return bytes80(v) })
	case a.Size == 4:
		return c.store87(in, pop, little(fp.Indefinite32, 4), func(e *fp.Env, v fp.F80) []byte { return little(e.Store80(&fp.Single, v), 4) })
	}
	return c.store87(in, pop, little(fp.Indefinite64, 8), func(e *fp.Env, v fp.F80) []byte { return little(e.Store80(&fp.Double, v), 8) })
}

func bytes80(v fp.F80) []byte {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint64(nil, v.Sig), v.SE)
}

// execFIST is FIST, FISTP and FISTTP.
func execFIST(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	size := in.Args[0].Size
	return c.store87(in, in.Op != decode.FIST, little(1<<(8*size-1), size), func(e *fp.Env, v fp.F80) []byte {
		round := e.Round
		if in.Op == decode.FISTTP {
			round = fp.Zero
		}
		return little(e.ToInt80(v, 8*uint(size), round), size)
	})
}

func execFBSTP(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	indefinite := []byte{7: 0xc0, 8: 0xff, 9: 0xff}
	return c.store87(in, true, indefinite, func(e *fp.Env, v fp.F80) []byte {
		d := e.ToDecimal(v)
		return d[:]
	})
}

func execFXCH(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	i := in.Args[0].Num & 7
	a, b := p.empty(0), p.empty(i)
	if a || b {
		if !p.underflow() {
			return true
		}
		if a {
			p.setST(0, fp.Indefinite80)
		}
		if b {
			p.setST(i, fp.Indefinite80)
		}
	} else {
		p.SW &^= swC1
	}
	*p.st(0), *p.st(i) = *p.st(i), *p.st(0)
	return true
}

// execFFREE is FFREE and its undocumented sister that pops. C1, which the manual
// leaves undefined, is cleared, as AMD Zen 4 does.
func execFFREE(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	p.SW &^= swC1
	p.Used &^= 1 << ((p.top() + in.Args[0].Num) & 7)
	if in.Op == decode.FFREEP {
		p.pop()
	}
	return true
}

// execFINCSTP is FINCSTP and FDECSTP: the stack turns, no tag changes.
func execFINCSTP(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	p.SW &^= swC1
	if in.Op == decode.FINCSTP {
		p.setTop(p.top() + 1)
	} else {
		p.setTop(p.top() - 1)
	}
	return true
}

// execFCMOV moves if the condition in EFLAGS holds. [SDM 2, FCMOVcc]
func execFCMOV(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	src := in.Args[1].Num & 7
	if p.empty(0) || p.empty(src) {
		if p.underflow() {
			p.setST(0, fp.Indefinite80)
		}
		return true
	}
	f := c.arith()
	var is bool
	switch in.Op {
	case decode.FCMOVB, decode.FCMOVNB:
		is = f&1 != 0
	case decode.FCMOVE, decode.FCMOVNE:
		is = f&0x40 != 0
	case decode.FCMOVBE, decode.FCMOVNBE:
		is = f&0x41 != 0
	default:
		is = f&4 != 0
	}
	switch in.Op {
	case decode.FCMOVNB, decode.FCMOVNE, decode.FCMOVNBE, decode.FCMOVNU:
		is = !is
	}
	if is {
		*p.st(0) = *p.st(src)
	}
	return true
}

// execFNOP is FNOP, and what FENI, FDISI and FSETPM have become, which do not wait.
func execFNOP(c *CPU, in *decode.Inst) bool {
	if in.Opcode == 0xdb {
		return c.x87Here()
	}
	return c.x87Ready(in)
}
