package model

// event is an interrupt or exception on its way to a handler.
type event struct {
	vector   uint8
	source   source
	hasCode  bool
	code     uint32
	fault    bool   // of the class of faults
	returnTo uint64 // the instruction pointer that is saved
}

// source is where an event comes from.
type source int

const (
	byProcessor       source = iota // an exception
	softwareInterrupt               // INT n, INT3, INTO
	int1                            // INT1
)

// exception is one of the exceptions of the processor, by its vector.
// [SDM 3A, Exception Summary; Protected-Mode Exceptions and Interrupts]
func exception(vector uint8, code uint32, ip uint64) event {
	e := event{vector: vector, code: code, returnTo: ip}
	switch vector {
	case 8, 10, 11, 12, 13, 14, 17:
		e.hasCode = true
	}
	switch vector {
	case 0, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 17, 19:
		e.fault = true
	}
	return e
}

// class is the class of an event. [SDM 3A, Interrupt and Exception Classes]
type class int

const (
	benign class = iota
	contributory
	pageFault
	doubleFault
)

func (e event) class() class {
	// Benign are INT n and all interrupts, whatever their vector.
	if e.source != byProcessor {
		return benign
	}
	switch e.vector {
	case 0, 10, 11, 12, 13:
		// Divide Error, Invalid TSS, Segment Not Present, Stack Fault, General Protection.
		return contributory
	case 14:
		return pageFault
	case 8:
		return doubleFault
	}
	return benign
}

// EXT is 1 if the exception occurred during delivery of an event external to the
// program, such as an interrupt or an earlier exception; it is 0 during delivery of INT
// n, INT3 or INTO. [SDM 3A, Error Code]
func (e event) ext() uint32 {
	if e.source == softwareInterrupt {
		return 0
	}
	return 1
}

// deliver delivers an event, or what becomes of it; false is shutdown.
// [SDM 3A, Interrupt 8—Double Fault Exception (#DF)]
func (x *course) deliver(first event) bool {
	x.from = 0
	for {
		x.begin(first.ext())
		x.interrupt(first)
		f := x.end()
		if f == nil {
			x.last = first
			return true
		}
		second := exception(f.vector, f.code, x.regs.RIP)
		switch {
		case first.class() == doubleFault && second.class() != benign:
			// A contributory or page fault exception while the processor is attempting to
			// call the double fault handler: it enters shutdown mode.
			return false
		case first.class() == contributory && second.class() == contributory,
			first.class() == pageFault && second.class() == contributory,
			first.class() == pageFault && second.class() == pageFault:
			// Generate a double fault. Its error code is always 0.
			first = exception(8, 0, x.regs.RIP)
		default:
			// Handle the exceptions serially.
			first = second
		}
	}
}

// flagsImage is EFLAGS as it is saved. For any fault-class exception the value pushed for
// RF is 1; for software interrupts 0, as it was cleared at their start; else the flag's
// own. [SDM 3B, Instruction-Breakpoint Exception Condition]
func (x *course) flagsImage(e event) uint64 {
	switch {
	case e.source != byProcessor && !x.odd(SoftwareRF, bit(x.regs.RFLAGS, 16)):
		return x.regs.RFLAGS &^ (1 << 16)
	case e.source == byProcessor && e.fault && !x.odd(NoRF, !bit(x.regs.RFLAGS, 16)),
		e.source == byProcessor && e.vector == 8 && x.odd(DFSetsRF, !bit(x.regs.RFLAGS, 16)):
		return x.regs.RFLAGS | 1<<16
	}
	return x.regs.RFLAGS
}

