package gdb

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// This file is one client's connection: who reads, who answers, how an
// interrupt comes through while the guest runs.

// sendTimeout is how long a client may take to read an answer.
const sendTimeout = 10 * time.Second

// dialog is one client, from attaching to parting.
type dialog struct {
	t    *target
	conn net.Conn
	last []byte // what was sent last, for a client that wants it again
	part *parting

	mu     sync.Mutex
	noAck  bool
	count  uint64             // packets read
	broken uint64             // the last packet before an interrupt came
	cancel context.CancelFunc // of the run in progress
	lost   bool               // the connection has ended

	physical bool // addresses are physical ones
	dead     bool // a packet could not be sent
}

// request is a packet to be answered.
type request struct {
	number uint64
	body   string
}

func newDialog(t *target, conn net.Conn) *dialog { return &dialog{t: t, conn: conn} }

// maxWaiting is how many packets a client may send ahead while the guest runs.
const maxWaiting = 64

// serve answers packets until the client parts.
func (s *dialog) serve(ctx context.Context) (parting, error) {
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	requests := make(chan request, maxWaiting)
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() { s.read(requests, done) })
	defer reading.Wait()
	defer s.conn.Close()
	defer close(done)
	for q := range requests {
		answer, err := s.answer(ctx, q)
		if err != nil {
			return gone, err
		}
		if answer != silence {
			s.send(answer)
		}
		switch {
		case s.part != nil:
			return *s.part, nil
		case s.isDead():
			return gone, nil
		}
	}
	return gone, nil
}

// read takes packets off the connection, acknowledges them and hands them over.
// An interrupt, and the end of the connection, stop a run at once.
func (s *dialog) read(requests chan<- request, done <-chan struct{}) {
	defer close(requests)
	f := newFramer(s.conn)
	for {
		what, body, err := f.next()
		if err != nil {
			s.stopRun(true)
			return
		}
		switch what {
		case interrupt:
			s.stopRun(false)
		case resend:
			s.write(nil)
		case broken:
			s.acknowledge('-')
		case aPacket:
			s.acknowledge('+')
			s.mu.Lock()
			s.count++
			q := request{s.count, string(body)}
			if q.body == "QStartNoAckMode" {
				s.noAck = true
			}
			s.mu.Unlock()
			if len(requests) == cap(requests) {
				// Nobody reads on while the guest runs, not even an interrupt.
				s.stopRun(false)
			}
			select {
			case requests <- q:
			case <-done:
				return
			}
		}
	}
}

// stopRun stops the run that the last packet began, whether it has begun by now
// or is about to. An interrupt that comes between two runs stops nothing.
func (s *dialog) stopRun(lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken, s.lost = s.count, s.lost || lost
	if s.cancel != nil {
		s.cancel()
	}
}

// running makes the context of what a packet begins and an interrupt may end.
func (s *dialog) running(ctx context.Context, q request) (context.Context, context.CancelFunc) {
	run, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel = cancel
	if s.lost || s.broken >= q.number {
		cancel()
	}
	return run, func() {
		s.mu.Lock()
		s.cancel = nil
		s.mu.Unlock()
		cancel()
	}
}

// acknowledge sends + or -, if the client wants that.
func (s *dialog) acknowledge(sign byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.noAck {
		s.conn.SetWriteDeadline(time.Now().Add(sendTimeout))
		s.conn.Write([]byte{sign})
	}
}

// send sends a packet.
func (s *dialog) send(body string) { s.write(frame(body)) }

// write sends bytes, or with nil the last packet again. A client that does not
// take them is lost.
func (s *dialog) write(packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if packet != nil {
		s.last = packet
	}
	s.conn.SetWriteDeadline(time.Now().Add(sendTimeout))
	if _, err := s.conn.Write(s.last); err != nil {
		s.dead = true
		s.conn.Close()
	}
}

func (s *dialog) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// print shows lines on the client's console. It may be done while the client
// waits for the end of a run or of a monitor command.
func (s *dialog) print(text string) {
	for text := range slices.Chunk([]byte(text), packetSize/2-2) {
		s.send("O" + hexText(string(text)))
	}
}

// silence is the answer to what is not answered.
const silence = "\x00"

// Answers without contents.
const (
	ok          = "OK"
	unsupported = ""
	badArgument = "E16" // EINVAL in hexadecimal, as all are: 22
	badAddress  = "E0e" // EFAULT
)

// fault is an error with words, which a newer gdb shows.
func fault(err error) string {
	return "E." + printable(err.Error())
}
