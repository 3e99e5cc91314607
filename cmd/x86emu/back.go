package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/machine"
	"x86emu/mmu"
)

// back holds the flags of the command: where to go back to.
type back struct {
	write, change, run, event string // conditions
	physical, accessed        bool
	cr3, cr2                  string
	code                      string
	start                     bool
	steps, times              uint64

	syms *debug.Symbols
}

func newBack() *cobra.Command {
	var b board
	var s streams
	var o back
	var at uint64
	var symbols string
	history := size(debug.DefaultHistory)
	cmd := &cobra.Command{
		Use:   "back IMAGE",
		Short: "Run a guest, then go back to where something happened last",
		Long: `Run a guest, its output unseen, to its end or to a tick, and go back from there
to where something happened last: the write of an address, a change of the page
tables, an instruction, an event, or the fault that began the chain of those that
are being handled. It tells the instruction that is about to do it, what it does,
and the registers. Nothing of the guest changes: what is told of a tick is what
was there.

One of these says where to:

  --last-write ADDR    the last store to ADDR, or to ADDR,BYTES: whoever made it,
                       and through whatever mapping. A linear address stands for
                       the memory that it is mapped to at the tick where the way
                       back begins; --physical: it is a physical one
  --last-change ADDR   the last change of an entry of the page tables, of any
                       level, that the linear ADDR is translated by; of other
                       tables than CR3's with --cr3. The processor's own setting
                       of A and D counts with --accessed
  --last-run ADDR      the last instruction that began at the linear ADDR
  --last-event VECTOR  the last delivery of PF, GP, ..., a number, or any
                       exception; --code CODE[/MASK] and --cr2 FIRST[-LAST] narrow it
  --fault-start        the outermost exception whose handler has not returned:
                       the fault that all the trouble began with
  --steps N            N steps: instructions, iterations of a REP, deliveries

--times repeats it from there: 2 is the last write but one. Where a symbol table
is there, ADDR may be a name. The exit status is 1 if there was no such place.`,
		Example: `  x86emu back unmapped-handler-32 --fault-start
  x86emu back kernel.elf --last-write 0xc0108000,4
  x86emu back kernel.elf --at 500000 --last-change 0xb8000 --times 2
  x86emu back kernel.elf --last-event PF --cr2 0-0xfff
  x86emu back kernel.elf --steps 20`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := o.check(cmd); err != nil {
				return err
			}
			defer s.close()
			if o.syms, err = openSymbols(cmd, args[0], symbols); err != nil {
				return err
			}
			c, err := o.condition()
			if err != nil {
				return err
			}
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			h := debug.NewHistory(m, uint64(history))
			defer h.Close()
			budget, err := ticksTo(cmd, m, "at", at)
			if err != nil {
				return err
			}
			a, err := h.Run(cmd.Context(), budget)
			if err != nil {
				return err
			}
			return o.travel(cmd, h, a, c)
		},
	}
	b.addFlags(cmd)
	s.addFlags(cmd, "null")
	f := cmd.Flags()
	f.Uint64Var(&at, "at", 0, "go back from this `tick` (default from the guest's end, or Ctrl-C)")
	f.StringVar(&o.write, "last-write", "", "to the last write of `ADDR[,BYTES]`")
	f.BoolVar(&o.physical, "physical", false, "--last-write names a physical address")
	f.StringVar(&o.change, "last-change", "", "to the last change of a page-table entry of `ADDR`")
	f.StringVar(&o.cr3, "cr3", "", "--last-change is about the tables at this physical `address`")
	f.BoolVar(&o.accessed, "accessed", false, "--last-change counts A and D bits")
	f.StringVar(&o.run, "last-run", "", "to the last instruction at `ADDR`")
	f.StringVar(&o.event, "last-event", "", "to the last delivery of `VECTOR`: PF, GP, ..., a number, or any")
	f.StringVar(&o.code, "code", "", "--last-event with this error `CODE[/MASK]`")
	f.StringVar(&o.cr2, "cr2", "", "--last-event with CR2 in `FIRST[-LAST]`")
	f.BoolVar(&o.start, "fault-start", false, "to the fault that began the chain of events being handled")
	f.Uint64Var(&o.steps, "steps", 0, "so many steps `N`")
	f.Uint64Var(&o.times, "times", 1, "go so many times `N`")
	f.Var(&history, "history-memory", "what may be kept of the past: a number of MiB, or with a suffix K, M or G")
	f.StringVar(&symbols, "symbols", "", "take names and source lines from this ELF `FILE` (default the image)")
	return cmd
}

