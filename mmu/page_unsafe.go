package mmu

import "unsafe"

// The loads and stores below are single host instructions: x86emu runs on
// little-endian hosts only (amd64, arm64). off may be any address; its page
// offset plus the size must not pass the end of the page, which is what a hit
// on a Slot proves.

// Load8 reads the byte at the page offset of off.
func Load8(p *Page, off uint64) uint8 { return p[off&PageMask] }

// Load16 reads two bytes at the page offset of off.
func Load16(p *Page, off uint64) uint16 {
	return *(*uint16)(unsafe.Add(unsafe.Pointer(p), off&PageMask))
}

// Load32 reads four bytes at the page offset of off.
func Load32(p *Page, off uint64) uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(p), off&PageMask))
}

// Load64 reads eight bytes at the page offset of off.
func Load64(p *Page, off uint64) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(p), off&PageMask))
}

// Store8 writes a byte at the page offset of off.
func Store8(p *Page, off uint64, v uint8) { p[off&PageMask] = v }

// Store16 writes two bytes at the page offset of off.
func Store16(p *Page, off uint64, v uint16) {
	*(*uint16)(unsafe.Add(unsafe.Pointer(p), off&PageMask)) = v
}

// Store32 writes four bytes at the page offset of off.
func Store32(p *Page, off uint64, v uint32) {
	*(*uint32)(unsafe.Add(unsafe.Pointer(p), off&PageMask)) = v
}

// Store64 writes eight bytes at the page offset of off.
func Store64(p *Page, off uint64, v uint64) {
	*(*uint64)(unsafe.Add(unsafe.Pointer(p), off&PageMask)) = v
}

// loadUp reads words from the page offset of off upward.
func loadUp[W uint16 | uint32 | uint64](p *Page, off uint64, words []uint64) {
	var w W
	from := unsafe.Add(unsafe.Pointer(p), off&PageMask)
	for i := range words {
		words[i] = uint64(*(*W)(unsafe.Add(from, int(unsafe.Sizeof(w))*i)))
	}
}

// storeDown writes words downward from the page offset of end, or the page's end.
func storeDown[W uint16 | uint32 | uint64](p *Page, end uint64, words []uint64) {
	var w W
	to := unsafe.Add(unsafe.Pointer(p), (end-uint64(unsafe.Sizeof(w)))&PageMask)
	for i, v := range words {
		*(*W)(unsafe.Add(to, -int(unsafe.Sizeof(w))*i)) = W(v)
	}
}
