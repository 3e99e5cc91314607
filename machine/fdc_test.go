package machine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Steps for the controller: bytes of a command, and of a result, in hex.
func fdcSend(bytes ...uint8) (script string) {
	for _, b := range bytes {
		script += fmt.Sprintf("out 3f5 %x; ", b)
	}
	return script
}

func fdcGives(bytes ...uint8) (script string) {
	for _, b := range bytes {
		script += fmt.Sprintf("in 3f5 %x; ", b)
	}
	return script + "in 3f4 80; "
}

const (
	fdcPIO    = "out 3f5 3; out 3f5 df; out 3f5 3; " // SPECIFY, ND
	fdcByDMA  = "out 3f5 3; out 3f5 df; out 3f5 2; "
	fdcAtWork = "ns c350; " // 50 microseconds
	fdcGoesOn = "ns 2710; "
	fdcMoves  = "ns 186a0; "
	fdcEnd    = "out a0 20; out 20 20; "
)

// Scripts for a controller with a disk of 1440 KiB in the first drive.
func TestFDCRules(t *testing.T) {
	read := func(c, h, r, eot uint8) string { return fdcSend(0x46, h<<2, c, h, r, 2, eot, 0x1b, 0xff) }
	write := func(c, h, r, eot uint8) string { return fdcSend(0x45, h<<2, c, h, r, 2, eot, 0x1b, 0xff) }
	seek := func(c uint8) string { return fdcSend(0x0f, 0, c) + fdcMoves + fdcSend(8) + fdcGives(0x20, c) }
	dma := func(mode uint8, at, count uint16) string {
		return fmt.Sprintf("out a 6; out c 0; out b %x; out 4 %x; out 4 %x; out 5 %x; out 5 %x; out 81 2; out a 2; ", mode, at&0xff, at>>8, count&0xff, count>>8)
	}
	for _, c := range []struct{ rule, script string }{
		// Reset and registers.
		{"at first it is ready for a command, and asks for nothing", start + "in 3f4 80; in 3f2 c; intr 0"},
		{"reset: four drives ask to be looked at", start + "out 3f2 0; in 3f4 0; out 3f2 c; in 3f4 0; ns 4e20; in 3f4 80; ack 26; " +
			fdcSend(8) + fdcGives(0xc0, 0) + fdcSend(8) + fdcGives(0xc1, 0) + fdcSend(8) + fdcGives(0xc2, 0) + fdcSend(8) + fdcGives(0xc3, 0) + fdcSend(8) + fdcGives(0x80)},
		{"without polling they do not", start + fdcSend(0x13, 0, 0x1f, 0) + fdcSend(0x94) + fdcGives(0x10) + "out 3f2 0; out 3f2 c; ns 4e20; intr 0; " + fdcSend(8) + fdcGives(0x80)},
		{"reset by the data rate register ends by itself", start + "out 3f4 80; in 3f4 0; ns 4e20; ack 26"},
		{"the gate keeps the interrupt back", start + "out 3f2 0; out 3f2 4; ns 4e20; intr 0; out 3f2 c; ack 26"},
		{"reset ends a transfer", fdcPIO + read(0, 0, 1, 18) + fdcAtWork + "in 3f4 f0; out 3f2 0; out 3f2 c; ns 4e20; in 3f4 80"},
		{"sensing ends the interrupt", start + "out 3f2 0; out 3f2 c; ns 4e20; in 20 40; " + fdcSend(8) + fdcGives(0xc0, 0) + "in 20 0"},
		{"a disk is new until the head has moved", "in 3f7 80; " + seek(1) + "in 3f7 0"},
		{"a drive without a disk stays so", "out 3f2 d; in 3f7 80"},
		{"two drives at most", "out 3f2 e; in 3f7 0"},
		{"the CMOS memory tells of the drive", "get 10 40; get 14 3"},

		// Commands without data.
		{"VERSION: it is an enhanced one", fdcSend(0x10) + "in 3f4 d0; " + fdcGives(0x90)},
		{"unknown commands", fdcSend(0x1f) + fdcGives(0x80) + fdcSend(0x00) + fdcGives(0x80) + fdcSend(0x50) + fdcGives(0x80)},
		{"the main status while a command comes", "out 3f5 3; in 3f4 90; out 3f5 0; in 3f4 90; out 3f5 0; in 3f4 80"},
		{"SENSE DRIVE STATUS: track 0, two sides", fdcSend(4, 0) + fdcGives(0x38) + seek(5) + fdcSend(4, 4) + fdcGives(0x2c)},
		{"SEEK, with an interrupt, and a bit while the head moves", start + fdcSend(0x0f, 0, 9) + "in 3f4 81; intr 0; " + fdcMoves + "in 3f4 80; ack 26; " + fdcSend(8) + fdcGives(0x20, 9)},
		{"RECALIBRATE", seek(9) + fdcSend(7, 0) + fdcMoves + fdcSend(8) + fdcGives(0x20, 0)},
		{"RECALIBRATE without a disk finds no track 0", fdcSend(7, 1) + fdcMoves + fdcSend(8) + fdcGives(0x71, 0)},
		{"DUMPREG: cylinders, SPECIFY, sectors, LOCK, CONFIGURE", seek(9) + fdcPIO + fdcSend(0x13, 0, 0x57, 3) + fdcSend(0x94) + fdcGives(0x10) + fdcSend(0x0e) + fdcGives(9, 0, 0, 0, 0xdf, 3, 18, 0x80, 0x57, 3)},
		{"what is not locked is lost by a reset", fdcSend(0x13, 0, 0x57, 3) + fdcSend(0x14) + fdcGives(0) + "out 3f2 0; out 3f2 c; ns 4e20; " + fdcSend(0x0e) + fdcGives(0, 0, 0, 0, 0, 0, 18, 0, 0, 0)},
		{"READ ID", start + seek(3) + fdcSend(0x4a, 4) + fdcAtWork + "ack 26; " + fdcGives(4, 0, 0, 3, 1, 1, 2)},
		{"READ ID without a disk", fdcSend(0x4a, 1) + fdcAtWork + fdcGives(0x41, 1, 0, 0, 0, 1, 2)},

		// By the data port.
		{"READ DATA: an interrupt with the sector and one with the result", start + fdcPIO + read(0, 0, 3, 3) + "in 3f4 10; " + fdcAtWork + "ack 26; in 3f4 f0; " + fdcEnd + "bytes 2; in 3f4 d0; ack 26; " +
			fdcGives(0x40, 0x80, 0, 1, 0, 1, 2)},
		{"reading the first byte ends the interrupt", start + fdcPIO + read(0, 0, 3, 3) + fdcAtWork + "in 20 40; in 3f5 2; in 20 0"},
		{"several sectors, one after the other", fdcPIO + read(0, 0, 3, 4) + fdcAtWork + "bytes 2; in 3f4 10; " + fdcGoesOn + "bytes 3; in 3f4 d0"},
		{"the other side, another cylinder", fdcPIO + seek(2) + read(2, 1, 1, 1) + fdcAtWork + "bytes 5a; " + fdcGives(0x44, 0x80, 0, 3, 1, 1, 2)},
		{"a multi-track command goes over to the other side", fdcPIO + fdcSend(0xc6, 0, 0, 0, 18, 2, 18, 0x1b, 0xff) + fdcAtWork + "bytes 11; " + fdcGoesOn + "bytes 12; in 3f4 10"},
		{"WRITE DATA", start + fdcPIO + write(0, 0, 3, 3) + fdcAtWork + "ack 26; in 3f4 b0; " + fdcEnd + "fillb ab; ack 26; " + fdcGives(0x40, 0x80, 0, 1, 0, 1, 2) + read(0, 0, 3, 3) + fdcAtWork + "bytes abab"},
		{"neighbours stay", fdcPIO + write(0, 0, 3, 3) + fdcAtWork + "fillb ab; " + fdcGives(0x40, 0x80, 0, 1, 0, 1, 2) + read(0, 0, 2, 4) + fdcAtWork + "bytes 1; " + fdcGoesOn + "bytes abab; " + fdcGoesOn + "bytes 3"},
		{"the head is elsewhere", fdcPIO + read(2, 0, 1, 1) + fdcAtWork + fdcGives(0x40, 4, 0x10, 2, 0, 1, 2)},
		{"unless it seeks by itself", fdcPIO + fdcSend(0x13, 0, 0x40, 0) + read(2, 0, 1, 1) + fdcAtWork + "bytes 48"},
		{"a sector that there is not", fdcPIO + read(0, 0, 19, 19) + fdcAtWork + fdcGives(0x40, 4, 0, 0, 0, 19, 2) + read(0, 0, 0, 1) + fdcAtWork + fdcGives(0x40, 4, 0, 0, 0, 0, 2)},
		{"sectors of another size", fdcPIO + fdcSend(0x46, 0, 0, 0, 1, 3, 1, 0x1b, 0xff) + fdcAtWork + fdcGives(0x40, 4, 0, 0, 0, 1, 3)},
		{"a cylinder beyond the last", fdcPIO + seek(80) + read(80, 0, 1, 1) + fdcAtWork + fdcGives(0x40, 1, 0, 80, 0, 1, 2)},
		{"no disk", fdcPIO + fdcSend(0x46, 1, 0, 0, 1, 2, 1, 0x1b, 0xff) + fdcAtWork + fdcGives(0x41, 1, 0, 0, 0, 1, 2)},
		{"FORMAT TRACK fills the sectors that are named", start + fdcPIO + fdcSend(0x4d, 0, 2, 2, 0x54, 0xf6) + fdcAtWork + "ack 26; in 3f4 b0; " + fdcEnd + fdcSend(0, 0, 3, 2, 0, 0, 1, 2) + "ack 26; " + fdcGives(0, 0, 0, 0, 0, 1, 2) +
			read(0, 0, 1, 3) + fdcAtWork + "bytes f6f6; " + fdcGoesOn + "bytes 1; " + fdcGoesOn + "bytes f6f6"},

		// By DMA.
		{"READ DATA by DMA ends by its count, without an error", start + fdcByDMA + dma(0x46, 0x1000, 1023) + read(0, 0, 3, 18) + fdcAtWork + "intr 0; " + fdcGoesOn + "ack 26; " +
			fdcGives(0, 0, 0, 0, 0, 5, 2) + "sto 0 0; lod 21000 20002; lod 211fc 20002; lod 21200 30003; lod 21400 0; in 8 4; in f ff"},
		{"a count in the midst of a sector", fdcByDMA + dma(0x46, 0x1000, 99) + read(0, 0, 3, 18) + fdcAtWork + fdcGives(0, 0, 0, 0, 0, 4, 2) + "lod 21060 20002; lod 21064 0"},
		{"WRITE DATA by DMA, the rest of the last sector zeros", fdcByDMA + "sto 21000 12345678; " + dma(0x4a, 0x1000, 3) + write(0, 0, 3, 18) + fdcAtWork + fdcGives(0, 0, 0, 0, 0, 4, 2) +
			fdcPIO + read(0, 0, 3, 3) + fdcAtWork + "in 3f5 78; in 3f5 56; in 3f5 34; in 3f5 12; in 3f5 0"},
		{"with the channel masked the data is lost", fdcByDMA + "out a 6; " + read(0, 0, 3, 18) + fdcAtWork + fdcGives(0x40, 0x10, 0, 0, 0, 3, 2)},
		{"FORMAT TRACK by DMA", fdcByDMA + "sto 21000 02010000; " + dma(0x4a, 0x1000, 3) + fdcSend(0x4d, 0, 2, 1, 0x54, 0xf6) + fdcAtWork + fdcGives(0, 0, 0, 0, 0, 1, 2) + fdcPIO + read(0, 0, 1, 1) + fdcAtWork + "bytes f6f6"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newFDCRig(t, Drives{Floppy: [2]*Disk{newDisk(t, pattern(2880))}})
			r.play(t, c.script)
		})
	}
}

