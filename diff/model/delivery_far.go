package model

// target is a descriptor that JMP and CALL may name, with the checks that come first.
// [SDM 2, JMP—Jump; CALL—Call Procedure]
func (x *course) target(selector uint16) descriptor {
	// IF segment selector in target operand is NULL THEN #GP(0).
	x.need(!isNull(selector), gp(0))
	// IF segment selector index not within descriptor table limits THEN #GP(new selector).
	d := x.find(selector, gp(code(selector)))
	if x.eferLMA() {
		// IF IA32_EFER.LMA = 1 and segment type is not a conforming or nonconforming code segment or
		// 64-bit call gate THEN #GP(segment selector).
		x.need(d.isCode() || d.system() == callGate32, gp(code(selector)))
		return d
	}
	switch d.system() {
	case callGate16, callGate32, taskGate, tss16Available, tss16Busy, tss32Available, tss32Busy:
	default:
		// IF IA32_EFER.LMA = 0 and segment type is not a conforming or nonconforming code segment, call
		// gate, task gate, or TSS THEN #GP(segment selector).
		x.need(d.isCode(), gp(code(selector)))
	}
	return d
}

// codeSegment is the checks of CONFORMING-CODE-SEGMENT and NONCONFORMING-CODE-SEGMENT.
func (x *course) codeSegment(d descriptor, selector uint16) {
	f := gp(code(selector))
	// IF L-Bit = 1 and D-BIT = 1 and IA32_EFER.LMA = 1 THEN #GP(new code segment selector).
	x.noLD(d, selector)
	if d.conforming() {
		// IF DPL > CPL THEN #GP(segment selector).
		x.need(d.dpl() <= x.cpl, f)
	} else {
		// IF (RPL > CPL) OR (DPL ≠ CPL) THEN #GP(code segment selector).
		x.need(rpl(selector) <= x.cpl && d.dpl() == x.cpl, f)
	}
	// IF segment not present THEN #NP(segment selector).
	x.need(d.p(), np(code(selector)))
}

// noLD is the check of code whose L and D flags must not both be 1 in IA-32e mode.
func (x *course) noLD(cs descriptor, selector uint16) {
	holds := !x.eferLMA() || !cs.l() || !cs.db()
	if !x.odd(NoLDCheck, !holds) {
		x.need(holds, gp(code(selector)))
	}
}

// gate is the checks of CALL-GATE; it gives the gate whole and the code segment.
func (x *course) gate(g descriptor, jump bool) (descriptor, descriptor) {
	f := gp(code(g.selector))
	if x.eferLMA() {
		// The upper 8 bytes too must be within the table, and their type field 0, else
		// #GP(gate selector). [SDM 3A, IA-32e Mode Call Gates]
		if x.odd(UpperHalfLate, !g.p() && g.dpl() >= x.cpl && g.dpl() >= rpl(g.selector)) {
			x.need(false, np(code(g.selector)))
		}
		x.need(x.inTable(g.selector, 16), f)
		g.high = x.readTable(g.at+8, 8)
		x.need(!anyBit(g.high, 44, 40), f)
	}
	// IF call gate DPL < CPL or RPL THEN #GP(call-gate selector).
	x.need(g.dpl() >= x.cpl && g.dpl() >= rpl(g.selector), f)
	// IF call gate not present THEN #NP(call-gate selector).
	x.need(g.p(), np(code(g.selector)))
	selector := g.gateSelector()
	// IF call-gate code-segment selector is NULL THEN #GP(0).
	x.need(!isNull(selector), gp(0))
	// IF call-gate code-segment selector index is outside descriptor table limits THEN #GP(code segment selector).
	f = gp(code(selector))
	cs := x.find(selector, f)
	// IF code-segment segment descriptor does not indicate a code segment THEN #GP(code segment selector).
	x.need(cs.isCode(), f)
	// IF IA32_EFER.LMA = 1 and (code-segment descriptor is not a 64-bit segment) THEN #GP(code segment selector).
	x.need(!x.eferLMA() || cs.is64(), f)
	if jump && !cs.conforming() {
		// JMP: IF code-segment segment descriptor is non-conforming and DPL ≠ CPL THEN #GP(code segment selector).
		x.need(cs.dpl() == x.cpl, f)
	} else {
		// CALL, and JMP to conforming code: IF code-segment segment descriptor DPL > CPL THEN #GP(code segment selector).
		x.need(cs.dpl() <= x.cpl, f)
	}
	// IF code segment is not present THEN #NP(code-segment selector).
	if x.odd(AbsentGateCodeGP, jump && !cs.p()) {
		x.need(false, f)
	}
	x.need(cs.p(), np(code(selector)))
	return g, cs
}

