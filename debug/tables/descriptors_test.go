package tables

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// ended holds kernels that have been run.
var ended = map[string]*machine.Machine{}

// ran is the moment at which a built-in kernel has ended.
func ran(t *testing.T, name string) *Moment {
	t.Helper()
	if m := ended[name]; m != nil {
		return At(m)
	}
	m, err := guest.Boot(name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	_, err = m.Run(context.Background(), 20_000_000)
	require.NoError(t, err)
	ended[name] = m
	return At(m)
}

// fix is a write to memory: the kernels' own memory is mapped to itself.
type fix struct {
	at   func(o *Moment) uint64
	size uint
	v    uint64
}

// made is a kernel's tables at its end, with the fix.
func (f fix) made(t *testing.T, kernel string) *View {
	t.Helper()
	o := ran(t, kernel)
	if f.at != nil {
		o.Mem.Write(mmu.Phys(f.at(o)), f.size, f.v)
	}
	v, err := o.View(o.State.CR3)
	require.NoError(t, err)
	return v
}

func gate(n, off uint64) func(*Moment) uint64 {
	return func(o *Moment) uint64 {
		size := uint64(8)
		if o.State.EFER&mmu.EFERLMA != 0 {
			size = 16
		}
		return o.State.IDTR.Base + n*size + off
	}
}
func gdt(off uint64) func(*Moment) uint64 {
	return func(o *Moment) uint64 { return o.State.GDTR.Base + off }
}
func tss(off uint64) func(*Moment) uint64 {
	return func(o *Moment) uint64 { return o.State.TR.Base + off }
}

// What the processor would refuse is told at the entry.
func TestWhatIsWrongWithGates(t *testing.T) {
	tests := []struct {
		name   string
		kernel string
		fix    fix
		vector idt.Vector
		want   string
	}{
		{"present, right, mapped", "user-mode-32", fix{}, 6, ""},
		{"64-bit: present, right, mapped", "user-mode-64", fix{}, 6, ""},
		{"type", "user-mode-32", fix{gate(6, 5), 1, 0x8c}, 6, "#GP(0x32): type 0xc is no interrupt, trap or task gate"},
		{"16-bit gate in IA-32e mode", "user-mode-64", fix{gate(6, 5), 1, 0x86}, 6, "#GP(0x32): a 16-bit gate in IA-32e mode"},
		{"task gate in IA-32e mode", "user-mode-64", fix{gate(6, 5), 1, 0x85}, 6, "#GP(0x32): type 0x5 is no interrupt, trap or task gate"},
		{"not present", "user-mode-32", fix{gate(6, 5), 1, 0x0e}, 6, "#NP(0x32): the gate is not present"},
		{"null selector", "user-mode-32", fix{gate(6, 2), 2, 3}, 6, "#GP(0): the code selector is null"},
		{"beyond the GDT", "user-mode-32", fix{gate(6, 2), 2, 0x1000}, 6, "code 0x1000: #GP(0x1000): beyond the table's limit 0x3f"},
		{"in an LDT that there is not", "user-mode-32", fix{gate(6, 2), 2, 0xc}, 6, "code 0xc: #GP(0xc): there is no LDT"},
		{"data", "user-mode-32", fix{gate(6, 2), 2, 0x10}, 6, "#GP(0x10): not code but 32-bit data"},
		{"code of the user's", "user-mode-32", fix{gate(6, 2), 2, 0x18}, 6, "#GP(0x18) from the kernel: the code segment has DPL 3"},
		{"code not present", "user-mode-32", fix{gdt(8 + 5), 1, 0x1b}, 6, "#NP(0x8): the code segment is not present"},
		{"not 64-bit code", "user-mode-64", fix{gdt(8 + 6), 1, 0xcf}, 6, "#GP(0x8): not 64-bit code"},
		{"beyond the code segment", "user-mode-32", fix{gdt(8 + 6), 1, 0x40}, 6, "#GP(0): the entry 0x100080 is beyond the code segment's limit 0xffff"},
		{"not canonical", "user-mode-64", fix{gate(6, 8), 4, 0x8000}, 6, " is not canonical"},
		{"handler not mapped", "user-mode-32", fix{gate(6, 6), 2, 0xffc0}, 6, "#PF once entered: supervisor fetch of 0xffc00080: P=0 in PDE 1023 = 0x0 at 0x200ffc"},
		{"IST of nothing", "user-mode-64", fix{gate(6, 4), 1, 7}, 6, "IST7 = 0x0: supervisor write of 0xffffffffffffffd0: P=0 in PML4E 511"},
		{"task gate to code", "user-mode-32", fix{gate(6, 5), 1, 0x85}, 6, "#GP(0x8): not a TSS but 32-bit code"},
		{"task gate to the task that runs", "unmapped-handler-32", fix{}, 8, "#GP(0x38): the TSS is busy"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := test.fix.made(t, test.kernel)
			gates, err := v.IDT()
			require.NoError(t, err)
			var notes []string
			for _, n := range gates[test.vector].Wrong {
				notes = append(notes, string(n))
			}
			got := strings.Join(notes, "\n")
			if test.want == "" {
				assert.Empty(t, got)
			}
			assert.Contains(t, got, test.want)
		})
	}
}

