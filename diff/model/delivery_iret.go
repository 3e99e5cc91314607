package model

// iret is IRET in protected, compatibility, 64-bit and virtual-8086 mode.
// [SDM 2, IRET/IRETD/IRETQ—Interrupt Return]
func (x *course) iret(size int, next uint64) {
	switch {
	case x.vm():
		x.returnFromV86(size)
	case x.nt():
		x.taskReturn(next)
	default:
		x.protectedReturn(size)
	}
}

// returnFromV86 is RETURN-FROM-VIRTUAL-8086-MODE, without CR4.VME.
func (x *course) returnFromV86(size int) {
	// IF IOPL ≠ 3 THEN #GP(0).
	x.need(x.iopl() == 3, gp(0))
	s := x.currentStack()
	x.present(s, 0, 3, size)
	ip, cs, image := x.pop(s, size), x.pop(s, size), x.pop(s, size)
	// The instruction pointer must be within the code segment limit, else #GP(0).
	if !x.odd(V86NoTargetCheck, !x.isInCode(x.seg[regCS], ip)) {
		x.inCode(x.seg[regCS], ip)
	}
	x.regs.RIP = ip
	x.seg[regCS] = v86Descriptor(uint16(cs))
	x.regs.GPR[regESP] = s.sp
	// VM, IOPL, VIP and VIF are not modified by the pop.
	x.popFlags(image, size, 1<<9)
}

// taskReturn is TASK-RETURN, with the checks that the section on #TS has for it.
// [SDM 3A, Interrupt 10—Invalid TSS Exception (#TS)]
func (x *course) taskReturn(next uint64) {
	// IF IA32_EFER.LMA = 1 THEN #GP(0).
	x.need(!x.eferLMA(), gp(0))
	link := uint16(x.readTable(x.tr.base(), 2))
	// Local/global bit is set to local, index not within GDT limits, or TSS not busy: #TS(TSS selector).
	x.need(!bit(uint64(link), 2), ts(code(link)))
	d := x.find(link, ts(code(link)))
	x.need(d.system() == tss16Busy || d.system() == tss32Busy, ts(code(link)))
	// IF TSS not present THEN #NP(TSS selector).
	x.need(d.p(), np(code(link)))
	x.switchTask(d, byReturn, next, x.regs.RFLAGS)
	// IF EIP is not within code segment limit THEN #GP(0).
	x.need(x.isInCode(x.seg[regCS], x.regs.RIP), gp(0))
}

// protectedReturn is an IRET with NT = 0.
func (x *course) protectedReturn(size int) {
	s := x.stackOfOperand(size)
	x.present(s, 0, 3, size)
	ip, selector, image := x.pop(s, size), uint16(x.pop(s, size)), x.pop(s, size)
	if x.fault != nil {
		return
	}
	// IF tempEFLAGS(VM) = 1 and CPL = 0 THEN RETURN-TO-VIRTUAL-8086-MODE: not in IA-32e mode.
	toV86 := x.cpl == 0 && !x.eferLMA()
	if bit(image, 17) && (toV86 || x.odd(VMAnywhere, size == 4)) {
		x.returnToV86(s, ip, selector, image)
		return
	}
	cs := x.returnCode(selector)
	flags := x.cplFlags(size, image)
	// In 64-bit mode the stack pointer is popped unconditionally.
	// [SDM 3A, IRET in IA-32e Mode]
	if rpl(selector) > x.cpl || x.mode64() && !x.odd(IRETNoSS, size < 8) {
		x.present(s, 0, 2, size)
		sp, stackSelector := x.pop(s, size), uint16(x.pop(s, size))
		x.returnOuter(cs, selector, ip, stackSelector, sp)
	} else {
		// IF instruction pointer is not within the return code segment limits THEN #GP(0).
		x.inCode(cs, ip)
		x.load(regCS, cs, selector)
		x.regs.RIP, x.regs.GPR[regESP] = ip, s.sp
	}
	x.popFlags(image, size, flags)
}

