package machine

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
)

// saved is the machine's snapshot.
func saved(t testing.TB, m *Machine) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, m.Save(&b))
	return b.Bytes()
}

// Files of all versions that there were load, and the guest in them goes on to
// the end that it had. Each was saved in the midst of the built-in kernel
// cow-fork-64, with one byte of serial input received, with this in the floating-point
// registers, and 0x5a and 0x42 in ports 0x3FF and 0x80.
func TestOldVersionsLoad(t *testing.T) {
	want, err := os.ReadFile("testdata/cow-fork-64.txt")
	require.NoError(t, err)
	for _, name := range []string{"v1", "v2"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile("testdata/" + name + ".snapshot")
			require.NoError(t, err)
			var out bytes.Buffer
			m, err := Restore(bytes.NewReader(file), Config{Serial: NewOutput(&out)})
			require.NoError(t, err)
			s := m.CPU.State()
			assert.EqualValues(t, 151500, s.Ticks)
			assert.EqualValues(t, 8<<20, m.RAM())
			assert.Len(t, m.MMU.TLB(), 18)
			for i := range uint64(16) {
				assert.Equal(t, simd.Vec{Lo: i + 1, Hi: ^i}, s.FP.XMM[i])
			}
			for i := range uint16(8) {
				assert.Equal(t, fp.F80{Sig: 1<<63 | uint64(i), SE: 0x3fff + i}, s.FP.R[i])
			}
			assert.EqualValues(t, 0x5a, m.Ports.In(0x3ff, 1))
			assert.EqualValues(t, 0x42, m.Ports.In(0x80, 1))
			assert.EqualValues(t, '0', m.Ports.In(0x3f8, 1))

			assert.Equal(t, Result{Reason: Exited, Ticks: 271944}, run(t, m, NoBudget))
			assert.Equal(t, string(want), out.String())
		})
	}
}

// The file of this version in testdata is of an older build as soon as a state
// gets another field, so it is never written anew; it must be what Save writes
// in its form.
func TestVersionInTestdata(t *testing.T) {
	file, err := os.ReadFile("testdata/v2.snapshot")
	require.NoError(t, err)
	assert.EqualValues(t, SnapshotVersion, binary.LittleEndian.Uint32(file[8:]), "keep a file of the new version as well")
}

// repack changes a snapshot's payload and makes its checksum right again.
func repack(t testing.TB, file []byte, change func([]byte) []byte) []byte {
	t.Helper()
	z, err := zlib.NewReader(bytes.NewReader(file[12:]))
	require.NoError(t, err)
	var p bytes.Buffer
	_, err = p.ReadFrom(z)
	require.NoError(t, err)
	return pack(file[8], change(p.Bytes()))
}

// pack makes a snapshot file of a payload.
func pack(version byte, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString(snapshotMagic)
	b.Write([]byte{version, 0, 0, 0})
	z := zlib.NewWriter(&b)
	z.Write(payload)
	z.Close()
	sum := sha256.Sum256(b.Bytes())
	if version == 1 {
		sum = sha256.Sum256(payload)
	}
	b.Write(sum[:])
	return b.Bytes()
}

// replace is a change of a payload: the first old text becomes a new one.
func replace(t testing.TB, old, now string) func([]byte) []byte {
	return func(p []byte) []byte {
		require.True(t, bytes.Contains(p, []byte(old)), old)
		return bytes.Replace(p, []byte(old), []byte(now), 1)
	}
}

