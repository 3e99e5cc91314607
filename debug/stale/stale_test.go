package stale_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/debug/stale"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

const budget = 10_000_000_000

// run runs a built-in kernel, watched, and returns what is told.
func run(t *testing.T, kernel *guest.Kernel) (uses []stale.Use, serial string, r machine.Result) {
	t.Helper()
	var out bytes.Buffer
	m, err := guest.Boot(kernel.Name, machine.Config{Serial: machine.NewOutput(&out)}, guest.Options{})
	require.NoError(t, err)
	w := stale.Watch(m, func(u *stale.Use) { uses = append(uses, *u) })
	r, err = m.Run(context.Background(), budget)
	require.NoError(t, err)
	w.Close()
	return uses, out.String(), r
}

// Only those kernels use a stale entry whose story says so, and a kernel does the
// same whether it is watched or not.
func TestBuiltInKernels(t *testing.T) {
	for _, kernel := range guest.Kernels() {
		t.Run(kernel.Name, func(t *testing.T) {
			t.Parallel()
			uses, serial, r := run(t, &kernel)
			assert.Equal(t, kernel.Transcript, serial)
			assert.Equal(t, kernel.End, r.Reason)
			if kernel.StaleTLB {
				assert.NotEmpty(t, uses)
				return
			}
			for i := range uses {
				t.Errorf("%s", &uses[i])
			}
		})
	}
}

// What missing-invlpg leaves out, in the order of its chapters: each use with the
// entry, what memory says, the store that changed the table, and the flush.
func TestMissingINVLPG(t *testing.T) {
	for _, name := range []string{"missing-invlpg-32", "missing-invlpg-64"} {
		kernel, ok := guest.KernelNamed(name)
		require.True(t, ok)
		uses, _, _ := run(t, &kernel)
		type told struct {
			lin    mmu.Linear
			access mmu.Access
			rule   mmu.Rule
			is     uint64 // bits of the entry
		}
		var got []told
		for i := range uses {
			u := &uses[i]
			got = append(got, told{u.Lin, u.Access, u.Now.Rule, u.Is & 0xfff &^ 0x60})
			require.NotNil(t, u.Write)
			assert.Less(t, u.Write.Tick, u.Tick)
			assert.Less(t, u.Made.Tick, u.Write.Tick)
			assert.Equal(t, mmu.LevelPTE, u.Was.Level)
			text := u.String()
			assert.Contains(t, text, "INVLPG of 0x4002")
			assert.Contains(t, text, "or a load of CR3")
			assert.Contains(t, text, "written at 0008:")
		}
		assert.Equal(t, []told{
			{0x40029000, mmu.Read, mmu.RuleNotPresent, 0},
			{0x40029000, mmu.Write, mmu.RuleNotPresent, 0},
			{0x4002a000, mmu.Read, mmu.RuleOK, 3},
			{0x4002a000, mmu.Write, mmu.RuleOK, 3},
			{0x4002b000, mmu.Write, mmu.RuleWrite, 1},
		}, got)
	}
}

// bare is a machine with two address spaces of its own, under 4-level paging: page
// 0 maps code of the test, 0x200000 is a large page.
func bare(t *testing.T, cr4 uint64) *machine.Machine {
	t.Helper()
	m, err := machine.New(machine.Config{RAM: 8 << 20})
	require.NoError(t, err)
	for i, root := range []mmu.Phys{0x10000, 0x20000} {
		m.Mem.Write(root, 8, uint64(root+0x1000)|3)
		m.Mem.Write(root+0x1000, 8, uint64(root+0x2000)|3)
		m.Mem.Write(root+0x2000, 8, uint64(root+0x3000)|3)
		m.Mem.Write(root+0x2008, 8, uint64(i+1)<<21|0x83)
		for p := range mmu.Phys(0x100) {
			m.Mem.Write(root+0x3000+8*p, 8, uint64(p<<12)|3)
		}
		m.Mem.Write(root+0x3000+8*0x80, 8, uint64(0x300000+i<<12)|3|0x100) // global, and not alike
	}
	s := cpu.ResetState(m.Config().Model)
	s.CR0 |= mmu.CR0PE | mmu.CR0PG | mmu.CR0WP
	s.CR4 = mmu.CR4PAE | cr4
	s.EFER = mmu.EFERLME | mmu.EFERLMA
	s.CR3 = 0x10000
	s.RIP = 0x8000
	s.Seg[1] = idt.Segment{Sel: 8, Attr: 0xa09b, Limit: 0xffffffff}
	m.CPU.SetState(s)
	return m
}

// play runs code (64-bit, ended by HLT) and returns what is told.
func play(t *testing.T, m *machine.Machine, code string) []string {
	t.Helper()
	m.Mem.WriteBytes(0x8000, []byte(code+"\xf4"))
	return watched(t, m)
}

// watched runs a machine to its halt and returns what is told.
func watched(t *testing.T, m *machine.Machine) []string {
	t.Helper()
	var all []string
	stale.Watch(m, func(u *stale.Use) { all = append(all, u.String()) })
	r, err := m.Run(context.Background(), 1000)
	require.NoError(t, err)
	require.Equal(t, machine.Halted, r.Reason, "%v", r.Story())
	return all
}

