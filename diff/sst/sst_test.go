package sst

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
)

var model386, _ = cpu.ModelByName("386")

// The sample of a suite is replayed where it is present, as much of it as is quick
// (.ci/run replays all): every test comes out as captured, or as a row of the table
// foretells.
func TestReplaySample(t *testing.T) {
	names, err := filepath.Glob("../../../shared/corpora/80286/*.MOO.gz")
	require.NoError(t, err)
	if len(names) == 0 {
		t.Skip("the sample of the 80286 suite is not here")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			r, err := os.Open(name)
			require.NoError(t, err)
			defer r.Close()
			f, err := Read(r, name)
			require.NoError(t, err)
			f.Tests = f.Tests[:min(len(f.Tests), 500)]
			s := Replay(f, filepath.Base(name), model386, func(tt *Test, what []string) { t.Logf("%s % x: %v", tt.Name, tt.Bytes, what) })
			assert.Zero(t, s.Unexplained())
			assert.Equal(t, uint64(len(f.Tests)), s.Oracles[1].Agree+s.Oracles[1].Known)
		})
	}
}

// add is ADD AL, CL at 0100:0200 in the JSON layout of a 286, ended by HLT; al is
// what AL becomes.
func add(al int) string {
	return fmt.Sprintf(`{"idx":3,"name":"add al,cl","bytes":[0,200,244],"initial":{"regs":{"ax":1,"bx":0,"cx":2,"dx":0,"cs":256,"ss":512,`+
		`"ds":0,"es":0,"sp":256,"bp":0,"si":0,"di":0,"ip":512,"flags":2},"ram":[[4608,0],[4609,200],[4610,244]],"queue":[]},`+
		`"final":{"regs":{"ax":%d,"ip":515,"flags":6},"ram":[],"queue":[]},"cycles":[[1,2,"x"]],"hash":"0"}`, al)
}

// chunk is a chunk of MOO.
func chunk(id string, parts ...[]byte) []byte {
	b := bytes.Join(parts, nil)
	return append(le.AppendUint32([]byte(id), uint32(len(b))), b...)
}

func words(v ...uint32) (b []byte) {
	for _, w := range v {
		b = le.AppendUint32(b, w)
	}
	return b
}

// wide is INC EAX at 0100:0200, in MOO's 32-bit file.
func wide() []byte {
	regs := words(0xfffff, 0x7ffefff0, 0, 0xffffffff, 0, 0, 0, 0, 0, 0, 0x100, 0x100, 0, 0, 0, 0, 0x200, 0x200, 0xfffc0002, 0xffff0ff0, 0)
	ram := words(3)
	for i, v := range []byte{0x66, 0x40, 0xf4} {
		ram = append(append(ram, words(uint32(0x1200+i))...), v)
	}
	return append(chunk("MOO ", []byte{1, 1, 0, 0}, words(1), []byte("386E")),
		append(chunk("XXXX", []byte{1, 2, 3}),
			chunk("TEST", words(0),
				chunk("NAME", words(7), []byte("inc eax")),
				chunk("BYTS", words(3), []byte{0x66, 0x40, 0xf4}),
				chunk("INIT", chunk("RG32", regs), chunk("RAM ", ram)),
				chunk("FINA", chunk("RG32", words(1<<EAX|1<<EIP|1<<EFLAGS, 0, 0x203, 0xfffc0056)), chunk("RAM ", words(0))))...)...)
}

func TestReplayLayouts(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(wide())
	require.NoError(t, err)
	require.NoError(t, z.Close())
	halting := add(3)
	behind := strings.NewReplacer("[0,200,244]", "[0,200]", `"ip":515`, `"ip":514`).Replace(halting)
	tests := []struct {
		name, data string
		bad        uint64
	}{
		{"JSON, ended by HLT", "[" + halting + "]", 0},
		{"JSON, ended behind the instruction", "[" + behind + "," + behind + "]", 0},
		{"JSON with a wrong result", "[" + add(3) + "," + add(4) + "]", 1},
		{"MOO of 32 bits", string(wide()), 0},
		{"gzip", zipped.String(), 0},
		{"a byte that no test names", "[" + strings.NewReplacer(
			"[0,200,244]", "[136,15,244]", "[4608,0],[4609,200]", "[4608,136],[4609,15]", `"ax":3,`, "", `"flags":6`, `"flags":2`).Replace(halting) + "]", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Read(strings.NewReader(tt.data), "f")
			require.NoError(t, err)
			var first []string
			s := Replay(f, "f", model386, func(_ *Test, what []string) { first = what })
			assert.Equal(t, tt.bad, s.Unexplained(), first)
			assert.Equal(t, uint64(len(f.Tests)), s.Cases)
			assert.Len(t, s.First, int(tt.bad))
		})
	}
}

func TestReadErrorsAreOneLine(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"nothing", "", "f: neither MOO nor a list of JSON objects"},
		{"text", "hello", "f: neither MOO nor a list of JSON objects"},
		{"no gzip", "\x1f\x8bxxxxxxxxxxxxxxxxxxxxx", "f: gzip: invalid header"},
		{"another version", string(chunk("MOO ", []byte{2, 0, 0, 0}, words(1), []byte("8088"))), "f: version 2 of MOO: this reads version 1"},
		{"cut short", string(wide()[:60]), `f: chunk "TEST" of `},
		{"JSON that is none", "[{]", "f: test 0: not in the JSON layout"},
		{"no end", "[" + add(3), "f: the list of tests has no end"},
		{"no register", `[{"initial":{"regs":{"r8":1}}}]`, `f: test 0: no register "r8"`},
		{"no byte", `[{"bytes":[256]}]`, "f: test 0: 256 is not a byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.data), "f")
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// No file panics or hangs, whether it is read or run.
func FuzzReplay(f *testing.F) {
	f.Add(wide())
	f.Add([]byte("[" + add(3) + "]"))
	f.Add([]byte("[" + strings.Replace(add(3), "[0,200,244]", "[240,0,200,244]", 1) + "]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data), "f")
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		file.Tests = file.Tests[:min(len(file.Tests), 4)]
		Replay(file, "f", model386, nil)
	})
}
