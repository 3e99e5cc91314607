// Package model is a second reading of the manual: what the text says, line by
// line, each line below the sentence that it stands for. It shares no code and no
// tables with the emulator and knows of it only the types of package diff, so
// that a mistake of one is not a mistake of the other.
//
// It is slow and plain on purpose. A register is read bit by bit where it is
// needed; nothing is cached, combined or prepared. What the manual says twice,
// for two modes, stands here twice.
//
// Modelled is one access to memory through the paging structures of a case:
// which entries are used, whether there is a translation, whether the access is
// allowed, the error code and CR2 if not, the accessed and dirty flags if so.
// [SDM 3A, Paging]
//
//	paging32.go, pagingpae.go, paging4.go   from a linear address to a translation
//	rights.go, keys.go                      whether the access is allowed
//	pagefault.go, flags.go                  what is told when it is not, and kept when it is
//
// And one event, return, far transfer or segment load through the tables of a case,
// with all that follows from it, down to the registers and the bytes of the frame.
// [SDM 3A, Protection; Interrupt and Exception Handling; Task Management; SDM 2, INT n,
// IRET, RET, JMP, CALL, MOV]
//
//	delivery.go, course.go, descriptor.go   a case's course; checks and memory that can fail
//	delivery_int.go                         INT n and exceptions, double faults
//	delivery_iret.go, delivery_far.go       returns, far transfers, segment loads
//	delivery_task.go                        task switches
//
// Not modelled: HLAT paging, shadow stacks and supervisor keys, which the
// emulator has not; memory types; TLBs and paging-structure caches, as a case
// begins without any; what an instruction does with its data; real mode, CR4.VME,
// #AC, debug exceptions.
//
// Where the manual leaves a result open, the choice of the emulator is taken and
// the sentence says so.
package model
