package machine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

func TestFWCfgPorts(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		{"the signature, then zeros", "outw 510 0; in 511 51; in 511 45; in 511 4d; in 511 55; in 511 0"},
		{"selecting begins anew", "outw 510 0; in 511 51; outw 510 0; in 511 51"},
		{"the other port gives bytes, too", "outw 510 0; in 510 51; in 511 45"},
		{"features: ports, and transfers", "outw 510 1; in 511 3; in 511 0"},
		{"the size of RAM: 64 MiB", "outw 510 3; in 511 0; in 511 0; in 511 0; in 511 4; in 511 0"},
		{"one processor of one", "outw 510 5; in 511 1; in 511 0; outw 510 f; in 511 1; in 511 0"},
		{"there are few files, so the count's upper bytes are zero", "outw 510 19; in 511 0; in 511 0; in 511 0"},
		{"what is not there is zero", "outw 510 7777; in 511 0"},
		{"bytes do not select, nor is anything written", "outw 510 0; out 510 1; out 511 1; in 511 51"},
		{"words and double words read as zero and take nothing", "outw 510 0; inw 510 0; in 511 51"},
		{"the second signature", "inl 514 554d4551; inl 518 47464320; in 514 51; in 51b 47; inw 516 554d"},
		{"a request outside of RAM is none", "outl 514 ffffffff; outl 518 ffffffff; outw 510 0; in 511 51"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// fwCfg reads an item, file the one of a name.
func (r *rig) fwCfg(key uint16, size int) []byte {
	r.m.Ports.Out(0x510, 2, uint32(key))
	b := make([]byte, size)
	for i := range b {
		b[i] = uint8(r.m.Ports.In(0x511, 1))
	}
	return b
}

func (r *rig) file(t testing.TB, name string) []byte {
	n := binary.BigEndian.Uint32(r.fwCfg(0x19, 4))
	list := r.fwCfg(0x19, int(4+64*n))[4:]
	for ; n > 0; n, list = n-1, list[64:] {
		if found, _, _ := strings.Cut(string(list[8:64]), "\x00"); found == name {
			return r.fwCfg(binary.BigEndian.Uint16(list[4:]), int(binary.BigEndian.Uint32(list)))
		}
	}
	t.Fatal("no file " + name)
	return nil
}

func newRigOf(t testing.TB, files ...File) *rig {
	m, err := New(Config{Files: files})
	require.NoError(t, err)
	return &rig{m: m}
}

func TestFWCfgFiles(t *testing.T) {
	r := newRigOf(t, File{"opt/b", []byte("two")}, File{"opt/a", []byte("one")}, File{"bootorder", nil})
	n := binary.BigEndian.Uint32(r.fwCfg(0x19, 4))
	list := r.fwCfg(0x19, int(4+64*n))[4:]
	var names []string
	for i := range int(n) {
		name, _, _ := strings.Cut(string(list[64*i+8:64*i+64]), "\x00")
		names = append(names, name)
		assert.EqualValues(t, 0x20+i, binary.BigEndian.Uint16(list[64*i+4:]), "keys rise")
	}
	assert.IsIncreasing(t, names)
	assert.ElementsMatch(t, append([]string{"bootorder", "opt/a", "opt/b"}, boardFileNames...), names)
	assert.Equal(t, "one", string(r.file(t, "opt/a")))
	assert.Equal(t, "two", string(r.file(t, "opt/b")))
	assert.Empty(t, r.file(t, "bootorder"))

	memory := r.file(t, "etc/e820")
	assert.Equal(t, "\x00\x00\x00\x00\x00\x00\x00\x00"+"\x00\x00\x00\x04\x00\x00\x00\x00"+"\x01\x00\x00\x00", string(memory[:20]))
	assert.Zero(t, len(memory)%20)
}

func TestFWCfgTransfers(t *testing.T) {
	const end = DefaultRAM
	for _, c := range []struct {
		rule          string
		control, size uint32
		to            uint64
		at            uint64 // of the request
		result        uint32 // of control
		memory        string // at 0x2000, which held dots
		next          string // what the data port gives after
	}{
		{"select and read", 0x19<<16 | 8 | 2, 3, 0x2000, 0x1000, 0, "\x00\x00\x00.", ""},
		{"read goes on where the last one ended", 2, 2, 0x2000, 0x1000, 0, "QE..", "MU"},
		{"behind the end there are zeros", 2, 6, 0x2000, 0x1000, 0, "QEMU\x00\x00.", "\x00"},
		{"an item that is not there is zeros", 0x7777<<16 | 8 | 2, 2, 0x2000, 0x1000, 0, "\x00\x00.", "\x00"},
		{"skip", 4, 3, 0x2000, 0x1000, 0, "....", "U"},
		{"skip beyond the end", 4, 30, 0x2000, 0x1000, 0, "....", "\x00"},
		{"select alone", 1<<16 | 8, 3, 0x2000, 0x1000, 0, "....", "\x03"},
		{"nothing to do", 0, 3, 0x2000, 0x1000, 0, "....", "QEMU"},
		{"no item can be written", 16, 2, 0x2000, 0x1000, 1, "....", "QEMU"},
		{"the last bytes of RAM", 2, 4, end - 4, 0x1000, 0, "....", "\x00"},
		{"beyond RAM", 2, 4, end - 3, 0x1000, 1, "....", "QEMU"},
		{"around the end of the address space", 2, 4, 1<<64 - 2, 0x1000, 1, "....", "QEMU"},
		{"a request at the end of RAM", 2, 2, 0x2000, end - 16, 0, "QE..", "MU"},
		{"a request beyond it", 2, 2, 0x2000, end - 15, 2 << 8, "....", "QEMU"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRigOf(t)
			be := binary.BigEndian
			request := be.AppendUint64(be.AppendUint32(be.AppendUint32(nil, c.control), c.size), c.to)
			r.m.Mem.WriteBytes(mmu.Phys(c.at), request)
			r.m.Mem.WriteBytes(0x2000, bytes.Repeat([]byte("."), 16))
			r.m.Ports.Out(0x510, 2, 0)
			be.PutUint64(request, c.at)
			r.m.Ports.Out(0x514, 4, binary.LittleEndian.Uint32(request))
			r.m.Ports.Out(0x518, 4, binary.LittleEndian.Uint32(request[4:]))
			var result [4]byte
			if r.m.Mem.ReadBytes(mmu.Phys(c.at), result[:]); c.at+16 <= end {
				assert.Equal(t, c.result, be.Uint32(result[:]))
			}
			memory := make([]byte, len(c.memory))
			r.m.Mem.ReadBytes(0x2000, memory)
			assert.Equal(t, c.memory, string(memory))
			for _, want := range []byte(c.next) {
				assert.EqualValues(t, want, r.m.Ports.In(0x511, 1))
			}
		})
	}
}

// A snapshot, a fork and what is made of either have the machine's files, and stand
// where it stood in one of them.
func TestFilesBelongToTheMachine(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), 200)
	r := newRigOf(t, File{"opt/long", long}, File{"opt/empty", nil}, File{"opt/exact", long[:1024]})
	r.m.Ports.Out(0x510, 2, 0)
	r.m.Ports.In(0x511, 1)
	var file bytes.Buffer
	require.NoError(t, r.m.Save(&file))
	restored, err := Restore(&file, Config{Files: []File{{"opt/other", nil}}})
	require.NoError(t, err)
	fork, err := restored.Fork()
	require.NoError(t, err)
	for _, m := range []*Machine{restored, fork} {
		assert.EqualValues(t, 'E', m.Ports.In(0x511, 1))
		r := &rig{m: m}
		assert.Equal(t, long, r.file(t, "opt/long"))
		assert.Equal(t, long[:1024], r.file(t, "opt/exact"))
		assert.Empty(t, r.file(t, "opt/empty"))
		assert.Len(t, m.Config().Files, 3)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, newRigOf(t, File{"opt/file", []byte("data")}).m.Save(&file))
	size := func(n uint32) string { return string(binary.LittleEndian.AppendUint32(make([]byte, 48), n)) + "data" }
	for _, c := range []struct{ rule, old, now string }{
		{"a name of the board's own", "opt/file", "etc/e820"},
		{"no name", "opt/file", "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"more than the pieces have", size(4), size(4000)},
		{"more than there may be", size(4), size(1 << 31)},
	} {
		t.Run(c.rule, func(t *testing.T) {
			_, err := Restore(bytes.NewReader(repack(t, file.Bytes(), replace(t, c.old, c.now))), Config{})
			require.ErrorContains(t, err, "damaged")
		})
	}
}

