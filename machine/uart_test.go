package machine

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
)

// line is a UART on a clock of its own.
type line struct {
	*UART
	now uint64
	out bytes.Buffer
}

func newLine(input string) *line {
	l := &line{}
	m := &Machine{ctx: context.Background()}
	m.Clock = Clock{next: never, now: func() uint64 { return l.now }, arm: func(uint64) {}}
	l.UART = newUART(m, NewOutput(&l.out), NewInput(iotest.OneByteReader(strings.NewReader(input))))
	return l
}

// wait lets time pass.
func (l *line) wait(ticks uint64) {
	for end := l.now + ticks; l.now < end; {
		l.now = min(end, l.m.Clock.next)
		l.m.Clock.run(l.now)
	}
}

func TestUARTRegisters(t *testing.T) {
	type op struct {
		off  uint16
		out  int // -1: read
		want uint32
	}
	const rd = -1
	for _, c := range []struct {
		name string
		ops  []op
	}{
		{"scratch keeps what is written", []op{{uartSCR, 0x5a, 0}, {uartSCR, rd, 0x5a}}},
		{"DLAB shows the divisor latch and hides THR and IER", []op{
			{uartIER, 0x0f, 0}, {uartLCR, 0x83, 0}, {uartData, 1, 0}, {uartIER, 2, 0}, {uartData, rd, 1}, {uartIER, rd, 2},
			{uartLCR, 3, 0}, {uartIER, rd, 0x0f}, {uartData, rd, 0}}},
		{"IER has four bits", []op{{uartIER, 0xff, 0}, {uartIER, rd, 0x0f}}},
		{"MCR has five bits", []op{{uartMCR, 0xff, 0}, {uartMCR, rd, 0x1f}}},
		{"the transmitter is always empty", []op{{uartData, 'x', 0}, {uartLSR, rd, lsrTHRE | lsrTEMT}}},
		{"the peer is ready", []op{{uartMSR, rd, msrCTS | msrDSR | msrDCD}}},
		{"IIR tells a 16550A with its FIFO on", []op{{uartIIR, rd, 1}, {uartIIR, 1, 0}, {uartIIR, rd, 0xc1}, {uartIIR, 0, 0}, {uartIIR, rd, 1}}},
		{"THR empty interrupts once", []op{{uartIER, 2, 0}, {uartIIR, rd, 2}, {uartIIR, rd, 1}, {uartData, 'x', 0}, {uartIIR, rd, 2}, {uartIIR, rd, 1}}},
		{"loopback returns the byte", []op{{uartMCR, mcrLoop, 0}, {uartData, 'x', 0}, {uartLSR, rd, lsrTHRE | lsrTEMT | lsrDR}, {uartData, rd, 'x'}, {uartLSR, rd, lsrTHRE | lsrTEMT}}},
		{"loopback without FIFO overruns at the second byte", []op{
			{uartMCR, mcrLoop, 0}, {uartIER, 4, 0}, {uartData, 'x', 0}, {uartData, 'y', 0}, {uartIIR, rd, 6},
			{uartLSR, rd, lsrTHRE | lsrTEMT | lsrDR | lsrOE}, {uartLSR, rd, lsrTHRE | lsrTEMT | lsrDR}, {uartData, rd, 'y'}}},
		{"loopback wires the modem lines", []op{
			{uartMCR, mcrLoop | mcrRTS | mcrOUT1, 0}, {uartMSR, rd, msrCTS | msrRI | 0xa}, {uartMSR, rd, msrCTS | msrRI},
			{uartMCR, mcrLoop | mcrDTR, 0}, {uartMSR, rd, msrDSR | 7}}},
		{"a modem line's change interrupts", []op{{uartIER, 8, 0}, {uartIIR, rd, 1}, {uartMCR, mcrLoop, 0}, {uartIIR, rd, 0}, {uartMSR, rd, 0xb}, {uartIIR, rd, 1}}},
		{"below the trigger level the time-out interrupts", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 0x41, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {uartIIR, rd, 0xcc},
			{uartData, 'b', 0}, {uartData, 'c', 0}, {uartData, 'd', 0}, {uartIIR, rd, 0xc4}, {uartIIR, 3, 0}, {uartIIR, rd, 0xc1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine("")
			for i, o := range c.ops {
				if o.out == rd {
					assert.Equal(t, o.want, l.In(o.off, 1), "step %d", i)
				} else {
					l.Out(o.off, 1, uint32(o.out))
				}
			}
		})
	}
}

