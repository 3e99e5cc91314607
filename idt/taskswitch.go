package idt

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// taskKind is what started a task switch.
type taskKind uint8

const (
	taskJump   taskKind = iota // JMP: the old task ends
	taskCall                   // CALL, interrupt, exception: the new task is nested in the old one
	taskReturn                 // IRET with NT: back to the outer task
)

// taskOfGate finds the TSS that a task gate names.
// [SDM 2, INT n/INTO/INT3/INT1, TASK-GATE; JMP, TASK-GATE; CALL, TASK-GATE]
func (p *Core) taskOfGate(sel uint16) (entry, bool) {
	// The selector must name the GDT, else #GP(selector+EXT).
	if !p.pass(RuleTaskInGDT, sel&selTI == 0) {
		return entry{}, p.fail(VecGP, selCode(sel))
	}
	// Its index must lie within the GDT, else #GP(selector+EXT).
	e, ok := p.entry(sel, RuleTaskLimit, VecGP)
	if !ok {
		return e, false
	}
	// It must be an available TSS, else #GP(selector+EXT).
	if !p.pass(RuleTaskAvailable, e.system() == typeTSS16 || e.system() == typeTSS32) {
		return e, p.fail(VecGP, selCode(sel))
	}
	// It must be present, else #NP(selector+EXT).
	if !p.pass(RuleTaskPresent, e.present()) {
		return e, p.fail(VecNP, selCode(sel))
	}
	return e, true
}

// taskOfLink finds the TSS that IRET returns to: a busy one.
// [SDM 3A, Interrupt 10—Invalid TSS Exception (#TS); Task Switching]
func (p *Core) taskOfLink(sel uint16) (entry, bool) {
	// The link must name the GDT, else #TS(selector).
	if !p.pass(RuleLinkInGDT, sel&selTI == 0) {
		return entry{}, p.fail(VecTS, selCode(sel))
	}
	// Its index must lie within the GDT, else #TS(selector).
	e, ok := p.entry(sel, RuleLinkLimit, VecTS)
	if !ok {
		return e, false
	}
	// It must be a busy TSS, else #TS(selector).
	if !p.pass(RuleLinkBusy, e.system() == typeBusy16 || e.system() == typeBusy32) {
		return e, p.fail(VecTS, selCode(sel))
	}
	// It must be present, else #NP(selector).
	if !p.pass(RuleLinkPresent, e.present()) {
		return e, p.fail(VecNP, selCode(sel))
	}
	return e, true
}

// taskState is what an incoming TSS holds.
type taskState struct {
	cr3, eip, eflags uint32
	gpr              [8]uint32
	seg              [6]uint16
	ldt              uint16
	trap             bool
}

// switchTask saves the current task with the given EIP and EFLAGS and loads
// the one of new. Until the old task is saved nothing has changed; a fault
// after that belongs to the new task, and so do Regs.
// [SDM 3A, Task Switching]
func (p *Core) switchTask(new *entry, kind taskKind, eip, eflags uint64) bool {
	r := p.r
	old := r.TR
	oldDesc := r.GDTR.Base + uint64(old.Sel&^7)
	wide := wideTSS(new.attr())
	base := new.base()

	// The new TSS must hold a whole task, else #TS(new TSS).
	least := uint32(tss16Last)
	if wide {
		least = tss32Last
	}
	if !p.pass(RuleTSSSize, new.limit() >= least) {
		return p.fail(VecTS, selCode(new.sel))
	}
	// The old TSS must have room for the state that is saved, else #TS(old TSS).
	from, last := uint64(tss16IP), uint32(tss16Saved)
	if wideTSS(old.Attr) {
		from, last = tss32EIP, tss32Saved
	}
	if !p.pass(RuleTSSSaveSize, old.Limit >= last && old.Attr&AttrUnusable == 0) {
		return p.fail(VecTS, selCode(old.Sel))
	}

	// Both TSSs and both descriptors must be mapped, else #PF in the old task.
	// [SDM 3A, Task Switching, step 5]
	if !p.canTouch(base, uint64(least)+1, mmu.Read) ||
		!p.canTouch(old.Base+from, uint64(last)+1-from, mmu.Write) {
		return false
	}
	if kind == taskCall && !p.canWrite(base+tssLink, 2) ||
		kind != taskReturn && !p.canWrite(new.lin+5, 1) ||
		kind != taskCall && !p.canWrite(oldDesc+5, 1) {
		return false
	}

	// Commit: the old task gives up its busy bit unless it waits for the new one.
	if kind != taskCall && !p.clearBusy(oldDesc) {
		return false
	}
	if kind == taskReturn {
		eflags &^= FlagNT
	}
	if !p.saveTask(&old, eip, eflags) {
		return false
	}
	if p.obs != nil {
		p.emitTask(StageTaskSave, old.Sel, old.Base)
	}

	if kind == taskCall && !p.write(base+tssLink, 2, uint64(old.Sel)) ||
		kind != taskReturn && !p.setBusy(new.lin) {
		return false
	}
	if p.obs != nil {
		p.emitTask(StageTaskLink, new.sel, base)
	}
	var t taskState
	if !p.readTask(base, wide, &t) {
		return false
	}
	if kind == taskCall {
		t.eflags |= FlagNT
	}
	r.TR = Segment{Sel: new.sel, Attr: new.attr() | typeBusyBit, Limit: new.limit(), Base: base}
	p.m.SetCR0(p.m.Ctl.CR0 | mmu.CR0TS)
	*p.c.DR7() &^= dr7Local
	return p.loadTask(&t, wide)
}

