package machine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// newHPETRig knows the step "clocks N", of the main counter.
func newHPETRig(t testing.TB) *rig {
	r := newAPICRig(t, "max")
	r.more = func(verb string, a, _ uint32) bool {
		if verb == "clocks" {
			r.wait(uint64(a) * (apicHz / hpetHz))
		}
		return verb == "clocks"
	}
	return r
}

// set sets a timer, each half of its comparator with the configuration before it.
// [IA-PC HPET Specification, Non-Periodic Mode]
func set(n int, config, comparator uint32) string {
	at := hpetBase + hpetTimers + n*hpetTimerSize
	return fmt.Sprintf("sto %x %x; sto %x %x; sto %x %x; sto %x 0; ", at, config, at+hpetComparator, comparator, at, config, at+hpetComparator+4)
}

func TestHPETRules(t *testing.T) {
	const (
		eoi    = "sto fee000b0 0; "
		picEOI = "out a0 20; out 20 20; "
		run    = "sto fed00010 1; "
		halt   = "sto fed00010 0; "
		legacy = "sto fed00010 3; "
		ack    = "sto fed00020 7; "
		pin16  = 16 << hpetRouteShift
		pin17  = 17 << hpetRouteShift
		pin2   = 2 << hpetRouteShift
		level  = 0x8000 // at the I/O APIC
		open   = "out 21 0; out a1 0; "
	)
	once, edge := uint32(hpetEnable|hpetLevel|pin16), uint32(hpetEnable|pin16)
	again := edge | hpetPeriodic | hpetSet
	for _, c := range []struct{ rule, script string }{
		{"capabilities and period, read only", "lod fed00000 8086a201; lod fed00004 989680; sto fed00000 0; sto fed00004 0; lod fed00000 8086a201; lod fed00004 989680"},
		{"after reset all stands", "lod fed00010 0; lod fed00020 0; clocks 5; lod fed000f0 0; lod fed00100 30; lod fed00104 ff0104; lod fed00108 ffffffff; lod fed0010c ffffffff; lod fed00140 30"},
		{"the configuration has two bits", "sto fed00010 fffffffe; lod fed00010 2; sto fed00014 ffffffff; lod fed00014 0"},
		{"what can be written to a timer's", "sto fed00100 fffffdff; lod fed00100 17e; sto fed00104 0; lod fed00104 ff0104"},
		{"only routes that there are", "sto fed00100 2000; lod fed00100 2030; sto fed00100 600; lod fed00100 2030; sto fed00100 400; lod fed00100 430; sto fed00100 0; lod fed00100 430"},
		{"there are three timers, and no messages", "sto fed00160 4; lod fed00160 0; sto fed00168 4; lod fed00168 0; sto fed00110 5; lod fed00110 0; sto fed003f8 5; lod fed003f8 0; sto fed00118 5; lod fed00118 0"},
		{"the counter is written while it stands", "sto fed000f0 fffffffe; sto fed000f4 7; lod fed000f0 fffffffe; lod fed000f4 7; " + run + "clocks 3; lod fed000f0 1; lod fed000f4 8; sto fed000f0 0; lod fed000f0 1; " + halt + "clocks 5; lod fed000f0 1; " + run + "clocks 1; lod fed000f0 2"},
		{"32 bits of a comparator", set(0, hpet32, 5) + "lod fed00108 5; sto fed0010c 7; lod fed0010c 0"},
		{"32 bits cut a comparator that was longer", "sto fed0010c 7; lod fed0010c 7; sto fed00100 100; lod fed0010c 0; lod fed00108 ffffffff"},

		{"a level when it is met", entry(16, level|0x50) + set(1, once, 0x100) + run + "clocks 255; lod fed00020 2; take 50; sto fed00020 5; lod fed00020 2; " + ack + "lod fed00020 0; " + eoi + "int 0; clocks 1000; int 0"},
		{"not a clock before", entry(16, level|0x50) + set(1, once, 0x100) + run + "clocks ff; lod fed00020 0; int 0; clocks 1; lod fed00020 2; int 1"},
		{"a level that stands comes again", entry(16, level|0x50) + set(1, once, 2) + run + "clocks 2; take 50; " + eoi + "take 50; " + ack + eoi + "int 0"},
		{"a status while the timer may not interrupt", entry(16, level|0x50) + set(1, once&^hpetEnable, 2) + run + "clocks 2; lod fed00020 2; int 0; sto fed00120 " + fmt.Sprintf("%x", once) + "; take 50"},
		{"a status outlasts a halt, its line does not", entry(16, level|0x50) + set(1, once, 2) + run + "clocks 2; take 50; " + halt + "lod fed00020 2; " + eoi + "int 0; " + run + "take 50"},
		{"a status that becomes an edge's is gone", entry(16, level|0x50) + set(1, once&^hpetEnable, 2) + run + "clocks 2; sto fed00120 0; lod fed00020 0; sto fed00120 2; lod fed00020 0"},
		{"two timers at one pin", entry(16, level|0x50) + set(1, once, 2) + set(2, once, 4) + run + "clocks 4; lod fed00020 6; take 50; sto fed00020 2; " + eoi + "take 50; sto fed00020 4; " + eoi + "int 0"},
		{"a level at a masked pin waits", entry(16, level|0x10050) + set(1, once, 2) + run + "clocks 5; int 0; " + entry(16, level|0x50) + "take 50"},
		{"an edge has no status", entry(16, 0x50) + set(0, edge, 2) + run + "clocks 2; lod fed00020 0; take 50; " + eoi + "int 0"},
		{"an edge at a masked pin is lost", entry(16, 0x10050) + set(0, edge, 2) + run + "clocks 5; " + entry(16, 0x50) + "int 0"},
		{"no pin, no interrupt", set(0, hpetEnable, 2) + entry(0, 0x50) + entry(2, 0x50) + run + "clocks 5; int 0"},
		{"a comparator that was passed waits", entry(16, 0x50) + run + "clocks 5; " + set(0, edge|hpet32, 2) + "clocks 100; int 0; " + halt + "sto fed000f0 ffffffff; " + run + "clocks 2; int 0; clocks 1; take 50"},
		{"in 32 bits it is met at each wrap", entry(16, 0x50) + set(0, edge|hpet32, 2) + run + "clocks 2; take 50; " + eoi + halt + "sto fed000f0 fffffff0; " + run + "clocks 12; take 50"},
		{"in 64 bits it is not", entry(16, 0x50) + "sto fed000f0 fffffff0; " + set(0, edge, 2) + run + "clocks 20; int 0"},

		{"periodically", entry(16, 0x50) + set(0, again, 0x10) + run + "clocks 10; take 50; lod fed00108 20; " + eoi + "clocks f; int 0; clocks 1; take 50; lod fed00108 30"},
		{"the first time apart from the period", entry(16, 0x50) + set(0, again, 5) + "sto fed00108 10; " + run + "clocks 5; take 50; lod fed00108 15; " + eoi + "clocks 10; take 50; lod fed00108 25"},
		{"a period alone leaves the next time", set(0, again, 5) + "sto fed00108 7; lod fed00108 5"},
		{"both halves set", set(0, again, 5) + "sto fed00100 " + fmt.Sprintf("%x", again) + "; sto fed0010c 1; lod fed00108 5; lod fed0010c 1"},
		{"the bit goes with the write", "sto fed00100 48; lod fed00100 78; sto fed00108 5; lod fed00100 38"},
		{"no period, once", entry(16, 0x50) + set(0, again, 0) + "sto fed00108 0; sto fed000f0 fffffffe; sto fed000f4 ffffffff; " + run + "clocks 5; take 50; " + eoi + "clocks 5; int 0; lod fed00108 0"},
		{"in 32 bits over the wrap", entry(16, 0x50) + set(0, again|hpet32, 0x80000000) + "sto fed000f0 7fffffff; " + run + "clocks 1; take 50; lod fed00108 0; lod fed0010c 0"},
		{"nobody looks for long", entry(16, 0x10050) + set(0, again, 3) + run + "clocks 1000; lod fed00108 1002; " + entry(16, 0x50) + "int 0; clocks 1; int 0; clocks 1; take 50"},

		{"beside the 8254 at pin 2", entry(timerPin, 0x42) + "out 43 34; out 40 0; out 40 0; " + set(0, edge&^hpetRoute|pin2, 2) + eoi + run + "take 42; " + eoi + "clocks 2; take 42; " + eoi + "int 0"},
		{"a level at pin 2 outlasts a line's fall", entry(timerPin, level|0x42) + set(0, once&^hpetRoute|pin2, 2) + run + "clocks 2; raise 0; drop 0; take 42; " + eoi + "take 42; " + ack + eoi + "int 0"},

		{"legacy: timer 0 is IRQ 0", start + open + set(0, again&^hpetRoute, 0x10) + legacy + "clocks 10; take 20; " + picEOI + "int 0; clocks 10; take 20"},
		{"legacy: pin 2", "out 21 ff; out a1 ff; " + entry(timerPin, 0x42) + set(0, again, 0x10) + legacy + "clocks 10; take 42; " + eoi + "clocks 10; take 42"},
		{"legacy: timer 1 is IRQ 8", start + open + set(1, edge, 3) + legacy + "clocks 3; take 28; " + picEOI + "int 0"},
		{"legacy: levels", start + open + set(1, once, 3) + legacy + "clocks 3; take 28; " + picEOI + "int 0; " + ack + "int 0"},
		{"legacy: timer 2 keeps its pin", entry(16, 0x50) + entry(17, 0x51) + set(2, edge&^hpetRoute|pin17, 3) + legacy + "clocks 3; take 51"},
		{"legacy: the devices are cut off", start + open + legacy + "raise 0; raise 8; int 0; raise 1; take 21"},
		{"legacy: their levels come back", start + open + legacy + "raise 0; raise 8; drop 8; int 0; " + run + "take 20; " + picEOI + "int 0"},
		{"legacy: a level that stood falls, and comes back", start + open + "raise 8; take 28; " + picEOI + legacy + "int 0; " + run + "take 28"},
		{"legacy: an edge that stands falls at its end", start + open + set(0, edge, 3) + legacy + "clocks 3; take 20; " + picEOI + run + "int 0; " + legacy + "int 0"},
		{"legacy: the 8254 does not interrupt", start + open + "out 43 34; out 40 64; out 40 0; take 20; " + picEOI + legacy + "ms 1; int 0; " + run + "ms 1; take 20"},
	} {
		t.Run(c.rule, func(t *testing.T) { newHPETRig(t).play(t, c.script) })
	}
}

