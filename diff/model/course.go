package model

import "x86emu/diff"

// course is a processor in the course of a Delivery case: a machine with the parts
// of segment registers that software does not see.
//
// The text's operations are written here without a way out at each check. The
// first check that fails is remembered; what stands behind it is gone through
// without effect; at the end all is put back and the fault is what is left.
type course struct {
	*machine
	hidden

	saved struct { // what a fault goes back to
		regs diff.Regs
		hidden
	}
	stored []stored // what is in memory there, in the order of the stores
	fault  *fault   // of the first check that failed
	ext    uint32   // EXT of the error codes
	last   event    // delivered last

	from uint64 // RIP of the instruction, 0 in a delivery
	dead bool   // shutdown, by an oddity

	oddities Oddities // to be shown
	met      Oddities // that have made a difference
}

// hidden are segment registers whole, and the CPL.
type hidden struct {
	seg      [6]descriptor
	ldtr, tr descriptor
	cpl      uint64
}

// The segment registers' places in diff.Regs.
const (
	regES = iota
	regCS
	regSS
	regDS
	regFS
	regGS
)

const regESP = 4

// stored is a byte of the arena before a store.
type stored struct {
	physical uint64
	was      byte
}

// fault is an exception that a check has.
type fault struct {
	vector uint8
	code   uint32
	cr2    uint64
}

// The exceptions of checks, with their error code: a selector (its RPL does not
// count), 0, or vector * 8 + IDT.
func ts(code uint64) fault { return fault{vector: 10, code: uint32(code)} }
func np(code uint64) fault { return fault{vector: 11, code: uint32(code)} }
func ss(code uint64) fault { return fault{vector: 12, code: uint32(code)} }
func gp(code uint64) fault { return fault{vector: 13, code: uint32(code)} }

// newCourse gives a machine's selectors what their descriptors say, as loads
// before the case have done.
func newCourse(m *machine) *course {
	x := &course{machine: m}
	load := func(s uint16) descriptor {
		if isNull(s) {
			return nullDescriptor(s)
		}
		d, _ := x.lookUp(s)
		return d
	}
	x.ldtr = load(m.regs.LDTR)
	x.tr = load(m.regs.TR)
	for _, d := range []*descriptor{&x.ldtr, &x.tr} {
		if x.eferLMA() && !d.null {
			d.high = x.readTable(d.at+8, 8)
		}
	}
	for i, s := range m.regs.Seg {
		if x.vm() {
			x.seg[i] = v86Descriptor(s)
		} else {
			x.seg[i] = load(s)
		}
	}
	x.cpl = uint64(m.regs.Seg[regCS] & 3)
	if x.vm() {
		x.cpl = 3
	}
	x.fault = nil
	return x
}

func (x *course) vm() bool     { return bit(x.regs.RFLAGS, 17) }
func (x *course) nt() bool     { return bit(x.regs.RFLAGS, 14) }
func (x *course) iopl() uint64 { return bits(x.regs.RFLAGS, 13, 12) }

// mode64 tells 64-bit mode from compatibility mode, and from protected mode.
func (x *course) mode64() bool { return x.eferLMA() && x.seg[regCS].l() }

// begin begins an operation.
func (x *course) begin(ext uint32) {
	x.ext, x.fault = ext, nil
	x.settle()
}

// settle makes what has happened so far stay, whatever comes.
func (x *course) settle() {
	if x.fault == nil {
		x.saved.regs, x.saved.hidden, x.stored = x.regs, x.hidden, nil
	}
}

// end tells the fault of an operation. What it had changed is put back; CR2 is loaded with
// the linear address that caused a page fault.
func (x *course) end() *fault {
	if x.fault == nil {
		return nil
	}
	x.regs, x.hidden = x.saved.regs, x.saved.hidden
	if x.asks(HalfAFrame) && len(x.stored) > 0 {
		x.met |= 1 << HalfAFrame
		x.stored = nil
	}
	for i := len(x.stored) - 1; i >= 0; i-- {
		x.at(x.stored[i].physical, 1)[0] = x.stored[i].was
	}
	if x.fault.vector == 14 {
		x.regs.CR2 = x.fault.cr2
	}
	return x.fault
}

