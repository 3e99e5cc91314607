package model

// nesting is what started a task switch.
type nesting int

const (
	withoutNesting nesting = iota // JMP
	withNesting                   // CALL, interrupt, exception
	byReturn                      // IRET with NT = 1
)

// taskOfGate is the TSS that a task gate names, and its checks. [SDM 2, INT n; JMP; CALL]
func (x *course) taskOfGate(selector uint16) descriptor {
	f := gp(code(selector))
	// IF local/global bit is set to local, or index not within GDT limits THEN #GP(error_code(TSS selector,0,EXT)).
	if x.odd(TaskGateLDTTS, bit(uint64(selector), 2)) {
		x.need(false, ts(code(selector)))
	}
	x.need(!bit(uint64(selector), 2), f)
	d := x.find(selector, f)
	// IF TSS descriptor specifies that the TSS is busy THEN #GP(error_code(TSS selector,0,EXT)).
	x.need(d.system() == tss16Available || d.system() == tss32Available, f)
	// IF TSS not present THEN #NP(error_code(TSS selector,0,EXT)).
	x.need(d.p(), np(code(selector)))
	return d
}

// The fields of task states. [SDM 3A, Task-State Segment (TSS); 16-Bit Task-State Segment (TSS)]
type taskLayout struct {
	size                           int // of registers
	cr3, eip, eflags, eax, es, gap uint64
	ldt, trap, last, lastSaved     uint64
	segments                       int
}

var (
	layout32 = taskLayout{4, 28, 32, 36, 40, 72, 4, 96, 100, 103, 93, 6}
	layout16 = taskLayout{2, 0, 14, 16, 18, 34, 2, 42, 0, 43, 41, 4}
)

func layoutOf(tss descriptor) taskLayout {
	if tss.is32() {
		return layout32
	}
	return layout16
}

// switchTask is a task switch: the steps of the section. [SDM 3A, Task Switching]
func (x *course) switchTask(new descriptor, how nesting, eip, eflags uint64) {
	if x.fault != nil {
		return
	}
	in, out := layoutOf(new), layoutOf(x.tr)
	old := x.tr
	// Checks that the new TSS has a valid limit (67H or more, of a 16-bit one 2BH): else #TS(TSS selector).
	if x.odd(TSSLimitSigned, new.limit()>>31 != 0) {
		x.need(false, ts(code(new.selector)))
	}
	x.need(new.limit() >= in.last, ts(code(new.selector)))
	// The current TSS must hold what is saved: the same of it.
	if !x.odd(NoOldTSSLimit, old.limit() < out.lastSaved) {
		x.need(old.limit() >= out.lastSaved, ts(code(old.selector)))
	}
	var state taskState
	if x.asks(TaskReadFirst) {
		state = x.readTask(new, in)
		if new.base() == old.base() || x.fault != nil {
			x.met |= 1 << TaskReadFirst
		}
	}
	// Checks that the current (old) TSS, new TSS, and all segment descriptors used in the task switch are
	// paged into system memory.
	x.touch(new.base(), in.last+1, false)
	x.touch(old.base()+out.eip, out.lastSaved+1-out.eip, true)
	if how == withNesting {
		x.touch(new.base(), 2, true)
	}
	oldAt := x.regs.GDTR.Base + uint64(old.selector)>>3<<3
	if how != byReturn {
		x.touch(new.at+5, 1, true)
	}
	if how != withNesting {
		x.touch(oldAt+5, 1, true)
		// If the task switch was initiated with a JMP or IRET instruction, the processor clears the
		// busy (B) flag in the current (old) task's TSS descriptor.
		access := x.readTable(oldAt+5, 1)
		x.writeTable(oldAt+5, 1, access&^2)
	}
	// If the task switch was initiated with an IRET instruction, the processor clears the NT flag in a temporarily saved
	// image of the EFLAGS register.
	if how == byReturn {
		eflags &^= 1 << 14
	}
	// Saves the state of the current (old) task in the current task's TSS.
	x.writeTable(old.base()+out.eip, out.size, eip)
	x.writeTable(old.base()+out.eflags, out.size, eflags)
	for i := range 8 {
		x.writeTable(old.base()+out.eax+uint64(i*out.size), out.size, x.regs.GPR[i])
	}
	for i := range out.segments {
		x.writeTable(old.base()+out.es+uint64(i)*out.gap, 2, uint64(x.seg[i].selector))
	}
	if how == withNesting {
		// The previous task link field of the new TSS gets the selector of the old one.
		x.writeTable(new.base(), 2, uint64(old.selector))
	}
	// If it was initiated with a CALL instruction, JMP instruction, an exception, or an interrupt, the processor sets the
	// busy (B) flag in the new task's TSS descriptor.
	if how != byReturn {
		x.writeTable(new.at+5, 1, bits(new.value, 47, 40)|2)
	}
	if x.fault != nil {
		return
	}
	if !x.asks(TaskReadFirst) {
		state = x.readTask(new, in)
	}
	// Loads the task register with the segment selector and descriptor for the new task's TSS.
	new.value |= 1 << 41
	x.tr = new
	x.loadTask(&state, in, how)
}

