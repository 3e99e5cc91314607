package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/mmu"
)

const (
	int16Gate = AttrPresent | typeInt16
	trap32    = AttrPresent | typeTrap32
)

// TestFrame checks what a delivery pushes, where, and the registers it leaves.
func TestFrame(t *testing.T) {
	pf := Event{Vector: VecPF, HasCode: true, Code: 6, CR2: hole, Return: code}
	intr := Event{Vector: 0x20, Kind: External, Return: code}
	for _, c := range []struct {
		name   string
		mode   mode
		prep   func(*world)
		ev     Event
		pushes []uint64
		sp     uint64 // after it
		ss     uint16
		cpl    uint8
		flags  uint64
	}{
		{"32-bit interrupt gate, same level: EFLAGS CS EIP, IF cleared", prot, nil, intr,
			[]uint64{Flag1 | FlagIF, code0, code}, stack0 - 0x10c, data0, 0, Flag1},
		{"32-bit trap gate keeps IF", prot, vec20(code0, handler, trap32, 0), intr,
			[]uint64{Flag1 | FlagIF, code0, code}, stack0 - 0x10c, data0, 0, Flag1 | FlagIF},
		{"a fault's error code comes last and RF is set in the image", prot, nil, pf,
			[]uint64{Flag1 | FlagIF | FlagRF, code0, code, 6}, stack0 - 0x110, data0, 0, Flag1},
		{"TF, NT and RF are cleared, AC, ID, IOPL and DF stay", prot, func(w *world) {
			w.r.RFLAGS |= FlagTF | FlagNT | FlagRF | FlagAC | FlagID | FlagIOPL | FlagDF
		}, intr, []uint64{Flag1 | FlagIF | FlagTF | FlagNT | FlagRF | FlagAC | FlagID | FlagIOPL | FlagDF, code0, code}, stack0 - 0x10c, data0, 0, Flag1 | FlagAC | FlagID | FlagIOPL | FlagDF},
		{"32-bit gate to ring 0: SS ESP first, stack from the TSS", prot, fromRing3(), intr,
			[]uint64{data3 | 3, stack3, Flag1 | FlagIF, code3 | 3, code}, stack0 - 20, data0, 0, Flag1},
		{"32-bit gate to ring 1", prot, fromRing3(vec20(code1, handler, int32Gate, 0)), intr,
			[]uint64{data3 | 3, stack3, Flag1 | FlagIF, code3 | 3, code}, stack1 - 20, data1 | 1, 1, Flag1},
		{"conforming handler stays at CPL 3 on the same stack", prot, fromRing3(vec20(conf0, handler, int32Gate, 0)), intr,
			[]uint64{Flag1 | FlagIF, code3 | 3, code}, stack3 - 12, data3 | 3, 3, Flag1},
		{"16-bit gate pushes words", prot, vec20(code0, 0xffff_1230, int16Gate, 0), intr,
			[]uint64{Flag1 | FlagIF, code0, code & 0xffff}, stack0 - 0x106, data0, 0, Flag1},
		{"16-bit gate to ring 0", prot, fromRing3(vec20(code0, 0x1230, int16Gate, 0)), intr,
			[]uint64{data3 | 3, stack3 & 0xffff, Flag1 | FlagIF, code3 | 3, code & 0xffff}, stack0 - 10, data0, 0, Flag1},
		{"a 16-bit TSS gives the stack too", prot, fromRing3(func(w *world) {
			w.r.TR.Attr = AttrPresent | typeBusy16
			w.poke(tssAt+2, 4, 0x8000|data0<<16)
		}), intr, []uint64{data3 | 3, stack3, Flag1 | FlagIF, code3 | 3, code}, 0x8000 - 20, data0, 0, Flag1},
		{"a 16-bit stack segment moves SP alone", prot, fromRing3(func(w *world) {
			w.gdt(data0, desc(0x50000, 0xffff, attrData))
			w.poke(tssAt+4, 4, 0x77770008)
		}), intr, []uint64{data3 | 3, stack3, Flag1 | FlagIF, code3 | 3, code}, 0x7777fff4, data0, 0, Flag1},
		{"from VM86: GS FS DS ES first", v86, nil, intr,
			[]uint64{0x400, 0x300, 0x100, 0x200, 0x5000, 0x2000, Flag1 | FlagIF | FlagVM | FlagIOPL, 0x4000, code}, stack0 - 36, data0, 0, Flag1 | FlagIOPL},
		{"from VM86 through a 16-bit gate", v86, vec20(code0, 0x1230, int16Gate, 0), intr,
			[]uint64{0x400, 0x300, 0x100, 0x200, 0x5000, 0x2000, (Flag1 | FlagIF | FlagIOPL) & 0xffff, 0x4000, code & 0xffff}, stack0 - 18, data0, 0, Flag1 | FlagIOPL},
		{"64-bit gate, same level: aligned, with SS RSP", long64, func(w *world) { w.g[4] = stack0 - 0x103 }, intr,
			[]uint64{data0, stack0 - 0x103, Flag1 | FlagIF, code0, code}, stack0 - 0x110 - 40, data0, 0, Flag1},
		{"64-bit gate to ring 0: null SS", long64, fromRing3(), pf,
			[]uint64{data3 | 3, stack3, Flag1 | FlagIF | FlagRF, code3 | 3, code, 6}, stack0 - 48, 0, 0, Flag1},
		{"64-bit gate to ring 1: null SS with RPL 1", long64, fromRing3(vec20(code1, handler, int32Gate, 0)), intr,
			[]uint64{data3 | 3, stack3, Flag1 | FlagIF, code3 | 3, code}, stack1 - 40, 1, 1, Flag1},
		{"IST at the same level keeps SS", long64, vec20(code0, handler, int32Gate, 1), intr,
			[]uint64{data0, stack0 - 0x100, Flag1 | FlagIF, code0, code}, istStack - 40, data0, 0, Flag1},
		{"IST from ring 3 wins over RSP0", long64, fromRing3(vec20(code0, handler, int32Gate, 1)), intr,
			[]uint64{data3 | 3, stack3, Flag1 | FlagIF, code3 | 3, code}, istStack - 40, 0, 0, Flag1},
		{"from compatibility mode the frame is 64-bit", compat, func(w *world) {
			w.ring(3)
			w.load(decode.CS, code32u|3)
		}, intr, []uint64{data3 | 3, stack3, Flag1 | FlagIF, code32u | 3, code}, stack0 - 40, 0, 0, Flag1},
		{"real mode: FLAGS CS IP, IF TF AC cleared", real16, func(w *world) { w.r.RFLAGS |= FlagTF | FlagAC },
			Event{Vector: 0x21, Kind: SoftInt, Return: 0x1236}, []uint64{Flag1 | FlagIF | FlagTF, 0x4000, 0x1236}, 0x1ffa, 0x5000, 0, Flag1},
		{"real mode pushes no error code", real16, nil,
			Event{Vector: VecGP, HasCode: true, Return: 0x1234}, []uint64{Flag1 | FlagIF, 0x4000, 0x1234}, 0x1ffa, 0x5000, 0, Flag1},
		{"real mode: SP wraps from 2", real16, func(w *world) { w.g[4] = 2 },
			Event{Vector: 0x21, Kind: External, Return: 0x1234}, []uint64{Flag1 | FlagIF, 0x4000, 0x1234}, 0xfffc, 0x5000, 0, Flag1},
	} {
		t.Run(string(c.mode)+"/"+c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			rec := w.record()
			out := delivered(w.fake, c.ev)
			require.Equal(t, uint8(1), out.N, "chain %v", out.Chain)
			size := uint64(8)
			for _, e := range rec.events {
				if e.Stage == StagePush {
					size = uint64(e.Size)
				}
			}
			assert.Equal(t, c.pushes, rec.pushes)
			for i, at := range rec.at {
				assert.Equal(t, rec.pushes[i], w.peek(uint64(at), uint(size)))
			}
			assert.Equal(t, c.sp, w.g[4], "stack pointer")
			assert.Equal(t, c.ss, w.r.Seg[decode.SS].Sel)
			assert.Equal(t, c.cpl, w.r.CPL)
			assert.Equal(t, c.flags, w.r.RFLAGS)
			if c.mode != real16 {
				assert.Equal(t, uint16(c.cpl), w.r.Seg[decode.CS].Sel&3)
			}
		})
	}
}