const (
	read80     = "\x8a\x04\x25\x00\x00\x08\x00"                     // mov al, [0x80000]
	write80    = "\x88\x04\x25\x00\x00\x08\x00"                     // mov [0x80000], al
	read200    = "\x8a\x04\x25\x34\x12\x20\x00"                     // mov al, [0x201234]
	clear80    = "\x48\xc7\x04\x25\x00\x34\x01\x00\x00\x00\x00\x00" // mov qword [0x13400], 0
	readonly80 = "\x80\x24\x25\x00\x34\x01\x00\xfd"                 // and byte [0x13400], ~2
	old80      = "\x80\x24\x25\x00\x34\x01\x00\xdf"                 // and byte [0x13400], ~A
	clear200   = "\x80\x24\x25\x08\x20\x01\x00\xfe"                 // and byte [0x12008], ~P
	invlpg80   = "\x0f\x01\x3c\x25\x00\x00\x08\x00"                 // invlpg [0x80000]
	invlpg200  = "\x0f\x01\x3c\x25\x00\x00\x3f\x00"                 // invlpg [0x3f0000]: of the same large page
	cr3        = "\x0f\x20\xd8\x0f\x22\xd8"                         // mov rax, cr3; mov cr3, rax
	other      = "\xb8\x00\x00\x02\x00\x0f\x22\xd8"                 // mov eax, 0x20000; mov cr3, rax
	noFlush    = "\x48\xb8\x00\x00\x02\x00\x00\x00\x00\x80\x0f\x22\xd8"
)

func TestUses(t *testing.T) {
	tests := []struct {
		name string
		cr4  uint64
		code string
		want []string // parts of what is told, one line each; "" for another use
	}{
		{"cleared, read", 0, read80 + clear80 + read80, []string{
			"stale TLB entry used: supervisor read of 0x80000 at 0008:8013, tick 2",
			"  the TLB has 0x80000 -> 0x300000, supervisor rwx, since tick 0",
			"  memory says: P=0 in PTE 128 = 0x0 at 0x13400",
			"  PTE 128 at 0x13400 was 0x300103, is 0x0: written at 0008:8007, tick 1",
			"  missing since then: INVLPG of 0x80000, or a load of CR3",
		}},
		{"cleared, INVLPG, not read", 0, read80 + clear80 + invlpg80, nil},
		{"cleared, not used", 0, read80 + clear80, nil},
		{"read-only, written", 0, write80 + readonly80 + write80, []string{"supervisor write of 0x80000", "R/W=0 in PTE 128"}},
		{"read-only, read", 0, write80 + readonly80 + read80, nil},
		{"A cleared", 0, read80 + old80 + read80, nil},
		{"cleared, CR3 loaded", 0, read80 + clear80 + cr3, nil},
		{"a large page", 0, read200 + clear200 + read200, []string{"P=0 in PDE 1", "PDE 1 at 0x12008 was 0x200083", "INVLPG of 0x201000"}},
		{"a large page, INVLPG of another address in it", 0, read200 + clear200 + invlpg200, nil},
		{"a global page, CR3 loaded", mmu.CR4PGE, read80 + clear80 + cr3 + read80, []string{"(the entry is global: a load of CR3 leaves it)"}},
		{"a global page that another space has otherwise", mmu.CR4PGE, read80 + other + read80, []string{
			"memory says: 0x301000", "no store changed it: the entry was made under CR3 0x10000",
		}},
		{"told once for an instruction", 0, read80 + clear80 + "\x6a\x03\x59" + read80 + "\xff\xc9\x75\xf5", []string{"supervisor read of 0x80000"}},
		{"the same page with PCIDs, CR3 loaded without a flush", mmu.CR4PCIDE, read200 + noFlush + read200, []string{
			"memory says: 0x401000", "no store changed it: the entry was made under CR3 0x10000", "or INVPCID, or a load of CR3 with bit 63 clear",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := bare(t, test.cr4)
			s := m.CPU.State()
			s.GPR[4] = 0x9000
			m.CPU.SetState(s)
			all := play(t, m, test.code)
			if test.want == nil {
				assert.Empty(t, all)
				return
			}
			require.Len(t, all, 1, "%s", strings.Join(all, "\n"))
			for _, part := range test.want {
				assert.Contains(t, all[0], part)
			}
		})
	}
}

// Of an entry from before the watch nothing is made up: what the tables said when
// it was made is not known, but a store that is seen later is told.
func TestEntriesFromBeforeTheWatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		before int // instructions that run unwatched
		code   string
		want   string
	}{
		{"changed before", 2, read80 + clear80 + read80, "what the tables said when the entry was made is not known"},
		{"changed after, unused in between", 1, read80 + clear80 + read80, "what the tables said when the entry was made is not known"},
		{"used, then changed", 1, read80 + read80 + clear80 + read80, "PTE 128 at 0x13400 was 0x300123, is 0x0: written at 0008:800e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := bare(t, 0)
			m.Mem.WriteBytes(0x8000, []byte(c.code+"\xf4"))
			_, err := m.Run(context.Background(), uint64(c.before))
			require.NoError(t, err)
			all := watched(t, m)
			require.Len(t, all, 1)
			assert.Contains(t, all[0], "0x300000, supervisor rwx, from before the watch began")
			assert.Contains(t, all[0], c.want)
			assert.NotContains(t, all[0], "no store changed it")
		})
	}
}
