//go:build !linux || !amd64

package kvm

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"x86emu/diff"
	"x86emu/diff/harness"
)

type engine struct{}

// New is the engine: there is none here, as Look says.
func New() harness.Engine { return engine{} }

func (engine) Name() string                                    { return "kvm" }
func (engine) Version() string                                 { return "none" }
func (engine) Close() error                                    { return nil }
func (engine) Answers(*diff.Case) diff.Fields                  { return 0 }
func (e engine) Boot(context.Context, []byte, io.Writer) error { return e.Look() }
func (engine) Look() error {
	return fmt.Errorf("/dev/kvm is used on linux/amd64 alone, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
}
