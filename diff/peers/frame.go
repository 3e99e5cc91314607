package peers

import (
	"x86emu/diff"
	"x86emu/idt"
	"x86emu/mmu"
)

// frame is where a delivery in a system world has pushed what. Results there have
// the registers at the handler's first instruction.
type frame struct {
	sp   uint64
	word int // bytes of a pushed word
	code int // 1 if there is an error code
}

// frameOf finds the frame below the stack pointer of an answer; ok is false if
// none was pushed.
func frameOf(x *diff.Context, r *diff.Result) (f frame, ok bool) {
	if x.World.User || r.End != diff.Trapped {
		return f, false
	}
	f = frame{sp: r.Regs.GPR[4], word: 4}
	if x.Case.Regs.EFER&mmu.EFERLMA != 0 {
		f.word = 8
	}
	if r.HasError {
		f.code = 1
	}
	return f, true
}

// at is the linear address of a word of the frame: 0 is RIP, 1 CS, 2 RFLAGS.
func (f frame) at(n int) uint64 { return f.sp + uint64((n+f.code)*f.word) }

// setFlags changes the saved flags.
func setFlags(x *diff.Context, r *diff.Result, set, clear uint64) bool {
	f, ok := frameOf(x, r)
	if !ok {
		return false
	}
	old := x.AtLinear(r, f.at(2), f.word)
	v := old&^clear | set
	x.SetLinear(r, f.at(2), f.word, v)
	return v != old
}

// setError changes the error code, in the answer and in the frame.
func setError(x *diff.Context, r *diff.Result, code uint32) bool {
	f, ok := frameOf(x, r)
	if !ok || f.code == 0 || r.Error == code {
		return false
	}
	r.Error = code
	x.SetLinear(r, f.sp, f.word, uint64(code))
	return true
}

// common are the rows that paging and delivery share.
var common = []diff.Row{
	{
		Name:    "QEMU: RF is not set in the saved flags of a fault",
		Oracles: []string{"qemu"},
		Cite:    "For any fault-class exception except a debug exception generated in response to an instruction breakpoint, the value pushed for RF is 1. [SDM 3A, Masking Instruction Breakpoints]",
		Predict: func(x *diff.Context, r *diff.Result) bool { return setFlags(x, r, 0, idt.FlagRF) },
	},
}
