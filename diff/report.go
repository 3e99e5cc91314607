package diff

import (
	"fmt"
	"io"
	"strings"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Report tells one case and the answers to it: what was asked, what each oracle
// says where they differ, and why the reference faults, if it does. again is the
// command line that asks once more.
func Report(w io.Writer, c *Case, oracles []Oracle, answers []Result, again string) error {
	x, err := NewContext(c)
	if err != nil {
		return err
	}
	r := &reporter{w: w, x: x, oracles: oracles, answers: answers}
	r.printf("case %s  (%s, world %s, cpu %s)\n", c.ID, c.Rule, c.World, c.Model)
	for i, o := range oracles {
		note := ""
		if answers[i].Note != "" {
			note = "  (" + answers[i].Note + ")"
		}
		r.printf("  %-10s %s%s\n", o.Name(), answers[i].Ending(), note)
	}
	r.disassemble()
	r.patches()
	r.states()
	r.memory()
	if err := r.walks(); err != nil {
		return err
	}
	r.printf("again: %s\n", again)
	return r.err
}

type reporter struct {
	w       io.Writer
	x       *Context
	oracles []Oracle
	answers []Result
	err     error
}

func (r *reporter) printf(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, args...)
	}
}

// Ending says how a run ended, in a few words.
func (r *Result) Ending() string {
	switch r.End {
	case Shutdown:
		return "shutdown"
	case Stopped:
		return "stopped"
	case Silent:
		return "no answer"
	}
	s := idt.Vector(r.Vector).String()
	if r.HasError {
		s += fmt.Sprintf("(%#x)", r.Error)
	}
	if r.Vector == vectorPF {
		s += fmt.Sprintf(" CR2 %#x", r.CR2)
	}
	return s
}

// disassemble shows the code as it lies there at the start.
func (r *reporter) disassemble() {
	c, pc := r.x.Case, r.x.Case.Regs.RIP
	r.printf("code, %d bits, at %04x:%x\n", r.x.Mode, c.Regs.Seg[decode.CS], pc)
	at := 0
	for i := range r.x.Insts {
		in := &r.x.Insts[i]
		r.printf("  %x  %-24x %s\n", pc, c.Code[at:at+int(in.Len)], in.Intel(pc))
		at += int(in.Len)
		pc += uint64(in.Len)
	}
	if at < len(c.Code) {
		r.printf("  %x  %x\n", pc, c.Code[at:])
	}
}

// patches shows what the case changes in its world.
func (r *reporter) patches() {
	for _, p := range r.x.Case.Patches {
		b, more := p.Bytes, ""
		if len(b) > 32 {
			b, more = b[:32], fmt.Sprintf("... (%d bytes)", len(p.Bytes))
		}
		r.printf("arena %05x = %x%s\n", p.At, b, more)
	}
}

// states shows the registers before, and after by each oracle, those that an
// oracle has changed or that differ.
func (r *reporter) states() {
	r.printf("%-8s %18s", "", "before")
	for _, o := range r.oracles {
		r.printf(" %18s", o.Name())
	}
	r.printf("\n")
	before := r.x.Case.Regs.list()
	after := make([][]register, len(r.answers))
	for i := range r.answers {
		after[i] = r.answers[i].Regs.list()
	}
	for i, reg := range before {
		show, mark := reg.value != 0 && reg.always, ""
		var first *uint64
		for j := range after {
			if r.answers[j].End == Silent || r.answers[j].End == Shutdown {
				continue
			}
			v := &after[j][i].value
			if *v != reg.value && reg.always {
				show = true
			}
			if first == nil {
				first = v
			} else if *v != *first && r.oracles[j].Answers(r.x.Case)&reg.field != 0 {
				show, mark = true, "  <-"
			}
		}
		if !show {
			continue
		}
		r.printf("%-8s %18x", reg.name, reg.value)
		for j := range after {
			if r.answers[j].End == Silent || r.answers[j].End == Shutdown || r.oracles[j].Answers(r.x.Case)&reg.field == 0 {
				r.printf(" %18s", "?")
			} else {
				r.printf(" %18x", after[j][i].value)
			}
		}
		r.printf("%s\n", mark)
	}
}

// register is one register of a Regs, by name.
type register struct {
	name   string
	value  uint64
	field  Fields
	always bool // shown whenever it is not zero
}

