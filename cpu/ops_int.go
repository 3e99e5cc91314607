package cpu

import (
	"golang.org/x/arch/x86/x86asm"

	"x86emu/decode"
)

// The integer instructions, by family as the manual's summary lists them.
// [SDM 1, General-Purpose Instructions]
//
// Handlers are written once for every operand form, size and mode: operands
// come through get, getRMW and put, widths from the operands themselves or,
// where an instruction has none, from OpSize and AddrSize. Jcc, SETcc and
// CMOVcc take their condition from the low four bits of the opcode.
var intOps = map[x86asm.Op]handler{
	// Arithmetic and logic.
	x86asm.ADD: execADD, x86asm.OR: execOR, x86asm.ADC: execADC, x86asm.SBB: execSBB,
	x86asm.AND: execAND, x86asm.SUB: execSUB, x86asm.XOR: execXOR, x86asm.CMP: execCMP,
	x86asm.TEST: execTEST, x86asm.INC: execINC, x86asm.DEC: execDEC,
	x86asm.NEG: execNEG, x86asm.NOT: execNOT,

	// Multiplication and division.
	x86asm.MUL: execMUL, x86asm.IMUL: execIMUL, x86asm.DIV: execDIV, x86asm.IDIV: execIDIV,

	// Shifts and rotates.
	x86asm.SHL: execSHL, x86asm.SHR: execSHR, x86asm.SAR: execSAR,
	x86asm.ROL: execROL, x86asm.ROR: execROR, x86asm.RCL: execRCL, x86asm.RCR: execRCR,
	x86asm.SHLD: execSHLD, x86asm.SHRD: execSHRD,

	// Bits and bytes.
	x86asm.BT: execBT, x86asm.BTS: execBTS, x86asm.BTR: execBTR, x86asm.BTC: execBTC,
	x86asm.BSF: execBSF, x86asm.BSR: execBSR, x86asm.TZCNT: execTZCNT, x86asm.LZCNT: execLZCNT,
	x86asm.POPCNT: execPOPCNT, x86asm.CRC32: execCRC32, x86asm.BSWAP: execBSWAP, x86asm.MOVBE: execMOVBE,

	// Decimal.
	x86asm.AAA: execAAA, x86asm.AAS: execAAS, x86asm.AAM: execAAM, x86asm.AAD: execAAD,
	x86asm.DAA: execDAA, x86asm.DAS: execDAS,

	// Data transfer.
	x86asm.MOV: execMOV, x86asm.MOVNTI: execMOV, x86asm.MOVZX: execMOVZX,
	x86asm.MOVSX: execMOVSX, x86asm.MOVSXD: execMOVSX,
	x86asm.LEA: execLEA, x86asm.XLATB: execXLAT,
	x86asm.CBW: execCBW, x86asm.CWDE: execCBW, x86asm.CDQE: execCBW,
	x86asm.CWD: execCWD, x86asm.CDQ: execCWD, x86asm.CQO: execCWD,
	x86asm.XCHG: execXCHG, x86asm.XADD: execXADD, x86asm.CMPXCHG: execCMPXCHG,
	x86asm.CMPXCHG8B: execCMPXCHG8B, x86asm.CMPXCHG16B: execCMPXCHG8B,

	// Flags.
	x86asm.LAHF: execLAHF, x86asm.SAHF: execSAHF, x86asm.CLC: execCLC, x86asm.STC: execSTC,
	x86asm.CMC: execCMC, x86asm.CLD: execCLD, x86asm.STD: execSTD,

	// Strings.
	x86asm.MOVSB: execMOVS, x86asm.MOVSW: execMOVS, x86asm.MOVSD: execMOVS, x86asm.MOVSQ: execMOVS,
	x86asm.CMPSB: execCMPS, x86asm.CMPSW: execCMPS, x86asm.CMPSD: execCMPS, x86asm.CMPSQ: execCMPS,
	x86asm.SCASB: execSCAS, x86asm.SCASW: execSCAS, x86asm.SCASD: execSCAS, x86asm.SCASQ: execSCAS,
	x86asm.LODSB: execLODS, x86asm.LODSW: execLODS, x86asm.LODSD: execLODS, x86asm.LODSQ: execLODS,
	x86asm.STOSB: execSTOS, x86asm.STOSW: execSTOS, x86asm.STOSD: execSTOS, x86asm.STOSQ: execSTOS,

	// Stack.
	x86asm.PUSH: execPUSH, x86asm.POP: execPOP,
	x86asm.PUSHA: execPUSHA, x86asm.PUSHAD: execPUSHA, x86asm.POPA: execPOPA, x86asm.POPAD: execPOPA,
	x86asm.ENTER: execENTER, x86asm.LEAVE: execLEAVE,

	// Branches.
	x86asm.JMP: execJMP, x86asm.CALL: execCALL, x86asm.RET: execRET,
	x86asm.LOOP: execLOOP, x86asm.LOOPE: execLOOP, x86asm.LOOPNE: execLOOP,
	x86asm.JCXZ: execJCXZ, x86asm.JECXZ: execJCXZ, x86asm.JRCXZ: execJCXZ,

	// Miscellaneous.
	x86asm.NOP: execNOP, x86asm.PAUSE: execNOP,
	x86asm.LFENCE: execNOP, x86asm.MFENCE: execNOP, x86asm.SFENCE: execNOP,
	x86asm.PREFETCHNTA: execNOP, x86asm.PREFETCHT0: execNOP, x86asm.PREFETCHT1: execNOP,
	x86asm.PREFETCHT2: execNOP, x86asm.PREFETCHW: execNOP,
	x86asm.CLFLUSH: execCLFLUSH, x86asm.BOUND: execBOUND, x86asm.RDRAND: execRDRAND,
	x86asm.UD0: execUD, x86asm.UD1: execUD, x86asm.UD2: execUD,
}

// Operations with one mnemonic for each condition.
var (
	jccOps = []x86asm.Op{
		x86asm.JO, x86asm.JNO, x86asm.JB, x86asm.JAE, x86asm.JE, x86asm.JNE, x86asm.JBE, x86asm.JA,
		x86asm.JS, x86asm.JNS, x86asm.JP, x86asm.JNP, x86asm.JL, x86asm.JGE, x86asm.JLE, x86asm.JG,
	}
	setccOps = []x86asm.Op{
		x86asm.SETO, x86asm.SETNO, x86asm.SETB, x86asm.SETAE, x86asm.SETE, x86asm.SETNE, x86asm.SETBE, x86asm.SETA,
		x86asm.SETS, x86asm.SETNS, x86asm.SETP, x86asm.SETNP, x86asm.SETL, x86asm.SETGE, x86asm.SETLE, x86asm.SETG,
	}
	cmovccOps = []x86asm.Op{
		x86asm.CMOVO, x86asm.CMOVNO, x86asm.CMOVB, x86asm.CMOVAE, x86asm.CMOVE, x86asm.CMOVNE, x86asm.CMOVBE, x86asm.CMOVA,
		x86asm.CMOVS, x86asm.CMOVNS, x86asm.CMOVP, x86asm.CMOVNP, x86asm.CMOVL, x86asm.CMOVGE, x86asm.CMOVLE, x86asm.CMOVG,
	}
)

func init() {
	for op, h := range intOps {
		handlers[decode.FromX86asm(op)] = h
	}
	for _, f := range []struct {
		ops []x86asm.Op
		h   handler
	}{{jccOps, execJcc}, {setccOps, execSETcc}, {cmovccOps, execCMOVcc}} {
		for _, op := range f.ops {
			handlers[decode.FromX86asm(op)] = f.h
		}
	}
}
