package cpu

import (
	"testing"

	"x86emu/cpu/simd"
	"x86emu/mmu"
)

// BenchmarkSIMD runs loops of one kind of instruction, on numbers that stay ordinary ones.
func BenchmarkSIMD(b *testing.B) {
	doubles := simd.Vec{Lo: 0x3ff123456789abcd, Hi: 0x4000fedcba987654}
	unit := simd.Vec{Lo: 0x3ff0000000000003, Hi: 0x3ff0000000000000}
	singles := simd.Vec{Lo: 0x3f8fedcb40012345, Hi: 0xbf812345c0100001}
	unitSingles := simd.Vec{Lo: 0x3f8000003f800000, Hi: 0x3f8000003f800000}
	for _, w := range []struct {
		name      string
		all, xmm1 simd.Vec
		code      []byte
	}{
		{"scalar double", doubles, unit, []byte{0xf2, 0x0f, 0x58, 0xc1, 0xf2, 0x0f, 0x59, 0xd1, 0xf2, 0x0f, 0x5c, 0xd9}}, // addsd, mulsd, subsd
		{"packed double", doubles, unit, []byte{0x66, 0x0f, 0x58, 0xc1, 0x66, 0x0f, 0x59, 0xd1, 0x66, 0x0f, 0x5c, 0xd9}},
		{"packed single", singles, unitSingles, []byte{0x0f, 0x58, 0xc1, 0x0f, 0x59, 0xd1, 0x0f, 0x5c, 0xd9}},
		{"divide, root", doubles, unit, []byte{0xf2, 0x0f, 0x5e, 0xd1, 0xf2, 0x0f, 0x51, 0xdc}},                                                     // divsd, sqrtsd
		{"compare, convert", doubles, unit, []byte{0x66, 0x0f, 0x2e, 0xc1, 0xf2, 0x48, 0x0f, 0x2a, 0xd0, 0xf2, 0x0f, 0x2c, 0xc9}},                   // ucomisd, cvtsi2sd, cvttsd2si
		{"moves", doubles, unit, []byte{0x0f, 0x28, 0xc1, 0xf3, 0x0f, 0x6f, 0x13, 0x66, 0x0f, 0x6f, 0xda, 0x0f, 0x29, 0x1b}},                        // movaps, movdqu [rbx], movdqa, movaps [rbx]
		{"scalar moves", doubles, unit, []byte{0xf2, 0x0f, 0x10, 0x13, 0x66, 0x48, 0x0f, 0x7e, 0xd0, 0xf2, 0x0f, 0x11, 0x1b}},                       // movsd [rbx], movq, movsd [rbx]
		{"integer", doubles, unit, []byte{0x66, 0x0f, 0xfe, 0xc1, 0x66, 0x0f, 0xef, 0xd1, 0x66, 0x0f, 0x74, 0xd9, 0x66, 0x0f, 0x61, 0xd9}},          // paddd, pxor, pcmpeqb, punpcklwd
		{"integer 2", doubles, unit, []byte{0x66, 0x0f, 0xda, 0xc1, 0x66, 0x0f, 0x73, 0xf2, 3, 0x66, 0x0f, 0x70, 0xd9, 27, 0x66, 0x0f, 0xd7, 0xc1}}, // pminub, psllq, pshufd, pmovmskb
		{"x87", doubles, unit, []byte{0xd8, 0xc1, 0xd8, 0xc9, 0xd9, 0xc9}},                                                                          // fadd, fmul, fxch
	} {
		b.Run(w.name, func(b *testing.B) {
			var code []byte
			for range 4 {
				code = append(code, w.code...)
			}
			code = append(code, 0xeb, byte(-2-len(code)))
			c := newFuzzCPU(b, "long", code, 0, false)
			s := c.State()
			s.GPR[3] = fzData
			s.CR0 = s.CR0&^(mmu.CR0EM|mmu.CR0TS) | mmu.CR0NE
			s.CR4 |= mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT
			s.FP.CW, s.FP.Used, s.FP.MXCSR = 0x37f, 0xff, mxcsrReset
			for i := range s.FP.R {
				s.FP.R[i].Sig, s.FP.R[i].SE = 0xc90fdaa22168c235, 0x3fff
			}
			for i := range s.FP.XMM {
				s.FP.XMM[i] = w.all
			}
			s.FP.XMM[1] = w.xmm1
			c.SetState(s)
			c.Run(10000)
			start := c.Ticks()
			b.ReportAllocs()
			b.ResetTimer()
			c.Run(start + uint64(b.N))
			b.ReportMetric(float64(c.Ticks()-start)/b.Elapsed().Seconds()/1e6, "MIPS")
		})
	}
}
