package native

import (
	"x86emu/decode"
	"x86emu/diff"
)

// PUSH and POP of rAX.
const opPUSH, opPOP = 0x50, 0x58

// callOrder makes the answer to a call whose target is refused that of one
// which has pushed its return address before it looked at the target.
func callOrder(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.CALL && in.Op != decode.LCALL || !faulted(x, r) {
		return false
	}
	size := int(in.OpSize)
	next := x.Case.Regs.RIP + uint64(in.Len)
	values := []uint64{next}
	if in.Op == decode.LCALL {
		values = []uint64{uint64(x.Case.Regs.Seg[decode.CS]), next}
	}
	pushes(x, r, size, x.Case.Regs.GPR[4], values...)
	return true
}

// pushes puts values on the stack of an answer, until one cannot be pushed: then
// the answer becomes that fault, and pushes is false.
func pushes(x *diff.Context, r *diff.Result, size int, sp uint64, values ...uint64) bool {
	for _, v := range values {
		if f := fails(x, opPUSH, size, sp); f != nil {
			copyFault(r, f)
			return false
		}
		sp = stackAdd(x, sp, -size)
		x.SetLinear(r, stackLinear(x, sp), size, v)
	}
	return true
}

// callStack makes the answer to a far call into code of another mode that of one
// which pushes as the new code sees the stack: with the base and limit of SS, or
// without.
func callStack(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Op != decode.LCALL {
		return false
	}
	cs := uint16(x.Inst.Imm2)
	if x.Inst.Args[0].Kind == decode.ArgMem {
		linear, _, _ := x.Operand()
		cs = uint16(x.AtLinear(nil, linear+uint64(x.Inst.OpSize), 2))
	}
	const code = 0xf8 // present, DPL 3
	from, to := x.Mode == decode.Mode64, diff.UserMode(cs) == decode.Mode64
	if from == to || diff.UserSegment(cs)>>40&code != code {
		return false
	}
	size, sp := int(x.Inst.OpSize), x.Case.Regs.GPR[4]
	if to && (stackSize(x) == 2 || low(sp, 4) < uint64(size)) {
		// The push goes above 4 GiB, as a 16-bit stack has left the kernel's upper half in
		// RSP: Linux takes such a fault of 32-bit code for an erratum that goes away by itself.
		// [Linux, arch/x86/mm/fault.c, is_errata100]
		*r = diff.Result{End: diff.Stopped, Regs: begin(x)}
		if misaligned := (sp-uint64(size))%uint64(size) != 0; misaligned && r.Regs.RFLAGS&flagAC != 0 {
			r.End, r.Vector, r.HasError = diff.Trapped, 17, true
		}
		r.Regs.RFLAGS |= flagRF
		return true
	}
	for n := range 2 {
		if f := failsAs(x, cs, opPUSH, size, sp-uint64(n*size)); f != nil {
			*r = *f
			return true
		}
	}
	// Neither fails: as with a flat stack.
	base := uint64(0)
	if !to {
		d := diff.UserSegment(x.Case.Regs.Seg[decode.SS])
		base = d>>16&0xffffff | d>>56<<24
	}
	if !asIf(x, r, func(c *diff.Case) {
		c.Regs.Seg[decode.SS] = diff.UserDS
		c.Regs.GPR[4] += base
	}) {
		return false
	}
	r.Regs.Seg[decode.SS] = x.Case.Regs.Seg[decode.SS]
	r.Regs.GPR[4] -= base
	return true
}

// returnOrder makes the fault of a far return that of one which reads CS before
// RIP, of IRET that of one which reads the flags first, then CS, and of both that
// of one which reads the outer SS before it looks at CS.
func returnOrder(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	size := int(in.OpSize)
	words := []int{size, 0}
	outer := 3 * size // where RSP is, and then SS
	switch in.Op {
	case decode.LRET:
		outer = 2*size + int(uint16(in.Imm))*min(1, int(in.NArgs))
	case decode.IRET, decode.IRETD, decode.IRETQ:
		words = []int{2 * size, size, 0}
	default:
		return false
	}
	if !faulted(x, r) {
		return false
	}
	sp := x.Case.Regs.GPR[4]
	cs := x.AtLinear(nil, stackLinear(x, stackAdd(x, sp, size)), 2)
	if cs&3 != 3 || in.Op != decode.LRET && x.Mode == decode.Mode64 {
		words = append(words, outer+size, outer)
	}
	for _, n := range words {
		if f := fails(x, opPOP, size, stackAdd(x, sp, n)); f != nil {
			copyFault(r, f)
			return true
		}
	}
	return false
}

