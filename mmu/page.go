package mmu

// load reads size bytes (1 to 8) that lie within the page.
func load(p *Page, off uint64, size uint) uint64 {
	switch size {
	case 1:
		return uint64(Load8(p, off))
	case 2:
		return uint64(Load16(p, off))
	case 4:
		return uint64(Load32(p, off))
	case 8:
		return Load64(p, off)
	}
	v := uint64(0)
	for i := uint(0); i < size; i++ {
		v |= uint64(Load8(p, off+uint64(i))) << (8 * i)
	}
	return v
}

// store writes size bytes (1 to 8) that lie within the page.
func store(p *Page, off uint64, size uint, v uint64) {
	switch size {
	case 1:
		Store8(p, off, uint8(v))
	case 2:
		Store16(p, off, uint16(v))
	case 4:
		Store32(p, off, uint32(v))
	case 8:
		Store64(p, off, v)
	default:
		for i := uint(0); i < size; i++ {
			Store8(p, off+uint64(i), uint8(v>>(8*i)))
		}
	}
}
