package machine

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/mmu"
)

// counting is a program that fills memory, prints and uses most devices for ever:
//
//	l: inc bx; mov [bx+0x1000],bl; mov al,bl; out 0x80,al; mov dx,0x3ff; out dx,al; jmp l
const counting = "\x43\x88\x9f\x00\x10\x88\xd8\xe6\x80\xba\xff\x03\xee\xeb\xf1"

// same tells what differs between two machines, or "".
func same(a, b *Machine) string {
	switch {
	case a.CPU.State() != b.CPU.State():
		return "State"
	case !assert.ObjectsAreEqual(a.MMU.TLB(), b.MMU.TLB()):
		return "TLB"
	case !a.Mem.Equal(b.Mem):
		return "memory"
	case !assert.ObjectsAreEqual(a.Clock.save(), b.Clock.save()):
		return "timers"
	}
	for i := range a.devices {
		if stateOf(a.devices[i]) != stateOf(b.devices[i]) {
			return a.devices[i].Name()
		}
	}
	return ""
}

// paged is a machine in 32-bit protected mode with paging on: a loop that
// writes over many pages, so that the TLB is full of entries.
func paged(t testing.TB) *Machine {
	m := boot(t, Config{}, "")
	for i := range uint64(1024) {
		m.Mem.Write(mmu.Phys(0x11000+4*i), 4, i%256<<12|7)
	}
	m.Mem.Write(0x10000, 4, 0x11007)
	// l: inc dword [ecx]; add ecx,4096+4; and ecx,0x3fffff; or ecx,0x20000; jmp l
	m.Mem.WriteBytes(0x7c00, []byte("\xff\x01\x81\xc1\x04\x10\x00\x00\x81\xe1\xff\xff\x3f\x00\x81\xc9\x00\x00\x02\x00\xeb\xea"))
	s := m.CPU.State()
	s.CR0 |= mmu.CR0PE | mmu.CR0PG
	s.CR3 = 0x10000
	for r := range s.Seg {
		s.Seg[r].Attr |= 1<<14 | 1<<15
		s.Seg[r].Limit = 0xffffffff
	}
	m.CPU.SetState(s)
	return m
}

