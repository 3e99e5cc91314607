package idt

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// core is the processor as one operation of this package sees it. It lives on
// the stack of the exported function that began it.
type core struct {
	c          CPU
	r          *Regs
	g          *[16]uint64
	m          *mmu.MMU
	obs        Observer
	ext        uint32 // EXT, a part of every error code with a selector or vector
	long       bool   // IA-32e mode: EFER.LMA = 1
	canonShift uint8  // 64 less the width of a linear address
	fault      Event  // of a method that returned ok == false
}

// regSP is the stack pointer's place among the general registers.
const regSP = 4

func (p *core) begin(c CPU) {
	p.c, p.r, p.g, p.m, p.obs = c, c.Regs(), c.GPR(), c.MMU(), c.Observer()
	p.long = p.m.Ctl.EFER&mmu.EFERLMA != 0
	p.canonShift = 16
	if p.m.Ctl.CR4&mmu.CR4LA57 != 0 {
		p.canonShift = 7
	}
}

// result is what the exported operations return.
func (p *core) result(ok bool) (Event, bool) {
	if ok {
		return Event{}, true
	}
	return p.fault, false
}

func (p *core) protected() bool { return p.m.Ctl.CR0&mmu.CR0PE != 0 }
func (p *core) v86() bool       { return p.r.RFLAGS&FlagVM != 0 && p.protected() }
func (p *core) mode64() bool    { return p.long && p.r.Seg[decode.CS].Attr&AttrL != 0 }
func (p *core) iopl() uint8     { return uint8(p.r.RFLAGS>>12) & 3 }

// fail makes an exception with an error code the operation's fault and adds
// EXT to the code. It returns false for its caller to return.
func (p *core) fail(v Vector, code uint32) bool {
	p.fault = Event{Vector: v, HasCode: true, Code: code | p.ext, Return: p.r.RIP}
	return false
}

// pageFault makes the MMU's fault the operation's. Its code has no EXT.
func (p *core) pageFault() bool {
	f := &p.m.Fault
	p.fault = Event{Vector: VecPF, HasCode: true, Code: f.Code, CR2: uint64(f.Addr), Return: p.r.RIP}
	return false
}

// canonical tells whether an address is canonical under the paging mode.
// [SDM 1, Canonical Addressing]
func (p *core) canonical(a uint64) bool {
	sh := p.canonShift & 63
	return uint64(int64(a<<sh)>>sh) == a
}

// tableCanonical checks a byte range of a descriptor table or TSS in IA-32e
// mode: it must be canonical, else #GP(0). (Outside that mode the MMU cuts
// addresses to 32 bits.) [SDM 1, Canonical Addressing]
func (p *core) tableCanonical(a uint64, size uint) bool {
	if !p.pass(RuleTableCanonical, p.canonical(a) && p.canonical(a+uint64(size)-1)) {
		return p.fail(VecGP, 0)
	}
	return true
}

// read, canWrite and write access descriptor tables and TSSs: implicit
// supervisor accesses, whatever the CPL, which SMAP never lets through to user
// pages. [SDM 3A, Determination of Access Rights]
func (p *core) read(a uint64, size uint) (uint64, bool) {
	if host := p.m.ReadDirect(mmu.Linear(a), uint64(size), mmu.Read); host != nil {
		if size == 8 {
			return mmu.Load64(host, a), true // a shortcut is for canonical addresses only
		}
		return mmu.LoadN(host, a, size), true
	}
	if p.long && !p.tableCanonical(a, size) {
		return 0, false
	}
	v, ok := p.m.Read(mmu.Linear(a), size, mmu.Read)
	if !ok {
		p.pageFault()
	}
	return v, ok
}

func (p *core) write(a uint64, size uint, v uint64) bool {
	if p.long && !p.tableCanonical(a, size) {
		return false
	}
	return p.m.Write(mmu.Linear(a), size, v, mmu.Write) || p.pageFault()
}

func (p *core) canWrite(a uint64, size uint) bool { return p.probe(a, size, mmu.Write) }

func (p *core) probe(a uint64, size uint, acc mmu.Access) bool {
	if p.long && !p.tableCanonical(a, size) {
		return false
	}
	return p.m.Probe(mmu.Linear(a), size, acc) || p.pageFault()
}

// access is how data and stack accesses are made at a privilege level.
// [SDM 3A, Determination of Access Rights]
func (p *core) access(cpl uint8) mmu.Access {
	switch {
	case cpl == 3:
		return mmu.User
	case p.r.RFLAGS&FlagAC != 0:
		return mmu.AC
	}
	return 0
}

// setFlags replaces RFLAGS, reserved bits fixed.
func (p *core) setFlags(f uint64) { p.r.RFLAGS = f&flagsValid | Flag1 }

// flagsValid holds the bits of RFLAGS that are not reserved.
const flagsValid = 0x3f7fd5

// targetWithin checks that an instruction pointer lies in its code segment:
// within the limit, or canonical for 64-bit code; else #GP(0), or #GP(EXT).
// [SDM 3A, Limit Checking; SDM 2, INT n/INTO/INT3/INT1]
func (p *core) targetWithin(cs *Segment, ip uint64) bool {
	if p.long && cs.Attr&AttrL != 0 {
		if !p.pass(RuleTargetCanonical, p.canonical(ip)) {
			return p.fail(VecGP, 0)
		}
		return true
	}
	if !p.pass(RuleTargetLimit, ip <= uint64(cs.Limit)) {
		return p.fail(VecGP, 0)
	}
	return true
}