func TestRestoreRefuses(t *testing.T) {
	m := boot(t, Config{}, counting)
	run(t, m, 1000)
	good := saved(t, m)
	old, err := os.ReadFile("testdata/v1.snapshot")
	require.NoError(t, err)
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	payload := func(f func(p []byte) []byte) []byte { return repack(t, good, f) }
	// ram gives the file another size of RAM, behind the 32 bytes of the model.
	ram := func(size uint64) []byte {
		return payload(func(p []byte) []byte {
			at := bytes.Index(p, []byte("max\x00"))
			binary.LittleEndian.PutUint64(p[at+32:], size)
			return p
		})
	}
	const fields = "\x07machine" // then 4 bytes, the length of the fields' text
	for _, c := range []struct {
		name string
		file []byte
		cfg  Config
		want string
	}{
		{"empty", nil, Config{}, "truncated"},
		{"foreign", []byte(strings.Repeat("hello, world ", 10)), Config{}, "not a snapshot"},
		{"newer", change(func(b []byte) []byte { b[8]++; return b }), Config{}, "the file has version 3, this build reads versions 1 to 2"},
		{"cut in the header", good[:10], Config{}, "truncated"},
		{"cut in the payload", good[:len(good)/2], Config{}, "truncated"},
		{"cut in the checksum", good[:len(good)-1], Config{}, "truncated"},
		{"longer", append(bytes.Clone(good), 0), Config{}, "bytes follow"},
		{"one bit of the checksum", change(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), Config{}, "damaged"},
		{"payload goes on", payload(func(p []byte) []byte { return append(p, 0) }), Config{}, "damaged"},
		{"payload without end", payload(func(p []byte) []byte { return p[:len(p)-1] }), Config{}, "truncated"},

		{"unknown model", payload(replace(t, "max\x00", "may\x00")), Config{}, `unknown CPU model "may"`},
		{"more RAM than there is", ram(1 << 60), Config{}, "of RAM"},
		{"more RAM than allowed", ram(2 << 20), Config{RAM: 1 << 20}, "it has 2 MiB of RAM, more than the 1 MiB allowed"},
		{"pages outside of RAM", repack(t, old, func(p []byte) []byte {
			return append(binary.LittleEndian.AppendUint64(p[:len(p)-8], 8<<20), make([]byte, 4096+8)...)
		}), Config{}, "damaged"},
		{"old pages without end", repack(t, old, func(p []byte) []byte { return p[:len(p)-8] }), Config{}, "truncated"},
		{"old version with other fields", repack(t, old, func(p []byte) []byte { p[0]++; return p }), Config{}, "version 1, with other fields"},

		{"does not begin with the board", payload(replace(t, fields, "\x07kachine")), Config{}, "damaged"},
		{"no section of the processor", payload(replace(t, "\x03cpu", "\x03tlb")), Config{}, `section "tlb"`},
		{"a section twice", payload(replace(t, "device exit", "device post")), Config{}, "damaged"},
		{"a device that is not here", payload(replace(t, "device post", "device port")), Config{}, `a section "device port" that this board does not know`},
		{"a name over two lines", payload(replace(t, "device post", "device\npost")), Config{}, "damaged"},
		{"a field that is not here", payload(replace(t, "MXCSR", "MYCSR")), Config{}, `section "cpu": it has a field "FP.MYCSR" that this build does not know`},
		{"a field twice", payload(replace(t, "FIP", "FDP")), Config{}, `section "cpu": it has a field "FP.FDP"`},
		{"a field of another kind", payload(replace(t, "MXCSR uint32", "MXCSR  int32")), Config{}, `field "FP.MXCSR " that`},
		{"an array that was longer", payload(replace(t, "GPR [16]uint64", "GPR [17]uint64")), Config{}, `field "GPR" is not of this build's kind`},
		{"no such kind", payload(replace(t, "MXCSR uint32", "MXCSR uint33")), Config{}, `section "cpu": its list of fields is damaged`},
		{"huge fields", payload(replace(t, "GPR [16]uint64", "G [9999999999]")), Config{}, `section "cpu": its list of fields is damaged`},
		{"a huge list of fields", payload(func(p []byte) []byte {
			copy(p[len(fields):], "\xff\xff\xff\xff")
			return p
		}), Config{}, `section "machine": its list of fields is damaged`},
		{"a huge number of records", payload(replace(t, "PCID uint16\n\x02\x00", "PCID uint16\n\xff\xff")), Config{}, `section "tlb": the file is damaged`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Restore(bytes.NewReader(c.file), c.cfg)
			require.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "snapshot: "), err.Error())
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// No bit of a file can change without notice: tried are all of the head, the
// beginning of the stream and the end, and some of those between.
func TestBitsCount(t *testing.T) {
	m := boot(t, Config{}, counting)
	run(t, m, 1000)
	file := saved(t, m)
	for i := 0; i < 8*len(file); i++ {
		file[i/8] ^= 1 << (i % 8)
		_, err := Restore(bytes.NewReader(file), Config{RAM: MinRAM})
		require.Error(t, err, "bit %d of byte %d of %d", i%8, i/8, len(file))
		file[i/8] ^= 1 << (i % 8)
		if i > 200 && i < 8*(len(file)-40) {
			i += 16
		}
	}
}

// A board with its ports elsewhere is restored as it was.
func TestRestorePorts(t *testing.T) {
	ports := StandardPorts
	ports.Exit = PortRange{0x501, 2}
	m := boot(t, Config{Ports: &ports}, "\xba\x01\x05\xb0\x03\xee") // mov dx,0x501; mov al,3; out dx,al
	r, err := Restore(bytes.NewReader(saved(t, m)), Config{})
	require.NoError(t, err)
	assert.Equal(t, ports, *r.Config().Ports)
	assert.Equal(t, Result{Reason: Exited, Value: 3, Ticks: 3}, run(t, r, 10))
}

// What a file does not know is as after reset: here a device with its timer.
func TestBoardWithMoreDevices(t *testing.T) {
	m := boot(t, Config{}, counting)
	run(t, m, 100)
	rings := 0
	r, err := Restore(bytes.NewReader(saved(t, m)), Config{Extra: withTicker(1000, func(*Machine) { rings++ })})
	require.NoError(t, err)
	run(t, r, 1000)
	assert.Equal(t, 1, rings)

	_, err = Restore(bytes.NewReader(saved(t, r)), Config{})
	assert.EqualError(t, err, `snapshot: section "timers": it has a field "ticker" that this build does not know`)
}

// Serial input goes on where it was, or from the beginning of a new one.
func TestRestoreResumesInput(t *testing.T) {
	const echo = "\xba\xfd\x03" + "\xec\xa8\x01\x74\xfb" + "\xba\xf8\x03\xec\xee\x3c\x2e" + "\xba\xfd\x03\x75\xef\xf4"
	for _, c := range []struct {
		name, input string
		resume      bool
		want        string
	}{
		{"the same", "abcdefgh.", true, "cdefgh."},
		{"a new one", "123.", false, "123."},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(t, Config{Input: NewInput(strings.NewReader("abcdefgh."))}, echo)
			run(t, m, 3000)
			var out bytes.Buffer
			r, err := Restore(bytes.NewReader(saved(t, m)), Config{
				Input: NewInput(strings.NewReader(c.input)), ResumeInput: c.resume, Serial: NewOutput(&out),
			})
			require.NoError(t, err)
			end := run(t, r, NoBudget)
			assert.Equal(t, c.want, out.String())
			if c.resume {
				assert.Equal(t, run(t, m, NoBudget), end)
				assert.Empty(t, same(m, r))
			}
		})
	}
}

