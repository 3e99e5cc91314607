package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/mmu"
)

func busy(w *world, sel uint16) bool {
	return descriptor(w.peek(gdtAt+uint64(sel), 8)).attr()&typeBusyBit != 0
}

func taskGate(w *world, v Vector, sel uint16) { w.idt(v, gate(sel, 0, AttrPresent|typeTaskGate, 0)) }

// TestTaskSwitchKinds: what JMP, CALL, an event and IRET do to busy bits, NT
// and the link. [SDM 3A, Task Linking, Table "Effect of a Task Switch on Busy
// Flag, NT Flag, Previous Task Link Field, and TS Flag"]
func TestTaskSwitchKinds(t *testing.T) {
	for _, c := range []struct {
		name             string
		prep             func(*world)
		do               func(*world) (Event, bool)
		oldBusy, newBusy bool
		oldNT, newNT     bool
		link             uint64 // in the new TSS
		eip              uint64 // saved in the old TSS
	}{
		{"JMP", nil, jump(tss2Sel), false, true, false, false, 0xbbbb, code + 7},
		{"JMP through a gate", func(w *world) { w.gdt(gateSel, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0)) }, jump(gateSel), false, true, false, false, 0xbbbb, code + 7},
		{"JMP keeps NT of the old task", func(w *world) { w.r.RFLAGS |= FlagNT }, jump(tss2Sel), false, true, true, false, 0xbbbb, code + 7},
		{"CALL", nil, call(tss2Sel), true, true, false, true, tssSel, code + 7},
		{"interrupt", func(w *world) { taskGate(w, 0x20, tss2Sel) }, external(0x20), true, true, false, true, tssSel, code},
		{"INT n", func(w *world) { taskGate(w, 0x20, tss2Sel) }, software(0x20), true, true, false, true, tssSel, code + 2},
		{"IRET", nested(tss2Sel), iret(4), false, true, false, false, 0xbbbb, code + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, paged)
			w.poke(tss2At, 2, 0xbbbb)
			if c.prep != nil {
				c.prep(w)
			}
			ev, ok := c.do(w)
			require.True(t, ok, "%v", ev)
			assert.Equal(t, c.oldBusy, busy(w, tssSel), "busy bit of the old TSS")
			assert.Equal(t, c.newBusy, busy(w, tss2Sel), "busy bit of the new TSS")
			assert.Equal(t, c.oldNT, w.peek(tssAt+36, 4)&FlagNT != 0, "NT saved in the old TSS")
			assert.Equal(t, c.newNT, w.r.RFLAGS&FlagNT != 0, "NT in the new task")
			assert.Equal(t, c.link, w.peek(tss2At, 2))
			assert.Equal(t, c.eip, w.peek(tssAt+32, 4))
			assert.NotZero(t, w.m.Ctl.CR0&mmu.CR0TS)
			assert.Equal(t, uint16(tss2Sel), w.r.TR.Sel)
			assert.NotZero(t, w.r.TR.Attr&typeBusyBit)
		})
	}
}

