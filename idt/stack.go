package idt

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// stack is a stack that an operation pops from or pushes to.
type stack struct {
	seg  *Segment // not for use if flat
	mask uint64   // width of the stack pointer
	sp   uint64
	acc  mmu.Access
	flat bool // 64-bit mode: no base, no limit, canonical addresses
}

// setSegment makes seg the stack's segment, for 64-bit mode or not.
func (s *stack) setSegment(seg *Segment, flat bool) {
	s.seg, s.flat, s.mask = seg, flat, stackMask(seg, flat)
}

// stackMask gives the width of the stack pointer with a stack segment.
// [SDM 3A, Stack Segment; Stack Address-Size Attribute]
func stackMask(seg *Segment, flat bool) uint64 {
	switch {
	case flat:
		return ^uint64(0)
	case seg.Attr&AttrDB != 0:
		return 0xffffffff
	}
	return 0xffff
}

// currentStack is SS:RSP as instructions use it.
func (p *Core) currentStack(s *stack) {
	s.setSegment(&p.r.Seg[decode.SS], p.mode64())
	s.acc = p.access(p.r.CPL)
	s.sp = p.g[regSP] & s.mask
}

// contains tells whether size bytes at off lie within the segment's limit.
// [SDM 3A, Limit Checking]
func (s *Segment) contains(off, size uint64) bool {
	last := off + size - 1
	if s.Attr&(AttrCode|AttrDown) == AttrDown {
		top := uint64(0xffff)
		if s.Attr&AttrDB != 0 {
			top = 0xffffffff
		}
		return off > uint64(s.Limit) && last <= top
	}
	return last <= uint64(s.Limit)
}

// holds tells whether size bytes at off may be accessed as far as
// segmentation goes.
func (p *Core) holds(s *stack, off, size uint64) bool {
	if s.flat {
		return p.canonical(off) && p.canonical(off+size-1)
	}
	return s.seg.contains(off, size) && (s.seg.Attr&AttrUnusable == 0 || !p.protected())
}

// holdsAll is holds for n words of size bytes from lo up, each of which may
// wrap around the stack's width.
func (p *Core) holdsAll(s *stack, lo, n, size uint64) bool {
	if total := n * size; lo+total-1 <= s.mask && lo+total > lo {
		return p.holds(s, lo, total)
	}
	for i := range n {
		if !p.holds(s, (lo+i*size)&s.mask, size) {
			return false
		}
	}
	return true
}

// linear is the linear address of an offset in the stack.
func (s *stack) linear(off uint64) mmu.Linear {
	if s.flat {
		return mmu.Linear(off)
	}
	return mmu.Linear((s.seg.Base + off) & 0xffffffff)
}

// setSP sets the stack pointer at the stack's width; below 32 bits the part
// above stays.
func (p *Core) setSP(mask, sp uint64) {
	if mask == 0xffff {
		p.g[regSP] = p.g[regSP]&^mask | sp&mask
		return
	}
	p.g[regSP] = sp & mask
}

// checksAlignment tells whether #AC is armed.
// [SDM 3A, Interrupt 17—Alignment Check Exception (#AC)]
func (p *Core) checksAlignment() bool {
	return p.r.CPL == 3 && p.r.RFLAGS&FlagAC != 0 && p.m.Ctl.CR0&mmu.CR0AM != 0
}

// pop reads len(words) words of size bytes from the top of the stack on, skip
// bytes up, without moving the stack pointer. The whole range is checked
// against the stack segment before the first word is read.
func (p *Core) pop(s *stack, skip uint64, size uint64, words []uint64) bool {
	if p.popDirect(s, skip, size, words) {
		return true
	}
	align := p.checksAlignment()
	// The words must lie within the stack, else #SS(0). [SDM 2, IRET/IRETD/IRETQ; RET]
	if !p.pass(RulePopRoom, p.holdsAll(s, (s.sp+skip)&s.mask, uint64(len(words)), size)) {
		return p.fail(VecSS, 0)
	}
	for i := range words {
		lin := s.linear((s.sp + skip + uint64(i)*size) & s.mask)
		// A word read at CPL 3 must be aligned where #AC is armed, else #AC(0).
		if align && !p.pass(RuleAligned, uint64(lin)&(size-1) == 0) {
			return p.fail(VecAC, 0)
		}
		v, ok := p.m.Read(lin, uint(size), s.acc)
		if !ok {
			return p.pageFault()
		}
		words[i] = v
	}
	return true
}

