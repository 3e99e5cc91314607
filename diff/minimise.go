package diff

import (
	"context"
	"fmt"
	"slices"

	"x86emu/decode"
	"x86emu/idt"
)

// maxRounds bounds how often the oracles are asked while a case is minimised.
const maxRounds = 40

// Minimise makes a case smaller as long as a reference and another oracle differ
// in a way that nothing explains: fewer instructions, registers that are zero or
// what the world has, fewer and shorter patches. It is deterministic. Each
// round asks both oracles all ways to make the case smaller at once, then all
// that have kept the difference together.
func Minimise(ctx context.Context, c *Case, rows []Row, ref, other Oracle) (*Case, error) {
	m := &minimiser{ctx: ctx, rows: rows, ref: ref, other: other}
	bad, err := m.diverge([]*Case{c})
	if err != nil {
		return nil, err
	}
	if len(bad) != 1 || !bad[0] {
		return nil, fmt.Errorf("case %s: asked alone, %s and %s do not differ", c.ID, ref.Name(), other.Name())
	}
	for m.rounds < maxRounds {
		smaller, err := m.round(c)
		if err != nil {
			return nil, err
		}
		if smaller == nil {
			break
		}
		c = smaller
	}
	return c, nil
}

type minimiser struct {
	ctx        context.Context
	rows       []Row
	ref, other Oracle
	rounds     int
}

// cut is a way to make a case smaller. It changes the case that it is given, a
// copy, and returns false if there is nothing to gain.
type cut func(c *Case, w *World) bool

// round finds the cuts that keep the difference, and takes as many of them
// together as still do. It returns nil if there are none.
func (m *minimiser) round(c *Case) (*Case, error) {
	w, err := WorldByName(c.World)
	if err != nil {
		return nil, err
	}
	all := cuts(c)
	var kept []cut
	var tries []*Case
	var of []cut
	for _, f := range all {
		if d := c.clone(); f(d, w) {
			tries, of = append(tries, d), append(of, f)
		}
	}
	bad, err := m.diverge(tries)
	if err != nil {
		return nil, err
	}
	var best *Case
	for i := range tries {
		if bad[i] {
			kept = append(kept, of[i])
			if best == nil {
				best = tries[i]
			}
		}
	}
	if len(kept) < 2 {
		return best, nil
	}
	// All together, or a half of them, or a quarter, from either end.
	var together []*Case
	for n := len(kept); n > 1; n /= 2 {
		for _, some := range [][]cut{kept[:n], kept[len(kept)-n:]} {
			d := c.clone()
			for _, f := range slices.Backward(some) { // what is later in a case goes first: indices stay good
				f(d, w)
			}
			together = append(together, d)
		}
	}
	bad, err = m.diverge(together)
	if err != nil {
		return nil, err
	}
	if i := slices.Index(bad, true); i >= 0 {
		return together[i], nil
	}
	return best, nil
}

// diverge tells which cases the oracles differ in.
func (m *minimiser) diverge(cases []*Case) ([]bool, error) {
	m.rounds++
	a, b := make([]Result, len(cases)), make([]Result, len(cases))
	if len(cases) == 0 {
		return nil, nil
	}
	if err := m.ref.Run(m.ctx, cases, a); err != nil {
		return nil, fmt.Errorf("%s: %w", m.ref.Name(), err)
	}
	if err := m.other.Run(m.ctx, cases, b); err != nil {
		return nil, fmt.Errorf("%s: %w", m.other.Name(), err)
	}
	out := make([]bool, len(cases))
	for i, c := range cases {
		v, _, _, err := Judge(c, m.rows, m.ref, m.other, &a[i], &b[i])
		if err != nil {
			return nil, err
		}
		out[i] = v == Unexplained
	}
	return out, nil
}

// clone is a copy that shares nothing that a cut changes.
func (c *Case) clone() *Case {
	d := *c
	d.Code = slices.Clone(c.Code)
	d.Patches = slices.Clone(c.Patches)
	return &d
}