func TestSaveRestore(t *testing.T) {
	for _, c := range []struct {
		name string
		m    func(t testing.TB) *Machine
	}{
		{"real mode with devices", func(t testing.TB) *Machine { return boot(t, Config{}, counting) }},
		{"paging", paged},
		{"an interrupt in service, another asked for", func(t testing.TB) *Machine {
			m := boot(t, Config{}, initPICs+"\xfb\xeb\xfe") // sti; jmp $
			m.vector(8+3, 0x600)
			m.Mem.WriteBytes(0x600, []byte("\x40\xeb\xfd")) // inc ax; jmp $-1
			run(t, m, 20)
			m.PIC.SetIRQ(3, true)
			m.PIC.SetIRQ(12, true)
			run(t, m, 100)
			assert.EqualValues(t, 1<<2, m.PIC.s.Master.ISR)
			return m
		}},
		{"a timer at another rate", func(t testing.TB) *Machine {
			// mov al,0x34; out 0x43,al; mov al,7; out 0x40,al; out 0x40,al; sti; jmp $
			m := boot(t, Config{TickRate: MinTickRate}, initPICs+"\xb0\x34\xe6\x43\xb0\x07\xe6\x40\xe6\x40\xfb\xeb\xfe")
			m.vector(8, 0x600)
			m.Mem.WriteBytes(0x600, []byte("\x45\xb0\x20\xe6\x20\xcf")) // inc bp; EOI; iret
			run(t, m, 50000)
			assert.NotZero(t, m.CPU.GPR()[5])
			assert.True(t, m.PIT.timer.Active())
			return m
		}},
		{"a date, and a periodic interrupt", func(t testing.TB) *Machine {
			// set IF; a handler that reads C; 8192 Hz
			m := boot(t, Config{Date: time.Date(1985, 10, 26, 1, 20, 0, 0, time.UTC)},
				initPICs+"\xb0\x0a\xe6\x70\xb0\x23\xe6\x71\xb0\x0b\xe6\x70\xb0\x42\xe6\x71\xfb\xeb\xfe")
			m.vector(0x70, 0x600)
			m.Mem.WriteBytes(0x600, []byte("\x45\xb0\x0c\xe6\x70\xe4\x71"+eoiIRET)) // inc bp
			run(t, m, 1_000_000)
			assert.NotZero(t, m.CPU.GPR()[5])
			assert.EqualValues(t, 0x85, m.RTC.s.CMOS[rtcYear])
			return m
		}},
		{"a status and an SCI to come, an address of PCI", func(t testing.TB) *Machine {
			// mov dx,0xcf8; mov eax,0x80001000; out dx,eax; hlt; jmp $-1
			m := boot(t, Config{TickRate: MinTickRate}, sciWaits+"\xba\xf8\x0c\x66\xb8\x00\x10\x00\x80\x66\xef\xf4\xeb\xfd")
			m.vector(0x71, 0x600)
			m.Mem.WriteBytes(0x600, []byte("\x45\xba\x00\x06\xb8\x01\x00\xef"+eoiIRET)) // inc bp; the status is cleared
			run(t, m, 23_420_000)
			assert.True(t, m.PM.timer.Active())
			assert.EqualValues(t, 0x80001000, m.PCI.s.Address)
			return m
		}},
		{"the local APIC's timer runs, and an interrupt is in service", func(t testing.TB) *Machine {
			store := func(off, v uint16) string { // mov dword [0xfee00000+off],v
				return "\x67\x66\xc7\x05" + string([]byte{byte(off), byte(off >> 8), 0xe0, 0xfe, byte(v), byte(v >> 8), 2, 0})
			}
			m := boot(t, Config{}, store(0x3e0, 0xb)+store(0x320, 0x40)+store(0x380, 1000)+"\xfb\xeb\xfe") // sti; jmp $
			s := m.CPU.State()
			s.Seg[decode.DS].Limit = 0xffffffff
			m.CPU.SetState(s)
			m.vector(0x30, 0x600)
			m.Mem.WriteBytes(0x600, []byte("\xfb\x41\xeb\xfd")) // sti; inc cx; jmp $-1, for ever in service
			m.vector(0x40, 0x700)
			m.Mem.WriteBytes(0x700, []byte("\x45"+store(0xb0, 0)+"\xcf")) // inc bp; EOI; iret
			run(t, m, 10_000)
			m.APIC.message(deliverFixed, 0x30, false)
			m.IOAPIC.s.Pins[5] = pinLevel | 0x25
			m.SetIRQ(5, true)
			run(t, m, 150_000)
			assert.NotZero(t, m.CPU.GPR()[1])
			assert.NotZero(t, m.CPU.GPR()[5])
			assert.EqualValues(t, 0x30, m.APIC.s.ISR.highest())
			assert.True(t, m.APIC.s.IRR.has(0x25))
			assert.NotZero(t, m.IOAPIC.s.Pins[5]&pinRemoteIRR)
			assert.True(t, m.APIC.timer.Active())
			return m
		}},
		{"after exit", func(t testing.TB) *Machine { return boot(t, Config{}, "\xe6\xf4") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.m(t)
			run(t, m, 12345)
			var file, again bytes.Buffer
			require.NoError(t, m.Save(&file))
			saved := bytes.Clone(file.Bytes())
			r, err := Restore(&file, Config{})
			require.NoError(t, err)
			assert.Empty(t, same(m, r))
			require.NoError(t, r.Save(&again))
			assert.Equal(t, saved, again.Bytes(), "a restored machine saves the same file")
			k := m.Moment()
			assert.Equal(t, run(t, m, 54321), run(t, r, 54321))
			assert.Empty(t, same(m, r), "and goes the same way")
			m.Return(k)
			run(t, m, 54321)
			assert.Empty(t, same(m, r), "as does the machine itself a second time")
		})
	}
}

