package fp

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lines calls visit with each line of a corpus captured from silicon.
func lines(t *testing.T, name string, visit func(line string)) {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if line := sc.Text(); !strings.HasPrefix(line, "#") {
			visit(line)
			n++
		}
	}
	require.Greater(t, n, 5000, "a corpus cut short")
}

// zpc is how COMISD tells an order in EFLAGS, c320 how FCOM does in the status word.
func zpc(o Order) uint64  { return [...]uint64{0x01, 0x40, 0, 0x45}[o] }
func c320(o Order) uint16 { return [...]uint16{0x100, 0x4000, 0, 0x4500}[o] }

// sse are the operations of testdata/sse.txt.
var sse = map[string]func(e *Env, a, b uint64) uint64{
	"addsd":      func(e *Env, a, b uint64) uint64 { return e.Add(&Double, a, b) },
	"subsd":      func(e *Env, a, b uint64) uint64 { return e.Sub(&Double, a, b) },
	"mulsd":      func(e *Env, a, b uint64) uint64 { return e.Mul(&Double, a, b) },
	"divsd":      func(e *Env, a, b uint64) uint64 { return e.Div(&Double, a, b) },
	"minsd":      func(e *Env, a, b uint64) uint64 { return e.Min(&Double, a, b) },
	"maxsd":      func(e *Env, a, b uint64) uint64 { return e.Max(&Double, a, b) },
	"sqrtsd":     func(e *Env, _, b uint64) uint64 { return e.Sqrt(&Double, b) },
	"addss":      func(e *Env, a, b uint64) uint64 { return e.Add(&Single, a, b) },
	"subss":      func(e *Env, a, b uint64) uint64 { return e.Sub(&Single, a, b) },
	"mulss":      func(e *Env, a, b uint64) uint64 { return e.Mul(&Single, a, b) },
	"divss":      func(e *Env, a, b uint64) uint64 { return e.Div(&Single, a, b) },
	"minss":      func(e *Env, a, b uint64) uint64 { return e.Min(&Single, a, b) },
	"maxss":      func(e *Env, a, b uint64) uint64 { return e.Max(&Single, a, b) },
	"sqrtss":     func(e *Env, _, b uint64) uint64 { return e.Sqrt(&Single, b) },
	"cvtsd2ss":   func(e *Env, _, b uint64) uint64 { return e.Convert(&Double, &Single, b) },
	"cvtss2sd":   func(e *Env, _, b uint64) uint64 { return e.Convert(&Single, &Double, b) },
	"comisd":     func(e *Env, a, b uint64) uint64 { return zpc(e.Compare(&Double, a, b, true)) },
	"ucomisd":    func(e *Env, a, b uint64) uint64 { return zpc(e.Compare(&Double, a, b, false)) },
	"cvtsd2si":   func(e *Env, _, b uint64) uint64 { return e.ToInt(&Double, b, 32, e.Round) },
	"cvttsd2si":  func(e *Env, _, b uint64) uint64 { return e.ToInt(&Double, b, 32, Zero) },
	"cvtsd2siq":  func(e *Env, _, b uint64) uint64 { return e.ToInt(&Double, b, 64, e.Round) },
	"cvttsd2siq": func(e *Env, _, b uint64) uint64 { return e.ToInt(&Double, b, 64, Zero) },
	"cvtss2si":   func(e *Env, _, b uint64) uint64 { return e.ToInt(&Single, b, 32, e.Round) },
	"cvtsi2sdq":  func(e *Env, _, b uint64) uint64 { return e.FromInt(&Double, int64(b)) },
	"cvtsi2ssq":  func(e *Env, _, b uint64) uint64 { return e.FromInt(&Single, int64(b)) },
	"roundsd4":   func(e *Env, _, b uint64) uint64 { return e.Integral(&Double, b, e.Round, true) },
	"roundsd9":   func(e *Env, _, b uint64) uint64 { return e.Integral(&Double, b, Down, false) },
}

// TestSSECorpus replays scalar operations in every rounding mode, with DAZ and FTZ.
func TestSSECorpus(t *testing.T) {
	lines(t, "testdata/sse.txt", func(line string) {
		var name string
		var a, b, want uint64
		var mxcsr uint32
		var flags Flags
		_, err := fmt.Sscanf(line, "%s %x %x %x = %x %x", &name, &a, &b, &mxcsr, &want, &flags)
		require.NoError(t, err, line)
		e := Env{Round: Rounding(mxcsr >> 13 & 3), Masked: AllFlags, DAZ: mxcsr&0x40 != 0, FTZ: mxcsr&0x8000 != 0}
		op := sse[name]
		require.NotNil(t, op, line)
		if got := op(&e, a, b); got != want || e.Flags != flags {
			t.Errorf("%s: got %x %x", line, got, e.Flags)
		}
	})
}

