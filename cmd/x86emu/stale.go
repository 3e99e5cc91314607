package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"x86emu/debug/stale"
	"x86emu/machine"
)

// staleReport tells on stderr which stale TLB entries are used.
type staleReport struct {
	w     io.Writer
	count uint64
}

// maxStale is how many uses are told whole; the rest is counted.
const maxStale = 100

// checkTLB tells whether there is a TLB to be watched.
func checkTLB(m *machine.Machine) error {
	if m.MMU.TLBOff() {
		return fmt.Errorf("--report-stale-tlb: with --tlb off there is no TLB")
	}
	return nil
}

// reportStaleTLB watches a machine that is about to run.
func reportStaleTLB(cmd *cobra.Command, m *machine.Machine) (*staleReport, error) {
	if err := checkTLB(m); err != nil {
		return nil, err
	}
	r := &staleReport{w: cmd.ErrOrStderr()}
	stale.Watch(m, func(u *stale.Use) {
		if r.count++; r.count <= maxStale {
			fmt.Fprintf(r.w, "x86emu: %s\n", u)
		}
	})
	return r, nil
}

// end sums up.
func (r *staleReport) end() {
	if r == nil {
		return
	}
	more := ""
	if r.count > maxStale {
		more = fmt.Sprintf(", %d of them told", maxStale)
	}
	tellStale(r.w, r.count, more)
}

// tellStale sums up on stderr.
func tellStale(w io.Writer, n uint64, more string) {
	fmt.Fprintf(w, "x86emu: uses of stale TLB entries: %d%s\n", n, more)
}
