package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBack(t *testing.T) {
	// mov byte [0x600],5; mov byte [0x600],7; l: jmp l
	writes := file(t, "writes", sector("\xc6\x06\x00\x06\x05\xc6\x06\x00\x06\x07\xeb\xfe"))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   []string // parts of the output, in order
	}{
		{"last write", []string{writes, "--board", "bare", "--at", "1000", "--last-write", "0x600"}, 0,
			[]string{"from tick 1000 (tick reached)", "to tick 1: write to 0x600", "next 0x7c05: c606000607  mov", "bytes  05", "become 07", "eip 00007c05"}},
		{"last write but one", []string{writes, "--board", "bare", "--at", "1000", "--last-write", "0x600", "--times", "2", "--physical"}, 0,
			[]string{"to tick 0: write to physical 0x600", "bytes  00", "become 05"}},
		{"never written", []string{writes, "--board", "bare", "--at", "1000", "--last-write", "0x700,16"}, 1, nil},
		{"steps", []string{writes, "--board", "bare", "--at", "1000", "--steps", "998"}, 0, []string{"to tick 2", "next 0x7c0a: ebfe"}},
		{"to the beginning", []string{writes, "--board", "bare", "--at", "5", "--steps", "9"}, 0, []string{"to tick 0: steps back, to the beginning"}},
		{"last run", []string{writes, "--board", "bare", "--at", "1000", "--last-run", "0x7c05"}, 0, []string{"to tick 1: instruction at 0x7c05"}},
		{"fault start", []string{"unmapped-handler-32", "--fault-start"}, 0,
			[]string{"from tick 235045 (exited)", "to tick 203342", "next 0x40000005", "raises #PF", "CR2=0x40001000", "cpl 3"}},
		{"no fault", []string{"hello-32", "--fault-start"}, 1, nil},
		{"the delivery that failed", []string{"df-no-gate-32", "--last-event", "DF"}, 0, []string{"(shutdown)", "raises #PF", "then   #DF", "then   shutdown"}},
		{"an event by its error code", []string{"unmapped-handler-32", "--last-event", "PF", "--code", "6", "--cr2", "0x40000000-0x40ffffff"}, 0,
			[]string{"to tick 203342"}},
		{"page-table entry", []string{"unmapped-handler-32", "--at", "203342", "--last-change", "0x40001000"}, 0,
			[]string{"to tick 90851: change of a page-table entry of 0x40001000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", append([]string{"back"}, c.args...)...)
			assert.Equal(t, c.status, status, errs)
			for _, part := range c.want {
				before, after, found := strings.Cut(out, part)
				assert.True(t, found, "%q in %q", part, out)
				if found {
					out = after
				} else {
					out = before
				}
			}
			if c.status == 1 {
				assert.Equal(t, 1, strings.Count(errs, "\n"))
			}
		})
	}
}

func TestBackRefuses(t *testing.T) {
	image := file(t, "image", sector(exit0))
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "needs one of"},
		{[]string{"--steps", "1", "--fault-start"}, "needs one of"},
		{[]string{"--steps", "1", "--physical"}, "--physical belongs to --last-write"},
		{[]string{"--last-write", "there"}, "no symbol of that name"},
		{[]string{"--last-write", "0x600,0"}, "BYTES must be"},
		{[]string{"--last-write", "0x1122334455667788"}, "an address has 32 bits"},
		{[]string{"--last-change", "0x1000"}, "paging is off"},
		{[]string{"--last-event", "XX"}, "must be an exception"},
		{[]string{"--last-event", "PF", "--code", "x"}, "CODE/MASK"},
		{[]string{"--last-event", "PF", "--cr2", "9-1"}, "ends before it begins"},
		{[]string{"--last-change", "0x1000", "--cr3", "zz"}, `--cr3 address "zz": must be a number`},
		{[]string{"--last-write="}, "--last-write must not be empty"},
	} {
		status, out, errs := cli(t, "", append([]string{"back", image}, c.args...)...)
		assert.Equal(t, statusBadUsage, status, c.args)
		assert.Empty(t, out)
		assert.Contains(t, errs, c.want)
		assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
}
