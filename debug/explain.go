package debug

import (
	"context"
	"errors"
	"slices"

	"x86emu/debug/stale"
	"x86emu/idt"
	"x86emu/machine"
)

// ExplainOptions choose stories. A story qualifies if one of its events does:
// an exception (INT3, INTO and INT1 are some), or with ByVector an event of the
// vector, whatever it came from.
type ExplainOptions struct {
	From     uint64     // stories that reach beyond this tick
	Vector   idt.Vector // of this vector only, if ByVector
	ByVector bool
	Last     bool   // the last one only
	Count    uint64 // at most so many; 0: no limit
	Budget   uint64 // ticks of the run; machine.NoBudget: to its end
	Symbols  *Symbols

	// Stale has the whole run up to the last story watched for uses of stale TLB
	// entries, and to its end if Count does not end it before. What is watched
	// runs one instruction at a time.
	Stale bool
}

// ErrUnrepeatable tells that a run did not go the same way twice.
var ErrUnrepeatable = errors.New("the run did not repeat itself (does it depend on a terminal?)")

// Explain runs a machine from where it stands and tells its stories in order.
// Nothing is watched but the chains of events themselves: a fork runs ahead at
// full speed to find where the next one begins, then m runs up to there and is
// watched until an instruction retires. The Result is that of the fork, if it
// came to an end; m is left after the last story, or with Stale at the end: uses
// of stale TLB entries after the last event are told in a story without events.
func Explain(ctx context.Context, m *machine.Machine, o ExplainOptions, tell func(*Story) error) (machine.Result, error) {
	s, err := newScout(m, o)
	if err != nil {
		return machine.Result{}, err
	}
	x := explainer{m: m, syms: o.Symbols, end: s.end}
	if o.Stale {
		w := stale.Watch(m, x.stale)
		defer w.Close()
	}
	for told := uint64(0); o.Count == 0 || told < o.Count; told++ {
		start, found, err := s.next(ctx)
		if err == nil && !found && o.Stale && !x.over {
			err = x.rest(ctx, tell)
		}
		if err != nil || !found {
			return s.result, err
		}
		story, err := x.story(ctx, start)
		if err != nil {
			return s.result, err
		}
		if err := tell(story); err != nil {
			return s.result, err
		}
	}
	return s.result, nil
}

// scout runs a fork ahead, unwatched, to where stories begin.
type scout struct {
	m      *machine.Machine
	o      ExplainOptions
	end    uint64 // tick at which the budget is spent
	result machine.Result
	over   bool

	told   bool // start is of a story found
	start  uint64
	found  bool
	cancel context.CancelFunc
}

func newScout(m *machine.Machine, o ExplainOptions) (*scout, error) {
	f, err := m.Fork()
	if err != nil {
		return nil, err
	}
	s := &scout{m: f, o: o, end: f.CPU.Ticks() + o.Budget, result: machine.Result{Reason: machine.Budget}}
	if s.end < o.Budget {
		s.end = machine.NoBudget
	}
	f.CPU.OnDelivery = s.delivered
	return s, nil
}

// delivered looks at each delivery.
func (s *scout) delivered(out *idt.Outcome) {
	at := s.m.CPU.Ticks()
	start := at - s.m.CPU.Streak()
	if !out.Shutdown {
		at--
	}
	if at < s.o.From || s.told && start == s.start || !slices.ContainsFunc(out.Chain[:out.N], s.qualifies) {
		return
	}
	s.start, s.told, s.found = start, true, true
	if !s.o.Last {
		s.m.CPU.RequestStop()
		s.cancel()
	}
}

func (s *scout) qualifies(ev idt.Event) bool {
	if s.o.ByVector {
		return ev.Vector == s.o.Vector
	}
	return ev.Kind != idt.External && ev.Kind != idt.NMI && ev.Kind != idt.SoftInt
}

// next finds the tick at which the next story begins.
func (s *scout) next(ctx context.Context) (start uint64, found bool, err error) {
	if s.over {
		return 0, false, nil
	}
	var run context.Context
	run, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	s.found = false
	r, err := s.m.Run(run, s.end-s.m.CPU.Ticks())
	if err != nil {
		return 0, false, err
	}
	s.over = s.o.Last || r.Reason != machine.Cancelled || ctx.Err() != nil
	s.result = r
	if ctx.Err() != nil && !s.o.Last {
		return 0, false, nil
	}
	return s.start, s.found, nil
}

// explainer watches single chains.
type explainer struct {
	m    *machine.Machine
	syms *Symbols
	end  uint64 // tick at which the budget is spent

	over bool       // the last story was the end of the run
	rec  *Recorder  // at work
	uses []StaleUse // that no stage has told
	more uint64     // beyond those
}

// Bounds of what is watched of one chain, in deliveries, and of how many uses of
// stale TLB entries one story tells besides its stages.
const (
	maxRounds = 1024
	tailOfFar = 4
	maxUses   = 100
)

// stale takes a use: into the chain that is recorded, or to what came before.
func (x *explainer) stale(u *stale.Use) {
	switch use := x.syms.Stale(x.m, u); {
	case x.rec != nil:
		x.rec.put(Stage{Kind: StageStale, Stale: use})
	case len(x.uses) < maxUses:
		x.uses = append(x.uses, *use)
	default:
		x.more++
	}
}