// newFDCRig is a rig with disks whose further steps "bytes N" and "fillb N" read and write a
// sector by the data port of the controller: of N in each word, and in each byte.
func newFDCRig(t testing.TB, drives Drives) *rig {
	r := newDiskRig(t, drives)
	disks := r.more
	r.more = func(verb string, a, b uint32) bool {
		switch verb {
		case "bytes":
			for i := range SectorSize {
				require.Equal(t, a>>(8*(i%2))&0xff, r.m.Ports.In(0x3f5, 1), "byte %d", i)
			}
		case "fillb":
			for range SectorSize {
				r.m.Ports.Out(0x3f5, 1, a)
			}
		default:
			return disks(verb, a, b)
		}
		return true
	}
	return r
}

// Which disk an image is.
func TestFloppyFormats(t *testing.T) {
	for _, c := range []struct {
		kib         int
		types       uint8 // as CMOS memory tells
		track, last uint8 // sectors of a track, the last cylinder
	}{{360, 1, 9, 39}, {720, 3, 9, 79}, {1200, 2, 15, 79}, {1440, 4, 18, 79}, {2880, 5, 36, 79}, {1, 4, 18, 79}, {1000, 4, 18, 79}} {
		t.Run(fmt.Sprint(c.kib), func(t *testing.T) {
			r := newFDCRig(t, Drives{Floppy: [2]*Disk{1: newDisk(t, pattern(2*c.kib))}})
			last := uint32(c.last+1)*2*uint32(c.track) - 1
			if last >= uint32(2*c.kib) {
				last = 0 // beyond the image
			}
			r.play(t, fmt.Sprintf("get 10 %x; get 14 43; ", c.types)+fdcPIO+fdcSend(0x13, 0, 0x40, 0)+
				fdcSend(0x46, 5, c.last, 1, c.track, 2, c.track, 0x1b, 0xff)+fdcAtWork+fmt.Sprintf("bytes %x; ", last)+fdcSend())
			r.play(t, fdcGives(0x45, 0x80, 0, c.last+1, 1, 1, 2)+fdcSend(0x46, 5, c.last, 1, c.track+1, 2, c.track+1, 0x1b, 0xff)+fdcAtWork+fdcGives(0x45, 4, 0, c.last, 1, c.track+1, 2))
		})
	}
	_, err := New(Config{Drives: Drives{Floppy: [2]*Disk{1: newDisk(t, make([]byte, 1500<<10))}}})
	require.EqualError(t, err, "fdb: 1536000 bytes: a floppy disk has 360, 720, 1200, 1440 or 2880 KiB, or is the beginning of one of 1440 KiB")
}