// x87 are the operations of testdata/x87.txt: they give a result, and the
// conditions if they compare.
var x87 = map[string]func(e *Env, a, b F80) (F80, uint16){
	"fadd":    func(e *Env, a, b F80) (F80, uint16) { return e.Arith80(OpAdd, FromRegister(a), FromRegister(b)), 0 },
	"fsub":    func(e *Env, a, b F80) (F80, uint16) { return e.Arith80(OpSub, FromRegister(a), FromRegister(b)), 0 },
	"fmul":    func(e *Env, a, b F80) (F80, uint16) { return e.Arith80(OpMul, FromRegister(a), FromRegister(b)), 0 },
	"fdiv":    func(e *Env, a, b F80) (F80, uint16) { return e.Arith80(OpDiv, FromRegister(a), FromRegister(b)), 0 },
	"fsqrt":   func(e *Env, a, _ F80) (F80, uint16) { return e.Sqrt80(a), 0 },
	"frndint": func(e *Env, a, _ F80) (F80, uint16) { return e.Integral80(a), 0 },
	"fcom": func(e *Env, a, b F80) (F80, uint16) {
		return a, c320(e.Compare80(FromRegister(a), FromRegister(b), true))
	},
	"fucom": func(e *Env, a, b F80) (F80, uint16) {
		return a, c320(e.Compare80(FromRegister(a), FromRegister(b), false))
	},
	"ftst": func(e *Env, a, _ F80) (F80, uint16) {
		return a, c320(e.Compare80(FromRegister(a), FromRegister(F80{}), true))
	},
	"fsts":    func(e *Env, a, _ F80) (F80, uint16) { return F80{Sig: e.Store80(&Single, a)}, 0 },
	"fstl":    func(e *Env, a, _ F80) (F80, uint16) { return F80{Sig: e.Store80(&Double, a)}, 0 },
	"fistps":  func(e *Env, a, _ F80) (F80, uint16) { return F80{Sig: e.ToInt80(a, 16, e.Round)}, 0 },
	"fistpl":  func(e *Env, a, _ F80) (F80, uint16) { return F80{Sig: e.ToInt80(a, 32, e.Round)}, 0 },
	"fistpq":  func(e *Env, a, _ F80) (F80, uint16) { return F80{Sig: e.ToInt80(a, 64, e.Round)}, 0 },
	"fisttpl": func(e *Env, a, _ F80) (F80, uint16) { return F80{Sig: e.ToInt80(a, 32, Zero)}, 0 },
	"flds":    func(e *Env, a, _ F80) (F80, uint16) { return e.Load80(&Single, a.Sig&0xffffffff), 0 },
	"fldl":    func(e *Env, a, _ F80) (F80, uint16) { return e.Load80(&Double, a.Sig), 0 },
	"fildq":   func(e *Env, a, _ F80) (F80, uint16) { return FromInt80(int64(a.Sig)), 0 },
}

// TestX87Corpus replays operations in every rounding mode and precision, with
// exceptions masked and not.
func TestX87Corpus(t *testing.T) {
	lines(t, "testdata/x87.txt", func(line string) {
		var name string
		var a, b, want F80
		var cw, sw uint16
		_, err := fmt.Sscanf(line, "%s %x %x %x %x %x = %x %x %x", &name, &a.Sig, &a.SE, &b.Sig, &b.SE, &cw, &want.Sig, &want.SE, &sw)
		require.NoError(t, err, line)
		e := Env{Round: Rounding(cw >> 10 & 3), Masked: Flags(cw & 63), X87: true, Precision: [...]uint8{24, 0, 53, 64}[cw>>8&3]}
		op := x87[name]
		require.NotNil(t, op, line)
		got, status := op(&e, a, b)
		stores := strings.HasPrefix(name, "fst")
		loads := strings.HasPrefix(name, "fld") || name == "fildq"
		if u := e.Unmasked(); u&(Invalid|Denormal|ZeroDiv) != 0 || stores && u&(Overflow|Underflow) != 0 {
			// Nothing is written: not ST(0), the memory, the stack, the conditions.
			got = a
			switch {
			case stores || strings.HasPrefix(name, "fis"):
				got = F80{Sig: 0x5555}
			case loads:
				got = want
			}
			status = sw & 0x4500
		}
		status |= uint16(e.Flags)
		if e.RoundedUp && !loads {
			status |= 0x200
		}
		if strings.HasPrefix(name, "fis") {
			width := map[string]uint{"fistps": 16, "fistpl": 32, "fistpq": 64, "fisttpl": 32}[name]
			want.Sig &= ^uint64(0) >> (64 - width)
		}
		if got != want || status != sw&0x473f {
			t.Errorf("%s: got %x %x %x", line, got.Sig, got.SE, status)
		}
	})
}
