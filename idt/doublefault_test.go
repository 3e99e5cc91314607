package idt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chain writes an outcome as the events' names.
func chain(o Outcome) string {
	var s []string
	for _, e := range o.Chain[:o.N] {
		s = append(s, short(e, false))
	}
	if o.Shutdown {
		s = append(s, "shutdown")
	}
	return strings.Join(s, ", ")
}

// absentGate makes the gate of a vector not present: #NP while it is delivered.
func absentGate(vs ...Vector) func(*world) {
	return func(w *world) {
		for _, v := range vs {
			w.idt(v, gate(code0, handler, typeInt32, 0))
		}
	}
}

// unmappedCS makes the code descriptor of a vector's gate unmapped: #PF while
// it is delivered.
func unmappedCS(vs ...Vector) func(*world) {
	return func(w *world) {
		w.r.LDTR.Base = guard
		for _, v := range vs {
			w.idt(v, gate(code0|4, handler, int32Gate, 0))
		}
	}
}

const pfCS = "#PF(0x0) 0x60008"

// TestDoubleFaultMatrix goes through every class of first event and every
// fault that a delivery can meet.
func TestDoubleFaultMatrix(t *testing.T) {
	de := Event{Vector: VecDE}
	pf := Event{Vector: VecPF, HasCode: true, Code: 2, CR2: 0x999}
	df := Event{Vector: VecDF, HasCode: true}
	gp := Event{Vector: VecGP, HasCode: true}
	intn := Event{Vector: 0x30, Kind: SoftInt}
	for _, c := range []struct {
		name string
		ev   Event
		prep func(*world)
		want string
	}{
		{"benign, contributory: serially", Event{Vector: 0x20, Kind: External}, absentGate(0x20), "vector 0x20, #NP(0x103)"},
		{"benign, page fault: serially", Event{Vector: 0x20, Kind: External}, unmappedCS(0x20), "vector 0x20, " + pfCS},
		{"benign #UD, contributory: serially", Event{Vector: VecUD}, absentGate(VecUD), "#UD, #NP(0x33)"},
		{"benign #DB, page fault: serially", Event{Vector: VecDB}, unmappedCS(VecDB), "#DB, " + pfCS},
		{"NMI, page fault: serially", Event{Vector: VecNMI, Kind: NMI}, unmappedCS(VecNMI), "NMI, " + pfCS},
		{"#AC is benign", Event{Vector: VecAC, HasCode: true}, absentGate(VecAC), "#AC(0x0), #NP(0x8b)"},
		{"INT n of a contributory vector is benign", Event{Vector: VecDE, Kind: SoftInt}, absentGate(VecDE), "#DE, #NP(0x2)"},
		{"INT 8 is benign", Event{Vector: VecDF, Kind: SoftInt}, absentGate(VecDF), "#DF, #NP(0x42)"},
		{"INT 14, page fault: serially", Event{Vector: VecPF, Kind: SoftInt}, both(unmappedCS(0x31), func(w *world) { w.idt(VecPF, gate(code0, handler, int32Gate, 0)) }), "#PF 0x0"},
		{"contributory, contributory: #DF", de, absentGate(VecDE), "#DE, #NP(0x3), #DF(0x0)"},
		{"contributory, page fault: serially", de, unmappedCS(VecDE), "#DE, " + pfCS},
		{"#TS, #NP: #DF", Event{Vector: VecTS, HasCode: true}, absentGate(VecTS), "#TS(0x0), #NP(0x53), #DF(0x0)"},
		{"page fault, contributory: #DF", pf, absentGate(VecPF), "#PF(0x2) 0x999, #NP(0x73), #DF(0x0)"},
		{"page fault, page fault: #DF", pf, unmappedCS(VecPF), "#PF(0x2) 0x999, " + pfCS + ", #DF(0x0)"},
		{"#DF, contributory: shutdown", df, absentGate(VecDF), "#DF(0x0), #NP(0x43), shutdown"},
		{"#DF, page fault: shutdown", df, unmappedCS(VecDF), "#DF(0x0), " + pfCS + ", shutdown"},
		{"contributory twice, then no #DF gate: shutdown", de, absentGate(VecDE, VecDF), "#DE, #NP(0x3), #DF(0x0), #NP(0x43), shutdown"},
		{"contributory, page fault, page fault: #DF of the last two", de, unmappedCS(VecDE, VecPF), "#DE, " + pfCS + ", " + pfCS + ", #DF(0x0)"},
		{"the longest chain: INT n, #GP, #PF, #NP, #DF, #PF", intn,
			both(func(w *world) { w.ring(3); w.idt(0x30, gate(data0, 0, trap32|dpl(3), 0)) }, unmappedCS(VecGP, VecDF), absentGate(VecPF)),
			"vector 0x30, #GP(0x10), " + pfCS + ", #NP(0x73), #DF(0x0), " + pfCS + ", shutdown"},
		{"EXT follows the event being delivered, not the first one", intn,
			both(func(w *world) { w.idt(0x30, gate(data0, 0, trap32, 0)) }, absentGate(VecGP)), "vector 0x30, #GP(0x10), #NP(0x6b), #DF(0x0)"},
		{"INT1 counts as external", Event{Vector: VecDB, Kind: SoftICEBP}, absentGate(VecDB), "#DB, #NP(0xb)"},
		{"IDT not mapped: #PF serially, then #DF, then shutdown", Event{Vector: 0x20, Kind: External}, func(w *world) { w.r.IDTR.Base = guard },
			"vector 0x20, #PF(0x0) 0x60100, #PF(0x0) 0x60070, #DF(0x0), #PF(0x0) 0x60040, shutdown"},
		{"TSS not mapped", Event{Vector: VecPF, HasCode: true, CR2: 0x999}, fromRing3(func(w *world) { w.r.TR.Base = guard }),
			"#PF(0x0) 0x999, #PF(0x0) 0x60008, #DF(0x0), #PF(0x0) 0x60008, shutdown"},
		{"IDT limit 0: #GP, #GP, #DF, #GP, shutdown", gp, func(w *world) { w.r.IDTR.Limit = 0 },
			"#GP(0x0), #GP(0x6b), #DF(0x0), #GP(0x43), shutdown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, paged)
			c.prep(w)
			assert.Equal(t, c.want, chain(delivered(w.fake, c.ev)))
		})
	}
}