// touch is the check that every page of a range is there.
func (x *course) touch(linear, size uint64, write bool) {
	for at := linear; at < linear+size; at++ {
		x.reach(at, access{write: write, implicit: true})
	}
}

// taskState is what a TSS holds.
type taskState struct {
	cr3, eip, eflags uint64
	gpr              [8]uint64
	selectors        [6]uint16
	ldt              uint16
	trap             bool
}

// readTask reads a TSS.
func (x *course) readTask(tss descriptor, in taskLayout) (t taskState) {
	field := func(at uint64, size int) uint64 { return x.readTable(tss.base()+at, size) }
	if in.size == 4 {
		t.cr3 = field(in.cr3, 4)
	}
	t.eip, t.eflags = field(in.eip, in.size), field(in.eflags, in.size)
	for i := range t.gpr {
		t.gpr[i] = field(in.eax+uint64(i*in.size), in.size)
	}
	for i := range in.segments {
		t.selectors[i] = uint16(field(in.es+uint64(i)*in.gap, 2))
	}
	t.ldt = uint16(field(in.ldt, 2))
	if in.size == 4 {
		t.trap = bit(field(in.trap, 2), 0)
	}
	return t
}

// loadTask loads the TSS state into the processor. From here on faults are the new task's: the task
// switch is complete except for what they tell of.
func (x *course) loadTask(t *taskState, in taskLayout, how nesting) {
	eflags := t.eflags
	fromV86, vmStays := x.vm(), false
	for i, v := range t.gpr {
		// What a 16-bit TSS has no place for is left open: as the emulator, ones.
		if in.size == 2 && x.odd(No16BitOnes, x.regs.GPR[i]>>16 != 0xffff) {
			v |= x.regs.GPR[i] >> 16 << 16
		} else if in.size == 2 {
			v |= 0xffff0000
		}
		x.regs.GPR[i] = v
	}
	x.regs.RIP = t.eip
	if in.size == 2 && x.odd(Keeps16BitFlags, x.regs.RFLAGS>>16 != 0) {
		vmStays = x.vm()
		eflags |= x.regs.RFLAGS >> 16 << 16
	}
	if in.size == 4 {
		// With paging CR3 is loaded, whose PDPTEs may be bad.
		x.need(t.cr3 == x.regs.CR3 || x.movToCR3(t.cr3), gp(0))
	}
	if t.trap {
		x.outside = true // the T flag is not modelled
	}
	// NT becomes 1 if the new task is nested; else it is as the new TSS has it.
	if how == withNesting {
		eflags |= 1 << 14
	}
	x.regs.RFLAGS = eflags&validFlags | 2
	// The TS flag is set every time a task switch occurs. [SDM 2, INT n; SDM 3A, CR0]
	x.regs.CR0 |= 1 << 3
	// The L0 to L3 and LE flags of DR7 are cleared. [SDM 3B, Debug Control Register (DR7)]
	x.regs.DR[7] &^= 1<<0 | 1<<2 | 1<<4 | 1<<6 | 1<<8
	cpl := rpl(t.selectors[regCS])
	v86 := bit(t.eflags, 17) && in.size == 4
	if v86 {
		cpl = 3
	}
	x.cpl = cpl
	x.ldtr = nullDescriptor(t.ldt)
	for i, s := range t.selectors {
		old := x.seg[i].value
		x.seg[i] = nullDescriptor(s)
		if (i == regFS || i == regGS) && x.odd(V86BasesStay, fromV86 && isNull(s) && x.seg[i].base() != (descriptor{value: old}).base()) {
			x.seg[i].value = old
		}
		if v86 {
			x.seg[i] = v86Descriptor(s)
		}
	}
	if x.asks(NewTaskOtherwise) && !v86 {
		x.cpl = 0 // until SS is loaded
	}
	if x.asks(TaskCPL3) && !v86 {
		x.cpl = 3
	}
	defer func() {
		if x.fault != nil {
			x.met |= x.oddities & Of(NewTaskOtherwise, TaskCPL3)
		}
	}()
	eip := x.regs.RIP
	if x.from != 0 && x.asks(NewTaskEIP) {
		x.regs.RIP = eip>>12<<12 | bits(x.from, 11, 0)
		defer func() {
			if x.fault == nil {
				x.regs.RIP = eip
			} else {
				x.met |= 1 << NewTaskEIP
			}
		}()
	}
	x.settle()
	x.loadTaskLDT(t.ldt)
	x.settle()
	if !v86 {
		x.loadTaskSegments(t.selectors, cpl)
	}
	// IF EIP is not within code segment limit THEN #GP(EXT), or #GP(0): behind the error code of an
	// interrupt, if there is one.
	if x.asks(NewTaskOtherwise) {
		x.need(eip <= x.seg[regCS].limit(), gp(0))
	}
	x.dead = vmStays && x.fault == nil // code of protected mode in virtual-8086 mode
}

