package diff

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// engine is a processor, and a memory that between cases holds the arena of its
// world as it began.
type engine struct {
	w     *World
	cpu   *cpu.CPU
	mem   *mmu.Memory
	base  cpu.State
	room  room
	float bool   // the present case is about floating-point registers
	pages []int  // those of the arena that a case may change
	start []byte // the arena as the present case begins
	now   [PageSize]byte
}

// room is what a user and a system world do differently.
type room interface {
	// enter completes the state that a case begins with, the arena being ready; it
	// may also prepare the MMU.
	enter(g *engine, c *Case, s *cpu.State)
	// ended tells whether a run is over at a state that a delivery or HLT has led to,
	// and fills in the answer if it is.
	ended(g *engine, s *cpu.State, stop cpu.Stop, r *Result) bool
}

func newEngine(w *World, model *cpu.Model) *engine {
	mem := mmu.NewMemory(uint64(ArenaBase+ArenaSize), model.MaxPhysBits)
	g := &engine{w: w, mem: mem, start: bytes.Clone(w.Arena)}
	g.cpu = cpu.New(model, mmu.New(mem, model.Paging()), noPorts{})
	g.base = cpu.ResetState(model)
	mem.WriteBytes(ArenaBase, w.Arena)
	for p := range ArenaPages {
		if !w.hides(Span{Offset(p * PageSize), PageSize}) {
			g.pages = append(g.pages, p)
		}
	}
	if w.User {
		g.room = newUserRoom(g)
	} else {
		g.room = newSystemRoom(g)
	}
	return g
}

// hides tells whether a span lies in one of the world's hidden spans.
func (w *World) hides(s Span) bool {
	for _, h := range w.Hidden {
		if h.Holds(s.At) && h.Holds(s.At+Offset(s.Len-1)) {
			return true
		}
	}
	return false
}

// run answers a case.
func (g *engine) run(c *Case, r *Result, step bool) {
	*r = Result{Mem: r.Mem[:0]}
	at := g.begin(c)
	g.execute(c, r, step)
	g.collect(r)
	for _, p := range c.Patches {
		g.restore(p.At, p.Bytes)
	}
	g.eachCode(c, at, g.restore)
}

// begin makes memory and processor what a case begins with. It returns the
// linear address of the code.
func (g *engine) begin(c *Case) uint64 {
	for _, p := range c.Patches {
		g.patch(p.At, p.Bytes)
	}
	s := g.base
	g.float = c.Regs.Float.Used()
	s.GPR, s.RIP, s.RFLAGS = c.Regs.GPR, c.Regs.RIP, c.Regs.RFLAGS|idt.Flag1
	g.room.enter(g, c, &s)
	cs := s.Seg[decode.CS]
	at := codeLinear(s.RIP, cs, codeMode(cs, s.EFER&mmu.EFERLMA != 0))
	g.eachCode(c, at, g.patch)
	g.cpu.SetState(s)
	return at
}

// eachCode calls do for each piece of the case's code that the world maps.
func (g *engine) eachCode(c *Case, linear uint64, do func(Offset, []byte)) {
	for code := c.Code; len(code) > 0; {
		n := min(len(code), PageSize-int(linear%PageSize))
		if at, ok := g.w.Offset(linear); ok {
			do(at, code[:n])
		}
		code, linear = code[n:], linear+uint64(n)
	}
}

// patch puts bytes into the arena and into what it is compared with; what would
// lie behind its end is lost.
func (g *engine) patch(at Offset, b []byte) {
	if int(at) < len(g.start) {
		n := copy(g.start[at:], b)
		g.mem.WriteBytes(at.Phys(), b[:n])
	}
}

// restore puts back what the world has where a patch was.
func (g *engine) restore(at Offset, b []byte) {
	if int(at) < len(g.start) {
		n := copy(g.start[at:], g.w.Arena[at:min(int(at)+len(b), ArenaSize)])
		g.mem.WriteBytes(at.Phys(), g.start[at:int(at)+n])
	}
}

// collect finds what the case has changed, and puts it back.
func (g *engine) collect(r *Result) {
	for _, p := range g.pages {
		page := Offset(p * PageSize)
		was := g.start[page : page+PageSize]
		g.mem.ReadBytes(page.Phys(), g.now[:])
		if bytes.Equal(g.now[:], was) {
			continue
		}
		for i := Offset(0); i < PageSize; i += 8 {
			v := binary.LittleEndian.Uint64(g.now[i:])
			if v == binary.LittleEndian.Uint64(was[i:]) {
				continue
			}
			g.mem.WriteBytes((page + i).Phys(), was[i:i+8])
			if !g.w.hides(Span{page + i, 8}) {
				r.Mem = append(r.Mem, Word{page + i, v})
			}
		}
	}
}

// execute runs to the trap that ends the case.
func (g *engine) execute(c *Case, r *Result, step bool) {
	budget := uint64(DefaultSteps)
	if c.Steps > 0 {
		budget = uint64(c.Steps)
	}
	for until := g.cpu.Ticks() + budget; g.cpu.Ticks() < until; {
		g.cpu.StopAfter(1)
		var stop cpu.Stop
		if step {
			stop = g.cpu.Step()
		} else {
			stop = g.cpu.Run(until)
		}
		if stop == cpu.StopTick {
			continue
		}
		s := g.cpu.State()
		if stop == cpu.StopShutdown {
			r.End = Shutdown
			return
		}
		if g.room.ended(g, &s, stop, r) {
			return
		}
		if stop == cpu.StopHalt {
			r.End = Stopped
			systemRegs(&s, r)
			return
		}
	}
	r.End, r.Note = Silent, fmt.Sprintf("still running after %d ticks", budget)
}

// noPorts is a board without devices.
type noPorts struct{}

func (noPorts) In(uint16, uint8) uint32   { return ^uint32(0) }
func (noPorts) Out(uint16, uint8, uint32) {}
func (noPorts) Ack() uint8                { return 0 }
