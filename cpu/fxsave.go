package cpu

import (
	"encoding/binary"

	"x86emu/cpu/fp"
	"x86emu/decode"
	"x86emu/mmu"
)

// The state of x87, MMX and SSE in memory: FXSAVE's area of 512 bytes, which is
// also the beginning of XSAVE's. [SDM 1, FXSAVE and FXRSTOR Instructions; Managing State Using the XSAVE Feature Set]

// fxArea is the size of the legacy area, of which the last 96 bytes are the
// program's own and never written.
const (
	fxArea    = 512
	fxWritten = 416
	fxMXCSR   = 24
	fxXMM     = 160
)

func init() {
	for op, h := range map[decode.Op]handler{
		decode.FXSAVE: execFXSAVE, decode.FXSAVE64: execFXSAVE, decode.FXRSTOR: execFXRSTOR, decode.FXRSTOR64: execFXRSTOR,
	} {
		handlers[op] = h
	}
}

// putX87 writes the x87's part of the area. wide is the layout with 64-bit pointers.
func (p *FPState) putX87(b []byte, wide bool) {
	le := binary.LittleEndian
	le.PutUint16(b[0:], p.CW)
	le.PutUint16(b[2:], p.SW)
	b[4], b[5] = p.Used, 0
	le.PutUint16(b[6:], p.FOP)
	if wide {
		le.PutUint64(b[8:], p.FIP)
		le.PutUint64(b[16:], p.FDP)
	} else {
		le.PutUint32(b[8:], uint32(p.FIP))
		le.PutUint32(b[12:], uint32(p.FCS))
		le.PutUint32(b[16:], uint32(p.FDP))
		le.PutUint32(b[20:], uint32(p.FDS))
	}
	for i := range uint8(8) {
		r := b[32+16*int(i):]
		clear(r[10:16])
		le.PutUint64(r, p.st(i).Sig)
		le.PutUint16(r[8:], p.st(i).SE)
	}
}

// setX87 reads it back.
func (p *FPState) setX87(b []byte, wide bool) {
	le := binary.LittleEndian
	p.SW, p.Used, p.FOP = le.Uint16(b[2:]), b[4], le.Uint16(b[6:])&0x7ff
	if wide {
		p.FIP, p.FDP = le.Uint64(b[8:]), le.Uint64(b[16:])
	} else {
		p.FIP, p.FCS = uint64(le.Uint32(b[8:])), le.Uint16(b[12:])
		p.FDP, p.FDS = uint64(le.Uint32(b[16:])), le.Uint16(b[20:])
	}
	p.setCW(le.Uint16(b))
	for i := range uint8(8) {
		r := b[32+16*int(i):]
		*p.st(i) = fp.F80{Sig: le.Uint64(r), SE: le.Uint16(r[8:])}
	}
}

// putXMM writes the first n XMM registers, setXMM reads them.
func (p *FPState) putXMM(b []byte, n int) {
	for i := range n {
		binary.LittleEndian.PutUint64(b[fxXMM+16*i:], p.XMM[i].Lo)
		binary.LittleEndian.PutUint64(b[fxXMM+16*i+8:], p.XMM[i].Hi)
	}
}

func (p *FPState) setXMM(b []byte, n int) {
	for i := range n {
		p.XMM[i].Lo = binary.LittleEndian.Uint64(b[fxXMM+16*i:])
		p.XMM[i].Hi = binary.LittleEndian.Uint64(b[fxXMM+16*i+8:])
	}
}

// xmmCount is the number of XMM registers that the mode has.
func (c *CPU) xmmCount() int {
	if c.mode == decode.Mode64 {
		return 16
	}
	return 8
}

// areaReady makes the checks before FXSAVE and FXRSTOR.
func (c *CPU) areaReady(in *decode.Inst) bool {
	// CR0.EM and CR0.TS must be clear, else #NM. [SDM 2, FXSAVE; FXRSTOR]
	if !c.x87Here() {
		return false
	}
	// The order of AMD's Zen 4: four bytes must lie within the segment, the area on 16
	// bytes, and then its last byte within the segment. [observed]
	lin, ok := c.linear(in.Seg, c.ea(in), 1, false)
	if !ok {
		return false
	}
	if _, ok := c.linear(in.Seg, c.ea(in)+3, 1, false); !ok {
		return false
	}
	// The area must lie on 16 bytes, else #GP(0). [SDM 2, FXSAVE; FXRSTOR]
	if lin&15 != 0 {
		return c.gp(0)
	}
	_, ok = c.linear(in.Seg, c.areaEnd(in), 1, false)
	return ok
}

// areaEnd is the offset of the area's last byte.
func (c *CPU) areaEnd(in *decode.Inst) uint64 { return maskAddr(c.ea(in)+fxArea-1, in.AddrSize) }

// wideArea tells the layout with 64-bit pointers: REX.W.
func wideArea(in *decode.Inst) bool { return in.Prefix&decode.PrefixRexW != 0 }

func execFXSAVE(c *CPU, in *decode.Inst) bool {
	if !c.areaReady(in) {
		return false
	}
	// Memory that is not written must be writable too. [observed on AMD Zen 4]
	if !c.probeStore(in.Seg, c.ea(in), 1) || !c.probeStore(in.Seg, c.areaEnd(in), 1) {
		return false
	}
	p := &c.s.FP
	var b [fxWritten]byte
	n := fxXMM
	p.putX87(b[:], wideArea(in))
	// Without CR4.OSFXSR the SSE part may be left out: it is, but for MXCSR's field.
	if c.mmu.Ctl.CR4&mmu.CR4OSFXSR != 0 {
		n = fxXMM + 16*c.xmmCount()
		p.putXMM(b[:], c.xmmCount())
	}
	binary.LittleEndian.PutUint32(b[fxMXCSR:], p.MXCSR)
	binary.LittleEndian.PutUint32(b[fxMXCSR+4:], c.mxcsrMask())
	return c.storeBlock(in.Seg, c.ea(in), in.AddrSize, b[:n])
}

func execFXRSTOR(c *CPU, in *decode.Inst) bool {
	if !c.areaReady(in) {
		return false
	}
	var b [fxArea]byte
	if !c.loadBlock(in.Seg, c.ea(in), in.AddrSize, b[:]) {
		return false
	}
	p := &c.s.FP
	sse := c.mmu.Ctl.CR4&mmu.CR4OSFXSR != 0
	mxcsr := binary.LittleEndian.Uint32(b[fxMXCSR:])
	// A reserved bit of MXCSR must be clear, else #GP(0). [SDM 2, FXRSTOR]
	if sse && mxcsr&^c.mxcsrValid() != 0 {
		return c.gp(0)
	}
	p.setX87(b[:], wideArea(in))
	c.dropSelectors()
	if sse {
		p.MXCSR = mxcsr
		p.setXMM(b[:], c.xmmCount())
	}
	return c.calm()
}