// loadTaskSegments loads the segment registers of a new task. What is loaded stays if a fault follows.
func (x *course) loadTaskSegments(selectors [6]uint16, cpl uint64) {
	if !x.asks(TaskSSFirst) {
		x.loadTaskCode(selectors[regCS])
		x.settle()
	}
	x.loadTaskStack(selectors[regSS], cpl)
	x.cpl = cpl
	x.settle()
	// The order of the data segments is left open: as the emulator.
	order := []int{regDS, regES, regFS, regGS}
	if x.asks(NewTaskOtherwise) {
		order = []int{regES, regDS, regFS, regGS}
	}
	for _, r := range order {
		if !isNull(selectors[r]) {
			// #TS(new data segment selector) for all but presence, which is #NP.
			x.load(r, x.dataSegment(selectors[r], ts(code(selectors[r]))), selectors[r])
		}
		x.settle()
	}
	if x.asks(TaskSSFirst) && x.fault == nil {
		x.loadTaskCode(selectors[regCS])
		if x.fault != nil {
			x.met |= 1 << TaskSSFirst
		}
	}
}

// The checks below are the table's. [SDM 3A, Exception Conditions Checked During a Task Switch]

func (x *course) loadTaskLDT(selector uint16) {
	if isNull(selector) {
		return
	}
	// LDT segment selector of new task is valid, and the LDT is present in memory: #TS(new LDT selector).
	f := ts(code(selector))
	x.need(!bit(uint64(selector), 2), f)
	d := x.find(selector, f)
	x.need(d.system() == ldt && d.p(), f)
	if x.fault == nil {
		x.ldtr = d
	}
}

func (x *course) loadTaskCode(selector uint16) {
	f := ts(code(selector))
	// Code segment selector is valid, and names code: #TS(new code segment selector).
	x.need(!isNull(selector), f)
	d := x.find(selector, f)
	x.need(d.isCode(), f)
	// Code segment DPL matches segment selector RPL, of conforming code is not above it: the same.
	if d.conforming() && !x.odd(NewTaskOtherwise, d.dpl() < rpl(selector)) {
		x.need(d.dpl() <= rpl(selector), f)
	} else {
		x.need(d.dpl() == rpl(selector), f)
	}
	// Code segment is present in memory: #NP(new code segment selector).
	x.need(d.p(), np(code(selector)))
	x.load(regCS, d, selector)
}

func (x *course) loadTaskStack(selector uint16, cpl uint64) {
	f := ts(code(selector))
	// Stack segment selector is valid, and names writable data: #TS(new stack segment selector).
	x.need(!isNull(selector), f)
	d := x.find(selector, f)
	x.need(d.writable(), f)
	// Stack segment is present in memory: #SS(new stack segment selector).
	match := d.dpl() == cpl && rpl(selector) == cpl
	if x.odd(NewTaskOtherwise, !match && !d.p()) {
		x.need(false, f)
	}
	if x.odd(AbsentTaskStackNP, !d.p()) {
		x.need(false, np(code(selector)))
	}
	x.need(d.p(), ss(code(selector)))
	// Stack segment DPL matches CPL, and the selector's RPL: #TS(new stack segment selector).
	x.need(match, f)
	x.load(regSS, d, selector)
}
