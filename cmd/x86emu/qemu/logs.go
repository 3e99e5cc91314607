package qemu

import (
	"fmt"
	"slices"
	"strings"
)

// logItem is one of -d's.
type logItem struct {
	name, about string
	kind        logKind
}

type logKind uint8

const (
	logTold   logKind = iota // told in QEMU's layout
	logSilent                // of these QEMU would tell, and there is nothing to tell here
	logAbsent                // cannot be told
)

var logList = []logItem{
	{"int", "interrupts and exceptions, with the registers", logTold},
	{"exec", "each block of code before it runs", logTold},
	{"in_asm", "the code of each block", logAbsent},
	{"cpu", "registers before each block", logAbsent},
	{"fpu", "x87 and SSE registers too", logAbsent},
	{"cpu_reset", "triple faults, and the registers at a reset", logTold},
	{"pcall", "far calls and returns", logAbsent},
	{"mmu", "page-table walks", logAbsent},
	{"guest_errors", "accesses to devices that are wrong", logSilent},
	{"unimp", "devices' parts that are not there", logSilent},
	{"nochain", "a block at a time", logSilent},
	{"page", "of user-mode emulation", logSilent},
	{"strace", "of user-mode emulation", logSilent},
	{"tid", "a file for each thread", logSilent},
	{"out_asm", "of QEMU's translator", logAbsent},
	{"op", "of QEMU's translator", logAbsent},
	{"op_opt", "of QEMU's translator", logAbsent},
	{"op_ind", "of QEMU's translator", logAbsent},
	{"plugin", "of QEMU's plugins", logAbsent},
}

// logItems reads the value of -d; several of them add up.
func logItems(p *parser, value string) error {
	for _, word := range strings.Split(value, ",") {
		if word == "help" || word == "?" {
			p.Say = logHelp()
			return nil
		}
		i := slices.IndexFunc(logList, func(l logItem) bool { return l.name == word })
		switch {
		case strings.HasPrefix(word, "trace:"):
			p.lack("trace events (-d)")
		case i < 0:
			return fmt.Errorf("unknown log item %q: must be of %s (try -d help)", word, strings.Join(logNames(), ", "))
		case logList[i].kind == logTold:
			p.Log = append(p.Log, word)
		case logList[i].kind == logAbsent:
			p.lack("a log of %s (-d)", word)
		}
	}
	return nil
}

func logNames() []string {
	names := make([]string, len(logList))
	for i, l := range logList {
		names[i] = l.name
	}
	return names
}

func logHelp() string {
	text := "Log items (comma separated):"
	for _, l := range logList {
		if l.kind == logTold {
			text += fmt.Sprintf("\n%-15s %s", l.name, l.about)
		}
	}
	return text + "\nThe others are accepted; what of them cannot be told is named."
}
