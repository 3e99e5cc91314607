package machine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pattern is an image whose sectors all differ: each word of sector n is n.
func pattern(sectors int) []byte {
	image := make([]byte, sectors*SectorSize)
	for i := range image {
		image[i] = byte(i / SectorSize >> (8 * (i % 2)))
	}
	return image
}

// newDisk makes a disk of bytes.
func newDisk(t testing.TB, image []byte) *Disk {
	d, err := NewDisk(bytes.NewReader(image), int64(len(image)))
	require.NoError(t, err)
	return d
}

// newDiskRig is a rig with disks. Further steps are
//
//	ns TIME            waits
//	sector N           reads a sector by words from port 0x1F0, which must be that of
//	                   pattern, or hold N in each word
//	fill N             writes a sector with N in each word
func newDiskRig(t testing.TB, drives Drives) *rig {
	r := newRigWith(t, Config{TickRate: PITHz * rigTicks, Drives: drives})
	m := r.m
	r.more = func(verb string, a, b uint32) bool {
		switch verb {
		case "ns":
			r.wait((uint64(a)*m.cfg.TickRate + 999_999_999) / 1_000_000_000)
		case "sector":
			for i := range SectorSize / 2 {
				require.Equal(t, a, m.Ports.In(0x1f0, 2), "word %d", i)
			}
		case "fill":
			for range SectorSize / 2 {
				m.Ports.Out(0x1f0, 2, a)
			}
		default:
			return false
		}
		return true
	}
	return r
}

// Steps for the first channel's master.
const (
	ideSeen = "ns 4e20; "
	ideThen = "ns fa0; "
)

func lba28(n, count uint32) string {
	return fmt.Sprintf("out 1f6 %x; out 1f2 %x; out 1f3 %x; out 1f4 %x; out 1f5 %x; ", 0xe0|n>>24, count, n&0xff, n>>8&0xff, n>>16&0xff)
}

func lba48(n uint64, count uint32) string {
	return fmt.Sprintf("out 1f6 e0; out 1f2 %x; out 1f3 %x; out 1f4 %x; out 1f5 %x; out 1f2 %x; out 1f3 %x; out 1f4 %x; out 1f5 %x; ",
		count>>8, n>>24&0xff, n>>32&0xff, n>>40, count&0xff, n&0xff, n>>8&0xff, n>>16&0xff)
}

func chs(cylinder, head, sector, count uint32) string {
	return fmt.Sprintf("out 1f6 %x; out 1f2 %x; out 1f3 %x; out 1f4 %x; out 1f5 %x; ", 0xa0|head, count, sector, cylinder&0xff, cylinder>>8)
}

func ideDo(command uint8) string { return fmt.Sprintf("out 1f7 %x; ", command) + ideSeen }

