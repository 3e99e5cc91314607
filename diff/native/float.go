package native

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"x86emu/decode"
	"x86emu/diff"
	"x86emu/idt"
)

// The rows about x87, MMX and SSE.
func init() { Known = append(Known, floatKnown...) }

var floatKnown = []diff.Row{
	{
		Name: "AMD: RCPPS, RSQRTPS and their scalars by a table of its own", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, RCPPS; RSQRTPS: The relative error for this approximation is: |Relative Error| <= 1.5 * 2^-12",
		Predict: approximation,
	},
	{
		Name: "AMD: a comparison with an unmasked invalid operand sets its flags", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, FCOM/FCOMP/FCOMPP: if an unmasked invalid-arithmetic-operand exception is generated the condition code flags are not set",
		Predict: comparedAnyway,
	},
	{
		Name: "AMD: FCOMI and FUCOMI leave C1", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, FCOMI/FCOMIP/FUCOMI/FUCOMIP: C1 is set to 0",
		Predict: keptC1,
	},
	{
		Name: "AMD: FLD pushes an unmasked denormal", Oracles: silicon, Version: amd,
		Cite:    "SDM 1, Denormal Operand Exception (#D): the top-of-stack pointer and source operands remain unchanged",
		Predict: pushedDenormal,
	},
	{
		Name: "AMD: MXCSR has bit 17", Oracles: silicon, Version: amd,
		Cite:    "SDM 1, MXCSR Control and Status Register: bits 16 through 31 are reserved; APM 1: MM, misaligned exception mask",
		Predict: misalignedMask,
	},
	{
		Name: "AMD: FXSAVE and FXRSTOR at a wrong address are #AC where it is armed", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, FXSAVE: whether #AC or #GP is delivered for memory that is not aligned depends on the implementation",
		Predict: misalignedArea,
	},
	{
		Name: "AMD: SHA instructions take operands at any address", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, SHA1RNDS4 and kin: exceptions type 4: legacy SSE memory operands must be aligned",
		Predict: unalignedSHA,
	},
	{
		Name: "AMD: FNSAVE and FNSTENV write up to the segment's limit", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, FSAVE/FNSAVE; FSTENV/FNSTENV: #GP(0) or #SS(0) if a memory operand effective address is outside the segment limit; faults leave memory alone",
		Predict: savedUpToLimit,
	},
	{
		Name: "AMD: MASKMOVQ and MASKMOVDQU fault on the first byte of all, and turn to MMX before", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, MASKMOVQ; MASKMOVDQU: the exceptions of bytes that are not stored, and of a mask of zeros, are implementation dependent",
		Predict: maskedStore,
	},
}

// executed tells whether the instruction came to its end.
func executed(x *diff.Context, r *diff.Result) bool {
	return x.Status == decode.OK && r.End == diff.Trapped && r.Regs.RIP != x.Case.Regs.RIP
}

// tables holds AMD's approximations on Zen 4: for each of the first 12 bits of the
// fraction the result, of reciprocals, of reciprocal roots of
// [1, 2) and of [2, 4). They are constant within.
//
//go:embed approximations.bin.gz
var packedTables []byte

var tables = sync.OnceValue(func() (t [3][4096]uint32) {
	z, err := gzip.NewReader(bytes.NewReader(packedTables))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	b, err := io.ReadAll(z)
	if err != nil || len(b) != len(t)*len(t[0])*4 {
		panic("BUG: the tables of approximations are damaged")
	}
	for i := range t {
		for j := range t[i] {
			t[i][j] = binary.LittleEndian.Uint32(b[4*(i*4096+j):])
		}
	}
	return t
})

// approximate is AMD's approximation of a normal number, by what is ours: the
// powers of two are the same, and so is all that is not normal.
func approximate(v, ours uint32, root bool) uint32 {
	exp := int32(v >> 23 & 0xff)
	if exp == 0 || exp == 255 || ours&0x7fffffff == 0 || root && v>>31 != 0 {
		return ours
	}
	i := v >> 11 & 0xfff
	if !root {
		e := tables()[0][i]
		return v&0x80000000 | e - uint32(exp-127)<<23
	}
	table := tables()[1]
	half := exp - 127
	if half&1 != 0 {
		table = tables()[2]
		half--
	}
	return table[i] - uint32(half/2)<<23
}

