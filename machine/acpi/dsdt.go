package acpi

// dsdt is what follows the header of the DSDT: the way to S5, and the devices.
func dsdt(b *Board) []byte {
	terms := [][]byte{device("CPU0", named("_HID", str("ACPI0007")), named("_UID", integer(0))), pciRoot(b)}
	alike := make(map[string]uint32)
	for _, d := range b.Devices {
		terms = append(terms, isaDevice(d, alike[d.ID]))
		alike[d.ID]++
	}
	return join(powerOff(), scope(`\_SB_`, terms...))
}

// powerOff is \_S5: the sleep types that PM1a and PM1b control take to turn the
// machine off, and two that are reserved. [ACPI Specification, \_S5]
func powerOff() []byte {
	const sleepType = 0
	return named("_S5_", list(integer(sleepType), integer(sleepType), integer(0), integer(0)))
}

// pciRoot is the bridge to PCI's bus 0 and those behind it: it takes the ports of configuration
// for itself, and passes on what is told. [PCI Firmware Specification, PCI Host Bridge]
func pciRoot(b *Board) []byte {
	configuration := Range{0xcf8, 8}
	passes := [][]byte{wordWindow(windowBuses, 0, 0, 0xff), ports(configuration)}
	for _, r := range b.PCIPorts {
		passes = append(passes, wordWindow(windowPorts, allPorts, r.First, r.First+r.N-1))
	}
	for _, r := range b.PCIMemory {
		passes = append(passes, dwordWindow(windowMemory, writable, r.First, r.First+r.N-1))
	}
	return device("PCI0", named("_HID", eisaID("PNP0A03")), named("_UID", integer(0)), named("_CRS", resources(passes...)))
}

// isaDevice is a device at places of its own; number tells it from others of its ID.
func isaDevice(d Device, number uint32) []byte {
	var all [][]byte
	for _, r := range d.Ports {
		all = append(all, ports(r))
	}
	for _, r := range d.Memory {
		all = append(all, memory(r))
	}
	for _, line := range d.IRQs {
		all = append(all, irq(line))
	}
	return device(d.Name, named("_HID", eisaID(d.ID)), named("_UID", integer(number)), named("_CRS", resources(all...)))
}