// cplFlags are the flags that an IRET may change by its CPL before: IF if CPL ≤ IOPL; IOPL, and with an operand of 32 or 64
// bits VIF and VIP, if CPL = 0.
func (x *course) cplFlags(size int, image uint64) (flags uint64) {
	if x.cpl <= x.iopl() {
		flags |= 1 << 9
	}
	if x.cpl == 0 {
		flags |= 3 << 12
	}
	if x.cpl == 0 && size > 2 && !x.odd(NoVIF, bits(x.regs.RFLAGS^image, 20, 19) != 0) {
		flags |= 1<<19 | 1<<20
	}
	return flags
}

// popFlags takes CF, PF, AF, ZF, SF, TF, DF, OF and NT from an image, RF, AC and ID if the
// operand has 32 or 64 bits, and others.
func (x *course) popFlags(image uint64, size int, others uint64) {
	flags := others
	for _, n := range []uint{0, 2, 4, 6, 7, 8, 10, 11, 14} {
		flags |= 1 << n
	}
	if size > 2 {
		flags |= 1<<16 | 1<<18 | 1<<21
	}
	x.regs.RFLAGS = x.regs.RFLAGS&^flags | image&flags
}

// returnToV86 is RETURN-TO-VIRTUAL-8086-MODE.
func (x *course) returnToV86(s *stack, ip uint64, selector uint16, image uint64) {
	// IF EIP is not within the code segment limit, which is FFFFH, THEN #GP(0).
	if x.odd(V86TargetCut, ip > 0xffff) {
		ip = bits(ip, 15, 0)
	}
	x.need(ip <= 0xffff, gp(0))
	x.present(s, 0, 6, 4)
	sp := x.pop(s, 4)
	x.seg[regCS] = v86Descriptor(selector)
	for _, r := range []int{regSS, regES, regDS, regFS, regGS} {
		x.seg[r] = v86Descriptor(uint16(x.pop(s, 4)))
	}
	x.regs.RIP, x.regs.GPR[regESP] = ip, sp
	if x.odd(V86NoRF, bit(image, 16)) {
		image &^= 1 << 16
	}
	x.regs.RFLAGS = image&validFlags | 2
	x.cpl = 3
}

// validFlags are the bits of EFLAGS that are not reserved. [SDM 1, EFLAGS Register]
const validFlags = 0x3f7fd5

// ret is RET to another segment. [SDM 2, RET—Return From Procedure]
func (x *course) ret(size int, release uint64) {
	s := x.stackOfOperand(size)
	if x.vm() {
		x.present(s, 0, 2, size)
		ip, cs := x.pop(s, size), x.pop(s, size)
		// IF instruction pointer is not within code segment limits THEN #GP(0).
		x.inCode(x.seg[regCS], ip)
		s.move(release)
		x.seg[regCS] = v86Descriptor(uint16(cs))
		x.regs.RIP, x.regs.GPR[regESP] = ip, s.sp
		return
	}
	// IF the second word on stack is not within stack limits THEN #SS(0).
	x.present(s, 0, 2, size)
	ip, selector := x.pop(s, size), uint16(x.pop(s, size))
	cs := x.returnCode(selector)
	if x.fault != nil {
		return
	}
	s.move(release)
	if rpl(selector) > x.cpl {
		// RETURN-TO-OUTER-PRIVILEGE-LEVEL: IF top (16 + SRC) bytes of stack are not within stack limits THEN #SS(0).
		x.present(s, 0, 2, size)
		sp, stackSelector := x.pop(s, size), uint16(x.pop(s, size))
		x.returnOuter(cs, selector, ip, stackSelector, sp+release)
		return
	}
	if x.odd(TargetCut32, !cs.l() && ip>>32 != 0) {
		ip = bits(ip, 31, 0)
	}
	// IF return instruction pointer is not within the return code segment limit THEN #GP(0).
	x.inCode(cs, ip)
	x.load(regCS, cs, selector)
	x.regs.RIP, x.regs.GPR[regESP] = ip, s.sp
}

