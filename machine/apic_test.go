package machine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/mmu"
)

// newAPICRig has a tick for each beat of the APIC timer's clock.
func newAPICRig(t testing.TB, model string) *rig {
	m, ok := cpu.ModelByName(model)
	require.True(t, ok)
	return newRigWith(t, Config{RAM: MinRAM, Model: m, TickRate: apicHz})
}

// self sends a vector by a self IPI.
func self(vector uint32) string { return fmt.Sprintf("sto fee00300 %x; ", 1<<18|vector) }

func TestAPICRules(t *testing.T) {
	const (
		eoi  = "sto fee000b0 0; "
		x2   = "base c; "
		once = "sto fee003e0 b; sto fee00320 40; "      // divided by 1, vector 0x40
		many = "sto fee003e0 b; sto fee00320 20040; "   // periodic
		dead = "sto fee00320 40040; "                   // TSC-deadline
		irq1 = start + "raise 1; "                      // the 8259A asks with vector 0x21
		low  = "lod fee00020 0; sto fee00020 5000000; " // ID 5
	)
	for _, c := range []struct{ rule, script string }{
		{"version and number of LVT entries", "lod fee00030 50014"},
		{"as firmware leaves it: enabled, virtual wire", "lod fee000f0 1ff; lod fee00350 8700; lod fee00360 8400; lod fee00320 10000; lod fee00330 10000; lod fee00340 10000; lod fee00370 10000"},
		{"the ID is its upper byte", "sto fee00020 ffffffff; lod fee00020 ff000000"},
		{"TPR has eight bits, and CR8 the upper four", "sto fee00080 fffffff5; lod fee00080 f5; cr8 3; lod fee00080 30"},
		{"LDR is its upper byte", "sto fee000d0 ffffffff; lod fee000d0 ff000000"},
		{"DFR's lower bits are ones", "lod fee000e0 ffffffff; sto fee000e0 0; lod fee000e0 fffffff"},
		{"SVR has nine bits", "sto fee000f0 ffffffff; lod fee000f0 1ff"},
		{"what can be written to LVT entries", "sto fee00320 ffffffff; lod fee00320 700ff; sto fee00330 ffffffff; lod fee00330 107ff; sto fee00340 ffffffff; lod fee00340 107ff; sto fee00350 ffffffff; lod fee00350 1a7ff; sto fee00360 ffffffff; lod fee00360 1a7ff; sto fee00370 ffffffff; lod fee00370 100ff"},
		{"ICR's delivery status is idle", "sto fee00310 ffffffff; lod fee00310 ff000000; sto fee00300 ffff3bff; lod fee00300 c0bff"},
		{"the divide configuration has three bits", "sto fee003e0 ffffffff; lod fee003e0 b"},
		{"the read-only ones stay", "sto fee00030 0; lod fee00030 50014; sto fee000a0 ff; lod fee000a0 0; sto fee00100 ff; lod fee00100 0; sto fee00390 5; lod fee00390 0; sto fee00280 0; lod fee00280 0"},
		{"a register that is not there: ESR after a write", "lod fee00040 0; lod fee00280 0; sto fee00280 0; lod fee00280 80; sto fee00280 0; lod fee00280 0; sto fee00400 1; sto fee00280 0; lod fee00280 80"},
		{"SELF IPI is not in the page", "sto fee003f0 40; int 0; sto fee00280 0; lod fee00280 80"},
		{"an access beside a register has no effect", "sto fee00084 ff; lod fee00080 0; lod fee00034 0; sto fee00280 0; lod fee00280 0"},

		{"a self IPI", self(0x40) + "int 1; lod fee00220 1; take 40; lod fee00220 0; lod fee00120 1; int 0; " + eoi + "lod fee00120 0"},
		{"all including self", "sto fee00300 80041; take 41"},
		{"all but self is nobody", "sto fee00300 c0041; int 0"},
		{"a physical destination", low + "sto fee00310 5000000; sto fee00300 42; take 42"},
		{"another's", low + "sto fee00310 4000000; sto fee00300 42; int 0"},
		{"everybody's", low + "sto fee00310 ff000000; sto fee00300 42; take 42"},
		{"a logical destination in the flat model", "sto fee000d0 6000000; sto fee00310 9000000; sto fee00300 842; int 0; sto fee00310 c000000; sto fee00300 842; take 42"},
		{"a logical destination in the cluster model", "sto fee000e0 fffffff; sto fee000d0 12000000; sto fee00310 22000000; sto fee00300 842; int 0; sto fee00310 11000000; sto fee00300 842; int 0; sto fee00310 13000000; sto fee00300 842; take 42"},
		{"all clusters", "sto fee000e0 fffffff; sto fee000d0 12000000; sto fee00310 f2000000; sto fee00300 842; take 42"},
		{"lowest priority has one to choose from", "sto fee00300 142; take 42"},
		{"start-up has nobody who waits", "sto fee00300 4608; int 0"},
		{"an INIT de-assertion does nothing", "sto fee00300 8500; int 0"},
		{"an illegal vector is not sent", self(0xf) + "int 0; sto fee00280 0; lod fee00280 20"},

		{"the higher vector first", self(0x31) + self(0x52) + "take 52; int 0; " + eoi + "take 31"},
		{"the class decides, not the rest of the vector", self(0x31) + "take 31; " + self(0x3f) + "int 0; " + eoi + "take 3f"},
		{"a higher class interrupts the handler", self(0x31) + "take 31; " + self(0x41) + "take 41; lod fee000a0 40; " + eoi + "lod fee000a0 30; " + eoi + "lod fee000a0 0"},
		{"TPR holds its class and those below back", "sto fee00080 40; " + self(0x4f) + "int 0; sto fee00080 3f; int 1; take 4f"},
		{"CR8 does as TPR", "cr8 4; " + self(0x4f) + "int 0; cr8 3; take 4f"},
		{"PPR is TPR if its class is not below", self(0x45) + "take 45; sto fee00080 43; lod fee000a0 43; sto fee00080 39; lod fee000a0 40; sto fee00080 52; lod fee000a0 52"},
		{"a request twice is one", self(0x40) + self(0x40) + "take 40; " + eoi + "int 0"},
		{"a request while it is served is another", self(0x40) + "take 40; " + self(0x40) + "int 0; " + eoi + "take 40"},
		{"EOI without service", eoi + "int 0"},
		{"EOI ends the highest", self(0x31) + "take 31; " + self(0x41) + "take 41; " + eoi + "lod fee00120 0; lod fee00110 20000"},

		{"software-disabled it accepts nothing and masks", "sto fee00320 40; sto fee000f0 ff; lod fee00320 10040; sto fee00320 41; lod fee00320 10041; " + self(0x40) + "int 0; lod fee00220 0; sto fee000f0 1ff; lod fee00320 10041"},
		{"what it had before is held", self(0x40) + "sto fee000f0 ff; take 40"},

		{"ExtINT passes LINT0, whatever the priority", "cr8 f; " + irq1 + "take 21"},
		{"a masked LINT0 keeps it back", "sto fee00350 18700; " + irq1 + "int 0; sto fee00350 8700; take 21"},
		{"the APIC's own come first", irq1 + self(0x40) + "take 40; take 21"},
		{"LINT0 as an edge", "sto fee00350 50; " + irq1 + "take 50; " + eoi + "int 0"},
		{"LINT0 as a level comes again until it falls", "sto fee00350 8050; " + irq1 + "lod fee00350 c050; take 50; " + eoi + "take 50; lod fee001a0 10000; out 21 ff; " + eoi + "int 0; lod fee00350 8050"},
		{"LINT0 opened while its level stands", "sto fee00350 18050; " + irq1 + "sto fee00350 8050; take 50"},
		{"an LVT entry with an illegal vector", "sto fee00350 5; " + irq1 + "int 0; sto fee00280 0; lod fee00280 40"},
		{"errors interrupt once until ESR is written", "sto fee00370 60; lod fee00040 0; take 60; " + eoi + "lod fee00040 0; int 0; sto fee00280 0; lod fee00040 0; take 60"},

		{"off, INTR comes from the 8259A", "cr8 f; base 0; " + irq1 + self(0x40) + "take 21; int 0"},
		{"off and on it is as after reset", self(0x40) + "base 0; base 8; int 0; lod fee000f0 ff; lod fee00350 10000; lod fee000a0 0"},
		{"off, the page reads as ones", "base 0; lod fee00030 ffffffff"},

		{"the timer counts down, once", once + "sto fee00380 64; ticks 1e; lod fee00390 46; lod fee00380 64; int 0; ticks 46; lod fee00390 0; take 40; " + eoi + "ticks 1000; int 0"},
		{"again and again", many + "sto fee00380 64; ticks 64; lod fee00390 64; take 40; " + eoi + "ticks 63; lod fee00390 1; int 0; ticks 1; take 40"},
		{"divided by 2 to 128", "sto fee00320 40; sto fee003e0 0; sto fee00380 10; ticks 1f; int 0; lod fee00390 1; sto fee003e0 a; lod fee00390 1; ticks 7f; int 0; ticks 1; int 1"},
		{"masked it counts and asks for nothing", once + "sto fee00320 10040; sto fee00380 64; ticks 100; lod fee00390 0; sto fee00320 40; ticks 100; int 0"},
		{"masked again and again", many + "sto fee00320 30040; sto fee00380 64; ticks 96; lod fee00390 32; sto fee00320 20040; ticks 32; take 40"},
		{"zero stops it", once + "sto fee00380 64; sto fee00380 0; ticks 100; int 0"},
		{"a new count begins anew", once + "sto fee00380 64; ticks 50; sto fee00380 64; ticks 50; int 0; ticks 14; int 1"},
		{"a vector that is illegal", "sto fee003e0 b; sto fee00320 8; sto fee00380 5; ticks 10; int 0; sto fee00280 0; lod fee00280 40"},
		{"periods that nobody acknowledged are one", many + "sto fee00380 a; ticks 65; take 40; " + eoi + "int 0; ticks 9; take 40"},
		{"software-disabled, the timer asks for nothing", once + "sto fee00380 64; sto fee000f0 ff; ticks 100; sto fee000f0 1ff; int 0; lod fee00390 0"},

		{"no deadline in other modes", once + "wrm 6e0 100; rdm 6e0 0; ticks 1000; int 0"},
		{"a deadline", dead + "wrm 6e0 105; ticks ff; int 0; rdm 6e0 105; ticks 1; take 40; rdm 6e0 0"},
		{"one that has passed comes at once", dead + "ticks 100; wrm 6e0 50; take 40; rdm 6e0 0"},
		{"zero disarms it", dead + "wrm 6e0 100; wrm 6e0 0; ticks 200; int 0"},
		{"in deadline mode there is no count", dead + "sto fee00380 64; lod fee00380 0; lod fee00390 0; ticks 100; int 0"},
		{"the change of modes disarms", dead + "wrm 6e0 100; " + once + "ticks 200; int 0; sto fee00380 64; " + dead + "ticks 100; int 0"},
		{"masked, a deadline passes in silence", "sto fee00320 50040; wrm 6e0 100; ticks 200; rdm 6e0 0; " + dead + "int 0"},

		{"x2APIC: identity", low + x2 + "rdm 802 0; rdm 803 50014; rdm 80d 1; lod fee00030 ffffffff"},
		{"x2APIC: what was set stays", "sto fee00080 45; sto fee00320 20033; " + x2 + "rdm 808 45; rdm 832 20033"},
		{"x2APIC: SELF IPI", x2 + "wrm 83f 40; take 40; rdm 812 1; wrm 80b 0; rdm 812 0"},
		{"x2APIC: SELF IPI of an illegal vector", x2 + "wrm 83f f; int 0; wrm 828 0; rdm 828 20"},
		{"x2APIC: ICR is one register", x2 + "wrm 830 41; take 41; rdm 830 41"},
		{"x2APIC: registers that are not there", x2 + "nrd 800; nrd 809; nwr 809 0; nrd 80c; nrd 80e; nwr 80e 0; nrd 82f; nwr 82f 0; nrd 831; nwr 831 0; nrd 840; nwr 840 0; nrd 8ff; nrd 83a"},
		{"x2APIC: read only", x2 + "nwr 802 0; nwr 803 0; nwr 80a 0; nwr 80d 0; nwr 810 0; nwr 818 0; nwr 820 0; nwr 839 0"},
		{"x2APIC: write only", x2 + "nrd 80b; nrd 83f"},
		{"x2APIC: reserved bits", x2 + "nwr 808 100; nwr 80b 1; nwr 80f 200; nwr 828 1; nwr 832 1000; nwr 83e 4; nwr 83f 100; nwr 830 1000"},
		{"x2APIC: back by way of off", x2 + "base 0; base 8; lod fee00030 50014"},
	} {
		t.Run(c.rule, func(t *testing.T) { newAPICRig(t, "max").play(t, c.script) })
	}
}

