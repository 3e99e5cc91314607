package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
	"x86emu/mmu"
)

// ruleCase breaks one rule and names the fault that this must give.
type ruleCase struct {
	rule Rule
	mode mode
	prep func(w *world)
	do   func(w *world) (Event, bool)
	want string
}

func external(v Vector) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return w.attempt(Event{Vector: v, Kind: External, Return: w.r.RIP}) }
}

func software(v Vector) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return w.attempt(Event{Vector: v, Kind: SoftInt, Return: w.r.RIP + 2}) }
}

func jump(sel uint16) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(FarJump(w.fake, sel, handler, 4, w.r.RIP+7)) }
}

func call(sel uint16) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(FarCall(w.fake, sel, handler, 4, w.r.RIP+7)) }
}

func iret(n uint8) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(IRET(w.fake, n, w.r.RIP+1)) }
}

func retf(n uint8) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(FarRet(w.fake, 0, n)) }
}

func loadSeg(reg decode.SegReg, sel uint16) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(LoadSegment(w.fake, reg, sel)) }
}

func lldt(sel uint16) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(LoadLDTR(w.fake, sel)) }
}

func ltr(sel uint16) func(*world) (Event, bool) {
	return func(w *world) (Event, bool) { return told(LoadTR(w.fake, sel)) }
}

// vec20 makes the gate of vector 20H.
func vec20(sel uint16, off uint64, a Attr, n uint64) func(*world) {
	return func(w *world) { w.idt(0x20, gate(sel, off, a, n)) }
}

const int32Gate = AttrPresent | typeInt32

// fromRing3 begins at CPL 3; each step of prep follows.
func fromRing3(steps ...func(*world)) func(*world) {
	return func(w *world) {
		w.ring(3)
		for _, s := range steps {
			s(w)
		}
	}
}

func edit(sel uint16, clear, set Attr) func(*world) {
	return func(w *world) { w.edit(sel, clear, set) }
}

func both(steps ...func(*world)) func(*world) {
	return func(w *world) {
		for _, s := range steps {
			s(w)
		}
	}
}

func pokeAt(at uint64, n uint, v uint64) func(*world) {
	return func(w *world) { w.poke(at, n, v) }
}

// frame3 is a ring 0 stack that returns to ring 3, with one word replaced.
func frame3(n uint, i int, v uint64) func(*world) {
	return func(w *world) {
		words := []uint64{handler, code3 | 3, Flag1, stack3, data3 | 3}
		if i >= 0 {
			words[i] = v
		}
		w.stackWords(n, words...)
	}
}

// task2 replaces a word of the other task's 32-bit TSS.
func task2(off, v uint64) func(*world) { return pokeAt(tss2At+off, 4, v) }

func spareDesc(d uint64) func(*world) { return func(w *world) { w.gdt(spare, d) } }

func callGateTo(sel uint16, a Attr, n uint64) func(*world) {
	return func(w *world) { w.gdt(gateSel, gate(sel, handler, a, n)) }
}

const call32 = AttrPresent | typeCall32

// nested makes the current task return to TSS sel by IRET.
func nested(sel uint16) func(*world) {
	return func(w *world) {
		w.r.RFLAGS |= FlagNT
		w.poke(tssAt, 2, uint64(sel))
		w.edit(tss2Sel, 0, typeBusyBit)
	}
}

