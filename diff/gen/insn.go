package gen

import (
	"math/rand/v2"
	"sync"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/diff"
)

// Insn makes single instructions: every form that the decoder knows and the
// processor executes, one after the other, so that as many cases as there are
// forms have each of them once.
type Insn struct {
	once   sync.Once
	forms  []decode.Form
	names  []string
	stride uint64
	dec    decode.Decoder
	world  *diff.World
	float  bool // the forms of x87, MMX and SSE, else all others
}

// NewInsn makes the generator for the forms of the processor model "max", but
// those of the x87, MMX and SSE.
func NewInsn() *Insn { return newInsn(false) }

// NewFloat makes the generator for the forms of the x87, MMX and SSE.
func NewFloat() *Insn { return newInsn(true) }

func newInsn(float bool) *Insn {
	model, ok := cpu.ModelByName("max")
	world, err := diff.WorldByName("user")
	if err != nil || !ok {
		panic("BUG: no user world, or no model max")
	}
	return &Insn{dec: decode.Decoder{Features: model.Features}, world: world, float: float}
}

// allForms are the forms of "max", listed once, when a case is first asked for: that
// takes some tenths of a second.
var allForms = sync.OnceValue(func() []decode.Form {
	model, _ := cpu.ModelByName("max")
	return decode.Forms(model.Features)
})