// need is a check: if it does not hold, f is the operation's fault. EXT is bit 0 of
// error codes.
func (x *course) need(holds bool, f fault) {
	if x.fault == nil && !holds {
		if !x.odd(NoEXT, x.ext != 0) {
			f.code |= x.ext
		}
		if x.odd(DoubledVectorCode, x.eferLMA() && bit(uint64(f.code), 1) && f.vector != 14) {
			f.code = f.code>>3<<4 | f.code&7
		}
		x.fault = &f
	}
}

// reach translates a linear address for an access, or page faults.
func (x *course) reach(linear uint64, a access) uint64 {
	if x.fault != nil {
		return 0
	}
	if !x.eferLMA() {
		linear = bits(linear, 31, 0)
	}
	if x.eferLMA() && !x.canonical(linear) {
		x.need(false, gp(0))
		return 0
	}
	a.linear = linear
	t, o := x.translate(linear)
	if o != translated || !x.allowed(t, a) {
		x.fault = &fault{14, x.errorCode(t, o, a), linear}
		return 0
	}
	x.setAccessedAndDirty(t, a)
	return t.physical
}

// reachAll is reach for each of several bytes: if one page of them is missing, nothing
// has been done to the other.
func (x *course) reachAll(linear uint64, size int, a access) []uint64 {
	if last := linear + uint64(size) - 1; last>>12 != linear>>12 && x.fault == nil {
		first, o := x.translate(bits(linear, 63, 0))
		if o == translated && x.allowed(first, a) {
			x.reach(last>>12<<12, a)
		}
	}
	physical := make([]uint64, size)
	for i := range physical {
		physical[i] = x.reach(linear+uint64(i), a)
	}
	if x.fault != nil {
		return nil
	}
	return physical
}

func (x *course) read(linear uint64, size int, a access) (v uint64) {
	for i, p := range x.reachAll(linear, size, a) {
		if b := x.at(p, 1); b != nil {
			v |= uint64(b[0]) << (8 * i)
		}
	}
	return v
}

func (x *course) write(linear uint64, size int, v uint64, a access) {
	a.write = true
	for i, p := range x.reachAll(linear, size, a) {
		if b := x.at(p, 1); b != nil {
			x.stored = append(x.stored, stored{p, b[0]})
			b[0] = byte(v >> (8 * i))
		}
	}
}

// readTable and writeTable access descriptor tables and task states: accesses to them
// are implicit supervisor-mode accesses, whatever the CPL. [SDM 3A, Determination of Access Rights]
func (x *course) readTable(linear uint64, size int) uint64 {
	return x.read(linear, size, access{implicit: true})
}

func (x *course) writeTable(linear uint64, size int, v uint64) {
	x.write(linear, size, v, access{implicit: true})
}

// stack is a stack being pushed to or popped from.
type stack struct {
	ss     descriptor
	sp     uint64 // RSP, ESP or SP in its place
	mode64 bool   // no base, no limit, addresses canonical
	full   fault  // of a push that it has no room for
	inner  bool   // an oddity: they are not, since the code's DPL is not 3
	user   bool   // accesses are user-mode accesses: the CPL that uses it is 3
}

// currentStack is the one of SS:RSP.
func (x *course) currentStack() *stack {
	return &stack{ss: x.seg[regSS], sp: x.regs.GPR[regESP], mode64: x.mode64(), user: x.cpl == 3}
}

// stackOfOperand is the current stack, for an instruction with an operand size.
func (x *course) stackOfOperand(size int) *stack {
	s := x.currentStack()
	if x.odd(StackPointer32, s.mode64 && size < 8 && (s.sp>>32 != 0 || !s.ss.db())) {
		s.mode64 = false
	}
	return s
}

// width is the number of bits of the stack pointer: 64 in 64-bit mode, else 32 or 16 by the
// B flag of the stack segment. [SDM 3A, Stack Alignment; SDM 1, Stack Segment]
func (s *stack) width() uint {
	switch {
	case s.mode64:
		return 64
	case s.ss.db():
		return 32
	}
	return 16
}

// offset is the stack pointer n bytes up, at the stack's width.
func (s *stack) offset(n uint64) uint64 { return bits(s.sp+n, s.width()-1, 0) }

