package gen

import (
	"encoding/binary"

	"x86emu/diff"
)

// insn is an instruction that makes an access.
type insn struct {
	kind   kind
	sizes  int    // those it exists in, as a sum
	opcode string // of 16 bits and more
	byte   string // of 8 bits
	imm    bool   // has an immediate as wide as the operand, or 4 bytes
	reg    int    // the register that holds the address
	flag   insnFlag
}

type insnFlag uint8

const (
	blind insnFlag = 1 << iota // its result does not depend on what is in memory
	stack                      // uses the stack pointer: at CPL 3 only
	down                       // of which it is a push
	plain                      // takes no REX.W
	no32                       // 8 bytes need 64-bit mode
)

// insns have their address in RBX unless they say otherwise.
var insns = []insn{
	{load, 1 | 2 | 4 | 8, "\x8b\x03", "\x8a\x03", false, 3, no32},           // MOV r, m
	{load, 1 | 2 | 4 | 8, "\x39\x03", "\x38\x03", false, 3, no32},           // CMP m, r
	{load, 1 | 2 | 4 | 8, "\x85\x03", "\x84\x03", false, 3, no32},           // TEST m, r
	{load, 2 | 4 | 8, "\x0f\x40\x03", "", false, 3, no32 | blind},           // CMOVO r, m with OF = 0
	{load, 2 | 4 | 8, "\x0f\xba\x23\x05", "", false, 3, no32},               // BT m, imm8
	{load, 1 | 2 | 4 | 8, "\xad", "\xac", false, 6, no32},                   // LODS
	{load, 2 | 4 | 8, "\x58", "", false, 4, stack | plain},                  // POP r
	{store, 1 | 2 | 4 | 8, "\x89\x03", "\x88\x03", false, 3, no32 | blind},  // MOV m, r
	{store, 1 | 2 | 4 | 8, "\xc7\x03", "\xc6\x03", true, 3, no32 | blind},   // MOV m, imm
	{store, 1 | 2 | 4 | 8, "\xab", "\xaa", false, 7, no32 | blind},          // STOS
	{store, 1, "", "\x0f\x92\x03", false, 3, blind},                         // SETC m
	{store, 2 | 4 | 8, "\x50", "", false, 4, stack | down | plain},          // PUSH r
	{modify, 1 | 2 | 4 | 8, "\x01\x03", "\x00\x03", false, 3, no32},         // ADD m, r
	{modify, 1 | 2 | 4 | 8, "\xf7\x13", "\xf6\x13", false, 3, no32},         // NOT m
	{modify, 1 | 2 | 4 | 8, "\xd1\x03", "\xd0\x03", false, 3, no32},         // ROL m, 1
	{modify, 1 | 2 | 4 | 8, "\x87\x03", "\x86\x03", false, 3, no32},         // XCHG m, r
	{modify, 1 | 2 | 4 | 8, "\x0f\xb1\x03", "\x0f\xb0\x03", false, 3, no32}, // CMPXCHG m, r
	{modify, 2 | 4 | 8, "\x0f\xba\x2b\x05", "", false, 3, no32},             // BTS m, imm8
	{modify, 8, "\x0f\xc7\x0b", "", false, 3, plain},                        // CMPXCHG8B m
}

// loads of a descriptor whose selector is in AX.
var descriptorLoads = []string{
	"\x8e\xc0",     // MOV ES, AX
	"\x8e\xe0",     // MOV FS, AX
	"\x8e\xe8",     // MOV GS, AX
	"\x0f\x02\xc8", // LAR ECX, EAX
	"\x0f\x03\xc8", // LSL ECX, EAX
	"\x0f\x00\xe0", // VERR AX
	"\x0f\x00\xe8", // VERW AX
}

// anySize chooses how many bytes are accessed.
func (p *paging) anySize() {
	switch p.kind {
	case fetch:
		p.size = 1 + p.r.IntN(2)
	case implicit:
		p.size = 8
	default:
		p.size = []int{1, 2, 4, 4, 8}[p.r.IntN(5)]
		if p.size == 8 && !p.mode.long && p.kind != modify {
			p.size = 4
		}
	}
}

// instruction makes the code of the case.
func (p *paging) instruction() {
	switch p.kind {
	case fetch:
		p.access.Fetch = true
		p.code = append(p.code, 0xff, 0xe3) // JMP RBX
		p.regs.GPR[3] = p.lin
		if p.size == 1 {
			p.write([]byte{0xcc}) // INT3
		} else {
			p.write([]byte{0xcd, 3}) // INT 3
		}
	case implicit:
		p.access.Implicit = true
		p.loadDescriptor()
	default:
		p.access.Write = p.kind != load
		var able []*insn
		for i := range insns {
			if p.takes(&insns[i]) {
				able = append(able, &insns[i])
			}
		}
		p.emit(able[p.r.IntN(len(able))])
	}
}

// takes tells whether an instruction can make the access.
func (p *paging) takes(in *insn) bool {
	switch {
	case in.kind != p.kind || in.sizes&p.size == 0:
		return false
	case p.noMemory && in.flag&blind == 0:
		return false
	case in.flag&stack != 0 && (!p.user || p.noStack || p.size == 4 && p.mode.long):
		return false
	}
	return p.size != 8 || p.mode.long || in.flag&no32 == 0
}

