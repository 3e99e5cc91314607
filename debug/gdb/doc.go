// Package gdb lets debuggers that speak the remote protocol of gdb debug a
// machine, forward and back. Serve is all of it; what follows is the protocol
// and what is particular about this side of it. [GDB manual, Remote Protocol]
//
// # Packets
//
// A packet is $BODY#SS, with the sum of the body's bytes in two digits. In the
// body } takes the next byte with bit 5 turned over, for # $ } and *. Each side
// answers a packet with + or, where the sum is wrong, with - for having it again,
// until QStartNoAckMode ends that. The debugger asks, the stub answers; an empty
// answer says that it does not know the packet, E and two digits that it failed,
// E. and words that it failed and why. Outside of packets the byte 0x03 stops the
// running guest. All numbers are hexadecimal, memory is in the guest's order.
//
// A run (vCont, c, s, and backward bc and bs) is answered when it is over: by a
// stop reply, T with a signal and pairs that tell why. Before it, packets O may
// print on the debugger's console. W says that the guest has ended for good.
//
// # Where debuggers and stubs differ
//
//   - gdb moves the pc back by one after a breakpoint on x86, unless the stub offers
//     swbreak; here no breakpoint is ever written into memory, and pc is right.
//   - gdb steps over a breakpoint by taking it away, stepping, and putting it back;
//     LLDB leaves it there. Both work: where the guest stands does not count.
//   - gdb fixes the size of a g packet with the target description; a stub that
//     changes it with the processor's mode makes gdb say "g packet reply is too
//     long". So this description never changes.
//   - gdb's i386 and i8086 architectures refuse a description that lacks eax and eip,
//     its x86-64 one a description that lacks rax and rip. This one has both, as
//     views of the same registers: `set architecture` may be changed at any time, on
//     one connection, and no register has a type whose size depends on it.
//   - gdb takes addresses for what pc and sp hold. Here breakpoints, watchpoints and
//     memory are by linear address, whatever the segments; where CS has a base,
//     $pc_linear and $sp_linear are what to look at, and gdb tells a stop at a
//     breakpoint as SIGTRAP. So it does where its architecture has too few bits for
//     the address.
//
// # What is modelled
//
// One processor, thread 1. Z0 and Z1 are the same, Z2 to Z4 watch the accesses of
// the program and of the processor (its stacks and tables) at a linear address,
// by whatever mapping. A stop is behind an access when the guest goes forward, and
// before it when it goes back, as gdb wants it. The guest's debug registers are
// its own. With Qqemu.PhyMemMode (QEMU's) or `monitor physical on` addresses are
// physical: of memory, and of watchpoints. Memory that is read through page
// tables leaves A, D and TLB as they are.
//
// The end of a run (exit, shutdown, an endless loop, HLT for good, the budget) is a
// stop first, so that one can look and go back; who continues from there gets W
// with the exit status of `x86emu run`. The beginning is replaylog:begin. Changes
// of registers and memory are part of the history: they are made again when it is
// gone through again, and what came after them is forgotten.
//
// A client may detach, and the guest runs on; or be lost, and the guest stands
// until the next one comes. Registers that could bring the processor into a state
// that no processor can be in are read-only: selectors in protected mode, paging
// and mode bits. Not there are non-stop mode, several processes, tracepoints, files,
// and conditions that the stub evaluates.
package gdb