// Whole registers at once; accesses that the specification leaves undefined.
func TestHPETWidths(t *testing.T) {
	r := newHPETRig(t)
	m := r.m.Mem
	m.Write(hpetBase+hpetCounter, 8, 0x1234567890)
	assert.EqualValues(t, 0x1234567890, m.Read(hpetBase+hpetCounter, 8))
	assert.EqualValues(t, 0x009896808086a201, m.Read(hpetBase, 8))
	m.Write(hpetBase+hpetTimers+hpetComparator, 8, 0x987654321)
	assert.EqualValues(t, 0x987654321, m.Read(hpetBase+hpetTimers+hpetComparator, 8))
	for _, c := range []struct {
		off  uint64
		size uint
	}{{hpetCounter, 1}, {hpetCounter, 2}, {hpetCounter + 2, 4}, {hpetCounter + 4, 8}} {
		m.Write(hpetBase+0xf0+0, 4, 0x34567890)
		d := r.m.HPET
		d.Write(c.off, c.size, 0xff)
		assert.Zero(t, d.Read(c.off, c.size), "%+v", c)
		assert.EqualValues(t, 0x1234567890, m.Read(hpetBase+hpetCounter, 8), "%+v", c)
	}
}

// The host's timer ticks only for what can be seen.
func TestHPETSleeps(t *testing.T) {
	const often = hpetEnable | hpetPeriodic | hpetSet | 16<<hpetRouteShift
	for _, c := range []struct {
		rule, script string
		ticks        int // in 100 clocks
	}{
		{"open", entry(16, 0x50) + set(0, often, 10) + "sto fed00010 1", 10},
		{"masked", set(0, often, 10) + "sto fed00010 1", 0},
		{"halted", entry(16, 0x50) + set(0, often, 10), 0},
		{"not to interrupt", entry(16, 0x50) + set(0, often&^hpetEnable, 10) + "sto fed00010 1", 0},
		{"a level that waits for its end", entry(16, 0x8050) + set(0, often|hpetLevel, 10) + "sto fed00010 1", 1},
		{"the 8254 that is replaced", start + "out 21 0; out 43 34; out 40 2; out 40 0; sto fed00010 3", 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newHPETRig(t)
			r.play(t, c.script)
			assert.Equal(t, c.ticks, r.wait(100*(apicHz/hpetHz)))
		})
	}
}

