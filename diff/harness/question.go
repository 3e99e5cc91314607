package harness

import (
	"fmt"

	"x86emu/decode"
	"x86emu/diff"
	"x86emu/idt"
	"x86emu/mmu"
)

// question is a case as the image is given it.
type question struct {
	c       *diff.Case
	x       *diff.Context
	regs    diff.Regs // with those that a user world does not tell
	state   *state
	pages   uint64 // that the case can change: a bit each
	patches []diff.Patch
}

// newQuestion fails on a case that the harness cannot begin. all is whether
// every page of the arena is to be looked at after the case.
func newQuestion(c *diff.Case, all bool) (*question, error) {
	x, err := diff.NewContext(c)
	if err != nil {
		return nil, err
	}
	q := &question{c: c, x: x, regs: c.Regs}
	q.patches = append(append(q.patches, c.Patches...), x.Placed()...)
	for _, p := range q.patches {
		if int(p.At)+len(p.Bytes) > diff.ArenaSize {
			return nil, fmt.Errorf("a patch at %#x goes beyond the arena", p.At)
		}
	}
	if x.World.User {
		q.pages = userPages
		userRegs(&q.regs)
		q.state = begin(x, &q.regs, [2]uint64{userTSS, userTSSUpper})
		if q.stack16() {
			q.state[slotFrame] = userFrame(q.regs.GPR[4])
		}
		return q, nil
	}
	if q.regs.CR0&mmu.CR0PE == 0 {
		return nil, fmt.Errorf("begins in real mode")
	}
	if q.outside() {
		for _, i := range []decode.SegReg{decode.ES, decode.DS, decode.FS, decode.GS} {
			if sel := q.regs.Seg[i]; null(sel) && sel != 0 {
				return nil, fmt.Errorf("begins outside CPL 0 with a null selector of %d", sel)
			}
		}
	}
	tr, err := q.taskDescriptor()
	if err != nil {
		return nil, err
	}
	if q.pages = q.systemPages(); all {
		q.pages = ^uint64(0)
	}
	q.state = begin(x, &q.regs, tr)
	if q.stack16() {
		return q, q.enter16()
	}
	return q, nil
}

// outside tells whether a case begins at CPL 1 to 3, by an IRET that makes
// null selectors 0. VM86 mode has no null selectors.
func (q *question) outside() bool {
	return q.regs.Seg[decode.CS]&3 != 0 && q.regs.RFLAGS&idt.FlagVM == 0
}

// taskDescriptor is what the table of the case has for TR.
func (q *question) taskDescriptor() (d [2]uint64, err error) {
	const lowest, highest = 0x18, 0xfe0 // between the harness's own
	if q.regs.TR < lowest || q.regs.TR > highest || q.regs.TR&4 != 0 {
		return d, fmt.Errorf("TR cannot be %#x", q.regs.TR)
	}
	at, ok := q.x.World.Offset(q.regs.GDTR.Base + uint64(q.regs.TR&^7))
	if !ok || at+16 > diff.ArenaSize {
		return d, fmt.Errorf("GDT at %#x is not in the arena", q.regs.GDTR.Base)
	}
	d[0] = q.x.Start(at)
	if q.regs.EFER&mmu.EFERLMA != 0 {
		d[1] = q.x.Start(at + 8)
	}
	return d, nil
}

// stack16 tells whether a case begins on a stack of 16 bits, outside 64-bit mode.
// An IRET to it loads SP, and leaves the rest of ESP as it was on the stack that
// held the frame. Observed on AMD Zen 4; the emulators do the same.
func (q *question) stack16() bool {
	const big = 1 << (52 + 2)
	sel := q.regs.Seg[decode.SS]
	switch {
	case q.x.Mode == decode.Mode64 || null(sel) || q.regs.RFLAGS&idt.FlagVM != 0:
		return false
	case q.x.World.User:
		return diff.UserSegment(sel)&big == 0
	}
	return q.descriptor(sel)&big == 0
}

// enter16 arranges for a stack of 16 bits in a system world, or fails.
func (q *question) enter16() error {
	const slow = idt.FlagTF | idt.FlagRF | idt.FlagVIF | idt.FlagVIP // only IRET loads them
	switch long := q.regs.EFER&mmu.EFERLMA != 0; {
	case q.regs.GPR[4]>>16 == diff.CollectorBase>>16: // where the image's stack is
		return nil
	case q.regs.Seg[decode.CS]&3 == 0 && !long:
		return nil
	case q.regs.Seg[decode.CS]&3 == 0 && q.regs.RFLAGS&slow == 0 && q.regs.RIP < 1<<32:
		q.state[slotPKRU] |= byJump
		return nil
	}
	return fmt.Errorf("begins on a 16-bit stack, and not at CPL 0")
}