// move moves the stack pointer n bytes up. Of a 16-bit one the bits above stay; of a 32-bit one they are lost.
func (s *stack) move(n uint64) {
	if s.width() == 16 {
		s.sp = s.sp>>16<<16 | s.offset(n)
		return
	}
	s.sp = s.offset(n)
}

// within tells whether size bytes at an offset lie in the stack segment: within its limit, or in 64-bit
// mode at canonical addresses. [SDM 3A, Limit Checking; SDM 1, Canonical Addressing]
func (x *course) within(s *stack, offset uint64, size int) bool {
	if x.odd(NoStackLimit, !s.mode64 && !x.withinLimit(s, offset, size)) {
		return true
	}
	if x.odd(HoleIsGP, s.mode64 && !x.withinLimit(s, offset, size)) {
		return true
	}
	return x.withinLimit(s, offset, size)
}

func (x *course) withinLimit(s *stack, offset uint64, size int) bool {
	last := offset + uint64(size) - 1
	switch {
	case s.mode64:
		return x.canonical(offset) && x.canonical(last)
	case s.ss.null:
		return false
	case s.ss.expandDown() && s.ss.db():
		// The range of an expand-down segment is from the limit plus 1 to FFFFFFFFH, if the B
		// flag is set.
		return offset > s.ss.limit() && last <= 0xffffffff
	case s.ss.expandDown():
		// Else to FFFFH.
		return offset > s.ss.limit() && last <= 0xffff
	}
	return last <= s.ss.limit()
}

// room is the check that a stack has room for n words that will be pushed.
func (x *course) room(s *stack, n, size int, f fault) {
	s.full = f
	for i := 1; i <= n; i++ {
		if x.odd(ByWord, !x.within(s, s.offset(-uint64(i*size)), size)) {
			return
		}
	}
	for i := 1; i <= n; i++ {
		x.need(x.within(s, s.offset(-uint64(i*size)), size), f)
	}
}

// present is the check that the n words from skip bytes up are in the stack.
func (x *course) present(s *stack, skip uint64, n, size int) {
	if x.asks(PopFromTop) && x.fault == nil {
		for i := n - 1; i >= 0; i-- {
			at := s.offset(skip + uint64(i*size))
			x.need(x.within(s, at, size), ss(0))
			x.read(s.linear(at), size, x.access(s, s.linear(at), false))
		}
		if x.fault != nil {
			x.met |= 1 << PopFromTop
		}
	}
	for i := range n {
		x.need(x.within(s, s.offset(skip+uint64(i*size)), size), ss(0))
	}
}

func (s *stack) linear(offset uint64) uint64 {
	if s.mode64 {
		return offset
	}
	return bits(s.ss.base()+offset, 31, 0)
}

// access is an access to a stack, with the rights of the level that uses it.
func (x *course) access(s *stack, linear uint64, write bool) access {
	a := access{userMode: s.user, write: write}
	for _, at := range []uint64{linear, linear + 7} {
		t, o := x.translate(at)
		fails := s.user && (o != translated || !x.allowed(t, a))
		if x.odd(SupervisorFrame, fails) || s.inner && x.odd(RightsOfDPL, fails) {
			return access{write: write}
		}
	}
	return a
}

func (x *course) push(s *stack, size int, v uint64) {
	s.move(-uint64(size))
	if x.asks(ByWord) {
		x.need(x.within(s, s.offset(0), size), s.full)
	}
	linear := s.linear(s.offset(0))
	x.write(linear, size, v, x.access(s, linear, true))
}

func (x *course) pop(s *stack, size int) uint64 {
	linear := s.linear(s.offset(0))
	v := x.read(linear, size, x.access(s, linear, false))
	s.move(uint64(size))
	return v
}

// inCode is the check that an instruction pointer lies in a code segment: in 64-bit code that it is
// canonical.
func (x *course) inCode(cs descriptor, ip uint64) {
	holds := x.isInCode(cs, ip)
	if !x.odd(NoTargetCheck, !holds) { // then it shows at the fetch, if at all
		x.need(holds, gp(0))
	}
}

func (x *course) isInCode(cs descriptor, ip uint64) bool {
	if x.eferLMA() && cs.l() {
		return x.canonical(ip)
	}
	return ip <= cs.limit()
}
