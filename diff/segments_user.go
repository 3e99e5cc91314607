package diff

import "x86emu/decode"

// UserGDT is the descriptor table behind the selectors of the user world
// without TI. It is what Linux on x86-64 gives a process that runs on the
// first processor: of its kernel's segments a process sees no more than their
// privilege, and they stand for that here.
var UserGDT = [16]uint64{
	1:  descriptor(0, 0xfffff, accKernelCode, attrG|attrDB), // 32-bit code of the kernel
	2:  descriptor(0, 0xfffff, accKernelCode, attrG|attrL),
	3:  descriptor(0, 0xfffff, accKernelData, attrG|attrDB),
	4:  descriptor(0, 0xfffff, accCode, attrG|attrDB), // UserCS32
	5:  descriptor(0, 0xfffff, accData, attrG|attrDB), // UserDS
	6:  descriptor(0, 0xfffff, accCode, attrG|attrL),  // UserCS64
	8:  descriptor(0, 0x67, accBusyTSS, 0),            // the base is the kernel's; 9 is its upper half
	10: descriptor(0, 8*uint32(len(UserLDT))-1, accLDT, 0),
	15: descriptor(0, 0, accDataDownRO, attrDB), // limit: the number of the processor
}

// UserLDT is the descriptor table behind the selectors of the user world with
// TI: what segmentation can be at CPL 3. The selector of entry i is 8*i+7. AVL is
// set in all, and accessed, as Linux's modify_ldt leaves them.
var UserLDT = [...]uint64{
	1:  descriptor(UserCode, 0x1fff, accCode, attrDB|attrAVL),
	2:  descriptor(UserCode, 0xffff, accCode, attrAVL),
	3:  descriptor(UserData, 0x2fff, accData, attrDB|attrAVL),
	4:  descriptor(UserData, 0xffff, accData, attrAVL),
	5:  descriptor(UserData, 0xfff, accDataDown, attrDB|attrAVL),
	6:  descriptor(UserData, 0x7ff, accDataDown, attrAVL),
	7:  descriptor(UserData, 0x1fff, accDataRO, attrDB|attrAVL),
	8:  descriptor(UserData, 0x1fff, accData&^accPresent, attrDB|attrAVL),
	9:  descriptor(UserCode, 0x1fff, accCodeX, attrDB|attrAVL),
	10: descriptor(UserCode, 0x1fff, accConforming&^accPresent, attrDB|attrAVL),
	11: descriptor(UserCode, 0x1fff, accCode&^accPresent, attrDB|attrAVL),
	12: descriptor(UserData+0xff0, 0x1f, accData, attrDB|attrAVL), // 32 bytes across two pages
	13: descriptor(UserCode, 0x81f, accCode, attrAVL),             // ends behind the code of most cases
	14: descriptor(0, 0xfffff, accData, attrG|attrDB|attrAVL),
	15: descriptor(UserCode, 0x81f, accCode, attrDB|attrAVL),
	16: descriptor(0, 0xfffff, accCode, attrG|attrDB|attrAVL),
	17: descriptor(0, 0x20000, accDataDown, attrG|attrDB|attrAVL), // from UserData+1000 up
	18: descriptor(UserData, 0x1234, accData, attrAVL),
	19: descriptor(UserData, 0x7ff, accDataDownRO, attrAVL),
	20: descriptor(UserCode, 0xfffff, accCode, attrG|attrDB|attrAVL),
	21: descriptor(UserData-0x10000, 0xffff, accDataDown, attrDB|attrAVL),
	22: descriptor(UserData+0x1000, 0xfffff, accData, attrDB|attrAVL),
	23: descriptor(UserData+0x800, 0xfffff, accData, attrG|attrDB|attrAVL),
}

// The third and fourth byte of a descriptor that say what a segment is.
// [SDM 3A, Segment Descriptors]
const (
	accKernelCode = 0x9b
	accKernelData = 0x93
	accBusyTSS    = 0x8b
	accLDT        = 0x82

	accPresent    = 0x80
	accDataRO     = 0xf1 // DPL 3 and accessed from here on
	accData       = 0xf3
	accDataDownRO = 0xf5
	accDataDown   = 0xf7
	accCodeX      = 0xf9 // execute only
	accCode       = 0xfb
	accConforming = 0xff

	attrAVL = 1 << 0
	attrL   = 1 << 1
	attrDB  = 1 << 2
	attrG   = 1 << 3
)

// descriptor puts a segment descriptor together; limit counts pages if attrG is in flags.
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

// UserLinear is the linear address of an offset in a segment of the user world
// that is not FS or GS.
func UserLinear(selector uint16, offset uint64) uint64 {
	d := UserSegment(selector)
	base := d>>16&0xffffff | d>>56<<24
	if d>>52&attrL != 0 {
		return offset
	}
	return (base + offset) & 0xffffffff
}

// UserMode is the mode of the code that a selector of the user world names.
func UserMode(cs uint16) decode.Mode {
	switch d := UserSegment(cs) >> 52; {
	case d&attrL != 0:
		return decode.Mode64
	case d&attrDB != 0:
		return decode.Mode32
	}
	return decode.Mode16
}