func TestAPICOfModels(t *testing.T) {
	for _, c := range []struct{ model, rule, script string }{
		{"pentium", "four LVT entries", "lod fee00030 30014; lod fee00330 0; lod fee00340 0; sto fee00280 0; lod fee00280 80"},
		{"pentium", "no deadline mode", "sto fee00320 ffffffff; lod fee00320 300ff"},
		{"pentium", "nobody accepts a message", "sto fee00310 7000000; sto fee00300 40; sto fee00280 0; lod fee00280 4"},
		{"pentium", "APR is TPR", "sto fee00080 35; lod fee00090 35"},
		{"pentium", "APR is the class of a request", self(0x51) + self(0x41) + "sto fee00080 35; lod fee00090 50"},
		{"pentium3", "five LVT entries", "lod fee00030 40014; lod fee00340 10000; sto fee00330 0; sto fee00280 0; lod fee00280 80"},
		{"core2", "six LVT entries", "lod fee00030 50014; lod fee00090 0"},
	} {
		t.Run(c.model+": "+c.rule, func(t *testing.T) { newAPICRig(t, c.model).play(t, c.script) })
	}
	r := newRigWith(t, Config{Model: mustModel(t, "486")})
	assert.Nil(t, r.m.APIC)
	r.play(t, "lod fee00030 ffffffff; "+start+"raise 1; take 21")
}

