package machine

import (
	"bufio"
	"context"
	"io"
	"math"
	"sync"
	"time"
)

// Output is where a device's bytes go: buffered, passed on at each newline and
// at each end of a Run. Devices may share one. The first error of the writer
// is kept; what comes after it is dropped.
type Output struct {
	w *bufio.Writer
}

// NewOutput makes an Output on a writer.
func NewOutput(w io.Writer) *Output { return &Output{bufio.NewWriter(w)} }

// put writes one byte; a nil Output swallows it.
func (o *Output) put(b byte) {
	if o == nil {
		return
	}
	o.w.WriteByte(b) // the error stays in the writer and comes out of Flush
	if b == '\n' {
		o.w.Flush()
	}
}

// Flush passes on what is buffered and returns the writer's first error.
func (o *Output) Flush() error {
	if o == nil {
		return nil
	}
	return o.w.Flush()
}

// Input is what arrives on the serial line. It keeps what it has read, so that
// a fork that replays the past gets the same bytes at the same ticks.
//
// An Input either waits for its reader, and then the tick at which a byte
// arrives depends on the guest alone; or it is live, for a terminal: a byte
// arrives at the tick at which the machine noticed it.
type Input struct {
	mu   sync.Mutex
	r    io.Reader
	live bool
	log  []arrival
	next chan chunk // a read under way, or nil
	end  bool       // the reader has no more
	last uint64     // the first tick at which that shows
	none uint64     // the last tick at which the answer was "not yet"; it stays
}

// arrival is a byte and the first tick at which the receiver may have it.
type arrival struct {
	tick uint64
	b    byte
}

type chunk struct {
	b   []byte
	err error
}

// NewInput makes an Input that waits for its reader when the guest wants a
// byte, until there is one or the end of the stream.
func NewInput(r io.Reader) *Input { return &Input{r: r} }

// NewLiveInput makes an Input that never waits for its reader.
func NewLiveInput(r io.Reader) *Input { return &Input{r: r, live: true} }

// take returns byte number pos of the stream if it is there at tick now. more
// is false at the end of the stream. It waits (see NewInput) no longer than ctx.
// The same question at the same tick has the same answer when it is asked again.
// idle says that the guest does nothing until the byte comes: then a live
// reader is waited for as well, for a moment.
func (in *Input) take(ctx context.Context, pos int, now uint64, idle bool) (b byte, ok, more bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for pos >= len(in.log) && !in.end {
		if in.none > 0 && now <= in.none {
			return 0, false, true
		}
		if in.next == nil {
			in.next = make(chan chunk, 1)
			go read(in.r, in.next)
		}
		var c chunk
		patience := forever
		if in.live {
			patience = 0
			if idle {
				patience = idlePatience
			}
		}
		if !in.wait(ctx, patience, &c) {
			in.none = now
			return 0, false, true
		}
		in.next = nil
		in.end = c.err != nil
		tick := uint64(0)
		if in.live || in.none > 0 {
			tick = now
		}
		in.last = tick
		for _, b := range c.b {
			in.log = append(in.log, arrival{tick, b})
		}
	}
	if pos >= len(in.log) {
		return 0, false, now < in.last
	}
	a := in.log[pos]
	return a.b, a.tick <= now, true
}

// How long a live reader is waited for while the guest is idle: short enough for
// whatever else wakes it, long enough to leave the host idle too.
const (
	idlePatience = 10 * time.Millisecond
	forever      = time.Duration(math.MaxInt64)
)

// wait takes over the read under way, if it is done in time.
func (in *Input) wait(ctx context.Context, patience time.Duration, c *chunk) bool {
	select {
	case *c = <-in.next:
		return true
	default:
	}
	if patience == 0 {
		return false
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case *c = <-in.next:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// read does one read of at most 4096 bytes.
func read(r io.Reader, to chan<- chunk) {
	b := make([]byte, 4096)
	n, err := r.Read(b)
	to <- chunk{b[:n], err}
}

// taken is how many bytes COM1 and COM2 have taken of their inputs.
type taken [2]int

func (m *Machine) taken() (n taken) {
	for i, u := range m.serials() {
		n[i] = u.pos
	}
	return n
}

func (m *Machine) setTaken(n taken) {
	for i, u := range m.serials() {
		u.pos = n[i]
	}
}

// serials are the serial ports that the board has.
func (m *Machine) serials() []*UART {
	if m.UART2 == nil {
		return []*UART{m.UART}
	}
	return []*UART{m.UART, m.UART2}
}