// check demands one destination, and the flags that belong to it.
func (o *back) check(cmd *cobra.Command) error {
	f := cmd.Flags()
	n := 0
	for _, name := range []string{"last-write", "last-change", "last-run", "last-event", "fault-start", "steps"} {
		if f.Changed(name) {
			n++
			if f.Lookup(name).Value.String() == "" {
				return fmt.Errorf("--%s must not be empty", name)
			}
		}
	}
	if n != 1 {
		return errors.New("back needs one of --last-write, --last-change, --last-run, --last-event, --fault-start and --steps (try --help)")
	}
	for name, of := range map[string]string{"physical": "last-write", "cr3": "last-change", "accessed": "last-change", "code": "last-event", "cr2": "last-event"} {
		if f.Changed(name) && !f.Changed(of) {
			return fmt.Errorf("--%s belongs to --%s", name, of)
		}
	}
	return nil
}

// condition makes the condition that the flags describe, or nil.
func (o *back) condition() (debug.Condition, error) {
	switch {
	case o.write != "":
		text, bytes, some := strings.Cut(o.write, ",")
		c := debug.OnWrite{Len: 1, Physical: o.physical}
		var err error
		if c.Addr, err = o.place("last-write", text); err != nil {
			return nil, err
		}
		if some {
			if c.Len, err = strconv.ParseUint(bytes, 0, 64); err != nil || c.Len == 0 || c.Len > debug.MaxWatched {
				return nil, fmt.Errorf("--last-write %q: BYTES must be a number from 1 to %d", o.write, debug.MaxWatched)
			}
		}
		return c, nil
	case o.change != "":
		at, err := o.place("last-change", o.change)
		c := debug.OnEntry{Linear: mmu.Linear(at), Accessed: o.accessed}
		if err == nil && o.cr3 != "" {
			var cr3 uint64
			if cr3, err = parseAddress(o.cr3); err != nil {
				err = fmt.Errorf("--cr3 %w", err)
			}
			c.CR3 = &cr3
		}
		return c, err
	case o.run != "":
		at, err := o.place("last-run", o.run)
		return debug.AtAddress{Linear: mmu.Linear(at)}, err
	case o.event != "":
		return o.eventCondition()
	}
	return nil, nil
}

// place reads an address, or looks up a name.
func (o *back) place(flag, text string) (uint64, error) {
	if at, ok := o.syms.Lookup(text); ok {
		return at, nil
	}
	at, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("--%s %q: no symbol of that name, and an address %w", flag, text, errAddress)
	}
	return at, nil
}

func (o *back) eventCondition() (c debug.OnEvent, err error) {
	if o.event == "any" {
		c.Any = true
	} else if c.Vector, err = session.Vector(o.event); err != nil {
		return c, fmt.Errorf("--last-event %w", err)
	}
	if o.code != "" {
		code, mask, some := strings.Cut(o.code, "/")
		if !some {
			mask = "0xffffffff"
		}
		v, err1 := strconv.ParseUint(code, 0, 32)
		k, err2 := strconv.ParseUint(mask, 0, 32)
		if err1 != nil || err2 != nil || k == 0 {
			return c, fmt.Errorf("--code %q: must be CODE or CODE/MASK, numbers of 32 bits", o.code)
		}
		c.Code, c.Mask = uint32(v), uint32(k)
	}
	if o.cr2 != "" {
		text := o.cr2
		if !strings.Contains(text, "-") {
			text += "-" + text
		}
		if c.First, c.Last, err = parseRange(text); err != nil {
			return c, fmt.Errorf("--cr2 %w", err)
		}
		if c.Last == 0 {
			return c, errors.New("--cr2 0: give a range, such as 0-0xfff")
		}
	}
	return c, nil
}

