package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/idt"
	"x86emu/mmu"
)

const (
	testHandler = 0xa000 // where the gates of intercepted lead to, 16 bytes each
	testMissing = 0x5000 // a page that is not mapped in "pae" and "long" of intercepted
)

// intercepted is a processor with gates for all vectors in 32-bit modes, and in
// modes with paging with 4-KByte pages and one of them missing. It returns how to
// mend that.
func intercepted(t testing.TB, mode, code string) (c *testCPU, mend func()) {
	c = newTestCPU(t, mode)
	mem := c.mmu.Mem
	for v := range uint64(256) {
		at := testHandler + 16*v
		mem.Write(testIDT+mmu.Phys(8*v), 8, at&0xffff|selCode32<<16|0x8e00<<32)
	}
	const table = testTables + 0x8000
	for i := range uint64(512) {
		mem.Write(table+mmu.Phys(8*i), 8, i<<12|7)
	}
	entry := mmu.Phys(table + testMissing>>12*8)
	mem.Write(entry, 8, 0)
	mem.Write(testTables+0x2000, 8, table|7)
	c.write(code)
	return c, func() { mem.Write(entry, 8, testMissing|7) }
}

// What OnEvent does happens in steps, blocks, blocks that ran before, and under an
// observer alike. Each case runs to a tick; seen are the events that OnEvent was
// asked about.
func TestOnEvent(t *testing.T) {
	type seen struct {
		v      idt.Vector
		kind   idt.Kind
		ip, to uint64 // where it was found, where it returns to; offsets in the code
		tick   uint64
	}
	swallow := func(*testCPU, *idt.Event, func()) bool { return false }
	for _, c := range []struct {
		name, mode, code string
		set              func(s *State)
		on               func(c *testCPU, e *idt.Event, mend func()) bool
		ticks            uint64
		seen             []seen
		rip              uint64 // at the end, an offset in the code
		check            func(t *testing.T, c *testCPU)
	}{
		{
			// inc ebx; mov [0x5000],ebx; inc ebx; jmp $
			name: "a fault whose cause is mended is no fault", mode: "pae", code: "43 891d00500000 43 ebfe",
			on:    func(_ *testCPU, e *idt.Event, mend func()) bool { mend(); return false },
			ticks: 4, rip: 8,
			seen: []seen{{v: idt.VecPF, ip: 1, to: 1, tick: 1}},
			check: func(t *testing.T, c *testCPU) {
				s := c.State()
				assert.EqualValues(t, 1, c.mmu.Mem.Read(testMissing, 4))
				assert.EqualValues(t, 2, s.GPR[3])
				assert.Zero(t, s.CR2, "CR2 is set by the delivery")
				assert.EqualValues(t, testStack, s.GPR[4])
			},
		},
		{
			// std; rep movsb: down from 0x6001 into the missing page after two iterations
			name: "in the midst of a repeated instruction", mode: "long", code: "fd f3a4 ebfe",
			set:   func(s *State) { s.GPR[1], s.GPR[6], s.GPR[7] = 4, testData, 0x6001 },
			on:    func(_ *testCPU, _ *idt.Event, mend func()) bool { mend(); return false },
			ticks: 6, rip: 3,
			seen:  []seen{{v: idt.VecPF, ip: 1, to: 1, tick: 3}},
			check: func(t *testing.T, c *testCPU) { assert.Zero(t, c.State().GPR[1]) },
		},
		{
			name: "a fault that is not mended comes again, a tick each", mode: "pae", code: "43 891d00500000",
			on: swallow, ticks: 4, rip: 1,
			seen: []seen{{v: idt.VecPF, ip: 1, to: 1, tick: 1}, {v: idt.VecPF, ip: 1, to: 1, tick: 2}, {v: idt.VecPF, ip: 1, to: 1, tick: 3}},
		},
		{
			// l: ud2; dec ecx; jnz l; jmp $
			name: "an instruction that the host does instead", mode: "pm32", code: "0f0b 49 75fb ebfe",
			set: func(s *State) { s.GPR[1] = 3 },
			on: func(c *testCPU, e *idt.Event, _ func()) bool {
				c.GPR()[0] += 7
				e.Return += 2
				return false
			},
			ticks: 9, rip: 5,
			seen:  []seen{{v: idt.VecUD, tick: 0}, {v: idt.VecUD, tick: 3}, {v: idt.VecUD, tick: 6}},
			check: func(t *testing.T, c *testCPU) { assert.EqualValues(t, 21, c.State().GPR[0]) },
		},
		{
			name: "INT n goes on behind itself", mode: "pm32", code: "cd80 43 ebfe",
			on: swallow, ticks: 2, rip: 3,
			seen: []seen{{v: 0x80, kind: idt.SoftInt, ip: 0, to: 2}},
		},
		{
			name: "an NMI is taken and blocks none", mode: "pm32", code: "90 43 ebfe",
			set: func(s *State) { s.NMI = true },
			on:  swallow, ticks: 2, rip: 1,
			seen: []seen{{v: idt.VecNMI, kind: idt.NMI}},
			check: func(t *testing.T, c *testCPU) {
				s := c.State()
				assert.False(t, s.NMI || s.NMIBlocked)
			},
		},
		{
			name: "an interrupt wakes from HLT", mode: "pm32", code: "f4 43 ebfe",
			set: func(s *State) { s.RIP++; s.Halted, s.INTR, s.RFLAGS = true, true, s.RFLAGS|idt.FlagIF },
			on: func(c *testCPU, e *idt.Event, _ func()) bool {
				c.SetINTR(false)
				return false
			},
			ticks: 2, rip: 2,
			seen: []seen{{v: 0x20, kind: idt.External, ip: 1, to: 1}},
		},
		{
			name: "single steps", mode: "pm32", code: "90 43 ebfe",
			set: func(s *State) { s.RFLAGS |= idt.FlagTF },
			on:  swallow, ticks: 4, rip: 2,
			seen: []seen{{v: idt.VecDB, ip: 1, to: 1, tick: 1}, {v: idt.VecDB, ip: 2, to: 2, tick: 3}},
			check: func(t *testing.T, c *testCPU) {
				assert.EqualValues(t, dr6Fixed, c.State().DR[6], "DR6 is set by the delivery")
			},
		},
		{
			name: "an instruction breakpoint hits once", mode: "pm32", code: "90 43 ebfe",
			set: func(s *State) { s.DR[0], s.DR[7] = testCode+1, s.DR[7]|1 },
			on:  swallow, ticks: 3, rip: 2,
			seen: []seen{{v: idt.VecDB, ip: 1, to: 1, tick: 1}},
		},
		{
			name: "another event", mode: "pm32", code: "90 0f0b",
			on: func(c *testCPU, e *idt.Event, _ func()) bool {
				*e = idt.Event{Vector: idt.VecGP, HasCode: true, Code: 0x1234, Return: e.Return + 2}
				return true
			},
			ticks: 2, rip: testHandler - testCode + 16*13,
			seen: []seen{{v: idt.VecUD, ip: 1, to: 1, tick: 1}},
			check: func(t *testing.T, c *testCPU) {
				assert.EqualValues(t, 0x1234, c.mmu.Mem.Read(testStack-16, 4))
				assert.EqualValues(t, testCode+3, c.mmu.Mem.Read(testStack-12, 4))
			},
		},
		{
			name: "the event itself", mode: "pae", code: "90 a100500000",
			on:    func(*testCPU, *idt.Event, func()) bool { return true },
			ticks: 2, rip: testHandler - testCode + 16*14,
			seen:  []seen{{v: idt.VecPF, ip: 1, to: 1, tick: 1}},
			check: func(t *testing.T, c *testCPU) { assert.EqualValues(t, testMissing, c.State().CR2) },
		},
		{
			name: "the whole state", mode: "pm32", code: "90 0f0b 43 ebfe",
			on: func(c *testCPU, e *idt.Event, _ func()) bool {
				s := c.State()
				s.GPR[5] = 99
				c.SetState(s)
				e.Return += 2
				return false
			},
			ticks: 3, rip: 4,
			seen:  []seen{{v: idt.VecUD, ip: 1, to: 1, tick: 1}},
			check: func(t *testing.T, c *testCPU) { assert.EqualValues(t, 99, c.State().GPR[5]) },
		},
	} {
		for _, way := range []string{"run", "run again", "steps", "observed"} {
			t.Run(c.name+"/"+way, func(t *testing.T) {
				m, mend := intercepted(t, c.mode, c.code)
				start := m.State()
				if c.set != nil {
					c.set(&start)
				}
				if way == "run again" {
					warm := start
					warm.Halted, warm.NMI, warm.INTR, warm.RFLAGS, warm.DR[7] = false, false, false, idt.Flag1, dr7Fixed
					m.SetState(warm)
					m.Run(3)
				}
				m.SetState(start)
				if way == "observed" {
					m.SetObserver(nobody{})
				}
				var got []seen
				m.OnEvent = func(e *idt.Event) bool {
					s := m.State()
					got = append(got, seen{e.Vector, e.Kind, s.RIP - testCode, e.Return - testCode, s.Ticks})
					return c.on(m, e, mend)
				}
				for m.Ticks() < c.ticks {
					if way == "steps" {
						m.Step()
					} else {
						require.Equal(t, StopTick, m.Run(c.ticks))
					}
				}
				assert.Equal(t, c.seen, got)
				assert.EqualValues(t, c.rip, m.State().RIP-testCode)
				if c.check != nil {
					c.check(t, m)
				}
			})
		}
	}
}