// TestTaskState: everything that a 32-bit task switch saves and loads.
func TestTaskState(t *testing.T) {
	w := newWorld(t, paged)
	w.ring(3)
	w.dr7 = 0x3ff
	w.idt(0x20, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0))
	w.poke(tss2At+72, 4, 0xdead0000|data3|3) // ES, the reserved half is not looked at
	w.poke(tss2At+92, 4, 3)                  // GS null
	w.poke(tss2At+100, 2, 0)
	gpr := w.g
	_, ok := w.attempt(Event{Vector: 0x20, Kind: External, Return: code})
	require.True(t, ok)
	for i, v := range []uint64{code, Flag1 | FlagIF, gpr[0], gpr[1], gpr[2], gpr[3], gpr[4], gpr[5], gpr[6], gpr[7]} {
		assert.Equal(t, v, w.peek(tssAt+32+4*uint64(i), 4), "saved field %d", i)
	}
	for i, v := range []uint64{data3 | 3, code3 | 3, data3 | 3, data3 | 3, data3 | 3, data3 | 3} {
		assert.Equal(t, v, w.peek(tssAt+72+4*uint64(i), 2), "saved selector %d", i)
	}
	assert.Equal(t, [16]uint64{0xa0, 0xa1, 0xa2, 0xa3, stackTSS, 0xa5, 0xa6, 0xa7}, [16]uint64(append(w.g[:8:8], make([]uint64, 8)...)))
	assert.Equal(t, uint64(handler), w.r.RIP)
	assert.Equal(t, uint64(Flag1|FlagNT), w.r.RFLAGS)
	assert.Equal(t, uint8(0), w.r.CPL)
	assert.Equal(t, uint16(data3|3), w.r.Seg[decode.ES].Sel)
	assert.Equal(t, uint32(0xffffffff), w.r.Seg[decode.ES].Limit)
	assert.Equal(t, uint16(3), w.r.Seg[decode.GS].Sel)
	assert.NotZero(t, w.r.Seg[decode.GS].Attr&AttrUnusable)
	assert.Equal(t, uint16(ldtSel), w.r.LDTR.Sel)
	assert.Equal(t, uint64(ldtAt), w.r.LDTR.Base)
	assert.Equal(t, uint64(0x2aa), w.dr7, "the L bits and LE are cleared")
	assert.Zero(t, w.pnd)
}

func TestTaskTrapFlag(t *testing.T) {
	w := newWorld(t, prot)
	w.poke(tss2At+100, 2, 1)
	_, ok := jump(tss2Sel)(w)
	require.True(t, ok)
	assert.Equal(t, uint64(DR6BT), w.pnd)
}

// TestTaskCR3: the new task's page tables are used from its segment loads on.
func TestTaskCR3(t *testing.T) {
	w := newWorld(t, paged)
	const other = 0x110000
	w.poke(other, 4, w.peek(tables, 4))
	w.poke(tss2At+28, 4, other)
	_, ok := jump(tss2Sel)(w)
	require.True(t, ok)
	assert.Equal(t, uint64(other), w.m.Ctl.CR3)

	w = newWorld(t, paged)
	w.poke(tss2At+28, 4, other) // tables without a GDT
	ev, ok := jump(tss2Sel)(w)
	assert.Equal(t, "#PF(0x0) 0x1068", short(ev, ok))
	assert.Equal(t, uint64(other), w.m.Ctl.CR3)
	assert.Equal(t, uint64(handler), ev.Return, "a fault of the new task")

	w = newWorld(t, prot)
	w.poke(tss2At+28, 4, other)
	_, ok = jump(tss2Sel)(w)
	require.True(t, ok)
	assert.Zero(t, w.m.Ctl.CR3, "without paging CR3 stays")
}

func TestTaskPAE(t *testing.T) {
	w := newWorld(t, pae)
	const other = 0x110000
	w.poke(other, 8, w.peek(tables, 8))
	w.poke(tss2At+28, 4, other)
	w.m.Mem.Write(other+8, 8, 0x2001)
	_, ok := jump(tss2Sel)(w)
	require.True(t, ok)
	assert.Equal(t, uint64(other), w.m.Ctl.CR3)
	assert.Equal(t, uint64(0x2001), w.m.Ctl.PDPTE[1])
}

// TestTaskErrorCode: an exception's error code goes onto the new task's stack,
// as wide as its TSS.
func TestTaskErrorCode(t *testing.T) {
	w := newWorld(t, paged)
	taskGate(w, VecDF, tss2Sel)
	out := delivered(w.fake, Event{Vector: VecDF, HasCode: true})
	assert.Equal(t, "#DF(0x0)", chain(out))
	assert.Equal(t, uint64(stackTSS-4), w.g[4])
	assert.Zero(t, w.peek(stackTSS-4, 4))

	w = newWorld(t, paged)
	taskGate(w, VecGP, t16Sel)
	w.poke(tss16At+26, 2, 0x8000)
	w.poke(tss16At+38, 2, spare)
	w.gdt(spare, desc(0x50000, 0xffff, attrData))
	delivered(w.fake, Event{Vector: VecGP, HasCode: true, Code: 0x1234})
	assert.Equal(t, uint64(0xffff7ffe), w.g[4])
	assert.Equal(t, uint64(0x1234), w.peek(0x57ffe, 2))

	w = newWorld(t, paged)
	taskGate(w, VecGP, tss2Sel)
	w.poke(tss2At+56, 4, guard+0x1004)
	ev, ok := w.attempt(Event{Vector: VecGP, HasCode: true, Code: 0x1234})
	assert.True(t, ok, "%v", ev)
	w = newWorld(t, paged)
	taskGate(w, VecGP, tss2Sel)
	w.poke(tss2At+56, 4, guard+0x1000)
	ev, ok = w.attempt(Event{Vector: VecGP, HasCode: true, Code: 0x1234})
	assert.Equal(t, "#PF(0x2) 0x60ffc", short(ev, ok))
	assert.Equal(t, uint64(handler), ev.Return, "in the new task")
}

