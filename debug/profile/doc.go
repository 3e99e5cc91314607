// Package profile samples where a guest spends its ticks, for pprof: what
// "go tool pprof" reads, with the guest's symbols and source lines.
//
// A sample is taken every so many ticks of virtual time, between two
// instructions, so that the same image and input give the same profile on every
// host. Its value is in ticks: one for each instruction, iteration of a repeated
// one and delivery. Time that a halted processor skips counts, under "[halted]".
//
// Stacks come from a shadow: every CALL and RET is followed, as are deliveries
// and their IRETs, SYSCALL and SYSRET, and changes of stacks (shadow.go). No frame
// pointers, unwind tables or guesses are involved, so what a stack says is what
// was called and has not returned. A caller that is not known, because the
// guest came there by a jump or on a stack of unknown past, is left out.
// Following calls needs an observer, which has the guest run one instruction at
// a time; without stacks (Options.Leaf) it runs at full speed and each sample has
// only its instruction.
//
// An event that is being handled stands in the stack as a function "[#PF]" or
// "[INTR 0x20]", between its handler and the code that it interrupted. An
// address without symbol is a function of the name of its page.
//
// Not modelled: inlined functions, which have no frames of their own; hardware
// task switches, after which a stack begins anew.
package profile