func mustModel(t testing.TB, name string) *cpu.Model {
	m, ok := cpu.ModelByName(name)
	require.True(t, ok)
	return m
}

// Widths other than 32 bits.
func TestAPICWidths(t *testing.T) {
	m := newAPICRig(t, "max").m
	assert.EqualValues(t, 0x50014, m.Mem.Read(apicPage+0x30, 8))
	assert.Zero(t, m.Mem.Read(apicPage+0x30, 1))
	assert.Zero(t, m.Mem.Read(apicPage+0x30, 2))
	m.Mem.Write(apicPage+0x80, 2, 0xff)
	assert.Zero(t, m.Mem.Read(apicPage+0x80, 4))
	m.Mem.Write(apicPage+0x80, 8, 0x77_00000045)
	assert.EqualValues(t, 0x45, m.Mem.Read(apicPage+0x80, 4))
}

// IA32_APIC_BASE moves the page to where nothing is, and a fork, a Moment and a
// snapshot have it there.
func TestAPICMoves(t *testing.T) {
	const there, ram, pic = 0xfec80000, 0x80000, mmu.Phys(apicPage)
	r := newAPICRig(t, "max")
	at := func(m *Machine, p mmu.Phys) uint32 { return uint32(m.Mem.Read(p+0x30, 4)) }
	first := r.m.Moment()
	r.base(there | cpu.APICBaseEnable)
	assert.EqualValues(t, 0x50014, at(r.m, there))
	assert.EqualValues(t, 0xffffffff, at(r.m, pic))
	moved := r.m.Moment()
	f, err := r.m.Fork()
	require.NoError(t, err)
	assert.EqualValues(t, 0x50014, at(f, there))
	f.Mem.Write(there+0x80, 4, 0x45)
	assert.Zero(t, r.m.CPU.Priority(), "it is the fork's own")
	for _, m := range []*Machine{r.m, f} {
		m.Return(first)
		assert.EqualValues(t, 0x50014, at(m, pic))
		assert.EqualValues(t, 0xffffffff, at(m, there))
		m.Return(moved)
		assert.EqualValues(t, 0x50014, at(m, there))
	}

	r.base(ram | cpu.APICBaseEnable)
	r.m.Mem.Write(ram+0x30, 4, 5)
	assert.EqualValues(t, 5, at(r.m, ram), "RAM stays in sight")
	assert.EqualValues(t, 0xffffffff, at(r.m, there))
}

