package acpi

// Board is what the tables tell of.
type Board struct {
	SCI uint8 // the interrupt of power management, level-triggered and active high

	// Ports of power management.
	PMEvents, PMControl, PMTimer, GeneralEvents uint16
	SMICommand                                  uint16
	ACPIEnable, ACPIDisable                     uint8 // to SMICommand

	ResetPort  uint16
	ResetValue uint8

	// Physical addresses of what has registers in memory; there need not be an HPET.
	LocalAPIC, IOAPIC, HPET uint32
	HPETID                  uint32 // the low half of its capabilities

	// PCI is what the PCI host bridge passes on: ports and memory that are no
	// other device's.
	PCIPorts  []Range
	PCIMemory []Range

	Devices []Device

	// Signature and Features are the processor's, as CPUID leaf 1 has them in EAX and EDX.
	Signature, Features uint32
}

// Range is N ports or bytes of memory from First on.
type Range struct{ First, N uint32 }

// Device is one that the DSDT tells of.
type Device struct {
	Name   string // four upper-case letters, digits and underscores, its own
	ID     string // of plug and play, such as PNP0501
	Ports  []Range
	Memory []Range
	IRQs   []uint8
}

// irq0Input is the input of the I/O APIC that IRQ 0 reaches; all others have their own number.
const irq0Input = 2

// levelHigh are the flags of an interrupt that is level-triggered and active
// high; 0 are those that the bus has, of ISA edge-triggered and active high.
// [ACPI Specification, MPS INTI Flags]
const levelHigh = 0xd