// finish ends a story with the uses that no stage has told.
func (x *explainer) finish(b *builder, end string) *Story {
	s := b.finish(end)
	s.Stale, s.StaleMore = x.uses, x.more
	x.uses, x.more = nil, 0
	return s
}

// rest runs on to the end and tells of the uses on the way, if there are any.
func (x *explainer) rest(ctx context.Context, tell func(*Story) error) error {
	b := newBuilder()
	b.story.Tick = x.m.CPU.Ticks()
	r, err := x.m.Run(ctx, x.end-b.story.Tick)
	if err != nil || len(x.uses) == 0 {
		return err
	}
	end := endWords(r.Reason)
	if r.Reason == machine.Budget {
		end = "cut"
	}
	return tell(x.finish(b, end))
}

// story runs to the tick at which a chain begins and watches it to its end.
func (x *explainer) story(ctx context.Context, start uint64) (*Story, error) {
	if n := start - x.m.CPU.Ticks(); n > 0 {
		r, err := x.m.Run(ctx, n)
		if err != nil {
			return nil, err
		}
		if r.Reason != machine.Budget {
			return nil, ErrUnrepeatable
		}
	}
	b := newBuilder()
	end, err := x.watch(ctx, b, maxRounds)
	if err != nil {
		return nil, err
	}
	if end == "" {
		if end, err = x.far(ctx, b); err != nil {
			return nil, err
		}
	}
	if len(b.story.Events) == 0 {
		return nil, ErrUnrepeatable
	}
	x.over = end != "handler"
	s := x.finish(b, end)
	s.Fold()
	return s, nil
}

// watch watches at most so many steps; the end is "" if the chain goes on.
func (x *explainer) watch(ctx context.Context, b *builder, steps int) (end string, err error) {
	x.rec = Record(x.m, x.syms, b.add)
	defer func() { x.rec.Close(); x.rec = nil }()
	for range steps {
		if x.m.CPU.Ticks() >= x.end {
			return "cut", nil
		}
		x.rec.Boundary()
		r, err := x.m.Run(ctx, 1)
		if err != nil {
			return "", err
		}
		if r.Reason != machine.Budget || x.m.CPU.Streak() == 0 {
			return endWords(r.Reason), nil
		}
	}
	return "", nil
}

// far goes to the end of a long chain, of which the last few events are
// watched again. A chain that has no end is told by its first round.
func (x *explainer) far(ctx context.Context, b *builder) (end string, err error) {
	f, err := x.m.Fork()
	if err != nil {
		return "", err
	}
	start := f.CPU.Ticks() - f.CPU.Streak()
	last, gone := f.CPU.Ticks(), false
	f.CPU.OnDelivery = func(out *idt.Outcome) {
		at := f.CPU.Ticks()
		if gone = gone || at-f.CPU.Streak() != start; !gone {
			last = at
		}
	}
	// Each slice is twice as long, so that a run can find a loop of any period.
	for slice := uint64(4 * maxRounds); ; slice *= 2 {
		r, err := f.Run(ctx, min(slice, x.end-f.CPU.Ticks()))
		if err != nil {
			return "", err
		}
		if r.Reason == machine.Looping && !gone && r.Loop.Instructions == 0 {
			b.story.Loop = &LoopInfo{Period: r.Loop.Period}
			b.cutLoop(r.Loop.Period)
			return "endless", nil
		}
		if gone || r.Reason != machine.Budget || f.CPU.Ticks() != last || last >= x.end {
			break
		}
	}
	if skip := last - x.m.CPU.Ticks(); skip > tailOfFar {
		skip -= tailOfFar
		before := x.m.CPU.GPR()[4]
		if _, err := x.m.Run(ctx, skip); err != nil {
			return "", err
		}
		b.leaveOut(skip, int64(before-x.m.CPU.GPR()[4]), x.m.CPU.Ticks())
	}
	end, err = x.watch(ctx, b, 4*tailOfFar)
	if end == "" {
		end = "cut"
	}
	return end, err
}

// leaveOut notes deliveries that were not watched, by which the stack went down
// so many bytes.
func (b *builder) leaveOut(n uint64, down int64, tick uint64) {
	all := b.story.Events
	before := all[len(all)-1]
	e := Event{ID: before.ID + 1, Cause: before.ID, How: before.How, Name: before.Name, Vector: before.Vector, Tick: before.Tick + 1, Fold: &Fold{Count: n}}
	if down%int64(n) == 0 {
		e.Fold.Lower = down / int64(n)
	}
	b.story.Events = append(all, e)
}

// cutLoop leaves of an endless chain what comes before the loop and one round.
func (b *builder) cutLoop(period uint64) {
	var entered []int
	var shapes []shape
	for i := range b.story.Events {
		if s := shapeOf(&b.story.Events[i]); s.ok {
			entered, shapes = append(entered, i), append(shapes, s)
		}
	}
	n := len(shapes) - int(min(period, uint64(len(shapes))))
	for i := range n {
		if slices.Equal(shapes[i:n], shapes[i+int(period):]) {
			b.story.Events = b.story.Events[:entered[i+int(period)-1]+1]
			return
		}
	}
}
