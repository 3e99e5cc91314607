package native

import (
	"encoding/binary"

	"x86emu/decode"
	"x86emu/diff"
)

// The shared memory, as helper/wire.h lays it out.
const (
	userPages   = diff.UserCodePages + diff.UserDataPages
	atCount     = 0
	atDone      = 4
	atSegments  = 8
	atTicks     = 12
	atAsk       = 16
	atReply     = 24
	atEnd       = 32
	atReady     = 40
	atSegment   = 48
	segmentSize = 16
	atPages     = atSegment + 64*segmentSize

	askAt      = 36 << 10 // the page before it is the read-only one of the helper
	replyAt    = 8 << 20
	sharedSize = 24 << 20

	regsSize     = 176
	questionSize = regsSize + 16
	answerSize   = regsSize + 40
	floatSize    = 512 // the area of FXSAVE

	// batch is the number of questions of one start of the helper. A start costs
	// as much as some fifty cases.
	batch = 4096
	// patience is the processor time that a case may take before it counts as one
	// without an end, in ticks of 10 ms. The longest honest one takes microseconds.
	patience = 20
)

// What the helper answers beside vectors.
const (
	inKernel = 0x100
	tooLong  = 0x101
)

var le = binary.LittleEndian

// putHeader writes what stays the same from start to start.
func (o *Oracle) putHeader() {
	m := o.mem
	le.PutUint32(m[atTicks:], patience)
	le.PutUint64(m[atAsk:], askAt)
	le.PutUint64(m[atReply:], replyAt)
	le.PutUint64(m[atEnd:], sharedSize)
	copy(m[atPages:], o.world.Arena[:userPages*diff.PageSize])
	n := 0
	for i, d := range diff.UserLDT {
		if d == 0 {
			continue
		}
		b := m[atSegment+n*segmentSize:]
		le.PutUint32(b, uint32(i))
		le.PutUint32(b[4:], uint32(d>>16&0xffffff|d>>56<<24))
		le.PutUint32(b[8:], uint32(d&0xffff|d>>32&0xf0000))
		le.PutUint32(b[12:], ldtBits(d))
		n++
	}
	le.PutUint32(m[atSegments:], uint32(n))
}

// ldtBits is a descriptor's type as modify_ldt takes it: 32 bits, contents (data,
// expand-down, code, conforming), not writable or readable, limit in pages, not
// present, AVL. [Linux, arch/x86/include/uapi/asm/ldt.h]
func ldtBits(d uint64) uint32 {
	bit := func(n int) uint32 { return uint32(d >> n & 1) }
	return bit(54) | uint32(d>>42&3)<<1 | (1-bit(41))<<3 | bit(55)<<4 | (1-bit(47))<<5 | bit(52)<<6
}

// ask writes as many questions as there is room for. It gives the number of
// cases it went through, and the indexes of those it asked; it answers the others,
// which no process can begin.
func (o *Oracle) ask(cases []*diff.Case, results []diff.Result) (n int, asked []int) {
	at := askAt
	for ; n < len(cases) && len(asked) < batch; n++ {
		c := cases[n]
		if at+o.questionSize(c) > replyAt {
			if len(asked) == 0 {
				results[n] = diff.Result{End: diff.Silent, Note: "patches of more than 8 MiB"}
				continue
			}
			break
		}
		if why := unasked(o.world, c); why != "" {
			results[n] = diff.Result{End: diff.Silent, Note: why}
			continue
		}
		at = o.putQuestion(at, c)
		asked = append(asked, n)
	}
	le.PutUint32(o.mem[atCount:], uint32(len(asked)))
	le.PutUint32(o.mem[atDone:], 0)
	le.PutUint64(o.mem[atReady:], 0)
	return n, asked
}

// questionSize is the most bytes that the question of a case takes.
func (o *Oracle) questionSize(c *diff.Case) int {
	size := questionSize + floatSize + 4*(8+8) + len(c.Code)
	for _, p := range c.Patches {
		size += 8 + 8 + len(p.Bytes)
	}
	return size
}