// jmp is JMP to another segment in protected and IA-32e mode. [SDM 2, JMP—Jump]
func (x *course) jmp(selector uint16, offset, next uint64) {
	if x.vm() {
		x.inCode(x.seg[regCS], offset)
		x.seg[regCS], x.regs.RIP = v86Descriptor(selector), offset
		return
	}
	d := x.target(selector)
	switch {
	case x.fault != nil:
	case d.s():
		x.codeSegment(d, selector)
		x.goTo(d, selector, offset)
	case d.system() == callGate16 || d.system() == callGate32:
		g, cs := x.gate(d, true)
		x.goTo(cs, g.gateSelector(), g.gateOffset())
	case d.system() == taskGate:
		x.farSwitch(x.farTaskGate(d), withoutNesting, next)
	default:
		x.farSwitch(x.farTSS(d), withoutNesting, next)
	}
}

// goTo loads CS:EIP at the same CPL, which becomes the RPL of CS.
func (x *course) goTo(cs descriptor, selector uint16, offset uint64) {
	if x.odd(TargetCut32, x.eferLMA() && !cs.l() && offset>>32 != 0) {
		offset = bits(offset, 31, 0)
	}
	// IF the offset is not within the new code segment limit, or not canonical in 64-bit code, THEN #GP(0).
	if x.asks(NoTargetCheck) && !(x.eferLMA() && cs.l()) {
		x.need(x.isInCode(cs, offset), gp(0)) // this one is made
	} else {
		x.inCode(cs, offset)
	}
	x.load(regCS, cs, selector>>2<<2|uint16(x.cpl))
	x.regs.RIP = offset
}

// limitOfTarget is the check of a direct jump's offset where its error is another.
func (x *course) limitOfTarget(cs descriptor, selector uint16, offset uint64, checked bool) {
	if x.odd(LimitErrorIsSelector, checked && offset > cs.limit()) {
		x.need(false, gp(code(selector)))
	}
}

// farTaskGate is TASK-GATE of JMP and CALL.
func (x *course) farTaskGate(g descriptor) descriptor {
	// IF task gate DPL < CPL or RPL THEN #GP(task gate selector).
	x.need(g.dpl() >= x.cpl && g.dpl() >= rpl(g.selector), gp(code(g.selector)))
	// IF task gate not present THEN #NP(task gate selector).
	x.need(g.p(), np(code(g.selector)))
	return x.taskOfGate(g.gateSelector())
}

// farTSS is TASK-STATE-SEGMENT of JMP and CALL.
func (x *course) farTSS(d descriptor) descriptor {
	f := gp(code(d.selector))
	// IF TSS DPL < CPL or RPL or TSS descriptor indicates TSS not available THEN #GP(TSS selector).
	x.need(d.dpl() >= x.cpl && d.dpl() >= rpl(d.selector), f)
	x.need(!bit(uint64(d.selector), 2), f)
	x.need(d.system() == tss16Available || d.system() == tss32Available, f)
	// IF TSS is not present THEN #NP(TSS selector).
	x.need(d.p(), np(code(d.selector)))
	return d
}

func (x *course) farSwitch(tss descriptor, how nesting, next uint64) {
	x.switchTask(tss, how, next, x.regs.RFLAGS)
	// IF EIP not within code segment limit THEN #GP(0).
	x.need(x.isInCode(x.seg[regCS], x.regs.RIP), gp(0))
}

