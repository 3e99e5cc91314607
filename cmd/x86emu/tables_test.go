package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the commands on tables say of the kernel of the first seed.
func TestTables(t *testing.T) {
	tests := []struct {
		args string
		want []string
	}{
		{"pages unmapped-handler-32", []string{
			"at tick 235045 (exited), CR3 0x200000, 32-bit paging",
			"0x003c0000-0x003c0fff     4K  hole: PTE 960 = 0x0 at 0x201f00",
			"0xf8400000-0xf8400fff     4K  srwx -AD 4K -> 0x20d000",
		}},
		{"pages unmapped-handler-64 --cr3 0x205000", []string{"0x0000800000000000-0xffff7fffffffffff  16.0E  not canonical"}},
		{"pages unmapped-handler-32 --spaces", []string{
			"CR3 0x200000, first loaded at tick 56818, current\nCR3 0x202000, first loaded at tick 165667\nCR3 0x205000, first",
		}},
		{"pages unmapped-handler-32 --frame 0x20d000", []string{"mapped at 2 addresses", "0x0020d000 srwx 4K", "0xf8400000 srwx 4K"}},
		{"pages unmapped-handler-32 --aliases", []string{"physical 0x20f000-0x20ffff     4K  mapped 2 times: 0x0020f000 srwx 0x003d0000 urwx"}},
		{"pages unmapped-handler-32 --self", []string{"table of PDEs at 0x200000, for 0x00000000 on, is mapped at 0x00200000 srwx"}},
		{"pages unmapped-handler-32 --range 0xf8400000-0xf8400fff --holes=false --merge", []string{"paging\n0xf8400000-0xf8400fff"}},
		// The question of the seed: what does the process lack of the master?
		{"pages diff unmapped-handler-32 --cr3 0x200000 --with 0x202000", []string{
			"0xf8400000-0xf8400fff     4K  only A\n    A: srwx -AD 4K -> 0x20d000\n    B: hole: PDE 993 = 0x0 at 0x202f84\n",
		}},
		{"pages diff unmapped-handler-32 --at 60000 --and 200000", []string{
			"0xf8000000-0xf8000fff     4K  only B\n    A: hole: PDE 992 = 0x0 at 0x200f80\n    B: srwx -AD 4K -> 0x20b000\n",
		}},
		{"idt unmapped-handler-32 --cr3 0x202000", []string{
			"! #PF once entered: supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0 at 0x202f84", "0x20-0x7f  empty", "0x81-0xff  beyond the limit",
		}},
		{"gdt unmapped-handler-64", []string{"0x0008  64-bit code, DPL 0  <- CS", "0x0038  64-bit busy TSS, DPL 0, base 0x108840, limit 0x67  <- TR"}},
		{"tss unmapped-handler-64", []string{"+0x24  IST1         0x0000000000108830"}},
		{"tss unmapped-handler-32 --sel 0x38 --at 200000", []string{"+0x1c  CR3          0x00200000"}},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			status, out, errs := cli(t, "", strings.Fields(test.args)...)
			assert.Zero(t, status, errs)
			for _, want := range test.want {
				assert.Contains(t, out, want)
			}
		})
	}
}

func TestPagesJSON(t *testing.T) {
	status, out, _ := cli(t, "", "pages", "unmapped-handler-32", "--json")
	assert.Zero(t, status)
	for line := range strings.Lines(out) {
		require.NoError(t, json.Unmarshal([]byte(line), new(map[string]any)))
	}
	assert.Contains(t, out, `{"kind":"mapped","first":"0xf8400000","last":"0xf8400fff","phys":"0x20d000","write":true,"exec":true,"accessed":true,"dirty":true,"page_size":4096,"entry":"PTE 0","at":"0x20e000","raw":"0x20d063","entries":1}`)
}

func TestBadTables(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"pages", "pages needs an IMAGE"},
		{"pages diff", "needs an IMAGE"},
		{"pages diff hello-32", "needs --with, --and, or both"},
		{"pages hello-32", "paging is off"},
		{"pages hello-32 --cr3 0x1000", "paging is off"},
		{"pages unmapped-handler-32 --cr3 here", "such as 0x100000"},
		{"pages unmapped-handler-32 --cr3 0x100000000", "with 32-bit paging it has 32 bits"},
		{"pages unmapped-handler-64 --cr3 0x10000000000", "a physical address has 40 bits here"},
		{"pages unmapped-handler-64 --cr3 0xf0000000", "there is no memory at 0xf0000000"},
		{"pages unmapped-handler-64 --range 0x800000000000-0x900000000000", "not canonical"},
		{"pages unmapped-handler-32 --range 0-0x100000000", "has 32 bits"},
		{"pages unmapped-handler-32 --range 5-3", "ends before it begins"},
		{"pages unmapped-handler-32 --frame x", "--frame"},
		{"pages unmapped-handler-32 --frame 0 --self", "none of the others can be"},
		{"pages diff unmapped-handler-32 --at 200000 --and 100000", "the guest is at tick 200000 already"},
		{"pages diff unmapped-handler-64 --at 10 --and 200000", "at tick 10 paging is off"},
		{"idt hello-16", "real mode: there is no IDT"},
		{"gdt hello-16", "real mode"},
		{"gdt unmapped-handler-32 --ldt", "there is no LDT"},
		{"tss hello-16", "TR is null"},
		{"tss unmapped-handler-32 --sel 8", "names no TSS but 32-bit code"},
		{"tss unmapped-handler-32 --sel 0x1000", "beyond the table's limit"},
		{"tss unmapped-handler-32 --sel 0x10000", "must be a selector"},
	} {
		status, _, errs := cli(t, "", strings.Fields(c.args)...)
		assert.Equal(t, 2, status, c.args)
		assert.Contains(t, errs, c.want, c.args)
		assert.Equal(t, 1, strings.Count(errs, "\n"), c.args)
	}
}
