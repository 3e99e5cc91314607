package machine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// entry writes the lower half of a pin's entry, set the upper one.
func entry(pin int, v uint32) string {
	return fmt.Sprintf("sto fec00000 %x; sto fec00010 %x; ", 0x10+2*pin, v)
}
func destination(pin int, v uint32) string {
	return fmt.Sprintf("sto fec00000 %x; sto fec00010 %x; ", 0x11+2*pin, v)
}

// reads tells what the lower half of a pin's entry must be.
func reads(pin int, v uint32) string {
	return fmt.Sprintf("sto fec00000 %x; lod fec00010 %x; ", 0x10+2*pin, v)
}

func TestIOAPICRules(t *testing.T) {
	const (
		eoi   = "sto fee000b0 0; "
		level = 0x8000
	)
	for _, c := range []struct{ rule, script string }{
		{"identity", "sto fec00000 1; lod fec00010 170020; sto fec00000 0; lod fec00010 0; sto fec00010 ffffffff; lod fec00010 f000000; sto fec00000 2; lod fec00010 f000000"},
		{"the index reads back", "sto fec00000 15; lod fec00000 15"},
		{"after reset all is masked", reads(0, 0x10000) + reads(23, 0x10000) + "raise 4; int 0"},
		{"what can be written to an entry", entry(5, 0xffffffff) + reads(5, 0x1afff) + destination(5, 0xffffffff) + "sto fec00000 1b; lod fec00010 ff000000; sto fec00000 40; sto fec00010 ffffffff; lod fec00010 0"},
		{"an IRQ at its pin", entry(4, 0x44) + "raise 4; take 44; " + eoi + "int 0"},
		{"IRQ 0 at pin 2", entry(0, 0x40) + entry(2, 0x42) + "raise 0; take 42"},
		{"an edge counts once", entry(4, 0x44) + "raise 4; take 44; " + eoi + "raise 4; int 0; drop 4; raise 4; take 44"},
		{"an edge at a masked pin is lost", entry(4, 0x10044) + "raise 4; " + entry(4, 0x44) + "int 0; drop 4; raise 4; take 44"},
		{"a level at a masked pin waits", entry(4, level|0x10044) + "raise 4; int 0; " + entry(4, level|0x44) + "take 44"},
		{"remote IRR from the acceptance to the end", entry(4, level|0x44) + reads(4, level|0x44) + "raise 4; " + reads(4, level|0x4044) + "take 44; " + reads(4, level|0x4044) + "drop 4; " + reads(4, level|0x4044) + eoi + reads(4, level|0x44) + "int 0"},
		{"a level that stands comes again", entry(4, level|0x44) + "raise 4; take 44; int 0; " + eoi + "take 44; drop 4; " + eoi + "int 0"},
		{"a level that falls and rises before the end is one", entry(4, level|0x44) + "raise 4; take 44; drop 4; raise 4; int 0; " + eoi + "take 44"},
		{"remote IRR cannot be written", entry(4, level|0x4044) + reads(4, level|0x44)},
		{"an edge's mode clears it", entry(4, level|0x44) + "raise 4; take 44; " + entry(4, 0x44) + reads(4, 0x44) + entry(4, level|0x44) + reads(4, level|0x4044)},
		{"an edge's end is not passed on", entry(4, level|0x44) + entry(5, 0x44) + "raise 5; take 44; " + eoi + "int 0"},
		{"two levels of one vector", entry(4, level|0x44) + entry(5, level|0x44) + "raise 4; raise 5; take 44; drop 4; " + eoi + "take 44; drop 5; " + eoi + "int 0"},
		{"the EOI register", entry(4, level|0x44) + "raise 4; take 44; drop 4; sto fec00040 45; " + reads(4, level|0x4044) + "sto fec00040 44; " + reads(4, level|0x44)},
		{"another processor's", entry(4, 0x44) + destination(4, 1<<24) + "raise 4; int 0"},
		{"everybody's", entry(4, 0x44) + destination(4, 0xff<<24) + "raise 4; take 44"},
		{"a logical destination", "sto fee000d0 2000000; " + entry(4, 0x844) + destination(4, 1<<24) + "raise 4; int 0; " + destination(4, 3<<24) + "drop 4; raise 4; take 44"},
		{"a level waits until somebody takes it", "sto fee00020 5000000; " + entry(4, level|0x44) + "raise 4; int 0; sto fee00020 0; take 44"},
		{"the APIC software-disabled, too", "sto fee000f0 ff; " + entry(4, level|0x44) + "raise 4; int 0; sto fee000f0 1ff; take 44"},
		{"lowest priority", entry(4, 0x144) + "raise 4; take 44"},
		{"SMI does nothing", entry(4, 0x200) + "raise 4; int 0"},
		{"an illegal vector", entry(4, 5) + "raise 4; int 0; sto fee00280 0; lod fee00280 40"},
		{"the 8259A as an ExtINT at pin 0", "sto fee00350 10700; " + start + entry(0, 0x700) + "raise 1; take 21; int 0"},
		{"in x2APIC mode", "base c; " + entry(4, 0x44) + "raise 4; take 44; wrm 80b 0; int 0"},
		{"both controllers hear a line", start + entry(4, 0x44) + "raise 4; take 44; take 24"},
		{"accesses of other widths", "out 20 0; sto fec00000 1; lod fec00020 0"},
	} {
		t.Run(c.rule, func(t *testing.T) { newAPICRig(t, "max").play(t, c.script) })
	}
	r := newAPICRig(t, "max")
	r.play(t, entry(4, 0x400)+"raise 4")
	assert.True(t, r.m.CPU.State().NMI)
}

