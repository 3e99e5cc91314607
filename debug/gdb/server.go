package gdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"x86emu/debug"
	"x86emu/machine"
)

// DefaultAddress is where a server listens that is not told otherwise.
const DefaultAddress = "127.0.0.1:1234"

// Listen opens the port of an address; see debug.Listen.
func Listen(address string) (net.Listener, error) { return debug.Listen(address, DefaultAddress) }

// Options describe what a server lets its clients debug.
type Options struct {
	// Wait lets the guest stand until a client continues it; else it runs until
	// one connects.
	Wait    bool
	Symbols *debug.Symbols // for the monitor's commands; nil: none
	History uint64         // bytes that the past may take; 0: debug.DefaultHistory
	Budget  uint64         // ticks after which the run ends; 0: none
	// Tell is given lines for the user on this side: who came and went. nil: nobody.
	Tell func(line string)
}

// Serve lets one client after the other debug a machine, and runs it meanwhile
// as they say, until a client lets the run end, kills it, or ctx ends; a run
// that is not being debugged ends by itself. It closes the listener. The Result
// is that of the run, Cancelled if it was killed. The error is the host's.
func Serve(ctx context.Context, l net.Listener, m *machine.Machine, o Options) (machine.Result, error) {
	if o.History == 0 {
		o.History = debug.DefaultHistory
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	s := &server{o: o, listener: l, clients: make(chan net.Conn), place: make(chan struct{}, 1)}
	s.place <- struct{}{}
	s.t = newTarget(m, o)
	defer s.t.close()
	ctx, cancel := context.WithCancel(ctx)
	var accepting sync.WaitGroup
	accepting.Go(func() { s.accept(ctx) })
	defer accepting.Wait()
	defer l.Close()
	defer cancel()
	return s.serve(ctx)
}

// server is a listener, its clients, and what they debug.
type server struct {
	o        Options
	listener net.Listener
	t        *target
	clients  chan net.Conn
	place    chan struct{} // what a client takes when it attaches
}

// grace is how long a client waits for the one before to go: a debugger that
// detaches and attaches at once finds the place free.
const grace = 500 * time.Millisecond

// accept hands over one client at a time, and refuses others.
func (s *server) accept(ctx context.Context) {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of files, perhaps: clients that go may help.
			time.Sleep(100 * time.Millisecond)
			continue
		}
		select {
		case <-s.place:
		case <-time.After(grace):
			s.refuse(c)
			continue
		case <-ctx.Done():
			c.Close()
			return
		}
		select {
		case s.clients <- c:
		case <-ctx.Done():
			c.Close()
			return
		}
	}
}

// refuse tells a client that another one is here. What it says answers the first
// packet of a debugger, and can be read by a person.
func (s *server) refuse(c net.Conn) {
	s.o.Tell(fmt.Sprintf("refused %s: one debugger at a time", c.RemoteAddr()))
	c.SetDeadline(time.Now().Add(sendTimeout))
	c.Write(append([]byte("+"), frame("E.another debugger is attached to this guest")...))
	c.Close()
}

// parting is how a client's session has ended.
type parting uint8

const (
	gone     parting = iota // the connection is lost: the guest stands still
	detached                // the client let go: the guest runs on
	killed                  // the client ended the run
	over                    // the run has come to its end, and the client knows
)

// serve is the life of the server.
func (s *server) serve(ctx context.Context) (machine.Result, error) {
	free := !s.o.Wait
	for {
		var c net.Conn
		if free {
			r, err := s.runFree(ctx, &c)
			if c == nil || err != nil {
				return r, err
			}
		} else {
			select {
			case c = <-s.clients:
			case <-ctx.Done():
				return s.t.cancelled(), nil
			}
		}
		s.o.Tell(fmt.Sprintf("%s attached", c.RemoteAddr()))
		how, err := newDialog(s.t, c).serve(ctx)
		c.Close()
		s.t.forget()
		s.place <- struct{}{}
		switch {
		case err != nil:
			return machine.Result{}, err
		case ctx.Err() != nil, how == killed:
			return s.t.cancelled(), nil
		case how == over:
			return s.t.end, nil
		case how == gone:
			s.o.Tell(fmt.Sprintf("%s is gone: the guest stands at tick %d", c.RemoteAddr(), s.t.h.Tick()))
		default:
			s.o.Tell(fmt.Sprintf("%s detached: the guest runs", c.RemoteAddr()))
		}
		free = how == detached
	}
}

// runFree runs the guest until a client comes, or to its end.
func (s *server) runFree(ctx context.Context, c *net.Conn) (machine.Result, error) {
	run, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	var a debug.Arrival
	var err error
	go func() {
		defer close(done)
		a, err = s.t.runOn(run)
	}()
	select {
	case *c = <-s.clients:
		stop()
		<-done
	case <-done:
	}
	if err != nil || *c != nil {
		return machine.Result{}, err
	}
	return s.t.resultOf(a), nil
}
