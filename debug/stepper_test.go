package debug

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// before runs a kernel up to the tick at which a story of a vector begins, the
// nth one.
func before(t *testing.T, name string, v idt.Vector, nth uint64) *machine.Machine {
	t.Helper()
	all := explain(t, kernel(t, name), ExplainOptions{ByVector: true, Vector: v, Count: nth})
	require.NotEmpty(t, all)
	m := kernel(t, name)
	_, err := m.Run(context.Background(), all[len(all)-1].Tick)
	require.NoError(t, err)
	return m
}

// brief names a stage for a table of them.
func brief(s *Stage) string {
	switch s.Kind {
	case StageAccess:
		return "access " + s.Access.For
	case StageLevel:
		return s.Level.Level
	case StageVerdict:
		if !s.Verdict.OK {
			return "refused " + s.Verdict.Rule
		}
		return "allowed"
	case StageEvent:
		return s.Event.Name
	case StageCheck:
		return "check"
	case StagePush:
		return "push " + s.Push.Name
	}
	return string(s.Kind)
}

// steps names the stages of one step, checks in a row as one.
func steps(t *testing.T, s *Stepper) (names []string) {
	t.Helper()
	for {
		stage, err := s.Next(context.Background())
		require.NoError(t, err)
		if stage == nil {
			return names
		}
		if b := brief(stage); b != "check" || len(names) == 0 || names[len(names)-1] != b {
			names = append(names, b)
		}
	}
}

// The stages of a page fault from user mode, in order, to the handler's first
// fetch: the step behind the delivery's.
func TestStagesInOrder(t *testing.T) {
	for _, c := range []struct {
		name, kernel string
		vector       idt.Vector
		nth          uint64
		want         []string
	}{
		{"32-bit interrupt gate", "cow-fork-32", idt.VecPF, 1, []string{
			"access code", "PDE", "PTE", "allowed", "instruction",
			"access operand", "PDE", "PTE", "refused R/W=0", "#PF",
			"check", "gate", "check", "selector", "check",
			"access TSS.SS0", "PDE", "PTE", "allowed", "check", "selector", "check", "stack", "check",
			"access push of SS", "PDE", "PTE", "allowed",
			"push SS", "push ESP", "push EFLAGS", "push CS", "push EIP", "push error code", "entered",
			"instruction", "data",
		}},
		{"64-bit interrupt stack", "pf-ist-64", idt.VecPF, 1, []string{
			"instruction", "access operand", "PML4E", "PDPTE", "PDE", "PTE", "refused P=0", "#PF",
			"check", "gate", "check", "selector", "check", "access TSS.IST2", "PML4E", "PDPTE", "PDE", "PTE", "allowed",
			"check", "stack", "check", "access push of SS", "PML4E", "PDPTE", "PDE", "PTE", "allowed",
			"check", "push SS", "push RSP", "push RFLAGS", "push CS", "push RIP", "push error code", "check", "entered",
			"access code", "PML4E", "refused P=0", "#PF",
			"check", "gate", "check", "selector", "check", "stack", "check",
			"push SS", "push RSP", "push RFLAGS", "push CS", "push RIP", "push error code", "entered",
		}},
		{"task gate", "task-gate-32", 0x40, 1, []string{
			"instruction", "INT 0x40", "check", "gate", "check", "selector", "check",
			"task-save", "task-link", "task-load",
			"check", "access descriptor 0x8 of the GDT", "PDE", "PTE", "allowed", "selector",
			"check", "selector", "check", "selector", "check", "selector", "check", "selector", "check", "selector", "check",
			"task-done", "check", "entered",
			"access code", "PDE", "PTE", "allowed", "instruction", "access stack", "PDE", "PTE", "allowed", "data",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewStepper(before(t, c.kernel, c.vector, c.nth), nil)
			got := steps(t, s)
			got = append(got, steps(t, s)...)
			assert.Equal(t, c.want, got)
		})
	}
}

