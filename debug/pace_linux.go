package debug

import (
	"syscall"
	"time"
)

// used is the processor time that the process has used: on a busy host a
// history shall not cost more of it than on an idle one.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("BUG: " + err.Error()) // its arguments are always good
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
