// Package peers is the table of what other emulators are known to do otherwise than
// the manual: each row has the sentence that it breaks and foretells the wrong
// answer to the bit, from the right one.
//
// A row that does not foretell an answer exactly does not explain it. Rows may
// ask the model what it would answer to another question: a peer that takes a
// read-modify-write for a read first gives the answer that the model gives to the
// read.
package peers

import (
	"slices"

	"x86emu/diff"
)

// Rows is the table.
func Rows() []diff.Row { return slices.Concat(common, paging, keys, delivery) }
