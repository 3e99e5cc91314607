package debug

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu/fp"
	"x86emu/guest"
)

// Why a unit faulted: the bits of CR0, or the exceptions that are not masked, and
// for the x87 who raised them.
func TestFloatFaults(t *testing.T) {
	const (
		setCR0  = "\x0f\x20\xc0\x83\xc8"              // mov eax,cr0; or eax, (byte)
		done    = "\x0f\x22\xc0"                      // mov cr0,eax
		ne      = setCR0 + "\x22" + done + "\xdb\xe3" // NE, MP; fninit
		fld1    = "\xd9\xe8"
		osfxsr  = "\x0f\x20\xe0\x0d\x00\x06\x00\x00\x0f\x22\xe0" // CR4.OSFXSR and OSXMMEXCPT
		mxcsrZE = "\x68\x80\x1d\x00\x00\x0f\xae\x14\x24"         // push 0x1d80; ldmxcsr [esp]
	)
	for _, c := range []struct {
		name, code string
		want       FloatFault
		text       []string // lines of the story
	}{
		{"TS", setCR0 + "\x08" + done + fld1, FloatFault{Why: "CR0.TS is set: the registers may be another task's", CR0: "TS"}, nil},
		{"EM", setCR0 + "\x04" + done + fld1, FloatFault{Why: "CR0.EM is set: the x87 is to be emulated", CR0: "EM"}, nil},
		{"WAIT with MP and TS", setCR0 + "\x0a" + done + "\x9b", FloatFault{Why: "CR0.TS is set: the registers may be another task's", CR0: "TS"}, nil},
		{
			// push 0x37b; fldcw [esp]; fld1; fldz; fdivp; fwait
			"division by zero", ne + "\x68\x7b\x03\x00\x00\xd9\x2c\x24" + fld1 + "\xd9\xee\xde\xf9" + "\x9b",
			FloatFault{
				Why: "the x87's status word notes ZE; not masked: ZE", Raised: "ZE", Unmasked: "ZE", Status: hexOf(uint16(0xb084)), Control: hexOf(uint16(0x37b)),
				By: &FloatInst{RIP: 0x517, Opcode: "de f9", Text: "fdivp st(1),st"},
			},
			[]string{"FSW 0xb084, FCW 0x37b", "last instruction 0x517, opcode de f9  fdivp st(1),st\n  returns to"},
		},
		{
			// push 0x37e; fldcw [esp]; fadd dword [esp]; fld1
			"an empty register", ne + "\x68\x7e\x03\x00\x00\xd9\x2c\x24\xd8\x04\x24" + fld1,
			FloatFault{
				Why: "the x87's status word notes IE SF; not masked: IE", Raised: "IE SF", Unmasked: "IE", Status: hexOf(uint16(0x80c1)), Control: hexOf(uint16(0x37e)),
				By: &FloatInst{RIP: 0x513, Opcode: "d8 04", Text: "fadd DWORD PTR [esp]", Operand: 0x8fffc},
			},
			[]string{"last operand in memory 0x8fffc"},
		},
		{
			// mov eax,1; cvtsi2ss xmm0,eax; divss xmm0,xmm1
			"SSE", osfxsr + mxcsrZE + "\xb8\x01\x00\x00\x00\xf3\x0f\x2a\xc0\xf3\x0f\x5e\xc1",
			FloatFault{Why: "MXCSR notes ZE; not masked: ZE", Raised: "ZE", Unmasked: "ZE", Status: hexOf(uint32(0x1d84)), Control: hexOf(uint32(0x1d84))},
			[]string{"MXCSR 0x1d84"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := explain(t, load(t, guest.Mode32, c.code+"\xf4"), ExplainOptions{Count: 1})[0]
			taken := s.Events[0].Find(StageEvent).Event
			require.NotNil(t, taken.Float)
			assert.Equal(t, c.want, *taken.Float)
			told := text(t, []*Story{s})
			assert.Contains(t, told, "\n  cause        "+c.want.Why+"\n")
			for _, part := range c.text {
				assert.Contains(t, told, part)
			}
			assert.Nil(t, s.Events[1].Find(StageEvent).Event.Float, "#GP is no fault of a unit")
		})
	}
}

func TestFloat80(t *testing.T) {
	for _, c := range []struct {
		v    fp.F80
		want string
	}{
		{fp.F80{}, "0"},
		{fp.F80{SE: 0x8000}, "-0"},
		{fp.F80{Sig: 1 << 63, SE: 0x3fff}, "1"},
		{fp.F80{Sig: 0xc90fdaa22168c235, SE: 0xc000}, "-3.1415926535897932385"},
		{fp.F80{Sig: 1 << 63, SE: 0x7fff}, "inf"},
		{fp.F80{Sig: 1 << 63, SE: 0xffff}, "-inf"},
		{fp.F80{Sig: 0xc000000000000000, SE: 0x7fff}, "NaN"},
		{fp.F80{Sig: 0x8000000000000001, SE: 0x7fff}, "SNaN"},
		{fp.F80{Sig: 1, SE: 0x3fff}, "unsupported"},
		{fp.F80{Sig: 1}, "3.6451995318824746025e-4951"},
		{fp.F80{Sig: math.MaxUint64, SE: 0x7ffe}, "1.189731495357231765e+4932"},
	} {
		assert.Equal(t, c.want, Float80(c.v, -1), "%+v", c.v)
	}
}

func TestWordsOfUnits(t *testing.T) {
	assert.Equal(t, "IE PE, round up, FTZ, unmasked ZE", MXCSRWords(0x1f80&^0x200|0x21|2<<13|1<<15))
	assert.Equal(t, "round nearest", MXCSRWords(0x1f80))
	singles, doubles := Lanes(math.Float64bits(1.5), math.Float64bits(-2))
	assert.Equal(t, "0 1.9375 0 -2", singles)
	assert.Equal(t, "1.5 -2", doubles)
}