// The board's NMI goes by LINT1.
func TestAPICNMI(t *testing.T) {
	for _, c := range []struct {
		rule, script string
		nmi          bool
	}{
		{"LINT1 as firmware leaves it", "", true},
		{"LINT1 masked", "sto fee00360 10400", false},
		{"LINT1 with a vector", "sto fee00360 55", false},
		{"the APIC off", "sto fee00360 10400; base 0", true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newAPICRig(t, "max")
			r.play(t, c.script)
			r.m.RaiseNMI()
			assert.Equal(t, c.nmi, r.m.CPU.State().NMI)
			assert.Equal(t, c.rule == "LINT1 with a vector", r.m.CPU.State().INTR)
		})
	}
	r := newAPICRig(t, "max")
	r.play(t, "sto fee00300 44400") // a self IPI is fixed, and other modes are taken all the same
	assert.True(t, r.m.CPU.State().NMI)
	r.play(t, "sto fee00300 500")
	assert.True(t, r.m.power.s.Reset, "INIT")
}

// literalAPIC is the manual's words about priorities, a vector at a time.
// [SDM 3A, Handling Interrupts; Interrupt, Task, and Processor Priority]
type literalAPIC struct {
	irr, isr, tmr [256]bool
	tpr           int
}

func (l *literalAPIC) ppr() int {
	inService := 0
	for v := range l.isr {
		if l.isr[v] {
			inService = v
		}
	}
	if l.tpr/16 >= inService/16 {
		return l.tpr
	}
	return inService / 16 * 16
}

