package gdb

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// stub is a server at work, and what became of it.
type stub struct {
	t      testing.TB
	addr   string
	stop   context.CancelFunc
	result chan machine.Result
	told   chan string
}

// kernel is a machine with a built-in kernel in it.
func kernel(t testing.TB, name string) *machine.Machine {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	return m
}

// flat is a machine with code at 0x1000, in a mode of 16, 32 or 64 bits.
func flat(t testing.TB, mode uint8, code string) *machine.Machine {
	t.Helper()
	m, err := machine.New(machine.Config{RAM: 1 << 20})
	require.NoError(t, err)
	image, err := guest.ParseFlat([]byte(code), 0x1000, guest.Mode(mode), 0)
	require.NoError(t, err)
	require.NoError(t, image.Load(m, guest.Options{}))
	return m
}

// serve begins a server for a machine.
func serve(t testing.TB, m *machine.Machine, o Options) *stub {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s := &stub{t: t, addr: l.Addr().String(), stop: cancel, result: make(chan machine.Result, 1), told: make(chan string, 100)}
	o.Tell = func(line string) { s.told <- line }
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err := Serve(ctx, l, m, o)
		assert.NoError(t, err)
		s.result <- r
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}

// end waits for the end of the server's run.
func (s *stub) end() machine.Result {
	s.t.Helper()
	select {
	case r := <-s.result:
		return r
	case <-time.After(patience):
		require.Fail(s.t, "the server goes on")
		return machine.Result{}
	}
}

// patience is how long anything may take.
const patience = 20 * time.Second

// client is a debugger of our own.
type client struct {
	t       testing.TB
	conn    net.Conn
	in      *framer
	console string // what O packets have printed
}

func (s *stub) connect() *client {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(patience)))
	return &client{t: s.t, conn: conn, in: newFramer(conn)}
}

// write sends bytes as they are.
func (c *client) write(bytes string) {
	c.t.Helper()
	_, err := c.conn.Write([]byte(bytes))
	require.NoError(c.t, err)
}

// next is the next packet; what is printed is kept apart.
func (c *client) next() string {
	c.t.Helper()
	for {
		what, body, err := c.in.next()
		require.NoError(c.t, err)
		if what != aPacket {
			return fmt.Sprintf("signal %d", what)
		}
		text, err := hex.DecodeString(strings.TrimPrefix(string(body), "O"))
		if len(body) == 0 || body[0] != 'O' || err != nil {
			return string(body)
		}
		c.console += string(text)
	}
}

// ask sends a packet and gives the answer.
func (c *client) ask(body string) string {
	c.t.Helper()
	c.write(string(frame(body)))
	return c.next()
}

// command is what a monitor command prints.
func (c *client) command(line string) string {
	c.t.Helper()
	c.console = ""
	require.Equal(c.t, ok, c.ask("qRcmd,"+hexText(line)), line)
	return c.console
}

// word is a register, by name.
func (c *client) word(name string) uint64 {
	c.t.Helper()
	for i := range registers {
		if registers[i].name == name {
			b, err := hex.DecodeString(c.ask(fmt.Sprintf("p%x", i)))
			require.NoError(c.t, err)
			require.Len(c.t, b, registers[i].bytes())
			return registers[i].take(b)[0]
		}
	}
	require.Fail(c.t, "no register "+name)
	return 0
}
