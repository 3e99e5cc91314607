package machine

// Key is a key of a keyboard of 104 keys and a few more: its make code of scan
// code set 1, with bit 7 set if the prefix 0xE0 precedes it. Numbers that no key
// has can be pressed as well, and give their codes.
type Key uint8

// Keys that are more than a code, or that others look at.
const (
	keyLeftCtrl   Key = 0x1d
	keyLeftShift  Key = 0x2a
	keyRightShift Key = 0x36
	keyLeftAlt    Key = 0x38
	keyRightCtrl  Key = 0x9d
	keyRightAlt   Key = 0xb8
	keyPrint      Key = 0xb7
	keyPause      Key = 0xc6 // what it sends with Ctrl held; without, it has a sequence of its own
	keySysRq      Key = 0x54 // what Print Screen sends with Alt held
)

// Bytes of scan codes that are not keys.
const (
	scanExtended = 0xe0
	scanPause    = 0xe1
	scanBreak    = 0xf0 // set 2: the key was released
	scanRelease  = 0x80 // set 1: the bit that says so
)

// Translation is how the 8042 makes set 1 of set 2, by the lower seven bits of a byte
// below 0x80. [IBM PS/2 Hardware Interface Technical Reference, Keyboard and Auxiliary
// Device Controller, Scan Code Translation]
var translation = [0x80]uint8{
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
}

// The two codes of set 2 above 0x7F: F7 and SysRq.
const (
	set2F7    = 0x83
	set2SysRq = 0x84
)

// translate makes set 1 of a byte of set 2 that is not a prefix of release.
func translate(b uint8) uint8 {
	switch {
	case b < 0x80:
		return translation[b]
	case b == set2F7:
		return 0x41
	case b == set2SysRq:
		return uint8(keySysRq)
	}
	return b // replies and the prefixes 0xE0 and 0xE1
}

// set2 is translation backward: the code of set 2 by that of set 1.
var set2 = func() (table [0x80]uint8) {
	for two, one := range translation {
		table[one&0x7f] = uint8(two)
	}
	table[0x41], table[keySysRq] = set2F7, set2SysRq
	return table
}()

// scanCodes are the bytes that a key sends when it is pressed or released, in set 1 or 2.
func (k Key) scanCodes(set uint8, released bool) []uint8 {
	one := uint8(k) &^ scanRelease
	var b []uint8
	if k&scanRelease != 0 {
		b = append(b, scanExtended)
	}
	switch {
	case set == 1 && released:
		return append(b, one|scanRelease)
	case set == 1:
		return append(b, one)
	case released:
		b = append(b, scanBreak)
	}
	return append(b, set2[one])
}

// pauseCodes is what Pause sends when it is pressed, without Ctrl. Its release
// sends nothing. [IBM PS/2 Hardware Interface Technical Reference, Keyboards, Scan Codes]
func pauseCodes(set uint8) []uint8 {
	b := []uint8{scanPause}
	for _, released := range []bool{false, true} {
		if released {
			b = append(b, scanPause)
		}
		b = append(b, keyLeftCtrl.scanCodes(set, released)...)
		b = append(b, Key(0x45).scanCodes(set, released)...)
	}
	return b
}
