package qemulog

import (
	"fmt"

	"x86emu/idt"
	"x86emu/mmu"
)

// take is the processor's: what the event finds.
func (l *Log) take(*idt.Event) (deliver bool) {
	l.state = l.m.CPU.State()
	return true
}

// delivered is the processor's, after each delivery.
func (l *Log) delivered(out *idt.Outcome) {
	if l.o.Int {
		l.events(out)
	}
	if l.o.Reset && out.Shutdown {
		l.w.WriteString("Triple fault\n")
	}
}

// events writes the events of one delivery, in their order.
func (l *Log) events(out *idt.Outcome) {
	l.old = -1
	for i := range out.Chain[:out.N] {
		e := &out.Chain[i]
		if e.IsPageFault() {
			l.state.CR2 = e.CR2
		}
		switch l.check(e) {
		case merged, third:
			// The line of the #DF comes next, or none.
		default:
			l.event(e)
		}
	}
}

// verdict is what becomes of an exception beside the one before it.
type verdict uint8

const (
	delivered verdict = iota
	merged            // with the one before it to #DF
	third             // triple fault
)

// check writes the line that QEMU has for each exception, and tells what
// becomes of it. The #DF that two exceptions become has no such line.
func (l *Log) check(e *idt.Event) verdict {
	if e.Kind != idt.Exception || l.old == doubling {
		l.old = int64(idt.VecDF)
		if e.Kind != idt.Exception {
			l.old = -1
		}
		return delivered
	}
	fmt.Fprintf(l.w, "check_exception old: 0x%x new 0x%x\n", uint32(l.old), uint8(e.Vector))
	first := idt.Benign
	if l.old >= 0 {
		first = idt.Vector(l.old).Info().Class
	}
	second := e.Class()
	switch {
	case first == idt.DoubleFault:
		return third
	case first == idt.Contributory && second == idt.Contributory,
		first == idt.PageFault && (second == idt.Contributory || second == idt.PageFault):
		l.old = doubling
		return merged
	case second != idt.Benign:
		l.old = int64(e.Vector)
	}
	return delivered
}

// doubling is Log.old while the #DF has yet to come.
const doubling = -2

// event writes an event's line and the registers. Real mode has neither; an
// interrupt of the board's has a line before.
func (l *Log) event(e *idt.Event) {
	s := &l.state
	if e.Kind == idt.External {
		fmt.Fprintf(l.w, "Servicing hardware INT=0x%02x\n", uint8(e.Vector))
	}
	if s.CR0&mmu.CR0PE == 0 {
		return
	}
	code, soft := uint32(0), 0
	if e.HasCode {
		code = e.Code
	}
	if e.Kind == idt.SoftInt || e.Kind == idt.SoftExc {
		soft = 1
	}
	cs, ss := &s.Seg[segCS], &s.Seg[segSS]
	fmt.Fprintf(l.w, "%6d: v=%02x e=%04x i=%d cpl=%d IP=%04x:%016x pc=%016x SP=%04x:%016x",
		l.count, uint8(e.Vector), code, soft, s.CPL, cs.Sel, s.RIP, uint64(int32(cs.Base))+s.RIP, ss.Sel, s.GPR[4])
	if e.Vector == idt.VecPF {
		fmt.Fprintf(l.w, " CR2=%016x\n", s.CR2)
	} else {
		fmt.Fprintf(l.w, " env->regs[R_EAX]=%016x\n", s.GPR[0])
	}
	l.count++
	l.buf = appendState(l.buf[:0], s)
	l.w.Write(l.buf) // the error comes out of Flush
}