// Each stage has a line of text.
func TestStageText(t *testing.T) {
	for name, v := range map[string]idt.Vector{"cow-fork-64": idt.VecPF, "task-gate-32": 0x40, "df-no-tss-32": idt.VecDF} {
		s := NewStepper(before(t, name, v, 1), nil)
		var lines strings.Builder
		for range 300 {
			stage, err := s.Next(context.Background())
			require.NoError(t, err)
			if stage == nil && s.Result().Reason != machine.Budget {
				break
			}
			if stage != nil {
				lines.WriteString(stage.String() + "\n")
			}
		}
		require.NoError(t, s.Close())
		golden(t, "stages/"+name+".txt", lines.String())
	}
}

// dword reads four bytes of physical memory.
func dword(m *machine.Machine, p mmu.Phys) uint32 { return uint32(m.Mem.Read(p, 4)) }

// What a stage says is what the machine's memory and registers are.
func TestStagesAreExact(t *testing.T) {
	ctx := context.Background()
	m := before(t, "cow-fork-32", idt.VecPF, 1)
	const top = 0x3c2000 // of the kernel's stack, mapped one to one
	for i := range mmu.Phys(16) {
		m.Mem.Write(top-4-4*i, 4, 0xdeadbeef)
	}
	start := m.CPU.State()
	s := NewStepper(m, nil)
	pushed := []uint32{0x23, 0, 0x10002, 0x1b, 0x40000000, 7}
	n, inFrame := 0, false
	for {
		stage, err := s.Next(ctx)
		require.NoError(t, err)
		if stage == nil {
			break
		}
		st := s.State()
		switch stage.Kind {
		case StageLevel:
			assert.EqualValues(t, stage.Level.Raw, dword(m, mmu.Phys(stage.Level.At)), "A and D are not yet set")
		case StageVerdict:
			if v := stage.Verdict; v.OK {
				w := m.MMU.Explain(mmu.Linear(v.Lin), 0)
				assert.NotZero(t, w.Steps[w.N-1].Raw&mmu.PteAccessed, "A is set")
			} else {
				assert.Equal(t, start.CR2, st.CR2, "CR2 is not yet set")
			}
		case StageEvent:
			assert.EqualValues(t, 0x40001000, st.CR2)
		case StageStack:
			inFrame = true
			assert.EqualValues(t, top, st.GPR[4])
			assert.EqualValues(t, 0x10, st.Seg[decode.SS].Sel)
		case StagePush:
			n++
			assert.EqualValues(t, top-4*n, st.GPR[4])
		case StageEntered:
			assert.EqualValues(t, 0, st.CPL)
			assert.EqualValues(t, 8, st.Seg[decode.CS].Sel)
			assert.EqualValues(t, 0x100100, st.RIP)
			assert.EqualValues(t, top-24, st.GPR[4])
			inFrame = false
		}
		if stage.Kind != StageEntered {
			assert.Equal(t, start.RIP, st.RIP, stage.Kind)
			assert.EqualValues(t, 3, st.CPL, stage.Kind)
			if !inFrame {
				assert.Equal(t, start.GPR, st.GPR, stage.Kind)
				assert.Equal(t, start.Seg, st.Seg, stage.Kind)
			}
		}
		for i, want := range pushed {
			if i >= n {
				want = 0xdeadbeef
			}
			require.Equal(t, want, dword(m, top-4-4*mmu.Phys(i)), "word %d at stage %s, %d pushed", i, stage.Kind, n)
		}
	}
	assert.Equal(t, len(pushed), n)
}

