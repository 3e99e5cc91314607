package cpu

import "testing"

// benchLoop runs code that loops for ever, and reports millions of
// instructions a second and allocations.
func benchLoop(b *testing.B, mode string, tlbOff bool, code ...byte) {
	c := newFuzzCPU(b, mode, code, 1, tlbOff)
	s := c.State()
	s.GPR[3], s.GPR[6], s.GPR[7] = fzData, fzData, fzData+0x800
	c.SetState(s)
	c.Run(10000)
	start := c.Ticks()
	b.ReportAllocs()
	b.ResetTimer()
	c.Run(start + uint64(b.N))
	b.ReportMetric(float64(c.Ticks()-start)/b.Elapsed().Seconds()/1e6, "MIPS")
}

func BenchmarkRun(b *testing.B) {
	alu := []byte{
		0x89, 0xc2, // mov edx, eax
		0xc1, 0xe2, 0x0d, // shl edx, 13
		0x31, 0xd0, // xor eax, edx
		0x89, 0xc2, // mov edx, eax
		0xc1, 0xea, 0x11, // shr edx, 17
		0x31, 0xd0, // xor eax, edx
		0x83, 0xc1, 0x01, // add ecx, 1
		0xeb, 0xed, // jmp start
	}
	memory := []byte{
		0x8b, 0x03, // mov eax, [rbx]
		0x01, 0xc8, // add eax, ecx
		0x89, 0x43, 0x10, // mov [rbx+16], eax
		0x83, 0x43, 0x20, 0x01, // add dword [rbx+32], 1
		0x50,       // push rax
		0x5a,       // pop rdx
		0x39, 0x03, // cmp [rbx], eax
		0x75, 0x00, // jne +0
		0xeb, 0xed, // jmp start
	}
	calls := []byte{
		0xe8, 0x02, 0x00, 0x00, 0x00, // call +2
		0xeb, 0xf9, // jmp start
		0xc3, // ret
	}
	for _, w := range []struct {
		name string
		code []byte
	}{{"alu", alu}, {"memory", memory}, {"calls", calls}} {
		b.Run(w.name+"/long", func(b *testing.B) { benchLoop(b, "long", false, w.code...) })
		b.Run(w.name+"/pm32", func(b *testing.B) { benchLoop(b, "pm32 paged", false, w.code...) })
		b.Run(w.name+"/long walk", func(b *testing.B) { benchLoop(b, "long", true, w.code...) })
	}
}
