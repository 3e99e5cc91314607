package decode

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFacts(t *testing.T) {
	const rmw = MayFault | MemRead | MemWrite
	for _, c := range []struct {
		name, bytes string
		mode        Mode
		props       Props
		read, writ  uint16
	}{
		{"ADD registers", "01c8", Mode32, 0, 0, arith},
		{"ADD to memory", "0108", Mode32, rmw, 0, arith},
		{"ADD from memory", "0308", Mode32, MayFault | MemRead, 0, arith},
		{"CMP memory", "3908", Mode32, MayFault | MemRead, 0, arith},
		{"ADC reads CF", "11c8", Mode32, 0, flagCF, arith},
		{"INC keeps CF", "40", Mode32, 0, 0, arith &^ flagCF},
		{"MOV to memory", "8908", Mode32, MayFault | MemWrite, 0, 0},
		{"MOV from memory", "8b08", Mode32, MayFault | MemRead, 0, 0},
		{"MOV to memory from a segment register", "8c18", Mode32, MayFault | MemWrite, 0, 0},
		{"LEA", "8d08", Mode32, 0, 0, 0},
		{"NOP with memory", "0f1f00", Mode32, 0, 0, 0},
		{"PREFETCH", "0f1808", Mode32, 0, 0, 0},
		{"XCHG memory", "8708", Mode32, rmw, 0, 0},
		{"SETE memory", "0f9400", Mode32, MayFault | MemWrite, flagZF, 0},
		{"CMOVLE", "0f4ec1", Mode32, 0, flagZF | flagSF | flagOF, 0},
		{"JBE", "7600", Mode32, EndsBlock | MayFault, flagCF | flagZF, 0},
		{"LOOPE", "e100", Mode32, EndsBlock | MayFault, flagZF, 0},
		{"SHL by 1", "d1e0", Mode32, 0, 0, arith},
		{"SHL by CL may be by 0", "d3e0", Mode32, 0, arith, arith},
		{"SHL by immediate", "c1e004", Mode32, 0, 0, arith},
		{"SHL by immediate 0", "c1e000", Mode32, 0, 0, 0},
		{"SHL by immediate 32 is by 0", "c1e020", Mode32, 0, 0, 0},
		{"SHL of 64 bits by immediate 32", "48c1e020", Mode64, 0, 0, arith},
		{"SHLD by immediate 0", "0fa4c100", Mode32, 0, 0, 0},
		{"SHLD by CL", "0fa5c1", Mode32, 0, arith, arith},
		{"ROL by 1 keeps ZF", "d1c0", Mode32, 0, 0, flagCF | flagOF},
		{"RCL by 1 reads CF", "d1d0", Mode32, 0, flagCF, flagCF | flagOF},
		{"RCL by immediate", "c1d004", Mode32, 0, flagCF, flagCF | flagOF},
		{"ROR by CL", "d3c8", Mode32, 0, flagCF | flagOF, flagCF | flagOF},
		{"BT keeps ZF", "0fa3c8", Mode32, 0, arith &^ (flagZF | flagCF), arith &^ flagZF},
		{"BTS memory", "0fab08", Mode32, rmw, arith &^ (flagZF | flagCF), arith &^ flagZF},
		{"MUL memory", "f720", Mode32, MayFault | MemRead, 0, arith},
		{"DIV faults", "f7f1", Mode32, MayFault, arith, arith},
		{"PUSH", "50", Mode32, MayFault | MemWrite, 0, 0},
		{"PUSH memory", "ff30", Mode32, rmw, 0, 0},
		{"POP", "58", Mode32, MayFault | MemRead, 0, 0},
		{"POP memory", "8f00", Mode32, rmw, 0, 0},
		{"POP DS", "1f", Mode32, EndsBlock | MayFault | MemRead, 0, 0},
		{"PUSH DS", "1e", Mode32, MayFault | MemWrite, 0, 0},
		{"MOV DS", "8ed8", Mode32, EndsBlock | MayFault, 0, 0},
		{"MOV from DS", "8cd8", Mode32, 0, 0, 0},
		{"LDS", "c518", Mode32, EndsBlock | MayFault | MemRead, 0, 0},
		{"CALL", "e800000000", Mode32, EndsBlock | MayFault | MemWrite, 0, 0},
		{"CALL memory", "ff10", Mode32, EndsBlock | rmw, 0, 0},
		{"RET", "c3", Mode32, EndsBlock | MayFault | MemRead, 0, 0},
		{"LEAVE", "c9", Mode32, MayFault | MemRead, 0, 0},
		{"MOVSB", "a4", Mode32, rmw, flagDF, 0},
		{"CMPSB", "a6", Mode32, MayFault | MemRead, flagDF, arith},
		{"REP CMPSB may do nothing", "f3a6", Mode32, MayFault | MemRead, flagDF | arith, arith},
		{"REPNE SCASB may do nothing", "f2ae", Mode32, MayFault | MemRead, flagDF | arith, arith},
		{"MOV to CR3", "0f22d8", Mode32, EndsBlock | MayFault | Privileged, 0, 0},
		{"MOV from DR7", "0f21f8", Mode32, EndsBlock | MayFault | Privileged, 0, 0},
		{"HLT", "f4", Mode32, EndsBlock | MayFault | Privileged, 0, 0},
		{"STI", "fb", Mode32, EndsBlock | MayFault, flagIOPL, flagIF},
		{"CLD", "fc", Mode32, 0, 0, flagDF},
		{"IN", "ec", Mode32, EndsBlock | MayFault, 0, 0},
		{"CPUID", "0fa2", Mode32, EndsBlock, 0, 0},
		{"INVLPG", "0f0138", Mode32, EndsBlock | MayFault | Privileged, 0, 0},
		{"LGDT", "0f0110", Mode32, EndsBlock | MayFault | MemRead | Privileged, 0, 0},
		{"SGDT", "0f0100", Mode32, MayFault | MemWrite, 0, 0},
		{"POPF", "9d", Mode32, EndsBlock | MayFault | MemRead, allFlags, allFlags},
		{"SAHF keeps OF", "9e", Mode32, 0, 0, arith &^ flagOF},
		{"LAHF", "9f", Mode32, 0, arith &^ flagOF, 0},
		{"CMPXCHG8B", "0fc708", Mode32, rmw, 0, flagZF},
		{"NOT has no flags", "f7d0", Mode32, 0, 0, 0},
		{"XLAT", "d7", Mode32, MayFault | MemRead, 0, 0},
		{"BOUND", "6200", Mode32, MayFault | MemRead, 0, 0},
		{"ENTER", "c8000000", Mode32, rmw, 0, 0},
		{"MOVAPS to memory", "0f2900", Mode32, MayFault | MemWrite, 0, 0},
		{"MOVAPS from memory", "0f2800", Mode32, MayFault | MemRead, 0, 0},
		{"FSTP to memory", "d918", Mode32, MayFault | MemWrite, 0, 0},
		{"FADD from memory", "d800", Mode32, MayFault | MemRead, 0, 0},
		{"ADDPS registers", "0f58c1", Mode32, MayFault, 0, 0},
		{"SYSCALL", "0f05", Mode64, EndsBlock | MayFault, allFlags, allFlags},
		{"SWAPGS", "0f01f8", Mode64, EndsBlock | MayFault | Privileged, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decoder{Features: FeatAll}
			var in Inst
			assert.Equal(t, OK, d.Decode(&in, padded(unhex(t, c.bytes)), c.mode))
			assert.Equal(t, c.props, in.Props, "properties")
			assert.Equal(t, c.read, in.FlagsRead, "flags read")
			assert.Equal(t, c.writ, in.FlagsWrit, "flags written")
		})
	}
}