// canTouch probes every page of n bytes of a TSS.
func (p *Core) canTouch(a, n uint64, acc mmu.Access) bool {
	for n > 0 {
		step := min(n, mmu.PageSize-a&mmu.PageMask)
		if !p.probe(a, 1, acc) {
			return false
		}
		a, n = a+step, n-step
	}
	return true
}

// saveTask writes the current task's state to its TSS; its static fields (the
// inner stacks, LDT, CR3) stay as they are.
func (p *Core) saveTask(tss *Segment, eip, eflags uint64) bool {
	g, b := p.g, tss.Base
	if !wideTSS(tss.Attr) {
		ok := p.write(b+tss16IP, 2, eip) && p.write(b+tss16IP+2, 2, eflags)
		for i := uint64(0); i < 8 && ok; i++ {
			ok = p.write(b+tss16GPR+2*i, 2, g[i])
		}
		for i := uint64(0); i < 4 && ok; i++ {
			ok = p.write(b+tss16ES+2*i, 2, uint64(p.r.Seg[i].Sel))
		}
		return ok
	}
	ok := p.write(b+tss32EIP, 8, pair(eip, eflags))
	for i := uint64(0); i < 8 && ok; i += 2 {
		ok = p.write(b+tss32EFLAGS+4+4*i, 8, pair(g[i], g[i+1]))
	}
	for i := uint64(0); i < 6 && ok; i++ {
		ok = p.write(b+tss32ES+4*i, 2, uint64(p.r.Seg[i].Sel))
	}
	return ok
}

// pair makes one 8-byte field of two neighbours of 4 bytes.
func pair(lo, hi uint64) uint64 { return lo&0xffffffff | hi<<32 }

// readTask reads a TSS. It cannot fail unless saving the old task has changed
// the page tables.
func (p *Core) readTask(b uint64, wide bool, t *taskState) bool {
	if !wide {
		var w [15]uint64 // IP FLAGS AX .. DI ES CS SS DS LDT
		for i := range w {
			var ok bool
			if w[i], ok = p.read(b+tss16IP+2*uint64(i), 2); !ok {
				return false
			}
		}
		t.eip, t.eflags = uint32(w[0]), uint32(w[1])
		for i := range t.gpr {
			// The upper halves, which a 16-bit TSS has no place for, become ones.
			t.gpr[i] = uint32(w[2+i]) | 0xffff0000
		}
		for i := 0; i < 4; i++ {
			t.seg[i] = uint16(w[10+i])
		}
		t.ldt = uint16(w[14])
		return true
	}
	var w [20]uint32 // CR3 EIP EFLAGS EAX .. EDI ES CS SS DS FS GS LDT T, a pair at a time
	for i := 0; i < 18; i += 2 {
		v, ok := p.read(b+tss32CR3+4*uint64(i), 8)
		if !ok {
			return false
		}
		w[i], w[i+1] = uint32(v), uint32(v>>32)
	}
	trap, ok := p.read(b+tss32T, 2)
	if !ok {
		return false
	}
	t.cr3, t.eip, t.eflags = w[0], w[1], w[2]
	copy(t.gpr[:], w[3:11])
	for i := range t.seg {
		t.seg[i] = uint16(w[11+i])
	}
	t.ldt = uint16(w[17])
	t.trap = trap&1 != 0
	return true
}

// loadTask makes t the processor's state: registers and selectors first, the
// descriptors after, whose faults are the new task's.
func (p *Core) loadTask(t *taskState, wide bool) bool {
	r := p.r
	r.RIP = uint64(t.eip)
	p.setFlags(uint64(t.eflags))
	for i, v := range t.gpr {
		p.g[i] = uint64(v)
	}
	for i, sel := range t.seg {
		r.Seg[i] = Segment{Sel: sel, Attr: AttrUnusable}
	}
	r.LDTR = Segment{Sel: t.ldt, Attr: AttrUnusable}
	r.CPL = rpl(t.seg[decode.CS])
	v86 := r.RFLAGS&FlagVM != 0
	if v86 {
		r.CPL = 3
		for i, sel := range t.seg {
			p.loadV86Segment(decode.SegReg(i), sel)
		}
	}
	if wide && !p.loadTaskCR3(uint64(t.cr3)) {
		return false
	}
	if p.obs != nil {
		p.emitTask(StageTaskLoad, r.TR.Sel, r.TR.Base)
	}
	// The LDT must be valid and present, else #TS(LDT). [SDM 3A, Interrupt 10—Invalid TSS Exception (#TS)]
	if !p.loadLDTR(t.ldt, VecTS, VecTS) {
		return false
	}
	if !v86 && !p.loadTaskSegments(t) {
		return false
	}
	if t.trap {
		// The T flag raises #DB before the first instruction. [SDM 3B, Task-Switch Exception Condition]
		p.c.PendDB(DR6BT)
	}
	if p.obs != nil {
		p.emitTask(StageTaskDone, r.TR.Sel, r.TR.Base)
	}
	return true
}