// call is CALL to another segment in protected and IA-32e mode. [SDM 2, CALL—Call Procedure]
func (x *course) call(selector uint16, offset uint64, size int, next uint64) {
	if x.vm() {
		s := x.currentStack()
		x.room(s, 2, size, ss(0))
		x.inCode(x.seg[regCS], offset)
		x.push(s, size, uint64(x.seg[regCS].selector))
		x.push(s, size, next)
		x.seg[regCS], x.regs.RIP, x.regs.GPR[regESP] = v86Descriptor(selector), offset, s.sp
		return
	}
	d := x.target(selector)
	switch {
	case x.fault != nil:
	case d.s():
		x.codeSegment(d, selector)
		s := x.stackOfOperand(size)
		if x.odd(CompatPush, x.eferLMA() && s.mode64 != d.l()) {
			s.mode64 = d.l()
		}
		x.callTo(d, s, selector, offset, size, next, size < 8)
	case d.system() == callGate16 || d.system() == callGate32:
		g, cs := x.gate(d, false)
		if x.fault == nil && !cs.conforming() && cs.dpl() < x.cpl {
			x.morePrivilege(g, cs, next)
		} else {
			s := x.currentStack()
			// A 64-bit call gate: IF pushing 16 bytes on the stack touches non-canonical addresses THEN #SS(0).
			// CS is loaded first, so that it is a stack of 64-bit mode, from compatibility mode too.
			s.mode64 = x.eferLMA()
			x.callTo(cs, s, g.gateSelector(), x.offsetOf(g), x.wordOfGate(g), next, false)
			if x.odd(CallGateRPL, cs.dpl() != x.cpl) {
				x.seg[regCS].selector = g.gateSelector()>>2<<2 | uint16(cs.dpl())
			}
		}
	case d.system() == taskGate:
		x.farSwitch(x.farTaskGate(d), withNesting, next)
	default:
		x.farSwitch(x.farTSS(d), withNesting, next)
	}
}

// callTo calls code at the same CPL.
func (x *course) callTo(cs descriptor, s *stack, selector uint16, offset uint64, size int, next uint64, checked bool) {
	s.inner = x.eferLMA() && cs.dpl() != 3
	if x.odd(TargetCut32, x.eferLMA() && !cs.l() && offset>>32 != 0) {
		offset = bits(offset, 31, 0)
	}
	// IF stack not large enough for return address THEN #SS(0).
	x.room(s, 2, size, ss(0))
	// IF instruction pointer not within the code segment limits THEN #GP(0): before the pushes.
	late := x.odd(PushBeforeTarget, !x.isInCode(cs, offset))
	if !late {
		x.inCode(cs, offset)
	}
	x.push(s, size, uint64(x.seg[regCS].selector))
	x.push(s, size, next)
	x.limitOfTarget(cs, selector, offset, checked)
	x.need(!late, gp(0))
	x.load(regCS, cs, selector>>2<<2|uint16(x.cpl))
	x.regs.RIP = offset
	x.regs.GPR[regESP] = s.sp
}