func TestIDERules(t *testing.T) {
	const (
		ok     = "in 1f7 50; in 1f1 0; "
		abort  = "in 1f7 51; in 1f1 4; "
		absent = "in 1f7 51; in 1f1 10; "
	)
	for _, c := range []struct{ rule, script string }{
		// Power on, reset, drives.
		{"after power on the signature of a disk", "in 1f7 50; in 1f1 1; in 1f2 1; in 1f3 1; in 1f4 0; in 1f5 0; in 1f6 a0"},
		{"SRST makes busy until it is over, without an interrupt", start + "out 1f4 5; out 3f6 4; in 3f6 80; ns 100000; in 3f6 80; out 3f6 0; in 1f7 80; " + ideSeen + "in 1f7 50; in 1f1 1; in 1f4 0; intr 0"},
		{"SRST ends a transfer", lba28(3, 1) + ideDo(0x20) + "inw 1f0 3; out 3f6 4; out 3f6 0; " + ideSeen + "in 1f7 50; inw 1f0 0; " + lba28(4, 1) + ideDo(0x20) + "sector 4"},
		{"SRST ends block mode", "out 1f2 2; " + ideDo(0xc6) + "out 3f6 4; out 3f6 0; " + ideSeen + lba28(3, 1) + ideDo(0xc4) + abort},
		{"a slave that is there", "out 1f6 f0; in 1f6 f0; in 1f7 50; out 1f2 1; out 1f3 2; out 1f4 0; out 1f5 0; " + ideDo(0x20) + "sector f002"},
		{"registers are shared by both drives", "out 1f2 17; out 1f6 b0; in 1f2 17"},
		{"statuses are not", "out 1f6 e0; " + ideDo(0xff) + abort + "out 1f6 f0; in 1f7 50"},
		{"a channel without drives reads as zeros", "out 176 a0; in 176 0; in 177 0; in 376 0; in 172 0; inw 170 0; out 177 ec; " + ideSeen + "in 177 0"},
		{"EXECUTE DEVICE DIAGNOSTIC", start + "out 1f6 b0; out 1f7 90; in 3f6 80; " + ideSeen + "ack 2e; in 1f7 50; in 1f1 1; in 1f6 a0; in 1f2 1; in 1f3 1"},

		// Reading.
		{"READ SECTORS by LBA", lba28(5, 1) + ideDo(0x20) + "in 1f7 58; sector 5; in 1f7 50"},
		{"the first sectors take 20 microseconds, BSY is set", lba28(5, 1) + "out 1f7 20; in 3f6 80; ns 4d58; in 3f6 80; ns 1388; in 3f6 58"},
		{"interrupt with each sector", start + lba28(5, 2) + "out 1f7 20; intr 0; " + ideSeen + "ack 2e; in 1f7 58; sector 5; out a0 20; out 20 20; in 3f6 80; " + ideThen + "ack 2e; in 1f7 58; sector 6; out a0 20; out 20 20; in 1f7 50; intr 0"},
		{"reading the status ends the interrupt", start + lba28(5, 1) + ideDo(0x20) + "in a0 40; in 1f7 58; in a0 0"},
		{"reading the alternate status does not", start + lba28(5, 1) + ideDo(0x20) + "in 3f6 58; intr 1"},
		{"nIEN keeps the interrupt back, and lets it out", start + "out 3f6 2; " + lba28(5, 1) + ideDo(0x20) + "intr 0; out 3f6 0; ack 2e"},
		{"a new command ends the interrupt", start + ideDo(0xe7) + "in a0 40; out 1f7 e7; in a0 0"},
		{"a count of 0 is 256 sectors", lba28(0, 0) + ideDo(0x20) + "in 1f2 ff; sector 0; " + ideThen + "sector 1; " + ideThen + "in 1f7 58"},
		{"by CHS", chs(0, 1, 3, 1) + ideDo(0x20) + "sector 41"},
		{"CHS goes over tracks", chs(0, 0, 63, 2) + ideDo(0x20) + "sector 3e; " + ideThen + "in 1f3 1; in 1f6 a1; sector 3f"},
		{"CHS with the drive told otherwise", "out 1f6 a3; out 1f2 a; " + ideDo(0x91) + ok + chs(1, 1, 1, 1) + ideDo(0x20) + "sector 32"},
		{"sector 0 of a track is none", chs(0, 0, 0, 1) + ideDo(0x20) + absent},
		{"nor is one beyond it", chs(0, 0, 64, 1) + ideDo(0x20) + absent},
		{"nor a head too many", "out 1f6 a3; out 1f2 a; " + ideDo(0x91) + chs(0, 4, 1, 1) + ideDo(0x20) + absent},
		{"by LBA of 48 bits", lba48(0x102, 1) + ideDo(0x24) + "sector 102; in 1f7 50"},
		{"48 bits are all looked at", lba48(1<<40|2, 1) + ideDo(0x24) + absent},
		{"the registers' former values read back with HOB", lba48(0x123456789a, 0x1122) + "in 1f2 22; in 1f3 9a; out 3f6 80; in 1f2 11; in 1f3 34; in 1f4 12; in 1f5 0; out 1f2 22; in 1f3 9a"},
		{"28 bits forget the former values", lba48(0xffffff000005, 1) + lba28(5, 1) + ideDo(0x20) + "sector 5"},
		{"beyond the end", lba28(300, 1) + ideDo(0x20) + absent + "in 3f6 51; inw 1f0 0"},
		{"over the end: the sectors before it come, the registers tell which is missing", lba28(299, 3) + ideDo(0x20) + "sector 12b; " + ideThen + absent + "in 1f2 2; in 1f3 2c; in 1f4 1"},
		{"the data port in 32 bits", lba28(0x102, 1) + ideDo(0x20) + "inl 1f0 1020102"},
		{"the data port in 8 bits gives the lower half of a word", lba28(0x102, 1) + ideDo(0x20) + "in 1f0 2"},
		{"READ VERIFY", start + lba28(5, 3) + ideDo(0x40) + "ack 2e; " + ok + "in 1f2 0; in 1f3 7"},
		{"READ VERIFY EXT over the end", lba48(299, 2) + ideDo(0x42) + absent + "in 1f3 2c"},
		{"READ VERIFY of 256", lba28(0, 0) + ideDo(0x41) + ok + "in 1f3 ff"},

		// Blocks.
		{"READ MULTIPLE before SET MULTIPLE is aborted", lba28(5, 1) + ideDo(0xc4) + abort},
		{"SET MULTIPLE takes powers of two up to 16", "out 1f2 3; " + ideDo(0xc6) + abort + "out 1f2 20; " + ideDo(0xc6) + abort + "out 1f2 10; " + ideDo(0xc6) + ok},
		{"SET MULTIPLE with 0 ends it", "out 1f2 2; " + ideDo(0xc6) + "out 1f2 0; " + ideDo(0xc6) + ok + lba28(5, 1) + ideDo(0xc4) + abort},
		{"READ MULTIPLE: an interrupt a block, the last may be short", start + "out 1f2 2; " + ideDo(0xc6) + "in 1f7 50; " + lba28(5, 3) + ideDo(0xc4) +
			"ack 2e; out a0 20; out 20 20; in 1f7 58; sector 5; in 1f7 58; sector 6; in 3f6 80; intr 0; " + ideThen + "ack 2e; in 1f7 58; sector 7; in 1f7 50"},
		{"READ MULTIPLE EXT", "out 1f2 4; " + ideDo(0xc6) + lba48(0x100, 2) + ideDo(0x29) + "sector 100; sector 101; in 1f7 50"},
		{"READ MULTIPLE over the end fails in the midst of a block", "out 1f2 4; " + ideDo(0xc6) + lba28(299, 2) + ideDo(0xc4) + "sector 12b; in 3f6 80; " + ideThen + absent},
		{"WRITE MULTIPLE", start + "out 1f2 2; " + ideDo(0xc6) + "in 1f7 50; " + lba28(5, 3) + "out 1f7 c5; in 1f7 58; fill 1111; in 1f7 58; fill 2222; in 3f6 80; " + ideThen + "ack 2e; in 1f7 58; fill 3333; " + ideThen +
			"in 1f7 50; " + lba28(5, 3) + ideDo(0xc4) + "sector 1111; sector 2222; " + ideThen + "sector 3333"},
		{"WRITE MULTIPLE EXT", "out 1f2 2; " + ideDo(0xc6) + lba48(5, 2) + "out 1f7 39; fill 1111; fill 2222; " + ideThen + ok + lba28(6, 1) + ideDo(0x20) + "sector 2222"},

		// Writing.
		{"WRITE SECTORS asks for the first one without an interrupt", start + lba28(5, 2) + "out 1f7 30; in 3f6 58; intr 0; fill abcd; in 3f6 80; " + ideThen + "ack 2e; out a0 20; out 20 20; in 1f7 58; fill 1234; in 3f6 80; " + ideThen +
			"ack 2e; " + ok + lba28(5, 2) + ideDo(0x20) + "sector abcd; " + ideThen + "sector 1234"},
		{"neighbours stay", lba28(5, 1) + "out 1f7 30; fill abcd; " + ideThen + lba28(4, 1) + ideDo(0x20) + "sector 4; " + lba28(6, 1) + ideDo(0x20) + "sector 6"},
		{"WRITE SECTORS EXT", lba48(0x103, 1) + "out 1f7 34; fill abcd; " + ideThen + ok + lba28(0x103, 1) + ideDo(0x20) + "sector abcd"},
		{"beyond the end", lba28(300, 1) + "out 1f7 30; in 1f7 58; fill abcd; " + ideThen + absent},
		{"by a CHS that there is not", chs(0, 0, 0, 1) + "out 1f7 30; in 3f6 80; " + ideSeen + absent},
		{"what is read while the drive wants data is nothing", lba28(5, 1) + "out 1f7 30; inw 1f0 0; fill abcd; " + ideThen + ok},
		{"what is written while it has data is lost", lba28(5, 1) + ideDo(0x20) + "outw 1f0 ffff; sector 5"},

		// All else.
		{"while busy nothing is taken", lba28(5, 1) + "out 1f7 20; out 1f3 9; out 1f7 ec; " + ideSeen + "sector 5; in 1f3 5"},
		{"NOP, DEVICE RESET, PACKET and IDENTIFY PACKET DEVICE are aborted", ideDo(0) + abort + ideDo(8) + abort + ideDo(0xa0) + abort + ideDo(0xa1) + abort},
		{"so is what there is not, with an interrupt", start + ideDo(0xff) + "ack 2e; " + abort},
		{"SEEK", start + lba28(5, 0) + ideDo(0x70) + "ack 2e; " + ok},
		{"SEEK beyond the end", lba28(300, 0) + ideDo(0x70) + absent},
		{"RECALIBRATE, by any of its codes", chs(5, 0, 1, 0) + ideDo(0x10) + ok + "in 1f4 0; " + ideDo(0x1f) + ok},
		{"INITIALIZE DEVICE PARAMETERS without sectors", "out 1f2 0; " + ideDo(0x91) + abort},
		{"SET FEATURES: caches, settings", "out 1f1 2; " + ideDo(0xef) + ok + "out 1f1 82; " + ideDo(0xef) + ok + "out 1f1 55; " + ideDo(0xef) + ok + "out 1f1 66; " + ideDo(0xef) + ok},
		{"SET FEATURES: PIO modes to 4, no DMA", "out 1f1 3; out 1f2 c; " + ideDo(0xef) + ok + "out 1f2 d; " + ideDo(0xef) + abort + "out 1f2 22; " + ideDo(0xef) + abort + "out 1f2 1; " + ideDo(0xef) + ok},
		{"SET FEATURES that there is not", "out 1f1 ee; " + ideDo(0xef) + abort},
		{"FLUSH CACHE and FLUSH CACHE EXT", ideDo(0xe7) + ok + ideDo(0xea) + ok},
		{"power is told", ideDo(0xe5) + ok + "in 1f2 ff; " + ideDo(0xe0) + ok + ideDo(0xe5) + "in 1f2 0; " + ideDo(0xe1) + ok + ideDo(0x98) + "in 1f2 ff"},
		{"READ NATIVE MAX ADDRESS", lba28(0, 0) + ideDo(0xf8) + ok + "in 1f3 2b; in 1f4 1; in 1f5 0; in 1f6 e0; " + lba48(1<<40, 0) + ideDo(0x27) + "in 1f3 2b; out 3f6 80; in 1f5 0"},
		{"the control port is write only but for the status", "out 3f6 2; in 3f6 50"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			slave := bytes.Repeat([]byte{2, 0xf0}, 4*SectorSize/2)
			newDiskRig(t, Drives{IDE: [4]*Disk{newDisk(t, pattern(300)), newDisk(t, slave)}}).play(t, c.script)
		})
	}
}

