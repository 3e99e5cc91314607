package machine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewDisk(t *testing.T) {
	for _, c := range []struct {
		rule string
		size int64
		good bool
	}{
		{"one sector", 512, true},
		{"128 GiB", 128 << 30, true},
		{"nothing", 0, false},
		{"less than a sector", 100, false},
		{"a sector and a half", 768, false},
		{"more than 128 GiB", 128<<30 + 512, false},
		{"less than nothing", -512, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			d, err := NewDisk(bytes.NewReader(nil), c.size)
			if !c.good {
				require.ErrorContains(t, err, "a disk image is made of whole sectors of 512 bytes")
				return
			}
			require.NoError(t, err)
			assert.EqualValues(t, c.size, d.Size())
		})
	}
}

func TestDriveNames(t *testing.T) {
	var d Drives
	for _, name := range DriveNames {
		require.True(t, d.Set(name, newDisk(t, pattern(1))), name)
	}
	assert.False(t, d.Set("hde", nil))
	for _, size := range d.sizes() {
		assert.EqualValues(t, SectorSize, size)
	}
}

// writer writes sectors of its disk for ever, one after the other, with the number of
// the round in each byte, and reads each back:
//
//	mov bx,0
//	l: mov dx,0x1f6; mov al,0xe0; out dx,al; mov dx,0x1f2; mov al,1; out dx,al; inc dx; mov al,bl; and al,7; out dx,al
//	   inc dx; mov al,0; out dx,al; inc dx; out dx,al
//	   mov dx,0x1f7; mov al,0x30; out dx,al; mov dx,0x1f0; mov ax,bx; mov cx,256; w: out dx,ax; loop w
//	   mov dx,0x1f7; b: in al,dx; test al,0x80; jnz b
//	   mov dx,0x1f2; mov al,1; out dx,al; mov dx,0x1f7; mov al,0x20; out dx,al; c: in al,dx; test al,0x80; jnz c
//	   mov dx,0x1f0; mov di,0x600; mov cx,256; rep insw
//	   inc bx; jmp l
const writer = "\xbb\x00\x00" +
	"\xba\xf6\x01\xb0\xe0\xee\xba\xf2\x01\xb0\x01\xee\x42\x88\xd8\x24\x07\xee" +
	"\x42\xb0\x00\xee\x42\xee" +
	"\xba\xf7\x01\xb0\x30\xee\xba\xf0\x01\x89\xd8\xb9\x00\x01\xef\xe2\xfd" +
	"\xba\xf7\x01\xec\xa8\x80\x75\xfb" +
	"\xba\xf2\x01\xb0\x01\xee\xba\xf7\x01\xb0\x20\xee\xec\xa8\x80\x75\xfb" +
	"\xba\xf0\x01\xbf\x00\x06\xb9\x00\x01\xf3\x6d" +
	"\x43\xeb\xb0"

// A guest at work on its disk is the same guest forked, restored, or returned to a moment,
// at any tick: in the midst of a sector, while the drive is busy, before and after it has written.
func TestDiskForksRestoresReturns(t *testing.T) {
	cfg := Config{Drives: Drives{IDE: [4]*Disk{newDisk(t, pattern(8))}}}
	far := boot(t, cfg, writer)
	run(t, far, 200_000)
	assert.EqualValues(t, 8*SectorSize, far.diskWritten(), "the program writes")
	for _, ticks := range []uint64{1, 150, 300, 10_000, 20_500, 45_000, 70_001, 120_000} {
		m := boot(t, cfg, writer)
		run(t, m, ticks)
		moment := m.Moment()
		file := saved(t, m)
		fork, err := m.Fork()
		require.NoError(t, err)
		restored, err := Restore(bytes.NewReader(file), cfg)
		require.NoError(t, err)
		assert.True(t, moment.Equal(restored.Moment()))
		for range 2 {
			run(t, m, 200_000-ticks)
			assert.True(t, far.Moment().Equal(m.Moment()), ticks)
			m.Return(moment)
		}
		for _, o := range []*Machine{fork, restored} {
			run(t, o, 200_000-ticks)
			assert.True(t, far.Moment().Equal(o.Moment()), ticks)
		}
		assert.False(t, moment.Equal(far.Moment()))
	}
}

