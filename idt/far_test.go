package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
)

// TestFarTransfers: where jumps and calls land, and what they push.
func TestFarTransfers(t *testing.T) {
	gateTo := func(sel uint16, a Attr, n uint64) func(*world) {
		return callGateTo(sel, AttrPresent|dpl(3)|a, n)
	}
	params := func(n uint, words ...uint64) func(*world) {
		return func(w *world) { w.g[4] -= uint64(len(words)) * uint64(n); w.stackWords(n, words...) }
	}
	for _, c := range []struct {
		name   string
		mode   mode
		prep   func(*world)
		do     func(*world) (Event, bool)
		ip     uint64
		cs     uint16
		sp     uint64
		ss     uint16
		cpl    uint8
		pushes []uint64
	}{
		{"JMP, same level", prot, nil, jump(code0), handler, code0, stack0 - 0x100, data0, 0, nil},
		{"JMP to conforming code at CPL 3 keeps the CPL", prot, fromRing3(), jump(conf0), handler, conf0 | 3, stack3, data3 | 3, 3, nil},
		{"JMP, RPL below CPL: CS gets the CPL", prot, fromRing3(), jump(code3), handler, code3 | 3, stack3, data3 | 3, 3, nil},
		{"JMP through a call gate", prot, gateTo(code0, typeCall32, 0), jump(gateSel), handler, code0, stack0 - 0x100, data0, 0, nil},
		{"JMP through a 16-bit call gate", prot, gateTo(code0, typeCall16, 0), jump(gateSel), handler & 0xffff, code0, stack0 - 0x100, data0, 0, nil},
		{"JMP through a gate to conforming code at CPL 3", prot, fromRing3(gateTo(conf0, typeCall32, 0)), jump(gateSel), handler, conf0 | 3, stack3, data3 | 3, 3, nil},
		{"JMP in the LDT", prot, nil, jump(code0 | 4), handler, code0 | 4, stack0 - 0x100, data0, 0, nil},
		{"JMP with a 16-bit offset", prot, nil, func(w *world) (Event, bool) { return told(FarJump(w.fake, code0, handler, 2, 0)) }, handler & 0xffff, code0, stack0 - 0x100, data0, 0, nil},
		{"JMP, real mode", real16, nil, func(w *world) (Event, bool) { return told(FarJump(w.fake, 0x4100, 0x10, 2, 0)) }, 0x10, 0x4100, 0x2000, 0x5000, 0, nil},
		{"JMP, VM86", v86, nil, func(w *world) (Event, bool) { return told(FarJump(w.fake, 0x4100, 0x10, 2, 0)) }, 0x10, 0x4100, 0x2000, 0x5000, 3, nil},
		{"JMP, 64-bit to compatibility mode", long64, nil, jump(code32), handler, code32, stack0 - 0x100, data0, 0, nil},
		{"JMP, compatibility to 64-bit mode", compat, nil, jump(code0), handler, code0, stack0 - 0x100, data0, 0, nil},
		{"CALL, same level", prot, nil, call(code0), handler, code0, stack0 - 0x108, data0, 0, []uint64{code0, code + 7}},
		{"CALL, 16-bit operand", prot, nil, func(w *world) (Event, bool) { return told(FarCall(w.fake, code0, 0x1230, 2, code+5)) }, 0x1230, code0, stack0 - 0x104, data0, 0, []uint64{code0, 5}},
		{"CALL, real mode", real16, nil, func(w *world) (Event, bool) { return told(FarCall(w.fake, 0x4100, 0x10, 2, 0x1239)) }, 0x10, 0x4100, 0x1ffc, 0x5000, 0, []uint64{0x4000, 0x1239}},
		{"CALL, VM86", v86, nil, func(w *world) (Event, bool) { return told(FarCall(w.fake, 0x4100, 0x10, 2, 0x1239)) }, 0x10, 0x4100, 0x1ffc, 0x5000, 3, []uint64{0x4000, 0x1239}},
		{"CALL, 64-bit operand", long64, nil, func(w *world) (Event, bool) { return told(FarCall(w.fake, code0, handler, 8, code+7)) }, handler, code0, stack0 - 0x110, data0, 0, []uint64{code0, code + 7}},
		{"CALL through a gate, same level: the gate's width", prot, gateTo(code0, typeCall16, 3), call(gateSel), handler & 0xffff, code0, stack0 - 0x104, data0, 0, []uint64{code0, (code + 7) & 0xffff}},
		{"CALL through a gate to ring 0", prot, fromRing3(gateTo(code0, typeCall32, 0)), call(gateSel), handler, code0, stack0 - 16, data0, 0, []uint64{data3 | 3, stack3, code3 | 3, code + 7}},
		{"CALL through a gate to ring 1", prot, fromRing3(gateTo(code1, typeCall32, 0)), call(gateSel), handler, code1 | 1, stack1 - 16, data1 | 1, 1, []uint64{data3 | 3, stack3, code3 | 3, code + 7}},
		{"CALL through a gate with two parameters", prot, fromRing3(gateTo(code0, typeCall32, 2), params(4, 0xaa, 0xbb)), call(gateSel), handler, code0, stack0 - 24, data0, 0, []uint64{data3 | 3, stack3 - 8, 0xbb, 0xaa, code3 | 3, code + 7}},
		{"CALL through a 16-bit gate with two parameters", prot, fromRing3(gateTo(code0, typeCall16, 2), params(2, 0xaa, 0xbb)), call(gateSel), handler & 0xffff, code0, stack0 - 12, data0, 0, []uint64{data3 | 3, (stack3 - 4) & 0xffff, 0xbb, 0xaa, code3 | 3, (code + 7) & 0xffff}},
		{"CALL through a gate to conforming code stays at CPL 3", prot, fromRing3(gateTo(conf0, typeCall32, 2)), call(gateSel), handler, conf0 | 3, stack3 - 8, data3 | 3, 3, []uint64{code3 | 3, code + 7}},
		{"CALL through a 64-bit gate to ring 0", long64, fromRing3(gateTo(code0, typeCall32, 5), func(w *world) { w.poke(tssAt+4, 8, stack0-8) }), call(gateSel), handler, code0, stack0 - 40, 0, 0, []uint64{data3 | 3, stack3, code3 | 3, code + 7}},
		{"CALL through a 64-bit gate, same level", long64, gateTo(code0, typeCall32, 0), call(gateSel), handler, code0, stack0 - 0x110, data0, 0, []uint64{code0, code + 7}},
	} {
		t.Run(string(c.mode)+"/"+c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			rec := w.record()
			ev, ok := c.do(w)
			require.True(t, ok, "%v", ev)
			assert.Equal(t, c.ip, w.r.RIP)
			assert.Equal(t, c.cs, w.r.Seg[decode.CS].Sel)
			assert.Equal(t, c.sp, w.g[4])
			assert.Equal(t, c.ss, w.r.Seg[decode.SS].Sel)
			assert.Equal(t, c.cpl, w.r.CPL)
			for _, e := range rec.events {
				if e.Stage == StagePush {
					assert.Equal(t, e.Value, w.peek(uint64(e.Addr), uint(e.Size)))
				}
			}
			assert.Equal(t, c.pushes, rec.pushes)
		})
	}
}

