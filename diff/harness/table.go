package harness

import (
	"encoding/binary"

	"x86emu/diff"
)

// Limits of a table: it lies between the image and the arena.
const (
	maxTable  = 8 << 20
	maxWorlds = 16
)

const (
	tableMagic  = 0x64363878
	tableHeader = 32

	byHost = 1 // flags: a host does part of the work
)

// table is what the image reads its questions from. [image/harness.h]
type table struct {
	bytes  []byte
	starts []int // where each question begins
	worlds []*diff.World
	number uint32
}

// newTable begins a table; number tells one run of the image from another.
func newTable(number uint32) *table {
	return &table{bytes: make([]byte, tableHeader), number: number}
}

// add puts a question into the table, unless it is full.
func (t *table) add(q *question) bool {
	world := -1
	for i, w := range t.worlds {
		if w == q.x.World {
			world = i
		}
	}
	if world < 0 {
		if len(t.worlds) == maxWorlds {
			return false
		}
		world = len(t.worlds)
	}
	size := len(q.state)*8 + 16
	for _, p := range q.patches {
		size += 8 + len(p.Bytes) + 4
	}
	if worst := (len(t.worlds) + 1) * (diff.ArenaSize + diff.ArenaPages*4 + 8); len(t.bytes)+size+4*len(t.starts)+worst > maxTable {
		return false
	}
	if world == len(t.worlds) {
		t.worlds = append(t.worlds, q.x.World)
	}
	t.starts = append(t.starts, len(t.bytes))
	le := binary.LittleEndian
	b := append(t.bytes, q.state.bytes()...)
	b = le.AppendUint64(b, q.pages)
	b = le.AppendUint32(b, uint32(world))
	b = le.AppendUint32(b, uint32(len(q.patches)))
	for _, p := range q.patches {
		b = le.AppendUint32(b, uint32(p.At))
		b = le.AppendUint32(b, uint32(len(p.Bytes)))
		b = append(b, p.Bytes...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	t.bytes = b
	return true
}

// image is the table for a run that begins with one of its questions.
func (t *table) image(first int) []byte {
	le := binary.LittleEndian
	b := append([]byte(nil), t.bytes...)
	positions := func(list []int) int {
		at := len(b)
		for _, p := range list {
			b = le.AppendUint32(b, uint32(p))
		}
		return at
	}
	var worlds []int
	for _, w := range t.worlds {
		worlds = append(worlds, len(b))
		b = appendWorld(b, w)
	}
	cases := positions(t.starts)
	worldsAt := positions(worlds)
	for i, v := range []uint32{
		tableMagic, 0, t.number, uint32(first), uint32(len(t.starts)), uint32(cases), uint32(worldsAt), uint32(len(b)),
	} {
		le.PutUint32(b[4*i:], v)
	}
	return b
}

// appendWorld adds the pages of a world's arena that are not all zero.
func appendWorld(b []byte, w *diff.World) []byte {
	arena := w.Arena
	if w.User {
		arena = userArena(w)
	}
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	n := uint32(0)
	for p := range diff.ArenaPages {
		page := arena[p*diff.PageSize : (p+1)*diff.PageSize]
		if [diff.PageSize]byte(page) == [diff.PageSize]byte{} {
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(p))
		b = append(b, page...)
		n++
	}
	binary.LittleEndian.PutUint32(b[at:], n)
	return b
}