// Moments differ in what is on the disk alone, and each keeps what was there.
func TestMomentsKeepDisks(t *testing.T) {
	m := boot(t, Config{Drives: Drives{IDE: [4]*Disk{newDisk(t, pattern(8))}}}, "")
	before := m.Moment()
	m.media[0].write(3, &sector{1})
	after := m.Moment()
	m.media[0].write(3, &sector{2})
	assert.False(t, before.Equal(after))
	assert.Equal(t, before.Size(before)+0, m.SizeNow(before), "nothing was there that is not shared")
	assert.Greater(t, m.SizeNow(after), after.Size(after))
	for _, c := range []struct {
		to   *Moment
		want byte
	}{{after, 1}, {before, 3}, {after, 1}} {
		m.Return(c.to)
		var s sector
		require.True(t, m.media[0].read(3, &s))
		assert.Equal(t, c.want, s[0])
		m.media[0].write(3, &sector{9})
	}
}

func TestRestoreWantsTheDisks(t *testing.T) {
	disk := func(sectors int) *Disk { return newDisk(t, pattern(sectors)) }
	m := boot(t, Config{Drives: Drives{IDE: [4]*Disk{1: disk(8)}}}, "")
	for n := range uint64(8) {
		m.media[1].write(n, &sector{byte(n)})
	}
	file := saved(t, m)
	for _, c := range []struct {
		rule   string
		drives Drives
		want   string
	}{
		{"the same", Drives{IDE: [4]*Disk{1: disk(8)}}, ""},
		{"none", Drives{}, "snapshot: it was saved with a disk of 4096 bytes in the drive hdb: give its image again"},
		{"of another size", Drives{IDE: [4]*Disk{1: disk(9)}}, "snapshot: it was saved with a disk of 4096 bytes in the drive hdb, this one has 4608"},
		{"one more", Drives{IDE: [4]*Disk{1: disk(8), 3: disk(8)}}, "snapshot: it was saved without a disk in the drive hdd: give none"},
		{"more written than allowed", Drives{IDE: [4]*Disk{1: disk(8)}, Memory: 1 << 10}, `snapshot: section "disk hdb": more was written to the disks than the 1024 bytes allowed`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			_, err := Restore(bytes.NewReader(file), Config{Drives: c.drives})
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.want)
			}
		})
	}
}

// A disk in memory is in the snapshot, and what was written above it.
func TestMemoryDisksAreSaved(t *testing.T) {
	disk, err := NewMemoryDisk(pattern(8))
	require.NoError(t, err)
	m := boot(t, Config{Drives: Drives{IDE: [4]*Disk{1: disk}}}, "")
	m.media[1].write(3, &sector{1})
	file := saved(t, m)
	o, err := Restore(bytes.NewReader(file), Config{})
	require.NoError(t, err)
	assert.True(t, m.Moment().Equal(o.Moment()))
	assert.Equal(t, pattern(8), o.media[1].data)
	assert.Equal(t, file, saved(t, o))
	other, err := NewMemoryDisk(pattern(9))
	require.NoError(t, err)
	o, err = Restore(bytes.NewReader(file), Config{Drives: Drives{IDE: [4]*Disk{1: other}}})
	require.NoError(t, err)
	assert.Equal(t, pattern(8), o.media[1].data, "the snapshot's own")
	_, err = Restore(bytes.NewReader(file), Config{Drives: Drives{IDE: [4]*Disk{1: newDisk(t, pattern(8))}}})
	require.EqualError(t, err, "snapshot: it has the disk of the drive hdb in itself: give none")
	_, err = NewMemoryDisk(make([]byte, MaxMemoryDisk+SectorSize))
	require.ErrorContains(t, err, "a disk in memory has 1048576 at most")
}

// memoryFile is a file in memory that WriteBack writes to.
type memoryFile []byte

func (f memoryFile) WriteAt(b []byte, at int64) (int, error) { return copy(f[at:], b), nil }

func TestWriteBack(t *testing.T) {
	image := pattern(8)
	m := boot(t, Config{Drives: Drives{IDE: [4]*Disk{newDisk(t, image), newDisk(t, image)}}}, "")
	m.media[0].write(3, &sector{1})
	m.media[0].write(7, &sector{2})
	want := bytes.Clone(image)
	copy(want[3*SectorSize:], append([]byte{1}, make([]byte, SectorSize-1)...))
	copy(want[7*SectorSize:], append([]byte{2}, make([]byte, SectorSize-1)...))
	for _, c := range []struct {
		drive string
		want  []byte
	}{{"hda", want}, {"hdb", image}} {
		file := memoryFile(bytes.Clone(image))
		require.NoError(t, m.WriteBack(c.drive, file))
		assert.Equal(t, c.want, []byte(file), c.drive)
	}
	assert.EqualError(t, m.WriteBack("hde", nil), `there is no drive "hde"`)
}
