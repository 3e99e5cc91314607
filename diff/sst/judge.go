package sst

import (
	"fmt"
	"slices"

	"x86emu/cpu"
	"x86emu/diff"
	"x86emu/mmu"
)

// replay is a file being replayed.
type replay struct {
	file    *File
	model   *cpu.Model
	runners []*runner // in blocks, and step by step
}

// Replay runs all tests of a file on a model, in blocks and instruction by
// instruction, and counts what differs from the capture. tell is called with the
// first unexplained test, if it is not nil.
func Replay(f *File, name string, model *cpu.Model, tell func(t *Test, what []string)) *diff.Summary {
	p := &replay{f, model, []*runner{newRunner(f, model, false), newRunner(f, model, true)}}
	who := &diff.Tally{Name: "capture", Version: "SingleStepTests, " + processor(f.CPU)}
	s := &diff.Summary{
		Of: name, Oracles: []*diff.Tally{{Name: "emu", Version: "x86emu, model " + model.Name}, who},
		Rules: map[string]*diff.Count{}, Masked: map[string]uint64{}, Known: map[string]uint64{}, Keep: 20,
	}
	for i := 0; i < len(f.Tests); i += blockSize {
		for j, v := range p.block(f.Tests[i:min(i+blockSize, len(f.Tests))]) {
			t := &f.Tests[i+j]
			s.Cases++
			switch {
			case v.what != nil:
				who.Unexplained++
				if len(s.First) < s.Keep {
					s.First = append(s.First, diff.Divergence{N: uint64(i + j), ID: fmt.Sprintf("%s test %d", name, t.Index),
						Rule: t.Name, Groups: [][]string{{"emu"}, {"capture"}}, Fields: v.what})
				}
				if who.Unexplained == 1 && tell != nil {
					tell(t, v.what)
				}
			case v.names != nil:
				who.Known++
				for _, n := range v.names {
					s.Known[who.Name+": "+n]++
				}
			default:
				who.Agree++
			}
		}
	}
	return s
}

// blockSize is how many tests run before all memory is looked through.
const blockSize = 64

// verdict is what differs unexplained, and the rows that explain the rest.
type verdict struct{ what, names []string }

// block judges tests one after the other. A byte that was written where no test
// names one is found by running each again alone.
func (p *replay) block(tests []Test) []verdict {
	out := make([]verdict, len(tests))
	for _, r := range p.runners {
		for i := range tests {
			if what, names := p.judge(r, &tests[i], differences); out[i].what == nil {
				out[i] = verdict{what, names}
			}
		}
		if r.strays() == nil {
			continue
		}
		for i := range tests {
			p.judge(r, &tests[i], differences)
			out[i].what = append(out[i].what, r.strays()...)
		}
	}
	return out
}

func processor(cpu string) string {
	if cpu == "" {
		return "processor not named"
	}
	return cpu
}

// judge runs a test. what tells the differences that nothing explains; names
// are the rows, of those given, that explain the others.
func (p *replay) judge(r *runner, t *Test, rows []difference) (what, names []string) {
	o := r.run(t)
	what = p.compare(r, t, &o)
	r.clear(t)
	if what == nil {
		return nil, nil
	}
	r.strays() // it may have written anywhere
	for i := range rows {
		d := &rows[i]
		if len(d.cpus) > 0 && !slices.Contains(d.cpus, p.file.CPU) {
			continue
		}
		like, ok := d.foretell(p, r, t, &o)
		if !ok {
			continue
		}
		if like == nil {
			return nil, []string{d.name}
		}
		rest, more := p.judge(r, like, rows[i+1:])
		if rest == nil {
			return nil, append([]string{d.name}, more...)
		}
	}
	return what, nil
}

// compare tells what differs from the capture: registers by name, memory byte by
// byte.
func (p *replay) compare(r *runner, t *Test, o *outcome) (what []string) {
	if o.running {
		return []string{"still running"}
	}
	flags := r.flags() &^ undefined(t, p.model)
	for i := range NumRegs {
		if t.Initial.Has>>i&1 == 0 {
			continue
		}
		mask := t.Mask.bits(i) & p.file.Mask.bits(i) & r.width(i)
		if i == EFLAGS {
			mask &= flags
		}
		if want := t.reg(i); (o.regs[i]^want)&mask != 0 {
			what = append(what, fmt.Sprintf("%s %x, not %x", regNames[i], o.regs[i]&mask, want&mask))
		}
	}
	return append(what, r.compareMemory(t, flags&t.Mask.bits(EFLAGS)&p.file.Mask.bits(EFLAGS))...)
}

// width is the part of a register that a suite tells of.
func (r *runner) width(reg int) uint32 {
	switch {
	case reg == CR0 || reg == DR6 || reg == DR7:
		return 0 // of a 386 in real mode nothing of interest
	case !r.wide || reg >= CS && reg <= SS:
		return 0xffff
	}
	return ^uint32(0)
}

// compareMemory compares the bytes of memory that a test names. Of flags that an
// exception has pushed only the given bits count.
func (r *runner) compareMemory(t *Test, flags uint32) (what []string) {
	want := map[uint32]uint8{}
	for _, b := range t.Initial.RAM {
		want[b.At] = b.Value
	}
	for _, b := range t.Final.RAM {
		want[b.At] = b.Value
	}
	for at, v := range want {
		got := uint8(r.mem.Read(mmu.Phys(at), 1))
		mask := uint8(0xff)
		if off := at - t.frame(2); t.Exception != nil && off < 2 {
			mask = uint8(flags >> (8 * off))
		}
		if (got^v)&mask != 0 {
			what = append(what, fmt.Sprintf("[%05x] %02x, not %02x", at, got, v))
		}
	}
	slices.Sort(what)
	return what
}
