// Package simd is packed-integer arithmetic as MMX and SSE instructions do it:
// pure functions on 64- and 128-bit vectors, each under its instruction's name.
//
// An operation takes the destination, the source and the width in bytes: 8 for
// MMX registers, 16 for XMM registers. With a width of 8 the upper half of a
// vector is ignored, and means nothing in the result. Lane 0 is the lowest.
//
// [SDM 1, Programming with Intel MMX Technology; Programming with SSE2; SDM 2]
//
// Not here: floating point (package fp), operands, faults.
package simd

// Vec is a vector, as two quadwords. A struct, not an array: the compiler keeps it in registers.
type Vec struct{ Lo, Hi uint64 }

// Op is an operation on a destination and a source of w bytes.
type Op func(d, s Vec, w int) Vec
