//go:build unix

package main

import (
	"os"
	"syscall"
)

// terminate are the signals that end a run in good order beside Ctrl-C: what
// "timeout" sends.
var terminate = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
