package cpu

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/mmu"
)

// hwLines calls visit with the code and the numbers of each line of a compressed corpus.
func hwLines(t *testing.T, name string, visit func(line string, code []byte, v []uint64)) {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	n := 0
	for sc := bufio.NewScanner(z); sc.Scan(); n++ {
		line := sc.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(strings.Replace(line, "= ", "", 1))
		code, err := hex.DecodeString(words[0])
		require.NoError(t, err)
		v := make([]uint64, len(words)-1)
		for i, w := range words[1:] {
			v[i], err = strconv.ParseUint(w, 16, 64)
			require.NoError(t, err)
		}
		visit(line, code, v)
	}
	require.Greater(t, n, 2000, "a corpus cut short")
}

// floatCPU is a processor about to run code, its units ready for use.
func floatCPU(c *testCPU, code []byte) State {
	s := c.State()
	s.CR0 = s.CR0&^(mmu.CR0EM|mmu.CR0TS) | mmu.CR0NE
	s.CR4 |= mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT
	s.FP = resetFP()
	s.RIP = testCode
	c.mmu.Mem.WriteBytes(testCode, append(append([]byte{}, code...), 0x90, 0x90))
	return s
}

// TestSIMDCorpus replays register forms of MMX and SSE to SSE4.2, AES, PCLMULQDQ and SHA.
func TestSIMDCorpus(t *testing.T) {
	c := newTestCPU(t, "long")
	hwLines(t, "testdata/simd.txt.gz", func(line string, code []byte, v []uint64) {
		s := floatCPU(c, code)
		load := func(s *State, v []uint64) {
			for i := range 4 {
				s.FP.XMM[i] = simd.Vec{Lo: v[2*i], Hi: v[2*i+1]}
				s.FP.R[i].Sig = v[8+i]
			}
			s.GPR[0], s.GPR[1], s.GPR[2] = v[12], v[13], v[14]
			s.FP.MXCSR = uint32(v[15])
			s.RFLAGS = v[16]&arithFlags | 2
		}
		load(&s, v)
		c.SetState(s)
		c.Step()
		got := c.State()
		want := got
		load(&want, v[17:])
		want.RIP = testCode + uint64(len(code))
		if got != want {
			t.Errorf("%s\ngot XMM %x MM %x GPR %x MXCSR %x RFLAGS %x", line, got.FP.XMM[:4], got.FP.R[:4], got.GPR[:3], got.FP.MXCSR, got.RFLAGS)
		}
	})
}

// x87Unlike lists the instructions of the x87 corpus in which the manual, which is
// followed, and the processor it was captured on differ, and how far.
var x87Unlike = map[decode.Op]struct {
	sw    uint16 // bits of the status word
	flags uint64 // bits of EFLAGS
	ulps  uint64 // last places of a result
	load  bool   // an unmasked denormal operand is pushed by AMD
}{
	// With an unmasked invalid operand AMD sets the conditions all the same. [SDM 2, FCOM/FCOMP/FCOMPP]
	decode.FCOM: {sw: 0x4500}, decode.FCOMP: {sw: 0x4500}, decode.FCOMPP: {sw: 0x4500}, decode.FICOM: {sw: 0x4500}, decode.FICOMP: {sw: 0x4500},
	decode.FUCOM: {sw: 0x4500}, decode.FUCOMP: {sw: 0x4500}, decode.FUCOMPP: {sw: 0x4500}, decode.FTST: {sw: 0x4500},
	// AMD leaves C1 of FCOMI. [SDM 2, FCOMI/FCOMIP/FUCOMI/FUCOMIP]
	decode.FCOMI: {sw: swC1, flags: arithFlags}, decode.FCOMIP: {sw: swC1, flags: arithFlags},
	decode.FUCOMI: {sw: swC1, flags: arithFlags}, decode.FUCOMIP: {sw: swC1, flags: arithFlags},
	// TOP and operands stay with an unmasked denormal operand. [SDM 1, Denormal Operand Exception (#D)]
	decode.FLD: {load: true},
	// Within one unit in the last place. [SDM 1, Transcendental Instruction Accuracy]
	decode.FSIN: {ulps: 1, sw: swC1}, decode.FCOS: {ulps: 1, sw: swC1}, decode.FSINCOS: {ulps: 1, sw: swC1}, decode.FPTAN: {ulps: 1, sw: swC1},
	decode.F2XM1: {ulps: 1, sw: swC1}, decode.FYL2X: {ulps: 1, sw: swC1}, decode.FYL2XP1: {ulps: 1, sw: swC1}, decode.FPATAN: {ulps: 1, sw: swC1},
}

// TestX87Corpus replays every x87 form in every rounding mode and precision, with
// exceptions masked and not, empty and full stacks.
func TestX87Corpus(t *testing.T) {
	c := newTestCPU(t, "long")
	exact, near := 0, 0
	hwLines(t, "testdata/x87.txt.gz", func(line string, code []byte, v []uint64) {
		s := floatCPU(c, code)
		load := func(s *State, v []uint64) {
			s.FP.CW, s.FP.SW, s.FP.Used = uint16(v[0]), uint16(v[1]), uint8(v[2])
			for i := range uint8(8) {
				*s.FP.st(i) = fp.F80{Sig: v[3+2*i], SE: uint16(v[4+2*i])}
			}
			s.RFLAGS = v[21]&arithFlags | 2
		}
		load(&s, v)
		s.GPR[0] = testData
		c.mmu.Mem.Write(testData, 8, v[19])
		c.mmu.Mem.Write(testData+8, 8, v[20])
		c.SetState(s)
		c.Step()
		var in decode.Inst
		require.Equal(t, decode.OK, c.dec.Decode(&in, append(append([]byte{}, code...), make([]byte, 8)...), decode.Mode64))
		unlike := x87Unlike[in.Op]
		got := c.State()
		want := got
		load(&want, v[22:])
		want.RIP = testCode + uint64(len(code))
		if unlike.load && want.FP.SW&swES != 0 && want.FP.SW&uint16(fp.Denormal) != 0 {
			return
		}
		for i := range uint8(8) {
			if a, b := got.FP.st(i), want.FP.st(i); *a != *b && a.SE == b.SE && max(a.Sig, b.Sig)-min(a.Sig, b.Sig) <= unlike.ulps {
				*b = *a
				near++
			} else if unlike.ulps > 0 {
				exact++
			}
		}
		want.FP.SW = want.FP.SW&^unlike.sw | got.FP.SW&unlike.sw
		want.RFLAGS = want.RFLAGS&^unlike.flags | got.RFLAGS&unlike.flags
		if code[0] == 0xdf && code[1] == 0xe0 {
			want.GPR[0] = testData&^0xffff | v[44]
		}
		if got != want || c.mmu.Mem.Read(testData, 8) != v[41] || c.mmu.Mem.Read(testData+8, 8) != v[42] {
			t.Errorf("%v %s\ngot CW %x SW %x used %x ST %x mem %x RFLAGS %x", in.Op, line, got.FP.CW, got.FP.SW, got.FP.Used, got.FP.R, c.mmu.Mem.Read(testData, 8), got.RFLAGS)
		}
	})
	require.Less(t, near*20, exact, "transcendental results that are off by one")
}
