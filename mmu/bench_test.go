package mmu

import "testing"

// tables maps linear 0 to size onto the same physical addresses with pages of
// 4 KiB and turns paging on: 2 or 4 levels. The tables lie above.
func tables(m *MMU, size uint64, long bool, bits uint64) {
	at := Phys(size)
	alloc := func() Phys { at += PageSize; return at - PageSize }
	root := alloc()
	width, shifts := uint(4), []uint{22, 12}
	if long {
		width, shifts = 8, []uint{39, 30, 21, 12}
	}
	for lin := uint64(0); lin < size; lin += PageSize {
		table := root
		for i, shift := range shifts {
			e := table + Phys(lin>>shift)&(PageSize/Phys(width)-1)*Phys(width)
			if i == len(shifts)-1 {
				m.Mem.Write(e, width, lin|bits|PtePresent)
				break
			}
			raw := m.Mem.Read(e, width)
			if raw&PtePresent == 0 {
				raw = uint64(alloc()) | PtePresent | PteWritable | PteUser
				m.Mem.Write(e, width, raw)
			}
			table = Phys(raw) & addrMask
		}
	}
	if long {
		m.SetCR4(m.Ctl.CR4 | CR4PAE)
		m.SetEFER(EFERLME | EFERNXE)
	}
	m.SetCR3(uint64(root))
	m.SetCR0(CR0PE | CR0PG | CR0WP)
}

// benchAccess reads or writes one word at each step.
func benchAccess(b *testing.B, cfg Config, size, step uint64, long bool, a Access) {
	cfg.MaxPhysBits = 40
	m := New(NewMemory(size+4<<20, 40), cfg)
	tables(m, size, long, PteWritable|PteUser)
	b.ReportAllocs()
	for lin := uint64(0); lin < size; lin += PageSize {
		m.Write(Linear(lin), 8, lin, a)
	}
	lin := uint64(0)
	for b.Loop() {
		ok := false
		if a&Write != 0 {
			ok = m.Write(Linear(lin), 8, lin, a)
		} else {
			_, ok = m.Read(Linear(lin), 8, a)
		}
		if !ok {
			b.Fatal(m.Fault)
		}
		if lin += step; lin >= size {
			lin = 0
		}
	}
}

func BenchmarkHit(b *testing.B) { benchAccess(b, Config{}, 1<<20, 64, true, User) }
func BenchmarkMiss2Level(b *testing.B) {
	benchAccess(b, Config{}, 256<<20, PageSize, false, User)
}
func BenchmarkMiss4Level(b *testing.B) {
	benchAccess(b, Config{}, 256<<20, PageSize, true, User)
}
func BenchmarkMiss4LevelWrite(b *testing.B) {
	benchAccess(b, Config{}, 256<<20, PageSize, true, User|Write)
}
func BenchmarkMiss4LevelWarm(b *testing.B) { benchAccess(b, Config{}, 16<<20, PageSize, true, User) }
func BenchmarkTLBOff2Level(b *testing.B) {
	benchAccess(b, Config{TLBOff: true}, 1<<20, 64, false, User)
}
func BenchmarkTLBOff4Level(b *testing.B) {
	benchAccess(b, Config{TLBOff: true}, 1<<20, 64, true, User)
}

// BenchmarkFault is a read of a supervisor page by a user, with 20 entries in use.
func BenchmarkFault(b *testing.B) {
	m := New(NewMemory(8<<20, 40), Config{MaxPhysBits: 40})
	tables(m, 4<<20, true, PteWritable)
	for i := range Linear(20) {
		m.Read(i<<12, 4, 0)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := m.Read(0x3456, 4, User); ok {
			b.Fatal()
		}
	}
}

// BenchmarkSwitch is a MOV to CR3 and the eight pages that the next task touches.
func BenchmarkSwitch(b *testing.B) {
	m := New(NewMemory(8<<20, 40), Config{MaxPhysBits: 40})
	tables(m, 4<<20, false, PteWritable|PteUser)
	b.ReportAllocs()
	for b.Loop() {
		m.SetCR3(m.Ctl.CR3)
		for i := range Linear(8) {
			if _, ok := m.Read(i<<12, 4, 0); !ok {
				b.Fatal()
			}
		}
	}
}

func BenchmarkFlushOne(b *testing.B) {
	m := New(NewMemory(8<<20, 40), Config{MaxPhysBits: 40})
	tables(m, 4<<20, false, PteWritable|PteUser)
	b.ReportAllocs()
	for b.Loop() {
		m.SetCR3(m.Ctl.CR3)
		m.Read(0x1000, 4, 0)
	}
}

func BenchmarkFetchPage(b *testing.B) {
	m := New(NewMemory(8<<20, 40), Config{MaxPhysBits: 40})
	tables(m, 4<<20, true, PteWritable|PteUser)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := m.FetchPage(0x1234, User); !ok {
			b.Fatal()
		}
	}
}

// BenchmarkStoreBesideCode stores to a page that also holds decoded code.
func BenchmarkStoreBesideCode(b *testing.B) {
	m := New(NewMemory(8<<20, 40), Config{MaxPhysBits: 40})
	tables(m, 4<<20, true, PteWritable|PteUser)
	m.Mem.MarkCode(0x1000, 64)
	b.ReportAllocs()
	for b.Loop() {
		if !m.Write(0x1800, 4, 1, User) {
			b.Fatal()
		}
	}
}
