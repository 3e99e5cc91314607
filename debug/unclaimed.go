package debug

import (
	"fmt"

	"x86emu/machine"
)

// UnclaimedLines tells of the accesses that nothing answered: a line for each run
// of ports or addresses, with the first instruction that made one.
func UnclaimedLines(u *machine.Unclaimed) (lines []string) {
	for _, kind := range []struct {
		name  string
		other string
		gaps  machine.Gaps
	}{{"port", "ports", u.Ports}, {"memory", "addresses", u.Mem}} {
		for _, g := range kind.gaps.List {
			var accesses string
			switch {
			case g.Writes == 0:
				accesses = plural(g.Reads, "read")
			case g.Reads == 0:
				accesses = plural(g.Writes, "write")
			default:
				accesses = plural(g.Reads, "read") + ", " + plural(g.Writes, "write")
			}
			lines = append(lines, fmt.Sprintf("nothing answers at %s %s: %s; first at tick %d by 0x%x:0x%x",
				kind.name, interval{g.First, g.Last}, accesses, g.Tick, g.CS, g.RIP))
		}
		if n := kind.gaps.More; n > 0 {
			lines = append(lines, fmt.Sprintf("nothing answers at yet other %s: %s", kind.other, plural(n, "access")))
		}
	}
	return lines
}
