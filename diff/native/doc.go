// Package native is the oracle for the processor of the host.
//
// A small program that x86emu carries inside itself (helper/) runs user-world
// cases at CPL 3, in 64-, 32- and 16-bit code segments, in a process of its own.
// A case begins with rt_sigreturn, to its registers, and ends with the signal of
// whatever exception comes: its frame has the processor's vector, error code and
// CR2. Questions and answers go through shared memory, some thousand a start.
//
//	x86emu   questions ->  +-----------------+  -> rt_sigreturn -> the case
//	         answers   <-  | helper, seccomp |  <- signal frame <- its exception
//
// Random code cannot reach the host's kernel: a filter lets rt_sigreturn and
// exit_group pass, each from one place, and makes every other system call a
// signal, by whichever instruction and of whichever architecture it comes. A case
// without an end is ended by a timer of processor time. One that ends the helper
// is asked again alone, and reported.
//
// Not all that a process sees is the processor's. What the host's kernel does to
// it is told in kernel.go: such an answer is Silent with the reason, or has the
// difference undone, or is left to the table of differences (diff/mask.go).
// [SDM 3A, Protected-Mode Exceptions; Linux, Documentation/arch/x86]
//
// It exists on Linux on amd64 alone. Elsewhere, and where a kernel forbids what
// it needs, New gives one line of reason.
package native
