package mmu

// ReadDirect gives the host page behind [lin, lin+n) where a shortcut proves
// that the access may read all of it, and nil where nothing is known: the
// caller then takes the way of Read. n is at least 1.
func (m *MMU) ReadDirect(lin Linear, n uint64, a Access) *Page {
	s := &m.View[a.ViewOf()][slot(lin)]
	if s.R != (uint64(lin)+n-1)&^PageMask {
		return nil
	}
	return s.Host
}

// WriteDirect is ReadDirect for writing; the page holds no decoded code.
func (m *MMU) WriteDirect(lin Linear, n uint64, a Access) *Page {
	s := &m.View[a.ViewOf()][slot(lin)]
	if s.W != (uint64(lin)+n-1)&^PageMask {
		return nil
	}
	return s.Host
}

// LoadWords reads words of size bytes (2, 4 or 8) from an offset within a page upward.
func LoadWords(p *Page, off uint64, size uint64, words []uint64) {
	switch size {
	case 8:
		loadUp[uint64](p, off, words)
	case 4:
		loadUp[uint32](p, off, words)
	default:
		loadUp[uint16](p, off, words)
	}
}

// PushWords writes words of size bytes (2, 4 or 8) downward from an offset within a
// page, or its end: the first lies highest.
func PushWords(p *Page, off uint64, size uint64, words []uint64) {
	switch size {
	case 8:
		storeDown[uint64](p, off, words)
	case 4:
		storeDown[uint32](p, off, words)
	default:
		storeDown[uint16](p, off, words)
	}
}

// LoadN reads size bytes (1, 2, 4 or 8) at an offset within a page.
func LoadN(p *Page, off uint64, size uint) uint64 { return load(p, off, size) }
