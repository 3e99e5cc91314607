// Package guest brings images into a machine: it tells an image's format by
// its bytes, puts it into memory and sets the processor to the state that the
// format promises at its first instruction.
//
//	multiboot 1   ELF32, ELF64 or any file with an address header within its
//	              first 8 KiB; entered in flat 32-bit protected mode with
//	              EAX = 0x2BADB002 and EBX = the information structure
//	multiboot 2   the same with a header within the first 32 KiB, EAX = 0x36D76289
//	              and EBX = the information's tags; relocatable images move
//	Linux         a bzImage, entered behind its code for real mode: in long mode
//	              if it offers that, else in protected mode, RSI = the boot
//	              parameters; one module, the initrd
//	PVH           an ELF file with a note of Xen's that holds a 32-bit entry;
//	              entered there, EBX = the start information
//	ELF32         entered in flat 32-bit protected mode, paging off
//	ELF64         entered in long mode, CPL 0, with an identity map of the
//	              first 4 GiB in 2 MiB pages
//	boot sector   512 bytes that end in 0x55 0xAA: loaded at 0x7C00, entered
//	              in real mode at 0000:7C00 with DL = 0x80 (0 for a floppy's)
//	disk          any longer file with 0x55 0xAA there: its first sector likewise
//	flat binary   at an address, mode and CPL that the caller names
//
// At entry interrupts are off, A20 is open, direction flag and all general
// registers not named are zero. The protected modes have the stack pointer at
// BootArea, below which the stack grows, an empty IDT, a null LDT, and this
// table of descriptors at BootArea: for each CPL n, from selector 8 + 0x28*n
// on, flat 32-bit code, flat data, 64-bit code, 16-bit code, 16-bit data.
// Linux has a table of its own there, with the selectors that it expects: code at
// 0x10, data at 0x18. Page tables (64-bit code) follow at BootArea+0x1000: PML4, PDPT
// and four page directories; what a kernel is told is at BootArea+0x8000, and its map
// of memory is Machine.MemoryMap in every protocol.
// On a PC's board the tables of ACPI and MP tables lie from 0xE0000 on, as firmware
// would have left them.
// A boot sector and a disk are in a drive, from which the built-in BIOS (firmware.go)
// boots them: they find its interrupts, and the devices as it leaves them. A boot sector
// on a board without drives is put into memory instead, its interrupt table is empty,
// its stack pointer 0x7C00.
//
// An image is foreign input. Parse and Load refuse what does not fit with one
// line, and use no more memory than the image and the guest's RAM.
// [Multiboot Specification 0.6.96; Multiboot2 Specification 2.0; Linux, The
// Linux/x86 Boot Protocol; Xen, x86/HVM direct boot ABI; ELF-64 Object File Format;
// SDM 3A, Processor Management and Initialization]
package guest