// list gives all registers in the order of the manual.
func (g *Regs) list() []register {
	var out []register
	for i, name := range [...]string{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"} {
		out = append(out, register{name, g.GPR[i], FieldGPR, true})
	}
	out = append(out, register{"RIP", g.RIP, FieldRIP, true}, register{"RFLAGS", g.RFLAGS, FieldFlags, true})
	for i := range g.Seg {
		out = append(out, register{decode.SegReg(i).String(), uint64(g.Seg[i]), FieldSeg, true})
	}
	out = append(out,
		register{"FS.base", g.FSBase, FieldSeg, true}, register{"GS.base", g.GSBase, FieldSeg, true},
		register{"LDTR", uint64(g.LDTR), FieldSeg, false}, register{"TR", uint64(g.TR), FieldSeg, false},
		register{"CR0", g.CR0, FieldSystem, true}, register{"CR2", g.CR2, FieldSystem, true},
		register{"CR3", g.CR3, FieldSystem, true}, register{"CR4", g.CR4, FieldSystem, true},
		register{"EFER", g.EFER, FieldSystem, true}, register{"PKRU", uint64(g.PKRU), FieldSystem, true})
	for i, v := range g.DR {
		out = append(out, register{fmt.Sprintf("DR%d", i), v, FieldSystem, false})
	}
	return append(out,
		register{"GDTR", g.GDTR.Base, FieldSystem, false}, register{"  limit", uint64(g.GDTR.Limit), FieldSystem, false},
		register{"IDTR", g.IDTR.Base, FieldSystem, false}, register{"  limit", uint64(g.IDTR.Limit), FieldSystem, false})
}

// memory shows the words that an oracle has changed.
func (r *reporter) memory() {
	seen := map[Offset]bool{}
	for i := range r.answers {
		for _, w := range r.answers[i].Mem {
			if seen[w.At] {
				continue
			}
			seen[w.At] = true
			r.printf("%-8s %18x", fmt.Sprintf("[%05x]", w.At), r.x.Start(w.At))
			mark := ""
			var first *uint64
			for j := range r.answers {
				v := r.x.Start(w.At)
				for _, u := range r.answers[j].Mem {
					if u.At == w.At {
						v = u.Value
					}
				}
				if r.answers[j].End == Silent {
					r.printf(" %18s", "?")
					continue
				}
				r.printf(" %18x", v)
				if first == nil {
					first = &v
				} else if v != *first {
					mark = "  <-"
				}
			}
			r.printf("%s\n", mark)
		}
	}
}

// walks tells the walk behind each page fault, and behind the access of a paging
// case, through the tables as they are at the start.
func (r *reporter) walks() error {
	type walk struct {
		linear uint64
		access mmu.Access
	}
	seen := map[walk]bool{}
	tell := func(linear uint64, a mmu.Access) error {
		if seen[walk{linear, a}] {
			return nil
		}
		seen[walk{linear, a}] = true
		text, err := Walk(r.x.Case, linear, a)
		r.printf("%s", text)
		return err
	}
	if a := r.x.Case.Access; a != nil {
		if err := tell(a.Linear, a.access()); err != nil {
			return err
		}
	}
	for i := range r.answers {
		if v := &r.answers[i]; v.End == Trapped && v.Vector == vectorPF {
			if err := tell(v.CR2, faultAccess(v.Error)); err != nil {
				return err
			}
		}
	}
	return nil
}

// access is what an Access is to the MMU.
func (a *Access) access() mmu.Access {
	m := mmu.Read
	if a.Write {
		m |= mmu.Write
	}
	if a.Fetch {
		m |= mmu.Exec
	}
	if a.User && !a.Implicit {
		m |= mmu.User
	}
	return m
}

// faultAccess is the access that an error code tells of.
func faultAccess(code uint32) mmu.Access {
	a := mmu.Read
	if code&mmu.PFWrite != 0 {
		a |= mmu.Write
	}
	if code&mmu.PFFetch != 0 {
		a |= mmu.Exec
	}
	if code&mmu.PFUser != 0 {
		a |= mmu.User
	}
	return a
}

// Walk tells how a linear address is translated as a case begins: every entry and
// the verdict. In a user world the tables are this emulator's own.
func Walk(c *Case, linear uint64, a mmu.Access) (string, error) {
	w, err := WorldByName(c.World)
	if err != nil {
		return "", err
	}
	model, ok := cpu.ModelByName(c.Model)
	if !ok {
		return "", errModel(c)
	}
	g := newEngine(w, model)
	g.begin(c)
	walk := g.cpu.MMU().Explain(mmu.Linear(linear), a)
	return strings.TrimRight(walk.String(), "\n") + "\n", nil
}
