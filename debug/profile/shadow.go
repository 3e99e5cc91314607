package profile

import (
	"slices"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// shadow follows calls and returns on all the stacks that a guest uses.
//
// A frame is known by its slot: the linear address where the return address, or
// the lowest word of an interrupt frame, lies. RET from a slot ends the frame
// there and those within it; one from elsewhere, a jump in disguise, ends none. A
// stack pointer that is loaded, not counted up or down, leads to another stack:
// to the one that was left with this very pointer, as schedulers do it; else up
// in the same one, which ends the frames below (longjmp); else to one
// whose past is not known.
type shadow struct {
	m       *machine.Machine
	cur     *stack
	stacks  []*stack // all that are known, the one used last at the end
	pending pending
}

// stack is a stack with what was called on it, the outermost first.
type stack struct {
	frames []frame
	sp     uint64 // when it was left
	under  int    // how many stacks it was entered over
}

// frame is a call, or an event, that has not returned.
type frame struct {
	slot  uint64
	at    place  // the CALL, or the code that the event interrupted
	event string // of an event: its name
	under *stack // of an event, or SYSCALL, that changed stacks: the one that it left
}

// place is a linear address, and whether paging was on there.
type place struct {
	lin   uint64
	paged bool
}

const (
	maxFrames = 256 // of one stack; deeper calls are not told
	maxStacks = 256 // that are known; the one that was made first is forgotten
	maxUnder  = 16  // entered one over the other; below, nothing is told
	// sameStack is how far down a stack pointer may be loaded from a register to
	// be in the same stack still.
	sameStack = 1 << 12
)

// pending is an instruction whose effect on the stacks will be seen when it has retired.
type pending struct {
	kind pendingKind
	at   place
	sp   uint64
	tick uint64
	mem  bool // the stack pointer comes from memory or is a constant
}

type pendingKind uint8

const (
	nothing pendingKind = iota
	call
	ret
	load
	enter // SYSCALL, SYSENTER
	leave // SYSRET, SYSEXIT
)

func newShadow(m *machine.Machine) *shadow {
	s := &shadow{m: m}
	s.fresh()
	return s
}

// fresh goes on on a stack of unknown past.
func (s *shadow) fresh() {
	if len(s.stacks) == maxStacks {
		s.stacks = slices.Delete(s.stacks, 0, 1)
	}
	s.cur = &stack{}
	s.stacks = append(s.stacks, s.cur)
}

// here is where the machine stands.
func (s *shadow) here(lin mmu.Linear) place {
	return place{uint64(lin), s.m.MMU.Mode() != mmu.ModeNone}
}

// instruction notes one that is about to run.
func (s *shadow) instruction(e *cpu.InstEvent) {
	s.settle()
	kind, mem := classify(e.Inst)
	if kind != nothing {
		s.pending = pending{kind, s.here(e.Linear), uint64(s.m.CPU.StackAt()), e.Tick, mem}
	}
}

// classify tells what an instruction does with stacks.
func classify(in *decode.Inst) (kind pendingKind, mem bool) {
	switch in.Op {
	case decode.CALL, decode.LCALL:
		return call, false
	case decode.RET, decode.LRET:
		return ret, false
	case decode.SYSCALL, decode.SYSENTER:
		return enter, false
	case decode.SYSRET, decode.SYSEXIT:
		return leave, false
	case decode.LSS:
		return load, true
	case decode.MOV, decode.POP, decode.XCHG, decode.LEA:
		for i, a := range in.Args[:min(in.NArgs, 2)] {
			if a.Kind != decode.ArgReg || a.Num != spRegister || a.Size < 2 || i > 0 && in.Op != decode.XCHG {
				continue
			}
			relative := in.Op == decode.LEA || in.NArgs > 1 && in.Args[1-i].Kind == decode.ArgReg
			return load, !relative
		}
	}
	return nothing, false
}

const spRegister = 4

// settle takes in what the last instruction has done, if it has retired.
func (s *shadow) settle() {
	p := s.pending
	s.pending.kind = nothing
	if p.kind == nothing || s.m.CPU.Ticks() <= p.tick {
		return
	}
	sp := uint64(s.m.CPU.StackAt())
	switch p.kind {
	case call:
		if sp < p.sp { // else through a gate to another stack, or a task switch
			s.push(frame{slot: sp, at: p.at})
		} else {
			s.push(frame{slot: sp, at: p.at, under: s.leave(p.sp)})
		}
	case ret:
		s.pop(p.sp, 0)
	case load:
		s.loaded(p, sp)
	case enter:
		f := frame{at: p.at, event: "SYSCALL"}
		f.under = s.leave(p.sp)
		s.push(f)
	case leave:
		s.back()
	}
}

// unknown goes on on a stack of unknown past; nothing is to come back to the
// present one but by its pointer.
func (s *shadow) unknown(sp uint64) {
	s.cur.sp = sp
	s.fresh()
}

// leave begins another stack and gives the one that was left, to be taken up
// again; nil where too many wait for that.
func (s *shadow) leave(sp uint64) *stack {
	old := s.cur
	old.sp = sp
	s.fresh()
	if old.under == maxUnder {
		return nil
	}
	s.cur.under = old.under + 1
	return old
}

// push adds a frame; beyond the most, none.
func (s *shadow) push(f frame) {
	// What lies below the new frame's slot has been left without a RET.
	if f.under == nil {
		for n := len(s.cur.frames); n > 0 && s.cur.frames[n-1].slot <= f.slot && s.cur.frames[n-1].under == nil; n-- {
			s.cur.frames = s.cur.frames[:n-1]
		}
	}
	if len(s.cur.frames) < maxFrames {
		s.cur.frames = append(s.cur.frames, f)
	}
}

// pop ends the frame at a slot, or at most so far below it, and those within it.
func (s *shadow) pop(slot, below uint64) bool {
	for i := len(s.cur.frames) - 1; i >= 0; i-- {
		f := &s.cur.frames[i]
		if slot-f.slot > below || f.slot == 0 {
			continue
		}
		under := f.under
		s.cur.frames = s.cur.frames[:i]
		if under != nil {
			s.resume(under)
		}
		return true
	}
	return false
}

// resume goes back to a stack; the one that was on top of it is over.
func (s *shadow) resume(to *stack) {
	s.stacks = slices.DeleteFunc(s.stacks, func(k *stack) bool { return k == s.cur || k == to })
	s.cur = to
	s.stacks = append(s.stacks, to)
}

// loaded takes in a stack pointer that was loaded.
func (s *shadow) loaded(p pending, sp uint64) {
	cur := s.cur
	for i := len(s.stacks) - 1; i >= 0; i-- {
		if k := s.stacks[i]; k != cur && sp != 0 && k.sp == sp && len(k.frames) > 0 {
			cur.sp = p.sp
			s.cur = k
			return
		}
	}
	n := len(cur.frames)
	switch {
	case n > 0 && cur.frames[0].under != nil && cur.frames[0].slot == 0 && n == 1:
		// The stack that the code behind SYSCALL chooses.
	case n > 0 && sp >= p.sp && sp <= cur.frames[0].slot:
		for n > 0 && cur.frames[n-1].slot < sp && cur.frames[n-1].under == nil {
			n--
		}
		cur.frames = cur.frames[:n]
	case !p.mem && sp < p.sp && p.sp-sp < sameStack:
	case !p.mem && sp >= p.sp && sp-p.sp < sameStack:
	default:
		s.unknown(p.sp)
	}
}

// taken is for before a delivery.
func (s *shadow) taken() { s.settle() }

// delivered takes in a delivery.
func (s *shadow) delivered(out *idt.Outcome) {
	if out.Shutdown {
		return
	}
	from := s.m.CPU.Interrupted()
	last := out.Last()
	sp := uint64(s.m.CPU.StackAt())
	f := frame{slot: sp, at: s.here(from.Code), event: last.Name()}
	if from.CPL != s.m.CPU.Regs().CPL || sp > uint64(from.SP) || uint64(from.SP)-sp > 256 {
		f.under = s.leave(uint64(from.SP))
	}
	s.push(f)
}

// returned takes in an IRET from a frame.
func (s *shadow) returned(sp mmu.Linear) {
	s.pending.kind = nothing
	const errorCode = 8 // the most that a handler takes off its frame before
	if s.pop(uint64(sp), errorCode) {
		return
	}
	if s.m.CPU.Regs().CPL == 3 {
		s.unknown(uint64(sp)) // a program begins, and is called by nobody
	}
}

// back returns to what SYSCALL left.
func (s *shadow) back() {
	for i := len(s.cur.frames) - 1; i >= 0; i-- {
		if f := s.cur.frames[i]; f.under != nil && f.slot == 0 {
			s.resume(f.under)
			return
		}
	}
	s.unknown(0)
}
