package tracefile

import (
	"encoding/binary"
	"math/bits"

	"x86emu/debug"
	"x86emu/decode"
)

// codec writes or reads the records of the binary form. Both directions go
// through the same methods, so that they cannot come to expect different
// things: a number is put where the codec writes, and set where it reads.
//
// A record begins with a tag: the kind in its lower three bits, and above what
// is not as expected and therefore follows. What is expected comes from the slot
// of the instruction: what it was, who came next, what it changed and accessed
// the last time. Numbers are varints (LEB128), differences zigzag.
//
//	inst   bit 3: address, as a difference to the expected one
//	       bit 4: mode, length, bytes, CS, address less RIP
//	       bit 5: tick, as a difference to one more than the last instruction's
//	read   bit 3: size; bit 4: tick, as a difference to the last instruction's;
//	write  then address and value as differences to the slot's last access
//	regs   bit 3: set of the changed registers among the first 17 (bit 17: others);
//	       bit 4: tick, as a difference to one more than the instruction's;
//	       then for each general register how its difference differs from the
//	       last one, RFLAGS XOR its last value, a count of other registers, for
//	       each its index, low and high 64 bits
//	line   length and bytes
type codec struct {
	reading bool
	buf     []byte // written so far; or still to read
	bad     bool   // the records make no sense

	slots  [chunks]*[chunk]slot // made as they are needed: a short trace takes little
	here   *slot                // of the last instruction
	order  int                  // accesses since
	tick   uint64               // of the last instruction
	next   uint64               // address expected next
	values [maxRegisters][2]uint64
	count  int // registers
}

// slot is what is known of the instruction at an address. Two addresses may
// have one slot: the later one takes it.
type slot struct {
	lin, base uint64
	cs        uint16
	mode      uint8
	length    uint8
	code      [15]byte
	next      uint64
	mask      uint64
	delta     [generals]uint64
	flags     uint64
	access    [2]struct {
		lin, value uint64
		size       uint8
	}
}

const (
	chunks   = 1 << 10 // of slots
	chunk    = 1 << 4  // slots in each
	generals = 16      // general registers; RFLAGS comes after them
	others   = generals + 1
)

// Tags.
const (
	tagInst = iota
	tagRead
	tagWrite
	tagRegs
	tagLine
	tagKind = 7

	unlikeAddress = 1 << 3
	unlikeCode    = 1 << 4
	unlikeTick    = 1 << 5

	unlikeSize       = 1 << 3
	unlikeAccessTick = 1 << 4

	unlikeMask     = 1 << 3
	unlikeRegsTick = 1 << 4
)

// newCodec makes one for a number of registers.
func newCodec(reading bool, registers int) *codec {
	return &codec{reading: reading, count: registers, here: &slot{}}
}

// number codes v.
func (c *codec) number(v *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	x, n := binary.Uvarint(c.buf)
	if n <= 0 {
		c.bad, n = true, len(c.buf)
	}
	*v, c.buf = x, c.buf[n:]
}

// difference codes v as its difference to what was expected.
func (c *codec) difference(v *uint64, expected uint64) {
	d := *v - expected
	z := d<<1 ^ uint64(int64(d)>>63)
	c.number(&z)
	*v = expected + (z>>1 ^ -(z & 1))
}

// unless codes v as a difference where the tag says that it is not as expected.
func (c *codec) unless(tag, bit uint8, v *uint64, expected uint64) {
	if tag&bit != 0 {
		c.difference(v, expected)
	} else {
		*v = expected
	}
}

// octet codes a byte.
func (c *codec) octet(v *uint8) {
	switch {
	case !c.reading:
		c.buf = append(c.buf, *v)
	case len(c.buf) == 0:
		c.bad, *v = true, 0
	default:
		*v, c.buf = c.buf[0], c.buf[1:]
	}
}

// slotOf gives the slot of an address.
func (c *codec) slotOf(lin uint64) *slot {
	hash := lin * 0x9e3779b97f4a7c15 >> 32
	some := &c.slots[hash%chunks]
	if *some == nil {
		*some = new([chunk]slot)
	}
	return &(*some)[hash/chunks%chunk]
}

// inst codes an instruction; when reading, Inst is left to others.
func (c *codec) inst(tag uint8, i *debug.TraceInst) {
	if !c.reading {
		s := c.slotOf(i.Lin)
		if i.Lin != c.next {
			tag |= unlikeAddress
		}
		if s.lin != i.Lin || s.base != i.Lin-i.RIP || s.cs != i.CS || s.mode != uint8(i.Mode) || string(s.code[:s.length]) != string(i.Code) {
			tag |= unlikeCode
		}
		if i.Tick != c.tick+1 {
			tag |= unlikeTick
		}
		c.octet(&tag)
	}
	c.unless(tag, unlikeAddress, &i.Lin, c.next)
	s := c.slotOf(i.Lin)
	if tag&unlikeCode != 0 {
		c.code(s, i)
	} else if s.lin != i.Lin {
		c.bad = true
	}
	c.unless(tag, unlikeTick, &i.Tick, c.tick+1)
	c.here.next = i.Lin
	c.here, c.order, c.tick = s, 0, i.Tick
	if c.next = s.next; c.next == 0 {
		c.next = i.Lin + uint64(s.length)
	}
	i.CS, i.RIP, i.Mode, i.Code = s.cs, i.Lin-s.base, decode.Mode(s.mode), s.code[:s.length]
}