// returnCode is the checks of the code segment that IRET and RET return to.
func (x *course) returnCode(selector uint16) descriptor {
	// IF return code segment selector is NULL THEN #GP(0).
	x.need(!isNull(selector), gp(0))
	// IF return code segment selector addresses descriptor beyond descriptor table limit THEN #GP(selector).
	cs := x.find(selector, gp(code(selector)))
	// IF return code segment descriptor is not a code segment THEN #GP(selector).
	x.need(cs.isCode(), gp(code(selector)))
	// In IA-32e mode a code segment must not have both L and D set, else #GP(selector).
	// [SDM 3A, Code Segment Descriptor in 64-bit Mode]
	x.noLD(cs, selector)
	// IF return code segment selector RPL < CPL THEN #GP(selector).
	x.need(rpl(selector) >= x.cpl, gp(code(selector)))
	if cs.conforming() {
		// IF return code segment descriptor is conforming and return code segment DPL > return
		// code segment selector RPL THEN #GP(selector).
		x.need(cs.dpl() <= rpl(selector), gp(code(selector)))
	} else {
		// IF return code segment descriptor is non-conforming and return code segment DPL ≠ return code
		// segment selector RPL THEN #GP(selector).
		x.need(cs.dpl() == rpl(selector), gp(code(selector)))
	}
	// IF return code segment descriptor is not present THEN #NP(selector).
	x.need(cs.p(), np(code(selector)))
	return cs
}

// returnOuter is RETURN-TO-OUTER-PRIVILEGE-LEVEL of IRET and RET, and what IRET in 64-bit mode
// does at the same level.
func (x *course) returnOuter(cs descriptor, selector uint16, ip uint64, stackSelector uint16, sp uint64) {
	cpl := rpl(selector)
	new := nullDescriptor(stackSelector)
	if isNull(stackSelector) {
		// IF stack segment selector is NULL: in IA-32e mode it is allowed for 64-bit code whose
		// RPL is not 3, with an RPL that is the CPL's, ELSE #GP(0).
		holds := x.eferLMA() && cs.is64() && cpl != 3 && rpl(stackSelector) == cpl
		if !x.odd(NullSSAnywhere, !holds && x.eferLMA() && cpl != 3) &&
			!x.odd(NullSSAnyRPL, !holds && x.eferLMA() && cs.l() && cpl != 3) {
			x.need(holds, gp(0))
		}
	} else {
		f := gp(code(stackSelector))
		// IF stack segment selector index is not within its descriptor table limits THEN #GP(selector).
		new = x.find(stackSelector, f)
		// IF stack segment selector RPL ≠ RPL of the return code segment selector, or stack segment is not a
		// writable data segment, or stack segment descriptor DPL ≠ RPL of the return code segment selector THEN #GP(selector).
		x.need(rpl(stackSelector) == cpl && new.writable() && new.dpl() == cpl, f)
		// IF stack segment not present THEN #SS(stack segment selector).
		if x.odd(AbsentStackNP, !new.p()) {
			x.need(false, np(code(stackSelector)))
		}
		x.need(new.p(), ss(code(stackSelector)))
	}
	if x.odd(TargetCut32, !cs.l() && ip>>32 != 0) {
		ip = bits(ip, 31, 0)
	}
	// IF the return instruction pointer is not within the return code segment limit THEN #GP(0).
	x.inCode(cs, ip)
	if x.fault != nil {
		return
	}
	outer := cpl > x.cpl
	x.load(regCS, cs, selector)
	if new.null {
		x.seg[regSS] = new
	} else {
		x.load(regSS, new, stackSelector)
	}
	x.cpl = cpl
	x.regs.RIP = ip
	// To a stack of 16 bits silicon loads SP alone, and the text ESP: the emulator follows silicon.
	s := x.currentStack()
	s.sp = s.sp>>16<<16 | bits(sp, 15, 0)
	if s.width() != 16 {
		s.sp = bits(sp, s.width()-1, 0)
	}
	if new.null && !s.mode64 { // which is not the text's
		s.sp = bits(sp, 31, 0)
	}
	x.regs.GPR[regESP] = s.sp
	if !outer {
		return
	}
	// FOR each of segment register (ES, FS, GS, and DS): IF segment register points to data or
	// non-conforming code segment and CPL > segment descriptor DPL THEN the selector is NULL.
	for _, r := range []int{regES, regFS, regGS, regDS} {
		d := x.seg[r]
		if x.odd(KeepsNullFSGS, d.null && d.selector != 0 && (r == regFS || r == regGS)) {
			continue
		}
		if d.null || !d.conforming() && x.cpl > d.dpl() {
			// The base stays, where it is in use. [SDM 3A, FS and GS in 64-bit mode: left open; as the emulator]
			x.seg[r] = nullDescriptor(0)
		}
	}
}
