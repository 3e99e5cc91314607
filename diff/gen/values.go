package gen

import (
	"math/rand/v2"

	"x86emu/diff"
)

// edges are the values at which integer instructions change their mind.
var edges = []uint64{
	0, 1, 2, 7, 8, 0x1f, 0x20, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1<<63 - 1, 1 << 63,
	^uint64(0), ^uint64(1), 0xffffffff80000000, 0xffffffffffffff80, 0xffffffffffff8000,
	0x00007fffffffffff, 0x0000800000000000, 0xffff800000000000,
}

// pick is one of several values.
func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// once in so many times.
func once(r *rand.Rand, in int) bool { return r.IntN(in) == 0 }

// edge is a value at an edge, or a few off it.
func edge(r *rand.Rand) uint64 {
	v := edges[r.IntN(len(edges))]
	if once(r, 4) {
		v += uint64(r.IntN(5)) - 2
	}
	return v
}

// value is an operand: an edge, a small number, a pointer, or anything.
func value(r *rand.Rand) uint64 {
	switch n := r.IntN(20); {
	case n < 6:
		return edge(r)
	case n < 10:
		return uint64(r.IntN(80))
	case n < 14:
		return dataPointer(r)
	}
	return r.Uint64()
}

// dataPointer is a linear address in the data pages of the user world.
func dataPointer(r *rand.Rand) uint64 {
	return diff.UserData + uint64(r.IntN(diff.UserDataPages*diff.PageSize))
}

// codePointer is a linear address in its code pages, now and then one with no
// code at all.
func codePointer(r *rand.Rand) uint64 {
	if once(r, 8) {
		return pick(r, diff.UserData+8, diff.UserCode-1, diff.UserCode+diff.UserCodePages*diff.PageSize, edge(r))
	}
	return diff.UserCode + uint64(r.IntN(diff.UserCodePages*diff.PageSize))
}

// target is a linear address for an access of so many bytes: aligned in a page,
// across pages, where only reads may go, partly or wholly missing.
func target(r *rand.Rand, size int) uint64 {
	const page = diff.PageSize
	across := func(boundary uint64) uint64 { return boundary - uint64(r.IntN(max(size, 2)+1)) }
	switch r.IntN(20) {
	case 0, 1, 2:
		return diff.UserData + uint64(r.IntN(2*page-64))
	case 3:
		return across(diff.UserData + page)
	case 4:
		return across(diff.UserReadOnly)
	case 5:
		return diff.UserReadOnly + uint64(r.IntN(page-64))
	case 6:
		return across(diff.UserReadOnly + page)
	case 7:
		return across(diff.UserData)
	case 8:
		return diff.UserCode + page + 0x800 + uint64(r.IntN(0x100))
	case 9:
		return value(r)
	}
	return diff.UserData + uint64(r.IntN((2*page-64)/16))*16
}

// Flags that a process may begin with, beside flagAC.
const (
	flagsArith = 0x8d5
	flagTF     = 1 << 8
	flagsUser  = 0x202 // IF and the bit that is always one
	flagDF     = 1 << 10
)

// flags are those of a case: any arithmetic ones, seldom DF and AC.
func flags(r *rand.Rand) uint64 {
	f := r.Uint64()&flagsArith | flagsUser
	if once(r, 4) {
		f |= flagDF
	}
	if once(r, 10) {
		f |= flagAC
	}
	return f
}