// Devices and timers are known by their names.
func TestNamesDiffer(t *testing.T) {
	for _, c := range []struct {
		name  string
		extra func(*Machine) error
		want  string
	}{
		{"two devices", func(m *Machine) error { m.Attach(&latch{}); m.Attach(&latch{}); return nil }, `"device latch"`},
		{"two timers", func(m *Machine) error { m.Clock.NewTimer("uart", nil, nil); return nil }, `"timer uart"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Config{Extra: c.extra})
			assert.ErrorContains(t, err, c.want)
			m := boot(t, Config{}, counting)
			require.NoError(t, c.extra(m))
			assert.ErrorContains(t, m.Save(new(bytes.Buffer)), c.want)
		})
	}
}

// failing is a writer that takes so many bytes.
type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestSaveTellsOfTheWriter(t *testing.T) {
	m := paged(t)
	run(t, m, 100000)
	for _, left := range []int{0, 5000} {
		assert.EqualError(t, m.Save(&failing{left}), "disk full")
	}
}

// FuzzRestore gives files, and payloads with a right checksum: what is accepted
// must run within its budget without harm.
func FuzzRestore(f *testing.F) {
	for _, m := range []*Machine{boot(f, Config{}, counting), paged(f), boot(f, Config{Files: []File{{"opt/a", []byte("b")}}}, counting)} {
		file := saved(f, m)
		f.Add(file, byte(SnapshotVersion), []byte{})
		repack(f, file, func(p []byte) []byte { f.Add([]byte{}, byte(SnapshotVersion), p); return p })
	}
	f.Fuzz(func(t *testing.T, file []byte, version byte, payload []byte) {
		for _, b := range [][]byte{file, pack(version, payload)} {
			m, err := Restore(bytes.NewReader(b), Config{RAM: 8 << 20})
			if err != nil {
				if strings.ContainsAny(err.Error(), "\r\n") {
					t.Fatalf("not one line: %q", err)
				}
				continue
			}
			run(t, m, 1000)
		}
	})
}
