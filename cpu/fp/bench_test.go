package fp

import "testing"

func BenchmarkOps(b *testing.B) {
	e := Env{Masked: AllFlags, Precision: 64}
	x, y := uint64(0x3ff123456789abcd), uint64(0x4000fedcba987654)
	for _, op := range []struct {
		name string
		f    func() uint64
	}{
		{"add", func() uint64 { return e.Add(&Double, x, y) }},
		{"mul", func() uint64 { return e.Mul(&Double, x, y) }},
		{"div", func() uint64 { return e.Div(&Double, x, y) }},
		{"sqrt", func() uint64 { return e.Sqrt(&Double, x) }},
		{"add80", func() uint64 {
			return e.Arith80(OpAdd, FromRegister(F80{x | 1<<63, 0x3fff}), FromRegister(F80{y | 1<<63, 0x3ffe})).Sig
		}},
	} {
		b.Run(op.name, func(b *testing.B) {
			for b.Loop() {
				op.f()
			}
		})
	}
}
