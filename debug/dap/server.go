package dap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/machine"
)

// Guest is a machine that stands at its beginning, and what goes with it.
type Guest struct {
	Machine *machine.Machine
	Text    *session.Transcript // of its devices; the machine was made with Text.Output
	Symbols *debug.Symbols      // nil: none
	Image   string              // its name: a file's path, or a built-in kernel
	History uint64              // bytes that its past may take; 0: debug.DefaultHistory
	Close   func() error        // lets go of its files; may be nil
}

// Options are what a server can do beside the protocol.
type Options struct {
	// Launch makes a guest as a launch asks for. The error is shown to the user.
	Launch func(*LaunchArguments) (*Guest, error)
	// Restore makes a guest of the snapshot that an attach names.
	Restore func(*LaunchArguments) (*Guest, error)
	// Held, if not nil, is the machine that an attach without a snapshot joins.
	Held *Held
	// Log, if not nil, is told in lines what no client can be told.
	Log io.Writer
}

// Held is a machine that a server holds: clients come and go, and each finds it
// where the last one left it.
type Held struct{ target *target }

// Hold begins to hold a guest.
func Hold(g *Guest) (*Held, error) {
	t, err := newTarget(g)
	if err != nil {
		return nil, err
	}
	return &Held{t}, nil
}

// Goto moves the held machine to a tick, for the first client.
func (h *Held) Goto(ctx context.Context, tick uint64) error { return h.target.Goto(ctx, tick) }

// Close gives the machine back.
func (h *Held) Close() error { return h.target.close() }

// Serve serves one client, until it disconnects, the stream ends, or ctx does.
// The error tells of a stream that broke, or of a client that does not speak
// the protocol.
func Serve(ctx context.Context, r io.Reader, w io.Writer, o Options) error {
	c := newClient(o, w)
	defer c.close()
	return c.serve(ctx, r)
}

// ExampleAddress is one to listen at; no port is reserved for the protocol.
const ExampleAddress = "127.0.0.1:4711"

// ServeAll serves the clients of a listener, one at a time, until ctx ends. A
// client that comes while another is served is told so.
func ServeAll(ctx context.Context, l net.Listener, o Options) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	free := make(chan struct{}, 1)
	free <- struct{}{}
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			// The machine is the last client's until that has gone.
			select {
			case <-free:
			case <-time.After(patience):
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			time.Sleep(patience / 20) // too many open files, or the like
			continue
		}
		select {
		case <-free:
			go func() {
				defer func() { free <- struct{}{} }()
				serveConn(ctx, conn, o)
			}()
		default:
			go refuse(conn)
		}
	}
}

// patience is how long others are waited for that should be quick.
const patience = 2 * time.Second

func serveConn(ctx context.Context, conn net.Conn, o Options) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := Serve(ctx, conn, impatient{conn}, o); err != nil && ctx.Err() == nil && o.Log != nil {
		fmt.Fprintf(o.Log, "x86emu: %s: %s\n", conn.RemoteAddr(), err)
	}
}

// impatient writes to a client that must take what it is sent: one that is there
// and does not read would keep all others out.
type impatient struct{ net.Conn }

// readTime is how long a client may leave a message.
const readTime = time.Minute

func (c impatient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(readTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// refuse answers a client's first request that another one is served.
func refuse(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	content, err := readContent(newReader(conn))
	if err != nil {
		return
	}
	seq, command := headOf(content)
	newWriter(conn).send(failure(seq, command, errors.New("another client is connected: one at a time")))
}

// target is a guest in a session.
type target struct {
	*session.Session
	guest *Guest
}

func newTarget(g *Guest) (*target, error) {
	s, err := session.New(g.Machine, g.Text, session.Options{Image: g.Image, Symbols: g.Symbols, History: g.History, StopNext: true})
	if err != nil {
		return nil, err
	}
	t := &target{s, g}
	t.forget()
	return t, nil
}

// forget deletes all breakpoints.
func (t *target) forget() {
	for _, b := range t.Breaks() {
		if err := t.Delete(b.Number); err != nil {
			panic("BUG: " + err.Error())
		}
	}
}

func (t *target) close() error {
	t.guest.Text.CopyTo(nil)
	err := t.Session.Close()
	if t.guest.Close != nil {
		err = errors.Join(err, t.guest.Close())
	}
	return err
}
