package diff

import (
	"bytes"
	"encoding/binary"

	"x86emu/cpu"
	"x86emu/mmu"
)

// Stand has cases of one world and model begin, for who wants to look at that
// moment and to run on from it in a way of his own.
type Stand struct {
	g  *engine
	c  *Case
	at uint64
}

// NewStand makes a stand; the error names worlds or models that there are.
func NewStand(world, model string) (*Stand, error) {
	w, err := WorldByName(world)
	if err != nil {
		return nil, err
	}
	m, ok := cpu.ModelByName(model)
	if !ok {
		return nil, errModel(&Case{Model: model})
	}
	return &Stand{g: newEngine(w, m)}, nil
}

// Begin makes the processor, and the memory behind its MMU, what a case of this
// world and model begins with, whatever was done to them before.
func (s *Stand) Begin(c *Case) *cpu.CPU {
	if s.c != nil {
		s.g.collect(new(Result))
		for _, p := range s.c.Patches {
			s.g.restore(p.At, p.Bytes)
		}
		s.g.eachCode(s.c, s.at, s.g.restore)
	}
	s.c, s.at = c, s.g.begin(c)
	return s.g.cpu
}

// Answer is the answer to the case begun last that a state and a memory are: at
// a collector, or else without an end.
func (s *Stand) Answer(state *cpu.State, mem *mmu.Memory) Result {
	r := Result{End: Stopped}
	if v, ok := AtCollector(state.Seg[1].Base + state.RIP); ok {
		r.End, r.Vector = Trapped, v
	}
	systemRegs(state, &r)
	var now [PageSize]byte
	for _, p := range s.g.pages {
		page := Offset(p * PageSize)
		was := s.g.start[page : page+PageSize]
		mem.ReadBytes(page.Phys(), now[:])
		if bytes.Equal(now[:], was) {
			continue
		}
		for i := Offset(0); i < PageSize; i += 8 {
			if v := binary.LittleEndian.Uint64(now[i:]); v != binary.LittleEndian.Uint64(was[i:]) && !s.g.w.hides(Span{page + i, 8}) {
				r.Mem = append(r.Mem, Word{page + i, v})
			}
		}
	}
	return r
}
