// Package harness asks other machines: a guest image of ours (folder image) takes
// a table of cases from memory, runs each in its world, and reports registers
// and memory on the debug console, port 0xE9.
//
// The image begins a case by loading everything that a processor has and an IRET.
// Each gate of a world leads to a collector of the image, which saves all
// registers before it uses any; diff/world_system.go has the contract. Between two
// cases the image runs in 32-bit protected mode without paging:
//
//	1 MiB    the image, at most to 4 MiB; behind it the table, a multiboot module
//	16 MiB   the arena
//	17 MiB   the arena as the case began
//	18 MiB   the arenas of the worlds
//	31 MiB   which case is running: it outlives a reset
//
// A case of a user world runs under tables that are made here (user.go), and its
// answer is turned into what a debugger would see.
//
// A case that ends in a shutdown resets the machine. Bochs comes back by its
// firmware, at an address that the image has left for it, QEMU by a ROM of ours; in
// other engines the run ends there, and the image is booted again for the rest. In either
// way the case is the one behind the last report. A case that has not ended after five
// seconds is silent.
//
// An [Engine] is a machine that can run the image: QEMU and Bochs, started as
// processes; this emulator's own board, which tests the harness without any
// other program; and KVM, in package diff/kvm, which does a part of the image's work
// from outside (host.go). [New] makes an oracle of one.
//
// Not answered: cases that begin in real mode; the error code of an event in
// 32-bit worlds, but for its place on the stack, since there nothing tells an
// error code from other words.
package harness
