package idt

import (
	"testing"

	"x86emu/decode"
	"x86emu/mmu"
)

// source deals out a fuzz input's bytes, zeros after its end.
type source []byte

func (s *source) bits(n int) uint64 {
	v := uint64(0)
	for i := range n {
		if len(*s) == 0 {
			break
		}
		v |= uint64((*s)[0]) << (8 * i)
		*s = (*s)[1:]
	}
	return v
}

var fuzzModes = []mode{real16, prot, paged, pae, v86, long64, compat, longTLB}

// scramble applies the input's patches to tables, stacks and registers.
func (w *world) scramble(s *source) {
	for len(*s) > 0 {
		switch s.bits(1) & 15 {
		case 0:
			w.poke(gdtAt+s.bits(1)&^7, 8, s.bits(8))
		case 1:
			w.idt(Vector(s.bits(1)), s.bits(8))
		case 2:
			w.poke(tssAt+s.bits(1)&0x7f, 4, s.bits(4))
		case 3:
			w.poke(tss2At+s.bits(1)&0x7f, 4, s.bits(4))
		case 4:
			w.poke(tss16At+s.bits(1)&0x3f, 2, s.bits(2))
		case 5:
			w.stackWords(uint(2<<(s.bits(1)%3)), s.bits(2), s.bits(2), s.bits(4), s.bits(2)<<4, s.bits(2))
		case 6:
			w.edit(uint16(s.bits(1)), Attr(s.bits(2)), Attr(s.bits(2)))
		case 7:
			w.pte(s.bits(1)<<12, s.bits(1)&0x67)
		case 8:
			w.g[4] = s.bits(8)
		case 9:
			w.r.RFLAGS = s.bits(3)&flagsValid&^FlagVM | w.r.RFLAGS&FlagVM | Flag1
		case 10:
			seg := &w.r.Seg[s.bits(1)%6]
			seg.Limit, seg.Base = uint32(s.bits(4)), s.bits(4)
		case 11:
			w.r.TR.Limit, w.r.TR.Base = uint32(s.bits(1)), s.bits(8)
		case 12:
			w.r.GDTR = Table{s.bits(8), uint16(s.bits(2))}
		case 13:
			w.r.IDTR.Base = s.bits(8)
		case 14:
			w.r.LDTR = Segment{Sel: ldtSel, Base: s.bits(8), Limit: uint32(s.bits(2))}
		case 15:
			w.m.SetCR4(w.m.Ctl.CR4 | s.bits(4)&(mmu.CR4SMAP|mmu.CR4VME|mmu.CR4SMEP))
		}
	}
}

// fuzzed is all that an operation may change outside memory.
type fuzzed struct {
	r   Regs
	g   [16]uint64
	ctl mmu.Control
}

func (w *world) state() fuzzed { return fuzzed{w.r, w.g, w.m.Ctl} }

// fuzzWorld builds the world that an input describes and gives the operation. In half of
// them others have gone well before it.
func fuzzWorld(t testing.TB, in []byte) (w *world, do func() (Outcome, Event, bool)) {
	s := source(in)
	md := fuzzModes[s.bits(1)%uint64(len(fuzzModes))]
	op, arg, size := s.bits(1)%11, s.bits(2), uint8(2<<(s.bits(1)%3))
	w = newWorld(t, md)
	if cpl := uint8(s.bits(1)); md != real16 && md != v86 {
		w.ring([]uint8{0, 1, 3}[cpl%3])
		if md == compat {
			w.load(decode.CS, []uint16{code32, code32u | 3}[cpl%2])
			w.r.CPL = rpl(w.r.Seg[decode.CS].Sel)
		}
	}
	if size == 8 && !w.is64(md) {
		size = 4
	}
	if arg&1 == 0 {
		w.thereAndBack()
	}
	w.scramble(&s)
	ev := Event{Vector: Vector(arg), Kind: Kind(arg >> 8 % 6), Return: code, CR2: 0x1234}
	ev.HasCode = ev.Kind == Exception && ev.Vector.Info().Code
	sel := uint16(arg)
	wrap := func(e Event, ok bool) (Outcome, Event, bool) { return Outcome{}, e, ok }
	return w, func() (Outcome, Event, bool) {
		switch op {
		case 0, 1:
			out := delivered(w.fake, ev)
			return out, Event{}, !out.Shutdown
		case 2:
			return wrap(w.attempt(ev))
		case 3:
			return wrap(told(IRET(w.fake, size, code)))
		case 4:
			return wrap(told(FarJump(w.fake, sel, handler, size, code)))
		case 5:
			return wrap(told(FarCall(w.fake, sel, handler, size, code)))
		case 6:
			return wrap(told(FarRet(w.fake, sel, size)))
		case 7:
			return wrap(told(LoadSegment(w.fake, []decode.SegReg{decode.ES, decode.SS, decode.DS, decode.FS, decode.GS}[arg>>13%5], sel)))
		case 8:
			return wrap(told(LoadLDTR(w.fake, sel)))
		case 9:
			return wrap(told(LoadTR(w.fake, sel)))
		}
		_, fault := Verify(w.fake, sel, true)
		return wrap(told(fault))
	}
}

// FuzzDeliver makes every operation meet any descriptors, gates, TSSs, stacks
// and page rights in every mode. Nothing panics; what fails has changed no
// register, unless a new task is at fault; and an observer changes nothing.
func FuzzDeliver(f *testing.F) {
	for md := range fuzzModes {
		for op := range 11 {
			f.Add([]byte{byte(md), byte(op), 0x20, 1, 1, 0})
			f.Add([]byte{byte(md), byte(op), 0x30, 3, 1, 2, 5, 1, 0x00, 0x12, 0x2b, 0, 2, 0, 0, 0, 0x00, 0x58, 0x33, 0})
			f.Add([]byte{byte(md), byte(op), tss2Sel, 0, 1, 0, 3, 36, 0, 0, 2, 0, 8, 0, 0x10, 6, 0, 0, 0, 0, 0})
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		w, do := fuzzWorld(t, in)
		before := w.state()
		out, ev, ok := do()
		after := w.state()

		seen, doSeen := fuzzWorld(t, in)
		rec := seen.record()
		out2, ev2, ok2 := doSeen()
		if out != out2 || ev != ev2 || ok != ok2 || after != seen.state() || w.memory() != seen.memory() {
			t.Fatalf("seen and unseen differ: %v %v %v, %v %v %v", out, ev, ok, out2, ev2, ok2)
		}
		if ok {
			return
		}
		if out.N == 0 && ev.Return != w.r.RIP {
			t.Fatalf("%v does not return to %#x", ev, w.r.RIP)
		}
		before.r.NMIBlocked, before.ctl.CR2 = after.r.NMIBlocked, after.ctl.CR2
		if rec.stages[StageTaskSave] == 0 && before != after {
			t.Fatalf("failed with %v %v, yet the registers changed:\n%+v\n%+v", ev, out, before, after)
		}
	})
}