// What is written beyond a short image is in snapshots, and written back.
func TestFloppyBeyondItsImage(t *testing.T) {
	drives := Drives{Floppy: [2]*Disk{newDisk(t, pattern(1))}}
	m := boot(t, Config{Drives: drives}, "")
	require.True(t, m.media[firstFloppy].write(2879, &sector{7}))
	o, err := Restore(bytes.NewReader(saved(t, m)), Config{Drives: drives})
	require.NoError(t, err)
	assert.True(t, m.Moment().Equal(o.Moment()))
	file := memoryFile(make([]byte, 1440<<10))
	require.NoError(t, o.WriteBack("fda", file))
	assert.EqualValues(t, 7, file[2879*SectorSize])
}

func TestFDCWritesNoMoreThanAllowed(t *testing.T) {
	r := newFDCRig(t, Drives{Floppy: [2]*Disk{newDisk(t, pattern(2880))}, Memory: 1})
	r.play(t, fdcPIO+fdcSend(0x45, 0, 0, 0, 1, 2, 1, 0x1b, 0xff)+fdcAtWork+"fillb 1; "+fdcGives(0x40, 2, 0, 0, 0, 1, 2)+
		fdcSend(0x4d, 0, 2, 1, 0x54, 0xf6)+fdcAtWork+fdcSend(0, 0, 1, 2)+fdcGives(0x40, 2, 0, 0, 0, 1, 2))
}