// Halted, a processor is woken by the timer at the tick; a snapshot, a fork and a
// moment in the midst change nothing.
func TestHPETWakes(t *testing.T) {
	const hlt = "\xfb\xf4\xeb\xfd" // sti; l: hlt; jmp l
	m := boot(t, Config{RAM: MinRAM}, hlt)
	m.Mem.Write(4*0x20, 4, 0x7d00)
	m.Mem.WriteBytes(0x7d00, []byte("\x66\xff\x06\x00\x06\xb0\x20\xe6\x20\xcf")) // inc dword [0x600]; mov al,0x20; out 0x20,al; iret
	r := &rig{m: m}
	r.play(t, start+"out 21 0; "+set(0, hpetEnable|hpetPeriodic|hpetSet, 1000)+"sto fed00010 3")
	run(t, m, 5000)
	assert.Zero(t, m.Mem.Read(0x600, 4))
	f, err := m.Fork()
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, m.Save(&file))
	s, err := Restore(&file, Config{})
	require.NoError(t, err)
	moment := m.Moment()
	for _, o := range []*Machine{m, f, s} {
		run(t, o, 20000)
		assert.Empty(t, same(m, o))
		assert.EqualValues(t, 2, o.Mem.Read(0x600, 4))
		assert.EqualValues(t, 3000, o.Mem.Read(hpetBase+hpetTimers+hpetComparator, 8))
	}
	m.Return(moment)
	run(t, m, 20000)
	assert.Empty(t, same(f, m))
}