// returnStack makes the answer to RETF n to code of another mode that of one which
// takes the parameters off as the new code sees the stack: of 64, 32 or 16 bits.
func returnStack(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	from, to := x.Mode == decode.Mode64, diff.UserMode(r.Regs.Seg[decode.CS]) == decode.Mode64
	if in.Op != decode.LRET || in.NArgs == 0 || faulted(x, r) || from == to {
		return false
	}
	start := x.Case.Regs.GPR[4]
	sp := stackAdd(x, start, 2*int(in.OpSize))
	size := uint8(4) // what a process can see of 64 in 32-bit code
	if !to && diff.UserSegment(x.Case.Regs.Seg[decode.SS])>>54&1 == 0 {
		size = 2
	}
	sum := low(sp+uint64(uint16(in.Imm)), size)
	if size == 2 {
		sum = widen(sp, sum, size)
	}
	r.Regs.GPR[4] = sum
	return true
}

// iretLimit makes the fault of SS on an IRET to 32- or 16-bit code that of its
// RIP, which has been looked at before.
func iretLimit(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.IRET && in.Op != decode.IRETD && in.Op != decode.IRETQ || r.Vector != 12 && r.Vector != 13 || !faulted(x, r) {
		return false
	}
	size := int(in.OpSize)
	sp := x.Case.Regs.GPR[4]
	at := func(n int) uint64 { return x.AtLinear(nil, stackLinear(x, stackAdd(x, sp, n*size)), size) }
	rip, cs := at(0), uint16(at(1))
	if diff.UserMode(cs) == decode.Mode64 || uint32(at(4))&0xfffc != r.Error || rip <= uint64(limit(cs)) {
		return false
	}
	r.Vector, r.Error = 13, 0
	return true
}

// limit is the limit of a segment, in bytes.
func limit(sel uint16) uint32 {
	d := diff.UserSegment(sel)
	l := uint32(d&0xffff | d>>32&0xf0000)
	if d>>55&1 != 0 {
		l = l<<12 | 0xfff
	}
	return l
}

// enterOrder makes the answer to ENTER that of one which pushes before it looks
// whether it can push the rest, and looks at the last word with its full size.
func enterOrder(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.ENTER {
		return false
	}
	start := &x.Case.Regs
	size, level := int(in.OpSize), int(in.Imm2)&31
	sp, bp := start.GPR[4], start.GPR[5]
	*r = diff.Result{End: diff.Trapped, Regs: begin(x)}
	r.Regs.RFLAGS |= flagRF
	if !pushes(x, r, size, sp, bp) {
		return true
	}
	sp = stackAdd(x, sp, -size)
	frame := sp
	for i := 1; i < level; i++ {
		bp = stackAdd(x, bp, -size)
		if f := fails(x, opPOP, size, bp); f != nil {
			copyFault(r, f)
			return true
		}
		if !pushes(x, r, size, sp, x.AtLinear(r, stackLinear(x, bp), size)) {
			return true
		}
		sp = stackAdd(x, sp, -size)
	}
	if level > 0 {
		if !pushes(x, r, size, sp, frame) {
			return true
		}
		sp = stackAdd(x, sp, -size)
	}
	sp = stackAdd(x, sp, -int(in.Imm))
	if f := fails(x, opPUSH, size, stackAdd(x, sp, size)); f != nil {
		copyFault(r, f)
		return true
	}
	return false
}

// enterWide makes the answer to ENTER with a 32-bit operand on a 16-bit stack that
// of one whose frame pointer is all of ESP.
func enterWide(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.ENTER || in.OpSize != 4 || stackSize(x) != 2 || faulted(x, r) {
		return false
	}
	frame := stackAdd(x, x.Case.Regs.GPR[4], -4)
	r.Regs.GPR[5] = frame
	if level := int(in.Imm2) & 31; level > 0 {
		x.SetLinear(r, stackLinear(x, stackAdd(x, frame, -4*level)), 4, frame)
	}
	return true
}

// pushAll makes the fault of PUSHA that of one which has pushed the registers
// before the one that it could not push.
func pushAll(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Op != decode.PUSHA && x.Inst.Op != decode.PUSHAD || !faulted(x, r) {
		return false
	}
	g := x.Case.Regs.GPR
	pushes(x, r, int(x.Inst.OpSize), g[4], g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7])
	return true
}

// popAll makes the fault of POPA that of one which has loaded the registers
// before the one that it could not pop.
func popAll(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Op != decode.POPA && x.Inst.Op != decode.POPAD || !faulted(x, r) {
		return false
	}
	size := x.Inst.OpSize
	sp := x.Case.Regs.GPR[4]
	for _, reg := range []int{7, 6, 5, 4, 3, 2, 1, 0} {
		if fails(x, opPOP, int(size), sp) != nil {
			break
		}
		if reg != 4 { // ESP is skipped
			v := x.AtLinear(nil, stackLinear(x, sp), int(size))
			r.Regs.GPR[reg] = widen(r.Regs.GPR[reg], v, size)
		}
		sp = stackAdd(x, sp, int(size))
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