// interrupt is the operation of INT n in protected and IA-32e mode.
// [SDM 2, INT n/INTO/INT3/INT1—Call to Interrupt Procedure]
func (x *course) interrupt(e event) {
	size := uint64(8)
	if x.eferLMA() {
		size = 16
	}
	vector := uint64(e.vector)
	// PROTECTED-MODE: IF ((vector_number « 3) + 7) is not within IDT limits (in IA-32e mode,
	// (vector_number « 4) + 15) THEN #GP(error_code(vector_number,1,EXT)).
	x.need(vector*size+size-1 <= uint64(x.regs.IDTR.Limit), gp(vector*8+2))
	gate := descriptor{value: x.readTable(x.regs.IDTR.Base+vector*size, 8)}
	if x.eferLMA() {
		gate.high = x.readTable(x.regs.IDTR.Base+vector*size+8, 8)
	}
	switch gate.system() {
	case interruptGate32, trapGate32:
	case interruptGate16, trapGate16, taskGate:
		// IA-32e-MODE: IF selected IDT descriptor is not an interrupt- or trap-gate type THEN
		// #GP(error_code(vector_number,1,EXT)). The types of 16 bits and the task gate are
		// reserved there.
		x.need(!x.eferLMA(), gp(vector*8+2))
	default:
		// IF selected IDT descriptor is not an interrupt-, trap-, or task-gate type THEN
		// #GP(error_code(vector_number,1,EXT)).
		x.need(false, gp(vector*8+2))
	}
	if x.odd(GateLastWord, x.eferLMA() && anyBit(gate.high, 44, 40)) {
		x.need(false, gp(vector*8+2))
	}
	// IF software interrupt (does not apply to INT1) and gate DPL < CPL THEN
	// #GP(error_code(vector_number,1,0)).
	if e.source == softwareInterrupt {
		x.need(gate.dpl() >= x.cpl, gp(vector*8+2))
	}
	// IF gate not present THEN #NP(error_code(vector_number,1,EXT)).
	x.need(gate.p(), np(vector*8+2))
	if x.fault != nil {
		return
	}
	if gate.system() == taskGate {
		x.interruptTask(e, gate)
		return
	}
	x.trapOrInterruptGate(e, gate)
}

// interruptTask is TASK-GATE of INT n.
func (x *course) interruptTask(e event, gate descriptor) {
	tss := x.taskOfGate(gate.gateSelector())
	x.switchTask(tss, withNesting, e.returnTo, x.flagsImage(e))
	// IF interrupt caused by fault with error code: IF stack limit does not allow push of error code
	// THEN #SS(EXT); Push(error code).
	if x.asks(TaskEIPFirst) {
		x.need(x.isInCode(x.seg[regCS], x.regs.RIP), gp(0))
		if x.fault != nil {
			x.met |= 1 << TaskEIPFirst
		}
	}
	if e.hasCode {
		size := 2
		if x.tr.is32() {
			size = 4
		}
		s := x.currentStack()
		x.room(s, 1, size, ss(0))
		x.push(s, size, uint64(e.code))
		x.regs.GPR[regESP] = s.sp
		x.settle()
	}
	// IF EIP not within code segment limit THEN #GP(EXT).
	x.need(x.isInCode(x.seg[regCS], x.regs.RIP), gp(0))
}

// trapOrInterruptGate is TRAP-OR-INTERRUPT-GATE.
func (x *course) trapOrInterruptGate(e event, gate descriptor) {
	selector := gate.gateSelector()
	// IF new code-segment selector is NULL THEN #GP(EXT).
	x.need(!isNull(selector), gp(0))
	// IF new code-segment selector is not within its descriptor table limits THEN
	// #GP(error_code(new code-segment selector,0,EXT)).
	cs := x.find(selector, gp(code(selector)))
	// IF descriptor does not indicate a code segment or new code-segment DPL > CPL THEN
	// #GP(error_code(new code-segment selector,0,EXT)).
	x.need(cs.isCode() && cs.dpl() <= x.cpl, gp(code(selector)))
	if x.odd(PresenceBefore64, x.eferLMA() && !cs.is64() && !cs.p()) {
		x.need(false, np(code(selector)))
	}
	// In IA-32e mode the code segment must be a 64-bit one, else #GP of its selector.
	// [SDM 3A, 64-Bit Mode IDT]
	x.need(!x.eferLMA() || cs.is64(), gp(code(selector)))
	// IF new code-segment descriptor is not present THEN #NP(error_code(new code-segment
	// selector,0,EXT)).
	x.need(cs.p(), np(code(selector)))
	if x.fault != nil {
		return
	}
	switch {
	case !cs.conforming() && cs.dpl() < x.cpl && !x.vm():
		x.interPrivilege(e, gate, cs)
	case !cs.conforming() && cs.dpl() < x.cpl:
		// IF new code-segment DPL ≠ 0 THEN #GP(error_code(new code-segment selector,0,EXT)).
		if !x.odd(V86HandlerDPL, cs.dpl() != 0) && !x.asks(V86DPLLate) {
			x.need(cs.dpl() == 0, gp(code(selector)))
		}
		x.interPrivilege(e, gate, cs)
	default:
		// IF VM = 1 THEN #GP(error_code(new code-segment selector,0,EXT)).
		x.need(!x.vm(), gp(code(selector)))
		x.intraPrivilege(e, gate, cs)
	}
}

