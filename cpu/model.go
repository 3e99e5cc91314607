package cpu

import "x86emu/decode"

// Model is a CPU model: what it can do and what its CPUID says.
type Model struct {
	Name        string
	Features    decode.Feature
	MaxPhysBits uint
	CR4Valid    uint64 // CR4 bits that may be set
	EFERValid   uint64
}