// A master alone, and a slave alone.
func TestIDEOneDrive(t *testing.T) {
	for _, c := range []struct {
		rule   string
		master bool
		script string
	}{
		{"a slave that is not there has status 0 and takes no command", true, start + "out 1f6 b0; in 1f6 b0; in 1f7 0; in 3f6 0; in 1f2 0; out 1f7 ec; " + ideSeen + "in 1f7 0; intr 0; out 1f6 a0; in 1f7 50"},
		{"but the diagnostic's, after which the master is selected", true, start + "out 1f6 b0; out 1f7 90; " + ideSeen + "ack 2e; in 1f6 a0; in 1f7 50; in 1f1 1"},
		{"SRST selects the master", true, "out 1f6 b0; out 3f6 4; out 3f6 0; " + ideSeen + "in 1f7 50"},
		{"a slave alone answers for itself", false, "in 1f7 0; out 1f6 f0; in 1f7 50; out 1f2 1; out 1f3 3; out 1f4 0; out 1f5 0; " + ideDo(0x20) + "sector 3"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			drives := Drives{IDE: [4]*Disk{1: newDisk(t, pattern(4))}}
			if c.master {
				drives.IDE[0], drives.IDE[1] = drives.IDE[1], nil
			}
			newDiskRig(t, drives).play(t, c.script)
		})
	}
}