// The timer of the board sleeps while both controllers mask its line, and its edges
// at a masked pin are lost, however late somebody looks.
func TestIOAPICTimer(t *testing.T) {
	r := newRig(t)
	r.play(t, "sto fee00350 10700; out 43 34; out 40 64; out 40 0")
	assert.Zero(t, r.wait(100000))
	r.play(t, entry(timerPin, 0x42)+"int 0")
	assert.Equal(t, 4, r.wait(200*rigTicks), "two periods of two edges")
	r.play(t, "take 42; sto fee000b0 0; int 0")
	r.play(t, entry(timerPin, 0x10042))
	assert.Zero(t, r.wait(100000))
}

// Level-triggered pins with vectors in any relation, against the words of the data
// sheet: a message when the level is seen and none is under way, again after its end.
func TestIOAPICLevels(t *testing.T) {
	r := newAPICRig(t, "max")
	random := rand.New(rand.NewPCG(5, 6))
	const pins = 6 // 3 to 8
	var raised, masked, under [pins]bool
	vector := func(p int) uint32 { return uint32(0x30 + p*8) } // two of each class
	for p := range pins {
		r.play(t, entry(3+p, 0x8000|vector(p)))
	}
	requested, serving := map[uint32]bool{}, map[uint32]bool{}
	send := func() {
		for p := range pins {
			if raised[p] && !masked[p] && !under[p] {
				under[p], requested[vector(p)] = true, true
			}
		}
	}
	highest := func(set map[uint32]bool) (v uint32) {
		for x := range set {
			v = max(v, x)
		}
		return v
	}
	served := 0
	for i := range 5000 {
		p := random.IntN(pins)
		switch random.IntN(5) {
		case 0, 1:
			raised[p] = !raised[p]
			r.m.SetIRQ(uint8(3+p), raised[p])
		case 2:
			masked[p] = !masked[p]
			v := 0x8000 | vector(p)
			if masked[p] {
				v |= pinMasked
			}
			r.play(t, entry(3+p, v))
		case 3:
			if r.m.CPU.State().INTR {
				v := highest(requested)
				require.EqualValues(t, v, r.m.acknowledge(), "step %d", i)
				delete(requested, v)
				serving[v] = true
				served++
			}
		case 4:
			r.play(t, "sto fee000b0 0")
			if v := highest(serving); v != 0 {
				delete(serving, v)
				under[(v-0x30)/8] = false
			}
		}
		send()
		require.Equal(t, highest(requested)>>4 > highest(serving)>>4, r.m.CPU.State().INTR, "step %d", i)
		require.Equal(t, under[p], r.m.IOAPIC.s.Pins[3+p]&pinRemoteIRR != 0, "step %d", i)
	}
	assert.Greater(t, served, 300)
}

// Any access to any register.
func FuzzIOAPIC(f *testing.F) {
	f.Add([]byte("\x00\x14\x44\x80\x00\x00\x01\x04\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newAPICRig(t, "max")
		for ; len(b) > 5; b = b[6:] {
			v := uint64(b[2]) | uint64(b[3])<<8 | uint64(b[4])<<16 | uint64(b[5])<<24
			switch b[0] % 6 {
			case 0:
				r.m.Mem.Write(ioapicPage, 4, uint64(b[1]))
				r.m.Mem.Write(ioapicPage+ioapicWindow, 4, v)
			case 1:
				r.m.SetIRQ(b[1]&15, b[2]&1 != 0)
			case 2:
				if r.m.CPU.State().INTR {
					r.m.acknowledge()
				}
			case 3:
				r.m.Mem.Write(apicPage+0xb0, 4, 0)
			case 4:
				r.m.Mem.Write(ioapicPage+ioapicEOI, 4, v)
				r.m.Mem.Read(ioapicPage+ioapicWindow, 4)
			case 5:
				r.m.Mem.Write(apicPage+0xf0, 4, v)
				r.base(apicPage | uint64(b[1])<<8&0xc00)
			}
			for n, p := range r.m.IOAPIC.s.Pins {
				require.False(t, p&pinRemoteIRR != 0 && p&pinLevel == 0, "pin %d: 0x%x", n, p)
			}
		}
	})
}
