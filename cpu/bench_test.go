package cpu

import "testing"

// benchLoop runs code that loops for ever, and reports millions of
// instructions a second and allocations.
func benchLoop(b *testing.B, mode string, tlbOff bool, code ...byte) {
	c := newFuzzCPU(b, mode, code, 0, tlbOff)
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

// faultLoops each take one event a round; the handlers of the little guest
// step over two bytes.
var faultLoops = []struct {
	name, mode string
	code       []byte
}{
	{"ud/long", "long", []byte{0x0f, 0x0b, 0xeb, 0xfc}},
	{"ud/pm32", "pm32 paged", []byte{0x0f, 0x0b, 0xeb, 0xfc}},
	{"pf/long", "long", []byte{0x8b, 0x02, 0xeb, 0xfc}}, // mov eax, [rdx]
	{"pf/pm32", "pm32 paged", []byte{0x8b, 0x02, 0xeb, 0xfc}},
	{"int/long", "long", []byte{0xcd, 0x30, 0x90, 0x90, 0xeb, 0xfa}},
	{"pf/long user", "long user", []byte{0x8b, 0x02, 0xeb, 0xfc}},
	{"pf/pm32 user", "pm32 user", []byte{0x8b, 0x02, 0xeb, 0xfc}},
}

// newFaultLoop starts a fault loop: RDX points to where nothing is mapped.
func newFaultLoop(tb testing.TB, mode string, code []byte) *CPU {
	c := newFuzzCPU(tb, mode, code, 0, false)
	s := c.State()
	s.GPR[2] = 0x3000000
	c.SetState(s)
	c.Run(10000)
	return c
}

func BenchmarkFault(b *testing.B) {
	for _, w := range faultLoops {
		b.Run(w.name, func(b *testing.B) {
			c := newFaultLoop(b, w.mode, w.code)
			b.ReportAllocs()
			b.ResetTimer()
			start := c.Ticks()
			c.Run(start + 4*uint64(b.N)) // about four ticks a round: fault, handler, jump
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}

func TestFaultsAllocateNothing(t *testing.T) {
	for _, w := range faultLoops {
		t.Run(w.name, func(t *testing.T) {
			c := newFaultLoop(t, w.mode, w.code)
			got := testing.AllocsPerRun(10, func() { c.Run(c.Ticks() + 1000) })
			if got != 0 {
				t.Errorf("%v allocations in 1000 ticks", got)
			}
		})
	}
}
