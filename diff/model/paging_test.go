package model

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/diff"
)

// Bits of registers as the cases below write them.
const (
	pg    = 1 << 31
	wp    = 1 << 16
	pse   = 1 << 4
	pae   = 1 << 5
	la57  = 1 << 12
	smep  = 1 << 20
	smap  = 1 << 21
	pke   = 1 << 22
	lma   = 1 << 10
	nxe   = 1 << 11
	ac    = 1 << 18
	xd    = 1 << 63
	base  = uint64(diff.ArenaBase)
	page1 = base + 0x1000
	page2 = base + 0x2000
	page3 = base + 0x3000
	page4 = base + 0x4000
)

// word is an entry or pointer in memory.
type word struct{ at, value uint64 }

// tables is an arena whose first paging structure is at its beginning.
func tables(regs diff.Regs, size int, words ...word) *machine {
	m := &machine{cpu: processors["max"], regs: regs, arena: make([]byte, diff.ArenaSize)}
	for _, w := range words {
		b := m.arena[w.at-base:]
		if size == 4 {
			binary.LittleEndian.PutUint32(b, uint32(w.value))
		} else {
			binary.LittleEndian.PutUint64(b, w.value)
		}
	}
	m.movToCR3(base)
	return m
}

func TestTranslation(t *testing.T) {
	long := diff.Regs{CR0: pg, CR4: pae, EFER: lma | nxe}
	five := diff.Regs{CR0: pg, CR4: pae | la57, EFER: lma | nxe}
	for _, c := range []struct {
		name     string
		m        *machine
		linear   uint64
		physical uint64
		outcome  outcome
		used     int
	}{
		{"no paging: linear is physical", tables(diff.Regs{}, 8), 0x1234, 0x1234, translated, 0},
		{"32-bit, 4-KByte page", tables(diff.Regs{CR0: pg}, 4, word{base + 4*3, page1 | 7}, word{page1 + 4*5, 0x7654_3007}), 3<<22 | 5<<12 | 0xabc, 0x7654_3abc, translated, 2},
		{"32-bit, 4-MByte page", tables(diff.Regs{CR0: pg, CR4: pse}, 4, word{base + 4*3, 0x1240_0087}), 3<<22 | 0x12345, 0x1241_2345, translated, 1},
		{"32-bit, PSE-36: bits 20:13 are 39:32", tables(diff.Regs{CR0: pg, CR4: pse}, 4, word{base + 4*3, 0x1240_0087 | 0xa5<<13}), 3 << 22, 0xa5_1240_0000, translated, 1},
		{"32-bit, bit 21 of a 4-MByte page is reserved", tables(diff.Regs{CR0: pg, CR4: pse}, 4, word{base + 4*3, 0x1260_0087}), 3 << 22, 0, reserved, 1},
		{"32-bit, PS without CR4.PSE", tables(diff.Regs{CR0: pg}, 4, word{base + 4*3, page1 | 0x87}, word{page1, 0x5007}), 3 << 22, 0x5000, translated, 2},
		{"32-bit, P=0", tables(diff.Regs{CR0: pg}, 4, word{base + 4*3, page1 | 7}), 3 << 22, 0, notPresent, 2},
		{"PAE, by a PDPTE register", tables(diff.Regs{CR0: pg, CR4: pae}, 8, word{base + 8*2, page1 | 1}, word{page1 + 8*3, page2 | 7}, word{page2 + 8*4, 0x12_3456_7007}),
			2<<30 | 3<<21 | 4<<12 | 0xabc, 0x12_3456_7abc, translated, 2},
		{"PAE, 2-MByte page", tables(diff.Regs{CR0: pg, CR4: pae}, 8, word{base, page1 | 1}, word{page1, 0x12_3460_0087}), 0x1f_ffff, 0x12_347f_ffff, translated, 1},
		{"PAE, PDPTE with P=0", tables(diff.Regs{CR0: pg, CR4: pae}, 8), 0, 0, notPresent, 0},
		{"PAE, bit 62 is reserved", tables(diff.Regs{CR0: pg, CR4: pae}, 8, word{base, page1 | 1}, word{page1, page2 | 7 | 1<<62}), 0, 0, reserved, 1},
		{"4-level, 4-KByte page", tables(long, 8, word{base + 8*1, page1 | 7}, word{page1 + 8*2, page2 | 7}, word{page2 + 8*3, page3 | 7}, word{page3 + 8*4, 0x12_3456_7007}),
			1<<39 | 2<<30 | 3<<21 | 4<<12 | 0xabc, 0x12_3456_7abc, translated, 4},
		{"4-level, 1-GByte page", tables(long, 8, word{base, page1 | 7}, word{page1, 0x12_4000_0087}), 0x3fff_ffff, 0x12_7fff_ffff, translated, 2},
		{"4-level, PS of a PML4E is reserved", tables(long, 8, word{base, page1 | 0x87}), 0, 0, reserved, 1},
		{"4-level, XD without NXE is reserved", tables(diff.Regs{CR0: pg, CR4: pae, EFER: lma}, 8, word{base, page1 | 7 | xd}), 0, 0, reserved, 1},
		{"4-level, P=0 hides reserved bits", tables(long, 8, word{base, ^uint64(1)}), 0, 0, notPresent, 1},
		{"5-level", tables(five, 8, word{base + 8*6, page1 | 7}, word{page1 + 8*1, page2 | 7}, word{page2 + 8*2, page3 | 7}, word{page3 + 8*3, page4 | 7}, word{page4 + 8*4, 0x5007}),
			6<<48 | 1<<39 | 2<<30 | 3<<21 | 4<<12 | 0xabc, 0x5abc, translated, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, o := c.m.translate(c.linear)
			assert.Equal(t, c.outcome, o)
			assert.Equal(t, c.physical, tr.physical)
			assert.Len(t, tr.entries, c.used)
			assert.False(t, c.m.outside)
		})
	}
}