// TestFarRet: RETF from what the calls above push, with and without parameters.
func TestFarRet(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  mode
		pop   uint16
		size  uint8
		words []uint64
		ip    uint64
		cs    uint16
		sp    uint64
		cpl   uint8
	}{
		{"same level", prot, 0, 4, []uint64{handler, code0}, handler, code0, stack0 - 0xf8, 0},
		{"same level, 8 bytes released", prot, 8, 4, []uint64{handler, code0}, handler, code0, stack0 - 0xf0, 0},
		{"same level, 16-bit operand", prot, 0, 2, []uint64{0x1230, code0}, 0x1230, code0, stack0 - 0xfc, 0},
		{"outer level", prot, 0, 4, []uint64{handler, code3 | 3, stack3, data3 | 3}, handler, code3 | 3, stack3, 3},
		{"outer level, 8 bytes released on both stacks", prot, 8, 4, []uint64{handler, code3 | 3, 1, 2, stack3 - 8, data3 | 3}, handler, code3 | 3, stack3, 3},
		{"real mode", real16, 4, 2, []uint64{0x1230, 0x4100}, 0x1230, 0x4100, 0x2008, 0},
		{"VM86", v86, 0, 2, []uint64{0x1230, 0x4100}, 0x1230, 0x4100, 0x2004, 3},
		{"64-bit, same level leaves SS alone", long64, 0, 8, []uint64{handler, code0}, handler, code0, stack0 - 0xf0, 0},
		{"64-bit, outer level", long64, 0, 8, []uint64{handler, code3 | 3, stack3, data3 | 3}, handler, code3 | 3, stack3, 3},
		{"64-bit to compatibility mode", long64, 0, 8, []uint64{handler, code32}, handler, code32, stack0 - 0xf0, 0},
	} {
		t.Run(string(c.mode)+"/"+c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			w.stackWords(uint(c.size), c.words...)
			ev, ok := told(FarRet(w.fake, c.pop, c.size))
			require.True(t, ok, "%v", ev)
			assert.Equal(t, c.ip, w.r.RIP)
			assert.Equal(t, c.cs, w.r.Seg[decode.CS].Sel)
			assert.Equal(t, c.sp, w.g[4])
			assert.Equal(t, c.cpl, w.r.CPL)
		})
	}
}

// TestCallGateParameterFault: parameters are read from the caller's stack with
// the caller's rights.
func TestCallGateParameterFault(t *testing.T) {
	w := newWorld(t, paged)
	w.ring(3)
	w.gdt(gateSel, gate(code0, handler, AttrPresent|dpl(3)|typeCall32, 2))
	w.g[4] = guard + 0xffc
	ev, ok := call(gateSel)(w)
	assert.Equal(t, "#PF(0x4) 0x60ffc", short(ev, ok))
	w.r.Seg[decode.SS].Limit = guard + 0xfff
	ev, ok = call(gateSel)(w)
	assert.Equal(t, "#SS(0x0)", short(ev, ok))
}