// TestEscalateTable compares the matrix with the manual's table, which lists
// the vectors of each class. [SDM 3A, Interrupt 8—Double Fault Exception (#DF)]
func TestEscalateTable(t *testing.T) {
	classes := map[Class][]Vector{
		Benign:       {1, 2, 3, 4, 5, 6, 7, 9, 16, 17, 18, 19},
		Contributory: {0, 10, 11, 12, 13, 21},
		PageFault:    {14, 20},
	}
	for class, vs := range classes {
		for _, v := range vs {
			e := Event{Vector: v}
			assert.Equal(t, class, e.Class(), v.String())
		}
	}
	for v := 32; v < 256; v++ {
		assert.Equal(t, Benign, Vector(v).Info().Class)
	}
	for _, v := range []Vector{8, 10, 11, 12, 13, 14, 17, 21} {
		assert.True(t, v.Info().Code, v.String())
	}
}

// TestRealModeShutdown: a stack with no room ends a real-mode processor.
func TestRealModeShutdown(t *testing.T) {
	w := newWorld(t, real16)
	w.g[4] = 1
	out := delivered(w.fake, Event{Vector: 0x21, Kind: SoftInt, Return: 0x1236})
	assert.Equal(t, "vector 0x21, #SS(0x0), #SS(0x1), #DF(0x0), #SS(0x1), shutdown", chain(out))
	w.r.IDTR.Limit = 8*4 + 2
	out = delivered(w.fake, Event{Vector: 0x21, Kind: SoftInt, Return: 0x1236})
	assert.Equal(t, "vector 0x21, #GP(0x0), #GP(0x1), #DF(0x0), #GP(0x1), shutdown", chain(out))
}

// TestSecondFaultReturns: every fault met on the way returns to the current
// instruction, whatever the first event returns to; CR2 is the last #PF's.
func TestSecondFaultReturns(t *testing.T) {
	w := newWorld(t, paged)
	unmappedCS(0x30)(w)
	rec := w.record()
	out := delivered(w.fake, Event{Vector: 0x30, Kind: SoftInt, Return: code + 2})
	require.Equal(t, "vector 0x30, "+pfCS, chain(out))
	assert.Equal(t, uint64(code), rec.pushes[2], "EIP in the #PF's frame")
	assert.Equal(t, uint64(0x60008), w.m.Ctl.CR2)

	w = newWorld(t, paged)
	unmappedCS(VecPF)(w)
	delivered(w.fake, Event{Vector: VecPF, HasCode: true, CR2: 0x999})
	assert.Equal(t, uint64(0x60008), w.m.Ctl.CR2, "the second #PF's address, with #DF too")
}

// TestUnmappedHandler is the story of a page-fault handler that is not mapped:
// each delivery succeeds and the fetch of the handler faults anew, until a push
// runs into the page below the stack.
func TestUnmappedHandler(t *testing.T) {
	for _, c := range []struct {
		name   string
		mode   mode
		ist    uint64 // of the #PF gate
		rounds int    // deliveries of #PF that succeed
		want   string
	}{
		{"32-bit: 16 bytes a round", paged, 0, 4096 / 16, "#PF(0x10) 0x60000, #PF(0x2) 0x60ffc, #DF(0x0)"},
		{"64-bit: 48 bytes a round", long64, 0, 4096 / 48, "#PF(0x10) 0x60000, #PF(0x2) 0x60ff8, #DF(0x0)"},
		{"64-bit with an IST: for ever", long64, 1, 1000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			w.idt(VecPF, gate(code0, guard, int32Gate, c.ist))
			w.idt(VecDF, gate(code0, handler, int32Gate, 1))
			if c.mode == paged {
				w.idt(VecDF, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0))
			}
			w.g[4] = guard + 0x2000
			ev := Event{Vector: VecPF, HasCode: true, Code: 2, CR2: hole, Return: w.r.RIP}
			for round := range 1000 {
				out := delivered(w.fake, ev)
				if out.N > 1 {
					assert.Equal(t, c.want, chain(out))
					assert.Equal(t, c.rounds, round)
					assert.Equal(t, uint64(handler), w.r.RIP)
					return
				}
				require.Equal(t, uint64(guard), w.r.RIP)
				ev = Event{Vector: VecPF, HasCode: true, Code: 0x10, CR2: guard, Return: w.r.RIP}
			}
			assert.Empty(t, c.want, "no #DF ever")
		})
	}
}

// TestDFTaskBusy: a #DF inside the #DF task finds that busy, which is #GP
// while delivering #DF.
func TestDFTaskBusy(t *testing.T) {
	w := newWorld(t, paged)
	w.idt(VecDF, gate(tss2Sel, 0, AttrPresent|typeTaskGate, 0))
	require.Equal(t, "#DF(0x0)", chain(delivered(w.fake, Event{Vector: VecDF, HasCode: true})))
	require.Equal(t, uint16(tss2Sel), w.r.TR.Sel)
	assert.Equal(t, "#DF(0x0), #GP(0x51), shutdown", chain(delivered(w.fake, Event{Vector: VecDF, HasCode: true})))
}
