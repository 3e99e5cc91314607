package machine

import "iter"

// SectorSize is the size of a disk's sector in bytes.
const SectorSize = 512

type sector [SectorSize]byte

// sectors are some sectors of a disk, by their number: those that a guest has
// written. It is a tree of nodes of sectorFan branches, sectorLevels high, that shares its
// nodes with its copies: whoever writes copies the nodes on the way to the sector, unless
// they are its own. So a copy costs nothing when it is made, and later what has changed.
type sectors struct {
	root  *sectorNode
	owner *sectorOwner // of the nodes that may be written in place; nil: of none
	n     uint64       // sectors
}

// sectorNode is a branching of the tree, or at its end a sector.
type sectorNode struct {
	owner *sectorOwner
	below []*sectorNode
	data  *sector
}

// sectorOwner is a token by which nodes are known to be nobody else's.
type sectorOwner struct{ _ byte }

const (
	sectorBits   = 6
	sectorFan    = 1 << sectorBits
	sectorLevels = 5 // for the sectors of 512 GiB

	// sectorNodeBytes is roughly what a node takes of the host's memory.
	sectorNodeBytes = SectorSize + 64
)

// share gives a copy. Both have the nodes there are, and neither owns one. A copy that
// nobody has written to may be shared by several goroutines at once.
func (s *sectors) share() sectors {
	if s.owner != nil {
		s.owner = nil
	}
	return *s
}

// branch is where a level of the tree, 1 at the lowest, goes on to a sector.
func branch(level int, n uint64) uint64 { return n >> (sectorBits * (level - 1)) % sectorFan }

// get gives a sector to be read, or nil.
func (s *sectors) get(n uint64) *sector {
	at := s.root
	for level := sectorLevels; at != nil && level > 0; level-- {
		at = at.below[branch(level, n)]
	}
	if at == nil {
		return nil
	}
	return at.data
}

// put writes a sector.
func (s *sectors) put(n uint64, data *sector) {
	if s.owner == nil {
		s.owner = new(sectorOwner)
	}
	at := &s.root
	for level := sectorLevels; level > 0; level-- {
		if *at == nil {
			*at = &sectorNode{owner: s.owner, below: make([]*sectorNode, sectorFan)}
		} else if (*at).owner != s.owner {
			*at = &sectorNode{owner: s.owner, below: append([]*sectorNode(nil), (*at).below...)}
		}
		at = &(*at).below[branch(level, n)]
	}
	if *at == nil {
		s.n++
	}
	if *at == nil || (*at).owner != s.owner {
		*at = &sectorNode{owner: s.owner, data: new(sector)}
	}
	*(*at).data = *data
}

// all yields the sectors in the order of their numbers. They must not be written.
func (s *sectors) all() iter.Seq2[uint64, *sector] {
	return func(yield func(uint64, *sector) bool) { s.root.walk(0, yield) }
}

func (at *sectorNode) walk(n uint64, yield func(uint64, *sector) bool) bool {
	if at == nil {
		return true
	}
	if at.data != nil {
		return yield(n, at.data)
	}
	for i, below := range at.below {
		if !below.walk(n<<sectorBits|uint64(i), yield) {
			return false
		}
	}
	return true
}

// equal tells whether both have the same sectors with the same contents.
func (s sectors) equal(o sectors) bool { return s.root.equal(o.root) }

func (at *sectorNode) equal(o *sectorNode) bool {
	switch {
	case at == o:
		return true
	case at == nil || o == nil:
		return false
	case at.data != nil:
		return *at.data == *o.data
	}
	for i := range at.below {
		if !at.below[i].equal(o.below[i]) {
			return false
		}
	}
	return true
}

// alone is roughly how many bytes of the host's memory are in nodes that o does not share.
func (s sectors) alone(o sectors) uint64 { return s.root.alone(o.root) }

func (at *sectorNode) alone(o *sectorNode) uint64 {
	if at == nil || at == o {
		return 0
	}
	n := uint64(sectorNodeBytes)
	for i, below := range at.below {
		var other *sectorNode
		if o != nil {
			other = o.below[i]
		}
		n += below.alone(other)
	}
	return n
}
