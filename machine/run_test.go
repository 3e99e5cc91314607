package machine

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// boot makes a machine with real-mode code at 0000:7C00, stack below it, and
// the IVT that a test writes.
func boot(t testing.TB, cfg Config, code string) *Machine {
	t.Helper()
	if cfg.RAM == 0 {
		cfg.RAM = MinRAM
	}
	m, err := New(cfg)
	require.NoError(t, err)
	m.Mem.WriteBytes(0x7c00, []byte(code))
	s := m.CPU.State()
	for r := range s.Seg {
		s.Seg[r].Sel, s.Seg[r].Base = 0, 0
	}
	s.RIP, s.GPR[4] = 0x7c00, 0x7000
	s.IDTR = idt.Table{Limit: 0x3ff}
	m.CPU.SetState(s)
	return m
}

// vector points an IVT entry at 0000:off.
func (m *Machine) vector(v idt.Vector, off uint16) { m.Mem.Write(mmu.Phys(v)*4, 4, uint64(off)) }

func run(t testing.TB, m *Machine, budget uint64) Result {
	t.Helper()
	r, err := m.Run(context.Background(), budget)
	require.NoError(t, err)
	return r
}

func TestRunEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   string
		budget uint64
		want   Reason
		value  uint32
		status int
		ticks  uint64
	}{
		{"exit 0", "\xb0\x00\xe6\xf4\xeb\xfe", NoBudget, Exited, 0, 0, 2},
		{"exit 1 is status 3", "\xb0\x01\xe6\xf4\xeb\xfe", NoBudget, Exited, 1, 3, 2},
		{"exit 0x80 is status 1", "\xb0\x80\xe6\xf4\xeb\xfe", NoBudget, Exited, 0x80, 1, 2},
		{"exit by a word", "\xb8\x34\x12\xe7\xf4\xeb\xfe", NoBudget, Exited, 0x1234, 0x69, 2},
		{"HLT with IF=0", "\xfa\xf4", NoBudget, Halted, 0, 120, 2},
		{"HLT with IF=1 and nobody to interrupt", "\xfb\xf4", NoBudget, Halted, 0, 120, 2},
		{"budget", "\xeb\xfe", 1000, Budget, 0, 124, 1000},
		{"budget 0", "\xeb\xfe", 0, Budget, 0, 124, 0},
		{"budget within REP", "\xb9\xff\xff\xf3\xaa\xf4", 100, Budget, 0, 124, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(t, Config{}, c.code)
			r := run(t, m, c.budget)
			assert.Equal(t, c.want, r.Reason)
			assert.Equal(t, c.value, r.Value)
			assert.Equal(t, c.status, r.Status())
			assert.Equal(t, c.ticks, r.Ticks)
			assert.Equal(t, c.want == Exited, r.Story() == nil)
		})
	}
}

func TestRunGoesOnAfterBudget(t *testing.T) {
	m := boot(t, Config{}, "\x41\x41\x41\xf4") // inc cx
	for i := range uint64(3) {
		assert.Equal(t, Budget, run(t, m, 1).Reason)
		assert.Equal(t, i+1, m.CPU.State().GPR[1])
	}
	assert.Equal(t, Halted, run(t, m, 10).Reason)
}

func TestContextEndsRun(t *testing.T) {
	m := boot(t, Config{}, "\xeb\xfe")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := m.Run(ctx, NoBudget)
	require.NoError(t, err)
	assert.Equal(t, Cancelled, r.Reason)
	assert.Equal(t, 130, r.Status())

	ctx, cancel = context.WithCancel(context.Background())
	require.NoError(t, m.Ports.Claim(0x500, 1, 1, caller(cancel)))
	m.Mem.WriteBytes(0x7c00, []byte("\xba\x00\x05\xee\xeb\xfe")) // mov dx,0x500; out dx,al; jmp $
	s := m.CPU.State()
	s.RIP = 0x7c00
	m.CPU.SetState(s)
	r, err = m.Run(ctx, NoBudget)
	require.NoError(t, err)
	assert.Equal(t, Cancelled, r.Reason)
}

// caller is a port whose writes call a function.
type caller func()

func (c caller) In(uint16, uint8) uint32   { return 0 }
func (c caller) Out(uint16, uint8, uint32) { c() }

