// Package acpi makes the tables by which a PC's firmware tells an operating system
// what stands on the board and can not be asked: ACPI's, and those of the older
// MultiProcessor Specification.
//
//	RSDP ─┬─ RSDT ─┬─ FADT ─┬─ FACS   FADT: power management, reset; FACS: shared with firmware
//	      └─ XSDT ─┤        └─ DSDT   devices, and \_S5, in byte code (AML)
//	               ├─ MADT            interrupt controllers
//	               └─ HPET
//	_MP_ ─── PCMP                     processor, bus, I/O APIC and where interrupts go
//
// The tables point to each other, and so depend on where they lie. Firmware that
// installs them gets them with a script of what to allocate, to relocate and to sum (Script,
// in QEMU's form); Install runs the same script for machines without firmware.
//
// The devices of the DSDT have IDs and resources and no methods: nothing on this board is
// switched on or off, or routed.
//
// [ACPI Specification 2.0c; Intel MultiProcessor Specification 1.4; QEMU,
// hw/acpi/bios-linker-loader.c]
package acpi
