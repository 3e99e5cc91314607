package mmu

// spare holds pages and chunks of a Memory that nobody has any more: a machine
// that returns to the same moment again and again copies into what it copied into
// before, and leaves the host's garbage collector nothing to do.
type spare struct {
	pages  []*Page
	chunks []*chunk
}

// What is kept at most: 1 MiB of pages, and 300 KiB of chunks.
const (
	sparePages  = 256
	spareChunks = 64
)

// keep takes what m owns alone out of its directory, which is about to be
// replaced. A chunk with the present token is in no other directory, and a page that
// is marked owned in it in no other chunk.
func (s *spare) keep(m *Memory) {
	for _, c := range m.dir {
		if c.owner != m.self || len(s.chunks) == spareChunks {
			continue
		}
		for j, f := range c.flags {
			if f&pageOwned != 0 && len(s.pages) < sparePages {
				s.pages = append(s.pages, c.page[j])
			}
		}
		c.owner = nil
		clear(c.page[:]) // or it would keep what it shares
		s.chunks = append(s.chunks, c)
	}
}

// chunk gives a chunk, to be overwritten as a whole.
func (s *spare) chunk() *chunk {
	if n := len(s.chunks); n > 0 {
		c := s.chunks[n-1]
		s.chunks = s.chunks[:n-1]
		return c
	}
	return new(chunk)
}

// page gives a page, to be overwritten as a whole, or nil.
func (s *spare) page() *Page {
	if n := len(s.pages); n > 0 {
		p := s.pages[n-1]
		s.pages = s.pages[:n-1]
		return p
	}
	return nil
}

// copyOf gives a copy of a page.
func (m *Memory) copyOf(from *Page) *Page {
	if p := m.spare.page(); p != nil {
		*p = *from
		return p
	}
	// Unlike new, append does not clear what it is about to overwrite.
	return (*Page)(append([]byte(nil), from[:]...))
}

// newPage gives a zero page, out of a small slab, since the heap is slow at
// single pages.
func (m *Memory) newPage() *Page {
	if p := m.spare.page(); p != nil {
		clear(p[:])
		return p
	}
	if len(m.slab) == 0 {
		m.slab = make([]Page, 16)
	}
	p := &m.slab[0]
	m.slab = m.slab[1:]
	return p
}
