package machine

import (
	"fmt"
	"math/bits"
	"slices"
)

// Ports is a device on the port bus. off is the distance from the first port
// of its range; size is 1, 2 or 4 bytes, at most the width it was claimed
// with, and the access lies within the range.
type Ports interface {
	In(off uint16, size uint8) uint32
	Out(off uint16, size uint8, v uint32)
}

// portRange is a claimed range of ports.
type portRange struct {
	first, last uint16
	width       uint8
	dev         Ports
}

// Bus is the port bus. A port that nobody claimed reads as all ones and
// swallows what is written.
type Bus struct {
	ranges []portRange                           // sorted, disjoint
	missed func(first uint16, n int, write bool) // nil, or told of ports that nobody claimed
}

// Claim gives the n ports from first on to dev. Accesses wider than width
// bytes (1, 2 or 4), and those that run over the end of the range, reach it as
// single bytes. It fails where ports are taken or beyond 0xFFFF.
func (b *Bus) Claim(first uint16, n int, width uint8, dev Ports) error {
	last := int(first) + n - 1
	if n < 1 || last > 0xffff {
		return fmt.Errorf("ports 0x%x+%d do not exist", first, n)
	}
	r := portRange{first, uint16(last), width, dev}
	i, _ := slices.BinarySearchFunc(b.ranges, r, func(a, r portRange) int { return int(a.first) - int(r.first) })
	if i > 0 && b.ranges[i-1].last >= r.first || i < len(b.ranges) && b.ranges[i].first <= r.last {
		return fmt.Errorf("ports 0x%x-0x%x are taken", r.first, r.last)
	}
	b.ranges = slices.Insert(b.ranges, i, r)
	return nil
}

// find returns the range of a port, or nil. Boards have few ranges.
func (b *Bus) find(port uint32) *portRange {
	for i := range b.ranges {
		if r := &b.ranges[i]; port <= uint32(r.last) {
			if port < uint32(r.first) {
				return nil
			}
			return r
		}
	}
	return nil
}

// whole returns the range that takes an access of size bytes in one piece.
func (b *Bus) whole(port uint16, size uint8) *portRange {
	r := b.find(uint32(port))
	if r == nil || size > r.width || uint32(port)+uint32(size)-1 > uint32(r.last) {
		return nil
	}
	return r
}

// In reads size bytes (1, 2 or 4) from a port.
func (b *Bus) In(port uint16, size uint8) uint32 {
	if r := b.whole(port, size); r != nil {
		return r.dev.In(port-r.first, size) & (1<<(8*uint(size)) - 1)
	}
	var v uint32
	lost := uint8(0)
	for i := uint32(0); i < uint32(size); i++ {
		x := uint32(0xff)
		if r := b.find(uint32(port) + i); r != nil {
			x = r.dev.In(port+uint16(i)-r.first, 1) & 0xff
		} else {
			lost |= 1 << i
		}
		v |= x << (8 * i)
	}
	b.miss(port, lost, false)
	return v
}

// Out writes size bytes (1, 2 or 4) to a port.
func (b *Bus) Out(port uint16, size uint8, v uint32) {
	v &= 1<<(8*uint(size)) - 1
	if r := b.whole(port, size); r != nil {
		r.dev.Out(port-r.first, size, v)
		return
	}
	lost := uint8(0)
	for i := uint32(0); i < uint32(size); i++ {
		if r := b.find(uint32(port) + i); r != nil {
			r.dev.Out(port+uint16(i)-r.first, 1, v>>(8*i)&0xff)
		} else {
			lost |= 1 << i
		}
	}
	b.miss(port, lost, true)
}

// miss tells of an access whose bytes in the mask lost nobody has claimed.
// What lies beyond the last port is not told.
func (b *Bus) miss(port uint16, lost uint8, write bool) {
	if lost &= uint8(1<<min(0x10000-int(port), 8) - 1); lost != 0 && b.missed != nil {
		first := bits.TrailingZeros8(lost)
		b.missed(port+uint16(first), bits.Len8(lost)-first, write)
	}
}