func (l *literalAPIC) request() (vector int) {
	for v := 16; v < 256; v++ {
		if l.irr[v] && v/16 > l.ppr()/16 {
			vector = v
		}
	}
	return vector
}

func (l *literalAPIC) eoi() {
	for v := 255; v >= 16; v-- {
		if l.isr[v] {
			l.isr[v] = false
			return
		}
	}
}

// Whatever comes in whatever order, nested as deep as it gets.
func TestAPICPriorities(t *testing.T) {
	r := newAPICRig(t, "max")
	l := &literalAPIC{}
	random := rand.New(rand.NewPCG(1, 2))
	deepest := 0
	for i := range 8000 {
		v := random.IntN(256)
		switch what := random.IntN(12); {
		case what < 5 && v >= 16:
			r.m.APIC.message(deliverFixed, uint8(v), what&1 != 0)
			l.irr[v], l.tmr[v] = true, what&1 != 0
		case what < 9:
			want := l.request()
			require.Equal(t, want != 0, r.m.CPU.State().INTR, "step %d", i)
			if want != 0 {
				require.EqualValues(t, want, r.m.acknowledge(), "step %d", i)
				l.irr[want], l.isr[want] = false, true
			}
		case what == 9:
			r.m.Mem.Write(apicPage+0xb0, 4, 0)
			l.eoi()
		case what == 10 && v < 64:
			r.m.Mem.Write(apicPage+0x80, 4, uint64(v))
			l.tpr = v
		case what == 11 && v < 64:
			r.play(t, fmt.Sprintf("cr8 %x", v>>4))
			l.tpr = v &^ 15
		}
		nested, same := 0, true
		s := &r.m.APIC.s
		for v := range 256 {
			if l.isr[v] {
				nested++
			}
			n := uint8(v)
			same = same && l.irr[v] == s.IRR.has(n) && l.isr[v] == s.ISR.has(n) && l.tmr[v] == s.TMR.has(n)
		}
		require.True(t, same, "step %d: %+v", i, *s)
		deepest = max(deepest, nested)
		require.EqualValues(t, l.ppr(), r.m.Mem.Read(apicPage+0xa0, 4), "step %d", i)
		require.Equal(t, l.request() != 0, r.m.CPU.State().INTR, "step %d", i)
	}
	assert.Greater(t, deepest, 3)
}

