// Package cpu is the processor: registers, segmentation, the whole integer
// instruction set, x87, MMX and SSE to SSE4.2, control, debug and model-specific
// registers, and the run loop that executes decoded code. Floating-point
// arithmetic is package fp's, packed integers are package simd's.
//
// What is modelled: real, unreal, protected (16- and 32-bit), virtual-8086,
// compatibility and 64-bit mode and every switch between them; the integer
// instructions of an x86-64-v1 processor and the later integer extensions that
// the model offers; the x87 with its stack, exceptions and transcendental
// functions, MMX, SSE to SSE4.2, AES, PCLMULQDQ, SHA, and their state by FXSAVE
// and XSAVE; interrupts, traps and their shadows at exact instruction
// boundaries. What is not: AVX, virtualization, SMM, performance monitoring, caches and timing:
// every instruction, every iteration of a REP and every delivery takes one tick.
//
// There are two ways through an instruction, which must agree:
//
//	Step:  fetchInst -> exec -> its handler                 (stepInst)
//	Run:   block of uops, hot ones executed in the loop,    (runBlocks)
//	       all others through the same exec and handler
//
// An instruction changes no architectural state until its last access that can
// fault has passed. A fault is a value in c.fault; delivery is package idt's.
// State is the flat architectural state; the run loop keeps the general
// registers and the arithmetic flags in a faster form beside it.
//
// [SDM 1, Basic Execution Environment; SDM 2, Instruction Set Reference;
// SDM 3A, Protected-Mode Memory Management, Protection, Debug]
package cpu
