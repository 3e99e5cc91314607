package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The experiment by the command line: the table, the rows, the picture, and not
// a word on a standard error that is no terminal.
func TestExperiment(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode: hundreds of runs")
	}
	dir := t.TempDir()
	rows, picture := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "chance.svg")
	status, out, errs := cli(t, "", "experiment", "by-accident", "--runs", "1", "--jobs", "3", "--csv", rows, "--plot", picture)
	assert.Zero(t, status)
	assert.Empty(t, errs)
	assert.Contains(t, out, "in per cent of 1 runs for each number; seed 1.")
	assert.Contains(t, out, "\n  64 bits, modules ")
	got, err := os.ReadFile(rows)
	require.NoError(t, err)
	want, err := os.ReadFile("../../guest/experiment/testdata/once.csv")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	svg, err := os.ReadFile(picture)
	require.NoError(t, err)
	assert.Contains(t, string(svg), "</svg>")

	_, again, _ := cli(t, "", "experiment", "by-accident", "--runs=1", "--csv=stdio", "--jobs=1")
	assert.Equal(t, string(want), again, "the rows alone")
}

func TestExperimentErrorsAreOneLine(t *testing.T) {
	dir := t.TempDir()
	same := filepath.Join(dir, "same.svg")
	precious := file(t, "precious.svg", "precious")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no name", nil, "experiment needs a NAME"},
		{"no such experiment", []string{"by-chance"}, `no experiment "by-chance"`},
		{"an argument", []string{"by-accident", "x"}, `takes no argument: "x"`},
		{"no runs", []string{"by-accident", "--runs", "0"}, `--runs "0": must be a number from 1 to 5000`},
		{"too many runs", []string{"by-accident", "--runs", "5001"}, "from 1 to 5000"},
		{"runs in words", []string{"by-accident", "--runs", "many"}, "from 1 to 5000"},
		{"no jobs", []string{"by-accident", "--jobs", "0"}, "from 1 to 1024"},
		{"seed", []string{"by-accident", "--seed", "-1"}, `--seed "-1": must be a whole number`},
		{"plot of another kind", []string{"by-accident", "--plot", "x.gif"}, "must end in .svg or .png"},
		{"plot without a name", []string{"by-accident", "--plot", ""}, "must end in .svg or .png"},
		{"plot into nowhere", []string{"by-accident", "--plot", filepath.Join(dir, "a", "b.svg")}, "--plot"},
		{"rows into nowhere", []string{"by-accident", "--plot", precious, "--csv", filepath.Join(dir, "a", "b")}, "--csv"},
		{"a folder for rows", []string{"by-accident", "--csv", dir}, "--csv"},
		{"one file for both", []string{"by-accident", "--csv", same, "--plot", same}, "name the same file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", append([]string{"experiment"}, c.args...)...)
			assert.Equal(t, statusBadUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, errs, c.want)
			assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
		})
	}
	got, err := os.ReadFile(precious)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(got), "a wrong word costs nobody a file")
}

// Standard error gets a progress bar if it is a terminal, nothing otherwise.
func TestProgressIsForTerminals(t *testing.T) {
	step, done := progressOn(new(bytes.Buffer), 3)
	assert.Nil(t, step)
	done()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	defer f.Close()
	step, done = progressOn(f, 3)
	assert.Nil(t, step)
	done()
}
