package idt

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// benchmark runs one step many times, and checks what it returns once.
func benchmark(b *testing.B, step func() bool) {
	require.True(b, step())
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if !step() {
			b.Fatal("the step failed")
		}
	}
}

// faultAndReturn delivers a #PF from a privilege level and returns from it.
func faultAndReturn(w *world, cpl uint8, size uint8) func() bool {
	w.ring(cpl)
	w.idt(VecPF, gate(code0, handler, AttrPresent|typeInt32, 0))
	return func() bool {
		out := delivered(w.fake, Event{Vector: VecPF, HasCode: true, Code: 2, CR2: hole, Return: w.r.RIP})
		w.g[4] += uint64(size) // the handler pops the error code
		_, ok := told(IRET(w.fake, size, handler))
		return ok && !out.Shutdown && w.r.CPL == cpl
	}
}

func BenchmarkPF32SameLevel(b *testing.B) { benchmark(b, faultAndReturn(newWorld(b, paged), 0, 4)) }
func BenchmarkPF32Ring3(b *testing.B)     { benchmark(b, faultAndReturn(newWorld(b, paged), 3, 4)) }
func BenchmarkPF64SameLevel(b *testing.B) { benchmark(b, faultAndReturn(newWorld(b, long64), 0, 8)) }
func BenchmarkPF64Ring3(b *testing.B)     { benchmark(b, faultAndReturn(newWorld(b, long64), 3, 8)) }

// BenchmarkDF32 is a #PF whose push faults, hence #DF through a task gate, and
// the return to the faulting task.
func BenchmarkDF32(b *testing.B) {
	w := newWorld(b, paged)
	w.idt(VecDF, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0))
	benchmark(b, func() bool {
		w.g[4] = guard + 0x1000
		out := delivered(w.fake, Event{Vector: VecPF, HasCode: true, Code: 2, CR2: hole, Return: w.r.RIP})
		w.g[4] += 4
		w.r.RIP = handler
		_, ok := told(IRET(w.fake, 4, handler))
		return ok && out.Last().Vector == VecDF && w.r.TR.Sel == tssSel
	})
}

// BenchmarkDF64 is the same with an IST.
func BenchmarkDF64(b *testing.B) {
	w := newWorld(b, long64)
	w.idt(VecDF, gate(code0, handler, AttrPresent|typeInt32, 1))
	benchmark(b, func() bool {
		w.g[4] = guard + 0x1000
		out := delivered(w.fake, Event{Vector: VecPF, HasCode: true, Code: 2, CR2: hole, Return: w.r.RIP})
		w.g[4] += 8
		_, ok := told(IRET(w.fake, 8, handler))
		return ok && out.Last().Vector == VecDF
	})
}

// BenchmarkCallGate is a call to ring 0 with two parameters and its return.
func BenchmarkCallGate(b *testing.B) {
	w := newWorld(b, paged)
	w.ring(3)
	w.gdt(gateSel, gate(code0, handler, AttrPresent|dpl(3)|typeCall32, 2))
	benchmark(b, func() bool {
		_, ok := told(FarCall(w.fake, gateSel, 0, 4, code))
		_, back := told(FarRet(w.fake, 8, 4))
		w.g[4] = stack3
		return ok && back && w.r.CPL == 3
	})
}
