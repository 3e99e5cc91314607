package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/machine"
)

// echoKey is code of a boot sector that polls the keyboard, prints each byte in COM1's
// raw form, and ends at Esc: cli (the BIOS would take them); l: in al,0x64; test al,1; jz l; in al,0x60; mov dx,0x3f8; out dx,al; cmp al,1; jne l
const echoKey = "\xfa\xe4\x64\xa8\x01\x74\xfa\xe4\x60\xba\xf8\x03\xee\x3c\x01\x75\xf0" + exit0

func TestKeys(t *testing.T) {
	image := file(t, "image", sector(echoKey))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a text", []string{"run", image, "--keys", "ab<esc>"}, "\x1e\x9e\x30\xb0\x01"},
		{"after a pause", []string{"run", image, "--keys", "<wait 5ms><esc>"}, "\x01"},
		{"another for a built-in kernel", []string{"run", "keyboard-echo-32", "--keys", `no\n`}, "\n> no\n  3 keys went down and came up; 6 bytes, 6 interrupts\n"},
		{"held", []string{"run", "keyboard-echo-32", "--keys", `<left-shift down>no<left-shift up>\n`}, "\n> NO\n"},
	} {
		status, out, errs := cli(t, "", c.args...)
		assert.Zero(t, status, "%s: %s", c.name, errs)
		assert.Contains(t, out, c.want, c.name)
	}
	status, _, errs := cli(t, "", "run", "keyboard-echo-32", "--keys", "")
	assert.Equal(t, machine.Result{Reason: machine.Halted}.Status(), status, "nobody types")
	assert.Contains(t, errs, "halted")
}

// A guest that was saved as it waited for keys takes those of the next run.
func TestKeysOfASnapshot(t *testing.T) {
	saved := file(t, "saved", "")
	status, _, errs := cli(t, "", "run", "keyboard-echo-32", "--keys", "ab", "--save", saved)
	assert.Equal(t, machine.Result{Reason: machine.Halted}.Status(), status, errs)
	status, out, errs := cli(t, "", "run", saved, "--keys", `cd\n`)
	assert.Zero(t, status, errs)
	assert.Contains(t, out, "cd\n  5 keys went down and came up")
}

func TestKeysRefused(t *testing.T) {
	image := file(t, "image", sector(echoKey))
	bare := file(t, "bare", "")
	status, _, _ := cli(t, "", "run", image, "--board", "bare", "--budget", "10", "--save", bare)
	assert.Equal(t, machine.Result{Reason: machine.Budget}.Status(), status)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", image, "--keys", "<nokey>"}, `--keys "<nokey>": <nokey>: no key of this name; there are the characters and 102nd backspace `},
		{[]string{"trace", image, "--keys", "é"}, `--keys "é": no key of a US keyboard gives 'é'`},
		{[]string{"run", image, "--keys", "live"}, "--keys live needs a terminal: standard input is none (--keys TEXT types a text)"},
		{[]string{"run", image, "--keys", "-"}, "--keys live needs a terminal"},
		{[]string{"walk", image, "0", "--keys", "live"}, "--keys live is for run and gdb: walk needs a text, to type the same each time"},
		{[]string{"trace", image, "--keys", "live"}, "--keys live is for run and gdb: trace needs a text"},
		{[]string{"run", image, "--board", "bare", "--keys", "a"}, "--keys: the bare board has no keyboard (--board pc has one)"},
		{[]string{"run", bare, "--keys", "a"}, "--keys: the bare board has no keyboard (--board pc has one)"},
	} {
		status, out, errs := cli(t, "", c.args...)
		assert.Equal(t, statusBadUsage, status, c.args)
		assert.Empty(t, out)
		assert.Contains(t, errs, c.want)
		assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
}

// What is meant for this side does not reach the guest.
func TestQuotedKeys(t *testing.T) {
	for in, want := range map[string]string{
		"abc": "abc", "\x01\x03": "\x03", "\x01\x01": "\x01", "\x01x": "x", "a\x03b": "end", "\x1b[A": "\x1b[A", "\x01": "",
	} {
		var k keyboard
		rest, ended := k.typed([]byte(in))
		if ended {
			rest = []byte("end")
		}
		assert.Equal(t, want, string(rest), "%q", in)
	}
	var k keyboard
	k.typed([]byte("a\x01"))
	rest, ended := k.typed([]byte("\x03"))
	assert.Equal(t, "\x03", string(rest), "the quote holds from read to read")
	assert.False(t, ended)
}