func (p *paging) emit(in *insn) {
	op := in.opcode
	switch p.size {
	case 1:
		op = in.byte
	case 2:
		p.code = append(p.code, 0x66)
	}
	if in.kind == modify && op[0] != '\x87' && op[0] != '\x86' && op[0] != '\xd1' && op[0] != '\xd0' && p.oneIn(3) {
		p.code = append(p.code, 0xf0) // LOCK
	}
	if p.size == 8 && in.flag&plain == 0 {
		p.code = append(p.code, 0x48) // REX.W
	}
	p.code = append(p.code, op...)
	if in.imm {
		imm := binary.LittleEndian.AppendUint32(nil, p.r.Uint32())
		p.code = append(p.code, imm[:min(p.size, 4)]...)
	}
	p.regs.GPR[in.reg] = p.lin
	if in.flag&down != 0 {
		p.regs.GPR[in.reg] += uint64(p.size)
		if !p.mode.long {
			p.regs.GPR[in.reg] &= 0xffffffff
		}
	}
}

// loadDescriptor makes the LDT begin below the address and loads a descriptor from
// it: data at CPL 3, accessed already, so that nothing is written.
func (p *paging) loadDescriptor() {
	index := uint64(p.r.IntN(16))
	base := p.lin - 8*index
	if p.oneIn(2) || p.canonical(base) != base {
		index, base = 0, p.lin
	}
	p.regs.LDTR = diff.PagingLDT
	gdt := binary.LittleEndian.AppendUint64(nil, diff.SegmentDescriptor(base, 0xffff, diff.AccessLDT, 0))
	if p.mode.long {
		gdt = binary.LittleEndian.AppendUint64(gdt, base>>32)
	}
	p.patch(diff.PagingLDTDescriptor, gdt)
	p.write(binary.LittleEndian.AppendUint64(nil, diff.SegmentDescriptor(0, 0xfffff, diff.AccessData|3<<5, diff.Flags4G)))
	p.regs.GPR[0] = p.regs.GPR[0]&^0xffff | index<<3 | 7
	p.code = append(p.code, descriptorLoads[p.r.IntN(len(descriptorLoads))]...)
}

// write puts bytes where the address leads to in a valid walk.
func (p *paging) write(b []byte) {
	n := len(b)
	if p.before > 0 {
		n = min(n, p.before)
	}
	p.patch(p.data, b[:n])
	if n < len(b) {
		p.patch(p.data2, b[n:])
	}
}

// otherRoot gives some cases of PAE paging at CPL 0 a MOV to CR3 before the access: the
// new PDPTEs may be such that they cannot be loaded. Others store to a PDPTE.
func (p *paging) otherRoot() {
	if p.mode.levels != 3 || p.user || !p.oneIn(2) {
		return
	}
	if p.oneIn(4) {
		p.poke(p.entries[0].at)
		return
	}
	p.rule("MOV to CR3")
	at := otherRoot + diff.Offset(32*p.r.IntN(100))
	fixed := binary.LittleEndian.Uint64(p.w.Arena[diff.PagingRoot:])
	table := make([]byte, 32)
	binary.LittleEndian.PutUint64(table, fixed)
	binary.LittleEndian.PutUint64(table[p.r.IntN(3)*8+8:], uint64(p.r.IntN(2)))
	p.patch(at, table)
	for _, e := range p.entries {
		if p.isPDPTR(e) {
			e.at += at - diff.PagingRoot
			p.deviatePDPTE(e)
		}
	}
	if p.oneIn(6) {
		p.poke(p.entries[0].at)
	}
	cr3 := uint64(at.Phys()) | uint64(p.r.IntN(4))<<3 // PCD, PWT
	p.access.CR3 = cr3
	p.regs.GPR[1] = cr3
	p.code = append(p.code, 0x0f, 0x22, 0xd9) // MOV CR3, RCX
}

// poke changes a PDPTE in memory that a PDPTE register has been loaded from, and
// will be again if MOV to CR3 follows.
func (p *paging) poke(at diff.Offset) {
	p.rule("a PDPTE is stored to")
	v := uint32(p.entryAt(at).value)
	switch p.r.IntN(4) {
	case 0:
		v |= 1 << (1 + p.r.IntN(2)) // reserved
	case 1:
		v |= entryP
	default:
		v &^= entryP
	}
	p.access.Poke = &diff.Patch{At: at, Bytes: binary.LittleEndian.AppendUint32(nil, v)}
	p.code = append(p.code, 0xc7, 0x05) // MOV m32, imm32
	p.code = binary.LittleEndian.AppendUint32(p.code, uint32(at.Phys()))
	p.code = append(p.code, p.access.Poke.Bytes...)
}

// deviatePDPTE changes what MOV to CR3 checks.
func (p *paging) deviatePDPTE(e *entry) {
	for _, d := range []struct {
		name   string
		hi, lo int
	}{{"rsvd 2:1", 2, 1}, {"rsvd 8:5", 8, 5}, {"rsvd 62:M", 62, maxPhysAddr}, {"rsvd 63", 63, 63}} {
		if p.oneIn(8) {
			oneOf(d.hi, d.lo)(p, e)
			p.rule(e.name + "." + d.name)
		}
	}
}
