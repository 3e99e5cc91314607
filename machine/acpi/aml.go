package acpi

import (
	"fmt"
	"strconv"
)

// This file writes AML, the byte code of definition blocks, as far as descriptions of
// devices need it. [ACPI Specification, ACPI Machine Language (AML) Specification]

const (
	opZero    = 0x00
	opOne     = 0x01
	opName    = 0x08
	opByte    = 0x0a
	opWord    = 0x0b
	opDWord   = 0x0c
	opString  = 0x0d
	opScope   = 0x10
	opBuffer  = 0x11
	opPackage = 0x12
	opDevice  = 0x82 // after opExt
	opExt     = 0x5b
)

// segment checks a name of four characters; a root scope has a backslash before it.
func segment(name string) []byte {
	if len(name) != 4 && !(len(name) == 5 && name[0] == '\\') {
		panic(fmt.Sprintf("BUG: AML name %q", name))
	}
	return []byte(name)
}

// integer is a number in the shortest form.
func integer(v uint32) []byte {
	switch {
	case v == 0:
		return u8(opZero)
	case v == 1:
		return u8(opOne)
	case v <= 0xff:
		return join(u8(opByte), u8(uint8(v)))
	case v <= 0xffff:
		return join(u8(opWord), u16(uint16(v)))
	}
	return join(u8(opDWord), u32(v))
}

// str is a string.
func str(s string) []byte { return join(u8(opString), []byte(s), u8(0)) }

// sized puts the length before a body: its own bytes count. The two highest bits
// of the first byte tell how many follow, of which each has eight bits more.
func sized(body []byte) []byte {
	n := len(body) + 1
	if n < 1<<6 {
		return join(u8(uint8(n)), body)
	}
	if n++; n >= 1<<12 {
		panic("BUG: an AML term of 4 KiB")
	}
	return join(u8(1<<6|uint8(n&15)), u8(uint8(n>>4)), body)
}

func named(name string, value []byte) []byte { return join(u8(opName), segment(name), value) }

func scope(name string, terms ...[]byte) []byte {
	return join(u8(opScope), sized(join(segment(name), join(terms...))))
}

func device(name string, terms ...[]byte) []byte {
	return join(u8(opExt), u8(opDevice), sized(join(segment(name), join(terms...))))
}

func list(elements ...[]byte) []byte {
	return join(u8(opPackage), sized(join(u8(uint8(len(elements))), join(elements...))))
}

// eisaID is a plug-and-play ID, three letters and four hexadecimal digits, in four
// bytes: letters of five bits, the most significant byte first.
func eisaID(id string) []byte {
	number, err := strconv.ParseUint(id[3:], 16, 16)
	if len(id) != 7 || err != nil {
		panic(fmt.Sprintf("BUG: plug-and-play ID %q", id))
	}
	v := uint32(id[0]-'@')<<26 | uint32(id[1]-'@')<<21 | uint32(id[2]-'@')<<16 | uint32(number)
	return join(u8(opDWord), u8(uint8(v>>24)), u8(uint8(v>>16)), u8(uint8(v>>8)), u8(uint8(v)))
}

// resources are a buffer of descriptors, with the tag that ends them.
func resources(descriptors ...[]byte) []byte {
	const endTag, noSum = 0x79, 0
	all := join(join(descriptors...), u8(endTag), u8(noSum))
	return join(u8(opBuffer), sized(join(integer(uint32(len(all))), all)))
}

// ports are up to 255 ports at a place that cannot change, all 16 bits of it decoded.
func ports(r Range) []byte {
	const tag, decode16 = 0x47, 1
	return join(u8(tag), u8(decode16), u16(uint16(r.First)), u16(uint16(r.First)), u8(1), u8(uint8(r.N)))
}

// irq is a line, edge-triggered and active high.
func irq(line uint8) []byte {
	const tag = 0x22
	return join(u8(tag), u16(1<<line))
}

// memory is memory that can be written, at a place that cannot change.
func memory(r Range) []byte {
	const tag, size, writable = 0x86, 9, 1
	return join(u8(tag), u16(size), u8(writable), u32(r.First), u32(r.N))
}

// What a bridge passes on, at places that cannot change, from first to last.
const (
	windowMemory = 0
	windowPorts  = 1
	windowBuses  = 2

	windowFixed = 1<<2 | 1<<3 // minimum and maximum
	allPorts    = 3           // of windowPorts: those of ISA, too
	writable    = 1           // of windowMemory
)

// wordWindow and dwordWindow are address spaces of 16 and of 32 bits.
func wordWindow(kind, flags uint8, first, last uint32) []byte {
	const tag, size = 0x88, 13
	return join(u8(tag), u16(size), u8(kind), u8(windowFixed), u8(flags),
		u16(0), u16(uint16(first)), u16(uint16(last)), u16(0), u16(uint16(last-first+1)))
}

func dwordWindow(kind, flags uint8, first, last uint32) []byte {
	const tag, size = 0x87, 23
	return join(u8(tag), u16(size), u8(kind), u8(windowFixed), u8(flags),
		u32(0), u32(first), u32(last), u32(0), u32(last-first+1))
}
