package machine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a port device that writes down what it is asked.
type recorder struct {
	name string
	log  *[]string
}

func (r recorder) In(off uint16, size uint8) uint32 {
	*r.log = append(*r.log, fmt.Sprintf("%s+%d in%d", r.name, off, size))
	return 0x44332211 << (8 * off)
}
func (r recorder) Out(off uint16, size uint8, v uint32) {
	*r.log = append(*r.log, fmt.Sprintf("%s+%d out%d %x", r.name, off, size, v))
}

func TestBus(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(b *Bus) uint32
		want uint32
		log  []string
	}{
		{"unclaimed byte reads all ones", func(b *Bus) uint32 { return b.In(0x50, 1) }, 0xff, nil},
		{"unclaimed doubleword reads all ones", func(b *Bus) uint32 { return b.In(0x50, 4) }, 0xffffffff, nil},
		{"write to nobody is lost", func(b *Bus) uint32 { b.Out(0x50, 4, 1); return 0 }, 0, nil},
		{"a wide device takes a doubleword whole", func(b *Bus) uint32 { return b.In(0x104, 4) }, 0x44332211, []string{"wide+0 in4"}},
		{"a narrow device gets bytes", func(b *Bus) uint32 { return b.In(0x100, 2) }, 0x0011 | 0x00<<8, []string{"narrow+0 in1", "narrow+1 in1"}},
		{"an access over two devices is split", func(b *Bus) uint32 { b.Out(0x103, 2, 0xbbaa); return 0 }, 0, []string{"narrow+3 out1 aa", "wide+0 out1 bb"}},
		{"an access over the end of a range meets all ones", func(b *Bus) uint32 { return b.In(0x107, 2) }, 0xff00, []string{"wide+3 in1"}},
		{"the last port, doubleword", func(b *Bus) uint32 { return b.In(0xffff, 4) }, 0xffffff11, []string{"last+0 in1"}},
		{"values are cut to the size", func(b *Bus) uint32 { b.Out(0x104, 2, 0x12345678); return b.In(0x104, 1) }, 0x11, []string{"wide+0 out2 5678", "wide+0 in1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Bus
			var log []string
			require.NoError(t, b.Claim(0x104, 4, 4, recorder{"wide", &log}))
			require.NoError(t, b.Claim(0x100, 4, 1, recorder{"narrow", &log}))
			require.NoError(t, b.Claim(0xffff, 1, 1, recorder{"last", &log}))
			assert.Equal(t, c.want, c.do(&b))
			assert.Equal(t, c.log, log)
		})
	}
}

// Whatever is written to the devices and read of them, at any time: no panic, and
// no hang, for a device that set timer after timer would hold the clock.
func FuzzBus(f *testing.F) {
	f.Add([]byte("\x20\x00\x11\x21\x00\x20\x21\x00\x04\x21\x00\x01\x43\x00\x34\x40\x00\x02\x40\x00\x00\x00\xff\xff"))
	f.Add([]byte("\x43\x00\xb6\x42\x00\x01\x42\x00\x00\x61\x00\x03\xe0\xff\x10\x61\x10\x00\x43\x00\xe8\x42\x10\x00"))
	f.Add([]byte("\x70\x00\x0b\x71\x00\xf2\x70\x00\x0a\x71\x00\x23\x70\x00\x05\x71\x00\xff\xff\xff\xff\x71\x80\x00"))
	f.Add([]byte("\xd4\x03\x11\xd5\x03\x00\xd4\x03\x09\xd5\x03\x00\xd4\x03\x06\xd5\x03\x00\xda\x83\x00\xc0\x03\x1f\xc0\x03\xff\xc7\x03\xff\xc9\x83\x00"))
	f.Add([]byte("\x10\x15\x00\x11\x85\x00\x14\x25\x00\x18\x25\x01\xb2\x00\xf1\x02\x16\x01\xf8\x2c\x80\xfc\xac\x00\xff\xff\xff"))
	f.Add([]byte("\x60\x00\xff\xff\xff\xff\x60\x80\x00\x64\x00\x60\x60\x00\x47\x64\x00\xd3\x60\x00\x12\x64\x00\xd4\x60\x00\xf4\xff\xff\xff\x64\x80\x00\x60\x80\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := ParseKeys("<left-shift down>Keys<pause><print down><wait 5ms>")
		require.NoError(t, err)
		m := boot(t, Config{TickRate: MinTickRate, Keys: NewKeys(keys)}, "\xeb\xfe")
		for ; len(b) > 2; b = b[3:] {
			port, size := uint16(b[0])|uint16(b[1])<<8&0xf00, uint8(1)<<(b[1]>>4&3%3)
			switch {
			case b[1] == 0xff: // let time pass
				m.exit.s.Done, m.power.s.Reset = false, false
				if b[2] == 0xff {
					run(t, m, 1<<16)
				}
				run(t, m, uint64(b[2]))
			case b[1]&0x80 != 0:
				m.Ports.In(port, size)
			default:
				m.Ports.Out(port, size, uint32(b[2])*0x01010101)
			}
			if m.PIC.asks() {
				m.PIC.ack()
			}
		}
		text := m.VGA.Text()
		text.Cursor()
	})
}

func TestBusClaimRefuses(t *testing.T) {
	for _, c := range []struct {
		first uint16
		n     int
	}{{0xffff, 2}, {0x10, 0}, {0x100, 1}, {0xff, 2}, {0x103, 5}, {0xf0, 0x100}} {
		var b Bus
		require.NoError(t, b.Claim(0x100, 4, 1, recorder{}))
		require.NoError(t, b.Claim(0x200, 4, 1, recorder{}))
		assert.Error(t, b.Claim(c.first, c.n, 1, recorder{}), "0x%x+%d", c.first, c.n)
	}
}