// travel goes back and tells where from and where it got.
func (o *back) travel(cmd *cobra.Command, h *debug.History, from debug.Arrival, c debug.Condition) (err error) {
	ctx := cmd.Context()
	var a debug.Arrival
	for range max(o.times, 1) {
		if c != nil {
			a, err = h.ReverseContinue(ctx, c)
		} else if o.start {
			a, _, err = h.FaultStart(ctx)
		} else {
			a, err = h.StepBack(ctx, o.steps)
		}
		if err != nil {
			return err
		}
		if a.Why != debug.AtTick && a.Why != debug.AtCondition {
			break
		}
	}
	w, m := cmd.OutOrStdout(), h.Machine()
	fmt.Fprintf(w, "from tick %d (%s)\n", from.Tick, ending(from))
	what := "steps back"
	if c != nil {
		what = c.String()
	} else if o.start {
		what = "the fault that began it"
	}
	switch a.Why {
	case debug.Cancelled:
		return status(machine.Result{Reason: machine.Cancelled}.Status())
	case debug.NotMet:
		if o.start {
			what = "event being handled"
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "x86emu: no %s before tick %d\n", what, a.Tick)
		return status(1)
	case debug.AtBegin:
		what += ", to the beginning"
	}
	fmt.Fprintf(w, "to tick %d: %s\nnext %s\n", a.Tick, what, debug.Next(m, o.syms))
	if err := o.effect(cmd, h, c); err != nil {
		return err
	}
	fmt.Fprint(w, debug.Registers(m))
	return nil
}

// effect tells what the next step does: the event that it delivers, the bytes
// that it changes. The history stands where it stood.
func (o *back) effect(cmd *cobra.Command, h *debug.History, c debug.Condition) error {
	m, w, tick := h.Machine(), cmd.OutOrStdout(), h.Tick()
	before := memoryOf(m, c)
	if _, err := h.Step(cmd.Context()); err != nil {
		return err
	}
	if out, ok := h.Delivered(); ok {
		for i, e := range out.Chain[:out.N] {
			fmt.Fprintf(w, "%s %s\n", []string{"raises", "then  "}[min(i, 1)], e.String())
		}
		if out.Shutdown {
			fmt.Fprintln(w, "then   shutdown")
		}
	}
	if after := memoryOf(m, c); len(before) > 0 && len(before) <= 32 {
		fmt.Fprintf(w, "bytes  % x\nbecome % x\n", before, after)
	} else if len(before) > 0 && bytes.Equal(before, after) {
		fmt.Fprintln(w, "bytes  stay as they are")
	}
	_, err := h.Goto(cmd.Context(), tick)
	return err
}

// memoryOf reads what a condition watches, if it is a write.
func memoryOf(m *machine.Machine, c debug.Condition) []byte {
	o, ok := c.(debug.OnWrite)
	if !ok {
		return nil
	}
	b := make([]byte, o.Len)
	for i := range b {
		p := mmu.Phys(o.Addr + uint64(i))
		if !o.Physical {
			t := m.MMU.Explain(mmu.Linear(p), mmu.Read)
			p = t.Frame | p&mmu.PageMask
		}
		m.Mem.Peek(p, b[i:i+1])
	}
	return b
}

// ending tells how a run forward ended.
func ending(a debug.Arrival) string {
	if a.Over {
		return a.Result.Reason.String()
	}
	return a.Why.String()
}