func TestUARTSends(t *testing.T) {
	l := newLine("")
	for _, b := range []byte("hi\nthere") {
		l.Out(uartData, 1, uint32(b))
	}
	assert.Equal(t, "hi\n", l.out.String(), "a newline flushes")
	assert.NoError(t, l.UART.out.Flush())
	assert.Equal(t, "hi\nthere", l.out.String())
}

func TestUARTReceives(t *testing.T) {
	const text = "the quick brown fox jumps over it"
	for _, fifo := range []uint32{0, 1} {
		l := newLine(text)
		l.Out(uartIIR, 1, fifo)
		l.In(uartData, 1) // whoever reads wants input
		var got []byte
		for range 200 {
			l.wait(500)
			if l.In(uartLSR, 1)&lsrDR != 0 {
				got = append(got, byte(l.In(uartData, 1)))
			}
		}
		assert.Equal(t, text, string(got))
		assert.False(t, l.rx.Active(), "the line is quiet after the end")
	}
}

func TestUARTKeepsInputBackWhileFull(t *testing.T) {
	l := newLine(strings.Repeat("x", 40))
	l.Out(uartIIR, 1, 1)
	l.In(uartData, 1)
	l.wait(100 * rxTicks)
	assert.EqualValues(t, 16, l.s.Len)
	assert.EqualValues(t, lsrTHRE|lsrTEMT|lsrDR, l.In(uartLSR, 1), "no overrun")
}

// A guest that only prints must not wait for an input that may never come.
func TestUARTListensWhenTheGuestDoes(t *testing.T) {
	print := func(l *line) {
		for range 1000 {
			l.In(uartLSR, 1)
			l.Out(uartData, 1, 'x')
		}
	}
	for _, c := range []struct {
		name string
		do   func(l *line)
		want bool
	}{
		{"a guest that polls before each byte it sends", print, false},
		{"a read of RBR", func(l *line) { l.In(uartData, 1) }, true},
		{"the receive interrupt", func(l *line) { l.Out(uartIER, 1, 1) }, true},
		{"polling LSR", func(l *line) {
			for range idlePolls {
				l.In(uartLSR, 1)
			}
		}, true},
		{"polling LSR twice for each byte", func(l *line) {
			for range idlePolls {
				l.In(uartLSR, 1)
				print(l)
			}
		}, true},
	} {
		l := newLine("x")
		c.do(l)
		assert.Equal(t, c.want, l.s.Listening, c.name)
	}
}

// A live input never holds the guest up.
func TestLiveInput(t *testing.T) {
	r, w := newPipe()
	in := NewLiveInput(r)
	_, ok, more := in.take(context.Background(), 0, 5)
	assert.False(t, ok)
	assert.True(t, more)
	w <- "ab"
	var b byte
	for now := uint64(10); !ok; now++ {
		b, ok, _ = in.take(context.Background(), 0, now)
	}
	assert.Equal(t, byte('a'), b)
	arrived := in.log[0].tick
	_, ok, more = in.take(context.Background(), 0, arrived-1)
	assert.False(t, ok, "a replay meets it no earlier")
	assert.True(t, more)
	close(w)
	end := uint64(1000)
	for ; more; end++ {
		_, _, more = in.take(context.Background(), 2, end)
	}
	_, _, more = in.take(context.Background(), 2, end-2)
	assert.True(t, more, "a replay meets the end no earlier")
}

// An input that waits gives up when its context ends.
func TestInputEndsWithContext(t *testing.T) {
	r, w := newPipe()
	defer close(w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, ok, more := NewInput(r).take(ctx, 0, 0)
	assert.False(t, ok)
	assert.True(t, more)
}
