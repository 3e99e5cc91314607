package gen

import (
	"math/rand/v2"
	"sync"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/diff"
)

// Sequence makes loops of 2 to 20 instructions: arithmetic on registers and
// memory, branches forward and one back, stores into the code itself, and
// single steps. What one instruction leaves undefined no other one reads, so that a
// difference is a difference.
type Sequence struct {
	once  sync.Once
	dec   decode.Decoder
	world *diff.World
	// forms that a sequence is made of, by mode.
	forms map[decode.Mode][]decode.Form
}

// NewSequence makes the generator.
func NewSequence() *Sequence {
	model, ok := cpu.ModelByName("max")
	world, err := diff.WorldByName("user")
	if err != nil || !ok {
		panic("BUG: no user world, or no model max")
	}
	return &Sequence{dec: decode.Decoder{Features: model.Features}, world: world}
}

// Name is "seq".
func (g *Sequence) Name() string { return "seq" }

// About is one line about the cases.
func (g *Sequence) About() string {
	return "2 to 20 instructions at CPL 3: branches, a loop, self-modifying stores, single steps"
}

// Of the operations that are on registers and memory alone, those that leave
// every flag defined; and those after which the flags are set anew.
var (
	plainOps = []decode.Op{
		decode.ADD, decode.ADC, decode.SUB, decode.SBB, decode.CMP, decode.INC, decode.DEC, decode.NEG, decode.NOT,
		decode.MOV, decode.MOVZX, decode.MOVSX, decode.MOVSXD, decode.LEA, decode.XCHG, decode.CMPXCHG, decode.XADD, decode.MOVBE,
		decode.POPCNT, decode.CRC32, decode.ADCX, decode.ADOX, decode.CBW, decode.CWDE, decode.CDQE, decode.CWD, decode.CDQ, decode.CQO,
		decode.STC, decode.CLC, decode.CMC, decode.SAHF, decode.NOP, decode.BSWAP, decode.PUSH, decode.POP,
		decode.CMOVA, decode.CMOVAE, decode.CMOVB, decode.CMOVBE, decode.CMOVE, decode.CMOVG, decode.CMOVGE, decode.CMOVL,
		decode.CMOVLE, decode.CMOVNE, decode.CMOVNO, decode.CMOVNP, decode.CMOVNS, decode.CMOVO, decode.CMOVP, decode.CMOVS,
		decode.SETA, decode.SETAE, decode.SETB, decode.SETBE, decode.SETE, decode.SETG, decode.SETGE, decode.SETL,
		decode.SETLE, decode.SETNE, decode.SETNO, decode.SETNP, decode.SETNS, decode.SETO, decode.SETP, decode.SETS,
	}
	sloppyOps = []decode.Op{
		decode.AND, decode.OR, decode.XOR, decode.TEST, decode.MUL, decode.IMUL,
		decode.SHL, decode.SHR, decode.SAR, decode.ROL, decode.ROR, decode.RCL, decode.RCR,
		decode.BT, decode.BTS, decode.BTR, decode.BTC, decode.LZCNT,
	}
)

func (g *Sequence) prepare() {
	wanted := map[decode.Op]bool{}
	for _, ops := range [][]decode.Op{plainOps, sloppyOps} {
		for _, op := range ops {
			wanted[op] = true
		}
	}
	g.forms = map[decode.Mode][]decode.Form{}
	for _, f := range allForms() {
		switch f.Op {
		case decode.POPCNT, decode.CRC32, decode.ADOX, decode.LZCNT: // which have F2 or F3
		case decode.NOP:
			if f.Opcode == 0x0d { // #UD on AMD's
				continue
			}
			fallthrough
		default:
			if !wanted[f.Op] || f.Prefix&(decode.PrefixRep|decode.PrefixRepne|decode.PrefixLock) != 0 {
				continue
			}
		}
		g.forms[f.Mode] = append(g.forms[f.Mode], f)
	}
}

// program is a sequence that is being made.
type program struct {
	*Sequence
	r      *rand.Rand
	c      *diff.Case
	mode   decode.Mode
	code   []byte
	starts []int // of instructions
	// branches forward: where the displacement's byte is, and the instruction it goes to.
	branches []branch
	soft     []soft
	stores   []int // where stores into the code have their displacement and value
}

