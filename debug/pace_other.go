//go:build !linux

package debug

import "time"

var started = time.Now()

// used is the time that has passed.
func used() time.Duration { return time.Since(started) }
