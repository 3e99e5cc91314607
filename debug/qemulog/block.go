package qemulog

import (
	"fmt"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// block is what is known of the block of code that runs.
type block struct {
	open  bool
	next  uint64 // where its next instruction is
	page  uint64
	insts int
	tick  uint64 // when its next instruction is due
}

// maxBlock is how many instructions QEMU translates at once.
const maxBlock = 512

// Instruction is cpu.Observer's: it tells whether a block of QEMU's begins.
func (l *Log) Instruction(e *cpu.InstEvent) {
	k := &l.block
	lin := uint64(e.Linear)
	last := lin + uint64(e.Inst.Len) - 1
	// An event between two instructions, or a fault, has a tick of its own.
	follows := k.open && lin == k.next && e.Tick == k.tick && k.insts < maxBlock &&
		lin&^mmu.PageMask == k.page && (last&^mmu.PageMask == k.page)
	if !follows || l.o.Single {
		l.begin(lin)
		*k = block{page: lin &^ mmu.PageMask}
	}
	k.insts++
	s := l.m.CPU.Regs()
	k.next, k.tick = last+1, e.Tick+1
	k.open = !endsBlock(e.Inst, l.m) && s.Shadow == 0 && s.RFLAGS&idt.FlagTF == 0
}

// begin writes a block's line.
func (l *Log) begin(lin uint64) {
	s := l.m.CPU.Regs()
	base, cflags := s.Seg[segCS].Base, uint32(clusterNone|noGotoPtr)
	if l.m.CPU.Mode() == decode.Mode64 {
		base = 0
	}
	if l.o.Single {
		cflags |= 1 // instructions in it
	}
	where := uint64(0)
	if w := l.m.MMU.Explain(mmu.Linear(lin), mmu.Exec); w.OK() {
		where = uint64(w.Phys())
	}
	name := ""
	if p := l.o.Syms.On(l.m, lin); p != nil {
		name = p.Symbol
	}
	fmt.Fprintf(l.w, "Trace 0: 0x%x [%016x/%016x/%08x/%08x] %s\n", where, base, lin, flags(l.m), cflags, name)
}

// Bits of QEMU's cflags: no cluster of processors; blocks are not chained.
const (
	clusterNone = 0xff000000
	noGotoPtr   = 1 << 9
)

// flags is what QEMU translates a block for: hflags, and the bits of EFLAGS that count.
func flags(m *machine.Machine) uint32 {
	s, c := m.CPU.Regs(), &m.MMU.Ctl
	f := uint32(s.CPL) | uint32(s.RFLAGS)&(idt.FlagIOPL|idt.FlagTF|idt.FlagRF|idt.FlagVM|idt.FlagAC)
	set := func(on bool, bit uint) {
		if on {
			f |= 1 << bit
		}
	}
	pe, long := c.CR0&mmu.CR0PE != 0, c.EFER&mmu.EFERLMA != 0
	wide := long && s.Seg[segCS].Attr&idt.AttrL != 0
	code32 := wide || s.Seg[segCS].Attr&idt.AttrDB != 0
	set(s.Shadow != 0, 3)
	set(code32, 4)
	set(s.Seg[segSS].Attr&(idt.AttrDB|idt.AttrUnusable) == idt.AttrDB, 5)
	set(!wide && (!pe || s.RFLAGS&idt.FlagVM != 0 || !code32 || s.Seg[decode.DS].Base|s.Seg[decode.ES].Base|s.Seg[segSS].Base != 0), 6)
	set(pe, 7)
	set(c.CR0&mmu.CR0MP != 0, 9)
	set(c.CR0&mmu.CR0EM != 0, 10)
	set(c.CR0&mmu.CR0TS != 0, 11)
	set(long, 14)
	set(wide, 15)
	set(c.EFER&eferSVME != 0, 20)
	set(c.CR4&mmu.CR4OSFXSR != 0, 22)
	set(c.CR4&mmu.CR4SMAP != 0, 23)
	set(c.CR4&mmu.CR4UMIP != 0, 27)
	return f
}

const eferSVME = 1 << 12

// endsBlock tells whether QEMU's translator ends a block after an instruction.
func endsBlock(in *decode.Inst, m *machine.Machine) bool {
	switch in.Op {
	case decode.JMP, decode.CALL, decode.RET, decode.LJMP, decode.LCALL, decode.LRET, decode.IRET, decode.IRETD, decode.IRETQ,
		decode.JO, decode.JNO, decode.JB, decode.JAE, decode.JE, decode.JNE, decode.JBE, decode.JA,
		decode.JS, decode.JNS, decode.JP, decode.JNP, decode.JL, decode.JGE, decode.JLE, decode.JG,
		decode.JCXZ, decode.JECXZ, decode.JRCXZ, decode.LOOP, decode.LOOPE, decode.LOOPNE,
		decode.INT, decode.ICEBP, decode.SYSCALL, decode.SYSRET, decode.SYSENTER, decode.SYSEXIT, decode.RSM,
		decode.UD0, decode.UD1, decode.UD2, decode.HLT, decode.MWAIT,
		decode.POPF, decode.POPFD, decode.POPFQ, decode.STI, decode.STAC, decode.CLAC,
		decode.LMSW, decode.CLTS, decode.INVLPG, decode.WRMSR, decode.XSETBV, decode.XRSTOR, decode.XRSTOR64:
		return true
	case decode.MOV, decode.POP:
		if in.NArgs == 0 {
			return false
		}
		switch in.Args[0].Kind {
		case decode.ArgCR, decode.ArgDR:
			return true
		case decode.ArgSeg:
			return endsBlockAtSegment(decode.SegReg(in.Args[0].Num), in, m)
		}
	case decode.LSS, decode.LDS, decode.LES, decode.LFS, decode.LGS:
		return endsBlockAtSegment(farLoads[in.Op], in, m)
	}
	return in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 && in.NArgs > 0 && isString(in)
}

// farLoads are the segment registers that far pointers are loaded to.
var farLoads = map[decode.Op]decode.SegReg{
	decode.LSS: segSS, decode.LDS: decode.DS, decode.LES: decode.ES, decode.LFS: decode.FS, decode.LGS: decode.GS,
}

// endsBlockAtSegment tells it of a load of a segment register: SS always; in
// 32-bit protected mode those whose base QEMU may leave out of addresses.
func endsBlockAtSegment(reg decode.SegReg, in *decode.Inst, m *machine.Machine) bool {
	if reg == segSS {
		return true
	}
	protected := m.MMU.Ctl.CR0&mmu.CR0PE != 0 && m.CPU.Regs().RFLAGS&idt.FlagVM == 0
	return protected && in.Mode != decode.Mode16 && reg < decode.FS
}

// isString tells whether an instruction is one of the string instructions.
func isString(in *decode.Inst) bool {
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == decode.ArgStr {
			return true
		}
	}
	return false
}