type branch struct{ at, to int }

// soft is a byte of the code that a store may change, and what to.
type soft struct {
	at int
	to byte
}

// Registers by their part: the loop's counter, the stack, pointers into data,
// small numbers; the others hold anything. Pointers and small numbers are written
// to now and then.
const counter = 7

func pointerRegister(n uint8) bool { return n == 3 || n == 5 || n == 6 || n == 12 || n == 14 }
func smallRegister(n uint8) bool   { return n == 1 || n == 2 || n == 13 }

// Make makes a case.
func (g *Sequence) Make(c *diff.Case, seed, n uint64) {
	g.once.Do(g.prepare)
	r := diff.Rand(seed, n)
	p := program{Sequence: g, r: r, c: c, mode: pick(r, decode.Mode64, decode.Mode64, decode.Mode32, decode.Mode16)}
	c.Kind, c.World = diff.Sequence, g.world.Name
	p.begin()
	for range 1 + r.IntN(9) {
		p.step()
	}
	p.loop()
	p.link()
	c.Code = p.code
	c.Rule = [...]string{"16", "32", "64"}[p.mode>>5]
	if len(p.stores) > 0 {
		c.Rule += ".smc"
	}
	if c.Regs.RFLAGS&flagTF != 0 {
		c.Rule += ".tf"
	}
}

// begin chooses segments and registers.
func (p *program) begin() {
	r, regs := p.r, &p.c.Regs
	*regs = diff.Regs{RFLAGS: flags(r) &^ (flagDF | flagAC), Seg: [6]uint16{diff.UserDS, diff.UserCS64, diff.UserDS, diff.UserDS}}
	switch p.mode {
	case decode.Mode32:
		regs.Seg[decode.CS] = pick(r, diff.UserCS32, ldt(16))
	case decode.Mode16:
		regs.Seg[decode.CS] = ldt(2)
	}
	for i := range regs.GPR {
		n := uint8(i)
		switch {
		case i == counter:
			regs.GPR[i] = 1 + r.Uint64()%5
		case i == 4:
			regs.GPR[i] = diff.UserData + 0x400 + uint64(r.IntN(0x180))*8
		case pointerRegister(n) && once(r, 40):
			regs.GPR[i] = target(r, 8)
		case pointerRegister(n):
			regs.GPR[i] = diff.UserData + 0x300 + uint64(r.IntN(0x1800))
		case smallRegister(n):
			regs.GPR[i] = uint64(r.IntN(80))
		default:
			regs.GPR[i] = value(r)
		}
		if p.mode != decode.Mode64 {
			if regs.GPR[i] &= 0xffffffff; i >= 8 {
				regs.GPR[i] = 0
			}
		}
	}
	if once(r, 8) {
		regs.RFLAGS |= flagTF
	}
	at := uint64(0x800)
	if once(r, 6) {
		at = diff.PageSize - uint64(r.IntN(60)) // across two pages
	}
	regs.RIP = diff.UserCode + at - base(regs, decode.CS, p.mode)
}

// step adds an instruction, or two that belong together.
func (p *program) step() {
	r := p.r
	switch {
	case once(r, 5):
		p.starts = append(p.starts, len(p.code))
		p.branches = append(p.branches, branch{len(p.code) + 1, len(p.starts) + r.IntN(4)})
		p.code = append(p.code, 0x70|byte(r.IntN(16)), 0)
	case once(r, 6) && p.mode != decode.Mode16:
		// MOV BYTE [code], value: place and value are found at the end.
		p.starts = append(p.starts, len(p.code))
		p.code = append(p.code, 0xc6, 0x05, 0, 0, 0, 0, 0)
		p.stores = append(p.stores, len(p.code)-5)
	default:
		f := &p.forms[p.mode][r.IntN(len(p.forms[p.mode]))]
		for !p.instruction(f) {
			f = &p.forms[p.mode][r.IntN(len(p.forms[p.mode]))]
		}
	}
}

