package dap

import (
	"context"
	"fmt"

	"github.com/google/go-dap"

	"x86emu/debug"
	"x86emu/machine"
)

// journey is a movement of the guest that a client asks for.
type journey struct {
	run     func(context.Context) error // by the session
	resumes bool                        // interrupted, it can go on where it is; else it begins anew
}

// movement is a journey under way, in a goroutine that has the session for
// itself until done.
type movement struct {
	journey
	cancel context.CancelFunc
	done   chan error
	from   uint64 // tick
	over   bool   // from behind the end of the run
	paused bool   // the client has asked for its end
}

// step is a step into, or over, what the instruction or the line calls.
func (c *client) step(g dap.SteppingGranularity, over bool) journey {
	switch {
	case g != "instruction":
		return journey{run: func(ctx context.Context) error { return c.t.StepLine(ctx, over) }}
	case over:
		return journey{run: c.t.Next}
	}
	return journey{run: func(ctx context.Context) error { return c.t.Step(ctx, 1) }}
}

func (c *client) stepBack(g dap.SteppingGranularity) journey {
	if g != "instruction" {
		return journey{run: c.t.BackLine}
	}
	return journey{run: func(ctx context.Context) error { return c.t.Back(ctx, 1) }}
}

// proceed answers a request that moves the guest, and moves it then. Going on
// behind the end of the run ends the debugging.
func (c *client) proceed(ctx context.Context, r dap.Message, j journey) (dap.Message, error) {
	if !c.begun {
		return nil, fmt.Errorf("the configuration is not done")
	}
	c.after = func() {
		if j.resumes && c.t.Stopped().Over {
			c.terminated()
			return
		}
		c.start(ctx, j)
	}
	return r, nil
}

// start moves the guest; arrived is called when it has come to a stop.
func (c *client) start(ctx context.Context, j journey) {
	c.vars.forget()
	c.breaks.arm(c)
	c.launchMovement(ctx, &movement{journey: j, from: c.t.Tick(), over: c.t.Stopped().Over}, j.run)
}

func (c *client) launchMovement(ctx context.Context, m *movement, run func(context.Context) error) {
	ctx, m.cancel = context.WithCancel(ctx)
	m.done = make(chan error, 1)
	c.move = m
	go func() { m.done <- run(ctx) }()
}

// stop ends the movement under way, if there is one, and tells nobody.
func (c *client) stop() {
	if c.move != nil {
		c.move.cancel()
		<-c.move.done
		c.move = nil
	}
}

func (c *client) pause(r *dap.PauseRequest) (dap.Message, error) {
	if c.move == nil {
		return nil, fmt.Errorf("the guest does not run")
	}
	c.move.paused = true
	c.after = c.move.cancel
	return &dap.PauseResponse{Response: ok(r)}, nil
}

// meanwhile lets f change the breakpoints; a movement under way is interrupted
// for it and goes on behind the response.
func (c *client) meanwhile(ctx context.Context, f func()) {
	m := c.move
	if m == nil {
		f()
		return
	}
	m.cancel()
	err := <-m.done
	f()
	stop := c.t.Stopped()
	c.after = func() {
		if err != nil || stop.Why != debug.Cancelled || stop.Over || m.paused {
			c.arrived(err)
			return
		}
		c.breaks.arm(c)
		run := m.run
		switch {
		case m.resumes && c.t.Tick() != m.from:
			run = c.t.Resume
		case c.t.Tick() != m.from || m.over:
			run = func(ctx context.Context) error { return c.again(ctx, m) }
		}
		c.launchMovement(ctx, m, run)
	}
}

// again makes a movement anew from where it began.
func (c *client) again(ctx context.Context, m *movement) error {
	to := m.from
	if m.over {
		to = machine.NoBudget
	}
	if err := c.t.Goto(ctx, to); err != nil || c.t.Stopped().Why == debug.Cancelled {
		return err
	}
	return m.run(ctx)
}

// arrived tells the client that the guest stands, and why.
func (c *client) arrived(err error) {
	c.move.cancel()
	c.move = nil
	c.text.flush()
	if err != nil {
		c.out.send(said("stderr", fmt.Sprintf("x86emu: %s\n", err)))
		c.stopped(dap.StoppedEventBody{Reason: "pause", Description: "an error", Text: err.Error()})
		return
	}
	stop := c.t.Stopped()
	e := dap.StoppedEventBody{Reason: "step", Description: stop.Words}
	switch {
	case stop.Over:
		for _, line := range stop.Result.Story() {
			c.out.send(said("console", line+"\n"))
		}
		c.out.send(said("console", fmt.Sprintf("the run is over at tick %d: exit status %d\n", stop.Result.Ticks, stop.Result.Status())))
		if !c.args.stopsAtEnd() {
			c.terminated()
			return
		}
		e.Reason = "exit"
	case stop.Why == debug.Cancelled:
		e.Reason = "pause"
	case stop.Why == debug.AtCondition:
		e.Reason, e.HitBreakpointIds = c.breaks.hit(stop.Met)
		if raised := c.t.Raises(); e.Reason == "exception" && raised != nil {
			e.Description, e.Text = "before "+raised.Name, exceptionText(raised)
		}
	}
	c.stopped(e)
}

// stopped tells that the guest stands.
func (c *client) stopped(e dap.StoppedEventBody) {
	e.ThreadId, e.AllThreadsStopped = thread, true
	c.out.send(&dap.StoppedEvent{Event: event("stopped"), Body: e})
}

// exceptionText tells an exception in a line.
func exceptionText(e *debug.Taken) string {
	s := e.Words
	if e.Code != nil {
		s += fmt.Sprintf(", error code %s", *e.Code)
		if e.Means != "" {
			s += " (" + e.Means + ")"
		}
	}
	if e.CR2 != nil {
		s += fmt.Sprintf(", CR2 %s", *e.CR2)
	}
	return s
}

// exceptionInfo tells of the exception that the next step raises.
func (c *client) exceptionInfo(r *dap.ExceptionInfoRequest) (dap.Message, error) {
	raised := c.t.Raises()
	if raised == nil {
		return nil, fmt.Errorf("the next step raises nothing")
	}
	return &dap.ExceptionInfoResponse{Response: ok(r), Body: dap.ExceptionInfoResponseBody{
		ExceptionId: raised.Name, Description: exceptionText(raised), BreakMode: "always",
		Details: &dap.ExceptionDetails{Message: exceptionText(raised), TypeName: raised.Name},
	}}, nil
}