// Looked at after many clocks it is as if it had been looked at after each.
func TestHPETLooksAway(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	seldom, often := newHPETRig(t), newHPETRig(t)
	met := 0
	for i := range 3000 {
		off, v := uint64(random.IntN(3)*hpetTimerSize+hpetTimers), uint64(random.IntN(64))
		switch random.IntN(6) {
		case 0:
			off, v = hpetConfig, v|hpetRun
		case 1:
			off = hpetStatus
		case 2:
			v = uint64(random.Uint32()) & hpetTimerBits
		case 3:
			v = hpetEnable | hpetPeriodic | hpetSet | v&hpetLevel
		default:
			off += hpetComparator
			v += seldom.m.HPET.Read(hpetCounter, 8) * uint64(random.IntN(2))
		}
		for _, r := range []*rig{seldom, often} {
			r.m.Mem.Write(mmu.Phys(hpetBase+off), 8, v)
		}
		clocks := random.IntN(40)
		seldom.wait(uint64(clocks) * (apicHz / hpetHz))
		for range clocks {
			often.wait(apicHz / hpetHz)
			often.m.catchUp()
		}
		for off := uint64(0); off < hpetSize; off += 8 {
			require.Equal(t, often.m.HPET.Read(off, 8), seldom.m.HPET.Read(off, 8), "step %d, offset 0x%x", i, off)
		}
		seldom.m.catchUp()
		require.Equal(t, often.m.HPET.s, seldom.m.HPET.s, "step %d", i)
		met += int(often.m.HPET.s.Fired)
	}
	assert.NotZero(t, met)
}

// A board without an HPET stays one through a snapshot and a fork.
func TestHPETLeftOut(t *testing.T) {
	m := boot(t, Config{NoHPET: true}, counting)
	restored, err := Restore(bytes.NewReader(saved(t, m)), Config{})
	require.NoError(t, err)
	fork, err := restored.Fork()
	require.NoError(t, err)
	for _, m := range []*Machine{m, restored, fork} {
		m.Mem.Write(hpetBase+hpetConfig, 4, hpetRun|hpetLegacy)
		assert.EqualValues(t, 0xffffffff, m.Mem.Read(hpetBase, 4))
		assert.Zero(t, m.HPET.s.Config)
		assert.True(t, m.Config().NoHPET)
	}
}
