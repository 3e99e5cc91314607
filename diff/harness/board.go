package harness

import (
	"context"
	"io"

	"x86emu/cpu"
	"x86emu/diff"
	"x86emu/guest"
	"x86emu/machine"
)

// board is this emulator's own machine.
type board struct{ model string }

// NewBoard is this emulator's own board as an engine, "image": it runs the image
// like any other, so that the image and what is behind it can be tested where
// there is no peer. All its cases must name the model that it is made with.
func NewBoard(model string) Engine { return board{model} }

func (b board) Name() string    { return "image" }
func (b board) Version() string { return "x86emu's own board, model " + b.model }
func (b board) Look() error     { return nil }
func (b board) Close() error    { return nil }

func (b board) Answers(c *diff.Case) diff.Fields {
	if c.Model != b.model {
		return 0
	}
	return diff.AllFields
}

func (b board) Boot(ctx context.Context, table []byte, console io.Writer) error {
	model, _ := cpu.ModelByName(b.model)
	m, err := machine.New(machine.Config{Model: model})
	if err != nil {
		return err
	}
	m.OnIO = func(e machine.IOEvent) {
		if e.Port == 0xe9 && e.Write {
			console.Write([]byte{byte(e.Value)})
		}
	}
	image, err := guest.Parse(Image)
	if err != nil {
		return err
	}
	if err := image.Load(m, guest.Options{Modules: []guest.Module{{Data: table}}}); err != nil {
		return err
	}
	_, err = m.Run(ctx, machine.NoBudget)
	return err
}
