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
	m, err := New(Config{RAM: MinRAM, Serial: NewOutput(&l.out), Input: NewInput(iotest.OneByteReader(strings.NewReader(input)))})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	m.Clock.now, m.Clock.arm = func() uint64 { return l.now }, func(uint64) {}
	l.UART = m.UART
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
	const (
		rd   = -1
		wait = -2                              // for so many ticks
		fast = 4*7*16*1_000_000_000/uartHz + 1 // the time-out at divisor 1, format 5N1
	)
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
		{"below the trigger level the time-out interrupts, after four characters' time", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 0x41, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {uartIIR, rd, 0xc1},
			{0, wait, fast - 2}, {uartIIR, rd, 0xc1}, {0, wait, 2}, {uartIIR, rd, 0xcc}, {uartIIR, rd, 0xcc}}},
		{"the time-out begins anew with each byte received", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 0x41, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {0, wait, fast}, {uartData, 'b', 0}, {uartIIR, rd, 0xc1},
			{0, wait, fast}, {uartIIR, rd, 0xcc}}},
		{"a read of RBR ends the time-out, and it begins anew", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 0x41, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {uartData, 'b', 0}, {0, wait, fast}, {uartIIR, rd, 0xcc},
			{uartData, rd, 'a'}, {uartIIR, rd, 0xc1}, {0, wait, fast}, {uartIIR, rd, 0xcc}, {uartData, rd, 'b'}, {0, wait, fast}, {uartIIR, rd, 0xc1}}},
		{"the time-out shows above the trigger level, too", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 1, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {uartIIR, rd, 0xc4}, {0, wait, fast}, {uartIIR, rd, 0xcc}}},
		{"without FIFO there is no time-out", []op{
			{uartMCR, mcrLoop, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {0, wait, fast}, {uartIIR, rd, 4}}},
		{"divisor and format make the time-out longer", []op{
			{uartLCR, 0x8f, 0}, {uartData, 2, 0}, {uartLCR, 0x0f, 0}, // 8 bits, parity, two stop bits: 12 for 7, at half the rate
			{uartMCR, mcrLoop, 0}, {uartIIR, 0x41, 0}, {uartIER, 1, 0}, {uartData, 'a', 0}, {0, wait, 3 * fast}, {uartIIR, rd, 0xc1}, {0, wait, fast}, {uartIIR, rd, 0xcc}}},
		{"4 bytes are the trigger level of 01, 8 of 10, 14 of 11", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 0x41, 0}, {uartIER, 1, 0}, {uartData, '1', 0}, {uartData, '2', 0}, {uartData, '3', 0}, {uartIIR, rd, 0xc1},
			{uartData, '4', 0}, {uartIIR, rd, 0xc4}, {uartIIR, 0x81, 0}, {uartIIR, rd, 0xc1}, {uartData, '5', 0}, {uartData, '6', 0}, {uartData, '7', 0}, {uartIIR, rd, 0xc1},
			{uartData, '8', 0}, {uartIIR, rd, 0xc4}, {uartIIR, 0xc1, 0}, {uartIIR, rd, 0xc1}, {uartData, '9', 0}, {uartData, 'a', 0}, {uartData, 'b', 0}, {uartData, 'c', 0},
			{uartData, 'd', 0}, {uartIIR, rd, 0xc1}, {uartData, 'e', 0}, {uartIIR, rd, 0xc4}, {uartData, rd, '1'}, {uartIIR, rd, 0xc1}}},
		{"the seventeenth byte is lost, and the line status tells", []op{
			{uartMCR, mcrLoop, 0}, {uartIIR, 0xc1, 0}, {uartIER, 5, 0}, {uartData, 0, 0}, {uartData, 1, 0}, {uartData, 2, 0}, {uartData, 3, 0}, {uartData, 4, 0}, {uartData, 5, 0},
			{uartData, 6, 0}, {uartData, 7, 0}, {uartData, 8, 0}, {uartData, 9, 0}, {uartData, 10, 0}, {uartData, 11, 0}, {uartData, 12, 0}, {uartData, 13, 0}, {uartData, 14, 0},
			{uartData, 15, 0}, {uartIIR, rd, 0xc4}, {uartData, 16, 0}, {uartIIR, rd, 0xc6}, {uartLSR, rd, lsrTHRE | lsrTEMT | lsrDR | lsrOE}, {uartIIR, rd, 0xc4}, {uartData, rd, 0}}},
		{"priorities: line status, data, THR empty, modem", []op{
			{uartMCR, mcrLoop, 0}, {uartData, 'x', 0}, {uartData, 'y', 0}, {uartIER, 0xf, 0}, {uartIIR, rd, 6}, {uartLSR, rd, lsrTHRE | lsrTEMT | lsrDR | lsrOE},
			{uartIIR, rd, 4}, {uartData, rd, 'y'}, {uartIIR, rd, 2}, {uartIIR, rd, 0}, {uartMSR, rd, 0xb}, {uartIIR, rd, 1}}},
		{"RI tells only of its end", []op{
			{uartMCR, mcrLoop, 0}, {uartMSR, rd, 0xb}, {uartMCR, mcrLoop | mcrOUT1, 0}, {uartMSR, rd, msrRI}, {uartMCR, mcrLoop, 0}, {uartMSR, rd, 4}}},
		{"the FIFO's other bits are not programmed while it is off", []op{{uartIIR, 0xc0, 0}, {uartIIR, 1, 0}, {uartIER, 1, 0}, {uartMCR, mcrLoop, 0}, {uartData, 'x', 0}, {uartIIR, rd, 0xc4}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine("")
			for i, o := range c.ops {
				if o.out == wait {
					l.wait(uint64(o.want))
				} else if o.out == rd {
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
	_, ok, more := in.take(context.Background(), 0, 5, false)
	assert.False(t, ok)
	assert.True(t, more)
	w <- "ab"
	var b byte
	for now := uint64(10); !ok; now++ {
		b, ok, _ = in.take(context.Background(), 0, now, false)
	}
	assert.Equal(t, byte('a'), b)
	arrived := in.log[0].tick
	_, ok, more = in.take(context.Background(), 0, arrived-1, false)
	assert.False(t, ok, "a replay meets it no earlier")
	assert.True(t, more)
	close(w)
	end := uint64(1000)
	for ; more; end++ {
		_, _, more = in.take(context.Background(), 2, end, false)
	}
	_, _, more = in.take(context.Background(), 2, end-2, false)
	assert.True(t, more, "a replay meets the end no earlier")
}

// An input that waits gives up when its context ends.
func TestInputEndsWithContext(t *testing.T) {
	r, w := newPipe()
	defer close(w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, ok, more := NewInput(r).take(ctx, 0, 0, false)
	assert.False(t, ok)
	assert.True(t, more)
}

func TestUARTInterruptsOnIRQ4(t *testing.T) {
	const (
		out2    = "\xba\xfc\x03\xb0\x08\xee"   // mov dx,0x3fc; mov al,8; out dx,al
		receive = "\xba\xf9\x03\xb0\x01\xee"   // mov dx,0x3f9; mov al,1; out dx,al
		send    = "\xbe\x00\x05\xb9\x04\x00" + // mov si,0x500; mov cx,4
			"\xba\xf9\x03\xb0\x02\xee" // mov dx,0x3f9; mov al,2; out dx,al
		sleep = "\xfb\xf4\xeb\xfd"               // sti; l: hlt; jmp l
		eoi   = "\xb0\x20\xe6\x20\xcf"           // mov al,0x20; out 0x20,al; iret
		echo  = "\xba\xf8\x03\xec\xee\x3c\x2e" + // mov dx,0x3f8; in al,dx; out dx,al; cmp al,'.'
			"\x75\x04\xb0\x00\xe6\xf4" + eoi // jne eoi; mov al,0; out 0xf4,al
		next = "\xba\xf8\x03\x6e\x49\x75\x02\xe6\xf4" + eoi // mov dx,0x3f8; outsb; dec cx; jnz eoi; out 0xf4,al
	)
	for _, c := range []struct {
		rule, code, handler, want string
		reason                    Reason
	}{
		{"HLT ends with each byte received", initPICs + out2 + receive + sleep, echo, "hello.", Exited},
		{"THR empty asks for the next byte", initPICs + out2 + send + sleep, next, "text", Exited},
		{"MCR.OUT2 is the gate", initPICs + receive + sleep, echo, "", Halted},
		{"masked it wakes nobody", initPICs + "\xb0\x10\xe6\x21" + out2 + receive + sleep, echo, "", Halted},
		{"without initialised controllers it wakes nobody", out2 + receive + sleep, echo, "", Halted},
		{"with IF=0 it wakes nobody", initPICs + out2 + receive + "\xfa\xf4", echo, "", Halted},
	} {
		t.Run(c.rule, func(t *testing.T) {
			program := func(w *bytes.Buffer) *Machine {
				m := boot(t, Config{Serial: NewOutput(w), Input: NewInput(strings.NewReader("hello.!"))}, c.code)
				m.vector(8+uartIRQ, 0x600)
				m.Mem.WriteBytes(0x600, []byte(c.handler))
				m.Mem.WriteBytes(0x500, []byte("text"))
				return m
			}
			var out, again bytes.Buffer
			m, stepped := program(&out), program(&again)
			r := run(t, m, 1000000)
			assert.Equal(t, c.reason, r.Reason)
			assert.Equal(t, c.want, out.String())
			for stepped.CPU.Ticks() < r.Ticks && run(t, stepped, 1).Reason == Budget {
			}
			assert.Empty(t, same(m, stepped), "in steps it is the same")
		})
	}
}

// A request raised within a REP OUTS comes between two of its iterations.
func TestREPIsInterruptedByItsOwnOutput(t *testing.T) {
	// mov dx,0x3fc; mov al,8; out dx,al; mov dx,0x3f9; mov al,2; out dx,al; mov dx,0x3fa; in al,dx
	const quiet = "\xba\xfc\x03\xb0\x08\xee\xba\xf9\x03\xb0\x02\xee\xba\xfa\x03\xec"
	// mov si,0x500; mov cx,9; mov dx,0x3f8; sti; nop; rep outsb; hlt
	m := boot(t, Config{}, quiet+initPICs+"\xbe\x00\x05\xb9\x09\x00\xba\xf8\x03\xfb\x90\xf3\x6e\xf4")
	m.vector(8+uartIRQ, 0x600)
	m.Mem.WriteBytes(0x600, []byte("\x89\xcd\xf4")) // mov bp,cx; hlt
	assert.Equal(t, Halted, run(t, m, 10000).Reason)
	assert.EqualValues(t, 8, m.CPU.State().GPR[5], "CX in the handler")
}