var ruleCases = []ruleCase{
	// Memory and targets.
	{RuleTableCanonical, long64, func(w *world) { w.r.IDTR.Base = 1<<47 - 8 }, external(0x20), "#GP(0x1)"},
	{RuleTargetLimit, prot, both(vec20(spare, 0x1000, int32Gate, 0), spareDesc(desc(0, 0xfff, attrCode|AttrDB))), external(0x20), "#GP(0x1)"},
	{RuleTargetLimit, prot, spareDesc(desc(0, 0xfff, attrCode|AttrDB)), jump(spare), "#GP(0x0)"},
	{RuleTargetLimit, prot, spareDesc(desc(0, 0xfff, attrCode|AttrDB)), call(spare), "#GP(0x0)"},
	{RuleTargetLimit, real16, func(w *world) { w.r.Seg[decode.CS].Limit = 0xfff }, jump(0x4000), "#GP(0x0)"},
	{RuleTargetLimit, real16, nil, func(w *world) (Event, bool) { return told(FarJump(w.fake, 0x4000, 0x10000, 4, 0)) }, "#GP(0x0)"},
	{RuleTargetLimit, prot, both(frame3(4, 1, spare|3), spareDesc(desc(0, 0xfff, attrCode|AttrDB|dpl(3)))), iret(4), "#GP(0x0)"},
	{RuleTargetLimit, prot, func(w *world) { w.stackWords(4, handler, spare); w.gdt(spare, desc(0, 0xfff, attrCode|AttrDB)) }, retf(4), "#GP(0x0)"},
	{RuleTargetLimit, long64, func(w *world) { w.stackWords(8, 1<<32|handler, code32u|3, Flag1, stack3, data3|3) }, iret(8), "#GP(0x0)"},
	{RuleTargetLimit, long64, func(w *world) { w.stackWords(8, 1<<32|handler, code32) }, retf(8), "#GP(0x0)"},
	{RuleTargetLimit, real16, func(w *world) { w.stackWords(4, 0x10000, 0x4000, Flag1) }, iret(4), "#GP(0x0)"},
	{RuleTargetLimit, v86, func(w *world) { w.stackWords(4, 0x10000, 0x4000, Flag1) }, iret(4), "#GP(0x0)"},
	{RuleTargetLimit, real16, func(w *world) { w.stackWords(4, 0x10000, 0x4000) }, retf(4), "#GP(0x0)"},
	{RuleTargetLimit, real16, func(w *world) { w.r.Seg[decode.CS].Limit = 0x1234 }, call(0x4000), "#GP(0x0)"},
	{RuleTargetCanonical, long64, func(w *world) { w.poke(idtAt+0x20*16+8, 8, 0x8000) }, external(0x20), "#GP(0x1)"},
	{RuleTargetCanonical, long64, frame3(8, 0, 1<<47), iret(8), "#GP(0x0)"},
	{RuleTargetCanonical, long64, nil, func(w *world) (Event, bool) { return told(FarJump(w.fake, code0, 1<<47, 8, 0)) }, "#GP(0x0)"},
	{RuleStackCanonical, long64, func(w *world) { w.g[4] = 1 << 47 }, external(0x20), "#SS(0x1)"},
	{RuleStackCanonical, long64, fromRing3(pokeAt(tssAt+4, 8, 1<<63)), external(0x20), "#SS(0x1)"},
	{RuleStackCanonical, long64, fromRing3(pokeAt(tssAt+36, 8, 1<<63), vec20(code0, handler, int32Gate, 1)), external(0x20), "#SS(0x1)"},
	{RuleStackCanonical, long64, fromRing3(pokeAt(tssAt+4, 8, 1<<63), callGateTo(code0, call32|dpl(3), 0)), call(gateSel), "#SS(0x0)"},
	{RuleStackRoom, long64, func(w *world) { w.g[4] = 0xffff_8000_0000_0000 }, external(0x20), "#SS(0x1)"},
	{RuleStackRoom, prot, func(w *world) { w.r.Seg[decode.SS].Limit = stack0 - 0x10f }, external(0x20), "#SS(0x1)"},
	{RuleStackRoom, prot, fromRing3(func(w *world) {
		w.gdt(data0, desc(0, stack0-20, attrData|AttrDB))
	}), external(0x20), "#SS(0x11)"},
	{RuleStackRoom, prot, fromRing3(func(w *world) {
		w.gdt(data0, desc(0, stack0-20, attrData|AttrDB))
	}), software(0x30), "#SS(0x10)"},
	{RuleStackRoom, prot, func(w *world) { // expand-down: offsets up to the limit are out
		w.r.Seg[decode.SS] = Segment{Sel: data0, Limit: stack0 - 0x100 - 12, Attr: attrData | AttrDown | AttrDB}
	}, external(0x20), "#SS(0x1)"},
	{RuleStackRoom, real16, func(w *world) { w.g[4] = 1 }, external(0x21), "#SS(0x1)"},
	{RuleStackRoom, real16, func(w *world) { w.g[4] = 1 }, call(0x4000), "#SS(0x0)"},
	{RulePopRoom, real16, func(w *world) { w.g[4] = 0xffff }, retf(2), "#SS(0x0)"},
	{RulePopRoom, prot, func(w *world) {
		w.stackWords(4, 0x5678, 0x4100, Flag1|FlagVM)
		w.r.Seg[decode.SS].Limit = stack0 - 0x100 + 34
	}, iret(4), "#SS(0x0)"},
	{RuleStackRoom, prot, func(w *world) { w.r.Seg[decode.SS].Limit = 0x1000 }, call(code0), "#SS(0x0)"},
	{RuleStackRoom, prot, fromRing3(func(w *world) {
		w.gdt(data0, desc(0, stack0-20, attrData|AttrDB))
		w.gdt(gateSel, gate(code0, handler, call32|dpl(3), 1))
	}), call(gateSel), "#SS(0x10)"},
	{RulePopRoom, prot, func(w *world) { w.r.Seg[decode.SS].Limit = stack0 - 0x100 + 10 }, iret(4), "#SS(0x0)"},
	{RulePopRoom, prot, func(w *world) { frame3(4, -1, 0)(w); w.r.Seg[decode.SS].Limit = stack0 - 0x100 + 15 }, iret(4), "#SS(0x0)"},
	{RulePopRoom, long64, func(w *world) { w.g[4] = 1<<47 - 16 }, iret(8), "#SS(0x0)"},
	{RulePopRoom, real16, func(w *world) { w.g[4] = 0xffff }, iret(2), "#SS(0x0)"},
	{RulePopRoom, prot, func(w *world) { w.r.Seg[decode.SS].Limit = 0x1000 }, retf(4), "#SS(0x0)"},
	{RuleAligned, prot, fromRing3(armAC, func(w *world) { w.g[4]++ }), retf(4), "#AC(0x0)"},
	{RuleAligned, prot, fromRing3(armAC, func(w *world) { w.g[4]++ }), call(code3), "#AC(0x0)"},

	// Interrupt gates and handlers.
	{RuleIVTLimit, real16, func(w *world) { w.r.IDTR.Limit = 0x21*4 + 2 }, external(0x21), "#GP(0x1)"},
	{RuleIDTLimit, prot, func(w *world) { w.r.IDTR.Limit = 0x106 }, external(0x20), "#GP(0x103)"},
	{RuleIDTLimit, prot, func(w *world) { w.r.IDTR.Limit = 0x106 }, software(0x20), "#GP(0x102)"},
	{RuleIDTLimit, long64, func(w *world) { w.r.IDTR.Limit = 0x20e }, external(0x20), "#GP(0x103)"},
	{RuleGateType, prot, vec20(code0, handler, call32, 0), external(0x20), "#GP(0x103)"},
	{RuleGateType, prot, vec20(code0, handler, AttrPresent|AttrS|0xe, 0), external(0x20), "#GP(0x103)"},
	{RuleGateType, long64, vec20(code0, handler, AttrPresent|typeInt16, 0), external(0x20), "#GP(0x103)"},
	{RuleGateType, long64, vec20(tss2Sel, 0, AttrPresent|typeTaskGate, 0), external(0x20), "#GP(0x103)"},
	{RuleGateDPL, prot, fromRing3(), software(0x20), "#GP(0x102)"},
	{RuleGateDPL, long64, fromRing3(), software(0x20), "#GP(0x102)"},
	{RuleGateDPL, prot, fromRing3(), func(w *world) (Event, bool) { return w.attempt(Event{Vector: VecBP, Kind: SoftExc}) }, "#GP(0x1a)"},
	{RuleGatePresent, prot, vec20(code0, handler, typeInt32, 0), external(0x20), "#NP(0x103)"},
	{RuleGatePresent, prot, vec20(code0, handler, typeInt32, 0), software(0x20), "#NP(0x102)"},
	{RuleGatePresent, prot, vec20(tss2Sel, 0, typeTaskGate, 0), external(0x20), "#NP(0x103)"},
	{RuleGatePresent, long64, vec20(code0, handler, typeInt32, 0), external(0x20), "#NP(0x103)"},
	{RuleHandlerNull, prot, vec20(3, handler, int32Gate, 0), external(0x20), "#GP(0x1)"},
	{RuleHandlerNull, prot, vec20(0, handler, int32Gate, 0), software(0x20), "#GP(0x0)"},
	{RuleHandlerLimit, prot, vec20(gdtSize, handler, int32Gate, 0), external(0x20), "#GP(0xa9)"},
	{RuleHandlerLimit, prot, vec20(0x84, handler, int32Gate, 0), external(0x20), "#GP(0x85)"},
	{RuleHandlerType, prot, vec20(data0, handler, int32Gate, 0), external(0x20), "#GP(0x11)"},
	{RuleHandlerType, prot, vec20(tss2Sel, handler, int32Gate, 0), external(0x20), "#GP(0x51)"},
	{RuleHandler64, long64, vec20(code32, handler, int32Gate, 0), external(0x20), "#GP(0x99)"},
	{RuleHandler64, long64, both(vec20(code0, handler, int32Gate, 0), edit(code0, 0, AttrDB)), external(0x20), "#GP(0x9)"},
	{RuleHandlerDPL, prot, vec20(code3|3, handler, int32Gate, 0), external(0x20), "#GP(0x29)"},
	{RuleHandlerPresent, prot, edit(code0, AttrPresent, 0), external(0x20), "#NP(0x9)"},
	{RuleHandlerV86, v86, vec20(code1|1, handler, int32Gate, 0), external(0x20), "#GP(0x19)"},
	{RuleHandlerV86, v86, vec20(conf0, handler, int32Gate, 0), external(0x20), "#GP(0x39)"},

	// Inner stacks.
	{RuleTSSStackLimit, prot, fromRing3(func(w *world) { w.r.TR.Limit = 8 }), external(0x20), "#TS(0x41)"},
	{RuleTSSStackLimit, prot, fromRing3(func(w *world) { w.r.TR.Limit = 4; w.r.TR.Attr = AttrPresent | typeBusy16 }), external(0x20), "#TS(0x41)"},
	{RuleTSSStackLimit, long64, fromRing3(func(w *world) { w.r.TR.Limit = 10 }), software(0x30), "#TS(0x40)"},
	{RuleTSSStackLimit, long64, both(func(w *world) { w.r.TR.Limit = 42 }, vec20(code0, handler, int32Gate, 1)), external(0x20), "#TS(0x41)"},
	{RuleInnerSSNull, prot, fromRing3(pokeAt(tssAt+8, 2, 3)), external(0x20), "#TS(0x1)"},
	{RuleInnerSSNull, prot, fromRing3(pokeAt(tssAt+8, 2, 3)), software(0x30), "#TS(0x0)"},
	{RuleInnerSSLimit, prot, fromRing3(pokeAt(tssAt+8, 2, gdtSize)), external(0x20), "#TS(0xa9)"},
	{RuleInnerSSRPL, prot, fromRing3(pokeAt(tssAt+8, 2, data0|1)), external(0x20), "#TS(0x11)"},
	{RuleInnerSSRPL, prot, fromRing3(vec20(code1, handler, int32Gate, 0), pokeAt(tssAt+16, 2, data0)), external(0x20), "#TS(0x11)"},
	{RuleInnerSSDPL, prot, fromRing3(edit(data0, 0, dpl(1))), external(0x20), "#TS(0x11)"},
	{RuleInnerSSType, prot, fromRing3(edit(data0, AttrWritable, 0)), external(0x20), "#TS(0x11)"},
	{RuleInnerSSType, prot, fromRing3(pokeAt(tssAt+8, 2, code0)), software(0x30), "#TS(0x8)"},
	{RuleInnerSSPresent, prot, fromRing3(edit(data0, AttrPresent, 0)), external(0x20), "#SS(0x11)"},
	{RuleInnerSSPresent, v86, edit(data0, AttrPresent, 0), software(0x30), "#SS(0x10)"},

	// Far jumps and calls.
	{RuleFarNull, prot, nil, jump(3), "#GP(0x0)"},
	{RuleFarLimit, prot, nil, jump(gdtSize), "#GP(0xa8)"},
	{RuleFarType, prot, nil, jump(data0), "#GP(0x10)"},
	{RuleFarType, prot, nil, call(ldtSel), "#GP(0x68)"},
	{RuleFarType, long64, nil, jump(tss2Sel), "#GP(0x50)"},
	{RuleFarType, long64, func(w *world) { w.gdt(gateSel, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0)) }, jump(gateSel), "#GP(0x78)"},
	{RuleFarType, long64, callGateTo(code0, AttrPresent|typeCall16, 0), call(gateSel), "#GP(0x78)"},
	{RuleFarLD, long64, edit(code0, 0, AttrDB), jump(code0), "#GP(0x8)"},
	{RuleFarDPL, prot, nil, jump(code0 | 1), "#GP(0x8)"},
	{RuleFarDPL, prot, nil, jump(code3), "#GP(0x28)"},
	{RuleFarDPL, prot, fromRing3(), jump(code0), "#GP(0x8)"},
	{RuleFarDPL, prot, edit(conf0, 0, dpl(1)), jump(conf0), "#GP(0x38)"},
	{RuleFarPresent, prot, edit(code0, AttrPresent, 0), jump(code0), "#NP(0x8)"},
	{RuleCallGateDPL, prot, fromRing3(callGateTo(code0, call32|dpl(1), 0)), call(gateSel), "#GP(0x78)"},
	{RuleCallGateDPL, prot, callGateTo(code0, call32, 0), call(gateSel | 1), "#GP(0x78)"},
	{RuleCallGatePresent, prot, callGateTo(code0, typeCall32, 0), call(gateSel), "#NP(0x78)"},
	{RuleCallGateNull, prot, callGateTo(3, call32, 0), call(gateSel), "#GP(0x0)"},
	{RuleCallGateLimit, prot, callGateTo(gdtSize, call32, 0), call(gateSel), "#GP(0xa8)"},
	{RuleCallGateType, prot, callGateTo(data0, call32, 0), call(gateSel), "#GP(0x10)"},
	{RuleCallGateType, long64, callGateTo(code32, call32, 0), call(gateSel), "#GP(0x98)"},
	{RuleCallGateCodeDPL, prot, callGateTo(code3, call32, 0), call(gateSel), "#GP(0x28)"},
	{RuleCallGateCodeDPL, prot, fromRing3(callGateTo(code0, call32|dpl(3), 0)), jump(gateSel), "#GP(0x8)"},
	{RuleCallGateCodePresent, prot, both(callGateTo(code0, call32, 0), edit(code0, AttrPresent, 0)), call(gateSel), "#NP(0x8)"},
	{RuleHighHalf, long64, both(callGateTo(code0, call32, 0), func(w *world) { w.gdt(gateSel+8, 0x10000000000) }), call(gateSel), "#GP(0x78)"},
	{RuleHighHalf, long64, func(w *world) { w.gdt(code32u, desc(ldtAt, 0x7f, AttrPresent|typeLDT)) }, lldt(code32u), "#GP(0xa0)"},

	// Returns.
	{RuleIRETV86, v86, func(w *world) { w.r.RFLAGS &^= FlagIOPL }, iret(2), "#GP(0x0)"},
	{RuleIRETV86, v86, func(w *world) { w.r.RFLAGS &^= FlagIOPL; w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4VME) }, iret(4), "#GP(0x0)"},
	{RuleIRETVME, v86, virtual(FlagVIP, FlagIF), iret(2), "#GP(0x0)"},
	{RuleIRETVME, v86, virtual(0, FlagTF), iret(2), "#GP(0x0)"},
	{RuleIRETNT, long64, func(w *world) { w.r.RFLAGS |= FlagNT }, iret(8), "#GP(0x0)"},
	{RuleV86Target, prot, func(w *world) { w.stackWords(4, 0x10000, 0x4000, Flag1|FlagVM) }, iret(4), "#GP(0x0)"},
	{RuleReturnNull, prot, frame3(4, 1, 3), iret(4), "#GP(0x0)"},
	{RuleReturnLimit, prot, frame3(4, 1, gdtSize|3), iret(4), "#GP(0xa8)"},
	{RuleReturnType, prot, frame3(4, 1, data3|3), iret(4), "#GP(0x30)"},
	{RuleReturnType, long64, both(frame3(8, -1, 0), edit(code3, 0, AttrDB)), iret(8), "#GP(0x28)"},
	{RuleReturnRPL, prot, fromRing3(frame3(4, 1, code0)), iret(4), "#GP(0x8)"},
	{RuleReturnDPL, prot, frame3(4, 1, code0|3), iret(4), "#GP(0x8)"},
	{RuleReturnDPL, prot, frame3(4, 1, code3|1), retf(4), "#GP(0x28)"},
	{RuleReturnDPL, prot, both(frame3(4, 1, conf0|1), edit(conf0, 0, dpl(3))), iret(4), "#GP(0x38)"},
	{RuleReturnPresent, prot, both(frame3(4, -1, 0), edit(code3, AttrPresent, 0)), iret(4), "#NP(0x28)"},
	{RuleReturnSSNull, prot, frame3(4, 4, 3), iret(4), "#GP(0x0)"},
	{RuleReturnSSNull, long64, frame3(8, 4, 3), iret(8), "#GP(0x0)"},
	{RuleReturnSSNull, long64, func(w *world) { w.stackWords(8, handler, code0, Flag1, stack0, 1) }, iret(8), "#GP(0x0)"},
	{RuleReturnSSNull, long64, func(w *world) { w.stackWords(8, handler, code32, Flag1, stack0, 0) }, iret(8), "#GP(0x0)"},
	{RuleReturnSSLimit, prot, frame3(4, 4, gdtSize|3), iret(4), "#GP(0xa8)"},
	{RuleReturnSSRPL, prot, frame3(4, 4, data3|1), iret(4), "#GP(0x30)"},
	{RuleReturnSSRPL, long64, func(w *world) { w.stackWords(8, handler, code0, Flag1, stack0, data3|3) }, iret(8), "#GP(0x30)"},
	{RuleReturnSSType, prot, frame3(4, 4, code3|3), iret(4), "#GP(0x28)"},
	{RuleReturnSSDPL, prot, frame3(4, 4, data0|3), iret(4), "#GP(0x10)"},
	{RuleReturnSSPresent, prot, both(frame3(4, -1, 0), edit(data3, AttrPresent, 0)), iret(4), "#SS(0x30)"},

	// Segment loads.
	{RuleSSNull, prot, nil, loadSeg(decode.SS, 0), "#GP(0x0)"},
	{RuleSSNull, long64, fromRing3(), loadSeg(decode.SS, 3), "#GP(0x0)"},
	{RuleSSNull, long64, nil, loadSeg(decode.SS, 1), "#GP(0x0)"},
	{RuleSSNull, compat, nil, loadSeg(decode.SS, 0), "#GP(0x0)"},
	{RuleSSLimit, prot, nil, loadSeg(decode.SS, gdtSize), "#GP(0xa8)"},
	{RuleSSLimit, prot, nil, loadSeg(decode.SS, 0x84), "#GP(0x84)"},
	{RuleSSRPL, prot, nil, loadSeg(decode.SS, data0|3), "#GP(0x10)"},
	{RuleSSType, prot, nil, loadSeg(decode.SS, code0), "#GP(0x8)"},
	{RuleSSType, prot, edit(data0, AttrWritable, 0), loadSeg(decode.SS, data0), "#GP(0x10)"},
	{RuleSSDPL, prot, nil, loadSeg(decode.SS, data3), "#GP(0x30)"},
	{RuleSSPresent, prot, edit(data0, AttrPresent, 0), loadSeg(decode.SS, data0), "#SS(0x10)"},
	{RuleDataLimit, prot, nil, loadSeg(decode.DS, gdtSize), "#GP(0xa8)"},
	{RuleDataLimit, prot, func(w *world) { w.r.LDTR.Attr = AttrUnusable }, loadSeg(decode.DS, data0|4), "#GP(0x14)"},
	{RuleDataType, prot, nil, loadSeg(decode.DS, tssSel), "#GP(0x40)"},
	{RuleDataType, prot, edit(code0, AttrWritable, 0), loadSeg(decode.DS, code0), "#GP(0x8)"},
	{RuleDataDPL, prot, fromRing3(), loadSeg(decode.DS, data0), "#GP(0x10)"},
	{RuleDataDPL, prot, nil, loadSeg(decode.DS, data0|3), "#GP(0x10)"},
	{RuleDataPresent, prot, edit(data0, AttrPresent, 0), loadSeg(decode.GS, data0), "#NP(0x10)"},

	// LLDT and LTR.
	{RuleLDTInGDT, prot, nil, lldt(ldtSel | 4), "#GP(0x6c)"},
	{RuleLDTLimit, prot, nil, lldt(gdtSize), "#GP(0xa8)"},
	{RuleLDTType, prot, nil, lldt(data0), "#GP(0x10)"},
	{RuleLDTPresent, prot, edit(ldtSel, AttrPresent, 0), lldt(ldtSel), "#NP(0x68)"},
	{RuleTRNull, prot, nil, ltr(2), "#GP(0x0)"},
	{RuleTRInGDT, prot, nil, ltr(tss2Sel | 4), "#GP(0x54)"},
	{RuleTRLimit, prot, nil, ltr(gdtSize), "#GP(0xa8)"},
	{RuleTRType, prot, nil, ltr(tssSel), "#GP(0x40)"},
	{RuleTRType, long64, nil, ltr(t16Sel), "#GP(0x60)"},
	{RuleTRPresent, prot, edit(tss2Sel, AttrPresent, 0), ltr(tss2Sel), "#NP(0x50)"},
	{RuleBaseCanonical, long64, func(w *world) { w.gdt(tss2Sel+8, 0x8000) }, ltr(tss2Sel), "#GP(0x50)"},

	// Task switches.
	{RuleTaskGateDPL, prot, fromRing3(func(w *world) { w.gdt(gateSel, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0)) }), jump(gateSel), "#GP(0x78)"},
	{RuleTaskGatePresent, prot, func(w *world) { w.gdt(gateSel, gate(tss2Sel, 0, typeTaskGate, 0)) }, jump(gateSel), "#NP(0x78)"},
	{RuleTSSDPL, prot, nil, jump(tss2Sel | 3), "#GP(0x50)"},
	{RuleTaskInGDT, prot, vec20(tss2Sel|4, 0, AttrPresent|typeTaskGate, 0), external(0x20), "#GP(0x55)"},
	{RuleTaskLimit, prot, vec20(gdtSize, 0, AttrPresent|typeTaskGate, 0), external(0x20), "#GP(0xa9)"},
	{RuleTaskAvailable, prot, vec20(tssSel, 0, AttrPresent|typeTaskGate, 0), external(0x20), "#GP(0x41)"},
	{RuleTaskAvailable, prot, nil, jump(tssSel), "#GP(0x40)"},
	{RuleTaskAvailable, prot, vec20(data0, 0, AttrPresent|typeTaskGate, 0), software(0x20), "#GP(0x10)"},
	{RuleTaskPresent, prot, both(edit(tss2Sel, AttrPresent, 0), vec20(tss2Sel, 0, AttrPresent|typeTaskGate, 0)), external(0x20), "#NP(0x51)"},
	{RuleTaskPresent, prot, edit(tss2Sel, AttrPresent, 0), call(tss2Sel), "#NP(0x50)"},
	{RuleLinkInGDT, prot, nested(tss2Sel | 4), iret(4), "#TS(0x54)"},
	{RuleLinkLimit, prot, nested(gdtSize), iret(4), "#TS(0xa8)"},
	{RuleLinkBusy, prot, nested(t16Sel), iret(4), "#TS(0x60)"},
	{RuleLinkBusy, prot, nested(data0), iret(4), "#TS(0x10)"},
	{RuleLinkPresent, prot, both(nested(tss2Sel), edit(tss2Sel, AttrPresent, 0)), iret(4), "#NP(0x50)"},
	{RuleTSSSize, prot, func(w *world) { w.gdt(tss2Sel, desc(tss2At, 0x66, AttrPresent|typeTSS32)) }, jump(tss2Sel), "#TS(0x50)"},
	{RuleTSSSize, prot, func(w *world) { w.gdt(t16Sel, desc(tss16At, 0x2a, AttrPresent|typeTSS16)) }, jump(t16Sel), "#TS(0x60)"},
	{RuleTSSSaveSize, prot, func(w *world) { w.r.TR.Limit = 0x5c }, jump(tss2Sel), "#TS(0x40)"},
	{RuleTaskPDPTE, pae, both(task2(28, 0x10000), pokeAt(0x10000, 8, 0x1e7)), jump(tss2Sel), "#GP(0x0)"},
	{RuleTaskCSNull, prot, task2(76, 0), jump(tss2Sel), "#TS(0x0)"},
	{RuleTaskCSLimit, prot, task2(76, gdtSize), jump(tss2Sel), "#TS(0xa8)"},
	{RuleTaskCSType, prot, task2(76, data0), jump(tss2Sel), "#TS(0x10)"},
	{RuleTaskCSDPL, prot, task2(76, code0|3), jump(tss2Sel), "#TS(0x8)"},
	{RuleTaskCSPresent, prot, edit(code0, AttrPresent, 0), jump(tss2Sel), "#NP(0x8)"},
	{RuleTaskSSNull, prot, task2(80, 0), jump(tss2Sel), "#TS(0x0)"},
	{RuleTaskSSLimit, prot, task2(80, gdtSize), jump(tss2Sel), "#TS(0xa8)"},
	{RuleTaskSSType, prot, task2(80, code0), jump(tss2Sel), "#TS(0x8)"},
	{RuleTaskSSPresent, prot, edit(data0, AttrPresent, 0), jump(tss2Sel), "#SS(0x10)"},
	{RuleTaskSSDPL, prot, task2(80, data3|3), jump(tss2Sel), "#TS(0x30)"},
	{RuleTaskSSDPL, prot, task2(80, data0|3), jump(tss2Sel), "#TS(0x10)"},
	{RuleDataType, prot, task2(84, tssSel), jump(tss2Sel), "#TS(0x40)"},
	{RuleDataDPL, prot, task2(72, data0|3), jump(tss2Sel), "#TS(0x10)"},
	{RuleDataPresent, prot, edit(data3, AttrPresent, 0), jump(tss2Sel), "#NP(0x30)"},
	{RuleLDTType, prot, task2(96, data0), jump(tss2Sel), "#TS(0x10)"},
	{RuleLDTPresent, prot, edit(ldtSel, AttrPresent, 0), jump(tss2Sel), "#TS(0x68)"},
	{RuleTargetLimit, prot, both(task2(76, spare), task2(32, 0x1000), spareDesc(desc(0, 0xfff, attrCode|AttrDB))), jump(tss2Sel), "#GP(0x0)"},
}

