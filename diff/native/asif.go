package native

import (
	"context"
	"slices"
	"sync"

	"x86emu/decode"
	"x86emu/diff"
)

const (
	flagTF = 1 << 8
	flagDF = 1 << 10
	flagRF = 1 << 16
	flagAC = 1 << 18
)

// emulator answers what a row asks: the emulator itself, as a calculator.
var emulator = struct {
	sync.Mutex
	diff.Oracle
}{Oracle: diff.NewEmu(true)}

// asIf puts the answer to a changed case in the place of an answer: a row says
// thereby that a processor takes one instruction for another. What it pushes
// of the instruction's bytes would differ: the length must stay.
func asIf(x *diff.Context, r *diff.Result, change func(c *diff.Case)) bool {
	c := *x.Case
	c.Code = slices.Clone(c.Code)
	change(&c)
	emulator.Lock()
	defer emulator.Unlock()
	answers := make([]diff.Result, 1)
	if emulator.Run(context.Background(), []*diff.Case{&c}, answers) != nil || answers[0].End != diff.Trapped {
		return false
	}
	*r = answers[0]
	return true
}

// emulate asks the emulator one case.
func emulate(c *diff.Case, answer []diff.Result) bool {
	emulator.Lock()
	defer emulator.Unlock()
	return emulator.Run(context.Background(), []*diff.Case{c}, answer) == nil && answer[0].End == diff.Trapped
}

// opcodeAt is where in the code the first instruction's opcode begins, with its
// escapes.
func opcodeAt(x *diff.Context) int {
	in := &x.Inst
	at := 0
	for at < len(x.Case.Code) {
		switch b := x.Case.Code[at]; {
		case b == 0x26, b == 0x2e, b == 0x36, b == 0x3e, b >= 0x64 && b <= 0x67, b == 0xf0, b == 0xf2, b == 0xf3:
		case b&0xf0 == 0x40 && in.Mode == decode.Mode64:
		default:
			return at
		}
		at++
	}
	return at
}

// replace puts one byte in the place of another.
func replace(code []byte, from, to byte) {
	for i := range code {
		if code[i] == from {
			code[i] = to
		}
	}
}

// fails asks what a stack operation of so many bytes, PUSH or POP of rAX, does with
// a stack pointer, and gives its fault if it has one.
func fails(x *diff.Context, opcode byte, size int, sp uint64) *diff.Result {
	return failsAs(x, x.Case.Regs.Seg[decode.CS], opcode, size, sp)
}

// failsAs does so for code in another segment.
func failsAs(x *diff.Context, cs uint16, opcode byte, size int, sp uint64) *diff.Result {
	mode := diff.UserMode(cs)
	code := []byte{opcode}
	switch {
	case size == 2 && mode != decode.Mode16 || size == 4 && mode == decode.Mode16:
		code = []byte{0x66, opcode}
	case size == 4 && mode == decode.Mode64 && opcode == opPUSH:
		code = []byte{0x89, 0x44, 0x24, 0xfc} // MOV [RSP-4], EAX
	case size == 4 && mode == decode.Mode64:
		code = []byte{0x8b, 0x04, 0x24} // MOV EAX, [RSP]
	}
	d := diff.UserSegment(cs)
	other := diff.Result{}
	regs := x.Case.Regs
	regs.GPR[4] = sp
	regs.Seg[decode.CS] = cs | 3
	regs.RIP = diff.UserCode + 0x800
	if mode != decode.Mode64 {
		regs.RIP -= d>>16&0xffffff | d>>56<<24
	}
	if !asIf(x, &other, func(c *diff.Case) { c.Regs, c.Code = regs, code }) || other.Regs.RIP != regs.RIP || other.Vector == 1 {
		return nil
	}
	other.Mem = nil
	other.Regs = begin(x)
	other.Regs.RFLAGS |= flagRF
	return &other
}

// faulted tells whether an answer is a fault of the first instruction.
func faulted(x *diff.Context, r *diff.Result) bool {
	return r.End == diff.Trapped && r.Regs.RIP == x.Case.Regs.RIP && r.Vector != 1
}

// copyFault makes an answer another fault, and leaves its registers and memory.
func copyFault(r, from *diff.Result) {
	r.End, r.Vector, r.HasError, r.Error, r.CR2 = from.End, from.Vector, from.HasError, from.Error, from.CR2
}

// undefined makes an answer the #UD of the first instruction.
func undefined(x *diff.Context, r *diff.Result) bool {
	*r = diff.Result{End: diff.Trapped, Vector: 6, Regs: begin(x)}
	r.Regs.RFLAGS |= flagRF
	return true
}

// begin are the registers of the case as an answer shows them.
func begin(x *diff.Context) diff.Regs {
	regs := x.Case.Regs
	regs.FSBase, regs.GSBase = x.Segment(decode.FS).Base, x.Segment(decode.GS).Base
	return regs
}

// low is the part of a register that so many bytes are.
func low(v uint64, size uint8) uint64 {
	if size == 8 {
		return v
	}
	return v & (1<<(8*size) - 1)
}

// widen is a register after a write of so many bytes.
func widen(old, v uint64, size uint8) uint64 {
	switch size {
	case 8:
		return v
	case 4:
		return v & 0xffffffff
	}
	mask := uint64(1)<<(8*size) - 1
	return old&^mask | v&mask
}
