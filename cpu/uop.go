package cpu

import "x86emu/mmu"

// uop is one step of a block: pointer-free, so that the collector does not
// scan the pools. The commonest instructions become one to three uops that the
// run loop executes in place; every other one becomes uExec, a call of its
// handler.
//
// The second operand of a uop is always b = r[src] + imm: a register (imm 0) or
// an immediate (src rZero). An address is r[base] + r[index]<<scale + disp.
type uop struct {
	code        uopCode
	off         uint16 // offset of the instruction in the block, in bytes
	n           uint8  // number of the instruction in the block
	len         uint8  // length of the instruction
	dst, src    uint8
	base, index uint8
	scale       uint8
	seg         uint8
	imm, disp   uint64
}

// Registers of the executor beyond the 16 general ones.
const (
	rZero = 16 // always 0
	rIP   = 17 // the address of the running block
	rTmp  = 18 // an operand loaded from memory
	rVal  = 19 // the value of a read-modify-write
	rAddr = 20 // an address with its segment base
)

type uopCode uint16

// The uops. 32 and 64 are operand sizes; NF forms leave the flags alone and
// stand where the flags are overwritten before anything can see them.
const (
	uExec    uopCode = iota // run handlers[insts[imm].Op]
	uExecEnd                // the same, and the block ends

	uMov32
	uMov64
	uMov8  // low byte only
	uMov16 // low word only
	uLea32
	uLea64
	uAddr // r[rAddr] = effective address + base of segment seg

	uLd8
	uLd16
	uLd32
	uLd64
	uLd8S32
	uLd8S64
	uLd16S32
	uLd16S64
	uLd32S64
	uMod8 // load for a read-modify-write: the page must be writable
	uMod32
	uMod64
	uSt8
	uSt16
	uSt32
	uSt64

	uZx8
	uZx16
	uSx8x32
	uSx8x64
	uSx16x32
	uSx16x64
	uSx32x64

	uAdd32
	uAdd64
	uSub32
	uSub64
	uAnd32
	uAnd64
	uOr32
	uOr64
	uXor32
	uXor64
	uCmp8
	uCmp32
	uCmp64
	uTest8
	uTest32
	uTest64
	uAdd8
	uSub8
	uAnd8
	uOr8
	uXor8
	uAdc32
	uAdc64
	uSbb32
	uSbb64
	uInc32
	uInc64
	uDec32
	uDec64
	uNeg32
	uNeg64
	uShl32
	uShl64
	uShr32
	uShr64
	uSar32
	uSar64
	uRol32
	uRol64
	uShld32 // src follows dst
	uShrd32
	uImul32
	uImul64

	uAddNF32
	uAddNF64
	uSubNF32
	uSubNF64
	uAndNF32
	uAndNF64
	uOrNF32
	uOrNF64
	uXorNF32
	uXorNF64
	uShlNF32
	uShlNF64
	uShrNF32
	uShrNF64

	uPush32
	uPush64
	uPop32
	uPop64

	// Vectors: dst and src are XMM registers or xTmp, but for the general register
	// of a move between both. imm of uLdX and uStX are the bits that the address
	// must not have; of the others the number of the operation, and from bit 8 its immediate.
	uMovX
	uLdX
	uStX
	uXFromR // the rest of dst is cleared
	uRFromX32
	uRFromX64
	uVec
	uVecImm
	uVecShift
	uVecShiftImm
	uFloat

	// Ends of a block. disp is the target's distance from the block's start.
	uNext // fall through
	uJmp
	uJmpInd // to r[src]
	uCall32 // pushes the return address: imm from the block's start
	uCall64
	uCallInd64 // to r[src]
	uRet32
	uRet64
	uJcc // 16 codes, in condition-code order
)

const maxUopsPerInst = 4

const slotMask = mmu.Slots - 1