// morePrivilege is MORE-PRIVILEGE of CALL.
func (x *course) morePrivilege(g, cs descriptor, next uint64) {
	cpl, size := cs.dpl(), x.wordOfGate(g)
	var s *stack
	parameters := 0
	if x.eferLMA() {
		s = x.innerRSP(cpl, 0)
		s.ss = nullDescriptor(uint16(cpl))
		x.canonicalRSP(s)
		// IF pushing 32 bytes on new stack would use a non-canonical address THEN #SS(NewSS): a null selector.
		x.room(s, 4, size, ss(0))
	} else {
		s = x.innerStack(cpl)
		parameters = g.parameters()
	}
	// temp := parameter count from call gate, masked to 5 bits: the parameters from the calling procedure's stack.
	from := x.currentStack()
	fromTop := x.asks(ParametersFromTop)
	words := make([]uint64, parameters)
	if !fromTop {
		x.present(from, 0, parameters, size)
		for i := range words {
			words[i] = x.pop(from, size)
		}
	}
	if !x.eferLMA() {
		// IF new stack does not have room for parameters plus SS:ESP and CS:EIP THEN #SS(NewSS).
		x.room(s, parameters+4, size, ss(code(s.ss.selector)))
	}
	// IF CallGate(InstructionPointer) not within new code-segment limit THEN #GP(0).
	late := x.odd(PushBeforeTarget, !x.isInCode(cs, x.offsetOf(g)))
	if !late {
		x.inCode(cs, x.offsetOf(g))
	}
	x.push(s, size, uint64(x.seg[regSS].selector))
	x.push(s, size, x.regs.GPR[regESP])
	for i := len(words) - 1; i >= 0; i-- {
		if fromTop && x.fault == nil {
			at := from.linear(from.offset(uint64(i * size)))
			words[i] = x.read(at, size, x.access(from, at, false))
			if x.fault != nil {
				x.met |= 1 << ParametersFromTop
			}
		}
		x.push(s, size, words[i])
	}
	x.push(s, size, uint64(x.seg[regCS].selector))
	x.push(s, size, next)
	x.need(!late, gp(0))
	if fromTop && parameters > 0 && x.fault != nil {
		x.met |= 1 << ParametersFromTop // it may have hidden a fault of theirs
	}
	x.cpl = cpl
	if x.odd(CallGateCPL0, x.eferLMA() && cpl != 0) {
		x.cpl = 0
	}
	x.load(regCS, cs, g.gateSelector()>>2<<2|uint16(cpl))
	if x.eferLMA() {
		x.seg[regSS] = s.ss
	} else {
		x.load(regSS, s.ss, s.ss.selector)
	}
	x.regs.RIP, x.regs.GPR[regESP] = x.offsetOf(g), s.sp
}

// movToSegment is MOV to a segment register in protected and IA-32e mode. [SDM 2, MOV—Move]
func (x *course) movToSegment(register int, selector uint16) {
	switch {
	case x.vm():
		x.seg[register] = v86Descriptor(selector)
	case register == regSS:
		x.loadSS(selector)
	case isNull(selector):
		// IF DS, ES, FS, or GS is loaded with NULL selector THEN SegmentRegister := segment selector.
		x.seg[register] = nullDescriptor(selector)
	default:
		d := x.dataSegment(selector, gp(code(selector)))
		x.loadAccessed(register, d, selector)
	}
}

func (x *course) loadSS(selector uint16) {
	if isNull(selector) {
		// IF segment selector is NULL THEN #GP(0); in 64-bit mode it is allowed if CPL < 3 and the RPL is the CPL.
		holds := x.mode64() && x.cpl < 3 && rpl(selector) == x.cpl
		if x.odd(NullSSLoadAnywhere, x.mode64() && x.cpl < 3 && (!holds || x.cpl != 0)) {
			x.cpl, holds = 0, true
		}
		x.need(holds, gp(0))
		x.seg[regSS] = nullDescriptor(selector)
		return
	}
	f := gp(code(selector))
	// IF segment selector index is outside descriptor table limits, or segment selector's RPL ≠ CPL, or segment
	// is not a writable data segment, or DPL ≠ CPL THEN #GP(selector).
	d := x.find(selector, f)
	x.need(rpl(selector) == x.cpl && d.writable() && d.dpl() == x.cpl, f)
	// IF segment not marked present THEN #SS(selector).
	x.need(d.p(), ss(code(selector)))
	x.loadAccessed(regSS, d, selector)
}

// dataSegment is the checks of a segment for DS, ES, FS or GS; f is the fault of all checks but that of presence.
func (x *course) dataSegment(selector uint16, f fault) descriptor {
	// IF segment selector index is outside descriptor table limits, or segment is not a data or readable
	// code segment, or ((segment is a data or nonconforming code segment) AND ((RPL > DPL) or (CPL > DPL))) THEN #GP(selector).
	d := x.find(selector, f)
	x.need(d.s() && d.readable(), f)
	x.need(d.conforming() || rpl(selector) <= d.dpl() && x.cpl <= d.dpl(), f)
	// IF segment not marked present THEN #NP(selector).
	x.need(d.p(), np(code(selector)))
	return d
}
