package simd

import (
	"math/rand/v2"
	"testing"
)

func within(v, low, high int64) int64 { return min(max(v, low), high) }

func ifTrue(b bool) int64 {
	if b {
		return -1
	}
	return 0
}

func sign(v int64) int64 { return within(v, -1, 1) }

// The operations that work on all lanes at once, each beside what the manual says of one lane.
var laneRules = []struct {
	rule   string
	op     Op
	size   int
	signed bool
	lane   func(a, b int64) int64
}{
	{"PADDB wraps", PADDB, 1, false, func(a, b int64) int64 { return a + b }},
	{"PADDW wraps", PADDW, 2, false, func(a, b int64) int64 { return a + b }},
	{"PADDD wraps", PADDD, 4, false, func(a, b int64) int64 { return a + b }},
	{"PSUBB wraps", PSUBB, 1, false, func(a, b int64) int64 { return a - b }},
	{"PSUBW wraps", PSUBW, 2, false, func(a, b int64) int64 { return a - b }},
	{"PSUBD wraps", PSUBD, 4, false, func(a, b int64) int64 { return a - b }},
	{"PADDSB saturates", PADDSB, 1, true, func(a, b int64) int64 { return within(a+b, -0x80, 0x7f) }},
	{"PADDSW saturates", PADDSW, 2, true, func(a, b int64) int64 { return within(a+b, -0x8000, 0x7fff) }},
	{"PSUBSB saturates", PSUBSB, 1, true, func(a, b int64) int64 { return within(a-b, -0x80, 0x7f) }},
	{"PSUBSW saturates", PSUBSW, 2, true, func(a, b int64) int64 { return within(a-b, -0x8000, 0x7fff) }},
	{"PADDUSB saturates", PADDUSB, 1, false, func(a, b int64) int64 { return within(a+b, 0, 0xff) }},
	{"PADDUSW saturates", PADDUSW, 2, false, func(a, b int64) int64 { return within(a+b, 0, 0xffff) }},
	{"PSUBUSB saturates", PSUBUSB, 1, false, func(a, b int64) int64 { return within(a-b, 0, 0xff) }},
	{"PSUBUSW saturates", PSUBUSW, 2, false, func(a, b int64) int64 { return within(a-b, 0, 0xffff) }},
	{"PMULLW keeps the low half", PMULLW, 2, true, func(a, b int64) int64 { return a * b }},
	{"PMULHW keeps the high half", PMULHW, 2, true, func(a, b int64) int64 { return a * b >> 16 }},
	{"PMULHUW keeps the high half", PMULHUW, 2, false, func(a, b int64) int64 { return a * b >> 16 }},
	{"PMULHRSW rounds", PMULHRSW, 2, true, func(a, b int64) int64 { return (a*b>>14 + 1) >> 1 }},
	{"PMULLD keeps the low half", PMULLD, 4, true, func(a, b int64) int64 { return a * b }},
	{"PAVGB rounds up", PAVGB, 1, false, func(a, b int64) int64 { return (a + b + 1) >> 1 }},
	{"PAVGW rounds up", PAVGW, 2, false, func(a, b int64) int64 { return (a + b + 1) >> 1 }},
	{"PMINUB", PMINUB, 1, false, func(a, b int64) int64 { return min(a, b) }},
	{"PMINUW", PMINUW, 2, false, func(a, b int64) int64 { return min(a, b) }},
	{"PMINUD", PMINUD, 4, false, func(a, b int64) int64 { return min(a, b) }},
	{"PMINSB", PMINSB, 1, true, func(a, b int64) int64 { return min(a, b) }},
	{"PMINSW", PMINSW, 2, true, func(a, b int64) int64 { return min(a, b) }},
	{"PMINSD", PMINSD, 4, true, func(a, b int64) int64 { return min(a, b) }},
	{"PMAXUB", PMAXUB, 1, false, func(a, b int64) int64 { return max(a, b) }},
	{"PMAXUW", PMAXUW, 2, false, func(a, b int64) int64 { return max(a, b) }},
	{"PMAXUD", PMAXUD, 4, false, func(a, b int64) int64 { return max(a, b) }},
	{"PMAXSB", PMAXSB, 1, true, func(a, b int64) int64 { return max(a, b) }},
	{"PMAXSW", PMAXSW, 2, true, func(a, b int64) int64 { return max(a, b) }},
	{"PMAXSD", PMAXSD, 4, true, func(a, b int64) int64 { return max(a, b) }},
	{"PABSB", PABSB, 1, true, func(_, b int64) int64 { return max(b, -b) }},
	{"PABSW", PABSW, 2, true, func(_, b int64) int64 { return max(b, -b) }},
	{"PABSD", PABSD, 4, true, func(_, b int64) int64 { return max(b, -b) }},
	{"PSIGNB", PSIGNB, 1, true, func(a, b int64) int64 { return a * sign(b) }},
	{"PSIGNW", PSIGNW, 2, true, func(a, b int64) int64 { return a * sign(b) }},
	{"PSIGND", PSIGND, 4, true, func(a, b int64) int64 { return a * sign(b) }},
	{"PCMPEQB", PCMPEQB, 1, false, func(a, b int64) int64 { return ifTrue(a == b) }},
	{"PCMPEQW", PCMPEQW, 2, false, func(a, b int64) int64 { return ifTrue(a == b) }},
	{"PCMPEQD", PCMPEQD, 4, false, func(a, b int64) int64 { return ifTrue(a == b) }},
	{"PCMPGTB", PCMPGTB, 1, true, func(a, b int64) int64 { return ifTrue(a > b) }},
	{"PCMPGTW", PCMPGTW, 2, true, func(a, b int64) int64 { return ifTrue(a > b) }},
	{"PCMPGTD", PCMPGTD, 4, true, func(a, b int64) int64 { return ifTrue(a > b) }},
	{"PSRAW copies the sign", func(d, _ Vec, _ int) Vec { return Arithmetic(d, 3, 2) }, 2, true, func(a, _ int64) int64 { return a >> 3 }},
	{"PSRAD by more than the lane is the sign", func(d, _ Vec, _ int) Vec { return Arithmetic(d, 40, 4) }, 4, true, func(a, _ int64) int64 { return a >> 40 }},
	{"PSLLW loses the top", func(d, _ Vec, _ int) Vec { return Left(d, 5, 2) }, 2, false, func(a, _ int64) int64 { return a << 5 }},
	{"PSRLD brings in zeros", func(d, _ Vec, _ int) Vec { return Right(d, 5, 4) }, 4, false, func(a, _ int64) int64 { return a >> 5 }},
}

func TestLaneRules(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ends := []uint64{0, 1, 0x7f, 0x80, 0x81, 0xff}
	operand := func() (v Vec) {
		for i := range 16 {
			x := ends[r.IntN(len(ends))]
			if r.IntN(3) == 0 {
				x = r.Uint64()
			}
			v.SetLane(i, 1, x)
		}
		return v
	}
	for _, c := range laneRules {
		t.Run(c.rule, func(t *testing.T) {
			for range 2000 {
				d, s := operand(), operand()
				if r.IntN(4) == 0 {
					s.Lo = d.Lo
				}
				var want Vec
				for i := range 16 / c.size {
					a, b := d.Lane(i, c.size), s.Lane(i, c.size)
					if sh := 64 - 8*c.size; c.signed {
						a, b = uint64(int64(a<<sh)>>sh), uint64(int64(b<<sh)>>sh)
					}
					want.SetLane(i, c.size, uint64(c.lane(int64(a), int64(b))))
				}
				if got := c.op(d, s, 16); got != want {
					t.Fatalf("%x, %x: %x, not %x", d, s, got, want)
				}
			}
		})
	}
}
