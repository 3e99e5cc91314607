// Package qemu reads command lines of QEMU's PC emulators, qemu-system-i386 and
// qemu-system-x86_64, so that "x86emu qemu" can stand in their place in a
// Makefile or a test script.
//
// Parse makes a Line of the words: what to boot, RAM, CPU model, where the
// serial port and the debug console go, which ports end the run, what is to be
// logged. It knows every option of QEMU 7.2, and those of older versions that
// Makefiles still hold, for it must know which of them take a value. An option
// is of one of four kinds:
//
//	done      does what it does on QEMU
//	idle      has no effect that a guest could see here: -name, -accel
//	absent    asks for what this board has not, and a guest can do without: a
//	          window, a network card, a second processor. Line.Absent names it,
//	          and the run goes on.
//	refused   without it the run would be another one: flash memory, a saved
//	          state, a CD to boot from. Parse returns an error.
//
// Every error is one line that names the option. End tells how a run that is
// over ends in QEMU's terms. Names, defaults and exit statuses are those of
// QEMU 7.2, found by asking it.
package qemu