// TestOperands looks at the fields that the printed form does not show.
func TestOperands(t *testing.T) {
	reg := func(n, size uint8) Arg { return Arg{Kind: ArgReg, Num: n, Size: size} }
	mem := func(size uint8) Arg { return Arg{Kind: ArgMem, Size: size} }
	str := func(n, size uint8) Arg { return Arg{Kind: ArgStr, Num: n, Size: size} }
	imm, imm2, rel := Arg{Kind: ArgImm}, Arg{Kind: ArgImm2}, Arg{Kind: ArgRel}
	for _, c := range []struct {
		name, bytes  string
		mode         Mode
		opSize, addr uint8
		seg          SegReg
		imm          int64
		args         []Arg
	}{
		{"[EBP] is in SS", "8b4500", Mode32, 4, 4, SS, 0, []Arg{reg(0, 4), mem(4)}},
		{"[ESP] is in SS", "8b0424", Mode32, 4, 4, SS, 0, []Arg{reg(0, 4), mem(4)}},
		{"[BP+SI] is in SS", "8b02", Mode16, 2, 2, SS, 0, []Arg{reg(0, 2), mem(2)}},
		{"[disp16] is in DS", "8b060000", Mode16, 2, 2, DS, 0, []Arg{reg(0, 2), mem(2)}},
		{"[R13] is in DS", "418b4500", Mode64, 4, 8, DS, 0, []Arg{reg(0, 4), mem(4)}},
		{"[EAX+EBP] is in DS", "8b0428", Mode32, 4, 4, DS, 0, []Arg{reg(0, 4), mem(4)}},
		{"an override beats SS", "3e8b4500", Mode32, 4, 4, DS, 0, []Arg{reg(0, 4), mem(4)}},
		{"no DS override in 64-bit mode", "3e8b4500", Mode64, 4, 8, SS, 0, []Arg{reg(0, 4), mem(4)}},
		{"AH", "88e0", Mode32, 1, 4, DS, 0, []Arg{reg(0, 1), {Kind: ArgReg, Num: 0, Size: 1, High: true}}},
		{"SPL", "4088e0", Mode64, 1, 8, DS, 0, []Arg{reg(0, 1), reg(4, 1)}},
		{"MOVS", "64a5", Mode32, 4, 4, FS, 0, []Arg{str(7, 4), str(6, 4)}},
		{"CMPS keeps the manual's order", "a7", Mode32, 4, 4, DS, 0, []Arg{str(6, 4), str(7, 4)}},
		{"XLAT", "d7", Mode32, 1, 4, DS, 0, []Arg{str(3, 1)}},
		{"OUTS", "6e", Mode32, 1, 4, DS, 0, []Arg{reg(2, 2), str(6, 1)}},
		{"near CALL in 64-bit mode", "66e8fcffffff", Mode64, 8, 8, DS, -4, []Arg{rel}},
		{"near CALL with 66", "66e8fcff", Mode32, 2, 4, DS, -4, []Arg{rel}},
		{"PUSH in 64-bit mode", "50", Mode64, 8, 8, DS, 0, []Arg{reg(0, 8)}},
		{"PUSH with 66", "6650", Mode64, 2, 8, DS, 0, []Arg{reg(0, 2)}},
		{"PUSH FS", "0fa0", Mode64, 8, 8, DS, 0, []Arg{{Kind: ArgSeg, Num: 4, Size: 2}}},
		{"IN ignores REX.W", "48ed", Mode64, 4, 8, DS, 0, []Arg{reg(0, 4), reg(2, 2)}},
		{"INS ignores REX.W", "486d", Mode64, 4, 8, DS, 0, []Arg{str(7, 4), reg(2, 2)}},
		{"MOV from CR0", "0f20c1", Mode16, 4, 2, DS, 0, []Arg{reg(1, 4), {Kind: ArgCR}}},
		{"MOV from CR0 in 64-bit mode", "660f20c1", Mode64, 8, 8, DS, 0, []Arg{reg(1, 8), {Kind: ArgCR}}},
		{"LGDT in 64-bit mode", "660f0110", Mode64, 8, 8, DS, 0, []Arg{mem(0)}},
		{"LGDT in 16-bit code", "0f0110", Mode16, 2, 2, DS, 0, []Arg{mem(0)}},
		{"far CALL through m16:32", "ff18", Mode64, 4, 8, DS, 0, []Arg{mem(6)}},
		{"far CALL through m16:64", "48ff18", Mode64, 8, 8, DS, 0, []Arg{mem(10)}},
		{"LSS", "660fb200", Mode32, 2, 4, DS, 0, []Arg{reg(0, 2), mem(4)}},
		{"INT3 is INT 3", "cc", Mode32, 4, 4, DS, 3, []Arg{imm}},
		{"ENTER", "c834120500", Mode32, 4, 4, DS, 0x1234, []Arg{imm, imm2}},
		{"shift by one", "d1e0", Mode32, 4, 4, DS, 0, []Arg{reg(0, 4), {Kind: ArgOne}}},
		{"far JMP", "ea785634121000", Mode32, 4, 4, DS, 0x12345678, []Arg{{Kind: ArgFar}}},
		{"MOV of a segment register to memory", "8c18", Mode32, 4, 4, DS, 0, []Arg{mem(2), {Kind: ArgSeg, Num: 3, Size: 2}}},
		{"SYSRET to 32 bits", "660f07", Mode64, 4, 8, DS, 0, nil},
		{"FLD of 80 bits", "db28", Mode32, 4, 4, DS, 0, []Arg{mem(10)}},
		{"byte immediate is unsigned", "80c080", Mode32, 1, 4, DS, 0x80, []Arg{reg(0, 1), imm}},
		{"83 sign-extends", "83c080", Mode32, 4, 4, DS, -128, []Arg{reg(0, 4), imm}},
		{"BLENDVPS has XMM0", "660f3814c1", Mode32, 2, 4, DS, 0,
			[]Arg{{Kind: ArgXMM, Size: 16}, {Kind: ArgXMM, Num: 1, Size: 16}, {Kind: ArgXMM, Size: 16}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decoder{Features: FeatAll}
			var in Inst
			assert.Equal(t, OK, d.Decode(&in, padded(unhex(t, c.bytes)), c.mode))
			assert.Equal(t, c.opSize, in.OpSize, "operand size")
			assert.Equal(t, c.addr, in.AddrSize, "address size")
			assert.Equal(t, c.seg, in.Seg)
			assert.Equal(t, c.imm, in.Imm, "immediate")
			assert.ElementsMatch(t, c.args, in.Args[:in.NArgs])
			assert.Equal(t, int(in.NArgs), len(c.args))
		})
	}
}
