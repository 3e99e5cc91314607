package machine

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// A driver plays steps on a machine's bus, without its processor. A step is eight
// bytes: what is done and how wide, the place, where in it, and a value.
type driver struct {
	t *testing.T
	m *Machine
}

// stepLen is the length of a step.
const stepLen = 8

// What a step does.
const (
	stepIn = iota
	stepOut
	stepRead
	stepWrite
	stepWait // for value ticks, of which the width says how many bits count
	stepAck  // the processor's acknowledge, if there is a request
	stepKinds
)

// elsewhere is the place that means any port or address.
const elsewhere = 0xff

// step plays one and gives what it read.
func (d *driver) step(s []byte) uint64 {
	kind, width, at := s[0]&0x3f%stepKinds, uint(1)<<(s[0]>>6), uint64(binary.LittleEndian.Uint16(s[2:]))
	value := uint64(binary.LittleEndian.Uint32(s[4:]))
	switch kind {
	case stepIn, stepOut:
		port := uint16(d.place(s[1], at, false))
		if width = min(width, 4); kind == stepIn {
			return uint64(d.m.Ports.In(port, uint8(width)))
		}
		d.m.Ports.Out(port, uint8(width), uint32(value))
	case stepRead:
		before, asked := d.m.Clock.next, d.m.CPU.State().INTR
		v := d.m.Mem.Read(mmu.Phys(d.place(s[1], at, true)), width)
		if d.m.Clock.next < before || d.m.CPU.State().INTR && !asked {
			d.t.Errorf("a read of memory has set a timer or raised a line (see atMem): % x", s)
		}
		return v
	case stepWrite:
		d.m.Mem.Write(mmu.Phys(d.place(s[1], at, true)), width, value|value<<32)
	case stepWait:
		d.wait(value & (1<<min(2*width+8, 16) - 1))
	case stepAck:
		if d.m.CPU.State().INTR {
			return uint64(d.m.acknowledge())
		}
	}
	return 0
}

// place is a port or an address: in the range of this number of all that the board's
// devices have, or elsewhere.
func (d *driver) place(n uint8, at uint64, mem bool) uint64 {
	var all []mmu.Range
	for _, p := range d.m.Parts() {
		if mem {
			all = append(all, p.Mem...)
			continue
		}
		for _, r := range p.Ports {
			all = append(all, mmu.Range{At: mmu.Phys(r.First), Len: uint64(r.N)})
		}
	}
	switch {
	case n != elsewhere && len(all) > 0:
		r := all[int(n)%len(all)]
		return uint64(r.At) + at%r.Len
	case mem:
		return at<<20 | at
	}
	return at
}

// wait lets time pass. However the devices are set, no tick has more than a few
// timers' events.
func (d *driver) wait(ticks uint64) {
	m := d.m
	end, events := m.CPU.Ticks()+ticks, uint64(0)
	for m.CPU.Ticks() < end {
		m.CPU.SkipTo(max(min(end, m.Clock.next), m.CPU.Ticks()))
		m.Clock.run(m.CPU.Ticks())
		if events++; events > 4*ticks+100 {
			d.t.Fatalf("timers hold the clock at tick %d", m.CPU.Ticks())
		}
	}
}

// Whatever is written to the devices of the PC's board and read of them, in accesses of
// all sizes, at any time: no panic, no hang. In the midst the machine is forked, saved and
// restored; from then on all three give the same answers. The devices are found
// on the board, so that a new one is driven too.
func FuzzBoard(f *testing.F) {
	m, err := New(Config{RAM: MinRAM})
	require.NoError(f, err)
	var steps []byte
	add := func(kind, width, place uint8, at uint16, value uint32) {
		steps = append(steps, kind|width<<6, place)
		steps = binary.LittleEndian.AppendUint16(steps, at)
		steps = binary.LittleEndian.AppendUint32(steps, value)
	}
	// For each device: values that make a difference in something are written, and
	// after the machine was saved all is read.
	for _, kind := range []struct {
		out, in uint8
		places  func(p Part) int
	}{
		{stepOut, stepIn, func(p Part) int { return len(p.Ports) }},
		{stepWrite, stepRead, func(p Part) int { return len(p.Mem) }},
	} {
		first := 0
		for _, p := range m.Parts() {
			steps = nil
			last := first + kind.places(p)
			for n := first; n < last; n++ {
				for i, v := range []uint32{0, 0xff, 0x11, 0x36, 0xb6, 0xdeadbeef, 1 << 31, 0x01020304} {
					add(kind.out, uint8(i)&3, uint8(n), uint16(i), v)
					add(stepWait, 2, 0, 0, 1000)
				}
			}
			split := len(steps) / stepLen
			for n := first; n < last; n++ {
				for i := range uint16(16) {
					add(kind.in, uint8(i)&3, uint8(n), i, 0)
					add(stepAck, 0, 0, 0, 0)
				}
			}
			f.Add(append([]byte{uint8(split)}, steps...))
			first = last
		}
	}
	f.Add([]byte("\x10" + "\x01\xff\x20\x00\x11\x00\x00\x00" + "\x03\xff\xff\xff\xff\xff\xff\xff" + "\x02\xff\x00\x0d\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 1+stepLen*512 {
			return
		}
		split := int(b[0]) % (1 + len(b)/stepLen) // the step before which it is saved
		keys, err := ParseKeys("<left-shift down>Keys<pause><wait 1ms>x")
		require.NoError(t, err)
		cfg := Config{TickRate: MinTickRate, Keys: NewKeys(keys), Input: NewInput(strings.NewReader("input of COM1")), Input2: NewInput(strings.NewReader("of COM2"))}
		m := &driver{t, boot(t, cfg, "\xeb\xfe")}
		var others []*driver
		for i, steps := 0, b[1:]; len(steps) >= stepLen; i, steps = i+1, steps[stepLen:] {
			if i == split {
				others = m.copies(cfg)
			}
			want := m.step(steps[:stepLen])
			for j, o := range others {
				require.Equal(t, want, o.step(steps[:stepLen]), "copy %d, step %d: % x", j, i, steps[:stepLen])
			}
		}
		for j, o := range others {
			assert.Empty(t, same(m.m, o.m), "copy %d", j)
		}
		text := m.m.VGA.Text()
		text.Cursor()
	})
}

// copies are the machine's fork, and what its snapshot makes.
func (d *driver) copies(cfg Config) []*driver {
	fork, err := d.m.Fork()
	require.NoError(d.t, err)
	var file bytes.Buffer
	require.NoError(d.t, d.m.Save(&file))
	cfg.ResumeInput = true
	restored, err := Restore(&file, cfg)
	require.NoError(d.t, err)
	return []*driver{{d.t, fork}, {d.t, restored}}
}
