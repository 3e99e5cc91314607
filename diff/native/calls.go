package native

import (
	"x86emu/decode"
	"x86emu/diff"
)

// callOrder makes the answer to a call whose target is refused that of one
// which has pushed its return address before it looked at the target.
func callOrder(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.CALL && in.Op != decode.LCALL || !faulted(x, r) {
		return false
	}
	size := int(in.OpSize)
	regs := &x.Case.Regs
	next := regs.RIP + uint64(in.Len)
	pushes := []uint64{next}
	if in.Op == decode.LCALL {
		pushes = []uint64{uint64(regs.Seg[decode.CS]), next}
	}
	sp := regs.GPR[4]
	for i, v := range pushes {
		var one diff.Result
		code := []byte{0x50}
		if size == 2 && x.Mode != decode.Mode16 || size == 4 && x.Mode == decode.Mode16 {
			code = []byte{0x66, 0x50}
		}
		if !asIf(x, &one, func(c *diff.Case) { c.Code, c.Regs.GPR[4] = code, stackAdd(x, sp, -i*size) }) {
			return false
		}
		if faulted(x, &one) {
			copyFault(r, &one)
			return true
		}
		x.SetLinear(r, stackLinear(x, stackAdd(x, sp, -(i+1)*size)), size, v)
	}
	return true
}

// stackAdd moves a stack pointer of the size that SS says.
func stackAdd(x *diff.Context, sp uint64, n int) uint64 {
	return widen(sp, low(sp+uint64(n), stackSize(x)), stackSize(x))
}

func stackSize(x *diff.Context) uint8 {
	switch {
	case x.Mode == decode.Mode64:
		return 8
	case diff.UserSegment(x.Case.Regs.Seg[decode.SS])>>54&1 != 0:
		return 4
	}
	return 2
}

// stackLinear is where a stack pointer points.
func stackLinear(x *diff.Context, sp uint64) uint64 {
	linear := x.Segment(decode.SS).Base + low(sp, stackSize(x))
	if x.Mode != decode.Mode64 {
		linear &= 0xffffffff
	}
	return linear
}