func approximation(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	root, lanes := false, 4
	switch in.Op {
	case decode.RCPPS:
	case decode.RCPSS:
		lanes = 1
	case decode.RSQRTPS:
		root = true
	case decode.RSQRTSS:
		root, lanes = true, 1
	default:
		return false
	}
	if !executed(x, r) {
		return false
	}
	var src [2]uint64
	if a := in.Args[1]; a.Kind == decode.ArgXMM {
		src = x.Case.Regs.Float.XMM[a.Num&15]
	} else {
		linear, size, _ := x.Operand()
		for i := range size {
			at, ok := x.World.Offset(linear + uint64(i))
			if !ok {
				return false
			}
			src[i/8] |= x.Start(at&^7) >> (at % 8 * 8) & 0xff << (i % 8 * 8)
		}
	}
	dst := &r.Regs.Float.XMM[in.Args[0].Num&15]
	for i := range lanes {
		sh := 32 * (i & 1)
		ours := uint32(dst[i>>1] >> sh)
		theirs := approximate(uint32(src[i>>1]>>sh), ours, root)
		dst[i>>1] = dst[i>>1]&^(0xffffffff<<sh) | uint64(theirs)<<sh
	}
	return true
}

const (
	invalid = 1 << 0 // of the x87's control and status words
	denorm  = 1 << 1
	c1      = 1 << 9
	c320    = 0x4500
)

// raised tells whether the instruction raised an exception of the x87 that is not masked.
func raised(x *diff.Context, r *diff.Result, bit uint16) bool {
	f := &r.Regs.Float
	return executed(x, r) && f.SW&bit != 0 && f.CW&bit == 0
}

func comparedAnyway(x *diff.Context, r *diff.Result) bool {
	if !raised(x, r, invalid) {
		return false
	}
	switch x.Inst.Op {
	case decode.FCOM, decode.FCOMP, decode.FCOMPP, decode.FUCOM, decode.FUCOMP, decode.FUCOMPP, decode.FICOM, decode.FICOMP, decode.FTST:
		r.Regs.Float.SW |= c320
	case decode.FCOMI, decode.FCOMIP, decode.FUCOMI, decode.FUCOMIP:
		r.Regs.RFLAGS = r.Regs.RFLAGS&^0x8d5 | 0x45
	default:
		return false
	}
	return true
}

func keptC1(x *diff.Context, r *diff.Result) bool {
	switch x.Inst.Op {
	case decode.FCOMI, decode.FCOMIP, decode.FUCOMI, decode.FUCOMIP:
	default:
		return false
	}
	r.Regs.Float.SW = r.Regs.Float.SW&^c1 | x.Case.Regs.Float.SW&c1
	return executed(x, r)
}

func pushedDenormal(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Op != decode.FLD || !raised(x, r, denorm) {
		return false
	}
	cw := r.Regs.Float.CW
	if !asIf(x, r, func(c *diff.Case) { c.Regs.Float.CW |= denorm }) {
		return false
	}
	r.Regs.Float.CW = cw
	r.Regs.Float.SW |= 0x8080
	return true
}

func misalignedMask(x *diff.Context, r *diff.Result) bool {
	switch x.Inst.Op {
	case decode.FXSAVE, decode.FXSAVE64:
		if !executed(x, r) {
			return false
		}
		linear, _, _ := x.Operand()
		x.SetLinear(r, linear+28, 4, 0x2ffff)
		return true
	case decode.LDMXCSR:
		linear, _, _ := x.Operand()
		at, ok := x.World.Offset(linear + 2)
		if !ok || r.Vector != 13 || executed(x, r) {
			return false
		}
		// As if bit 17, bit 1 of the third byte, were clear in memory.
		third := byte(x.Start(at&^7) >> (at % 8 * 8))
		if third&2 == 0 || !asIf(x, r, func(c *diff.Case) {
			c.Patches = append(slices.Clone(c.Patches), diff.Patch{At: at, Bytes: []byte{third &^ 2}})
		}) {
			return false
		}
		r.Mem = nil
		r.Regs.Float.MXCSR |= 1 << 17
		return true
	}
	return false
}

