package native

import (
	"encoding/binary"
	"slices"

	"x86emu/decode"
	"x86emu/diff"
)

// repeatOverItself makes the answer to a repeated store that overwrites its own
// bytes that of a processor which goes on with the instruction that it has
// decoded, as long as nothing interrupts it. [SDM 3A, Self-Modifying Code]
func repeatOverItself(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	moves := false
	switch in.Op {
	case decode.STOSB, decode.STOSW, decode.STOSD, decode.STOSQ:
	case decode.MOVSB, decode.MOVSW, decode.MOVSD, decode.MOVSQ:
		moves = true
	default:
		return false
	}
	if x.Status != decode.OK || in.Prefix&(decode.PrefixRep|decode.PrefixRepne) == 0 || x.Case.Regs.RFLAGS&flagTF != 0 || !overwritten(x, r) {
		return false
	}
	memory := newMemory(x)
	regs := begin(x)
	size := uint64(in.OpSize)
	step := size
	if regs.RFLAGS&flagDF != 0 {
		step = -size
	}
	at := func(reg int, s decode.SegReg) uint64 {
		linear := x.Segment(s).Base + low(regs.GPR[reg], in.AddrSize)
		if x.Mode != decode.Mode64 {
			linear &= 0xffffffff
		}
		return linear
	}
	add := func(reg int, n uint64) {
		regs.GPR[reg] = widen(regs.GPR[reg], low(regs.GPR[reg]+n, in.AddrSize), in.AddrSize)
	}
	for low(regs.GPR[1], in.AddrSize) != 0 {
		from, to := at(6, in.Seg), at(7, decode.ES)
		fault := uint32(4) // user
		cr2, ok := uint64(0), true
		if moves {
			cr2, ok = memory.reaches(from, size, false)
		}
		if ok {
			fault = 6 // and write
			cr2, ok = memory.reaches(to, size, true)
		}
		if !ok {
			if _, mapped := x.World.Offset(cr2); mapped {
				fault |= 1
			}
			*r = diff.Result{End: diff.Trapped, Vector: 14, HasError: true, Error: fault, CR2: cr2, Regs: regs}
			r.Regs.RFLAGS |= flagRF
			memory.words(r)
			return true
		}
		v := regs.GPR[0]
		if moves {
			v = memory.load(from, size)
		}
		memory.store(to, size, v)
		if moves {
			add(6, step)
		}
		add(7, step)
		add(1, ^uint64(0))
	}
	// What follows may have been overwritten as well.
	regs.RIP += uint64(in.Len)
	ok := asIf(x, r, func(c *diff.Case) {
		c.Regs.GPR, c.Regs.RIP, c.Code = regs.GPR, regs.RIP, nil
		c.Patches = []diff.Patch{{Bytes: slices.Clone(memory.bytes)}}
	})
	for _, w := range r.Mem {
		binary.LittleEndian.PutUint64(memory.bytes[w.At:], w.Value)
	}
	memory.words(r)
	return ok
}

// overwritten tells whether an answer has other bytes where the code was.
func overwritten(x *diff.Context, r *diff.Result) bool {
	linear := diff.UserLinear(x.Case.Regs.Seg[decode.CS], x.Case.Regs.RIP)
	for i := range uint64(x.Inst.Len) {
		if at, ok := x.World.Offset(linear + i); ok {
			for _, w := range r.Mem {
				if w.At == at&^7 && (w.Value^x.Start(w.At))>>(at%8*8)&0xff != 0 {
					return true
				}
			}
		}
	}
	return false
}

// memory is the arena as a calculation goes on.
type memory struct {
	x     *diff.Context
	bytes []byte
}

const userBytes = (diff.UserCodePages + diff.UserDataPages) * diff.PageSize

func newMemory(x *diff.Context) *memory {
	m := &memory{x, make([]byte, userBytes)}
	for at := diff.Offset(0); at < userBytes; at += 8 {
		binary.LittleEndian.PutUint64(m.bytes[at:], x.Start(at))
	}
	return m
}

// reaches tells whether an access is possible, else the first byte that is not.
func (m *memory) reaches(linear, size uint64, write bool) (cr2 uint64, ok bool) {
	for i := range size {
		a := linear + i
		if _, ok := m.x.World.Offset(a); !ok || write && a >= diff.UserReadOnly {
			return a, false
		}
	}
	return 0, true
}

func (m *memory) load(linear, size uint64) (v uint64) {
	for i := range size {
		at, _ := m.x.World.Offset(linear + i)
		v |= uint64(m.bytes[at]) << (8 * i)
	}
	return v
}

func (m *memory) store(linear, size, v uint64) {
	for i := range size {
		at, _ := m.x.World.Offset(linear + i)
		m.bytes[at] = byte(v >> (8 * i))
	}
}

// words are what has changed.
func (m *memory) words(r *diff.Result) {
	r.Mem = nil
	for at := diff.Offset(0); at < userBytes; at += 8 {
		if v := binary.LittleEndian.Uint64(m.bytes[at:]); v != m.x.Start(at) {
			r.Mem = append(r.Mem, diff.Word{At: at, Value: v})
		}
	}
}
