// Package qemulog writes what a machine does in the layouts of QEMU 7.2's log,
// so that scripts made for "qemu -d int,exec -D FILE" read it:
//
//	int    for each event a line "N: v=0e e=0002 i=0 cpl=3 IP=... CR2=..." and
//	       the registers; before it, for each exception "check_exception old:
//	       0xffffffff new 0xe", for an interrupt of the board's "Servicing hardware
//	       INT=0x20"; as in QEMU nothing but these lines in real mode
//	exec   for each block of code a line "Trace 0: ADDRESS [cs base/pc/flags/
//	       cflags] symbol", in the form that "-d exec,nochain" gives it: blocks
//	       that are entered by a chained jump have their line, too
//	reset  "Triple fault", and for each reset of the processor that somebody tells
//	       of "CPU Reset (CPU 0)" with the registers, x87 and SSE among them, as
//	       -d cpu_reset gives it; QEMU has two more as it starts
//
// The fields are QEMU's and so is their order; the values are this machine's.
// Some cannot be equal: QEMU's ADDRESS is where its host code lies, here it is
// the block's physical address; CCS, CCD and CCO are the inside of QEMU's lazy
// flags, here always the flags themselves (CCO=EFLAGS); "Stopped execution" and
// "SMM" lines do not occur. QEMU's firmware runs before the kernel and is
// counted in N. Where the two processors differ (QEMU keeps RF and the busy bit
// of TR's cached type clear), each tells of its own. tests/peers compares the
// rest field for field.
//
// Blocks end where QEMU's translator ends them, TCG i386 of 7.2: at a transfer
// of control, a repeated string instruction, a change of state that code is
// translated for, the end of a page, or after 512 instructions.
//
// The int layout costs the guest nothing between events. The exec layout has
// the machine run one instruction at a time, as every observer does.
package qemulog
