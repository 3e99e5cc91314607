package debug

import (
	"fmt"
	"strings"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// eventNames are the exceptions in words.
// [SDM 3A, Table "Protected-Mode Exceptions and Interrupts"]
var eventNames = map[idt.Vector]string{
	idt.VecDE: "divide error", idt.VecDB: "debug", idt.VecBP: "breakpoint", idt.VecOF: "overflow",
	idt.VecBR: "BOUND range exceeded", idt.VecUD: "undefined opcode", idt.VecNM: "no math coprocessor",
	idt.VecDF: "double fault", idt.VecTS: "invalid TSS", idt.VecNP: "segment not present",
	idt.VecSS: "stack-segment fault", idt.VecGP: "general protection", idt.VecPF: "page fault",
	idt.VecMF: "math fault", idt.VecAC: "alignment check", idt.VecMC: "machine check", idt.VecXM: "SIMD floating-point",
}

// eventWords names what an event is.
func eventWords(ev *idt.Event) string {
	switch ev.Kind {
	case idt.External:
		return "external interrupt"
	case idt.NMI:
		return "non-maskable interrupt"
	case idt.SoftInt:
		return "software interrupt"
	}
	if s := eventNames[ev.Vector]; s != "" {
		return s
	}
	return "exception"
}

// BitName names a bit of a register.
type BitName struct {
	Bit  uint8
	Name string
}

// Bits of the registers that say how the processor runs.
// [SDM 3A, Control Registers, Extended Feature Enable Register]
var (
	CR0Bits = []BitName{{0, "PE"}, {1, "MP"}, {2, "EM"}, {3, "TS"}, {4, "ET"}, {5, "NE"}, {16, "WP"}, {18, "AM"}, {29, "NW"}, {30, "CD"}, {31, "PG"}}
	CR4Bits = []BitName{
		{0, "VME"}, {1, "PVI"}, {2, "TSD"}, {3, "DE"}, {4, "PSE"}, {5, "PAE"}, {6, "MCE"}, {7, "PGE"}, {8, "PCE"},
		{9, "OSFXSR"}, {10, "OSXMMEXCPT"}, {11, "UMIP"}, {12, "LA57"}, {16, "FSGSBASE"}, {17, "PCIDE"}, {18, "OSXSAVE"},
		{20, "SMEP"}, {21, "SMAP"}, {22, "PKE"},
	}
	// AttrBits are those of idt.Attr. [SDM 3A, Segment Descriptors]
	AttrBits = []BitName{{4, "S"}, {7, "P"}, {12, "AVL"}, {13, "L"}, {14, "D/B"}, {15, "G"}}
	EFERBits = []BitName{{0, "SCE"}, {8, "LME"}, {10, "LMA"}, {11, "NXE"}}
)

// [SDM 3B, Debug Status Register (DR6)]
var dr6Names = []BitName{
	{0, "B0"}, {1, "B1"}, {2, "B2"}, {3, "B3"}, {13, "BD (debug register access)"}, {14, "BS (single step)"}, {15, "BT (task switch)"},
}

// FlagBits are those of EFLAGS, IOPL left out. [SDM 1, EFLAGS Register]
var FlagBits = []BitName{
	{0, "CF"}, {2, "PF"}, {4, "AF"}, {6, "ZF"}, {7, "SF"}, {8, "TF"}, {9, "IF"}, {10, "DF"}, {11, "OF"},
	{14, "NT"}, {16, "RF"}, {17, "VM"}, {18, "AC"}, {19, "VIF"}, {20, "VIP"}, {21, "ID"},
}

// bitNames names the bits that are set: "ZF IF", or "none set".
func bitNames(v uint64, names []BitName) string {
	var set []string
	for _, n := range names {
		if v>>n.Bit&1 != 0 {
			set = append(set, n.Name)
		}
	}
	if set == nil {
		return "none set"
	}
	return strings.Join(set, " ")
}

const wordCode = "error code"

// pushesCode tells whether an error code goes onto the handler's stack.
func pushesCode(ev *idt.Event) bool { return ev.HasCode && ev.Kind == idt.Exception }

// gateSize is the width in bytes of the words that a gate pushes.
func gateSize(kind uint8, long bool) uint64 {
	switch {
	case long:
		return 8
	case kind&8 != 0:
		return 4
	}
	return 2
}

// frameWords names the words of a handler's frame, in the order of the pushes.
// [SDM 3A, Exception- or Interrupt-Handler Procedures; 64-Bit Mode Stack Frame]
func frameWords(size uint64, outer, v86, code bool) []string {
	var words []string
	if v86 {
		words = append(words, "GS", "FS", "DS", "ES")
	}
	r := map[uint64]string{2: "", 4: "E", 8: "R"}[size]
	if outer {
		words = append(words, "SS", r+"SP")
	}
	words = append(words, r+"FLAGS", "CS", r+"IP")
	if code {
		words = append(words, wordCode)
	}
	return words
}

// refusals tell what it means that a rule of a walk refuses an access.
var refusals = map[string]string{
	"P=0":          "not present",
	"reserved bit": "a reserved bit is set",
	"U/S=0":        "a supervisor's page, used in user mode",
	"SMEP":         "U/S=1 in every entry: a user's page, which with CR4.SMEP=1 a supervisor may not execute",
	"SMAP":         "U/S=1 in every entry: a user's page, which with CR4.SMAP=1 a supervisor may not touch (EFLAGS.AC=0, or an implicit access)",
	"XD=1":         "not to be executed",
	"R/W=0":        "not to be written",
	"PKRU.AD":      "PKRU forbids access with the page's key",
	"PKRU.WD":      "PKRU forbids writes with the page's key",
}

// purpose tells what an access is for.
func (r *Recorder) purpose(lin uint64, a mmu.Access) string {
	if a&mmu.Exec != 0 {
		return "code"
	}
	if !r.d.on {
		if s := r.operandAt(lin); s != "" {
			return s
		}
	}
	if d := &r.d; len(d.words) > 0 && a&mmu.Write != 0 && d.size > 0 {
		sp := uint64(d.stack.RSP)
		if d.stack.Choice == "" { // a new task's stack, for the error code
			d.ss, sp = r.m.CPU.Regs().Seg[decode.SS], r.m.CPU.GPR()[4]
		}
		if !r.long() {
			sp = uint64(uint32(sp + d.ss.Base))
		}
		if below := sp - lin; below > 0 && below <= uint64(len(d.words))*d.size {
			return "push of " + d.words[(below-1)/d.size]
		}
	}
	if s := r.table(lin, a); s != "" && (r.d.on || a&(mmu.User|mmu.AC) == 0) {
		return s
	}
	if r.d.on || r.inst == nil {
		return "memory"
	}
	return "stack"
}

// operandAt finds the instruction's operand that an address lies in.
func (r *Recorder) operandAt(lin uint64) string {
	if r.inst == nil {
		return ""
	}
	for _, o := range r.inst.Operands {
		if lin-uint64(o.Lin) < max(uint64(o.Size), 1) {
			return "operand"
		}
	}
	return ""
}

// table finds the descriptor table or TSS that an address lies in.
func (r *Recorder) table(lin uint64, a mmu.Access) string {
	regs := r.m.CPU.Regs()
	what := "descriptor"
	if a&mmu.Write != 0 {
		what = "accessed or busy bit of descriptor"
	}
	entry := uint64(8)
	if r.long() {
		entry = 16
	}
	inTable := func(base, limit uint64) bool { return lin-base <= limit }
	switch {
	case inTable(regs.IDTR.Base, uint64(regs.IDTR.Limit)):
		return fmt.Sprintf("gate of %s", idt.Vector((lin-regs.IDTR.Base)/entry))
	case inTable(regs.GDTR.Base, uint64(regs.GDTR.Limit)):
		return fmt.Sprintf("%s 0x%x of the GDT", what, (lin-regs.GDTR.Base)&^7)
	case regs.LDTR.Attr&idt.AttrUnusable == 0 && inTable(regs.LDTR.Base, uint64(regs.LDTR.Limit)):
		return fmt.Sprintf("%s 0x%x of the LDT", what, (lin-regs.LDTR.Base)&^7)
	case r.d.tss != nil && inTable(r.d.tss.Base, uint64(r.d.tss.Limit)):
		return "new TSS"
	case inTable(regs.TR.Base, uint64(regs.TR.Limit)):
		return tssWord(lin-regs.TR.Base, regs.TR.Attr, r.long())
	}
	return ""
}

// tssWord names what lies at an offset of the TSS. [SDM 3A, Task-State Segment
// (TSS); 16-Bit Task-State Segment (TSS); Task Management in 64-bit Mode]
func tssWord(off uint64, a idt.Attr, long bool) string {
	switch wide := a&8 != 0; {
	case long && off >= 4 && off < 28:
		return fmt.Sprintf("TSS.RSP%d", (off-4)/8)
	case long && off >= 36 && off < 92:
		return fmt.Sprintf("TSS.IST%d", (off-28)/8)
	case wide && !long && off >= 4 && off < 28 && off%8 == 4:
		return fmt.Sprintf("TSS.ESP%d", off/8)
	case wide && !long && off >= 4 && off < 28:
		return fmt.Sprintf("TSS.SS%d", off/8-1)
	case !wide && off >= 2 && off < 14 && off%4 == 2:
		return fmt.Sprintf("TSS.SP%d", off/4)
	case !wide && off >= 2 && off < 14:
		return fmt.Sprintf("TSS.SS%d", off/4-1)
	}
	return "TSS"
}
