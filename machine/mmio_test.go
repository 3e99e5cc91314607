package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/idt"
	"x86emu/mmu"
)

// watchPage is a memory-mapped device that reads as the time, and is an alarm
// clock: a store says in how many ticks.
type watchPage struct {
	m     *Machine
	timer *Timer
	rang  []uint64
}

func (w *watchPage) Read(uint64, uint) uint64          { return w.m.Clock.Now() }
func (w *watchPage) Write(_ uint64, _ uint, in uint64) { w.timer.Set(w.m.Clock.Now() + in) }

// The time that a memory-mapped device finds is that of the instruction, in the
// midst of a block as well, and a timer that it sets there is on time.
func TestMemoryMappedTime(t *testing.T) {
	var page *watchPage
	cfg := Config{Extra: func(m *Machine) error {
		page = &watchPage{m: m}
		page.timer = m.Clock.NewTimer("watch", false, func(now uint64) { page.rang = append(page.rang, now) })
		return m.Mem.MapMMIO(0x5000, mmu.PageSize, page)
	}}
	// mov ebx,0x5000; nop; mov eax,[ebx]; nop; mov ecx,[ebx]; add [ebx],edx (reads 5, adds 2: at 5+7); nop ...
	m := boot(t, cfg, "\xbb\x00\x50\x00\x00\x90\x8b\x03\x90\x8b\x0b\x01\x13\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\xf4")
	s := m.CPU.State()
	s.CR0 |= mmu.CR0PE
	for r := range s.Seg {
		s.Seg[r].Attr |= idt.AttrG | idt.AttrDB
		s.Seg[r].Limit = 0xffffffff
	}
	s.GPR[2] = 2
	m.CPU.SetState(s)
	run(t, m, 100)
	assert.EqualValues(t, 2, m.CPU.GPR()[0])
	assert.EqualValues(t, 4, m.CPU.GPR()[1])
	assert.Equal(t, []uint64{12}, page.rang)
}