func TestMoveToCR3(t *testing.T) {
	for _, c := range []struct {
		name string
		e    uint64
		ok   bool
	}{
		{"present", page1 | 1, true},
		{"PWT and PCD are allowed", page1 | 0x19, true},
		{"ignored bits 11:9", page1 | 0xe01, true},
		{"bit 1 is reserved", page1 | 3, false},
		{"bit 8 is reserved", page1 | 0x101, false},
		{"MAXPHYADDR is reserved", page1 | 1 | 1<<40, false},
		{"XD is reserved", page1 | 1 | xd, false},
		{"P=0 hides all", ^uint64(1), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tables(diff.Regs{CR0: pg, CR4: pae}, 8, word{base + 0x40, page2 | 1}, word{base + 0x58, c.e})
			was := m.pdpte
			assert.Equal(t, c.ok, m.movToCR3(base+0x40))
			if c.ok {
				assert.Equal(t, [4]uint64{page2 | 1, 0, 0, c.e}, m.pdpte)
			} else {
				assert.Equal(t, was, m.pdpte, "nothing is loaded")
			}
		})
	}
}

func TestPageFaults(t *testing.T) {
	read, write, fetch := diff.Access{}, diff.Access{Write: true}, diff.Access{Fetch: true}
	by := func(a diff.Access) diff.Access { a.User = true; return a }
	implicit := diff.Access{User: true, Implicit: true}
	for _, c := range []struct {
		name     string
		pte      uint64 // below three levels with all rights
		cr0, cr4 uint64
		efer     uint64
		flags    uint64
		pkru     uint32
		a        diff.Access
		code     int // -1: allowed
	}{
		{"user reads a supervisor's page", 3, wp, 0, 0, 0, 0, by(read), 5},
		{"user writes a read-only page", 5, wp, 0, 0, 0, 0, by(write), 7},
		{"supervisor writes it with WP=1", 1, wp, 0, 0, 0, 0, write, 3},
		{"supervisor writes it with WP=0", 1, 0, 0, 0, 0, 0, write, -1},
		{"not present: a fetch, NXE", 0, wp, 0, nxe, 0, 0, by(fetch), 0x14},
		{"not present: a fetch, neither NXE nor SMEP", 0, wp, 0, 0, 0, 0, by(fetch), 4},
		{"reserved bit, P=1", 7 | 1<<51, wp, 0, 0, 0, 0, write, 0xb},
		{"XD", 7 | xd, wp, 0, nxe, 0, 0, fetch, 0x11},
		{"SMEP", 7, wp, smep, 0, 0, 0, fetch, 0x11},
		{"SMAP", 7, wp, smap, 0, 0, 0, read, 1},
		{"SMAP with AC", 7, wp, smap, 0, ac, 0, read, -1},
		{"SMAP with AC, implicit, at CPL 3", 7, wp, smap, 0, ac, 0, implicit, 1},
		{"an implicit access is a supervisor's", 3, wp, 0, 0, 0, 0, implicit, -1},
		{"key, AD", 7 | 5<<59, wp, pke, 0, 0, 1 << 10, read, 0x21},
		{"key, AD, a fetch", 7 | 5<<59, wp, pke, 0, 0, 1 << 10, fetch, -1},
		{"key, AD, a supervisor's page", 3 | 5<<59, wp, pke, 0, 0, 1 << 10, read, -1},
		{"key, WD", 7 | 5<<59, wp, pke, 0, 0, 2 << 10, write, 0x23},
		{"key, WD, supervisor with WP=0", 7 | 5<<59, 0, pke, 0, 0, 2 << 10, write, -1},
		{"key, WD, user with WP=0", 7 | 5<<59, 0, pke, 0, 0, 2 << 10, by(write), 0x27},
		{"key without PKE", 7 | 5<<59, wp, 0, 0, 0, 3 << 10, by(write), -1},
		{"key and R/W are both reported", 5 | 5<<59, wp, pke, 0, 0, 2 << 10, by(write), 0x27},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tables(diff.Regs{CR0: pg | c.cr0, CR4: pae | c.cr4, EFER: lma | c.efer, RFLAGS: c.flags, PKRU: c.pkru}, 8,
				word{base, page1 | 7}, word{page1, page2 | 7}, word{page2, page3 | 7}, word{page3, page4 | c.pte})
			c.a.Size = 1
			r := m.access(&c.a)
			if c.code < 0 {
				assert.Equal(t, uint8(vectorBP), r.Vector)
				marks := m.marks()
				assert.Len(t, marks, 4, "A is set at each level")
				assert.Equal(t, c.a.Write, marks[3].Value>>6&1 == 1, "D is set by a write")
				return
			}
			assert.Equal(t, diff.Result{Vector: vectorPF, HasError: true, Error: uint32(c.code)}, r)
			assert.Empty(t, m.marks())
		})
	}
}