// interPrivilege is INTER-PRIVILEGE-LEVEL-INTERRUPT and INTERRUPT-FROM-VIRTUAL-8086-MODE.
func (x *course) interPrivilege(e event, gate, cs descriptor) {
	cpl := cs.dpl()
	size := x.wordOfGate(gate)
	words := 5
	if e.hasCode {
		words++
	}
	var s *stack
	var new descriptor
	if x.eferLMA() {
		s = x.innerRSP(cpl, gate.ist())
		s.user = cpl == 3
		new = nullDescriptor(uint16(cpl))
		// IF StackAddress is non-canonical THEN #SS(EXT): the error code has a null selector.
		x.canonicalRSP(s)
		// In IA-32e mode the RSP is aligned to a 16-byte boundary before pushing the stack frame.
		// [SDM 3A, IA-32e Mode Stack Frame]
		s.sp = s.sp >> 4 << 4
		x.room(s, words, size, ss(0))
	} else {
		s = x.innerStack(cpl)
		if x.asks(V86DPLLate) && x.vm() && cpl != 0 {
			if x.fault != nil {
				x.met |= 1 << V86DPLLate
			}
			x.need(false, gp(code(cs.selector)))
		}
		new = s.ss
		if x.vm() {
			words += 4
		}
		// IF new stack does not have room for the words pushed THEN #SS(error_code(NewSS,0,EXT)).
		x.room(s, words, size, ss(code(new.selector)))
	}
	// IF instruction pointer from IDT gate is not within new code-segment limits THEN #GP(EXT).
	late := x.eferLMA() && x.odd(PushBeforeTarget, !x.isInCode(cs, x.offsetOf(gate)))
	if !late {
		x.inCode(cs, x.offsetOf(gate))
	}
	if x.vm() && !x.eferLMA() {
		// Push GS, FS, DS, ES.
		for _, r := range []int{regGS, regFS, regDS, regES} {
			x.push(s, size, uint64(x.seg[r].selector))
		}
	}
	// Push far pointer to old stack, EFLAGS, far pointer to return instruction, ErrorCode.
	x.push(s, size, uint64(x.seg[regSS].selector))
	x.push(s, size, x.regs.GPR[regESP])
	x.pushReturn(s, size, e)
	x.need(!late, gp(0))
	if x.vm() && !x.eferLMA() {
		// GS, FS, DS, ES := 0.
		for _, r := range []int{regGS, regFS, regDS, regES} {
			old := x.seg[r].value
			x.seg[r] = nullDescriptor(0)
			if (r == regGS || r == regFS) && x.odd(V86BasesStay, x.seg[r].base() != old) {
				x.seg[r].value = old
			}
		}
	}
	// CPL := new code-segment DPL; CS(RPL) := CPL.
	x.enter(gate, cs, cpl)
	if x.eferLMA() {
		x.seg[regSS] = new
	} else {
		x.load(regSS, new, new.selector)
	}
	x.regs.GPR[regESP] = s.sp
}

// intraPrivilege is INTRA-PRIVILEGE-LEVEL-INTERRUPT.
func (x *course) intraPrivilege(e event, gate, cs descriptor) {
	size := x.wordOfGate(gate)
	words := 3
	s := x.currentStack()
	if x.eferLMA() {
		words = 5
		if gate.ist() != 0 {
			s = x.innerRSP(x.cpl, gate.ist())
		}
		s.mode64, s.user, s.inner = true, x.cpl == 3, cs.dpl() != 3
		// IF StackAddress is non-canonical THEN #SS(EXT).
		if gate.ist() != 0 {
			x.canonicalRSP(s)
		} else if !x.odd(HoleIsGP, !x.canonical(s.sp)) && !x.odd(ByWord, !x.canonical(s.sp)) {
			x.need(x.canonical(s.sp), ss(0))
		}
		s.sp = s.sp >> 4 << 4
	}
	if e.hasCode {
		words++
	}
	// IF current stack does not have room for the words pushed THEN #SS(EXT).
	x.room(s, words, size, ss(0))
	// IF instruction pointer not within code-segment limits THEN #GP(EXT).
	late := x.eferLMA() && x.odd(PushBeforeTarget, !x.isInCode(cs, x.offsetOf(gate)))
	if !late {
		x.inCode(cs, x.offsetOf(gate))
	}
	if x.eferLMA() {
		x.push(s, size, uint64(x.seg[regSS].selector))
		x.push(s, size, x.regs.GPR[regESP])
	}
	x.pushReturn(s, size, e)
	x.need(!late, gp(0))
	if x.odd(ISTNullSS, x.eferLMA() && gate.ist() != 0 && uint64(x.seg[regSS].selector) != x.cpl) {
		x.seg[regSS] = nullDescriptor(uint16(x.cpl))
	}
	x.enter(gate, cs, x.cpl)
	x.regs.GPR[regESP] = s.sp
}

