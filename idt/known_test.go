package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
)

// TestKnownElsewhere: the accessed bit is set in the table that is used, also where it has
// the same bytes as the one used before.
func TestKnownElsewhere(t *testing.T) {
	const copied = gdtAt + 0x800
	w := newWorld(t, prot)
	w.edit(code0, AttrAccessed, 0)
	for at := uint64(0); at < gdtSize; at += 8 {
		w.poke(copied+at, 8, w.peek(gdtAt+at, 8))
	}
	ev := Event{Vector: 0x20, Kind: External, Return: code}
	for range 2 {
		require.Equal(t, uint8(1), delivered(w.fake, ev).N)
		require.NotZero(t, w.peek(w.r.GDTR.Base+code0+5, 1)&uint64(AttrAccessed))
		w.r.GDTR.Base = copied
	}
}

// TestKnownInOtherMode: what code outside IA-32e mode may enter is checked anew inside.
func TestKnownInOtherMode(t *testing.T) {
	w := newWorld(t, compat)
	p := begin(w.fake)
	p.long = false
	require.NotNil(t, p.handlerCode(code32))
	p.long = true
	require.Nil(t, p.handlerCode(code32))
	assert.Equal(t, VecGP, p.fault.Vector)
}

// TestStayed: which operations leave mode, CPL and segments as they were.
func TestStayed(t *testing.T) {
	interrupt := func(w *world) *Event {
		delivered(w.fake, Event{Vector: 0x20, Kind: External, Return: w.r.RIP})
		return nil
	}
	back := func(size uint8, words ...uint64) func(w *world) *Event {
		return func(w *world) *Event {
			w.stackWords(uint(size), words...)
			return IRET(w.fake, size, code)
		}
	}
	for _, c := range []struct {
		name string
		mode mode
		prep func(w *world)
		do   func(w *world) *Event
		want bool
	}{
		{"interrupt at CPL 0", prot, nil, interrupt, true},
		{"interrupt at CPL 0, 64-bit", long64, nil, interrupt, true},
		{"interrupt at CPL 0 by IST", long64, vec20(code0, handler, int32Gate, 1), interrupt, true},
		{"interrupt from CPL 3", prot, fromRing3(), interrupt, false},
		{"interrupt to code of another size", prot, both(vec20(spare, 0x1000, int32Gate, 0), spareDesc(desc(0, 0xffff, attrCode))), interrupt, false},
		{"interrupt from VM86 mode", v86, nil, interrupt, false},
		{"fault in a task that was entered from CPL 3", prot, fromRing3(
			spareDesc(desc(0, 0xfff, attrCode|AttrDB)), task2(76, spare), task2(32, 0x1000),
			func(w *world) {
				w.idt(0x20, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0))
				w.idt(VecGP, gate(spare, 0x100, int32Gate, 0))
			}), interrupt, false},
		{"interrupt in real mode", real16, nil, interrupt, false},
		{"IRET at CPL 0", prot, nil, back(4, handler, code0, Flag1), true},
		{"IRET at CPL 0, 64-bit", long64, nil, back(8, handler, code0, Flag1, stack0, data0), true},
		{"IRET with another SS", long64, nil, back(8, handler, code0, Flag1, stack0, 0), false},
		{"IRET with an SS of other contents", long64, spareDesc(desc(0, 0xffff, attrData)), back(8, handler, code0, Flag1, stack0, spare), false},
		{"IRET to compatibility mode", long64, nil, back(8, handler, code32, Flag1, stack0, data0), false},
		{"IRET to CPL 3", prot, nil, back(4, handler, code3|3, Flag1, stack3, data3|3), false},
		{"IRET to CPL 3 with CS as real mode may have left it", prot, func(w *world) { w.load(decode.CS, code3|3); w.load(decode.SS, data3|3) },
			back(4, handler, code3|3, Flag1, stack3, data3|3), false},
		{"IRET to VM86 mode", paged, nil, back(4, 0x5678, 0x4100, Flag1|FlagVM, 0x2000, 0x5000, 0, 0, 0, 0), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			before := w.r
			require.Nil(t, c.do(w))
			require.Equal(t, c.want, w.core.Stayed())
			if c.want {
				assert.Equal(t, before.Seg, w.r.Seg)
				assert.Equal(t, before.CPL, w.r.CPL)
			}
		})
	}
}
