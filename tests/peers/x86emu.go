package peers

import (
	"bytes"
	"context"
	"fmt"

	"x86emu/guest"
	"x86emu/machine"
)

// budget, in ticks, is many times what a guest kernel here takes.
const budget = 10_000_000_000

// Here runs a multiboot image on x86emu itself, in this process, on a machine of a configuration, and returns
// what the guest wrote to COM1. An error says that the run did not end in the
// way that was expected.
func Here(image []byte, cfg machine.Config, end machine.Reason) (serial string, err error) {
	var out bytes.Buffer
	cfg.Serial = machine.NewOutput(&out)
	m, err := machine.New(cfg)
	if err != nil {
		return "", err
	}
	parsed, err := guest.Parse(image)
	if err != nil {
		return "", err
	}
	if err := parsed.Load(m, guest.Options{}); err != nil {
		return "", err
	}
	result, err := m.Run(context.Background(), budget)
	if err == nil && (result.Reason != end || result.Value != 0) {
		err = fmt.Errorf("x86emu: the run ended with status %d: %v", result.Status(), result.Story())
	}
	return out.String(), err
}
