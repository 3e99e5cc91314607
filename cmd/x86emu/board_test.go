package main

import (
	"encoding/json"
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
	image := file(t, "image", sector("\xe4\x61\xe6\xf4")) // in al,0x61
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