// A fault that cannot be delivered in protected mode with an empty IDT: #UD,
// then #GP, then #DF's own.
func TestShutdownTellsTheChain(t *testing.T) {
	m := boot(t, Config{}, "\x0f\x0b")
	s := m.CPU.State()
	s.CR0 |= mmu.CR0PE
	s.IDTR = idt.Table{}
	m.CPU.SetState(s)
	r := run(t, m, NoBudget)
	require.Equal(t, Shutdown, r.Reason)
	assert.Equal(t, 126, r.Status())
	story := strings.Join(r.Story(), "\n")
	assert.Contains(t, story, "1. #UD (vector 6), RIP=0x7c00")
	assert.Contains(t, story, "#DF (vector 8), error code 0x0")
	assert.Contains(t, story, "#GP (vector 13), error code 0x")
	for _, line := range r.Story() {
		assert.NotContains(t, line, "\n")
	}
}

// long puts a machine into 64-bit mode with 2 MiB identity-mapped and nothing
// else, code at 0x7C00, stack at 0x7000, a TSS whose IST 1 is 0x9000 and IST 2
// 0xA000, and an empty IDT at 0x3000.
func long(t testing.TB, code string) *Machine {
	m := boot(t, Config{}, code)
	m.Mem.Write(0x10000, 8, 0x11003)
	m.Mem.Write(0x11000, 8, 0x12003)
	m.Mem.Write(0x12000, 8, 0x83)
	m.Mem.Write(0x4000+36, 8, 0x9000)
	m.Mem.Write(0x4000+44, 8, 0xa000)
	m.Mem.Write(0x5008, 8, 0x00af_9b00_0000_ffff) // selector 8: 64-bit code
	s := m.CPU.State()
	s.CR0 |= mmu.CR0PE | mmu.CR0PG
	s.CR3, s.CR4, s.EFER = 0x10000, mmu.CR4PAE, mmu.EFERLME|mmu.EFERLMA
	s.GDTR, s.IDTR = idt.Table{Base: 0x5000, Limit: 15}, idt.Table{Base: 0x3000, Limit: 0xfff}
	s.TR = idt.Segment{Sel: 0x10, Attr: idt.AttrPresent | 11, Limit: 0x67, Base: 0x4000}
	s.Seg[decode.CS] = idt.Segment{Sel: 8, Attr: 0xb | idt.AttrS | idt.AttrPresent | idt.AttrL | idt.AttrG, Limit: 0xffffffff}
	m.CPU.SetState(s)
	return m
}

// gate64 writes a 64-bit interrupt gate with an IST.
func (m *Machine) gate64(v idt.Vector, off, ist uint64) {
	at := mmu.Phys(0x3000 + 16*uint64(v))
	m.Mem.Write(at, 8, off&0xffff|8<<16|ist<<32|0x8e<<40|off>>16&0xffff<<48)
	m.Mem.Write(at+8, 8, off>>32)
}

func TestEndlessLoop(t *testing.T) {
	const unmapped = 0xdead0000
	for _, c := range []struct {
		name    string
		m       func(t testing.TB) *Machine
		period  uint64
		vectors map[idt.Vector]uint64
	}{
		{
			// The stack pointer goes round 64 KiB in steps of 6 bytes.
			"a #UD whose handler is a #UD, in real mode", func(t testing.TB) *Machine {
				m := boot(t, Config{}, "\x0f\x0b")
				m.vector(idt.VecUD, 0x7c00)
				s := m.CPU.State()
				s.Seg[decode.SS].Base = 0x20000
				m.CPU.SetState(s)
				return m
			}, 32768, map[idt.Vector]uint64{idt.VecUD: 32768},
		},
		{
			// Each delivery starts at the top of the interrupt stack.
			"an unmapped #PF handler on an interrupt stack", func(t testing.TB) *Machine {
				m := long(t, "\x0f\x0b")
				m.gate64(idt.VecUD, unmapped, 0)
				m.gate64(idt.VecPF, unmapped, 1)
				return m
			}, 1, map[idt.Vector]uint64{idt.VecPF: 1},
		},
		{
			// Each frame has 48 bytes: #DF's and (4096 - 48) / 48 of #PF fit
			// into the page above the guard, then the push faults.
			"unmapped #PF and #DF handlers", func(t testing.TB) *Machine {
				m := long(t, "\x0f\x0b")
				m.gate64(idt.VecUD, unmapped, 0)
				m.gate64(idt.VecPF, unmapped, 0)
				m.gate64(idt.VecDF, unmapped+0x1000, 2)
				for i := range uint64(512) {
					m.Mem.Write(mmu.Phys(0x13000+8*i), 8, i<<12|3)
				}
				m.Mem.Write(0x12000, 8, 0x13003)
				m.Mem.Write(0x13000+8*8, 8, 0) // page 8 is the guard of IST 2's stack
				m.Mem.Write(0x13000+8*6, 8, 0) // page 6 that of the first
				s := m.CPU.State()
				s.GPR[4] = 0x7800
				m.CPU.SetState(s)
				return m
			}, 85, map[idt.Vector]uint64{idt.VecPF: 84, idt.VecDF: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.m(t)
			r := run(t, m, 1<<24)
			require.Equal(t, Looping, r.Reason, r.Story())
			assert.Equal(t, 122, r.Status())
			assert.Equal(t, c.period, r.Loop.Period)
			for v, n := range r.Loop.Vectors {
				assert.Equal(t, c.vectors[idt.Vector(v)], n, "vector %d", v)
			}
			assert.Equal(t, Looping, run(t, m, 1<<24).Reason, "once more")
		})
	}
}

