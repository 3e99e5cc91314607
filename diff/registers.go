package diff

import (
	"fmt"

	"x86emu/decode"
)

// Register is one register of Regs, for who treats all alike: reports, files.
type Register struct {
	Name string // as the manual has it: "RAX", "CR4"; a part behind a dot: "GDTR.limit"
	Bits int
	Of   Fields // the field that it belongs to
	Get  func(*Regs) uint64
	Set  func(*Regs, uint64)
}

// Registers are all registers of Regs in the manual's order.
var Registers = listRegisters()

func listRegisters() []Register {
	var out []Register
	add := func(name string, of Fields, bits int, get func(*Regs) uint64, set func(*Regs, uint64)) {
		out = append(out, Register{name, bits, of, get, set})
	}
	quad := func(name string, of Fields, at func(*Regs) *uint64) {
		add(name, of, 64, func(r *Regs) uint64 { return *at(r) }, func(r *Regs, v uint64) { *at(r) = v })
	}
	word := func(name string, of Fields, at func(*Regs) *uint16) {
		add(name, of, 16, func(r *Regs) uint64 { return uint64(*at(r)) }, func(r *Regs, v uint64) { *at(r) = uint16(v) })
	}
	for i, name := range [...]string{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"} {
		quad(name, FieldGPR, func(r *Regs) *uint64 { return &r.GPR[i] })
	}
	quad("RIP", FieldRIP, func(r *Regs) *uint64 { return &r.RIP })
	quad("RFLAGS", FieldFlags, func(r *Regs) *uint64 { return &r.RFLAGS })
	for i := range 6 {
		word(decode.SegReg(i).String(), FieldSeg, func(r *Regs) *uint16 { return &r.Seg[i] })
	}
	quad("FS.base", FieldSeg, func(r *Regs) *uint64 { return &r.FSBase })
	quad("GS.base", FieldSeg, func(r *Regs) *uint64 { return &r.GSBase })
	word("FCW", FieldFloat, func(r *Regs) *uint16 { return &r.Float.CW })
	word("FSW", FieldFloat, func(r *Regs) *uint16 { return &r.Float.SW })
	word("FTW", FieldFloat, func(r *Regs) *uint16 { return &r.Float.Tags })
	for i := range 8 {
		quad(fmt.Sprintf("ST%d", i), FieldFloat, func(r *Regs) *uint64 { return &r.Float.ST[i].Sig })
		word(fmt.Sprintf("ST%d.se", i), FieldFloat, func(r *Regs) *uint16 { return &r.Float.ST[i].SE })
	}
	add("MXCSR", FieldFloat, 32, func(r *Regs) uint64 { return uint64(r.Float.MXCSR) }, func(r *Regs, v uint64) { r.Float.MXCSR = uint32(v) })
	for i := range 16 {
		quad(fmt.Sprintf("XMM%d.low", i), FieldFloat, func(r *Regs) *uint64 { return &r.Float.XMM[i][0] })
		quad(fmt.Sprintf("XMM%d.high", i), FieldFloat, func(r *Regs) *uint64 { return &r.Float.XMM[i][1] })
	}
	word("LDTR", FieldSeg, func(r *Regs) *uint16 { return &r.LDTR })
	word("TR", FieldSeg, func(r *Regs) *uint16 { return &r.TR })
	quad("CR0", FieldSystem, func(r *Regs) *uint64 { return &r.CR0 })
	quad("CR2", FieldSystem, func(r *Regs) *uint64 { return &r.CR2 })
	quad("CR3", FieldSystem, func(r *Regs) *uint64 { return &r.CR3 })
	quad("CR4", FieldSystem, func(r *Regs) *uint64 { return &r.CR4 })
	quad("EFER", FieldSystem, func(r *Regs) *uint64 { return &r.EFER })
	add("PKRU", FieldSystem, 32, func(r *Regs) uint64 { return uint64(r.PKRU) }, func(r *Regs, v uint64) { r.PKRU = uint32(v) })
	for i := range 8 {
		if i != 4 && i != 5 {
			quad(fmt.Sprintf("DR%d", i), FieldSystem, func(r *Regs) *uint64 { return &r.DR[i] })
		}
	}
	quad("GDTR.base", FieldSystem, func(r *Regs) *uint64 { return &r.GDTR.Base })
	word("GDTR.limit", FieldSystem, func(r *Regs) *uint16 { return &r.GDTR.Limit })
	quad("IDTR.base", FieldSystem, func(r *Regs) *uint64 { return &r.IDTR.Base })
	word("IDTR.limit", FieldSystem, func(r *Regs) *uint16 { return &r.IDTR.Limit })
	return out
}