// What IDENTIFY DEVICE tells, by word.
func TestIDEIdentify(t *testing.T) {
	sparse := func(t testing.TB, size int64) *Disk {
		d, err := NewDisk(bytes.NewReader(nil), size)
		require.NoError(t, err)
		return d
	}
	for _, c := range []struct {
		rule   string
		size   int64
		before string
		want   map[int]uint16
	}{
		{"cylinders, heads, sectors of a track", 63 * 16 * 512 * 20, "", map[int]uint16{1: 20, 3: 16, 6: 63, 54: 20, 55: 16, 56: 63, 57: 63 * 16 * 20, 58: 0}},
		{"a small disk has a cylinder", 512, "", map[int]uint16{1: 1, 54: 1, 60: 1, 61: 0, 100: 1}},
		{"a large one has at most 16383", MaxDisk, "", map[int]uint16{1: 16383, 60: 0xffff, 61: 0x0fff, 100: 0, 101: 0x1000, 102: 0, 103: 0}},
		{"another translation", 63 * 16 * 512 * 20, "out 1f6 a3; out 1f2 a; " + ideDo(0x91), map[int]uint16{1: 20, 54: 504, 55: 4, 56: 10, 57: 20160}},
		{"LBA, 48-bit addresses, no DMA", 512, "", map[int]uint16{49: 0xa00, 63: 0, 88: 0, 83: 0x7400, 86: 0x3400}},
		{"blocks", 512, "out 1f2 8; " + ideDo(0xc6), map[int]uint16{47: 0x8010, 59: 0x108}},
		{"write cache off", 512, "out 1f1 82; " + ideDo(0xef), map[int]uint16{82: 0x28, 85: 0x08}},
		{"the model, two characters a word", 512, "", map[int]uint16{27: 'x'<<8 | '8', 28: '6'<<8 | 'e', 46: ' '<<8 | ' '}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newDiskRig(t, Drives{IDE: [4]*Disk{sparse(t, c.size)}})
			r.play(t, start+c.before+"in 1f7 50; out 1f6 a0; out 1f7 ec; in 3f6 80; "+ideSeen+"ack 2e; in 1f7 58")
			words, sum := make([]uint16, 256), uint8(0)
			for i := range words {
				words[i] = uint16(r.m.Ports.In(0x1f0, 2))
				sum += uint8(words[i]) + uint8(words[i]>>8)
			}
			for i, want := range c.want {
				assert.Equal(t, want, words[i], "word %d", i)
			}
			assert.Zero(t, sum, "checksum")
			r.play(t, "in 1f7 50")
		})
	}
}

