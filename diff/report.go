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

// states shows the registers before, and after by each oracle: in a user world
// all that are not zero, in a system world those that have changed.
func (r *reporter) states() {
	r.printf("%-10s %18s", "", "before")
	for _, o := range r.oracles {
		r.printf(" %18s", o.Name())
	}
	r.printf("\n")
	for i := range Registers {
		r.state(&Registers[i])
	}
}

func (r *reporter) state(reg *Register) {
	before := reg.Get(&r.x.Case.Regs)
	show, mark := before != 0 && reg.Of != FieldSystem, ""
	line := fmt.Sprintf("%-10s %18x", reg.Name, before)
	var first *uint64
	for j := range r.answers {
		a := &r.answers[j]
		if a.End == Silent || a.End == Shutdown || r.oracles[j].Answers(r.x.Case)&reg.Of == 0 {
			line += fmt.Sprintf(" %18s", "?")
			continue
		}
		v := reg.Get(&a.Regs)
		line += fmt.Sprintf(" %18x", v)
		show = show || v != before
		if first == nil {
			first = &v
		} else if v != *first {
			show, mark = true, "  <-"
		}
	}
	if show {
		r.printf("%s%s\n", line, mark)
	}
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
			r.printf("%-10s %18x", fmt.Sprintf("[%05x]", w.At), r.x.Start(w.At))
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