// descriptor is the one behind a selector, in a system world.
func (q *question) descriptor(sel uint16) uint64 {
	base := q.regs.GDTR.Base
	if sel&4 != 0 {
		d := q.descriptor(q.regs.LDTR &^ 4)
		base = d>>16&0xffffff | d>>56<<24
	}
	at, ok := q.x.World.Offset(base + uint64(sel&^7))
	if !ok {
		return 0
	}
	return q.x.Start(at)
}

// systemPages are the pages of a system world that a case can change: those
// that are mapped or tables, and what the entries lead to that it patches. Of an
// arena that is mapped as a whole, zeros at its end count only where a patch
// leads to them.
func (q *question) systemPages() uint64 {
	w := q.x.World
	var pages uint64
	mark := func(at diff.Offset, n int) {
		for p := int(at) / diff.PageSize; p <= (int(at)+max(n, 1)-1)/diff.PageSize && p < diff.ArenaPages; p++ {
			pages |= 1 << p
		}
	}
	last := diff.ArenaPages - 1
	for last > 0 && [diff.PageSize]byte(w.Arena[last*diff.PageSize:]) == [diff.PageSize]byte{} {
		last--
	}
	for _, s := range w.Table {
		mark(s.At, s.Len)
		last = max(last, (int(s.At)+s.Len-1)/diff.PageSize)
	}
	for _, m := range w.Maps {
		if m.Len < diff.ArenaSize {
			mark(m.At, m.Len)
		} else {
			mark(0, (last+1)*diff.PageSize)
		}
	}
	if q.regs.CR3 != w.Regs.CR3 {
		return ^uint64(0)
	}
	for _, p := range q.patches {
		mark(p.At, len(p.Bytes))
		for at := p.At &^ 3; at < p.At+diff.Offset(len(p.Bytes)); at += 4 {
			const large = 1 << 7
			entry := q.x.Start(at)
			frame := uint32(entry)&^mmu.PageMask - uint32(diff.ArenaBase)
			switch {
			case !q.inTable(at):
			case entry&large != 0 && (entry&0xffc00000 == uint64(diff.ArenaBase) || entry&0xc0000000 == 0):
				return ^uint64(0) // a large page over the arena
			case frame < diff.ArenaSize:
				mark(diff.Offset(frame), 1)
			}
		}
	}
	return pages
}

// inTable tells whether a word of the arena belongs to a page table.
func (q *question) inTable(at diff.Offset) bool {
	for _, s := range q.x.World.Table {
		if s.Holds(at) {
			return true
		}
	}
	return false
}

// answer turns a report into what the case is answered with.
func (q *question) answer(r *report, to *diff.Result) {
	*to = diff.Result{End: diff.Trapped, Vector: r.vector, Regs: end(&q.regs, &r.changed, r.which)}
	if r.kind == reportNotBegun {
		note := fmt.Sprintf("the case could not begin: exception %d at %#x of the harness", r.vector, to.Regs.RIP)
		if r.vector == byHostFailed {
			note = "the host could not load what the case begins with"
		}
		*to = diff.Result{End: diff.Silent, Note: note}
		return
	}
	if r.cut {
		*to = diff.Result{End: diff.Silent, Note: "more of the arena has changed than a report holds"}
		return
	}
	if idt.Vector(r.vector) == idt.VecPF {
		to.CR2 = to.Regs.CR2
	}
	if q.x.World.User {
		q.interrupted(r, to)
		return
	}
	to.Mem = r.words
	if q.regs.EFER&mmu.EFERLMA != 0 {
		q.errorCode(to)
	}
}

// errorCode finds the error code of an event in IA-32e mode: the stack pointer
// is aligned to 16 bytes before five quadwords are pushed, or six.
// [SDM 3A, 64-Bit Mode Stack Frame]
func (q *question) errorCode(to *diff.Result) {
	const have = 1<<idt.VecDF | 1<<idt.VecTS | 1<<idt.VecNP | 1<<idt.VecSS | 1<<idt.VecGP | 1<<idt.VecPF | 1<<idt.VecAC
	if to.Regs.GPR[4]%16 != 0 || to.Vector >= 32 || have>>to.Vector&1 == 0 {
		return
	}
	if at, ok := q.x.World.Offset(to.Regs.GPR[4]); ok {
		to.HasError, to.Error = true, uint32(q.after(to.Mem, at))
	}
}

// after is a word of the arena at the end of the case.
func (q *question) after(words []diff.Word, at diff.Offset) uint64 {
	for _, w := range words {
		if w.At == at {
			return w.Value
		}
	}
	return q.x.Start(at)
}
