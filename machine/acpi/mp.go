package acpi

// MP makes the tables of the MultiProcessor Specification from an address on, a
// multiple of 16: the floating pointer, and the configuration behind it.
// [Intel MultiProcessor Specification 1.4, MP Configuration Table]
func MP(b *Board, at uint32) Piece {
	const (
		pointerSize = 16
		revision    = 4 // 1.4
	)
	pointer := summed(join(text("_MP_", 4), u32(at+pointerSize), u8(pointerSize/16), u8(revision), u8(0), make([]byte, 5)), 10)
	return Piece{At: at, Data: join(pointer, mpConfiguration(b, revision))}
}

// summed sets the byte at an offset so that all add up to 0.
func summed(b []byte, at int) []byte {
	b[at] -= Sum(b)
	return b
}

func mpConfiguration(b *Board, revision uint8) []byte {
	const (
		headerSize = 44

		processor, bus, controller, interrupt, local = 0, 1, 2, 3, 4

		apicVersion, ioAPICVersion = 0x14, 0x11

		enabled, bootstrap = 1 << 0, 1 << 1
		isa                = 0 // the bus's number
		cpu, ioAPIC        = 0, 0
		allCPUs            = 0xff

		maskable, nmi, external = 0, 1, 3
		isaLines                = 16
		cascade                 = 2
	)
	entries := [][]byte{
		join(u8(processor), u8(cpu), u8(apicVersion), u8(enabled|bootstrap), u32(b.Signature), u32(b.Features), u64(0)),
		join(u8(bus), u8(isa), text("ISA", 6)),
		join(u8(controller), u8(ioAPIC), u8(ioAPICVersion), u8(enabled), u32(b.IOAPIC)),
	}
	for line := range uint8(isaLines) {
		input, flags := line, uint16(0)
		switch line {
		case 0:
			input = irq0Input
		case cascade:
			continue
		case b.SCI:
			flags = levelHigh
		}
		entries = append(entries, join(u8(interrupt), u8(maskable), u16(flags), u8(isa), u8(line), u8(ioAPIC), u8(input)))
	}
	entries = append(entries,
		join(u8(local), u8(external), u16(0), u8(isa), u8(0), u8(cpu), u8(0)),
		join(u8(local), u8(nmi), u16(0), u8(isa), u8(0), u8(allCPUs), u8(1)))
	body := join(entries...)
	return summed(join(
		text("PCMP", 4), u16(uint16(headerSize+len(body))), u8(revision), u8(0),
		text(oem, 8), text(oemTable, 12), u32(0), u16(0), u16(uint16(len(entries))),
		u32(b.LocalAPIC), u16(0), u8(0), u8(0),
		body), 7)
}
