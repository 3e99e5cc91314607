package audit_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/audit"
	"x86emu/debug/tables"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// at is a built-in kernel at a tick. The kernels' memory is mapped to itself.
func at(t testing.TB, name string, tick uint64) *tables.Moment {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{RAM: 8 << 20}, guest.Options{})
	require.NoError(t, err)
	_, err = m.Run(context.Background(), tick)
	require.NoError(t, err)
	return tables.At(m)
}

const (
	soon     = 190_000 // the module has taken over vector 14, the process has not faulted yet
	master   = 0x200000
	process  = 0x202000
	process4 = 0x205000 // of the 64-bit kernel
)

// Each way in which an event can end, with what is said of it.
func TestWays(t *testing.T) {
	gate := func(o *tables.Moment, v uint64) mmu.Phys {
		size := uint64(8)
		if o.State.EFER&mmu.EFERLMA != 0 {
			size = 16
		}
		return mmu.Phys(o.State.IDTR.Base + v*size)
	}
	tests := []struct {
		name    string
		kernel  string
		damage  func(o *tables.Moment)
		cr3     uint64
		from    audit.From
		vector  idt.Vector
		words   string
		missing string
	}{
		{"its handler begins", "unmapped-handler-32", nil, master, audit.User, idt.VecPF, "fine", ""},
		{"handler missing in the process", "unmapped-handler-32", nil, process, audit.User, idt.VecPF,
			"recursion, then #DF after 255 frames", "supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84"},
		{"the same in 64 bits", "unmapped-handler-64", nil, process4, audit.User, idt.VecPF,
			"recursion, then #DF after 85 frames", "supervisor fetch of 0xffffc98000000000: P=0 in PML4E 403 = 0x0 at 0x205c98"},
		{"INT3 by the user through a gate of DPL 0", "unmapped-handler-32", nil, master, audit.User, idt.VecBP,
			"#GP in its place", "gate #BP at 0x104038 = 0x108e0000080050, not so: gate DPL is not below the CPL of a software interrupt"},
		{"interrupt beyond the IDT", "unmapped-handler-32", nil, master, audit.User, 0xff,
			"#GP in its place", "not so: gate is within the IDT limit"},
		{"another handler missing: a page fault comes instead, whose handler begins", "unmapped-handler-32",
			func(o *tables.Moment) { o.Mem.Write(gate(o, 6)+6, 2, 0xffc0) }, master, audit.User, idt.VecUD,
			"after 1 frame, #PF", "supervisor fetch of 0xffc00080: P=0 in PDE 1023"},
		{"no stack: double fault at once", "unmapped-handler-32",
			func(o *tables.Moment) { o.Mem.Write(mmu.Phys(o.State.TR.Base)+4, 4, 0x3c1000) }, master, audit.User, idt.VecPF,
			"#DF at once", "supervisor write of 0x3c0ffc: P=0 in PTE 960"},
		{"nor a gate for it: shutdown", "unmapped-handler-32",
			func(o *tables.Moment) {
				o.Mem.Write(mmu.Phys(o.State.TR.Base)+4, 4, 0x3c1000)
				o.Mem.Write(gate(o, 8)+5, 1, 0x05)
			}, master, audit.User, idt.VecPF,
			"triple fault at once", "supervisor write of 0x3c0ffc: P=0 in PTE 960"},
		{"the TSS of the double fault not present: shutdown after the recursion", "unmapped-handler-32",
			func(o *tables.Moment) { o.Mem.Write(mmu.Phys(o.State.GDTR.Base)+0x38+5, 1, 0x09) }, process, audit.User, idt.VecPF,
			"triple fault after 255 frames", "supervisor fetch of 0xf8400000: P=0 in PDE 993"},
		{"an interrupt stack for page faults: for ever", "unmapped-handler-64",
			func(o *tables.Moment) { o.Mem.Write(gate(o, 14)+4, 1, 1) }, process4, audit.User, idt.VecPF,
			"endless: the same state with every delivery (#PF x1)", "supervisor fetch of 0xffffc98000000000"},
		{"a double fault of its own accord", "unmapped-handler-32", nil, master, audit.User, idt.VecDF, "fine", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := at(t, test.kernel, soon)
			if test.damage != nil {
				test.damage(o)
			}
			state, mem := o.State, o.Mem.Fork()
			a, err := audit.Ask(o, audit.Question{Event: audit.EventOf(test.vector), CR3: test.cr3, From: test.from})
			require.NoError(t, err)
			assert.Equal(t, test.words, a.Words())
			assert.Contains(t, a.Missing, test.missing)
			assert.Equal(t, test.missing == "", a.Missing == "")
			assert.Equal(t, state, o.State)
			assert.True(t, mem.Equal(o.Mem), "the guest is as it was")
		})
	}
}

func TestLimit(t *testing.T) {
	o := at(t, "unmapped-handler-32", soon)
	a, err := audit.Ask(o, audit.Question{Event: audit.EventOf(idt.VecPF), CR3: process, From: audit.User, Limit: 100})
	require.NoError(t, err)
	assert.Equal(t, audit.TooLong, a.Verdict)
	assert.Equal(t, "no end within 100 deliveries", a.Words())
}

func TestReport(t *testing.T) {
	o := at(t, "unmapped-handler-32", soon)
	s := audit.Report(o, process, audit.Events(), []audit.From{audit.User}, 0)
	assert.True(t, s.Bad())
	var b strings.Builder
	require.NoError(t, s.WriteText(&b))
	assert.Equal(t, strings.TrimPrefix(`
CR3 0x202000
  from user mode:
  ! #PF: recursion, then #DF after 255 frames
      missing: supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84
        1. #PF -> 0008:f8400000, stack TSS, 0x3c2000
           supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84
        2. #PF -> 0008:f8400000, stack current, 0x3c1fe8
           supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84
      ... 253 more
      256. #PF
           supervisor write of 0x3c0ffc: P=0 in PTE 960 = 0x0 at 0x201f00 -> #PF -> #DF -> task at 0008:100ce2
    #BP, #OF, 0x20 to 0x7f, 0x81 to 0xff: #GP in its place
    #DE to NMI, #BR to #GP, 0x0f to 0x1f, 0x80: fine
`, "\n"), b.String())

	b.Reset()
	require.NoError(t, s.WriteJSON(&b))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 256)
	for _, l := range lines {
		require.NoError(t, json.Unmarshal([]byte(l), new(map[string]any)))
	}
	assert.Equal(t, `{"cr3":"0x202000","from":"user","vector":14,"verdict":"recursion","words":"recursion, then #DF after 255 frames","frames":255,"deliveries":256,"begins":"#DF","missing":"supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84"}`, lines[14])

	s = audit.Report(o, master, audit.Events(), []audit.From{audit.User}, 0)
	assert.False(t, s.Bad())
}