func TestFilesRefused(t *testing.T) {
	many := make([]File, maxFileKeys)
	for i := range many {
		many[i].Name = fmt.Sprint(i)
	}
	for _, c := range []struct {
		rule  string
		cfg   Config
		wants string
	}{
		{"no name", Config{Files: []File{{}}}, "1 to 55 characters"},
		{"a long name", Config{Files: []File{{strings.Repeat("x", 56), nil}}}, "1 to 55 characters"},
		{"a space", Config{Files: []File{{"opt/a b", nil}}}, "without spaces"},
		{"not ASCII", Config{Files: []File{{"opt/é", nil}}}, "ASCII"},
		{"twice", Config{Files: []File{{"opt/a", nil}, {"opt/a", nil}}}, `"opt/a" is there already`},
		{"the board's own", Config{Files: []File{{"etc/e820", nil}}}, `"etc/e820" is there already`},
		{"too many", Config{Files: many}, "room for"},
		{"too much", Config{Files: []File{{"opt/a", make([]byte, MaxFiles)}, {"opt/b", []byte("x")}}}, "16 MiB"},
		{"a bare board", Config{Board: Bare, Files: []File{{"opt/a", nil}}}, "board bare has no fw_cfg"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			_, err := New(c.cfg)
			require.ErrorContains(t, err, c.wants)
		})
	}
}
