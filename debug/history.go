package debug

import (
	"cmp"
	"slices"
	"time"

	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// History is a machine with its past: it can go back to any tick since the
// history began, and forward again, and finds where something happened last.
//
// It keeps moments of the machine, close to each other near the present and
// further apart the longer they are ago, of which only pages that changed take
// memory. To be at a tick is to return to the moment before it and to run from
// there; since time is virtual the machine comes by exactly as it did. Output
// that was sent is not sent again, input comes again as it came.
//
// While a machine has a history it is moved by it only, and the processor's
// OnDelivery and OnReturn, breaks, watched stores and Machine.OnTick are the
// history's. Observers may be set, and an OnDelivery before the history begins:
// they see what runs forward on purpose (Run, Step), not the replays in between.
type History struct {
	m      *machine.Machine
	points []*point // by tick; the first is the beginning and is always kept
	limit  uint64   // bytes that the others may take
	size   uint64   // bytes that they take
	nest   nest     // of the present

	frontier uint64         // the latest tick that was ever reached
	end      machine.Result // how the run ended there, if ended
	ended    bool
	over     bool // the machine stands behind its end, and not just before

	acts []act // what Intervene did, by tick
	done int   // how many of them the present has behind it

	event     idt.Outcome // of the last delivery
	eventTick uint64      // after it

	watch *watch // at work, or nil
	pace  pace

	user   func(*idt.Outcome) // the OnDelivery of before
	hidden bool               // a replay that it does not see
}

// point is a moment to come back to.
type point struct {
	*machine.Moment
	nest nest
	done int
	size uint64 // what it takes besides the next one
}

// act is a change made from outside.
type act struct {
	tick uint64
	do   func(*machine.Machine)
}

// pace decides when the forward run takes a moment: rarely enough that the
// copies of pages that follow from it cost a twentieth of the time, often
// enough that a replay from it takes less than a second.
type pace struct {
	clock   func() time.Duration
	since   time.Duration
	ran     time.Duration // since the last moment, in the machine only
	copied  uint64        // the memory's count then
	copying time.Duration // and its time
}

const (
	lookTicks = 1 << 18 // between two looks at the time
	leastGap  = 100 * time.Millisecond
	mostGap   = 750 * time.Millisecond
	// share is the part of the time that copies may take: a twentieth.
	share = 20
)

// DefaultHistory is a good limit for the memory of a history, in bytes.
const DefaultHistory = 256 << 20

// NewHistory begins a history of a machine. limit bounds, in bytes, what the
// moments take beside the first; where the guest writes so much that they do
// not fit, they lie further apart, and going back takes longer.
func NewHistory(m *machine.Machine, limit uint64) *History {
	h := &History{m: m, limit: limit, frontier: m.CPU.Ticks()}
	h.pace.clock, h.user = used, m.CPU.OnDelivery
	m.CPU.OnDelivery = func(out *idt.Outcome) {
		if h.user != nil && !h.hidden {
			h.user(out)
		}
		h.nest.delivered(m, out)
		h.event, h.eventTick = *out, m.CPU.Ticks()
		if h.watch != nil {
			h.watch.delivered(out)
		}
	}
	m.CPU.OnReturn = func(sp mmu.Linear) { h.nest.returned(m, sp) }
	h.keep()
	return h
}

// Close gives the machine back, where it stands.
func (h *History) Close() { h.m.CPU.OnDelivery, h.m.CPU.OnReturn = h.user, nil }

// Machine is the machine at the present tick, to be looked at.
func (h *History) Machine() *machine.Machine { return h.m }

// Tick is the present tick.
func (h *History) Tick() uint64 { return h.m.CPU.Ticks() }

// Begin and Frontier are the first tick that can be gone back to, and the
// latest that was ever reached.
func (h *History) Begin() uint64    { return h.points[0].Tick() }
func (h *History) Frontier() uint64 { return h.frontier }

// Size is how many bytes the kept moments take, the first left out.
func (h *History) Size() uint64 { return h.size }

// Delivered is the delivery that the step just made was, if it was one: the
// events met on its way.
func (h *History) Delivered() (out idt.Outcome, ok bool) {
	out = h.event
	clear(out.Chain[out.N:])
	return out, h.event.N > 0 && h.eventTick == h.Tick() && h.event.Shutdown == (h.over && h.end.Reason == machine.Shutdown)
}

// Intervene lets f change the machine between two instructions: registers,
// memory, an interrupt raised. What was after the present is forgotten; f is
// called again whenever the machine comes by this tick, and must do the same. At
// the beginning it is not: the history begins with what f has left.
func (h *History) Intervene(f func(*machine.Machine)) {
	now := h.Tick()
	h.points = slices.DeleteFunc(h.points, func(p *point) bool { return p.Tick() > now || p.Tick() == now && p != h.points[0] })
	h.size = 0
	for i := range h.points {
		h.points[i].size = 0
		h.weigh(i)
	}
	h.frontier, h.ended, h.over = now, false, false
	f(h.m)
	if now == h.Begin() {
		h.points[0] = &point{Moment: h.m.Moment(), nest: h.nest}
		h.acts, h.done = nil, 0
		return
	}
	h.acts = append(h.acts[:h.done], act{now, f})
	h.done++
	h.keep()
}

// keep takes a moment, unless there is one of this tick, and lets others go.
func (h *History) keep() {
	now := h.Tick()
	i, found := slices.BinarySearchFunc(h.points, now, func(p *point, t uint64) int { return cmp.Compare(p.Tick(), t) })
	if !found {
		h.points = slices.Insert(h.points, i, &point{Moment: h.m.Moment(), nest: h.nest, done: h.done})
		h.weigh(i - 1)
		h.weigh(i)
		h.thin(now)
	}
	h.pace.ran = 0
	h.pace.copied, h.pace.copying = h.m.Mem.Copied()
}

// weigh finds what point i takes.
func (h *History) weigh(i int) {
	if i <= 0 {
		return
	}
	p := h.points[i]
	h.size -= p.size
	if i+1 < len(h.points) {
		p.size = p.Size(h.points[i+1].Moment)
	} else {
		p.size = h.m.SizeNow(p.Moment)
	}
	h.size += p.size
}

// drop lets point i go.
func (h *History) drop(i int) {
	h.size -= h.points[i].size
	h.points = slices.Delete(h.points, i, i+1)
	h.weigh(i - 1)
}

// thin drops the points that are too close to others for how far away they
// are, and then those missed least until the rest fits the limit.
func (h *History) thin(now uint64) {
	for i := 1; i < len(h.points)-1; i++ {
		if h.gap(i) < h.away(i, now)/8 {
			h.drop(i)
			i--
		}
	}
	for h.size > h.limit && len(h.points) > 1 {
		least, at := 0.0, 0
		for i := 1; i < len(h.points); i++ {
			missed := float64(h.gap(i)) / float64(h.away(i, now)+1)
			if at == 0 || missed < least {
				least, at = missed, i
			}
		}
		h.drop(at)
	}
}

// gap is the distance between the neighbours of point i, of which the last has
// the frontier for one.
func (h *History) gap(i int) uint64 {
	next := h.frontier
	if i+1 < len(h.points) {
		next = h.points[i+1].Tick()
	}
	return max(next, h.points[i].Tick()) - h.points[i-1].Tick()
}

// record is Machine.OnTick while new time is run.
func (h *History) record(now uint64) (next uint64) {
	t := h.pace.clock()
	h.pace.ran += t - h.pace.since
	h.pace.since = t
	pages, copying := h.m.Mem.Copied()
	copied := pages - h.pace.copied
	gap := min(max(leastGap, share*(copying-h.pace.copying)), mostGap)
	switch {
	case h.pace.ran >= gap:
		h.frontier = now
		h.keep()
	case len(h.points) > 1 && h.size+copied*4096 > h.limit:
		// The last moment has grown: its pages are no longer the machine's.
		h.frontier = now
		h.weigh(len(h.points) - 1)
		h.thin(now)
		h.pace.copied = pages
	}
	return now + lookTicks
}

// away is how far point i is from now or from the frontier, whichever is closer.
func (h *History) away(i int, now uint64) uint64 {
	t := h.points[i].Tick()
	return min(max(t, now)-min(t, now), max(t, h.frontier)-min(t, h.frontier))
}
