// Package guest brings images into a machine: it tells an image's format by
// its bytes, puts it into memory and sets the processor to the state that the
// format promises at its first instruction.
//
//	multiboot 1   ELF32, ELF64 or any file with an address header within its
//	              first 8 KiB; entered in flat 32-bit protected mode with
//	              EAX = 0x2BADB002 and EBX = the information structure
//	ELF32         entered in flat 32-bit protected mode, paging off
//	ELF64         entered in long mode, CPL 0, with an identity map of the
//	              first 4 GiB in 2 MiB pages
//	boot sector   512 bytes that end in 0x55 0xAA: loaded at 0x7C00, entered
//	              in real mode at 0000:7C00 with DL = 0x80 (0 for a floppy's)
//	flat binary   at an address, mode and CPL that the caller names
//
// At entry interrupts are off, A20 is open, direction flag and all general
// registers not named are zero. The protected modes have the stack pointer at
// BootArea, below which the stack grows, an empty IDT, a null LDT, and this
// table of descriptors at BootArea: for each CPL n, from selector 8 + 0x28*n
// on, flat 32-bit code, flat data, 64-bit code, 16-bit code, 16-bit data.
// Page tables (ELF64, flat 64-bit) follow at BootArea+0x1000: PML4, PDPT and
// four page directories; multiboot information at BootArea+0x8000.
// The boot sector's stack pointer is 0x7C00, its interrupt table is empty:
// there is no firmware.
//
// An image is foreign input. Parse and Load refuse what does not fit with one
// line, and use no more memory than the image and the guest's RAM.
// [Multiboot Specification 0.6.96; ELF-64 Object File Format; SDM 3A,
// Processor Management and Initialization]
package guest
