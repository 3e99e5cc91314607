//go:build !unix

package main

import "os"

// terminate are the signals that end a run in good order: Ctrl-C alone.
var terminate = []os.Signal{os.Interrupt}