// pushReturn pushes what every frame ends with.
func (x *course) pushReturn(s *stack, size int, e event) {
	x.push(s, size, x.flagsImage(e))
	x.push(s, size, uint64(x.seg[regCS].selector))
	x.push(s, size, e.returnTo)
	if e.hasCode {
		x.push(s, size, uint64(e.code))
	}
}

// enter loads CS:EIP from a gate, the CPL, and the flags of a handler: TF, VM, RF and NT
// become 0, through an interrupt gate IF too.
func (x *course) enter(gate, cs descriptor, cpl uint64) {
	x.load(regCS, cs, cs.selector>>2<<2|uint16(cpl))
	x.regs.RIP = x.offsetOf(gate)
	x.cpl = cpl
	x.regs.RFLAGS &^= 1<<8 | 1<<17 | 1<<16 | 1<<14
	if t := gate.system(); t == interruptGate16 || t == interruptGate32 {
		x.regs.RFLAGS &^= 1 << 9
	}
}

// innerStack is the stack of a more privileged level, from the current TSS, and its checks.
// [SDM 2, INT n; CALL; SDM 3A, Stack Switching]
func (x *course) innerStack(cpl uint64) *stack {
	var sp uint64
	var selector uint16
	f := ts(code(x.tr.selector))
	if x.tr.is32() {
		// TSSstackAddress := (new code-segment DPL « 3) + 4; IF (TSSstackAddress + 5) > current
		// TSS limit THEN #TS(error_code(current TSS selector,0,EXT)).
		at := cpl<<3 + 4
		if x.odd(TSSReaches8, at+5 <= x.tr.limit() && at+7 > x.tr.limit()) {
			x.need(false, f)
		}
		x.need(at+5 <= x.tr.limit(), f)
		selector = uint16(x.readTable(x.tr.base()+at+4, 2))
		sp = x.readTable(x.tr.base()+at, 4)
	} else {
		// TSSstackAddress := (new code-segment DPL « 2) + 2; IF (TSSstackAddress + 3) > current
		// TSS limit THEN #TS(error_code(current TSS selector,0,EXT)).
		at := cpl<<2 + 2
		x.need(at+3 <= x.tr.limit(), f)
		selector = uint16(x.readTable(x.tr.base()+at+2, 2))
		sp = x.readTable(x.tr.base()+at, 2)
	}
	// IF NewSS is NULL THEN #TS(EXT).
	x.need(!isNull(selector), ts(0))
	// IF NewSS index is not within its descriptor-table limits or NewSS RPL ≠ new code-segment
	// DPL THEN #TS(error_code(NewSS,0,EXT)).
	d := x.find(selector, ts(code(selector)))
	x.need(rpl(selector) == cpl, ts(code(selector)))
	// IF new stack-segment DPL ≠ new code-segment DPL or new stack-segment descriptor does not
	// indicate writable data segment THEN #TS(error_code(NewSS,0,EXT)).
	x.need(d.dpl() == cpl && d.writable(), ts(code(selector)))
	// IF NewSS is not present THEN #SS(error_code(NewSS,0,EXT)).
	if x.odd(AbsentStackTS, !d.p()) {
		x.need(false, ts(code(selector)))
	}
	x.need(d.p(), ss(code(selector)))
	if old := x.regs.GPR[regESP]; x.odd(KeepsHighESP, !d.db() && old>>16 != sp>>16) {
		sp = old>>16<<16 | bits(sp, 15, 0)
	}
	return &stack{ss: d, sp: sp, user: cpl == 3}
}

// canonicalRSP is the check of a stack pointer from the TSS.
func (x *course) canonicalRSP(s *stack) {
	if x.odd(HoleNamesSS, !x.canonical(s.sp)) {
		x.need(false, ss(code(x.seg[regSS].selector)))
	}
	x.need(x.canonical(s.sp), ss(0))
}

// innerRSP is a stack pointer from the current 64-bit TSS.
func (x *course) innerRSP(cpl, ist uint64) *stack {
	// IF IDT-descriptor IST ≠ 0 THEN TSSstackAddress := (IST value « 3) + 28 ELSE TSSstackAddress :=
	// (new CPL « 3) + 4; IF (TSSstackAddress + 7) > current TSS limit THEN #TS(error_code(current
	// TSS selector,0,EXT)).
	at := cpl<<3 + 4
	if ist != 0 {
		at = ist<<3 + 28
	}
	x.need(at+7 <= x.tr.limit(), ts(code(x.tr.selector)))
	return &stack{mode64: true, sp: x.readTable(x.tr.base()+at, 8)}
}
