package cpu

import "x86emu/decode"

// Model is a CPU model: what it can do and what its CPUID says.
type Model struct {
	Name        string
	Features    decode.Feature
	MaxPhysBits uint
	CR4Valid    uint64 // CR4 bits that may be set
	EFERValid   uint64
	Signature   uint32 // family, model, stepping as in CPUID.1:EAX
}