func TestWhatIsWrongWithSegments(t *testing.T) {
	tests := []struct {
		name   string
		kernel string
		fix    fix
		sel    uint16
		want   string
	}{
		{"all is well", "user-mode-32", fix{}, 0x28, ""},
		{"not present", "user-mode-32", fix{gdt(0x18 + 5), 1, 0x7b}, 0x18, "not present: #NP, for SS #SS"},
		{"reserved type", "user-mode-32", fix{gdt(0x18 + 5), 1, 0x80}, 0x18, "#GP(0x18): type 0x0 is reserved"},
		{"interrupt gate", "user-mode-32", fix{gdt(0x18 + 5), 1, 0x8e}, 0x18, "#GP(0x18): 32-bit interrupt gate belongs into the IDT"},
		{"L and D", "user-mode-64", fix{gdt(8 + 6), 1, 0xef}, 0x8, "#GP(0x8): L and D are both set"},
		{"second half of a TSS", "user-mode-64", fix{gdt(0x38 + 13), 1, 0x1f}, 0x38, "#GP(0x38): the type field of its second half is not 0"},
		{"changed since it was loaded", "user-mode-32", fix{gdt(0x28 + 7), 1, 0x10}, 0x28, "TR still has base 0x"},
		{"TSS too short", "user-mode-32", fix{gdt(0x28), 2, 0x20}, 0x28, "#TS(0x28): the limit 0x20 does not hold a whole TSS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := test.fix.made(t, test.kernel)
			all, err := v.GDT()
			require.NoError(t, err)
			var notes []string
			for _, e := range all {
				if e.Sel == test.sel {
					for _, n := range e.Wrong {
						notes = append(notes, string(n))
					}
				}
			}
			if test.want == "" {
				assert.Empty(t, notes)
				return
			}
			assert.Contains(t, strings.Join(notes, "\n"), test.want)
			var b strings.Builder
			require.NoError(t, v.WriteSegments(&b, "now", "GDT", v.State.GDTR.Base, uint32(v.State.GDTR.Limit), all))
			assert.Contains(t, b.String(), "! "+test.want)
		})
	}
}

func TestWhatIsWrongWithTSS(t *testing.T) {
	tests := []struct {
		name, kernel string
		fix          fix
		sel          uint16
		want         string
	}{
		{"all is well", "user-mode-32", fix{}, 0, ""},
		{"64-bit: all is well", "user-mode-64", fix{}, 0, ""},
		{"RSP0 not mapped", "user-mode-64", fix{tss(4), 8, 0x7f0000000000}, 0, "#PF or #SS: supervisor write of 0x7effffffffd0: P=0 in PML4E 253"},
		{"IST1 not canonical", "user-mode-64", fix{tss(36), 8, 0x800000001000}, 0, "#PF or #SS: 0x800000000fd0 is not canonical"},
		{"SS0 null", "user-mode-32", fix{tss(8), 2, 0}, 0, "#TS: SS0 is null"},
		{"SS0 of the user's", "user-mode-32", fix{tss(8), 2, 0x23}, 0, "#TS(0x20): RPL 3 and DPL 3 are not level 0"},
		{"SS0 code", "user-mode-32", fix{tss(8), 2, 0x8}, 0, "#TS(0x8): not writable data but 32-bit code"},
		{"ESP0 not mapped", "user-mode-32", fix{tss(4), 4, 0xffc00000}, 0, "#PF: supervisor write of 0xffbfffe8: P=0 in PDE 1022"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := test.fix.made(t, test.kernel)
			x, err := v.TSS(test.sel)
			require.NoError(t, err)
			var b strings.Builder
			require.NoError(t, v.WriteTSS(&b, "now", x))
			if test.want == "" {
				assert.NotContains(t, b.String(), "!")
			} else {
				assert.Contains(t, b.String(), "! "+test.want)
			}
		})
	}
	v, err := ran(t, "hello-16").View(0)
	require.NoError(t, err)
	for name, f := range map[string]func() error{
		"IDT": func() error { _, err := v.IDT(); return err },
		"GDT": func() error { _, err := v.GDT(); return err },
		"LDT": func() error { _, err := v.LDT(); return err },
		"TSS": func() error { _, err := v.TSS(0); return err },
	} {
		assert.Error(t, f(), "real mode has no %s", name)
	}
}