func misalignedArea(x *diff.Context, r *diff.Result) bool {
	switch x.Inst.Op {
	case decode.FXSAVE, decode.FXSAVE64, decode.FXRSTOR, decode.FXRSTOR64:
	default:
		return false
	}
	if x.Case.Regs.RFLAGS&flagAC == 0 || r.Vector != 13 || executed(x, r) {
		return false
	}
	r.Vector = 17
	return true
}

func unalignedSHA(x *diff.Context, r *diff.Result) bool {
	switch x.Inst.Op {
	case decode.SHA1MSG1, decode.SHA1MSG2, decode.SHA1NEXTE, decode.SHA1RNDS4, decode.SHA256MSG1, decode.SHA256MSG2, decode.SHA256RNDS2:
	default:
		return false
	}
	if r.Vector != 13 || executed(x, r) {
		return false
	}
	linear, _, _ := x.Operand()
	if linear%16 == 0 {
		return false
	}
	at := opcodeAt(x)
	modrm := at + 3
	const pad = 0x3e // a segment prefix where none matters keeps a length, which addresses beside RIP count on
	// Where memory is missing, MOVUPS faults alike.
	read := *x.Case
	answers := make([]diff.Result, 1)
	read.Code = append(append(slices.Clone(x.Case.Code[:at]), 0x0f, 0x10), x.Case.Code[modrm:]...)
	if x.Inst.Base == decode.RegRIP {
		shorter := 1
		if x.Inst.Op == decode.SHA1RNDS4 {
			shorter++ // its immediate
		}
		read.Code = append(bytes.Repeat([]byte{pad}, shorter), read.Code...)
	}
	if !emulate(&read, answers) {
		return false
	}
	if !executed(x, &answers[0]) {
		f := r.Regs.Float
		*r = answers[0]
		r.Regs.Float = f
		return true
	}
	// Else the operand might as well be in a register.
	dst := int(x.Inst.Args[0].Num)
	spare := 7 - dst/7%2
	was := x.Case.Regs.Float.XMM[spare]
	operand := [2]uint64{x.AtLinear(nil, linear, 8), x.AtLinear(nil, linear+8, 8)}
	short := 0
	if !asIf(x, r, func(c *diff.Case) {
		tail := len(c.Code)
		if x.Inst.Op == decode.SHA1RNDS4 {
			tail--
		}
		for i := range at {
			if c.Code[i]&0xf0 == 0x40 && x.Mode == decode.Mode64 {
				c.Code[i] &^= 3
			}
		}
		c.Code[modrm] = 0xc0 | c.Code[modrm]&0x38 | uint8(spare)
		short = tail - (modrm + 1)
		c.Code = append(c.Code[:modrm+1], c.Code[tail:]...)
		c.Code = append(bytes.Repeat([]byte{pad}, short), c.Code...)
		c.Regs.Float.XMM[spare] = operand
	}) {
		return false
	}
	r.Regs.Float.XMM[spare] = was
	return true
}