// What may be interrupted from outside is no endless loop.
func TestLoopWaitsForTimers(t *testing.T) {
	m := boot(t, Config{Extra: withTicker(100000, func(m *Machine) { m.RaiseNMI() })}, "\x0f\x0b")
	m.vector(idt.VecUD, 0x7c00)
	m.vector(idt.VecNMI, 0x8000)
	m.Mem.WriteBytes(0x8000, []byte("\xf4"))
	s := m.CPU.State()
	s.Seg[decode.SS].Base = 0x20000
	m.CPU.SetState(s)
	r := run(t, m, 1<<24)
	assert.Equal(t, Halted, r.Reason)
	assert.EqualValues(t, 300000, r.Ticks)
}

// A recursion that ends is no loop: here the handler is replaced by the frame
// that is pushed over the vector table.
func TestRecursionThatEndsIsNoLoop(t *testing.T) {
	m := boot(t, Config{}, "\x0f\x0b")
	m.vector(idt.VecUD, 0x7c00)
	s := m.CPU.State()
	s.GPR[4] = 0x6000 // 4096 frames down to the vector table
	m.CPU.SetState(s)
	r := run(t, m, 1<<18)
	assert.NotEqual(t, Looping, r.Reason)
	assert.Greater(t, r.Ticks, uint64(4000))
}

func TestSerialEcho(t *testing.T) {
	// l: in al,dx(3FD); test al,1; jz l; mov dx,3F8; in al,dx; out dx,al; cmp al,'.'; mov dx,3FD; jne l; hlt
	const echo = "\xba\xfd\x03" + "\xec\xa8\x01\x74\xfb" + "\xba\xf8\x03\xec\xee\x3c\x2e" + "\xba\xfd\x03\x75\xef\xf4"
	var out bytes.Buffer
	var ticks [2]uint64
	for i := range ticks {
		out.Reset()
		m := boot(t, Config{Serial: NewOutput(&out), Input: NewInput(strings.NewReader("hello."))}, echo)
		r := run(t, m, 1_000_000)
		assert.Equal(t, Halted, r.Reason)
		assert.Equal(t, "hello.", out.String())
		ticks[i] = r.Ticks
	}
	assert.Equal(t, ticks[0], ticks[1], "the same input at the same ticks")
}

func TestConsoleSharesTheStream(t *testing.T) {
	var out bytes.Buffer
	o := NewOutput(&out)
	// in al,E9; out E9,al; mov al,'x'; mov dx,3F8; out dx,al; in al,80... post
	m := boot(t, Config{Serial: o, Console: o}, "\xe4\xe9\xe6\xe9\xb0x\xba\xf8\x03\xee\xe6\x80\xb0\x00\xe4\x80\xe6\xe9\xf4")
	assert.Equal(t, Halted, run(t, m, 100).Reason)
	assert.Equal(t, "\xe9xx", out.String())
	assert.EqualValues(t, 'x', m.Post.s.Code)
}

// brokenPipe fails every write.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputErrorIsTold(t *testing.T) {
	m := boot(t, Config{Serial: NewOutput(brokenPipe{})}, "\xb0x\xba\xf8\x03\xee\xf4")
	r, err := m.Run(context.Background(), 100)
	assert.ErrorContains(t, err, "broken pipe")
	assert.Equal(t, Halted, r.Reason)
}

func TestA20(t *testing.T) {
	// xor ax,ax; out 92,al; in al,92; mov bl,al; mov al,2; out 92,al; in al,92; hlt
	m := boot(t, Config{}, "\x31\xc0\xe6\x92\xe4\x92\x88\xc3\xb0\x02\xe6\x92\xe4\x92\xf4")
	assert.Equal(t, Budget, run(t, m, 3).Reason)
	assert.False(t, m.CPU.State().A20)
	assert.Equal(t, Halted, run(t, m, 100).Reason)
	s := m.CPU.State()
	assert.True(t, s.A20)
	assert.EqualValues(t, 0, s.GPR[3]&2)
	assert.EqualValues(t, 2, s.GPR[0])
}

