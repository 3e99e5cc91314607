package cpu

import "x86emu/decode"

// The integer instructions, by family as the manual's summary lists them.
// [SDM 1, General-Purpose Instructions]
//
// Handlers are written once for every operand form, size and mode: operands
// come through get, getRMW and put, widths from the operands themselves or,
// where an instruction has none, from OpSize and AddrSize. Jcc, SETcc and
// CMOVcc take their condition from the low four bits of the opcode.
var intOps = map[decode.Op]handler{
	// Arithmetic and logic.
	decode.ADD: execADD, decode.OR: execOR, decode.ADC: execADC, decode.SBB: execSBB,
	decode.ADCX: execADCX, decode.ADOX: execADOX,
	decode.AND: execAND, decode.SUB: execSUB, decode.XOR: execXOR, decode.CMP: execCMP,
	decode.TEST: execTEST, decode.INC: execINC, decode.DEC: execDEC,
	decode.NEG: execNEG, decode.NOT: execNOT,

	// Multiplication and division.
	decode.MUL: execMUL, decode.IMUL: execIMUL, decode.DIV: execDIV, decode.IDIV: execIDIV,

	// Shifts and rotates.
	decode.SHL: execSHL, decode.SHR: execSHR, decode.SAR: execSAR,
	decode.ROL: execROL, decode.ROR: execROR, decode.RCL: execRCL, decode.RCR: execRCR,
	decode.SHLD: execSHLD, decode.SHRD: execSHRD,

	// Bits and bytes.
	decode.BT: execBT, decode.BTS: execBTS, decode.BTR: execBTR, decode.BTC: execBTC,
	decode.BSF: execBSF, decode.BSR: execBSR, decode.TZCNT: execTZCNT, decode.LZCNT: execLZCNT,
	decode.POPCNT: execPOPCNT, decode.CRC32: execCRC32, decode.BSWAP: execBSWAP, decode.MOVBE: execMOVBE,

	// Decimal.
	decode.AAA: execAAA, decode.AAS: execAAS, decode.AAM: execAAM, decode.AAD: execAAD,
	decode.DAA: execDAA, decode.DAS: execDAS,

	// Data transfer.
	decode.MOV: execMOV, decode.MOVNTI: execMOV, decode.MOVDIRI: execMOV, decode.MOVZX: execMOVZX,
	decode.MOVSX: execMOVSX, decode.MOVSXD: execMOVSX,
	decode.LEA: execLEA, decode.XLATB: execXLAT,
	decode.CBW: execCBW, decode.CWDE: execCBW, decode.CDQE: execCBW,
	decode.CWD: execCWD, decode.CDQ: execCWD, decode.CQO: execCWD,
	decode.XCHG: execXCHG, decode.XADD: execXADD, decode.CMPXCHG: execCMPXCHG,
	decode.CMPXCHG8B: execCMPXCHG8B, decode.CMPXCHG16B: execCMPXCHG8B,

	// Flags.
	decode.LAHF: execLAHF, decode.SAHF: execSAHF, decode.CLC: execCLC, decode.STC: execSTC,
	decode.CMC: execCMC, decode.CLD: execCLD, decode.STD: execSTD, decode.SALC: execSALC,

	// Strings.
	decode.MOVSB: execMOVS, decode.MOVSW: execMOVS, decode.MOVSD: execMOVS, decode.MOVSQ: execMOVS,
	decode.CMPSB: execCMPS, decode.CMPSW: execCMPS, decode.CMPSD: execCMPS, decode.CMPSQ: execCMPS,
	decode.SCASB: execSCAS, decode.SCASW: execSCAS, decode.SCASD: execSCAS, decode.SCASQ: execSCAS,
	decode.LODSB: execLODS, decode.LODSW: execLODS, decode.LODSD: execLODS, decode.LODSQ: execLODS,
	decode.STOSB: execSTOS, decode.STOSW: execSTOS, decode.STOSD: execSTOS, decode.STOSQ: execSTOS,

	// Stack.
	decode.PUSH: execPUSH, decode.POP: execPOP,
	decode.PUSHA: execPUSHA, decode.PUSHAD: execPUSHA, decode.POPA: execPOPA, decode.POPAD: execPOPA,
	decode.ENTER: execENTER, decode.LEAVE: execLEAVE,

	// Branches.
	decode.JMP: execJMP, decode.CALL: execCALL, decode.RET: execRET,
	decode.LOOP: execLOOP, decode.LOOPE: execLOOP, decode.LOOPNE: execLOOP,
	decode.JCXZ: execJCXZ, decode.JECXZ: execJCXZ, decode.JRCXZ: execJCXZ,

	// Miscellaneous.
	decode.NOP: execNOP, decode.PAUSE: execNOP,
	decode.LFENCE: execNOP, decode.MFENCE: execNOP, decode.SFENCE: execNOP,
	decode.PREFETCHNTA: execNOP, decode.PREFETCHT0: execNOP, decode.PREFETCHT1: execNOP,
	decode.PREFETCHT2: execNOP, decode.PREFETCHW: execNOP,
	decode.CLFLUSH: execCLFLUSH, decode.CLFLUSHOPT: execCLFLUSH, decode.CLWB: execCLFLUSH,
	decode.BOUND: execBOUND, decode.RDRAND: execRDRAND, decode.RDSEED: execRDRAND,
	decode.UD0: execUD, decode.UD1: execUD, decode.UD2: execUD,
}

// Operations with one mnemonic for each condition.
var (
	jccOps = []decode.Op{
		decode.JO, decode.JNO, decode.JB, decode.JAE, decode.JE, decode.JNE, decode.JBE, decode.JA,
		decode.JS, decode.JNS, decode.JP, decode.JNP, decode.JL, decode.JGE, decode.JLE, decode.JG,
	}
	setccOps = []decode.Op{
		decode.SETO, decode.SETNO, decode.SETB, decode.SETAE, decode.SETE, decode.SETNE, decode.SETBE, decode.SETA,
		decode.SETS, decode.SETNS, decode.SETP, decode.SETNP, decode.SETL, decode.SETGE, decode.SETLE, decode.SETG,
	}
	cmovccOps = []decode.Op{
		decode.CMOVO, decode.CMOVNO, decode.CMOVB, decode.CMOVAE, decode.CMOVE, decode.CMOVNE, decode.CMOVBE, decode.CMOVA,
		decode.CMOVS, decode.CMOVNS, decode.CMOVP, decode.CMOVNP, decode.CMOVL, decode.CMOVGE, decode.CMOVLE, decode.CMOVG,
	}
)

func init() {
	for op, h := range intOps {
		handlers[op] = h
	}
	for _, f := range []struct {
		ops []decode.Op
		h   handler
	}{{jccOps, execJcc}, {setccOps, execSETcc}, {cmovccOps, execCMOVcc}} {
		for _, op := range f.ops {
			handlers[op] = f.h
		}
	}
}