// nobody is an observer that looks at nothing.
type nobody struct{}

func (nobody) Instruction(*InstEvent)      {}
func (nobody) Access(*AccessEvent)         {}
func (nobody) Delivery(*idt.DeliveryEvent) {}

func TestInject(t *testing.T) {
	for _, c := range []struct {
		name  string
		event idt.Event
		set   func(s *State)
		frame []uint32 // from the stack pointer up
		cr2   uint64
	}{
		{"a page fault", idt.Event{Vector: idt.VecPF, HasCode: true, Code: 5, CR2: 0xdead}, nil, []uint32{5, testCode}, 0xdead},
		{"an interrupt while IF is clear", idt.Event{Vector: 0x30, Kind: idt.External}, nil, []uint32{testCode}, 0},
		{"before a halted processor sleeps on", idt.Event{Vector: 0x30, Kind: idt.External}, func(s *State) { s.Halted = true }, []uint32{testCode}, 0},
		{"before an NMI", idt.Event{Vector: 0x30, Kind: idt.External}, func(s *State) { s.NMI = true }, []uint32{testCode}, 0},
	} {
		for _, way := range []string{"run", "step", "swallowed"} {
			t.Run(c.name+"/"+way, func(t *testing.T) {
				m, _ := intercepted(t, "pm32", "90 90")
				s := m.State()
				if c.set != nil {
					c.set(&s)
				}
				m.SetState(s)
				asked := 0
				m.OnEvent = func(*idt.Event) bool { asked++; return way != "swallowed" }
				m.Inject(c.event)
				if way == "step" {
					m.Step()
				} else {
					m.Run(1)
				}
				assert.Equal(t, 1, asked)
				s = m.State()
				assert.EqualValues(t, 1, s.Ticks)
				assert.False(t, s.Halted)
				if way == "swallowed" {
					assert.EqualValues(t, testCode, s.RIP)
					return
				}
				assert.EqualValues(t, testHandler+16*uint64(c.event.Vector), s.RIP)
				assert.Equal(t, c.cr2, s.CR2)
				for i, want := range c.frame {
					assert.EqualValues(t, want, m.mmu.Mem.Read(mmu.Phys(s.GPR[4])+mmu.Phys(4*i), 4), "word %d", i)
				}
			})
		}
	}
}