// TestTask16: a 16-bit TSS saves and loads words.
func TestTask16(t *testing.T) {
	w := newWorld(t, prot)
	w.g[0] = 0x12345678
	_, ok := jump(t16Sel)(w)
	require.True(t, ok)
	assert.Equal(t, uint64(0x12345678), w.peek(tssAt+40, 4), "the old, 32-bit TSS has all of EAX")
	assert.Equal(t, uint64(0x1230), w.r.RIP)
	assert.Equal(t, uint64(0xffff00a0), w.g[0])
	assert.Equal(t, uint16(0), w.r.Seg[decode.FS].Sel)
	assert.NotZero(t, w.r.Seg[decode.FS].Attr&AttrUnusable)
	assert.Equal(t, uint16(ldtSel), w.r.LDTR.Sel)
	w.g[0] = 0xabcd1234
	w.r.RIP = 0x4444
	_, ok = jump(tssSel)(w)
	require.True(t, ok)
	for i, v := range []uint64{0x444b, Flag1, 0x1234, 0xa1} {
		assert.Equal(t, v, w.peek(tss16At+14+2*uint64(i), 2))
	}
	assert.Equal(t, uint64(0x12345678), w.g[0])
	assert.Equal(t, uint64(code+7), w.r.RIP)
}

func TestTaskToV86(t *testing.T) {
	w := newWorld(t, paged)
	for off, v := range map[uint64]uint64{32: 0x1234, 36: Flag1 | FlagVM, 56: 0x2000, 72: 0x200, 76: 0x4000, 80: 0x5000, 84: 0x100, 88: 0x300, 92: 0x400} {
		w.poke(tss2At+off, 4, v)
	}
	_, ok := jump(tss2Sel)(w)
	require.True(t, ok)
	assert.Equal(t, uint8(3), w.r.CPL)
	assert.Equal(t, Segment{Sel: 0x4000, Base: 0x40000, Limit: 0xffff, Attr: attrData | dpl(3)}, w.r.Seg[decode.CS])
	assert.Equal(t, uint64(0x50000), w.r.Seg[decode.SS].Base)
	assert.Equal(t, uint64(0x1234), w.r.RIP)
}

