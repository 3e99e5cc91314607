package cpu

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// corpusCase is one line of testdata/int*.txt: registers rAX, rBX, rCX, rDX,
// perhaps four quadwords of memory, flags.
type corpusCase struct {
	line     int
	in, want []uint64 // want is nil for #DE
}

// corpusGroup is an instruction with its cases.
type corpusGroup struct {
	code  []byte
	text  string
	cases []corpusCase
}

// readCorpus reads a file in the form that the file itself describes.
func readCorpus(t testing.TB, name string) (groups []corpusGroup) {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	sc := bufio.NewScanner(f)
	for line := 1; sc.Scan(); line++ {
		s := sc.Text()
		if strings.HasPrefix(s, "#") {
			continue
		}
		if head, ok := strings.CutPrefix(s, "@ "); ok {
			bytes, text, _ := strings.Cut(head, " ")
			code, err := hex.DecodeString(bytes)
			require.NoError(t, err)
			groups = append(groups, corpusGroup{code: code, text: text})
			continue
		}
		left, right, ok := strings.Cut(s, " = ")
		require.True(t, ok, "%s:%d", name, line)
		c := corpusCase{line: line}
		for _, w := range strings.Fields(left) {
			v, err := strconv.ParseUint(w, 16, 64)
			require.NoError(t, err)
			c.in = append(c.in, v)
		}
		if right != "#DE" {
			for i, w := range strings.Fields(right) {
				v := c.in[i]
				if w != "." {
					v, err = strconv.ParseUint(w, 16, 64)
					require.NoError(t, err)
				}
				c.want = append(c.want, v)
			}
			require.Len(t, c.want, len(c.in))
		}
		g := &groups[len(groups)-1]
		g.cases = append(g.cases, c)
	}
	require.NoError(t, sc.Err())
	return groups
}

// unlike gives the flags that our choice for an operation lets differ from the
// processor on which the corpus was captured.
func unlike(op decode.Op) (mask uint64) {
	for _, u := range undefinedFlags {
		for _, o := range u.ops {
			if o == op && !u.hw {
				mask |= u.flags
			}
		}
	}
	return mask
}

// Every case captured from silicon gives the same registers, memory and flags
// here, by its handler and in a block of the run loop, the flags of
// undefinedFlags without hw excepted.
func TestIntegerCorpus(t *testing.T) {
	for _, f := range []struct{ file, mode string }{{"testdata/int64.txt", "long"}, {"testdata/int32.txt", "pm32"}} {
		groups := readCorpus(t, f.file)
		for _, loop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/loop=%v", f.mode, loop), func(t *testing.T) {
				c := newTestCPU(t, f.mode)
				c.dec.Features |= decode.FeatBMI1 // TZCNT, which no model offers
				for i := range groups {
					c.replayGroup(t, f.file, &groups[i], loop)
				}
			})
		}
	}
}

func (c *testCPU) replayGroup(t *testing.T, file string, g *corpusGroup, loop bool) {
	var in decode.Inst
	if st := c.dec.Decode(&in, g.code, c.mode); st != decode.OK || int(in.Len) != len(g.code) {
		t.Errorf("%s: %s: decode status %d, length %d", file, g.text, st, in.Len)
		return
	}
	mask := unlike(in.Op)
	const mem = testData
	for i, b := range append(g.code[:len(g.code):len(g.code)], 0xf4) {
		c.mmu.Mem.Write(testCode+mmu.Phys(i), 1, uint64(b))
	}
	for _, k := range g.cases {
		n := len(k.in)
		for i, r := range [4]uint8{rAX, rBX, rCX, rDX} {
			c.r[r] = k.in[i]
		}
		for i, v := range k.in[4 : n-1] {
			c.mmu.Mem.Write(mmu.Phys(mem+8*i), 8, v)
		}
		c.r[rSI] = mem + 8
		c.setArith(k.in[n-1])
		c.ip = testCode
		c.next = testCode + uint64(in.Len)
		if loop {
			if k.want == nil {
				continue
			}
			c.s.Halted = false
			if stop := c.Run(c.Ticks() + 100); stop != StopHalt || c.ip != testCode+uint64(in.Len)+1 {
				t.Errorf("%s:%d: %s: stop %v at %x", file, k.line, g.text, stop, c.ip)
				continue
			}
		} else if ok := c.exec(&in); !ok || k.want == nil {
			if ok || k.want != nil || c.fault != (idt.Event{Vector: idt.VecDE}) {
				t.Errorf("%s:%d: %s: completed %v, fault %+v", file, k.line, g.text, ok, c.fault)
			}
			continue
		}
		got := []uint64{c.r[rAX], c.r[rBX], c.r[rCX], c.r[rDX]}
		for i := range k.in[4 : n-1] {
			got = append(got, c.mmu.Mem.Read(mmu.Phys(mem+8*i), 8))
		}
		got = append(got, c.arith()&^mask)
		want := append([]uint64(nil), k.want...)
		want[n-1] &^= mask
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:%d: %s\n  in   %x\n  got  %x\n  want %x", file, k.line, g.text, k.in, got, want)
		}
	}
}
