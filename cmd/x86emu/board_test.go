package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
)

func TestBoardIsListed(t *testing.T) {
	for _, c := range []struct {
		args       []string
		has, lacks string
	}{
		{nil, "pit", "?"},
		{[]string{"--board", "pc"}, "8254 timer", "?"},
		{[]string{"--board", "bare"}, "16550A", "pit"},
	} {
		args := append([]string{"board"}, c.args...)
		status, out, errs := cli(t, "", args...)
		require.Zero(t, status, errs)
		assert.Contains(t, out, c.has)
		assert.NotContains(t, out, c.lacks)
		_, lines, _ := cli(t, "", append(args, "--json")...)
		for line := range strings.Lines(lines) {
			var p debug.BoardPart
			require.NoError(t, json.Unmarshal([]byte(line), &p), line)
			assert.Contains(t, out, p.Name)
		}
	}
}

// The guest finds the board's devices and no other, in the run of a snapshot too.
func TestRunOnABoard(t *testing.T) {
	image := file(t, "image", multiboot("\xe4\x61\xe6\xf4")) // in al,0x61
	for _, c := range []struct {
		board  string
		status int
	}{{"pc", 0}, {"bare", 255}} {
		snap := file(t, "snap", "")
		status, _, errs := cli(t, "", "run", image, "--board", c.board, "--at", "1", "--save", snap)
		require.Zero(t, status, errs)
		for _, args := range [][]string{{"run", image, "--board", c.board}, {"run", snap}} {
			status, _, _ = cli(t, "", args...)
			assert.Equal(t, c.status, status, args)
		}
		status, _, errs = cli(t, "", "run", snap, "--board", c.board)
		assert.Equal(t, statusBadUsage, status)
		assert.Contains(t, errs, "--board is as it was saved")
	}
}

// What nothing answers is told at the end, once for neighbours, and only when asked for.
func TestReportUnclaimed(t *testing.T) {
	// in al,0xe0; in al,0xe1; mov ax,0xd000; mov ds,ax; out 0xe2,al; mov dx,0x300; out dx,al; mov al,0; out 0xf4,al
	const code = "\xe4\xe0\xe4\xe1\xb8\x00\xd0\x8e\xd8\xe6\xe2\xba\x00\x03\xee" + exit0
	image := file(t, "image", sector(code))
	for _, c := range []struct {
		args []string
		errs string
	}{
		{nil, ""},
		{[]string{"--report-unclaimed"}, "x86emu: nothing answers at port 0xe0-0xe2: 2 reads, 1 write; first at tick 0 by 0x0:0x7c00\n" +
			"x86emu: nothing answers at port 0x300: 1 write; first at tick 6 by 0x0:0x7c0e\n"},
	} {
		status, _, errs := cli(t, "", append([]string{"run", image, "--board", "bare"}, c.args...)...)
		assert.Zero(t, status)
		assert.Equal(t, c.errs, errs)
	}
	status, _, errs := cli(t, "", "run", image, "--report-unclaimed", "--gdb", "1234")
	assert.Equal(t, statusBadUsage, status)
	assert.Contains(t, errs, "exclude each other")
	assert.Equal(t, 1, strings.Count(errs, "\n"))
}

// COM2 goes where --serial2 says; standard input goes to it where COM1 does not take it.
func TestSerial2(t *testing.T) {
	const (
		send = "\xba\xf8\x03\xb0\x61\xee\xba\xf8\x02\xb0\x62\xee" // "a" on COM1, "b" on COM2
		echo = "\xba\xfd\x02\xec\xa8\x01\x74\xfb\xba\xf8\x02\xec\xee\x3c\x2e\x75\xef"
	)
	image := file(t, "image", sector(send+echo+exit0))
	com1, com2 := file(t, "com1", ""), file(t, "com2", "")
	for _, c := range []struct {
		args            []string
		out, one, other string
	}{
		{[]string{"run", image, "--serial", "null", "--serial2", "stdio"}, "bxy.", "", ""},
		{[]string{"run", image, "--serial", com1, "--serial2", "stdio"}, "bxy.", "a", ""},
		{[]string{"qemu", "-hda", image, "-display", "none", "-serial", "file:" + com1, "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4"}, "bxy.", "a", ""},
		{[]string{"run", image, "--serial2", com2, "--budget", "10000"}, "a", "", "b"},
		{[]string{"run", image, "--budget", "10000"}, "a", "", ""},
	} {
		for _, name := range []string{com1, com2} {
			require.NoError(t, os.Truncate(name, 0))
		}
		_, out, errs := cli(t, "xy.", c.args...)
		assert.Equal(t, c.out, out, "%q: %s", c.args, errs)
		for name, want := range map[string]string{com1: c.one, com2: c.other} {
			got, err := os.ReadFile(name)
			require.NoError(t, err)
			assert.Equal(t, want, string(got), c.args)
		}
	}
}