// code codes what an instruction is, and gives it its slot.
func (c *codec) code(s *slot, i *debug.TraceInst) {
	old := *s
	*s = slot{lin: i.Lin}
	if old.lin == i.Lin {
		*s = old
	}
	cs, base := uint64(i.CS), i.Lin-i.RIP
	s.mode, s.length = uint8(i.Mode), uint8(len(i.Code))
	c.octet(&s.mode)
	c.octet(&s.length)
	if s.length > 15 {
		c.bad, s.length = true, 0
	}
	switch decode.Mode(s.mode) {
	case decode.Mode16, decode.Mode32, decode.Mode64:
	default:
		c.bad = true
	}
	copy(s.code[:], i.Code)
	for k := range s.length {
		c.octet(&s.code[k])
	}
	c.number(&cs)
	c.number(&base)
	s.cs, s.base = uint16(cs), base
}

// access is one of the program's data.
type access struct {
	tick, lin, value uint64
	size             uint8
	write            bool
}

// access codes one.
func (c *codec) access(tag uint8, a *access) {
	last := &c.here.access[min(c.order, 1)]
	c.order++
	if !c.reading {
		tag = tagRead
		if a.write {
			tag = tagWrite
		}
		if a.size != last.size {
			tag |= unlikeSize
		}
		if a.tick != c.tick {
			tag |= unlikeAccessTick
		}
		c.octet(&tag)
	}
	a.write = tag&tagKind == tagWrite
	if tag&unlikeSize != 0 {
		c.octet(&a.size)
	} else {
		a.size = last.size
	}
	c.unless(tag, unlikeAccessTick, &a.tick, c.tick)
	c.difference(&a.lin, last.lin)
	c.difference(&a.value, last.value)
	last.lin, last.value, last.size = a.lin, a.value, a.size
}

// registers codes changes and gives them back in changes.
func (c *codec) registers(tag uint8, tick *uint64, changes []debug.Change) []debug.Change {
	var mask uint64
	rest := changes
	if !c.reading {
		for len(rest) > 0 && rest[0].Index < others {
			mask |= 1 << rest[0].Index
			rest = rest[1:]
		}
		if len(rest) > 0 {
			mask |= 1 << others
		}
		tag = tagRegs
		if mask != c.here.mask {
			tag |= unlikeMask
		}
		if *tick != c.tick+1 {
			tag |= unlikeRegsTick
		}
		c.octet(&tag)
	}
	if tag&unlikeMask != 0 {
		c.number(&mask)
		c.here.mask = mask
	}
	mask = c.here.mask
	c.unless(tag, unlikeRegsTick, tick, c.tick+1)
	if c.reading {
		if mask>>(others+1) != 0 {
			c.bad = true
			return nil
		}
		changes = changes[:0]
		for m := mask & (1<<others - 1); m != 0; m &= m - 1 {
			changes = append(changes, debug.Change{Index: bits.TrailingZeros64(m)})
		}
	}
	n := bits.OnesCount64(mask & (1<<others - 1))
	for k := range changes[:n] {
		c.common(&changes[k])
	}
	if mask>>others != 0 {
		changes = c.rest(changes, n)
	}
	return changes
}

// common codes a general register or RFLAGS.
func (c *codec) common(r *debug.Change) {
	old := &c.values[r.Index][0]
	if r.Index == generals {
		x := r.Low ^ c.here.flags
		c.number(&x)
		r.Low = x ^ c.here.flags
		c.here.flags = r.Low
	} else {
		expected := &c.here.delta[r.Index]
		d := r.Low - *old
		c.difference(&d, *expected)
		r.Low, *expected = *old+d, d
	}
	*old = r.Low
}

// rest codes all other registers, from changes[n] on.
func (c *codec) rest(changes []debug.Change, n int) []debug.Change {
	count := uint64(len(changes) - n)
	c.number(&count)
	if count > uint64(c.count) {
		c.bad = true
		return nil
	}
	if c.reading {
		changes = append(changes, make([]debug.Change, count)...)
	}
	for k := range changes[n:] {
		r := &changes[n+k]
		index := uint64(r.Index)
		c.number(&index)
		if index >= uint64(c.count) {
			c.bad = true
			return nil
		}
		r.Index = int(index)
		c.number(&r.Low)
		c.number(&r.High)
	}
	return changes
}

// line codes a line. What is read is good until the block ends.
func (c *codec) line(text []byte) []byte {
	if !c.reading {
		c.buf = append(c.buf, tagLine)
	}
	n := uint64(len(text))
	c.number(&n)
	if !c.reading {
		c.buf = append(c.buf, text...)
		return text
	}
	if n > uint64(len(c.buf)) || n == 0 {
		c.bad = true
		return nil
	}
	text, c.buf = c.buf[:n], c.buf[n:]
	return text
}