// What goes wrong on the host, or is bounded.
func TestIDEFails(t *testing.T) {
	t.Run("an image that cannot be read", func(t *testing.T) {
		d, err := NewDisk(bytes.NewReader(make([]byte, 700)), 1024) // it was longer when it was opened
		require.NoError(t, err)
		r := newDiskRig(t, Drives{IDE: [4]*Disk{d}})
		r.play(t, lba28(0, 2)+ideDo(0x20)+"in 1f7 58; sector 0; "+ideThen+"in 1f7 51; in 1f1 40; in 1f3 1")
		assert.ErrorContains(t, r.m.diskError, "sector 1 of a disk image")
	})
	t.Run("more written than the host allows", func(t *testing.T) {
		r := newDiskRig(t, Drives{IDE: [4]*Disk{newDisk(t, pattern(300)), newDisk(t, pattern(300))}, Memory: 2*SectorSize + 5})
		write := func(n uint32) string { return lba28(n, 1) + "out 1f7 30; fill abcd; " + ideThen }
		r.play(t, write(7)+"in 1f7 50; "+write(7)+"in 1f7 50; "+write(9)+"in 1f7 50; "+write(8)+"in 1f7 71; in 1f1 0; "+write(9)+"in 1f7 50")
	})
}

// Any access at any time, from any state, is survived.
func TestIDEAnything(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newDiskRig(t, Drives{IDE: [4]*Disk{newDisk(t, pattern(300)), nil, nil, newDisk(t, pattern(1))}, Memory: 64 << 10})
	ports := []uint16{0x1f0, 0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6, 0x1f7, 0x3f6, 0x170, 0x172, 0x173, 0x176, 0x177, 0x376}
	r.anything(t, rnd, ports, r.m.IDE[0], r.m.IDE[1])
	assert.LessOrEqual(t, r.m.diskWritten(), uint64(64<<10))
}

// anything does random accesses to ports and lets random times pass, from states of some
// devices that no guest made.
func (r *rig) anything(t testing.TB, rnd *rand.Rand, ports []uint16, devices ...Device) {
	var done int
	for i := range 200_000 {
		if i%5000 == 0 {
			for _, d := range devices {
				scramble(t, rnd, d)
			}
		}
		port, size := ports[rnd.IntN(len(ports))], uint8(1)<<rnd.IntN(3)
		if rnd.IntN(2) == 0 {
			r.m.Ports.In(port, size)
		} else {
			r.m.Ports.Out(port, size, rnd.Uint32()&rnd.Uint32())
		}
		done += r.wait(uint64(rnd.IntN(300)))
	}
	assert.NotZero(t, done, "timers that fired")
}

// scramble gives a device any state.
func scramble(t testing.TB, rnd *rand.Rand, d Device) {
	list := fieldsOf(d.State())
	fields, size, err := parseFields(describeFields(list))
	require.NoError(t, err)
	state := make([]byte, size)
	for i := range state {
		state[i] = byte(rnd.Uint32())
	}
	require.NoError(t, setNumbers(list, fields, state))
}