func TestForkIsIndependent(t *testing.T) {
	m := boot(t, Config{}, counting)
	run(t, m, 1000)
	f, err := m.Fork()
	require.NoError(t, err)
	require.Empty(t, same(m, f))
	before, err := m.Fork()
	require.NoError(t, err)
	run(t, f, 5000)
	assert.Empty(t, same(m, before), "the fork's run changes nothing here")
	run(t, m, 5000)
	assert.Empty(t, same(m, f), "both go the same way")
}

// A fork meets the serial input that its parent met, at the same ticks.
func TestForkReplaysInput(t *testing.T) {
	const echo = "\xba\xfd\x03" + "\xec\xa8\x01\x74\xfb" + "\xba\xf8\x03\xec\xee\x3c\x2e" + "\xba\xfd\x03\x75\xef\xf4"
	m := boot(t, Config{Input: NewInput(strings.NewReader("abcdefgh."))}, echo)
	run(t, m, 3000)
	f, err := m.Fork()
	require.NoError(t, err)
	assert.Equal(t, run(t, m, NoBudget), run(t, f, NoBudget))
	assert.Empty(t, same(m, f))
}

// latch is a memory-mapped device: a word that can be read and written.
type latch struct{ s struct{ Value uint64 } }

func (l *latch) Name() string                     { return "latch" }
func (l *latch) State() any                       { return &l.s }
func (l *latch) Read(off uint64, _ uint) uint64   { return l.s.Value >> (8 * off) }
func (l *latch) Write(_ uint64, _ uint, v uint64) { l.s.Value = v }

// withLatch adds a device at 0xA0000 and ROM at 0xF0000.
func withLatch(m *Machine) error {
	l := &latch{}
	m.Attach(l)
	return errors.Join(m.Mem.MapMMIO(0xa0000, 8, l), m.Mem.MapROM(0xf0000, []byte("rom")))
}

func TestMemoryMappedDevicesAndROM(t *testing.T) {
	// mov ax,0xa000; mov ds,ax; inc byte [0]; mov ax,0xf000; mov es,ax; mov es:[0],al; mov al,es:[0]; hlt
	const code = "\xb8\x00\xa0\x8e\xd8\xfe\x06\x00\x00\xb8\x00\xf0\x8e\xc0\x26\xa2\x00\x00\x26\xa0\x00\x00\xf4"
	m := boot(t, Config{Extra: withLatch}, code)
	run(t, m, 3)
	f, err := m.Fork()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, m.Save(&b))
	r, err := Restore(&b, Config{Extra: withLatch})
	require.NoError(t, err)
	for i, x := range []*Machine{m, f, r} {
		assert.Equal(t, Halted, run(t, x, 100).Reason)
		assert.Equal(t, byte('r'), byte(x.CPU.State().GPR[0]), "ROM keeps what it has")
		assert.EqualValues(t, 1, x.Mem.Read(0xa0000, 8), "machine %d has a device of its own", i)
		assert.Empty(t, same(m, x))
	}
	assert.EqualValues(t, 0xff, m.Mem.Read(0xa0008, 1), "beside the device is a hole")
}

func TestDevicesOutsideOfExtraCannotFork(t *testing.T) {
	m := boot(t, Config{}, counting)
	require.NoError(t, withTicker(10, func(*Machine) {})(m))
	_, err := m.Fork()
	assert.Error(t, err)
}

func BenchmarkFork(b *testing.B) {
	m := boot(b, Config{RAM: 64 << 20}, counting)
	run(b, m, 10000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Fork(); err != nil {
			b.Fatal(err)
		}
	}
}

// A model with a name that the file has no room for is refused, not cut.
func TestSaveLongModelName(t *testing.T) {
	model, ok := cpu.ModelByName("max")
	require.True(t, ok)
	short, err := model.Without("smep", "nx")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, boot(t, Config{Model: short}, "\xf4").Save(&b))
	m, err := Restore(&b, Config{})
	require.NoError(t, err)
	assert.Equal(t, short.Name, m.Config().Model.Name)

	long, err := model.Without(cpu.FeatureNames()...)
	require.NoError(t, err)
	assert.ErrorContains(t, boot(t, Config{Model: long}, "\xf4").Save(&b), "room for 32 bytes")
}
