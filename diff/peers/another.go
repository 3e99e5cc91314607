package peers

import (
	"context"
	"slices"
	"sync"

	"x86emu/diff"
	"x86emu/diff/model"
)

// A peer that takes one thing for another answers another question rightly. These
// are whom to ask it: the emulator where all of the answer is needed, the model
// where the fault is.
var (
	mu      sync.Mutex
	emu     = diff.NewEmu(false)
	literal = model.New()
)

// another is the answer of the emulator to a case that change makes of this one; the
// registers that change sets are put back in the answer.
func another(x *diff.Context, r *diff.Result, change func(c *diff.Case)) bool {
	return ask(emu, x, r, change)
}

// anotherFault is the same of the model; r is left as it is but for a page fault's
// error code and CR2. It is false if there is none.
func anotherFault(x *diff.Context, r *diff.Result, change func(c *diff.Case)) bool {
	var f diff.Result
	if !ask(literal, x, &f, change) || !isPageFault(&f) || !isPageFault(r) {
		return false
	}
	r.CR2, r.Regs.CR2 = f.CR2, f.CR2
	setError(x, r, f.Error)
	return true
}

func ask(o diff.Oracle, x *diff.Context, r *diff.Result, change func(c *diff.Case)) bool {
	c := *x.Case
	c.Patches = slices.Clone(c.Patches)
	if c.Access != nil {
		a := *c.Access
		c.Access = &a
	}
	was := c.Regs
	change(&c)
	var answer [1]diff.Result
	mu.Lock()
	defer mu.Unlock()
	if err := o.Run(context.Background(), []*diff.Case{&c}, answer[:]); err != nil || answer[0].End == diff.Silent {
		return false
	}
	*r = answer[0]
	for _, f := range []func(r *diff.Regs) *uint64{
		func(r *diff.Regs) *uint64 { return &r.CR0 },
		func(r *diff.Regs) *uint64 { return &r.CR4 },
		func(r *diff.Regs) *uint64 { return &r.EFER },
	} {
		if *f(&c.Regs) != *f(&was) {
			*f(&r.Regs) = *f(&was)
		}
	}
	if c.Regs.PKRU != was.PKRU {
		r.Regs.PKRU = was.PKRU
	}
	return true
}
