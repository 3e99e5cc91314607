package fp

import (
	"math/rand/v2"
	"testing"
)

// hostOps are what the host computes where it may, each beside the way in integers.
var hostOps = []struct {
	name       string
	fast, slow func(e *Env, f *Format, a, b uint64) uint64
}{
	{"add", applied(OpAdd), inIntegers(OpAdd)},
	{"sub", applied(OpSub), inIntegers(OpSub)},
	{"mul", applied(OpMul), inIntegers(OpMul)},
	{"div", applied(OpDiv), inIntegers(OpDiv)},
	{"sqrt", applied(OpSqrt), func(e *Env, f *Format, _, b uint64) uint64 { return e.Sqrt(f, b) }},
	{"compare",
		func(e *Env, f *Format, a, b uint64) uint64 { return uint64(e.Compare(f, a, b, true)) },
		func(e *Env, f *Format, a, b uint64) uint64 {
			x, y := e.load(f, a), e.load(f, b)
			return uint64(e.compare(&x, &y, true))
		}},
	{"to int32", converted(32, false), convertedInIntegers(32, false)},
	{"to int64", converted(64, false), convertedInIntegers(64, false)},
	{"truncate to int32", converted(32, true), convertedInIntegers(32, true)},
	{"truncate to int64", converted(64, true), convertedInIntegers(64, true)},
	{"from int32",
		func(e *Env, f *Format, a, _ uint64) uint64 { return e.FromInt(f, int64(int32(a))) },
		func(e *Env, f *Format, a, _ uint64) uint64 {
			n := fromInt(int64(int32(a)))
			return f.pack(e, &n)
		}},
	{"from int64",
		func(e *Env, f *Format, a, _ uint64) uint64 { return e.FromInt(f, int64(a)) },
		func(e *Env, f *Format, a, _ uint64) uint64 {
			n := fromInt(int64(a))
			return f.pack(e, &n)
		}},
	{"other format",
		func(e *Env, f *Format, a, _ uint64) uint64 { return e.Convert(f, otherThan(f), a) },
		func(e *Env, f *Format, a, _ uint64) uint64 {
			n := e.load(f, a)
			r := e.converted(&n)
			return otherThan(f).pack(e, &r)
		}},
}

func applied(op Operation) func(e *Env, f *Format, a, b uint64) uint64 {
	return func(e *Env, f *Format, a, b uint64) uint64 { return e.Apply(op, f, a, b) }
}

func inIntegers(op Operation) func(e *Env, f *Format, a, b uint64) uint64 {
	return func(e *Env, f *Format, a, b uint64) uint64 { return e.binary(f, a, b, op) }
}

func rounding(e *Env, cut bool) Rounding {
	if cut {
		return Zero
	}
	return e.Round
}

func converted(width uint, cut bool) func(e *Env, f *Format, a, b uint64) uint64 {
	return func(e *Env, f *Format, a, _ uint64) uint64 { return e.ToInt(f, a, width, rounding(e, cut)) }
}

func convertedInIntegers(width uint, cut bool) func(e *Env, f *Format, a, b uint64) uint64 {
	return func(e *Env, f *Format, a, _ uint64) uint64 {
		n := e.load(f, a)
		return e.toInt(&n, width, rounding(e, cut))
	}
}

func otherThan(f *Format) *Format {
	if f == &Double {
		return &Single
	}
	return &Double
}

// sameAsIntegers holds one operation of the host's to that in integers, flags included.
func sameAsIntegers(t *testing.T, op, mode uint8, a, b uint64) {
	o := hostOps[int(op)%len(hostOps)]
	f, mask := &Double, ^uint64(0)
	if mode&4 != 0 {
		f, mask = &Single, 0xffffffff
	}
	if o.name != "from int64" {
		a &= mask
	}
	fast := Env{Masked: AllFlags, Round: Rounding(mode & 3), DAZ: mode&8 != 0, FTZ: mode&16 != 0}
	if mode&32 != 0 {
		fast.Flags = Inexact
	}
	slow := fast
	got, want := o.fast(&fast, f, a, b&mask), o.slow(&slow, f, a, b&mask)
	if got != want || fast.Flags != slow.Flags {
		t.Fatalf("%s, mode %#x, of %x, %x: %x %x, in integers %x %x", o.name, mode, a, b&mask, got, fast.Flags, want, slow.Flags)
	}
	if f == &Single && int(op)%len(hostOps) <= int(OpSqrt) {
		// Both singles of a quadword at once, these in the upper half.
		both := Env{Masked: AllFlags, Round: slow.Round, DAZ: slow.DAZ, FTZ: slow.FTZ}
		x := Env{Masked: AllFlags, Round: slow.Round, DAZ: slow.DAZ, FTZ: slow.FTZ}
		two := uint64(0x40000000)
		if v := both.Apply2(Operation(int(op)%len(hostOps)), two|a<<32, two|b<<32); v>>32 != want {
			t.Fatalf("%s, mode %#x, of %x, %x in the upper half: %x, in integers %x", o.name, mode, a, b&mask, v>>32, want)
		}
		o.slow(&x, f, a, b&mask)
		o.slow(&x, f, two, two)
		if both.Flags != x.Flags {
			t.Fatalf("%s, mode %#x, of %x, %x in the upper half: flags %x, in integers %x", o.name, mode, a, b&mask, both.Flags, x.Flags)
		}
	}
}

func TestHost(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	// Numbers near each other, with few bits, at ends of ranges.
	number := func() uint64 {
		v := r.Uint64()
		switch r.IntN(5) {
		case 0:
			v &^= 1<<40 - 1
		case 1:
			v = v&^(0x7ff<<52) | uint64(1013+r.IntN(80))<<52
		case 2:
			v = v&0x807fffff807fffff | uint64(117+r.IntN(50))<<23 | uint64(117+r.IntN(50))<<55
		case 3:
			v = uint64(int64(v) >> r.IntN(64))
		}
		return v
	}
	for i := range 400000 {
		sameAsIntegers(t, uint8(i), uint8(r.Uint32()), number(), number())
	}
}

// FuzzHost holds the host's arithmetic to that in integers.
func FuzzHost(f *testing.F) {
	f.Add(uint8(0), uint8(0), uint64(0x3ff0000000000000), uint64(0x3ca0000000000000))
	f.Add(uint8(2), uint8(0), uint64(0x3fb999999999999a), uint64(0x4008000000000000))
	f.Add(uint8(3), uint8(32), uint64(0x3ff0000000000000), uint64(0x4008000000000000))
	f.Add(uint8(0), uint8(4), uint64(0x3f800000), uint64(0x40400000))
	f.Add(uint8(12), uint8(0), uint64(0x47efffffefffffff), uint64(0))
	f.Fuzz(sameAsIntegers)
}