// instruction adds one of a form, unless it would write where it must not.
func (p *program) instruction(f *decode.Form) bool {
	e := encode(p.r, f)
	var in decode.Inst
	if p.dec.Decode(&in, e.code, p.mode) != decode.OK || in.Op != f.Op || in.Props&decode.EndsBlock != 0 {
		return false
	}
	sloppy := false
	for _, op := range sloppyOps {
		sloppy = sloppy || op == in.Op
	}
	for i, a := range in.Args[:in.NArgs] {
		switch {
		case a.Kind == decode.ArgReg && !p.mayWrite(&in, i, a), a.Kind == decode.ArgSeg:
			return false
		case a.Kind == decode.ArgMem && in.Op != decode.LEA && in.Op != decode.NOP && !p.reaches(&in):
			return false
		}
	}
	// A bit offset in a register reaches anywhere.
	if in.Op == decode.BSWAP && in.OpSize == 2 || (in.Op == decode.PUSH || in.Op == decode.POP) && in.OpSize == 2 && p.mode != decode.Mode16 {
		return false
	}
	code := e.code[:in.Len]
	p.starts = append(p.starts, len(p.code))
	if last := in.Args[max(int(in.NArgs)-1, 0)]; last.Kind == decode.ArgImm && !sloppy {
		p.soft = append(p.soft, soft{len(p.code) + len(code) - 1, byte(edge(p.r))})
	}
	p.code = append(p.code, code...)
	if sloppy {
		// ADD of a register that holds anything sets all flags anew.
		p.code = append(p.code, 0x01, 0xc0|byte(p.r.IntN(8))<<3)
	}
	return true
}

// mayWrite tells whether register operand i may be what it is.
func (p *program) mayWrite(in *decode.Inst, i int, a decode.Arg) bool {
	if a.High && a.Num < 4 || a.Size == 1 && a.Num < 4 {
		return true
	}
	written := i == 0 || in.Op == decode.XCHG || in.Op == decode.XADD
	switch in.Op {
	case decode.CMP, decode.TEST, decode.BT, decode.PUSH, decode.MUL:
		written = false
	}
	switch {
	case !written:
		return true
	case a.Num == counter || a.Num == 4:
		return false
	case pointerRegister(a.Num) || smallRegister(a.Num):
		return once(p.r, 10)
	}
	return true
}

// reaches tells whether a memory operand is likely to be in the data pages.
func (p *program) reaches(in *decode.Inst) bool {
	if in.Prefix&decode.PrefixSeg != 0 && in.Seg != decode.DS && in.Seg != decode.ES && in.Seg != decode.SS || in.AddrSize == 2 ||
		in.Base > 15 || !pointerRegister(in.Base) && in.Base != 4 {
		return false
	}
	switch in.Op {
	case decode.BT, decode.BTS, decode.BTR, decode.BTC:
		if a := in.Args[1]; a.Kind == decode.ArgReg && !smallRegister(a.Num) {
			return false
		}
	}
	return in.Index == decode.NoReg || smallRegister(in.Index)
}

// loop adds the branch back, if it is not too far.
func (p *program) loop() {
	p.starts = append(p.starts, len(p.code))
	if p.mode == decode.Mode64 {
		p.code = append(p.code, 0x48, 0xff, 0xcf) // DEC RDI
	} else {
		p.code = append(p.code, 0x4f) // DEC rDI
	}
	if back := -(len(p.code) + 2); back >= -128 {
		p.code = append(p.code, 0x75, byte(back))
	}
}

// link gives branches and stores their targets.
func (p *program) link() {
	for _, b := range p.branches {
		to := p.starts[min(b.to, len(p.starts)-1)]
		if d := to - b.at - 1; d < 128 {
			p.code[b.at] = byte(d)
		}
	}
	start := p.c.Regs.RIP
	for _, at := range p.stores {
		s := soft{at: at + 4, to: byte(p.r.Uint32())} // its own value, by default
		if len(p.soft) > 0 {
			s = p.soft[p.r.IntN(len(p.soft))]
		}
		place := uint32(s.at) - uint32(at+5) // from the next instruction
		if p.mode == decode.Mode32 {
			place = uint32(start) + uint32(s.at)
		}
		for i := range 4 {
			p.code[at+i] = byte(place >> (8 * i))
		}
		p.code[at+4] = s.to
	}
}
