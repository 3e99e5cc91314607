package cpu

import (
	"encoding/binary"

	"x86emu/cpu/fp"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// The x87's control instructions, and its environment and state in memory.
// [SDM 1, x87 FPU Control Instructions]

var x87Control = map[decode.Op]handler{
	decode.FNINIT: execFNINIT, decode.FNCLEX: execFNCLEX, decode.FLDCW: execFLDCW, decode.FNSTCW: execFNSTCW, decode.FNSTSW: execFNSTSW,
	decode.FNSTENV: execFNSTENV, decode.FLDENV: execFLDENV, decode.FNSAVE: execFNSAVE, decode.FRSTOR: execFRSTOR, decode.FWAIT: execFWAIT,
}

func init() {
	for op, h := range x87Control {
		set87(op, func(c *CPU, in *decode.Inst) bool {
			ok := h(c, in)
			return ok && c.calm()
		})
	}
}

// cwValid are the bits of the control word that can be written; bit 6 reads as 1.
const cwValid = 0x1f3f

func (p *FPState) setCW(v uint16) {
	p.CW = v&cwValid | 0x40
	p.update()
}

// init87 is what FNINIT leaves. Registers keep their contents, empty.
func (p *FPState) init87() {
	p.CW, p.SW, p.Used = 0x37f, 0, 0
	p.FOP, p.FIP, p.FDP, p.FCS, p.FDS = 0, 0, 0, 0, 0
}

func execFNINIT(c *CPU, _ *decode.Inst) bool {
	if !c.x87Here() {
		return false
	}
	c.s.FP.init87()
	return true
}

// execFNCLEX clears the exceptions, SF, ES and B.
func execFNCLEX(c *CPU, _ *decode.Inst) bool {
	if !c.x87Here() {
		return false
	}
	c.s.FP.SW &^= swB | swES | swSF | uint16(fp.AllFlags)
	return true
}

// execFLDCW waits for its predecessor; an exception that the new masks let through
// is pending then.
func execFLDCW(c *CPU, in *decode.Inst) bool {
	if !c.x87Here() || !c.noPending() {
		return false
	}
	v, ok := c.load(in.Seg, c.ea(in), 2)
	if ok {
		c.s.FP.setCW(uint16(v))
	}
	return ok
}

func execFNSTCW(c *CPU, in *decode.Inst) bool {
	return c.x87Here() && c.put(in, 0, uint64(c.s.FP.CW))
}

func execFNSTSW(c *CPU, in *decode.Inst) bool {
	return c.x87Here() && c.put(in, 0, uint64(c.s.FP.SW))
}

// execFWAIT raises what is pending. Only CR0.MP and TS together make it #NM.
// [SDM 3A, Interrupt 7—Device Not Available Exception (#NM)]
func execFWAIT(c *CPU, _ *decode.Inst) bool {
	const both = mmu.CR0MP | mmu.CR0TS
	if c.mmu.Ctl.CR0&both == both {
		return c.raise(idt.VecNM)
	}
	return c.noPending()
}

// Tags of a register in the full tag word. [SDM 1, x87 FPU Tag Word]
const (
	tagValid = iota
	tagZero
	tagSpecial
	tagEmpty
)

// TagWord is the full tag word, two bits a physical register: 0 valid, 1 zero,
// 2 special, 3 empty.
func (p *FPState) TagWord() (w uint16) {
	for i := range p.R {
		t := tagSpecial
		switch {
		case p.Used>>i&1 == 0:
			t = tagEmpty
		case fp.ClassOf(p.R[i]) == fp.ClassZero:
			t = tagZero
		case fp.ClassOf(p.R[i]) == fp.ClassNormal:
			t = tagValid
		}
		w |= uint16(t) << (2 * i)
	}
	return w
}

// SetTagWord takes from a full tag word which registers are empty.
func (p *FPState) SetTagWord(w uint16) {
	p.Used = 0
	for i := range p.R {
		if w>>(2*i)&3 != tagEmpty {
			p.Used |= 1 << i
		}
	}
}

// An environment has seven fields of 2 or 4 bytes; the last four depend on the
// mode. [SDM 1, Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE]

// realLayout tells the layout of real and VM86 mode, which has linear addresses.
func (c *CPU) realLayout() bool { return !c.protected || c.v86 }

// environment gives the environment's bytes.
func (c *CPU) environment(size uint8) []byte {
	p := &c.s.FP
	f := [7]uint32{uint32(p.CW), uint32(p.SW), uint32(p.TagWord())}
	ip, dp := uint32(p.FIP), uint32(p.FDP)
	if c.realLayout() {
		ip, dp = ip+uint32(p.FCS)<<4, dp+uint32(p.FDS)<<4
		if size == 2 {
			f[3], f[4], f[5], f[6] = ip, ip>>4&0xf000|uint32(p.FOP), dp, dp>>4&0xf000
		} else {
			f[3], f[4], f[5], f[6] = ip&0xffff, ip>>16<<12|uint32(p.FOP), dp&0xffff, dp>>16<<12
		}
	} else if f[3], f[4], f[5], f[6] = ip, uint32(p.FCS), dp, uint32(p.FDS); size == 4 {
		f[4] |= uint32(p.FOP) << 16
	}
	var b []byte
	for i, v := range f {
		if size == 2 {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
			continue
		}
		// Upper halves that hold nothing are ones.
		if i < 3 || i == 6 && !c.realLayout() || (i == 3 || i == 5) && c.realLayout() {
			v |= 0xffff0000
		}
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// setEnvironment loads an environment.
func (c *CPU) setEnvironment(b []byte, size uint8) {
	p := &c.s.FP
	var f [7]uint32
	for i := range f {
		if size == 2 {
			f[i] = uint32(binary.LittleEndian.Uint16(b[2*i:]))
		} else {
			f[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
	}
	p.SW = uint16(f[1])
	p.SetTagWord(uint16(f[2]))
	switch {
	case c.realLayout() && size == 2:
		p.FIP, p.FDP = uint64(f[3]|f[4]&0xf000<<4), uint64(f[5]|f[6]&0xf000<<4)
		p.FCS, p.FDS, p.FOP = 0, 0, uint16(f[4])&0x7ff
	case c.realLayout():
		p.FIP, p.FDP = uint64(f[3]&0xffff|f[4]&0x0ffff000<<4), uint64(f[5]&0xffff|f[6]&0x0ffff000<<4)
		p.FCS, p.FDS, p.FOP = 0, 0, uint16(f[4])&0x7ff
	default:
		p.FIP, p.FDP, p.FCS, p.FDS = uint64(f[3]), uint64(f[5]), uint16(f[4]), uint16(f[6])
		if size == 4 {
			p.FOP = uint16(f[4]>>16) & 0x7ff
		}
	}
	p.setCW(uint16(f[0]))
	c.dropSelectors()
}

// envSize is the size of a field of the environment.
func envSize(in *decode.Inst) uint8 { return min(in.OpSize, 4) }

// execFNSTENV stores the environment and then masks all exceptions.
func execFNSTENV(c *CPU, in *decode.Inst) bool {
	if !c.x87Here() || !c.storePieces(in.Seg, c.ea(in), in.AddrSize, int(envSize(in)), c.environment(envSize(in))) {
		return false
	}
	c.s.FP.setCW(c.s.FP.CW | uint16(fp.AllFlags))
	return true
}

func execFLDENV(c *CPU, in *decode.Inst) bool {
	if !c.x87Here() || !c.noPending() {
		return false
	}
	b := make([]byte, 7*int(envSize(in)))
	if !c.loadPieces(in.Seg, c.ea(in), in.AddrSize, int(envSize(in)), b) {
		return false
	}
	c.setEnvironment(b, envSize(in))
	return true
}

// registersWithin checks that each significand and each exponent behind the environment
// lies within the segment in one piece, with whatever pieces they are moved in:
// an offset that wraps does so between them. [observed on AMD Zen 4]
func (c *CPU) registersWithin(in *decode.Inst, write bool) bool {
	if c.mode == decode.Mode64 {
		return true
	}
	off := c.ea(in) + 7*uint64(envSize(in))
	for range 8 {
		for _, size := range [...]uint8{8, 2} {
			if !c.segmentAllows(&c.s.Seg[in.Seg], maskAddr(off, in.AddrSize), size, write) {
				return c.segFault(in.Seg)
			}
			off += uint64(size)
		}
	}
	return true
}

// execFNSAVE stores environment and registers, ST(0) first, and initialises.
func execFNSAVE(c *CPU, in *decode.Inst) bool {
	if !c.x87Here() {
		return false
	}
	p := &c.s.FP
	b := c.environment(envSize(in))
	for i := range uint8(8) {
		b = append(b, bytes80(*p.st(i))...)
	}
	size := int(envSize(in))
	if !c.canStoreBlock(in.Seg, c.ea(in), in.AddrSize, size, 7*size) || !c.registersWithin(in, true) ||
		!c.storePieces(in.Seg, c.ea(in), in.AddrSize, size, b) {
		return false
	}
	p.init87()
	return true
}

func execFRSTOR(c *CPU, in *decode.Inst) bool {
	if !c.x87Here() || !c.noPending() {
		return false
	}
	size := int(envSize(in))
	env := 7 * size
	b := make([]byte, env+80)
	if !c.loadPieces(in.Seg, c.ea(in), in.AddrSize, size, b[:env]) || !c.registersWithin(in, false) ||
		!c.loadPieces(in.Seg, c.ea(in), in.AddrSize, size, b) {
		return false
	}
	c.setEnvironment(b, envSize(in))
	for i := range uint8(8) {
		r := b[env+10*int(i):]
		*c.s.FP.st(i) = fp.F80{Sig: binary.LittleEndian.Uint64(r), SE: binary.LittleEndian.Uint16(r[8:])}
	}
	return true
}
