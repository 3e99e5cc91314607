package idt

// Gate is a decoded gate descriptor of the IDT, GDT or LDT.
// [SDM 3A, IDT Descriptors; Call Gates; 64-Bit Mode IDT]
//
//	 63            48 47  46  45 44 43  40 39 37 36  35 34  32 31     16 15      0
//	+----------------+---+-----+--+------+-----+-------+------+---------+---------+
//	|  offset 31:16  | P | DPL | 0| type |  0  | param |  IST |selector | off 15:0|
//	+----------------+---+-----+--+------+-----+-------+------+---------+---------+
//
// In IA-32e mode 8 bytes follow, whose low half is offset 63:32.
type Gate struct {
	Type     uint8 // 4 call16, 5 task, 6 int16, 7 trap16, 12 call32, 14 int32, 15 trap32 (12, 14, 15: 64-bit in IA-32e mode)
	DPL      uint8
	IST      uint8 // 64-bit interrupt and trap gates: 0 to 7
	Params   uint8 // call gates: 0 to 31 words
	Selector uint16
	Offset   uint64
}

func (d descriptor) gate() Gate {
	g := Gate{
		Type:     uint8(d.attr() & (AttrType | AttrS)),
		DPL:      d.dpl(),
		IST:      uint8(d>>32) & 7,
		Params:   uint8(d>>32) & 31,
		Selector: uint16(d >> 16),
		Offset:   uint64(d) & 0xffff,
	}
	// The high offset word of 16-bit gates is reserved and ignored.
	if Attr(g.Type)&type32Bit != 0 {
		g.Offset |= uint64(d>>48) << 16
	}
	return g
}

// size is the width in bytes of the words that a gate pushes.
func (g *Gate) size(long bool) uint64 {
	switch {
	case long:
		return 8
	case Attr(g.Type)&type32Bit != 0:
		return 4
	}
	return 2
}

// interrupt tells an interrupt gate, which clears IF.
func (g *Gate) interrupt() bool {
	return Attr(g.Type)&^type32Bit == typeInt16
}