// ticker is a device with a timer that raises an interrupt, n times.
type ticker struct {
	s struct{ Left uint64 }
	t *Timer
	m *Machine
}

// always is a timer's answer whether it wakes a halted processor.
func always() bool { return true }

func (d *ticker) Name() string { return "ticker" }
func (d *ticker) State() any   { return &d.s }

func withTicker(period uint64, raise func(m *Machine)) func(m *Machine) error {
	return func(m *Machine) error {
		d := &ticker{m: m}
		d.s.Left = 3
		d.t = m.Clock.NewTimer("ticker", always, func(now uint64) {
			raise(m)
			if d.s.Left--; d.s.Left > 0 {
				d.t.Set(now + period)
			}
		})
		d.t.Set(period)
		m.Attach(d)
		return nil
	}
}

func TestRaiseWakesAHaltedMachine(t *testing.T) {
	m := boot(t, Config{}, "\xfb\xf4\xeb\xfd")
	m.Mem.WriteBytes(0x8000, []byte("\x43\xcf"))
	m.vector(0x31, 0x8000)
	for n := range uint64(3) {
		assert.Equal(t, Halted, run(t, m, NoBudget).Reason)
		assert.Equal(t, n, m.CPU.State().GPR[3])
		m.RaiseINTR(0x31)
	}
}

// HLT skips to the next event: three interrupts, then nothing is left.
func TestTimersWakeHLT(t *testing.T) {
	intr := func(m *Machine) { m.RaiseINTR(0x20) }
	nmi := func(m *Machine) { m.RaiseNMI() }
	for _, c := range []struct {
		name   string
		raise  func(m *Machine)
		code   string
		budget uint64
		want   Reason
		count  uint64 // handler runs
		ticks  uint64
	}{
		{"INTR", intr, "\xfb\xf4\xeb\xfd", NoBudget, Halted, 3, 3000003 + 5 - 1},
		{"NMI", nmi, "\xfa\xf4\xeb\xfd", NoBudget, Halted, 3, 3000003 + 5 - 1},
		{"INTR masked", intr, "\xfa\xf4\xeb\xfd", NoBudget, Halted, 0, 3000000},
		{"budget ends while halted", intr, "\xfb\xf4\xeb\xfd", 1500000, Budget, 1, 1500000},
		{"a running guest meets it at its tick", intr, "\xfb\xeb\xfe", 1000002, Budget, 1, 1000002},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(t, Config{Extra: withTicker(1000000, c.raise)}, c.code)
			m.Mem.WriteBytes(0x8000, []byte("\x43\xcf")) // inc bx; iret
			m.vector(0x20, 0x8000)
			m.vector(idt.VecNMI, 0x8000)
			r := run(t, m, c.budget)
			assert.Equal(t, c.want, r.Reason)
			assert.Equal(t, c.count, m.CPU.State().GPR[3])
			if c.name != "INTR" && c.name != "NMI" {
				assert.Equal(t, c.ticks, r.Ticks)
			}
		})
	}
}

// A handler that returns without having mended the fault is an endless loop
// too, but not one that changes anything on the way.
func TestLoopWithInstructions(t *testing.T) {
	for _, c := range []struct {
		name, handler string
		want          Reason
		instructions  uint64
	}{
		{"handler returns at once", "\x48\xcf", Looping, 1},                                 // iretq
		{"handler works, in vain", "\x50\x48\xff\xc0\x58\x48\xcf", Looping, 4},              // push rax; inc rax; pop rax; iretq
		{"handler counts", "\x48\xff\xc0\x48\xcf", Budget, 0},                               // inc rax; iretq
		{"handler counts in memory", "\x48\xff\x04\x25\x00\x90\x00\x00\x48\xcf", Budget, 0}, // inc qword [0x9000]; iretq
	} {
		t.Run(c.name, func(t *testing.T) {
			m := long(t, "\x0f\x0b")
			m.gate64(idt.VecUD, 0x8000, 0)
			m.Mem.WriteBytes(0x8000, []byte(c.handler))
			r := run(t, m, 1<<21)
			require.Equal(t, c.want, r.Reason, r.Story())
			assert.Equal(t, c.instructions, r.Loop.Instructions)
			if c.want == Looping {
				assert.EqualValues(t, 1, r.Loop.Period)
				assert.EqualValues(t, 1, r.Loop.Vectors[idt.VecUD])
			}
		})
	}
}