// popDirect is pop where a shortcut tells that nothing can fault; else it does nothing.
// An observer sees every check made.
func (p *Core) popDirect(s *stack, skip uint64, size uint64, words []uint64) bool {
	lo, total := (s.sp+skip)&s.mask, uint64(len(words))*size
	if p.obs != nil || lo+total-1 > s.mask || p.checksAlignment() {
		return false
	}
	host := p.m.ReadDirect(s.linear(lo), total, s.acc)
	// (What a shortcut covers is canonical.)
	if host == nil || !s.flat && !p.holds(s, lo, total) {
		return false
	}
	mmu.LoadWords(host, uint64(s.linear(lo)), size, words)
	return true
}

// frame is what an operation pushes, checked first and written when nothing
// else can fail. words are in the order of the pushes: the first lies highest.
type frame struct {
	stack
	size  uint64 // of a word in bytes
	align bool   // #AC is armed
	call  bool   // a far call's, not an event's
	n     int
	words [maxFrame]uint64
	lo    uint64    // where the last word goes, once room has been asked for
	host  *mmu.Page // behind the whole frame, if a shortcut has told
}

// maxFrame is the longest frame in words: a call gate's SS, SP, 31 parameters,
// CS and IP.
const maxFrame = 35

// newFrame is an empty frame of words of size bytes. Its stack is for the
// caller to set. An operation has one frame at a time.
func (p *Core) newFrame(size uint64) *frame {
	f := &p.frame
	f.stack = stack{}
	f.size, f.align, f.call, f.n = size, false, false, 0
	return f
}

func (f *frame) push(v uint64) {
	f.words[f.n] = v
	f.n++
}

// offset is where word i goes.
func (f *frame) offset(i int) uint64 { return (f.sp - uint64(i+1)*f.size) & f.mask }

// room checks that the stack segment has room for the frame, else #SS(code).
// [SDM 2, INT n/INTO/INT3/INT1; CALL]
func (p *Core) room(f *frame, code uint32) bool {
	f.lo, f.host = f.offset(f.n-1), nil
	total := uint64(f.n) * f.size
	// An observer sees every check made.
	if p.obs == nil && !f.align && f.lo+total-1 <= f.mask {
		f.host = p.m.WriteDirect(f.linear(f.lo), total, f.acc)
		if f.host != nil && f.flat {
			return true // a shortcut is for canonical addresses only
		}
	}
	if !p.pass(RuleStackRoom, p.holdsAll(&f.stack, f.lo, uint64(f.n), f.size)) {
		return p.fail(VecSS, code)
	}
	return true
}

// canPush probes the frame's pages for writing, in the order of the pushes, so
// that a page fault names the push that would be the first to fail.
func (p *Core) canPush(f *frame) bool { return f.host != nil || p.probeFrame(f) }

func (p *Core) probeFrame(f *frame) bool {
	page := mmu.Linear(1) // no page
	for i := 0; i < f.n; i++ {
		lin := f.linear(f.offset(i))
		// A word pushed at CPL 3 must be aligned where #AC is armed, else #AC(0).
		if f.align && !p.pass(RuleAligned, uint64(lin)&(f.size-1) == 0) {
			return p.fail(VecAC, 0)
		}
		if lin&^mmu.PageMask == page && uint64(lin&mmu.PageMask)+f.size <= mmu.PageSize {
			continue
		}
		if !p.m.Probe(lin, uint(f.size), f.acc|mmu.Write) {
			return p.pageFault()
		}
		page = lin &^ mmu.PageMask
	}
	return true
}

// writeFrame writes the frame, which canPush has passed. It can fail only where
// the frame overwrites the page tables that map it.
func (p *Core) writeFrame(f *frame) bool {
	if f.host == nil {
		return p.writeWords(f)
	}
	mmu.PushWords(f.host, uint64(f.linear(f.lo))+uint64(f.n)*f.size, f.size, f.words[:f.n])
	return true
}

func (p *Core) writeWords(f *frame) bool {
	for i, v := range f.words[:f.n] {
		lin := f.linear(f.offset(i))
		if !p.m.Write(lin, uint(f.size), v, f.acc|mmu.Write) {
			return p.pageFault()
		}
		if p.obs != nil {
			p.emitPush(lin, f.size, f.word(i), v)
		}
	}
	return true
}

// moveSP sets the stack pointer below the frame.
func (p *Core) moveSP(f *frame) {
	p.setSP(f.mask, f.sp-uint64(f.n)*f.size)
}