func (o *Oracle) putQuestion(at int, c *diff.Case) (end int) {
	r := &c.Regs
	b := o.mem[at:]
	for i, v := range r.GPR {
		le.PutUint64(b[8*i:], v)
	}
	le.PutUint64(b[128:], r.RIP)
	le.PutUint64(b[136:], r.RFLAGS)
	for i, s := range r.Seg {
		le.PutUint16(b[144+2*i:], s)
	}
	bases := uint32(0)
	if diff.UserMode(r.Seg[decode.CS]) == decode.Mode64 {
		bases = 1
	}
	le.PutUint32(b[156:], bases)
	le.PutUint64(b[160:], r.FSBase)
	le.PutUint64(b[168:], r.GSBase)
	end = at + questionSize
	le.PutUint64(b[regsSize+8:], 0)
	if r.Float.Used() {
		putFloat(o.mem[end:end+floatSize], &r.Float)
		le.PutUint64(b[regsSize+8:], floatSize)
		end += floatSize
	}
	patches := end
	for _, p := range c.Patches {
		end = o.putPatch(end, p.At, p.Bytes)
	}
	// The code, as far as its pages are there; those of one segment follow each other.
	linear := diff.UserLinear(r.Seg[1], r.RIP)
	for code := c.Code; len(code) > 0; {
		n := min(len(code), diff.PageSize-int(linear%diff.PageSize))
		if to, ok := o.world.Offset(linear); ok {
			end = o.putPatch(end, to, code[:n])
		}
		code, linear = code[n:], linear+uint64(n)
	}
	le.PutUint64(b[regsSize:], uint64(end-patches))
	return end
}

func (o *Oracle) putPatch(at int, to diff.Offset, bytes []byte) (end int) {
	le.PutUint32(o.mem[at:], uint32(to))
	le.PutUint32(o.mem[at+4:], uint32(len(bytes)))
	copy(o.mem[at+8:], bytes)
	return at + 8 + (len(bytes)+7)&^7
}

// answers reads what the helper has answered and gives their number.
func (o *Oracle) answers(asked []int, cases []*diff.Case, results []diff.Result) (done int) {
	done = min(int(le.Uint32(o.mem[atDone:])), len(asked))
	at := replyAt
	for _, i := range asked[:done] {
		at = o.getAnswer(at, &results[i])
		undo(cases[i], &results[i])
	}
	return done
}

func (o *Oracle) getAnswer(at int, r *diff.Result) (end int) {
	b := o.mem[at : at+answerSize]
	*r = diff.Result{}
	for i := range r.Regs.GPR {
		r.Regs.GPR[i] = le.Uint64(b[8*i:])
	}
	r.Regs.RIP, r.Regs.RFLAGS = le.Uint64(b[128:]), le.Uint64(b[136:])
	for i := range r.Regs.Seg {
		r.Regs.Seg[i] = le.Uint16(b[144+2*i:])
	}
	r.Regs.FSBase, r.Regs.GSBase = le.Uint64(b[160:]), le.Uint64(b[168:])
	b = b[regsSize:]
	switch vector := le.Uint64(b); vector {
	case inKernel:
		r.End, r.Note = diff.Silent, EnteredKernel
	case tooLong:
		r.End = diff.Stopped
	default:
		r.End, r.Vector = diff.Trapped, uint8(vector)
		switch r.Vector {
		case 8, 10, 11, 12, 13, 17:
			r.HasError, r.Error = true, uint32(le.Uint64(b[8:]))
		case 14:
			r.HasError, r.Error = true, uint32(le.Uint64(b[8:]))
			r.CR2 = le.Uint64(b[16:])
		}
	}
	n := int(le.Uint64(b[24:]))
	end = at + answerSize
	if le.Uint64(b[32:]) != 0 {
		getFloat(o.mem[end:end+floatSize], &r.Regs.Float)
		end += floatSize
	}
	for i := range n {
		w := o.mem[end+16*i:]
		r.Mem = append(r.Mem, diff.Word{At: diff.Offset(le.Uint64(w)), Value: le.Uint64(w[8:])})
	}
	return end + 16*n
}

// putFloat writes the area that FXRSTOR loads. [SDM 1, Table "Format of an FXSAVE Area"]
func putFloat(b []byte, f *diff.Float) {
	clear(b)
	le.PutUint16(b, f.CW)
	le.PutUint16(b[2:], f.SW)
	b[4] = byte(f.Tags)
	le.PutUint32(b[24:], f.MXCSR)
	for i, r := range f.ST {
		le.PutUint64(b[32+16*i:], r.Sig)
		le.PutUint16(b[40+16*i:], r.SE)
	}
	for i, x := range f.XMM {
		le.PutUint64(b[160+16*i:], x[0])
		le.PutUint64(b[168+16*i:], x[1])
	}
}

// getFloat reads it.
func getFloat(b []byte, f *diff.Float) {
	f.CW, f.SW, f.Tags, f.MXCSR = le.Uint16(b), le.Uint16(b[2:]), uint16(b[4]), le.Uint32(b[24:])
	for i := range f.ST {
		f.ST[i] = diff.Extended{Sig: le.Uint64(b[32+16*i:]), SE: le.Uint16(b[40+16*i:])}
	}
	for i := range f.XMM {
		f.XMM[i] = [2]uint64{le.Uint64(b[160+16*i:]), le.Uint64(b[168+16*i:])}
	}
}