// prepare picks the forms that are executed.
func (g *Insn) prepare() {
	for _, f := range allForms() {
		if cpu.Executes(f.Op) && !hostState[f.Op] && g.isFloat(&f) == g.float {
			g.forms = append(g.forms, f)
			g.names = append(g.names, f.String())
		}
	}
	// They come in an order that has every mode and map early: steps of any size that
	// has no factor in common with their number.
	n := uint64(len(g.forms))
	for g.stride = n*5/8 | 1; gcd(g.stride, n) != 1; g.stride += 2 {
	}
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Name is "insn" or "float".
func (g *Insn) Name() string {
	if g.float {
		return "float"
	}
	return "insn"
}

// About is one line about the cases.
func (g *Insn) About() string {
	if g.float {
		return "x87, MMX and SSE at CPL 3: every form, rounding, masks, denormals and NaNs, full and empty stacks"
	}
	return "single instructions at CPL 3: every form, mode and prefix, at edges and faults"
}

// Rules are the names of all forms, which are the rules of the cases.
func (g *Insn) Rules() []string {
	g.once.Do(g.prepare)
	return g.names
}

// Make makes a case of the form whose turn it is.
func (g *Insn) Make(c *diff.Case, seed, n uint64) {
	g.once.Do(g.prepare)
	r := diff.Rand(seed, n)
	i := (n*g.stride + seed) % uint64(len(g.forms))
	c.Kind, c.World, c.Rule = diff.Insn, g.world.Name, g.names[i]
	m := maker{Insn: g, r: r, c: c, f: &g.forms[i]}
	for !m.make() {
	}
}

// maker makes one case.
type maker struct {
	*Insn
	r  *rand.Rand
	c  *diff.Case
	f  *decode.Form
	e  encoding
	in decode.Inst
}

// make tries. It fails where a field at random, such as the number of a control
// register, gives an instruction of another form.
func (m *maker) make() bool {
	r, regs := m.r, &m.c.Regs
	m.e = encode(r, m.f)
	if m.dec.Decode(&m.in, m.e.code, m.f.Mode) != decode.OK || m.in.Op != m.f.Op {
		return false
	}
	m.e.limit = int(m.in.Len)
	m.state()
	m.aimRegister(4, decode.SS, 64)
	m.registers()
	m.aim()
	m.memory()
	m.narrow()
	if m.in.Props&decode.EndsBlock != 0 || once(r, 2) {
		regs.RFLAGS |= flagTF
	}
	if m.float {
		m.floats()
	}
	m.c.Code = m.e.code[:m.e.limit:m.e.limit]
	return true
}

// state chooses the registers and the place of the instruction.
func (m *maker) state() {
	r, regs := m.r, &m.c.Regs
	*regs = diff.Regs{RFLAGS: flags(r)}
	m.c.Patches = nil
	segments(r, regs, m.f.Mode, m.in.AddrSize == 2)
	for i := range regs.GPR {
		if regs.GPR[i] = value(r); once(r, 3) {
			regs.GPR[i] = r.Uint64() // low halves of pointers would be frequent otherwise
		}
	}
	m.narrow()
	m.place()
}

// narrow leaves the registers what they are outside 64-bit mode.
func (m *maker) narrow() {
	if m.f.Mode == decode.Mode64 {
		return
	}
	for i := range m.c.Regs.GPR {
		if m.c.Regs.GPR[i] &= 0xffffffff; i >= 8 {
			m.c.Regs.GPR[i] = 0
		}
	}
}

// place chooses where the instruction stands: in the middle of a page, at its end,
// across two, or cut off by one that is missing.
func (m *maker) place() {
	const page = diff.PageSize
	at := uint64(0x800)
	switch sel := m.c.Regs.Seg[decode.CS]; {
	case sel == ldt(13) || sel == ldt(15): // which end at 81FH
		at += uint64(m.r.IntN(32))
	case once(m.r, 24):
		at = page - uint64(m.r.IntN(m.e.limit+1))
	case once(m.r, 24):
		at = diff.UserCodePages*page - uint64(m.e.limit) + uint64(m.r.IntN(m.e.limit))*uint64(m.r.IntN(2))
	}
	m.c.Regs.RIP = diff.UserCode + at - base(&m.c.Regs, decode.CS, m.f.Mode)
}

// offset is where in a segment a linear address lies, now and then somewhere at
// the segment's limit instead.
func (m *maker) offset(linear uint64, s decode.SegReg, size int) uint64 {
	if m.f.Mode != decode.Mode64 && once(m.r, 10) {
		return limitEdge(m.r, m.c.Regs.Seg[s], size)
	}
	return linear - base(&m.c.Regs, s, m.f.Mode)
}

// aimRegister points a register at memory.
func (m *maker) aimRegister(reg uint8, s decode.SegReg, size int) {
	linear := target(m.r, size)
	if !once(m.r, 4) {
		linear = diff.UserData + 0x200 + uint64(m.r.IntN(0x180))*8
	}
	m.c.Regs.GPR[reg] = m.offset(linear, s, size)
	if m.f.Mode == decode.Mode16 && once(m.r, 8) {
		m.c.Regs.GPR[reg] |= 0xabcd0000 // which 16-bit addresses and stacks ignore
	}
}

// aim chooses an address for the memory operand, and makes a register or the
// displacement such that it comes out.
func (m *maker) aim() {
	in, g := &m.in, &m.c.Regs.GPR
	for _, a := range in.Args[:in.NArgs] {
		size := max(int(a.Size), 1)
		switch {
		case a.Kind == decode.ArgStr && a.Num == 7:
			g[7] = m.offset(target(m.r, 8), decode.ES, size)
		case a.Kind == decode.ArgStr:
			g[a.Num] = m.offset(target(m.r, 8), in.Seg, size)
		case a.Kind == decode.ArgMem:
			m.aimOperand(m.offset(target(m.r, size), in.Seg, size))
		}
	}
}

// aimOperand makes the memory operand's offset come out.
func (m *maker) aimOperand(offset uint64) {
	in, g := &m.in, &m.c.Regs.GPR
	rest := uint64(in.Disp)
	if in.Index != decode.NoReg && in.Index != in.Base {
		if once(m.r, 2) {
			g[in.Index] = uint64(m.r.IntN(256)) - 128
		}
		if in.Base == decode.NoReg {
			g[in.Index] = (offset - rest) >> in.Scale
			return
		}
		rest += g[in.Index] << in.Scale
	}
	switch {
	case in.Base < decode.RegRIP:
		g[in.Base] = offset - rest
	case in.Base == decode.RegRIP:
		m.e.put(m.e.disp, 4, offset-m.c.Regs.RIP-uint64(in.Len))
	case m.e.dispSize > 0:
		m.e.put(m.e.disp, m.e.dispSize, offset)
	case !in.HasModRM: // an address in the place of an immediate
		m.e.put(m.e.limit-int(in.AddrSize), int(in.AddrSize), offset)
	}
	m.dec.Decode(in, m.e.code, m.f.Mode)
}

// poke puts numbers of so many bytes each into memory, where there is some.
func (m *maker) poke(linear uint64, size int, values ...uint64) {
	b := make([]byte, 0, len(values)*size)
	for _, v := range values {
		for i := range size {
			b = append(b, byte(v>>(8*i)))
		}
	}
	at, ok := m.world.Offset(linear)
	end, whole := m.world.Offset(linear + uint64(len(b)) - 1)
	if ok && whole && int(end-at) == len(b)-1 {
		m.c.Patches = append(m.c.Patches, diff.Patch{At: at, Bytes: b})
	}
}

// operand is the linear address of the memory operand; ok is false if it has none.
func (m *maker) operand() (linear uint64, ok bool) {
	x := diff.Context{Case: m.c, World: m.world, Mode: m.f.Mode, Inst: m.in, Status: decode.OK}
	linear, _, ok = x.Operand()
	return linear, ok
}

// stack is the linear address of the top of the stack.
func (m *maker) stack() uint64 {
	ss := m.c.Regs.Seg[decode.SS]
	sp := m.c.Regs.GPR[4]
	if m.f.Mode == decode.Mode64 {
		return sp
	}
	if diff.UserSegment(ss)>>54&1 == 0 {
		sp &= 0xffff
	}
	return base(&m.c.Regs, decode.SS, m.f.Mode) + sp&0xffffffff
}