// literalTimer counts one beat after the other. [SDM 3A, APIC Timer]
type literalTimer struct {
	initial, count, divider, phase int
	periodic, masked, asked        bool
}

func (l *literalTimer) beat() {
	if l.count == 0 {
		return
	}
	if l.phase++; l.phase < l.divider {
		return
	}
	l.phase = 0
	if l.count--; l.count > 0 {
		return
	}
	l.asked = l.asked || !l.masked
	if l.periodic {
		l.count = l.initial
	}
}

func TestAPICTimerCounts(t *testing.T) {
	r := newAPICRig(t, "max")
	l := &literalTimer{divider: 2, masked: true}
	random := rand.New(rand.NewPCG(3, 4))
	asked := 0
	for i := range 8000 {
		switch v := random.IntN(40); random.IntN(10) {
		case 0:
			r.play(t, fmt.Sprintf("sto fee00380 %x", v))
			l.initial, l.count, l.phase = v, v, 0
		case 1:
			l.masked, l.periodic = v&1 != 0, v&2 != 0
			r.play(t, fmt.Sprintf("sto fee00320 %x", 0x40|v&3<<16))
		case 2:
			r.play(t, fmt.Sprintf("sto fee003e0 %x", v&11))
			l.divider, l.phase = []int{2, 4, 8, 16, 32, 64, 128, 1}[v>>1&4|v&3], 0
		case 3:
			if r.m.CPU.State().INTR {
				r.play(t, "take 40; sto fee000b0 0")
				l.asked = false
				asked++
			}
		default:
			for range v {
				l.beat()
			}
			r.wait(uint64(v))
		}
		require.Equal(t, l.asked, r.m.CPU.State().INTR, "step %d", i)
		require.EqualValues(t, l.count, r.m.Mem.Read(apicPage+0x390, 4), "step %d", i)
	}
	assert.Greater(t, asked, 100)
}

// What cannot be seen costs nothing.
func TestAPICTimerSleeps(t *testing.T) {
	r := newAPICRig(t, "max")
	r.play(t, "sto fee003e0 b; sto fee00320 30040; sto fee00380 a")
	assert.Zero(t, r.wait(1000), "masked")
	r.play(t, "sto fee00320 20040")
	assert.Equal(t, 1, r.wait(1000), "a request is a request until it is taken")
	r.play(t, "take 40")
	assert.Equal(t, 1, r.wait(1000))
}

// Any access to any register, in any mode, at any time.
func FuzzAPIC(f *testing.F) {
	f.Add([]byte("\x00\x32\x40\x00\x02\x00\x00\x38\x05\x00\x00\x00\x04\x10\x03\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newAPICRig(t, "max")
		for ; len(b) > 5; b = b[6:] {
			reg, v := uint32(b[1]), uint32(b[2])|uint32(b[3])<<8|uint32(b[4])<<16|uint32(b[5])<<24
			switch b[0] % 8 {
			case 0, 1:
				r.m.Mem.Write(apicPage+mmu.Phys(reg)*16, 4, uint64(v))
			case 2:
				r.m.Mem.Read(apicPage+mmu.Phys(reg)*16, 4)
			case 3:
				r.m.APIC.WriteAPIC(apicMSR+reg, uint64(v))
				r.m.APIC.WriteAPIC(msrDeadline, uint64(v)<<(reg&31))
			case 4:
				r.wait(uint64(b[2]))
			case 5:
				if r.m.CPU.State().INTR {
					r.m.acknowledge()
				}
			case 6:
				r.m.RaiseNMI()
				r.m.SetIRQ(b[1]&15, b[2]&1 != 0)
			case 7:
				r.base(uint64(v)<<8 | uint64(b[1])<<4&0xf00)
			}
			s := &r.m.APIC.s
			require.Equal(t, r.m.APIC.enabled() && r.m.APIC.asks(), r.m.CPU.State().INTR, "INTR is derived: %+v", *s)
			require.LessOrEqual(t, r.m.APIC.current(), max(s.Initial, s.Count))
			require.Zero(t, (s.IRR[0]|s.ISR[0])&0xffff, "vectors below 16")
		}
	})
}