func TestV86EntryNullsDataSegments(t *testing.T) {
	w := newWorld(t, v86)
	delivered(w.fake, Event{Vector: 0x20, Kind: External})
	for _, reg := range []decode.SegReg{decode.DS, decode.ES, decode.FS, decode.GS} {
		assert.Zero(t, w.r.Seg[reg].Sel)
		assert.NotZero(t, w.r.Seg[reg].Attr&AttrUnusable)
	}
}

// TestRFInImage: which events push RF = 1.
func TestRFInImage(t *testing.T) {
	for _, c := range []struct {
		name string
		ev   Event
		old  uint64
		rf   bool
	}{
		{"fault", Event{Vector: VecGP, HasCode: true}, 0, true},
		{"fault without error code", Event{Vector: VecUD}, 0, true},
		{"#DB of an instruction breakpoint or single step", Event{Vector: VecDB, DR6: DR6BS}, 0, false},
		{"#DB of general detect is a fault", Event{Vector: VecDB, DR6: DR6BD}, 0, true},
		{"trap", Event{Vector: VecOF, Kind: SoftExc}, FlagRF, false},
		{"abort", Event{Vector: VecDF, HasCode: true}, 0, false},
		{"INT n of a fault's vector", Event{Vector: VecGP, Kind: SoftInt}, FlagRF, false},
		{"INTR keeps RF as the processor left it", Event{Vector: 0x20, Kind: External}, FlagRF, true},
		{"INTR between instructions", Event{Vector: 0x20, Kind: External}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, prot)
			w.r.RFLAGS |= c.old
			rec := w.record()
			delivered(w.fake, c.ev)
			assert.Equal(t, c.rf, rec.pushes[0]&FlagRF != 0)
			assert.Zero(t, w.r.RFLAGS&FlagRF)
		})
	}
}

