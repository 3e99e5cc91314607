// Package sst replays suites in the layouts of SingleStepTests: instructions
// captured from old processors in real mode, one instruction a test, with
// registers and memory before and after.
//
// There are two layouts. MOO is binary: chunks of a four-letter name, a length and
// contents, chunks within chunks. JSON is a list of objects. Either may be
// gzip'd. Both hold of the final state only what has changed. [dbalsom/moo, MOO
// File Format Specification]
//
// The suites of the 80286 and 80386 end each test with HLT, behind the
// instruction or at its target; those of the 8086 and its kin end behind the
// instruction. Bus cycles, prefetch queues and hashes are read over. Every byte of
// memory is compared, also those that a test does not name: they must be as
// they were.
//
// A test runs on the oldest model that there is, a 386 in real mode. What an older
// processor does otherwise is in one table (differences), each with its reason, and
// is foretold, not left out. What the manual leaves undefined is masked by
// package diff's table beside the masks that the files bring.
package sst
