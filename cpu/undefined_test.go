package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
)

// Each constant choice of undefinedFlags is what the handlers do, whatever the
// flags were before.
func TestUndefinedFlagsAreAsChosen(t *testing.T) {
	forms := map[decode.Op]string{
		decode.AND: "21 d8", decode.OR: "09 d8", decode.XOR: "31 d8", decode.TEST: "85 d8",
		decode.MUL: "f7 e3", decode.IMUL: "0f af c3", decode.DIV: "f7 f3", decode.IDIV: "f7 fb",
		decode.SHL: "d3 e0", decode.SHR: "d3 e8", decode.SAR: "d3 f8", decode.SHLD: "0f a5 d8", decode.SHRD: "0f ad d8",
		decode.ROL: "d3 c0", decode.ROR: "d3 c8", decode.RCL: "d3 d0", decode.RCR: "d3 d8",
		decode.BT: "0f a3 d8", decode.BTS: "0f ab d8", decode.BTR: "0f b3 d8", decode.BTC: "0f bb d8",
		decode.BSF: "0f bc c3", decode.BSR: "0f bd c3", decode.TZCNT: "f3 0f bc c3", decode.LZCNT: "f3 0f bd c3",
		decode.AAA: "37", decode.AAS: "3f", decode.DAA: "27", decode.DAS: "2f", decode.AAM: "d4 0a", decode.AAD: "d5 0a",
	}
	for _, u := range undefinedFlags {
		for _, op := range u.ops {
			require.Contains(t, forms, op)
			for _, before := range []uint64{0, arithFlags} {
				c := newTestCPU(t, "pm32")
				c.dec.Features |= decode.FeatBMI1
				c.r[rAX], c.r[rBX], c.r[rCX] = 0x1234, 0x85, 3
				c.setArith(before)
				c.mustExec(forms[op])
				got := c.arith() & u.flags
				switch u.choice {
				case cleared:
					require.Zero(t, got, "%v", op)
				case set:
					require.Equal(t, u.flags, got, "%v", op)
				case kept:
					require.Equal(t, before&u.flags, got, "%v", op)
				}
			}
		}
	}
}
