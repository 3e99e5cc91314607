// Package machine is a board around one processor: RAM, ROM, the port bus and
// the memory-mapped bus, a handful of devices, and virtual time.
//
//	RAM          from address 0; what nobody answers for reads as all ones
//	port 0x3F8   16550A UART (COM1) on IRQ 4: stdin and stdout of the guest
//	port 0xF0    ends IRQ 13, the x87 exceptions of CR0.NE = 0
//	port 0xE9    debug console, reads as 0xE9
//	port 0xF4    ends the run with the value written (four ports wide)
//	port 0x80    POST code, kept, reads back
//	port 0x92    A20 gate
//
// A PC has more, a device a file (Config.Board, board.go):
//
//	port 0x20    two 8259A interrupt controllers, with 0xA0 and 0x4D0 (ELCR)
//	port 0x2F8   16550A UART (COM2) on IRQ 3
//	port 0xE0    QEMU's pc-testdev, with 0xE4, 0xE8, 0x2000 and RAM at 0xFF000000
//	port 0x501   ends the run as 0xF4 does, where QEMU's isa-debug-exit is
//	port 0x40    8254 timer on IRQ 0, with 0x61: its third counter's gate and output
//	port 0x60    8042 with a keyboard on IRQ 1, with 0x64: scan code sets 1 and 2, A20, reset
//	port 0x70    MC146818A real-time clock on IRQ 8, with the CMOS memory
//	port 0x600   ACPI's PM1 registers, PM timer and SCI on IRQ 9, with 0xB2, 0xB3
//	             and 0xAFE0; 0x604 turns the machine off
//	port 0x510   QEMU's fw_cfg, with Config.Files; 0x514 by transfers to RAM
//	port 0x1F0   IDE channel on IRQ 14, with 0x3F6, and another at 0x170 and 0x376 on
//	             IRQ 15: two disks each, by PIO (Config.Drives)
//	port 0x3F2   82077AA floppy disk controller on IRQ 6, two drives
//	port 0x00    two 8237A DMA controllers, with 0x81 and 0xC0; channel 2 is the floppies'
//	port 0xCF8   PCI configuration of an empty bus; 0xCF9 resets
//	port 0x3C0   VGA's registers as text modes use them, with 0x3D4 or 0x3B4; in mode 3
//	0xB8000      text memory: RAM, at first blank
//	0xFEC00000   82093AA I/O APIC: IRQ 0 at pin 2, the others at their own
//	0xFED00000   HPET: three timers at pins 2, 8 and 16 to 23 of that, or on IRQ 0 and 8
//	0xFEE00000   the processor's local APIC, in virtual wire mode, if its model has one
//
// Config.Ports moves 0x3F8, 0x2F8, 0xE9, 0xF4 and 0x501 or leaves them out.
//
// Time is the processor's tick counter: one tick for each instruction, each
// iteration of a repeated string instruction and each delivery of an event.
// Devices set timers on it; HLT skips to the next timer that may wake the
// processor. Config.TickRate says how many ticks the devices' second has: by default
// a tick is a nanosecond. Nothing else moves time, so that the same image and input give
// the same run on every host.
//
// A run ends for a reason that is told (Result): the guest's word, power turned
// off, a reset, HLT that nothing can end, shutdown, an endless loop of
// deliveries, a budget of ticks, or the end of a context.
//
// A machine can be forked cheaply (memory pages are shared until written),
// returned to one of its own Moments and replayed from there,
// written to a file, and restored from it, by a later build too. A snapshot is
// the processor's State, its TLB, memory, timers, the devices' flat states and the sectors
// written to disks, and nothing else: of a disk's image it has the size.
//
// Graphics are not part of this board; other interrupts
// and NMI are raised by the caller. Firmware there is if Config.Firmware has it, as
// ROM; without, images are loaded by package guest, and find interrupt controllers and timer as
// they come out of reset: silent.
// The text screen is as firmware would leave it, and of the tables that describe the board
// there are ACPI's (package acpi) and MP's: the loader calls InstallTables, which puts them
// into memory that every memory map reserves. Firmware finds that memory empty, and the
// tables in fw_cfg.
package machine