// cuts are all ways to make a case smaller that come to mind.
func cuts(c *Case) []cut {
	var out []cut
	// What the code of a machine's case does is told beside it as well, for who decodes
	// nothing: code, the registers that it uses and its operand stay.
	told := c.Access != nil || c.Event != nil
	if !told {
		out = append(out, codeCuts(c)...)
	}
	for i, p := range c.Patches {
		if !told || !isOperand(c, p) {
			out = append(out, patchCuts(i, p.At, len(p.Bytes))...)
		}
	}
	for i := range c.Regs.GPR {
		if !told {
			out = append(out, func(c *Case, w *World) bool { return lower(&c.Regs.GPR[i], w.Regs.GPR[i]) })
		}
	}
	out = append(out, registerCuts...)
	for i := range c.Regs.Seg {
		if decode.SegReg(i) != decode.CS {
			out = append(out, func(c *Case, w *World) bool { return lower(&c.Regs.Seg[i], w.Regs.Seg[i]) })
		}
	}
	for i := range c.Regs.DR {
		out = append(out, func(c *Case, w *World) bool { return lower(&c.Regs.DR[i], w.Regs.DR[i]) })
	}
	for bit := uint64(1); bit <= idt.FlagID; bit <<= 1 {
		out = append(out, func(c *Case, w *World) bool {
			return lower(&c.Regs.RFLAGS, c.Regs.RFLAGS&^bit|w.Regs.RFLAGS&bit)
		})
	}
	return out
}

// registerCuts give a register what the world has.
var registerCuts = []cut{
	func(c *Case, w *World) bool { return lower(&c.Regs.RIP, w.Regs.RIP) },
	func(c *Case, w *World) bool { return lower(&c.Regs.RFLAGS, w.Regs.RFLAGS) },
	func(c *Case, w *World) bool { return lower(&c.Regs.FSBase, w.Regs.FSBase) },
	func(c *Case, w *World) bool { return lower(&c.Regs.GSBase, w.Regs.GSBase) },
	func(c *Case, w *World) bool { return lower(&c.Regs.CR0, w.Regs.CR0) },
	func(c *Case, w *World) bool { return lower(&c.Regs.CR2, w.Regs.CR2) },
	func(c *Case, w *World) bool { return lower(&c.Regs.CR3, w.Regs.CR3) },
	func(c *Case, w *World) bool { return lower(&c.Regs.CR4, w.Regs.CR4) },
	func(c *Case, w *World) bool { return lower(&c.Regs.EFER, w.Regs.EFER) },
	func(c *Case, w *World) bool { return lower(&c.Regs.PKRU, w.Regs.PKRU) },
	func(c *Case, w *World) bool { return lower(&c.Regs.IDTR, w.Regs.IDTR) },
}

// lower gives a register another value, and tells whether it was not there yet.
func lower[T comparable](reg *T, to T) bool {
	changed := *reg != to
	*reg = to
	return changed
}

// isOperand tells whether a patch makes bytes of the first instruction's memory
// operand.
func isOperand(c *Case, p Patch) bool {
	x, err := NewContext(c)
	if err != nil {
		return false
	}
	linear, size, ok := x.Operand()
	at, mapped := x.World.Offset(linear)
	return ok && mapped && p.At < at+Offset(max(size, 16)) && at < p.At+Offset(len(p.Bytes))
}

// codeCuts drop an instruction, or a prefix of the only one.
func codeCuts(c *Case) []cut {
	x, err := NewContext(c)
	if err != nil {
		return nil
	}
	var out []cut
	at := 0
	remove := func(from, n int) {
		out = append(out, func(c *Case, _ *World) bool {
			if from+n > len(c.Code) || len(c.Code) == n {
				return false
			}
			c.Code = slices.Delete(c.Code, from, from+n)
			return true
		})
	}
	for i := range x.Insts {
		n := int(x.Insts[i].Len)
		if len(x.Insts) > 1 {
			remove(at, n)
		}
		at += n
	}
	if tail := len(c.Code) - at; tail > 0 && at > 0 {
		remove(at, tail) // bytes that are no instruction
	}
	for i := 0; len(x.Insts) == 1 && i < int(x.Inst.Len)-1; i++ {
		if !isPrefix(c.Code[i], x.Mode) {
			break
		}
		remove(i, 1)
	}
	return out
}

func isPrefix(b byte, mode decode.Mode) bool {
	switch b {
	case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3:
		return true
	}
	return mode == decode.Mode64 && b&0xf0 == 0x40
}

// patchCuts drop patch i, or a half of it, or one of its words.
func patchCuts(i int, at Offset, size int) []cut {
	// find: other cuts may have moved it.
	find := func(c *Case) int {
		return slices.IndexFunc(c.Patches, func(p Patch) bool { return p.At == at && len(p.Bytes) == size })
	}
	out := []cut{func(c *Case, _ *World) bool {
		j := find(c)
		if j < 0 {
			return false
		}
		c.Patches = slices.Delete(c.Patches, j, j+1)
		return true
	}}
	if size <= 8 {
		return out
	}
	for _, keep := range [][2]int{{0, size / 2}, {size / 2, size}} {
		out = append(out, func(c *Case, _ *World) bool {
			j := find(c)
			if j < 0 {
				return false
			}
			c.Patches[j] = Patch{at + Offset(keep[0]), c.Patches[j].Bytes[keep[0]:keep[1]]}
			return true
		})
	}
	return out
}