func armAC(w *world) {
	w.m.SetCR0(w.m.Ctl.CR0 | mmu.CR0AM)
	w.r.RFLAGS |= FlagAC
}

// virtual is VME with IOPL 0 and a frame whose FLAGS image is given.
func virtual(flags, image uint64) func(*world) {
	return func(w *world) {
		w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4VME)
		w.r.RFLAGS = w.r.RFLAGS&^FlagIOPL | flags
		w.stackWords(2, 0x1111, 0x4100, image|Flag1)
	}
}

func TestRules(t *testing.T) {
	for i := range ruleCases {
		c := &ruleCases[i]
		t.Run(string(c.mode)+"/"+c.rule.String()+"/"+c.want, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			rec := w.record()
			before, gpr, mem := w.r, w.g, w.memory()
			ev, ok := c.do(w)
			assert.Equal(t, c.want, short(ev, ok))
			assert.Equal(t, []Rule{c.rule}, rec.failed, "the rule broken is the only one that fails")
			assert.Equal(t, w.r.RIP, ev.Return, "the fault returns to the current instruction")
			if w.r.TR.Sel != tssSel {
				return
			}
			before.NMIBlocked = w.r.NMIBlocked
			assert.Equal(t, before, w.r, "registers do not change")
			assert.Equal(t, gpr, w.g, "general registers do not change")
			assert.True(t, mem == w.memory(), "memory does not change")
		})
	}
}

// TestRulesAfterSuccess breaks each rule behind deliveries and returns of every level that
// went well, with nobody watching: what is known from these hides no check.
func TestRulesAfterSuccess(t *testing.T) {
	for i := range ruleCases {
		c := &ruleCases[i]
		t.Run(string(c.mode)+"/"+c.rule.String()+"/"+c.want, func(t *testing.T) {
			w := newWorld(t, c.mode)
			w.thereAndBack()
			if c.prep != nil {
				c.prep(w)
			}
			assert.Equal(t, c.want, short(c.do(w)))
		})
	}
}

// TestEveryRuleHasACase keeps the table above complete.
func TestEveryRuleHasACase(t *testing.T) {
	seen := map[Rule]bool{}
	for _, c := range ruleCases {
		seen[c.rule] = true
	}
	for r := RuleNone + 1; r < ruleCount; r++ {
		assert.True(t, seen[r], "no case breaks the rule %q", r)
		assert.NotEmpty(t, r.String())
	}
}