// savedUpToLimit writes the pieces that lie below the limit: words of the environment,
// significands, exponents.
func savedUpToLimit(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	opcode, registers := byte(0xd9), 0
	switch in.Op {
	case decode.FNSTENV:
	case decode.FNSAVE:
		opcode, registers = 0xdd, 8
	default:
		return false
	}
	seg := x.Segment(in.Seg)
	if x.Mode == decode.Mode64 || r.Vector != 12 && r.Vector != 13 || executed(x, r) || seg.Attr&idt.AttrCode != 0 || seg.Attr&idt.AttrWritable == 0 {
		return false
	}
	// The whole image, from a place that can hold it.
	field := int(min(in.OpSize, 4))
	whole := *x.Case
	whole.Regs.Seg[decode.DS], whole.Regs.Seg[decode.CS], whole.Regs.RIP = diff.UserDS, diff.UserCS32, diff.UserCode+0x800
	whole.Code = nil
	if field == 2 {
		whole.Code = append(whole.Code, 0x66)
	}
	whole.Code = append(whole.Code, opcode, 0x35) // [disp32]
	whole.Code = binary.LittleEndian.AppendUint32(whole.Code, diff.UserData)
	image := make([]diff.Result, 1)
	if !emulate(&whole, image) || image[0].Regs.RIP == whole.Regs.RIP {
		return false
	}
	sizes := slices.Repeat([]int{field}, 7)
	for range registers {
		sizes = append(sizes, 8, 2)
	}
	linear, _, _ := x.Operand()
	offset := uint64(uint32(linear - seg.Base))
	mask := uint64(1)<<(8*in.AddrSize) - 1
	from := uint64(diff.UserData)
	for _, size := range sizes {
		if !within(seg, offset, size) {
			break
		}
		x.SetLinear(r, uint64(uint32(seg.Base+offset)), size, x.AtLinear(&image[0], from, size))
		offset, from = (offset+uint64(size))&mask, from+uint64(size)
	}
	return from > diff.UserData
}

// within tells whether a segment's limit lets an operand through.
func within(s idt.Segment, offset uint64, size int) bool {
	last := offset + uint64(size) - 1
	if s.Attr&idt.AttrDown == 0 {
		return last <= uint64(s.Limit)
	}
	top := uint64(0xffff)
	if s.Attr&idt.AttrDB != 0 {
		top = 0xffffffff
	}
	return offset > uint64(s.Limit) && last <= top
}

// maskedStore looks at all bytes as a store without a mask would.
func maskedStore(x *diff.Context, r *diff.Result) bool {
	opcode := byte(0x11) // MOVUPS
	switch x.Inst.Op {
	case decode.MASKMOVDQU:
	case decode.MASKMOVQ:
		opcode = 0x13 // MOVLPS
	default:
		return false
	}
	store := *x.Case
	store.Code = nil
	for _, b := range x.Case.Code[:opcodeAt(x)] {
		switch {
		case b == 0xf2, b == 0xf3, b == 0x66:
		case b&0xf0 == 0x40 && x.Mode == decode.Mode64: // REX: RDI is named without
		default:
			store.Code = append(store.Code, b)
		}
	}
	modrm := byte(0x07) // [rDI]
	if x.Inst.AddrSize == 2 {
		modrm = 0x05
	}
	store.Code = append(store.Code, 0x0f, opcode, modrm)
	base := x.Segment(x.Inst.Seg).Base
	if (base+store.Regs.GPR[7])%8 == 0 {
		store.Regs.RFLAGS &^= flagAC // eight bytes are enough
	}
	answers := make([]diff.Result, 1)
	size := 16
	if x.Inst.Op == decode.MASKMOVQ {
		size = 8
	}
	switch {
	case x.Mode == decode.Mode64 && x.Inst.AddrSize == 8 && x.Inst.Seg >= decode.FS && refused(x.Case.Regs.GPR[7], base, size):
		answers[0] = diff.Result{End: diff.Trapped, Vector: 13, HasError: true, Regs: begin(x)}
		answers[0].Regs.RFLAGS |= flagRF
	case !emulate(&store, answers) || executed(x, &answers[0]):
		return false
	}
	f := x.Case.Regs.Float
	*r = answers[0]
	r.Regs.Float = f
	r.Regs.RFLAGS |= x.Case.Regs.RFLAGS & flagAC
	if x.Inst.Op == decode.MASKMOVQ {
		r.Regs.Float = mmx(f)
	}
	return true
}

// mmx is the state of the units after the change to MMX: the same registers, from
// the physical ones on, all in use.
func mmx(f diff.Float) diff.Float {
	top := int(f.SW >> 11 & 7)
	st := f.ST
	for i, r := range st {
		f.ST[(top+i)&7] = r
	}
	f.SW, f.Tags = f.SW&^0x3800, 0xff
	return f
}
