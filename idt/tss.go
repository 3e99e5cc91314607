package idt

// A TSS, of the parts that the processor reads. [SDM 3A, Task-State Segment
// (TSS); 16-Bit Task-State Segment (TSS); Task Management in 64-bit Mode]
//
//	         16-bit   32-bit   64-bit
//	link       0        0
//	SPn, SSn  2+4n     4+8n     4+8n (RSPn alone)
//	ISTn                       28+8n (n from 1 on)
//	CR3                28
//	IP        14       32
//	FLAGS     16       36
//	AX ...    18       40       AX CX DX BX SP BP SI DI
//	ES ...    34       72       ES CS SS DS (FS GS)
//	LDT       42       96
//	T                 100
const (
	tssLink = 0

	tss16IP, tss16GPR, tss16ES, tss16LDT = 14, 18, 34, 42
	tss16Last, tss16Saved                = 43, 41 // least limit of a new TSS, last byte saved in an old one

	tss32CR3, tss32EIP, tss32EFLAGS, tss32ES, tss32LDT, tss32T = 28, 32, 36, 72, 96, 100
	tss32Last, tss32Saved                                      = 103, 93
)

// wideTSS tells a 32-bit TSS (or, in IA-32e mode, a 64-bit one).
func wideTSS(a Attr) bool { return a&type32Bit != 0 }

// tssField reads n bytes at off in the current TSS, of which last is the
// highest byte that must lie within the limit, else #TS(TR).
// [SDM 3A, Interrupt 10—Invalid TSS Exception (#TS)]
func (p *Core) tssField(off, last uint64) bool {
	tr := &p.r.TR
	if !p.pass(RuleTSSStackLimit, tr.Attr&AttrUnusable == 0 && last <= uint64(tr.Limit)) {
		return p.fail(VecTS, selCode(tr.Sel))
	}
	return true
}

// innerStack reads SS and ESP of a privilege level from a 16- or 32-bit TSS.
func (p *Core) innerStack(dpl uint8) (ss uint16, sp uint64, ok bool) {
	base, n := p.r.TR.Base, uint(2)
	off := uint64(dpl)*4 + 2
	if wideTSS(p.r.TR.Attr) {
		off, n = uint64(dpl)*8+4, 4
	}
	// The TSS must reach over the new stack's pointer, else #TS(TSS selector + EXT).
	// [SDM 2, INT n/INTO/INT3/INT1, INTER-PRIVILEGE-LEVEL-INTERRUPT; CALL, MORE-PRIVILEGE]
	if !p.tssField(off, off+uint64(n)+1) {
		return 0, 0, false
	}
	v, ok := p.read(base+off+uint64(n), 2)
	if !ok {
		return 0, 0, false
	}
	sp, ok = p.read(base+off, n)
	return uint16(v), sp, ok
}

// innerRSP reads a stack pointer from a 64-bit TSS: RSPn, or ISTn.
func (p *Core) innerRSP(dpl, ist uint8) (uint64, bool) {
	off := uint64(dpl)*8 + 4
	if ist != 0 {
		off = uint64(ist)*8 + 28
	}
	// The TSS must reach over the pointer, else #TS(TSS selector + EXT).
	// [SDM 2, INT n/INTO/INT3/INT1; SDM 3A, Interrupt Stack Table]
	if !p.tssField(off, off+7) {
		return 0, false
	}
	return p.read(p.r.TR.Base+off, 8)
}

// innerSS checks the stack segment of a more privileged level outside IA-32e
// mode. [SDM 2, INT n/INTO/INT3/INT1; CALL; SDM 3A, Stack Switching]
func (p *Core) innerSS(sel uint16, dpl uint8) *known {
	// SS must not be null, else #TS(EXT).
	if !p.pass(RuleInnerSSNull, !isNull(sel)) {
		return p.refuse(VecTS, 0)
	}
	if k := p.recall(&p.stacks, sel, stackAsker(sel, dpl)); k != nil {
		return k
	}
	// Its index must lie within its table, else #TS(SS+EXT).
	e, ok := p.entry(sel, RuleInnerSSLimit, VecTS)
	if !ok {
		return nil
	}
	// Its RPL must be the new CPL, else #TS(SS+EXT).
	if !p.pass(RuleInnerSSRPL, rpl(sel) == dpl) {
		return p.refuse(VecTS, selCode(sel))
	}
	// Its DPL must be the new CPL, else #TS(SS+EXT).
	if !p.pass(RuleInnerSSDPL, e.dpl() == dpl) {
		return p.refuse(VecTS, selCode(sel))
	}
	// It must be writable data, else #TS(SS+EXT).
	if !p.pass(RuleInnerSSType, e.writableData()) {
		return p.refuse(VecTS, selCode(sel))
	}
	// It must be present, else #SS(SS+EXT).
	if !p.pass(RuleInnerSSPresent, e.present()) {
		return p.refuse(VecSS, selCode(sel))
	}
	return p.keep(&p.stacks, e, stackAsker(sel, dpl))
}
