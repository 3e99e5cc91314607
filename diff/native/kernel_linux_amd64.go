package native

import (
	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/diff"
)

// Reasons of an answer that is Silent: the processor ran the instruction, and
// what it did cannot be seen from a process.
const (
	// EnteredKernel: SYSCALL, SYSENTER or INT 80H.
	EnteredKernel = "a system call, which the host's kernel refused"
	// Emulated: UMIP makes the instruction #GP(0), and the kernel stores a dummy value
	// in its place. Where it cannot, it makes a page fault of its own.
	// [Linux, arch/x86/kernel/umip.c]
	Emulated = "a page fault that the host's kernel made of a #GP under UMIP"
)

// settable are the flags that rt_sigreturn takes from its frame.
const settable = 0x40dd5 | 0x202 // CF PF AF ZF SF TF DF OF AC; 1 and IF stay set

// unasked says why a process cannot begin as a case does, or nothing.
func unasked(w *diff.World, c *diff.Case) string {
	r := &c.Regs
	if c.World != w.Name {
		return "not the world of a process"
	}
	if r.RFLAGS&^settable != 0 || r.RFLAGS&0x202 != 0x202 {
		return "flags that a process cannot begin with"
	}
	for i, sel := range r.Seg {
		d := diff.UserSegment(sel)
		access := uint8(d >> 40)
		const codeOrData, execute, readWrite = 0xf0, 8, 2 // and present, DPL 3
		if access&^0xf == codeOrData {
			switch decode.SegReg(i) {
			case decode.CS:
				if access&execute != 0 && sel&3 == 3 {
					continue
				}
			case decode.SS:
				if access&(execute|readWrite) == readWrite && sel&3 == 3 {
					continue
				}
			default:
				if access&execute == 0 || access&readWrite != 0 {
					continue
				}
			}
		}
		// The kernel's return to the process makes a null selector zero.
		if sel == 0 && (decode.SegReg(i) != decode.CS && decode.SegReg(i) != decode.SS) {
			continue
		}
		return "a selector in " + decode.SegReg(i).String() + " that a process cannot begin with"
	}
	return ""
}

// undo takes back what the host's kernel did to an answer.
func undo(c *diff.Case, r *diff.Result) {
	mode := diff.UserMode(c.Regs.Seg[decode.CS])
	if mode != decode.Mode64 {
		// A return to a 16-bit stack leaves the upper half of RSP as the kernel had it.
		// [Linux, arch/x86/entry/entry_64.S, native_irq_return_ldt]
		r.Regs.GPR[4] &= 0xffffffff
	}
	m, ok := cpu.ModelByName(c.Model)
	if r.End != diff.Trapped || c.Kind != diff.Insn || !ok {
		return
	}
	dec := decode.Decoder{Features: m.Features}
	var in decode.Inst
	status := dec.Decode(&in, c.Code, mode)
	if in.Map == 1 && (in.Opcode == 0x05 || in.Opcode == 0x34) && r.Regs.RIP != c.Regs.RIP {
		// SYSCALL and SYSENTER of 32-bit code, which do not come back to where they were.
		*r = diff.Result{End: diff.Silent, Note: EnteredKernel}
		return
	}
	if !umip(&in) || status == decode.NeedMore || status == decode.TooLong {
		return
	}
	switch {
	case r.Regs.RIP != c.Regs.RIP:
		// The kernel stored a dummy value and went on: it does so after a #GP(0) alone.
		r.Vector, r.HasError, r.Error, r.Mem = 13, true, 0, nil
		r.Regs.GPR, r.Regs.RIP = c.Regs.GPR, c.Regs.RIP
		r.Regs.RFLAGS = c.Regs.RFLAGS | 1<<16 // RF, as in the frame of any fault
	case r.Vector == 14 && r.Error&0x10 == 0:
		*r = diff.Result{End: diff.Silent, Note: Emulated}
	}
}

// umip tells the instructions that UMIP makes #GP(0), whatever their prefixes.
func umip(in *decode.Inst) bool {
	reg := in.ModRM >> 3 & 7
	switch {
	case in.Map != 1 || !in.HasModRM:
		return false
	case in.Opcode == 0x00:
		return reg < 2 // SLDT, STR
	case in.Opcode == 0x01:
		return reg == 4 || reg < 2 && in.ModRM < 0xc0 // SMSW; SGDT, SIDT
	}
	return false
}
