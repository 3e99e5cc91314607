package idt

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// Core is the processor as the operations of this package see it. The processor
// keeps one (CPU.Core), so that no operation sets up more than what may have
// changed. The zero Core is ready for use.
type Core struct {
	c          CPU
	r          *Regs
	g          *[16]uint64
	m          *mmu.MMU
	obs        Observer
	ext        uint32 // EXT, a part of every error code with a selector or vector
	long       bool   // IA-32e mode: EFER.LMA = 1
	canonShift uint8  // 64 less the width of a linear address
	stayed     bool   // see Stayed
	fault      Event  // of a method that returned ok == false
	frame      frame  // what the operation pushes

	// What has passed the checks of one use.
	handlers knownSet // code of gates of the IDT
	returns  knownSet // code that is returned to, by a task switch too
	stacks   knownSet // SS, whoever loads it
	data     knownSet // DS, ES, FS and GS
	null     known    // a null SS that a return may load
}

// Observe sets who watches the operations; nil is nobody.
func (p *Core) Observe(o Observer) { p.obs = o }

// Stayed tells whether the last operation has left the mode, the CPL and the hidden parts
// of all segment registers as they were.
func (p *Core) Stayed() bool { return p.stayed }

// regSP is the stack pointer's place among the general registers.
const regSP = 4

// begin gives the processor's Core for one operation.
func begin(c CPU) *Core {
	p := c.Core()
	if p.c == nil {
		p.c, p.r, p.g, p.m = c, c.Regs(), c.GPR(), c.MMU()
	}
	p.ext, p.stayed = 0, false
	p.long = p.m.Ctl.EFER&mmu.EFERLMA != 0
	p.canonShift = 16
	if p.m.Ctl.CR4&mmu.CR4LA57 != 0 {
		p.canonShift = 7
	}
	return p
}

// result is what the exported operations return: nil, or the fault.
func (p *Core) result(ok bool) *Event {
	if ok {
		return nil
	}
	return &p.fault
}

func (p *Core) protected() bool { return p.m.Ctl.CR0&mmu.CR0PE != 0 }
func (p *Core) v86() bool       { return p.r.RFLAGS&FlagVM != 0 && p.protected() }
func (p *Core) mode64() bool    { return p.long && p.r.Seg[decode.CS].Attr&AttrL != 0 }
func (p *Core) iopl() uint8     { return uint8(p.r.RFLAGS>>12) & 3 }

// fail makes an exception with an error code the operation's fault and adds
// EXT to the code. It returns false for its caller to return.
func (p *Core) fail(v Vector, code uint32) bool {
	p.fault = Event{Vector: v, HasCode: true, Code: code | p.ext, Return: p.r.RIP}
	return false
}

// pageFault makes the MMU's fault the operation's. Its code has no EXT.
func (p *Core) pageFault() bool {
	f := &p.m.Fault
	p.fault = Event{Vector: VecPF, HasCode: true, Code: f.Code, CR2: uint64(f.Addr), Return: p.r.RIP}
	return false
}

// canonical tells whether an address is canonical under the paging mode.
// [SDM 1, Canonical Addressing]
func (p *Core) canonical(a uint64) bool {
	sh := p.canonShift & 63
	return uint64(int64(a<<sh)>>sh) == a
}

// tableCanonical checks a byte range of a descriptor table or TSS in IA-32e
// mode: it must be canonical, else #GP(0). (Outside that mode the MMU cuts
// addresses to 32 bits.) [SDM 1, Canonical Addressing]
func (p *Core) tableCanonical(a uint64, size uint) bool {
	if !p.pass(RuleTableCanonical, p.canonical(a) && p.canonical(a+uint64(size)-1)) {
		return p.fail(VecGP, 0)
	}
	return true
}

// read, canWrite and write access descriptor tables and TSSs: implicit
// supervisor accesses, whatever the CPL, which SMAP never lets through to user
// pages. [SDM 3A, Determination of Access Rights]
func (p *Core) read(a uint64, size uint) (uint64, bool) {
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

// readPair is read for two neighbours of 8 bytes.
func (p *Core) readPair(a uint64) (lo, hi uint64, ok bool) {
	if host := p.m.ReadDirect(mmu.Linear(a), 16, mmu.Read); host != nil {
		return mmu.Load64(host, a), mmu.Load64(host, a+8), true
	}
	if lo, ok = p.read(a, 8); ok {
		hi, ok = p.read(a+8, 8)
	}
	return lo, hi, ok
}

func (p *Core) write(a uint64, size uint, v uint64) bool {
	if p.long && !p.tableCanonical(a, size) {
		return false
	}
	return p.m.Write(mmu.Linear(a), size, v, mmu.Write) || p.pageFault()
}

func (p *Core) canWrite(a uint64, size uint) bool { return p.probe(a, size, mmu.Write) }

func (p *Core) probe(a uint64, size uint, acc mmu.Access) bool {
	if p.long && !p.tableCanonical(a, size) {
		return false
	}
	return p.m.Probe(mmu.Linear(a), size, acc) || p.pageFault()
}

// access is how data and stack accesses are made at a privilege level.
// [SDM 3A, Determination of Access Rights]
func (p *Core) access(cpl uint8) mmu.Access {
	switch {
	case cpl == 3:
		return mmu.User
	case p.r.RFLAGS&FlagAC != 0:
		return mmu.AC
	}
	return 0
}

// setFlags replaces RFLAGS, reserved bits fixed.
func (p *Core) setFlags(f uint64) { p.r.RFLAGS = f&flagsValid | Flag1 }

// flagsValid holds the bits of RFLAGS that are not reserved.
const flagsValid = 0x3f7fd5

// targetWithin checks that an instruction pointer lies in its code segment:
// within the limit, or canonical for 64-bit code; else #GP(0), or #GP(EXT).
// [SDM 3A, Limit Checking; SDM 2, INT n/INTO/INT3/INT1]
func (p *Core) targetWithin(cs *Segment, ip uint64) bool {
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
