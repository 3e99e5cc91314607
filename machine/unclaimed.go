package machine

import (
	"slices"

	"x86emu/decode"
	"x86emu/mmu"
)

// Unclaimed counts the accesses to ports and to physical addresses where nothing
// answers. That a kernel or a loader makes some is normal: it looks for devices
// by touching their ports, and what is not there reads as all ones.
type Unclaimed struct {
	Ports, Mem Gaps
}

// Gaps are runs of neighbouring ports or addresses, in rising order.
type Gaps struct {
	List []Gap
	More uint64 // accesses to yet other places, when List had become too long
}

// Gap is a run of ports or addresses at which nothing has answered.
type Gap struct {
	First, Last   uint64
	Reads, Writes uint64
	// Where the first access was made.
	Tick uint64
	CS   uint16
	RIP  uint64
}

// maxGaps bounds Gaps.List, for a guest can touch as many places as it likes.
const maxGaps = 256

// CountUnclaimed counts from now on. Without it such accesses are not noticed at
// all, and cost what others do.
func (m *Machine) CountUnclaimed() *Unclaimed {
	u := &Unclaimed{}
	m.Ports.missed = func(first uint16, n int, write bool) { u.Ports.add(m, uint64(first), n, write) }
	m.Mem.OnHole = func(p mmu.Phys, n int, write bool) { u.Mem.add(m, uint64(p), n, write) }
	return u
}

// add counts an access to n places from first on.
func (g *Gaps) add(m *Machine, first uint64, n int, write bool) {
	last := first + uint64(n) - 1
	i, _ := slices.BinarySearchFunc(g.List, first, func(g Gap, first uint64) int {
		if g.Last+1 < first {
			return -1
		}
		return 1
	})
	// The gap at i is the first that does not end before the access.
	switch {
	case i < len(g.List) && g.List[i].First <= last+1:
	case len(g.List) == maxGaps:
		g.More++
		return
	default:
		s := m.CPU.State()
		g.List = slices.Insert(g.List, i, Gap{First: first, Last: last, Tick: s.Ticks, CS: s.Seg[decode.CS].Sel, RIP: s.RIP})
	}
	at := &g.List[i]
	if write {
		at.Writes++
	} else {
		at.Reads++
	}
	at.First, at.Last = min(at.First, first), max(at.Last, last)
	if i+1 < len(g.List) && g.List[i+1].First <= at.Last+1 {
		at.join(g.List[i+1])
		g.List = slices.Delete(g.List, i+1, i+2)
	}
}

// join takes in the next gap.
func (g *Gap) join(o Gap) {
	if o.Tick < g.Tick {
		g.Tick, g.CS, g.RIP = o.Tick, o.CS, o.RIP
	}
	g.Last, g.Reads, g.Writes = o.Last, g.Reads+o.Reads, g.Writes+o.Writes
}
