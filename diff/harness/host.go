package harness

import (
	"encoding/binary"
	"io"
	"math/bits"

	"x86emu/diff"
)

// host does the image's work on the arena from outside, in the memory of
// a machine that is slow at CPL 0: it prepares each case, and adds to each report
// what the case has changed. Nor does the image begin cases then: it writes the
// physical address of a state to port 0xEA (BeginPort).
type host struct {
	ram    []byte
	table  []byte
	worlds [][]byte
	world  int // the present one
	now    int // the case that runs
	start  []byte
	out    io.Writer
}

// BeginPort is where the image asks the host to begin a case.
const BeginPort = 0xea

// NewHost puts a table into the memory of a machine that is about to start
// the image, and prepares the first case. What it returns is then where the machine's debug
// console goes to; what it makes of it goes to out.
func NewHost(ram, table []byte, out io.Writer) (console io.Writer) {
	le := binary.LittleEndian
	h := &host{ram: ram, table: table, world: -1, out: out, now: int(le.Uint32(table[12:])), start: make([]byte, diff.ArenaSize)}
	at := ram[Flatten().End:]
	copy(at, table)
	le.PutUint32(at[4:], byHost)
	for p := le.Uint32(table[24:]); p < le.Uint32(table[28:]); p += 4 {
		h.worlds = append(h.worlds, unpackWorld(table[le.Uint32(table[p:]):]))
	}
	h.prepare()
	return &reports{got: h.report}
}

// unpackWorld is the opposite of appendWorld.
func unpackWorld(b []byte) []byte {
	le := binary.LittleEndian
	arena := make([]byte, diff.ArenaSize)
	for range le.Uint32(b) {
		copy(arena[le.Uint32(b[4:])*diff.PageSize:], b[8:8+diff.PageSize])
		b = b[4+diff.PageSize:]
	}
	return arena
}

func (h *host) arena() []byte {
	return h.ram[diff.ArenaBase : diff.ArenaBase+diff.ArenaSize]
}

// question is the present case: its pages, world and patches.
func (h *host) question() (pages uint64, world int, patches []byte) {
	le := binary.LittleEndian
	positions := le.Uint32(h.table[20:])
	b := h.table[le.Uint32(h.table[positions+4*uint32(h.now):])+8*uint32(len(state{})):]
	return le.Uint64(b), int(le.Uint32(b[8:])), b[12:]
}

// prepare makes the arena what the present case begins with.
func (h *host) prepare() {
	if h.now >= int(binary.LittleEndian.Uint32(h.table[16:])) {
		return
	}
	_, world, patches := h.question()
	if world != h.world {
		h.world = world
		copy(h.start, h.worlds[world])
		copy(h.arena(), h.start)
	}
	h.eachPatch(patches, func(at uint32, b []byte) {
		copy(h.start[at:], b)
		copy(h.arena()[at:], b)
	})
}

func (h *host) eachPatch(b []byte, do func(at uint32, b []byte)) {
	le := binary.LittleEndian
	n := le.Uint32(b)
	b = b[4:]
	for range n {
		size := int(le.Uint32(b[4:]))
		do(le.Uint32(b), b[8:8+size])
		b = b[8+(size+3)&^3:]
	}
}

// report takes a report of the image, and after a case goes on to the next one.
func (h *host) report(r *report) {
	if r.kind == reportCase || r.kind == reportNotBegun {
		pages, world, patches := h.question()
		r.words = h.changes(pages)
		h.eachPatch(patches, func(at uint32, b []byte) {
			was := h.worlds[world][at : int(at)+len(b)]
			copy(h.start[at:], was)
			copy(h.arena()[at:], was)
		})
		h.now++
		h.prepare()
	}
	h.out.Write(r.bytes())
}

// changes finds what has changed, and puts it back.
func (h *host) changes(pages uint64) (words []diff.Word) {
	le := binary.LittleEndian
	arena := h.arena()
	for ; pages != 0; pages &= pages - 1 {
		page := diff.Offset(bits.TrailingZeros64(pages) * diff.PageSize)
		is, was := arena[page:page+diff.PageSize], h.start[page:page+diff.PageSize]
		if string(is) == string(was) {
			continue
		}
		for i := diff.Offset(0); i < diff.PageSize; i += 8 {
			if v := le.Uint64(is[i:]); v != le.Uint64(was[i:]) {
				words = append(words, diff.Word{At: page + i, Value: v})
			}
		}
		copy(is, was)
	}
	return words
}

// bytes is the report as the image writes it.
func (r *report) bytes() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte{reportMark, 0, 0, r.kind}, r.number)
	if r.kind == reportCase || r.kind == reportNotBegun {
		b = le.AppendUint64(append(b, r.vector), r.which)
		for i, v := range r.changed {
			if r.which>>i&1 != 0 {
				b = le.AppendUint64(b, v)
			}
		}
		b = le.AppendUint32(b, uint32(len(r.words)))
		for _, w := range r.words[:min(len(r.words), mostWords)] {
			b = le.AppendUint64(le.AppendUint16(b, uint16(w.At/8)), w.Value)
		}
	}
	le.PutUint16(b[1:], uint16(len(b)-3))
	sum := byte(0)
	for _, v := range b[3:] {
		sum += v
	}
	return append(b, sum)
}

// Physical is where a table of a case lies: worlds have theirs at the same linear
// address, or, the user world, above userKernel.
func Physical(linear uint64) uint64 {
	if linear >= userKernel {
		return linear - userKernel + uint64(diff.ArenaBase)
	}
	return linear
}