// loadTaskCR3 loads CR3 from a TSS where paging is on; one that changes
// nothing flushes nothing. [SDM 3A, Invalidation of TLBs and Paging-Structure Caches]
func (p *Core) loadTaskCR3(cr3 uint64) bool {
	ctl := &p.m.Ctl
	if ctl.CR0&mmu.CR0PG == 0 || ctl.CR3 == cr3 {
		return true
	}
	// Under PAE the PDPTEs come from the new CR3; reserved bits in a present one are #GP(0).
	// [SDM 3A, PDPTE Registers]
	if ctl.CR4&mmu.CR4PAE != 0 && !p.pass(RuleTaskPDPTE, p.m.LoadPDPTEs(cr3)) {
		return p.fail(VecGP, 0)
	}
	p.m.SetCR3(cr3)
	return true
}

// loadTaskSegments loads the segment registers of a new task that is not in
// VM86 mode. [SDM 3A, Task Switching, Table "Exception Conditions Checked During a Task Switch"]
func (p *Core) loadTaskSegments(t *taskState) bool {
	if !p.loadTaskCS(t.seg[decode.CS]) || !p.loadTaskSS(t.seg[decode.SS]) {
		return false
	}
	for _, reg := range [...]decode.SegReg{decode.DS, decode.ES, decode.FS, decode.GS} {
		sel := t.seg[reg]
		if isNull(sel) {
			p.loadNull(reg, sel)
			continue
		}
		k := p.dataSegment(sel, VecTS)
		if k == nil || !p.loadKnown(reg, k) {
			return false
		}
	}
	return true
}

func (p *Core) loadTaskCS(sel uint16) bool {
	// CS must not be null, else #TS(CS).
	if !p.pass(RuleTaskCSNull, !isNull(sel)) {
		return p.fail(VecTS, selCode(sel))
	}
	if k := p.recall(&p.returns, sel, p.asker(sel)); k != nil {
		return p.loadKnown(decode.CS, k)
	}
	// Its index must lie within its table, else #TS(CS).
	e, ok := p.entry(sel, RuleTaskCSLimit, VecTS)
	if !ok {
		return false
	}
	// It must be code, else #TS(CS).
	if !p.pass(RuleTaskCSType, e.isCode()) {
		return p.fail(VecTS, selCode(sel))
	}
	// The DPL must be the RPL, or for conforming code not above it, else #TS(CS).
	if !p.pass(RuleTaskCSDPL, e.dpl() == rpl(sel) || e.conforming() && e.dpl() < rpl(sel)) {
		return p.fail(VecTS, selCode(sel))
	}
	// It must be present, else #NP(CS).
	if !p.pass(RuleTaskCSPresent, e.present()) {
		return p.fail(VecNP, selCode(sel))
	}
	return p.loadKnown(decode.CS, p.keep(&p.returns, e, p.asker(sel)))
}

func (p *Core) loadTaskSS(sel uint16) bool {
	cpl := p.r.CPL
	// SS must not be null, else #TS(SS).
	if !p.pass(RuleTaskSSNull, !isNull(sel)) {
		return p.fail(VecTS, selCode(sel))
	}
	if k := p.recall(&p.stacks, sel, stackAsker(sel, cpl)); k != nil {
		return p.loadKnown(decode.SS, k)
	}
	// Its index must lie within its table, else #TS(SS).
	e, ok := p.entry(sel, RuleTaskSSLimit, VecTS)
	if !ok {
		return false
	}
	// It must be writable data, else #TS(SS).
	if !p.pass(RuleTaskSSType, e.writableData()) {
		return p.fail(VecTS, selCode(sel))
	}
	// It must be present, else #SS(SS).
	if !p.pass(RuleTaskSSPresent, e.present()) {
		return p.fail(VecSS, selCode(sel))
	}
	// DPL and RPL must both be the CPL, else #TS(SS).
	if !p.pass(RuleTaskSSDPL, e.dpl() == cpl && rpl(sel) == cpl) {
		return p.fail(VecTS, selCode(sel))
	}
	return p.loadKnown(decode.SS, p.keep(&p.stacks, e, stackAsker(sel, cpl)))
}
