package diff

import "x86emu/decode"

// UserGDT is the descriptor table behind the selectors of the user world
// without TI. It is what Linux on x86-64 gives a process that runs on the
// first processor: of its kernel's segments a process sees no more than their
// privilege, and they stand for that here.
var UserGDT = [16]uint64{
	1:  descriptor(0, 0xfffff, kernelCode, g|db), // 32-bit code of the kernel
	2:  descriptor(0, 0xfffff, kernelCode, g|l),
	3:  descriptor(0, 0xfffff, kernelData, g|db),
	4:  descriptor(0, 0xfffff, code, g|db), // UserCS32
	5:  descriptor(0, 0xfffff, data, g|db), // UserDS
	6:  descriptor(0, 0xfffff, code, g|l),  // UserCS64
	8:  descriptor(0, 0x67, busyTSS, 0),    // the base is the kernel's; 9 is its upper half
	10: descriptor(0, 8*uint32(len(UserLDT))-1, ldt, 0),
	15: descriptor(0, 0, dataDownRO, 0), // limit: the number of the processor
}

// UserLDT is the descriptor table behind the selectors of the user world with
// TI: what segmentation can be at CPL 3. The selector of entry i is 8*i+7. AVL is
// set in all, and accessed, as Linux's modify_ldt leaves them.
var UserLDT = [...]uint64{
	1:  descriptor(UserCode, 0x1fff, code, db|avl),
	2:  descriptor(UserCode, 0xffff, code, avl),
	3:  descriptor(UserData, 0x2fff, data, db|avl),
	4:  descriptor(UserData, 0xffff, data, avl),
	5:  descriptor(UserData, 0xfff, dataDown, db|avl),
	6:  descriptor(UserData, 0x7ff, dataDown, avl),
	7:  descriptor(UserData, 0x1fff, dataRO, db|avl),
	8:  descriptor(UserData, 0x1fff, data&^present, db|avl),
	9:  descriptor(UserCode, 0x1fff, codeX, db|avl),
	10: descriptor(UserCode, 0x1fff, conforming&^present, db|avl),
	11: descriptor(UserCode, 0x1fff, code&^present, db|avl),
	12: descriptor(UserData+0xff0, 0x1f, data, db|avl), // 32 bytes across two pages
	13: descriptor(UserCode, 0x81f, code, avl),         // ends behind the code of most cases
	14: descriptor(0, 0xfffff, data, g|db|avl),
	15: descriptor(UserCode, 0x81f, code, db|avl),
	16: descriptor(0, 0xfffff, code, g|db|avl),
	17: descriptor(0, 0x20000, dataDown, g|db|avl), // from UserData+1000 up
	18: descriptor(UserData, 0x1234, data, avl),
	19: descriptor(UserData, 0x7ff, dataDownRO, avl),
	20: descriptor(UserCode, 0xfffff, code, g|db|avl),
	21: descriptor(UserData-0x10000, 0xffff, dataDown, db|avl),
	22: descriptor(UserData+0x1000, 0xfffff, data, db|avl),
	23: descriptor(UserData+0x800, 0xfffff, data, g|db|avl),
}

// The third and fourth byte of a descriptor that say what a segment is.
// [SDM 3A, Segment Descriptors]
const (
	kernelCode = 0x9b
	kernelData = 0x93
	busyTSS    = 0x8b
	ldt        = 0x82

	present    = 0x80
	dataRO     = 0xf1 // DPL 3 and accessed from here on
	data       = 0xf3
	dataDownRO = 0xf5
	dataDown   = 0xf7
	codeX      = 0xf9 // execute only
	code       = 0xfb
	conforming = 0xff

	avl = 1 << 0
	l   = 1 << 1
	db  = 1 << 2
	g   = 1 << 3
)

// descriptor puts a segment descriptor together; limit counts pages if g is in flags.
func descriptor(base, limit uint32, access, flags uint64) uint64 {
	b, lim := uint64(base), uint64(limit)
	return lim&0xffff | b&0xffffff<<16 | access<<40 | lim>>16<<48 | flags<<52 | b>>24<<56
}

// UserSegment gives the descriptor behind a selector of the user world; 0 for
// a null selector and for one that is beyond its table.
func UserSegment(selector uint16) uint64 {
	table := UserGDT[:]
	if selector&4 != 0 {
		table = UserLDT[:]
	}
	if i := int(selector >> 3); i < len(table) {
		return table[i]
	}
	return 0
}

// UserMode is the mode of the code that a selector of the user world names.
func UserMode(cs uint16) decode.Mode {
	switch d := UserSegment(cs) >> 52; {
	case d&l != 0:
		return decode.Mode64
	case d&db != 0:
		return decode.Mode32
	}
	return decode.Mode16
}
