package model

// descriptor is a descriptor, or what a segment register holds of it.
// [SDM 3A, Segment Descriptors; System Descriptor Types]
type descriptor struct {
	selector uint16
	at       uint64 // its linear address
	value    uint64
	high     uint64 // the upper half of a system descriptor in IA-32e mode
	null     bool   // there is none: the selector is null
}

func nullDescriptor(selector uint16) descriptor { return descriptor{selector: selector, null: true} }

// v86Descriptor is what a segment register holds in virtual-8086 mode: base 16 times the
// selector, limit 64 KBytes, writable data at DPL 3. [SDM 3B, Virtual-8086 Mode]
func v86Descriptor(selector uint16) descriptor {
	return descriptor{selector: selector, value: 0x0000f3000000ffff | uint64(selector)<<4<<16}
}

// isNull tells a null selector: index 0, in the GDT.
func isNull(selector uint16) bool { return selector>>2 == 0 }

// code is a selector as an error code has it: without its RPL.
func code(selector uint16) uint64 { return uint64(selector) >> 2 << 2 }

func rpl(selector uint16) uint64 { return uint64(selector) & 3 }

func (d descriptor) s() bool     { return bit(d.value, 44) }
func (d descriptor) dpl() uint64 { return bits(d.value, 46, 45) }
func (d descriptor) p() bool     { return bit(d.value, 47) }
func (d descriptor) l() bool     { return bit(d.value, 53) }
func (d descriptor) db() bool    { return bit(d.value, 54) }
func (d descriptor) g() bool     { return bit(d.value, 55) }

func (d descriptor) isCode() bool     { return d.s() && bit(d.value, 43) }
func (d descriptor) isData() bool     { return d.s() && !bit(d.value, 43) }
func (d descriptor) conforming() bool { return d.isCode() && bit(d.value, 42) }
func (d descriptor) readable() bool   { return d.isData() || bit(d.value, 41) }
func (d descriptor) writable() bool   { return d.isData() && bit(d.value, 41) }
func (d descriptor) expandDown() bool { return d.isData() && bit(d.value, 42) }

// is64 tells 64-bit code: L = 1 and D = 0.
func (d descriptor) is64() bool { return d.isCode() && d.l() && !d.db() }

// system is the type of a system descriptor or gate; 0, which is reserved, of a segment.
func (d descriptor) system() int {
	if d.s() {
		return 0
	}
	return int(bits(d.value, 43, 40))
}

// The types of system descriptors. [SDM 3A, System-Segment and Gate-Descriptor Types]
const (
	tss16Available  = 1
	ldt             = 2
	tss16Busy       = 3
	callGate16      = 4
	taskGate        = 5
	interruptGate16 = 6
	trapGate16      = 7
	tss32Available  = 9 // of 64 bits in IA-32e mode, as those below
	tss32Busy       = 11
	callGate32      = 12
	interruptGate32 = 14
	trapGate32      = 15
)

// limit is in bytes: if G is 1, the 20 bits count 4 KBytes.
func (d descriptor) limit() uint64 {
	l := bits(d.value, 51, 48)<<16 | bits(d.value, 15, 0)
	if d.g() {
		return l<<12 | 0xfff
	}
	return l
}

func (d descriptor) base() uint64 {
	return bits(d.high, 31, 0)<<32 | bits(d.value, 63, 56)<<24 | bits(d.value, 39, 16)
}

// The fields of gates. [SDM 3A, Call Gates; IDT Descriptors]
func (d descriptor) gateSelector() uint16 { return uint16(bits(d.value, 31, 16)) }
func (d descriptor) parameters() int      { return int(bits(d.value, 36, 32)) }
func (d descriptor) ist() uint64          { return bits(d.value, 34, 32) }

// is32 tells a gate or task state of 32 bits from one of 16.
func (d descriptor) is32() bool { return bit(d.value, 43) }

// gateOffset is the instruction pointer in a gate: 64 bits in IA-32e mode. Those of 16 bits have no upper word.
func (d descriptor) gateOffset() uint64 {
	if !d.is32() {
		return bits(d.value, 15, 0)
	}
	return bits(d.high, 31, 0)<<32 | bits(d.value, 63, 48)<<16 | bits(d.value, 15, 0)
}

// offsetOf is the instruction pointer in an interrupt gate, or in a call gate for CALL.
func (x *course) offsetOf(d descriptor) uint64 {
	if high := bits(d.value, 63, 48) << 16; x.odd(HighWordOf16BitGate, !d.is32() && high != 0) {
		return high | d.gateOffset()
	}
	return d.gateOffset()
}

// wordOfGate is the size of what is pushed through a gate, in bytes.
func (x *course) wordOfGate(d descriptor) int {
	switch {
	case x.eferLMA():
		return 8
	case d.is32():
		return 4
	}
	return 2
}

// inTable tells whether a selector's descriptor of size bytes lies within the limit of its table.
func (x *course) inTable(selector uint16, size uint64) bool {
	last := uint64(selector)>>3<<3 + size - 1
	if bit(uint64(selector), 2) {
		return !x.ldtr.null && last <= x.ldtr.limit()
	}
	return last <= uint64(x.regs.GDTR.Limit)
}

// lookUp reads a selector's descriptor; it tells whether that lies within its table.
func (x *course) lookUp(selector uint16) (d descriptor, within bool) {
	if !x.inTable(selector, 8) {
		return nullDescriptor(selector), false
	}
	base := x.regs.GDTR.Base
	if bit(uint64(selector), 2) {
		base = x.ldtr.base()
	}
	d = descriptor{selector: selector, at: base + uint64(selector)>>3<<3}
	d.value = x.readTable(d.at, 8)
	return d, true
}

// find is the check that a selector's index is within its descriptor table, which gives the descriptor.
func (x *course) find(selector uint16, f fault) descriptor {
	d, within := x.lookUp(selector)
	x.need(within, f)
	return d
}

// load puts a descriptor into a segment register. The processor sets the accessed bit when
// it loads a segment selector, here where it is not set. [SDM 3A, Code- and Data-Segment Descriptor Types]
func (x *course) load(register int, d descriptor, selector uint16) {
	if x.odd(NoAccessedBit, !bit(d.value, 40)) {
		d.selector = selector
		x.seg[register] = d
		return
	}
	x.loadAccessed(register, d, selector)
}

func (x *course) loadAccessed(register int, d descriptor, selector uint16) {
	if !bit(d.value, 40) {
		d.value |= 1 << 40
		x.writeTable(d.at+5, 1, bits(d.value, 47, 40))
	}
	d.selector = selector
	x.seg[register] = d
}
