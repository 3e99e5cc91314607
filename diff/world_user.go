package diff

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// The pages of the user world, for 64-, 32- and 16-bit code alike.
//
//	linear      arena    rights
//	10000000    0000     code, read, write, execute; 2 pages of INT3
//	20000000    2000     data, read, write; 2 pages
//	20002000    4000     data, read only; 1 page
//
// Around them nothing is mapped.
const (
	UserCode      = 0x10000000
	UserCodePages = 2
	UserData      = 0x20000000
	UserDataPages = 3
	UserReadOnly  = UserData + 2*PageSize

	userCodeAt Offset = 0
	userDataAt Offset = 2 * PageSize
)

// Selectors of UserGDT, which is what Linux gives a process, since the host's
// processor can be asked with them alone. UserLDT holds the odd segments.
const (
	UserCS32 = 0x23
	UserDS   = 0x2b
	UserCS64 = 0x33
)

var userWorld = sync.OnceValue(func() *World {
	w := &World{
		Name:  "user",
		User:  true,
		Arena: make([]byte, ArenaSize),
		Maps: []Map{
			{UserCode, userCodeAt, UserCodePages * PageSize},
			{UserData, userDataAt, UserDataPages * PageSize},
		},
		Hidden: []Span{{5 * PageSize, (ArenaPages - 5) * PageSize}},
	}
	for i := range w.Arena[:UserCodePages*PageSize] {
		w.Arena[i] = 0xcc
	}
	// Data that a wrong address or width shows in, with pointers and edges in it.
	r := rand.New(rand.NewPCG(1, 1))
	for at := userDataAt; at < 5*PageSize; at += 8 {
		v := r.Uint64()
		switch r.IntN(6) {
		case 0:
			v = UserCode + v%(UserCodePages*PageSize)
		case 1:
			v = UserData + v%(UserDataPages*PageSize)
		case 2:
			v %= 0x2000
		}
		binary.LittleEndian.PutUint64(w.Arena[at:], v)
	}
	w.Regs = Regs{RIP: UserCode, RFLAGS: 0x202, Seg: [6]uint16{0, UserCS64, UserDS, 0, 0, 0}}
	return w
})