// Registers of the DMA controllers.
func TestDMARules(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		{"at first all is masked", "in f ff; in de ff"},
		{"a register is written and read by halves", "out c 0; out 4 34; out 4 12; out c 0; in 4 34; in 4 12; out c 0; in 4 34; out c 0; in 4 34"},
		{"the second chip's are at every other port", "out d8 0; out c4 78; out c4 56; out d8 0; in c4 78; in c5 56"},
		{"masks one by one, and all", "out a 2; in f fb; out a 6; in f ff; out f 5; in f f5; out e 0; in f f0"},
		{"master clear", "out 4 1; out e 0; out d 0; in f ff; out 4 34; out 4 12; in 4 34"},
		{"pages are kept, and port 0x80 is the POST code's", "out 81 5; out 8f 7; in 81 5; in 8f 7; out 80 9; in 80 9"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, strings.ReplaceAll(c.script, "\n", " ")) })
	}
}

func TestDMAMoves(t *testing.T) {
	for _, c := range []struct {
		rule          string
		mode, command uint8
		count         uint16
		n             int
		end           bool
		memory        []byte // at 0x2FFFF, wherever the page ends
		address       uint16
	}{
		{"to memory, round the end of the page", 0x46, 0, 9, 3, false, []byte{1}, 2},
		{"downwards", 0x66, 0, 9, 3, false, []byte{1}, 0xfffc},
		{"verify moves nothing", 0x42, 0, 9, 3, false, []byte{0}, 2},
		{"the other direction does not either", 0x4a, 0, 9, 3, false, []byte{0}, 2},
		{"the count ends it", 0x46, 0, 1, 2, true, []byte{1}, 1},
		{"and begins it anew", 0x56, 0, 1, 2, true, []byte{1}, 0xffff},
		{"a chip that is off", 0x46, 4, 9, 0, false, []byte{0}, 0xffff},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			r.play(t, fmt.Sprintf("out 8 %x; out b %x; out 4 ff; out 4 ff; out 5 %x; out 5 %x; out 81 2; out a 2", c.command, c.mode, c.count&0xff, c.count>>8))
			n, end := r.m.DMA.move(fdcDMA, true, []byte{1, 2, 3})
			assert.Equal(t, c.n, n)
			assert.Equal(t, c.end, end)
			got := make([]byte, 1)
			r.m.Mem.ReadBytes(0x2ffff, got)
			assert.Equal(t, c.memory, got)
			assert.Equal(t, c.address, r.m.DMA.s.Channels[fdcDMA].Address)
			masked := end && c.mode&dmaAuto == 0
			assert.Equal(t, masked, r.m.DMA.s.Chips[0].Mask&4 != 0)
		})
	}
}

// Any access at any time, from any state, is survived.
func TestFDCAnything(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	r := newFDCRig(t, Drives{Floppy: [2]*Disk{newDisk(t, pattern(2880))}, Memory: 64 << 10})
	ports := []uint16{0x3f2, 0x3f3, 0x3f4, 0x3f5, 0x3f5, 0x3f5, 0x3f5, 0x3f7, 4, 5, 8, 10, 11, 15, 0x81, 0xc4, 0xde}
	r.anything(t, rnd, ports, r.m.FDC, r.m.DMA)
}