// A task switch: after task-save the old TSS holds the old task and nothing
// else has changed, after task-link the descriptors and the back link have,
// after task-load the registers.
func TestStagesOfATaskSwitchAreExact(t *testing.T) {
	ctx := context.Background()
	m := before(t, "task-gate-32", 0x40, 1)
	start := m.CPU.State()
	s := NewStepper(m, nil)
	seen := map[StageKind]bool{}
	var busy mmu.Phys // the byte of the new TSS's descriptor with its type
	for {
		stage, err := s.Next(ctx)
		require.NoError(t, err)
		if stage == nil {
			break
		}
		if seen[stage.Kind] = true; stage.Task == nil {
			if d := stage.Selector; d != nil && d.Sel == 0x30 {
				busy = mmu.Phys(d.Lin) + 5
			}
			if !seen[StageTaskSave] {
				assert.Equal(t, start.Regs, s.State().Regs)
			}
			continue
		}
		st, tss := s.State(), mmu.Phys(stage.Task.Base)
		switch stage.Kind {
		case StageTaskSave:
			assert.EqualValues(t, start.RIP+2, dword(m, tss+32), "EIP behind the INT")
			assert.EqualValues(t, start.GPR[4], dword(m, tss+56), "ESP")
			assert.Equal(t, start.TR, st.TR)
			assert.EqualValues(t, 0x89, m.Mem.Read(busy, 1))
		case StageTaskLink:
			assert.EqualValues(t, start.TR.Sel, m.Mem.Read(tss, 2))
			assert.EqualValues(t, 0x8b, m.Mem.Read(busy, 1))
			assert.Equal(t, start.Regs, st.Regs)
		case StageTaskLoad:
			assert.EqualValues(t, 0x30, st.TR.Sel)
			assert.EqualValues(t, dword(m, tss+32), st.RIP)
			assert.EqualValues(t, dword(m, tss+28), st.CR3)
			assert.EqualValues(t, dword(m, tss+56), st.GPR[4])
			assert.NotZero(t, st.Seg[decode.DS].Attr&idt.AttrUnusable, "no descriptor is loaded")
		case StageTaskDone:
			assert.Zero(t, st.Seg[decode.DS].Attr&idt.AttrUnusable)
		}
	}
	for _, k := range []StageKind{StageTaskSave, StageTaskLink, StageTaskLoad, StageTaskDone} {
		assert.True(t, seen[k], k)
	}
}

// However a step is gone through, it is the same step.
func TestSteppingChangesNothing(t *testing.T) {
	ctx := context.Background()
	for name, v := range map[string]idt.Vector{
		"task-gate-32": 0x40, "unmapped-handler-64": idt.VecDF, "df-no-stack-64": idt.VecDF, "kprobe-32": idt.VecBP,
	} {
		m := before(t, name, v, 1)
		twin, err := m.Fork()
		require.NoError(t, err)
		plain, err := m.Fork()
		require.NoError(t, err)
		all, some := NewStepper(m, nil), NewStepper(twin, nil)
		for i := range 400 {
			was := plain.CPU.State()
			r, err := plain.Run(ctx, 1)
			require.NoError(t, err)
			for stage := true; stage; {
				next, err := all.Next(ctx)
				require.NoError(t, err)
				stage = next != nil
			}
			// Some steps whole, some left in their midst.
			for range i % 7 {
				if stage, err := some.Next(ctx); stage == nil {
					require.NoError(t, err)
					break
				}
			}
			if some.Stage() != nil || some.Machine().CPU.State() == was {
				require.NoError(t, some.Step(ctx))
			}
			require.Equal(t, plain.CPU.State(), m.CPU.State(), name)
			require.Equal(t, plain.CPU.State(), twin.CPU.State(), name)
			require.Equal(t, r.Reason, all.Result().Reason)
			require.Equal(t, r.Reason, some.Result().Reason)
			if r.Reason != machine.Budget {
				break
			}
		}
		assert.True(t, plain.Mem.Equal(m.Mem), name)
		assert.True(t, plain.Mem.Equal(twin.Mem), name)
		assert.Equal(t, plain.MMU.TLB(), m.MMU.TLB(), name)
	}
}

// Close leaves a machine that can be run, forked and watched by others.
func TestCloseInTheMidst(t *testing.T) {
	ctx := context.Background()
	m := before(t, "cow-fork-32", idt.VecPF, 1)
	s := NewStepper(m, nil)
	for range 12 {
		_, err := s.Next(ctx)
		require.NoError(t, err)
	}
	assert.Equal(t, 11, s.Index())
	require.NoError(t, s.Close())
	assert.Nil(t, s.Stage())
	assert.Nil(t, m.CPU.Observer())
	_, err := m.Fork()
	require.NoError(t, err)
	r, err := m.Run(ctx, machine.NoBudget)
	require.NoError(t, err)
	assert.Equal(t, machine.Exited, r.Reason)
	require.NoError(t, s.Close())
}

func BenchmarkStages(b *testing.B) {
	m := load(b, 32, "\x41\xeb\xfd") // inc ecx; jmp
	s := NewStepper(m, nil)
	for b.Loop() {
		for {
			if stage, err := s.Next(context.Background()); stage == nil {
				if err != nil {
					b.Fatal(err)
				}
				break
			}
		}
	}
}
