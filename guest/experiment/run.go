package experiment

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"

	"x86emu/guest"
	"x86emu/machine"
)

// Outcome is what the kernel told at the end of a run.
type Outcome struct {
	Run
	HandlerAt, DataAt uint64 // addresses; DataAt is 0 if the module has no data
	Lacking           int    // processes whose table lacked an entry for one of them
	Deaths            int    // processes that met a double fault
}

// DoubleFault tells whether there was one. A kernel that does not do what this
// one does, end the process and go on, would be lost by the first.
func (o Outcome) DoubleFault() bool { return o.Deaths > 0 }

// budget, in ticks, is many times what a run takes.
const budget = 50_000_000

// survived and died are the kernel's exit codes.
const survived, died = 0, 4

// Do carries out the runs, jobs of them at once, and returns their outcomes in
// the order of the runs. progress, if not nil, is called after each, never twice
// at once. The first run that does not end as the kernel promises, or the end of
// ctx, ends it all with an error.
func Do(ctx context.Context, runs []Run, jobs int, progress func()) ([]Outcome, error) {
	images := map[string]*guest.Image{}
	for _, r := range runs {
		name := r.Kernel()
		if images[name] != nil {
			continue
		}
		kernel, ok := guest.KernelNamed(name)
		if !ok {
			return nil, fmt.Errorf("no built-in kernel %s", name)
		}
		image, err := guest.Parse(kernel.Image)
		if err != nil {
			return nil, err
		}
		images[name] = image
	}

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	outcomes := make([]Outcome, len(runs))
	next := make(chan int)
	var workers sync.WaitGroup
	var one sync.Mutex
	for range max(jobs, 1) {
		workers.Go(func() {
			for i := range next {
				o, err := do(ctx, images[runs[i].Kernel()], runs[i])
				if err != nil {
					stop(err)
					continue
				}
				outcomes[i] = o
				if progress != nil {
					one.Lock()
					progress()
					one.Unlock()
				}
			}
		})
	}
	for i := range runs {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return outcomes, nil
}

// do boots the kernel with the setting as its command line.
func do(ctx context.Context, image *guest.Image, run Run) (Outcome, error) {
	var serial bytes.Buffer
	m, err := machine.New(machine.Config{RAM: 8 << 20, Serial: machine.NewOutput(&serial)})
	if err != nil {
		return Outcome{}, err
	}
	options := run.Options(run.Seed)
	if err := image.Load(m, guest.Options{Cmdline: run.Kernel() + " " + options}); err != nil {
		return Outcome{}, err
	}
	result, err := m.Run(ctx, budget)
	if err != nil {
		return Outcome{}, err
	}
	if ctx.Err() != nil {
		return Outcome{}, context.Cause(ctx)
	}
	o, ok := parse(serial.Bytes())
	o.Run = run
	if want := survived; ok {
		if o.DoubleFault() {
			want = died
		}
		ok = result.Reason == machine.Exited && result.Value == uint32(want) && o.Lacking == o.Deaths
	}
	if !ok {
		return Outcome{}, fmt.Errorf("%s --append %q: %s with code %d, after %q",
			run.Kernel(), options, result.Reason, result.Value, serial.Bytes())
	}
	return o, nil
}

// told is what the kernel prints of a case.
var told = regexp.MustCompile(`handler 0x([0-9a-f]+), [^;\n]*(?:; its data 0x([0-9a-f]+), .*)?\n` +
	`  lacking in (\d+) of \d+ tables; double fault in (\d+) of \d+ processes\n$`)

func parse(serial []byte) (o Outcome, ok bool) {
	m := told.FindSubmatch(serial)
	if m == nil {
		return o, false
	}
	number := func(digits []byte, base int) uint64 {
		v, err := strconv.ParseUint(string(digits), base, 64)
		ok = ok && (err == nil || len(digits) == 0)
		return v
	}
	ok = true
	o.HandlerAt, o.DataAt = number(m[1], 16), number(m[2], 16)
	o.Lacking, o.Deaths = int(number(m[3], 10)), int(number(m[4], 10))
	return o, ok
}
