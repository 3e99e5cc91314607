package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReportStaleTLB(t *testing.T) {
	status, out, errs := cli(t, "", "run", "missing-invlpg-32", "--report-stale-tlb")
	assert.Zero(t, status)
	_, plain, _ := cli(t, "", "run", "missing-invlpg-32")
	assert.Equal(t, plain, out)
	assert.Equal(t, 5, strings.Count(errs, "x86emu: stale TLB entry used: "))
	assert.Contains(t, errs, "x86emu: uses of stale TLB entries: 5\n")

	_, _, errs = cli(t, "", "run", "demand-paging-32", "--report-stale-tlb")
	assert.Equal(t, "x86emu: uses of stale TLB entries: 0\n", errs)

	status, out, errs = cli(t, "", "explain", "missing-invlpg-32", "--report-stale-tlb")
	assert.Zero(t, status)
	assert.Equal(t, 5, strings.Count(out, ": stale TLB entry used: "))
	assert.Equal(t, "x86emu: uses of stale TLB entries: 5\n", errs)

	status, out, errs = cli(t, "", "explain", "missing-invlpg-32", "--report-stale-tlb", "--json", "--last")
	assert.Zero(t, status)
	assert.Equal(t, 1, strings.Count(out, "\n"))
	assert.Equal(t, 5, strings.Count(out, `"missing":"INVLPG of `))
	assert.Equal(t, "x86emu: uses of stale TLB entries: 5\n", errs)

	for _, command := range []string{"run", "explain"} {
		status, _, errs = cli(t, "", command, "missing-invlpg-32", "--report-stale-tlb", "--tlb", "off")
		assert.Equal(t, 2, status)
		assert.Equal(t, "x86emu: --report-stale-tlb: with --tlb off there is no TLB\n", errs)
	}
}
