// Package fp is binary floating-point arithmetic as x86 processors do it, bit by
// bit and flag by flag, in integers: so that it gives the same result on every
// host.
//
// There are three formats: single (32 bits) and double (64) of SSE, and the
// double-extended one (80) of the x87, which rounds to 24, 53 or 64 bits. One
// algorithm serves all of them: an operand is unpacked into a number with a
// 128-bit significand, the operation is exact or leaves a sticky bit, and one
// function rounds and packs.
//
// [IEEE 754-2008; SDM 1, Floating-Point Data Types; Floating-Point Exception
// Conditions]
//
// An Env holds what an operation takes from MXCSR or the x87 control word, and
// the exceptions that it raised. What becomes of them (a flag, a fault, a
// destination that stays) is for the caller. Tininess is detected after
// rounding.
//
// Not modelled here: the x87's stack and tags, packing of vectors, and
// transcendental functions.
package fp
