package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/idt"
	"x86emu/mmu"
)

// stopwatch is a memory-mapped device: it reads as the time, and a write sets an
// alarm that many ticks later, of which it keeps when it came.
type stopwatch struct {
	s     struct{ Alarms, Sum uint64 }
	m     *Machine
	alarm *Timer
}

func (w *stopwatch) Name() string                     { return "stopwatch" }
func (w *stopwatch) State() any                       { return &w.s }
func (w *stopwatch) Read(uint64, uint) uint64         { return w.m.Clock.Now() }
func (w *stopwatch) Write(_ uint64, _ uint, v uint64) { w.alarm.Set(w.m.Clock.Now() + v&7 + 1) }

func withStopwatch(m *Machine) error {
	w := &stopwatch{m: m}
	w.alarm = m.Clock.NewTimer("stopwatch", always, func(uint64) {
		w.s.Alarms++
		w.s.Sum = w.s.Sum*31 + m.CPU.Ticks()
	})
	m.Attach(w)
	return m.Mem.MapMMIO(0xa0000, 64, w)
}

// flat is 32-bit protected mode, each segment all of memory, SSE enabled.
func (m *Machine) flat() {
	s := m.CPU.State()
	s.CR0 |= mmu.CR0PE
	s.CR4 |= mmu.CR4OSFXSR
	for r := range s.Seg {
		s.Seg[r].Attr |= idt.AttrG | idt.AttrDB
		s.Seg[r].Limit = 0xffffffff
	}
	m.CPU.SetState(s)
}

// A device in memory meets the clock as it is at the access, and its timers end a
// stretch of code where they are due, however the processor goes through it.
func TestDevicesInMemoryKnowTheTime(t *testing.T) {
	const nops = "\x41\x90\x41\x90\x41\x41" // inc ecx and nop
	for _, c := range []struct{ name, access string }{
		{"a load", "\x8b\x13"},                                                             // mov edx,[ebx]
		{"a byte, extended", "\x0f\xb6\x13"},                                               // movzx edx,byte [ebx]
		{"addition of memory", "\x03\x13"},                                                 // add edx,[ebx]
		{"a comparison", "\x39\x13"},                                                       // cmp [ebx],edx
		{"a store", "\x89\x0b"},                                                            // mov [ebx],ecx
		{"a store of a byte", "\xc6\x03\x05"},                                              // mov byte [ebx],5
		{"a change in place", "\x01\x0b"},                                                  // add [ebx],ecx
		{"a push", "\x89\xe5\x8d\x63\x04\x51\x89\xec"},                                     // mov ebp,esp; lea esp,[ebx+4]; push ecx; mov esp,ebp
		{"a pop", "\x89\xe5\x89\xdc\x5a\x89\xec"},                                          // mov ebp,esp; mov esp,ebx; pop edx; mov esp,ebp
		{"a call", "\x89\xe5\x8d\x63\x04\xe8\x00\x00\x00\x00\x89\xec"},                     // ...; call $+5; mov esp,ebp
		{"a string", "\x89\xdf\xab"},                                                       // mov edi,ebx; stosd
		{"a repeated string", "\x89\xdf\x51\xb1\x03\xf3\xaa\x59"},                          // mov edi,ebx; push ecx; mov cl,3; rep stosb; pop ecx
		{"repeated reads", "\x89\xde\xbf\x00\x00\x05\x00\x51\x31\xc9\xb1\x09\xf3\xa5\x59"}, // mov esi,ebx; mov edi,0x50000; push ecx; xor ecx,ecx; mov cl,9; rep movsd; pop ecx
		{"a load of 16 bytes", "\x0f\x10\x03"},                                             // movups xmm0,[ebx]
		{"a store of 16 bytes", "\x0f\x11\x03"},                                            // movups [ebx],xmm0
	} {
		t.Run(c.name, func(t *testing.T) {
			code := nops + c.access + nops + nops
			make := func() *Machine {
				m := boot(t, Config{Extra: withStopwatch}, code+"\xeb"+string([]byte{byte(-len(code) - 2)}))
				m.flat()
				m.CPU.GPR()[3] = 0xa0000
				return m
			}
			whole, steps := make(), make()
			run(t, whole, 2000)
			for steps.CPU.Ticks() < 2000 {
				run(t, steps, 1)
			}
			assert.Empty(t, same(whole, steps))
		})
	}
}
