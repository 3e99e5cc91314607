//go:build !linux || !amd64

package native

import (
	"fmt"
	"runtime"

	"x86emu/diff"
)

// New would start the oracle: there is none here.
func New() (diff.Oracle, error) {
	return nil, fmt.Errorf("native: the host's processor is asked on linux/amd64 alone, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
}
