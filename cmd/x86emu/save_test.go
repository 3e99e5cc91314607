package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A run that is saved and gone on with says and does what one at a stretch does;
// every command takes the snapshot for an image.
func TestSave(t *testing.T) {
	const kernel = "cow-fork-64"
	_, whole, _ := cli(t, "", "run", kernel)
	snap := filepath.Join(t.TempDir(), "snap")

	status, first, errs := cli(t, "", "run", kernel, "--at", "200000", "--save", snap)
	require.Zero(t, status, errs)
	assert.Empty(t, errs)
	halfway := filepath.Join(t.TempDir(), "halfway")
	require.NoError(t, os.Link(snap, halfway))
	status, rest, errs := cli(t, "", "run", snap)
	require.Zero(t, status, errs)
	assert.Equal(t, whole, first+rest)
	assert.NotEmpty(t, first)
	assert.NotEmpty(t, rest)

	// On to another tick, in the same place; nothing is left beside it.
	status, more, errs := cli(t, "", "run", snap, "--at", "250000", "--save", snap)
	require.Zero(t, status, errs)
	_, rest, _ = cli(t, "", "run", snap)
	assert.Equal(t, whole, first+more+rest)
	left, err := os.ReadDir(filepath.Dir(snap))
	require.NoError(t, err)
	assert.Len(t, left, 1)

	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"back", snap, "--at", "260000", "--steps", "5000"}, "to tick 255000"},
		{[]string{"back", snap, "--at", "260000", "--steps", "500000"}, "to tick 250000"},
		{[]string{"trace", snap, "--count", "1"}, "250000 "},
		{[]string{"pages", snap, "--at", "250000"}, "at tick 250000"},
		{[]string{"walk", snap, "0x100000"}, "physical 0x100000"},
		{[]string{"walk", snap, "0x100000", "--at", "250001"}, "at tick 250001"},
		{[]string{"explain", halfway, "--last"}, "interrupt"},
		{[]string{"audit", snap}, "at tick 271944"},
	} {
		status, out, errs := cli(t, "", c.args...)
		assert.Zero(t, status, errs)
		assert.Contains(t, out, c.want, c.args)
	}
}

// The snapshot of a run that ended by itself, and what is told of it.
func TestSaveAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		name, image string
		args        []string
		status      int
		errs        string
	}{
		{"exit", exit5, nil, 11, ""},
		{"exit before --at", exit5, []string{"--at", "1000"}, 11, "x86emu: the snapshot is of tick 2: the run ended before --at 1000\n"},
		{"halt", halt, nil, 120, "x86emu: halted"},
		{"budget", forever, []string{"--budget", "100"}, 124, "x86emu: budget spent"},
		{"budget before --at", forever, []string{"--budget", "100", "--at", "101"}, 124, "x86emu: the snapshot is of tick 100"},
		{"--at before the budget", forever, []string{"--budget", "100", "--at", "99"}, 0, ""},
		{"--at now", forever, []string{"--at", "0"}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			snap := file(t, "snap", "")
			status, _, errs := cli(t, "", append([]string{"run", file(t, "image", sector(c.image)), "--board", "bare", "--save", snap}, c.args...)...)
			assert.Equal(t, c.status, status)
			assert.True(t, strings.HasPrefix(errs, c.errs), errs)
			assert.Equal(t, c.errs == "", errs == "")
			status, _, errs = cli(t, "", "run", snap, "--budget", "100")
			assert.NotEqual(t, statusBadUsage, status, errs)
		})
	}
}

// Input that comes to the snapshot's run is read from its beginning.
func TestSaveInTheMidstOfInput(t *testing.T) {
	const echo = "\xba\xfd\x03" + "\xec\xa8\x01\x74\xfb" + "\xba\xf8\x03\xec\xee\x3c\x2e" + "\xba\xfd\x03\x75\xef\xf4"
	snap := file(t, "snap", "")
	status, out, errs := cli(t, "abcdefgh", "run", file(t, "image", sector(echo)), "--board", "bare", "--at", "3000", "--save", snap)
	require.Zero(t, status, errs)
	assert.Equal(t, "ab", out)
	_, out, _ = cli(t, "123.", "run", snap)
	assert.Equal(t, "123.", out)
}

func TestSaveErrors(t *testing.T) {
	image := file(t, "image", sector(forever))
	snap := file(t, "snap", "")
	status, _, errs := cli(t, "", "run", image, "--board", "bare", "--at", "100", "--save", snap)
	require.Zero(t, status, errs)
	before, err := os.ReadFile(snap)
	require.NoError(t, err)
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"over the image", []string{"run", image, "--save", image, "--at", "1"}, "is no snapshot: it is not overwritten"},
		{"over a folder", []string{"run", image, "--save", dir, "--at", "1"}, "directory"},
		{"over a device", []string{"run", image, "--save", os.DevNull, "--at", "1"}, "is no snapshot"},
		{"into nowhere", []string{"run", image, "--save", filepath.Join(dir, "a", "b"), "--at", "1"}, "no such file"},
		{"no name", []string{"run", image, "--save", "", "--at", "1"}, "--save needs the name of a file"},
		{"when, and not where", []string{"run", image, "--at", "1"}, "--at needs --save"},
		{"in the past", []string{"run", snap, "--save", snap, "--at", "99"}, "--at 99: the guest is at tick 100 already"},
		{"another processor", []string{"run", snap, "--cpu", "386"}, snap + " is a snapshot: --cpu is as it was saved"},
		{"more memory", []string{"run", snap, "-m", "128M"}, "--memory is as it was saved"},
		{"a command line", []string{"trace", snap, "--append", "x"}, "--append is as it was saved"},
		{"damaged", []string{"run", file(t, "damaged", string(before[:len(before)-1])+"x")}, "snapshot: the file is damaged"},
		{"truncated", []string{"run", file(t, "truncated", string(before[:100]))}, "snapshot: the file is truncated"},
		{"as a kernel", []string{"qemu", "-kernel", snap}, "a snapshot of a machine, and no image"},
		{"as code", []string{"dis", snap}, snap + ": a snapshot of a machine, and no image"},
		{"as symbols", []string{"explain", snap, "--symbols", snap}, "not an ELF file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", c.args...)
			assert.NotZero(t, status)
			assert.Empty(t, out)
			assert.Contains(t, errs, c.want)
			assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
		})
	}
	after, err := os.ReadFile(snap)
	require.NoError(t, err)
	assert.Equal(t, before, after, "a wrong word costs nobody a file")
	left, err := os.ReadDir(filepath.Dir(snap))
	require.NoError(t, err)
	assert.Len(t, left, 1)
}
