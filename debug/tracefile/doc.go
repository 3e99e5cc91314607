// Package tracefile keeps traces in files: as JSON lines, for programs, and in a
// binary form of some two bytes an instruction, for long runs. docs/trace.md
// describes both. Either begins with the same Header; a Reader tells them apart
// and gives the lines of either, so that whoever reads JSON lines reads all.
//
// The binary form is
//
//	magic    8 bytes "x86emuT\x1a"
//	version  4 bytes, numbers little-endian
//	header   4 bytes length, a JSON object, 4 bytes CRC-32C of it
//	blocks   4 bytes length, 4 bytes length once decompressed, 4 bytes CRC-32C of
//	         the frame, a Zstandard frame
//	end      12 bytes of zeros
//
// and a block holds records, which run on from block to block: instructions,
// accesses and register changes by what is expected of them (codec.go), all
// other events as their JSON lines. Blocks are checked before any of their
// records is used. A trace that was cut off can be read up to its last whole
// block, and then says so.
//
// Nothing here depends on how long a trace is: reading, writing and comparing
// take a few MiB. Lengths that a file names are bounded before memory is taken.
package tracefile
