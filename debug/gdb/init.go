package gdb

import _ "embed" // for Init

// Init is a file of commands for gdb: it lets gdb follow the processor's mode,
// and has commands of gdb for those of the monitor that move the guest.
//
//go:embed init.gdb
var Init string
