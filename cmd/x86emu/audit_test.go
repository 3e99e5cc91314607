package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/tables"
	"x86emu/debug/tables/coretest"
	"x86emu/guest"
	"x86emu/machine"
)

func TestAudit(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		want   []string
	}{
		{"audit unmapped-handler-32 --at 190000 --cr3 0x200000", 0, []string{"at tick 190000", "#DE to NMI, #BR to 0x1f, 0x80: fine"}},
		{"audit unmapped-handler-32 --at 190000 --cr3 all --from user --vector PF", 1, []string{
			"CR3 0x200000\n  from user mode:\n    #PF: fine\n", "CR3 0x202000\n  from user mode:\n  ! #PF: recursion, then #DF after 255 frames\n      missing: supervisor fetch of 0xf8400000",
		}},
		{"audit df-unmapped-64 --at 130000 --cr3 0x205000 --from user --vector 14", 1, []string{"endless: the same state with every 85 deliveries (#DF x1, #PF x84)"}},
		{"audit unmapped-handler-32 --at 190000 --cr3 0x202000 --from user --vector PF --limit 10", 1, []string{"no end within 10 deliveries"}},
		{"audit unmapped-handler-32 --at 190000 --vector GP --json --from user", 0, []string{`"from":"user","vector":13,"verdict":"fine"`}},
		{"audit hello-16 --vector 0x21", 0, []string{"0x21: fine"}},
	} {
		status, out, errs := cli(t, "", strings.Fields(c.args)...)
		assert.Equal(t, c.status, status, c.args+errs)
		for _, want := range c.want {
			assert.Contains(t, out, want, c.args)
		}
	}
}

// dump writes a core of a built-in kernel, and gives what its registers are as flags.
func dump(t *testing.T, name string, note bool) (file string, flags []string) {
	t.Helper()
	const ram = 8 << 20
	m, err := guest.Boot(name, machine.Config{RAM: ram}, guest.Options{})
	require.NoError(t, err)
	_, err = m.Run(context.Background(), 190_000)
	require.NoError(t, err)
	o := tables.At(m)
	file = filepath.Join(t.TempDir(), "core")
	require.NoError(t, os.WriteFile(file, coretest.Write(o, coretest.Options{RAM: ram, NoNote: !note}), 0o600))
	table := func(base uint64, limit uint16) string { return fmt.Sprintf("0x%x:0x%x", base, limit) }
	return file, []string{"--idt", table(o.State.IDTR.Base, o.State.IDTR.Limit), "--gdt", table(o.State.GDTR.Base, o.State.GDTR.Limit), "--tr", fmt.Sprintf("0x%x", o.State.TR.Sel)}
}

// A core is asked as the guest itself is, with QEMU's note or by flags.
func TestAuditCore(t *testing.T) {
	for _, c := range []struct{ name, process, want string }{
		{"unmapped-handler-32", "0x202000", "recursion, then #DF after 255 frames\n      missing: supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84"},
		{"unmapped-handler-64", "0x205000", "recursion, then #DF after 85 frames\n      missing: supervisor fetch of 0xffffc98000000000: P=0 in PML4E 403 = 0x0 at 0x205c98"},
	} {
		file, _ := dump(t, c.name, true)
		status, out, errs := cli(t, "", "audit", "--core", file, "--cr3", c.process, "--vector", "PF", "--from", "user")
		assert.Equal(t, 1, status, errs)
		assert.Contains(t, out, c.want)
		_, live, _ := cli(t, "", "audit", c.name, "--at", "190000", "-m", "8")
		_, dead, _ := cli(t, "", "audit", "--core", file)
		_, live, _ = strings.Cut(live, "\n")
		_, dead, _ = strings.Cut(dead, "\n")
		assert.Equal(t, live, dead)

		bare, flags := dump(t, c.name, false)
		status, out, errs = cli(t, "", append([]string{"audit", "--core", bare, "--cr3", c.process, "--vector", "PF"}, flags...)...)
		assert.Equal(t, 1, status, errs)
		assert.Contains(t, out, c.want)
		assert.NotContains(t, out, "from where the processor is")
	}
}

func TestBadAudit(t *testing.T) {
	noted, flags := dump(t, "unmapped-handler-32", true)
	bare, _ := dump(t, "unmapped-handler-32", false)
	whole, err := os.ReadFile(noted)
	require.NoError(t, err)
	cut := file(t, "cut", string(whole[:len(whole)/2]))
	join := func(words string, more ...string) []string { return append(strings.Fields(words), more...) }
	for _, c := range []struct {
		args []string
		want string
	}{
		{join("audit"), "needs an IMAGE"},
		{join("audit hello-32 --core", noted), "not both"},
		{join("audit hello-32 --cr3 all"), "CR3 was never loaded"},
		{join("audit hello-32 --vector XY"), "--vector"},
		{join("audit hello-32 --limit 0"), "must be from 1"},
		{join("audit hello-32 --from here"), "must be now, user or both"},
		{join("audit hello-32 --idt 0:0x7ff"), "it needs --core"},
		{join("audit --core", filepath.Join(t.TempDir(), "none")), "no such file"},
		{join("audit --core", t.TempDir()), "not a file"},
		{join("audit --core", cut), "truncated"},
		{join("audit --core", file(t, "text", "hello")), "truncated core"},
		{join("audit --core", bare), "--cr3 must say"},
		{join("audit --cr3 0x200000 --idt 0:7 --gdt 0:7 --core", bare), "--tr must say"},
		{join("audit --cr3 0x40000000 --core", noted), "there is no memory at 0x40000000"},
		{join("audit --cr3 all --core", noted), "such as 0x100000"},
		{join("audit --tr 0x1000 --core", noted), "beyond the table's limit"},
		{join("audit --idt 0x1000 --core", noted), "must be BASE:LIMIT"},
		{join("audit --idt 0x1000:0x10000 --core", noted), "at most 0xffff"},
		{join("audit --idt 0x100000000:0x7ff --core", noted), "has 32 bits"},
		{join("audit --paging 4 --core", noted), "says how it is paged"},
		{append(join("audit --cr3 0x200000 --paging 3 --core", bare), flags...), "must be 32, pae, 4 or 5"},
		{append(join("audit --cr3 0x200000 --paging 4 --core", bare), append(flags, "--gdt", "0x800000000000:0xff")...), "not canonical"},
	} {
		status, _, errs := cli(t, "", c.args...)
		assert.Equal(t, 2, status, c.args)
		assert.Contains(t, errs, c.want, c.args)
		assert.Equal(t, 1, strings.Count(errs, "\n"), c.args)
	}
}
