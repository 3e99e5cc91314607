package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/mmu"
)

// rig is a PC whose processor does nothing: scripts use the board's ports and let
// time pass.
type rig struct {
	m   *Machine
	now uint64
	// more, if not nil, does steps that the rig does not know, and tells whether it did.
	more func(verb string, a, b uint32) bool
}

// rigTicks is how many ticks a clock of the timer has on a rig.
const rigTicks = 10

func newRig(t testing.TB) *rig { return newRigWith(t, Config{TickRate: PITHz * rigTicks}) }

func newRigWith(t testing.TB, cfg Config) *rig {
	m, err := New(cfg)
	require.NoError(t, err)
	r := &rig{m: m, now: rigTicks / 2}
	m.Clock.now, m.Clock.arm = func() uint64 { return r.now }, func(uint64) {}
	m.CPU.SkipTo(r.now)
	return r
}

// wait lets ticks pass, and tells how many timers' ticks there were.
func (r *rig) wait(ticks uint64) (fired int) {
	for end := r.now + ticks; ; fired++ {
		r.now = min(end, r.m.Clock.next)
		r.m.CPU.SkipTo(r.now) // the time-stamp counter's time
		if r.m.Clock.next > end {
			return fired
		}
		r.m.Clock.run(r.now)
	}
}

// base writes IA32_APIC_BASE, whatever there was.
func (r *rig) base(v uint64) {
	s := r.m.CPU.State()
	old := s.MSR.APICBase
	s.MSR.APICBase = v
	r.m.CPU.SetState(s)
	r.m.APIC.BaseChanged(old)
}

// play runs a script of steps, separated by semicolons, numbers in hex:
//
//	out PORT VALUE     in PORT WANT: bytes; outw and inw words, outl and inl double words
//	raise IRQ          drop IRQ
//	ack VECTOR         intr 0|1: what INTR is
//	run CLOCKS         of the timer
//	beats BEATS        of the real-time clock's crystal
//	pm CLOCKS          of the PM timer
//	set REG VALUE      get REG WANT: its registers
//	crtc REG VALUE     of the VGA's CRT controller
//	press KEY          release KEY, on the keyboard
//	ms MILLISECONDS
//	ticks N            of the board
//	sto ADDR VALUE     lod ADDR WANT: 32 bits of memory
//	int 0|1            what the processor's INTR is
//	take VECTOR        its acknowledge
//	cr8 CLASS          MOV to CR8
//	base MODE          the upper bits of IA32_APIC_BASE: 8, c for x2APIC mode, 0
//	wrm MSR VALUE      rdm MSR WANT: those behind the APIC
//	nwr MSR VALUE      nrd MSR: the same, refused
func (r *rig) play(t testing.TB, script string) {
	sizes := map[string]uint8{"out": 1, "in": 1, "outw": 2, "inw": 2, "outl": 4, "inl": 4}
	for i, step := range strings.Split(script, ";") {
		var verb string
		var a, b uint32
		n, _ := fmt.Sscanf(strings.TrimSpace(step), "%s %x %x", &verb, &a, &b)
		at := fmt.Sprintf("step %d: %s", i+1, step)
		switch {
		case n == 0, r.more != nil && r.more(verb, a, b):
		case strings.HasPrefix(verb, "out"):
			r.m.Ports.Out(uint16(a), sizes[verb], b)
		case sizes[verb] != 0:
			v := r.m.Ports.In(uint16(a), sizes[verb])
			assert.Equal(t, b, v, "%s: 0x%x", at, v)
		case verb == "raise":
			r.m.SetIRQ(uint8(a), true)
		case verb == "drop":
			r.m.SetIRQ(uint8(a), false)
		case verb == "ack":
			require.True(t, r.m.PIC.asks(), at)
			assert.Equal(t, uint8(a), r.m.PIC.ack(), at)
		case verb == "intr":
			assert.Equal(t, a != 0, r.m.PIC.asks(), at)
		case verb == "run":
			r.wait(uint64(a) * rigTicks)
		case verb == "beats":
			r.wait(r.m.tickOf(r.m.beats(rtcHz)+uint64(a), rtcHz) - r.now)
		case verb == "pm":
			r.wait(r.m.tickOf(r.m.beats(PMTimerHz)+uint64(a), PMTimerHz) - r.now)
		case verb == "set", verb == "get":
			r.m.Ports.Out(0x70, 1, a)
			if verb == "set" {
				r.m.Ports.Out(0x71, 1, b)
			} else {
				v := r.m.Ports.In(0x71, 1)
				assert.Equal(t, b, v, "%s: 0x%x", at, v)
			}
		case verb == "crtc":
			r.m.Ports.Out(0x3d4, 2, a|b<<8)
		case verb == "press", verb == "release":
			r.m.KBC.kbd.turn(Keystroke{Key: Key(a), Released: verb == "release", Held: verb == "press"})
		case verb == "ms":
			r.wait(r.m.after(uint64(a)*1000) - r.now)
		case verb == "ticks":
			r.wait(uint64(a))
		case verb == "sto":
			r.m.Mem.Write(mmu.Phys(a), 4, uint64(b))
		case verb == "lod":
			v := uint32(r.m.Mem.Read(mmu.Phys(a), 4))
			assert.Equal(t, b, v, "%s: 0x%x", at, v)
		case verb == "int":
			assert.Equal(t, a != 0, r.m.CPU.State().INTR, at)
		case verb == "take":
			require.True(t, r.m.CPU.State().INTR, at)
			v := r.m.acknowledge()
			assert.Equal(t, uint8(a), v, "%s: 0x%x", at, v)
		case verb == "cr8":
			r.m.CPU.SetPriority(uint8(a))
			r.m.APIC.PriorityLoaded()
		case verb == "base":
			r.base(apicPage | cpu.APICBaseBSP | uint64(a)<<8)
		case verb == "wrm", verb == "nwr":
			assert.Equal(t, verb == "wrm", r.m.APIC.WriteAPIC(a, uint64(b)), at)
		case verb == "rdm", verb == "nrd":
			v, ok := r.m.APIC.ReadAPIC(a)
			assert.Equal(t, verb == "rdm", ok, at)
			assert.EqualValues(t, b, v, "%s: 0x%x", at, v)
		default:
			t.Fatal(at)
		}
	}
}
