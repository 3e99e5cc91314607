package machine

import "io"

// pipe is a reader of strings sent to a channel.
type pipe struct {
	from <-chan string
	rest string
}

func newPipe() (*pipe, chan<- string) {
	c := make(chan string)
	return &pipe{from: c}, c
}

func (p *pipe) Read(b []byte) (int, error) {
	if p.rest == "" {
		s, ok := <-p.from
		if !ok {
			return 0, io.EOF
		}
		p.rest = s
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