// TestPushFaultOrder: the push that fails first is the highest one, and no
// byte of the frame is written.
func TestPushFaultOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		mode mode
		sp   uint64
		ro   bool // the page below sp is read-only instead of not present
		want string
	}{
		{"frame all in the guard page", paged, guard + 0x1000, false, "#PF(0x2) 0x60ffc"},
		{"frame that runs into the guard page", paged, guard + 0x1008, false, "#PF(0x2) 0x60ffc"},
		{"word that straddles into the guard page", paged, guard + 0x1006, false, "#PF(0x2) 0x60ffe"},
		{"read-only stack page", paged, guard + 0x1008, true, "#PF(0x3) 0x60ffc"},
		{"64-bit frame that runs into the guard page", long64, guard + 0x1010, false, "#PF(0x2) 0x60ff8"},
		{"64-bit frame, no TLB", longTLB, guard + 0x1010, false, "#PF(0x2) 0x60ff8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			w.g[4] = c.sp
			if c.ro {
				w.pte(guard, 5)
			}
			before := w.memory()
			ev, ok := w.attempt(Event{Vector: 0x20, Kind: External})
			assert.Equal(t, c.want, short(ev, ok))
			assert.True(t, before == w.memory())
		})
	}
}

// TestUserRights: whose right a delivery uses for tables and stacks.
func TestUserRights(t *testing.T) {
	smap := func(w *world) { w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4SMAP) }
	supervisor := func(pages ...uint64) func(*world) {
		return func(w *world) {
			for _, p := range pages {
				w.pte(p, 3)
			}
		}
	}
	tablesPages := supervisor(gdtAt, idtAt, tssAt, code)
	for _, c := range []struct {
		name string
		prep func(*world)
		want string
	}{
		{"tables and inner stack may be supervisor pages", fromRing3(tablesPages, supervisor(stack0-0x1000)), "ok"},
		{"a handler at CPL 3 needs a user stack", fromRing3(tablesPages, supervisor(stack3-0x1000), vec20(code3, handler, int32Gate, 0)), "#PF(0x7) 0x57ffc"},
		{"SMAP: an inner stack on a user page", fromRing3(smap, tablesPages), "#PF(0x3) 0x51ffc"},
		{"SMAP: pushes obey EFLAGS.AC", fromRing3(smap, tablesPages, func(w *world) { w.r.RFLAGS |= FlagAC }), "ok"},
		{"SMAP: tables on user pages, AC or not", both(smap, func(w *world) { w.r.RFLAGS |= FlagAC }), "#PF(0x1) 0x3100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, paged)
			c.prep(w)
			ev, ok := w.attempt(Event{Vector: 0x20, Kind: External})
			assert.Equal(t, c.want, short(ev, ok))
		})
	}
}

// TestAccessedBits: delivery sets the accessed bit of the code and stack
// descriptors, needs the right to, and leaves set ones alone.
func TestAccessedBits(t *testing.T) {
	w := newWorld(t, paged)
	w.ring(3)
	w.edit(code0, AttrAccessed, 0)
	w.edit(data0, AttrAccessed, 0)
	w.pte(gdtAt, 5)
	ev, ok := w.attempt(Event{Vector: 0x20, Kind: External})
	assert.Equal(t, "#PF(0x3) 0x100d", short(ev, ok))
	w.pte(gdtAt, 7)
	_, ok = w.attempt(Event{Vector: 0x20, Kind: External})
	assert.True(t, ok)
	assert.NotZero(t, descriptor(w.peek(gdtAt+code0, 8)).attr()&AttrAccessed)
	assert.NotZero(t, descriptor(w.peek(gdtAt+data0, 8)).attr()&AttrAccessed)
	w.pte(gdtAt, 5)
	_, ok = w.attempt(Event{Vector: 0x20, Kind: External})
	assert.True(t, ok, "nothing to write")
}

func TestSideEffects(t *testing.T) {
	w := newWorld(t, prot)
	w.r.Shadow = ShadowSTI
	w.dr7 = dr7GD | 1
	delivered(w.fake, Event{Vector: VecDB, DR6: DR6BS})
	assert.Equal(t, uint64(DR6BS), w.dr6, "DR6 tells why")
	assert.Equal(t, uint64(1), w.dr7, "a #DB clears DR7.GD")
	assert.Zero(t, w.r.Shadow, "a delivery ends the shadow")
	delivered(w.fake, Event{Vector: VecNMI, Kind: NMI})
	assert.True(t, w.r.NMIBlocked, "an NMI blocks NMIs")
	w.stackWords(4, 0, 0, 0)
	_, ok := told(IRET(w.fake, 4, 0))
	assert.False(t, ok)
	assert.False(t, w.r.NMIBlocked, "an IRET that faults unblocks them")
	delivered(w.fake, Event{Vector: VecPF, HasCode: true, CR2: 0x1234})
	assert.Equal(t, uint64(0x1234), w.m.Ctl.CR2)
	delivered(w.fake, Event{Vector: VecPF, Kind: SoftInt, CR2: 0x5678})
	assert.Equal(t, uint64(0x1234), w.m.Ctl.CR2, "INT 14 is no page fault")
}
