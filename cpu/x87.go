package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// The x87's stack, its exceptions, and what comes before each instruction.
// [SDM 1, Programming with the x87 FPU]

// set87 makes h the handler of an x87 instruction. Without a coprocessor, and
// with nobody to emulate it, the instruction does nothing.
func set87(op decode.Op, h handler) {
	handlers[op] = func(c *CPU, in *decode.Inst) bool {
		if !c.Model.is(traitFPU) && c.mmu.Ctl.CR0&(mmu.CR0EM|mmu.CR0TS) == 0 {
			return true
		}
		c.fop = 0
		ok := h(c, in)
		if c.fop != 0 && c.s.FP.SW&swES != 0 {
			c.s.FP.FOP = c.fop & fopBits
		}
		return ok
	}
}

// top is the physical register that is ST(0).
func (p *FPState) top() uint8 { return uint8(p.SW>>11) & 7 }

func (p *FPState) setTop(t uint8) { p.SW = p.SW&^swTop | uint16(t&7)<<11 }

// st gives ST(i).
func (p *FPState) st(i uint8) *fp.F80 { return &p.R[(p.top()+i)&7] }

// empty tells whether ST(i) is.
func (p *FPState) empty(i uint8) bool { return p.Used>>((p.top()+i)&7)&1 == 0 }

// setST writes ST(i), which is not empty then.
func (p *FPState) setST(i uint8, v fp.F80) {
	*p.st(i) = v
	p.Used |= 1 << ((p.top() + i) & 7)
}

// push makes v the new ST(0).
func (p *FPState) push(v fp.F80) {
	p.setTop(p.top() - 1)
	p.setST(0, v)
}

// pop empties ST(0).
func (p *FPState) pop() {
	p.Used &^= 1 << p.top()
	p.setTop(p.top() + 1)
}

// Derive makes the state one that a processor can be in: the bits of the control
// and status words that follow from others.
func (p *FPState) Derive() { p.setCW(p.CW) }

// update derives ES and B from the exceptions and their masks.
func (p *FPState) update() {
	p.SW &^= swES | swB
	if p.SW&^p.CW&uint16(fp.AllFlags) != 0 {
		p.SW |= swES | swB
	}
}

// env is the unit's state as the control word says. [SDM 1, x87 FPU Control Word]
func (p *FPState) env() fp.Env {
	// Precision control 01 is reserved; it counts as 64 bits.
	precision := [...]uint8{24, 64, 53, 64}[p.CW>>8&3]
	return fp.Env{Round: fp.Rounding(p.CW >> 10 & 3), Precision: precision, Masked: fp.Flags(p.CW) & fp.AllFlags, X87: true}
}

// settle takes over the exceptions of an operation and tells whether its result
// is to be written: not if one that was found before it is unmasked. C1 says that
// the result was rounded up.
func (p *FPState) settle(e *fp.Env) bool {
	p.SW &^= swC1
	if e.RoundedUp {
		p.SW |= swC1
	}
	p.SW |= uint16(e.Flags)
	p.update()
	return e.Unmasked()&(fp.Invalid|fp.Denormal|fp.ZeroDiv) == 0
}

// underflow raises a stack underflow and tells whether it is masked: the result
// is then the indefinite. [SDM 1, Stack Overflow or Underflow Exception (#IS)]
func (p *FPState) underflow() bool {
	p.SW &^= swC1
	return p.stackFault()
}

// overflow raises a stack overflow, likewise.
func (p *FPState) overflow() bool {
	p.SW |= swC1
	return p.stackFault()
}

func (p *FPState) stackFault() bool {
	p.SW |= swSF | uint16(fp.Invalid)
	p.update()
	return p.CW&uint16(fp.Invalid) != 0
}

// x87Ready makes the checks before an instruction that waits for its predecessor,
// and notes where it is. [SDM 3A, Interrupt 7—Device Not Available Exception (#NM); SDM 1, x87 FPU Instruction and Data (Operand) Pointers]
func (c *CPU) x87Ready(in *decode.Inst) bool {
	return c.x87Here() && c.noPending() && c.note(in)
}

// x87Here raises #NM where the x87 is emulated or another task's.
func (c *CPU) x87Here() bool {
	// CR0.EM and CR0.TS must be clear, else #NM. [SDM 3A, Interrupt 7—Device Not Available Exception (#NM)]
	if c.mmu.Ctl.CR0&(mmu.CR0EM|mmu.CR0TS) != 0 {
		return c.raise(idt.VecNM)
	}
	return true
}

// fopBits are those of an opcode that FOP has, fopMark tells of one in CPU.fop.
const (
	fopBits = 0x7ff
	fopMark = 0x800
)

// note keeps the instruction's opcode and addresses, once it will run. Since the
// Pentium 4 the opcode is kept only if an unmasked exception comes of it.
// [SDM 1, Fopcode Compatibility Sub-mode; x87 FPU Instruction and Data (Operand) Pointers]
func (c *CPU) note(in *decode.Inst) bool {
	p := &c.s.FP
	if fop := uint16(in.Opcode&7)<<8 | uint16(in.ModRM); c.Model.is(traitFOPFaults) {
		c.fop = fop | fopMark
	} else {
		p.FOP = fop
	}
	p.FIP, p.FCS = c.ip, c.s.Seg[decode.CS].Sel
	if in.ModRM < 0xc0 {
		p.FDP, p.FDS = c.ea(in), c.s.Seg[in.Seg].Sel
	}
	c.dropSelectors()
	return true
}

// dropSelectors clears FCS and FDS where the model keeps none. The layout of real
// mode has linear addresses, which need them. [SDM 2, CPUID: deprecates FPU CS and FPU DS]
func (c *CPU) dropSelectors() {
	if c.Model.is(traitZeroFCS) && !c.realLayout() {
		c.s.FP.FCS, c.s.FP.FDS = 0, 0
	}
}