// TestTaskPages: every page of both TSSs and both descriptors is probed before
// anything changes, also where a TSS straddles two pages.
func TestTaskPages(t *testing.T) {
	const split = guard - 40 // EFLAGS and what follows lie in the guard page
	for _, c := range []struct {
		name string
		prep func(*world)
		do   func(*world) (Event, bool)
		want string
	}{
		{"new TSS", func(w *world) { w.gdt(tss2Sel, desc(guard, 0x67, AttrPresent|typeTSS32)) }, jump(tss2Sel), "#PF(0x0) 0x60000"},
		{"second page of the new TSS", func(w *world) { w.gdt(tss2Sel, desc(split, 0x67, AttrPresent|typeTSS32)) }, jump(tss2Sel), "#PF(0x0) 0x60000"},
		{"old TSS", func(w *world) { w.r.TR.Base = guard }, jump(tss2Sel), "#PF(0x2) 0x60020"},
		{"second page of the old TSS", func(w *world) { w.r.TR.Base = split }, jump(tss2Sel), "#PF(0x2) 0x60000"},
		{"old TSS read-only", func(w *world) { w.pte(tssAt, 5) }, jump(tss2Sel), "#PF(0x3) 0x5020"},
		{"link of the new TSS read-only", func(w *world) { w.pte(tss2At, 5) }, call(tss2Sel), "#PF(0x3) 0x6000"},
		{"busy bit", func(w *world) { w.pte(gdtAt, 5) }, jump(tss2Sel), "#PF(0x3) 0x1055"},
		{"busy bit of the old TSS", both(nested(tss2Sel), func(w *world) { w.pte(gdtAt, 5) }), iret(4), "#PF(0x3) 0x1045"},
		{"back link", both(nested(tss2Sel), func(w *world) { w.r.TR.Base = guard }), iret(4), "#PF(0x0) 0x60000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, paged)
			c.prep(w)
			before, gpr, mem := w.r, w.g, w.memory()
			ev, ok := c.do(w)
			assert.Equal(t, c.want, short(ev, ok))
			assert.Equal(t, before, w.r)
			assert.Equal(t, gpr, w.g)
			assert.True(t, mem == w.memory())
		})
	}
	w := newWorld(t, paged)
	w.gdt(tss2Sel, desc(0x8fe0, 0x67, AttrPresent|typeTSS32))
	w.buildTask32(0x8fe0)
	_, ok := jump(tss2Sel)(w)
	assert.True(t, ok, "a TSS over two mapped pages")
	assert.Equal(t, uint64(0xa7), w.g[7])
}

// TestTaskFaultState: a fault while the new task's segments load finds its
// registers in place and the segments not yet loaded unusable.
func TestTaskFaultState(t *testing.T) {
	w := newWorld(t, prot)
	w.poke(tss2At+84, 4, 0x20000|spare) // DS
	ev, ok := jump(tss2Sel)(w)
	assert.Equal(t, "#GP(0x88)", short(Event{Vector: VecGP, HasCode: true, Code: ev.Code}, false))
	assert.Equal(t, VecTS, ev.Vector)
	assert.False(t, ok)
	assert.Equal(t, uint64(0xa0), w.g[0])
	assert.Equal(t, uint16(tss2Sel), w.r.TR.Sel)
	assert.Equal(t, uint16(code0), w.r.Seg[decode.CS].Sel)
	assert.Zero(t, w.r.Seg[decode.SS].Attr&AttrUnusable)
	assert.Equal(t, uint16(spare), w.r.Seg[decode.DS].Sel)
	assert.NotZero(t, w.r.Seg[decode.DS].Attr&AttrUnusable)
	assert.NotZero(t, w.r.Seg[decode.ES].Attr&AttrUnusable)
}

// TestNestedTaskFromV86 does the same from VM86 mode.
func TestNestedTaskFromV86(t *testing.T) {
	w := newWorld(t, v86)
	taskGate(w, 0x20, tss2Sel)
	start, gpr := w.r, w.g
	delivered(w.fake, Event{Vector: 0x20, Kind: External, Return: w.r.RIP})
	require.Equal(t, uint8(0), w.r.CPL)
	require.Zero(t, w.r.RFLAGS&FlagVM)
	_, ok := told(IRET(w.fake, 4, handler))
	require.True(t, ok)
	assert.Equal(t, start, w.r)
	assert.Equal(t, gpr, w.g)
}

// TestNestedTask goes into a task by an interrupt and back by IRET, twice.
func TestNestedTask(t *testing.T) {
	w := newWorld(t, paged)
	w.ring(3)
	taskGate(w, 0x20, tss2Sel)
	start, gpr := w.r, w.g
	for range 2 {
		delivered(w.fake, Event{Vector: 0x20, Kind: External, Return: code})
		require.Equal(t, uint16(tss2Sel), w.r.TR.Sel)
		_, ok := told(IRET(w.fake, 4, handler))
		require.True(t, ok)
		require.Equal(t, start, w.r)
		require.Equal(t, gpr, w.g)
	}
	assert.False(t, busy(w, tss2Sel))
	assert.True(t, busy(w, tssSel))
}
