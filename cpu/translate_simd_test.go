package cpu

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/cpu/simd"
	"x86emu/idt"
	"x86emu/mmu"
)

// Each uop on vectors gives what the handler gives, faults included: the same
// instruction runs in a block and by itself.
func TestVectorUops(t *testing.T) {
	const (
		off16  = 8              // an address that is not on 16 bytes
		across = 0x1000 - 8     // one that crosses a page
		hole   = 0x7fff_0000_00 // one that is mapped nowhere
	)
	for _, c := range []struct {
		rule  string
		code  string
		rbx   uint64 // beyond fzData
		mxcsr uint32 // 0: the reset value
		fault idt.Vector
	}{
		{rule: "MOVAPS between registers", code: "0f28d1"},
		{rule: "MOVAPS load", code: "0f2813"},
		{rule: "MOVAPS store", code: "0f2913"},
		{rule: "MOVAPS load off 16 bytes is #GP", code: "0f2813", rbx: off16, fault: idt.VecGP},
		{rule: "MOVDQA store off 16 bytes is #GP", code: "660f7f13", rbx: off16, fault: idt.VecGP},
		{rule: "MOVDQU load across pages", code: "f30f6f13", rbx: across},
		{rule: "MOVUPS store across pages", code: "0f1113", rbx: across},
		{rule: "MOVDQU load from nowhere is #PF", code: "f30f6f13", rbx: hole, fault: idt.VecPF},
		{rule: "MOVUPS load with an index", code: "0f10548b10"},
		{rule: "MOVDQA load through GS", code: "65660f6f13"},
		{rule: "MOVD from a register", code: "660f6ed0"},
		{rule: "MOVQ from a register", code: "66480f6ed0"},
		{rule: "MOVD to a register clears its upper half", code: "660f7ed0"},
		{rule: "MOVQ to a register", code: "66480f7ed0"},
		{rule: "MOVQ load clears the upper half", code: "f30f7e13"},
		{rule: "MOVQ store", code: "660fd613"},
		{rule: "MOVQ between registers clears the upper half", code: "f30f7ed1"},
		{rule: "MOVSS load clears the rest", code: "f30f1013"},
		{rule: "MOVSS store", code: "f30f1113"},
		{rule: "MOVSS between registers merges", code: "f30f10d1"},
		{rule: "MOVSD load", code: "f20f1013"},
		{rule: "MOVSD store through FS", code: "64f20f1113"},
		{rule: "MOVSD store to nowhere is #PF", code: "f20f1113", rbx: hole, fault: idt.VecPF},
		{rule: "PXOR", code: "660fefd1"},
		{rule: "PADDD from memory", code: "660ffe13"},
		{rule: "PADDD from memory off 16 bytes is #GP", code: "660ffe13", rbx: off16, fault: idt.VecGP},
		{rule: "PSHUFD", code: "660f70d11b"},
		{rule: "SHUFPS from memory", code: "0fc6134e"},
		{rule: "PSLLQ by an immediate", code: "660f73f203"},
		{rule: "PSRAW by a register", code: "660fe1d1"},
		{rule: "PSRLDQ", code: "660f73da05"},
		{rule: "PMOVMSKB", code: "660fd7c1"},
		{rule: "MOVMSKPD", code: "660f50c1"},
		{rule: "ADDSD", code: "f20f58d1"},
		{rule: "MULPD from memory", code: "660f5913"},
		{rule: "SUBPS", code: "0f5cd1"},
		{rule: "DIVSS from memory", code: "f30f5e13", rbx: 4},
		{rule: "MAXSD", code: "f20f5fd1"},
		{rule: "SQRTPD", code: "660f51d1"},
		{rule: "ADDSD rounded up", code: "f20f58d1", mxcsr: 0x5f80},
		{rule: "an unmasked inexact ADDSD is #XM", code: "f20f58d1", mxcsr: 0x0f80, fault: idt.VecXM},
	} {
		t.Run(c.rule, func(t *testing.T) {
			code, err := hex.DecodeString(c.code)
			require.NoError(t, err)
			fresh := func() *CPU {
				cpu := newFuzzCPU(t, "long", append([]byte{0x90}, code...), 0, false)
				s := cpu.State()
				s.GPR[0], s.GPR[1], s.GPR[3] = 0x1234567887654321, 4, fzData+c.rbx
				s.CR4 |= mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT
				s.CR0 &^= mmu.CR0EM | mmu.CR0TS
				s.Seg[4].Base, s.Seg[5].Base = 0x40, 0x20
				s.FP.MXCSR = mxcsrReset
				if c.mxcsr != 0 {
					s.FP.MXCSR = c.mxcsr
				}
				s.FP.XMM[1] = simd.Vec{Lo: 0x3fb999999999999a, Hi: 0xc00921fb54442d18}
				s.FP.XMM[2] = simd.Vec{Lo: 0x40091eb851eb851f, Hi: 0x3f8000003fc00000}
				cpu.SetState(s)
				return cpu
			}
			run, step := fresh(), fresh()
			var got, want idt.Vector
			run.OnDelivery = func(o *idt.Outcome) { got = o.Chain[0].Vector }
			step.OnDelivery = func(o *idt.Outcome) { want = o.Chain[0].Vector }
			run.Run(2)
			step.Step()
			step.Step()
			require.Equal(t, c.fault, want, "by itself")
			require.Equal(t, c.fault, got, "in a block")
			sameState(t, run.State(), step.State(), "run and step", "long", code)
			require.Equal(t, dump(step), dump(run))
		})
	}
}

// A block that rests on the unit being there does not run once it is not.
func TestVectorUopsNeedTheUnit(t *testing.T) {
	for _, c := range []struct {
		rule  string
		cr0   uint64
		cr4   uint64
		fault idt.Vector
	}{
		{"CR0.TS is #NM", mmu.CR0TS, mmu.CR4OSFXSR, idt.VecNM},
		{"CR0.EM is #UD", mmu.CR0EM, mmu.CR4OSFXSR, idt.VecUD},
		{"no CR4.OSFXSR is #UD", 0, 0, idt.VecUD},
	} {
		t.Run(c.rule, func(t *testing.T) {
			cpu := newFuzzCPU(t, "long", []byte{0x0f, 0x28, 0xd1, 0x0f, 0x28, 0xd9}, 0, false)
			set := func(cr0, cr4 uint64) {
				s := cpu.State()
				s.RIP = fzCode
				s.CR0 = s.CR0&^(mmu.CR0EM|mmu.CR0TS) | cr0
				s.CR4 = s.CR4&^mmu.CR4OSFXSR | cr4
				cpu.SetState(s)
			}
			var faults []idt.Vector
			cpu.OnDelivery = func(o *idt.Outcome) { faults = append(faults, o.Chain[0].Vector) }
			set(0, mmu.CR4OSFXSR)
			cpu.Run(cpu.Ticks() + 2)
			require.Empty(t, faults)
			set(c.cr0, c.cr4)
			cpu.Run(cpu.Ticks() + 1)
			require.Equal(t, []idt.Vector{c.fault}, faults)
		})
	}
}
