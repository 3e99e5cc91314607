package model

import (
	"bytes"
	"context"

	"x86emu/diff"
)

// Oracle answers by the manual's text.
type Oracle struct{}

// New makes the oracle "model".
func New() *Oracle { return &Oracle{} }

// Name is "model".
func (*Oracle) Name() string { return "model" }

// Version says which text it is.
func (*Oracle) Version() string { return "Intel SDM volume 3A, read literally" }

// Close does nothing.
func (*Oracle) Close() error { return nil }

// Answers says what the model can tell of a case: it does not execute code, so
// it knows of the event and of the tables only.
func (*Oracle) Answers(c *diff.Case) diff.Fields {
	if _, known := processors[c.Model]; !known {
		return 0
	}
	if c.Kind == diff.Paging && c.Access != nil {
		return diff.FieldEnd | diff.FieldError | diff.FieldCR2 | diff.FieldTables
	}
	if c.Kind == diff.Delivery && c.Event != nil {
		return diff.AllFields
	}
	return 0
}

// Run answers cases.
func (o *Oracle) Run(ctx context.Context, cases []*diff.Case, results []diff.Result) error {
	for i, c := range cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		results[i] = diff.Result{End: diff.Silent, Note: "not a case that the model knows"}
		if o.Answers(c) == 0 {
			continue
		}
		w, err := diff.WorldByName(c.World)
		if err != nil {
			return err
		}
		if c.Kind == diff.Delivery {
			results[i] = delivery(c, w)
			continue
		}
		results[i] = paging(c, w)
	}
	return nil
}

// newMachine is the state in which a case begins.
func newMachine(c *diff.Case, w *diff.World) *machine {
	m := &machine{cpu: processors[c.Model], regs: c.Regs, arena: bytes.Clone(w.Arena)}
	for _, p := range c.Patches {
		copy(m.arena[min(int(p.At), len(m.arena)):], p.Bytes)
	}
	code := c.Regs.RIP
	if bit(c.Regs.RFLAGS, 17) { // virtual-8086 mode
		code += uint64(c.Regs.Seg[regCS]) << 4
	}
	if at, ok := w.Offset(code); ok {
		copy(m.arena[at:], c.Code)
	}
	// Whoever runs the case has loaded CR3, and the PDPTE registers with it.
	m.movToCR3(c.Regs.CR3)
	return m
}
