package diff

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"x86emu/cpu"
)

// emu is this emulator as an oracle, in this process: one processor and one
// memory for each world and model, kept from case to case.
type emu struct {
	step    bool
	engines map[engineKey]*engine
}

type engineKey struct{ world, model string }

// NewEmu makes the oracle "emu", which runs code in blocks, or "emu-step", which
// runs each instruction by itself.
func NewEmu(step bool) Oracle { return &emu{step, map[engineKey]*engine{}} }

func (e *emu) Name() string {
	if e.step {
		return "emu-step"
	}
	return "emu"
}

func (e *emu) Version() string {
	version := "x86emu"
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				version += " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	if e.step {
		return version + ", instruction by instruction"
	}
	return version + ", in blocks"
}

func (e *emu) Answers(*Case) Fields { return AllFields }
func (e *emu) Close() error         { return nil }

func (e *emu) Run(ctx context.Context, cases []*Case, results []Result) error {
	for i, c := range cases {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		g, err := e.engine(c)
		if err != nil {
			return err
		}
		g.run(c, &results[i], e.step)
	}
	return nil
}

// engine gives what runs a case.
func (e *emu) engine(c *Case) (*engine, error) {
	key := engineKey{c.World, c.Model}
	if g := e.engines[key]; g != nil {
		return g, nil
	}
	w, err := WorldByName(c.World)
	if err != nil {
		return nil, err
	}
	model, ok := cpu.ModelByName(c.Model)
	if !ok {
		return nil, errModel(c)
	}
	g := newEngine(w, model)
	e.engines[key] = g
	return g, nil
}

func errModel(c *Case) error {
	return fmt.Errorf("case %s: unknown CPU model %q: must be one of %s", c.ID, c.Model, strings.Join(cpu.ModelNames(), ", "))
}