// A delivery is taken back by the state before it: here one that became #DF, and
// then one that ended in shutdown.
func TestDeliveryTakenBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		noDF     bool // the gate of #DF is missing as well
		shutdown bool
	}{
		{"double fault", false, false},
		{"shutdown", true, true},
	} {
		for _, way := range []string{"run", "steps"} {
			t.Run(c.name+"/"+way, func(t *testing.T) {
				// inc ebx; mov eax,[0x5000]; inc ebx; jmp $
				m, mend := intercepted(t, "pae", "43 a100500000 43 ebfe")
				m.mmu.Mem.Write(testIDT+8*14, 8, 0)
				if c.noDF {
					m.mmu.Mem.Write(testIDT+8*8, 8, 0)
				}
				m.mmu.Mem.Write(testMissing, 4, 77)
				var before State
				m.OnEvent = func(*idt.Event) bool { before = m.State(); return true }
				back := func() {
					mend()
					before.Ticks = m.Ticks()
					m.SetState(before)
				}
				taken := 0
				m.OnDelivery = func(out *idt.Outcome) {
					taken++
					assert.Equal(t, c.shutdown, out.Shutdown)
					if !out.Shutdown {
						assert.Equal(t, idt.VecDF, out.Last().Vector)
						back()
					}
				}
				for m.Ticks() < 10 {
					stop := StopTick
					if way == "steps" {
						stop = m.Step()
					} else {
						stop = m.Run(10)
					}
					if stop == StopShutdown {
						back()
					}
				}
				s := m.State()
				assert.Equal(t, 1, taken)
				assert.EqualValues(t, 77, s.GPR[0])
				assert.EqualValues(t, 2, s.GPR[3])
				assert.EqualValues(t, testStack, s.GPR[4])
				assert.EqualValues(t, testCode+7, s.RIP)
			})
		}
	}
}
