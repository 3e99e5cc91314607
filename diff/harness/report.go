package harness

import (
	"encoding/binary"

	"x86emu/diff"
)

// What a report is about.
const (
	reportHello    = 'h' // the image has started
	reportCase     = 'c' // a case has come to a collector
	reportNotBegun = 'n' // an exception has kept a case from beginning
	reportShutdown = 's' // a case has reset the machine
	reportDirty    = 'd' // a page has changed that no case was expected to change
	reportEnd      = 'e' // there are no more cases
)

// byHostFailed is the vector of reportNotBegun when there was no exception.
const byHostFailed = 0xff

// report is one message of the image.
type report struct {
	kind    byte
	number  uint32 // of the case in the table; of the table in hello and end; of a dirty page
	vector  uint8
	which   uint64 // a bit for each slot that has changed
	changed state
	words   []diff.Word
	cut     bool // there were more words
}

const (
	reportMark = 0xa5
	mostWords  = 5000
)

// reports takes a machine's debug console apart. What lies between reports,
// firmware's words for example, is passed over.
type reports struct {
	rest []byte
	got  func(*report)
}

func (s *reports) Write(b []byte) (int, error) {
	s.rest = append(s.rest, b...)
	for {
		n, r := s.next()
		if n == 0 {
			return len(b), nil
		}
		s.rest = s.rest[n:]
		if r != nil {
			s.got(r)
		}
	}
}

// next takes a report, or a byte that is none. n is 0 when there is too little.
func (s *reports) next() (n int, r *report) {
	b := s.rest
	if len(b) == 0 {
		return 0, nil
	}
	if b[0] != reportMark {
		return 1, nil
	}
	if len(b) < 3 {
		return 0, nil
	}
	size := int(binary.LittleEndian.Uint16(b[1:]))
	if len(b) < 3+size+1 {
		return 0, nil
	}
	body := b[3 : 3+size]
	sum := byte(0)
	for _, v := range body {
		sum += v
	}
	if sum != b[3+size] {
		return 1, nil
	}
	if r = parseReport(body); r == nil {
		return 1, nil
	}
	return 3 + size + 1, r
}

// parseReport reads what is between length and sum; nil if it is no report.
func parseReport(b []byte) *report {
	le := binary.LittleEndian
	if len(b) < 5 {
		return nil
	}
	r := &report{kind: b[0], number: le.Uint32(b[1:])}
	b = b[5:]
	switch r.kind {
	case reportHello, reportShutdown, reportDirty, reportEnd:
		return r
	case reportCase, reportNotBegun:
	default:
		return nil
	}
	if len(b) < 9 {
		return nil
	}
	r.vector, r.which = b[0], le.Uint64(b[1:])
	b = b[9:]
	for i := range r.changed {
		if r.which>>i&1 == 0 {
			continue
		}
		if len(b) < 8 {
			return nil
		}
		r.changed[i] = le.Uint64(b)
		b = b[8:]
	}
	if len(b) < 4 {
		return nil
	}
	n := le.Uint32(b)
	b = b[4:]
	if n > mostWords {
		n, r.cut = mostWords, true
	}
	if len(b) != int(n)*10 {
		return nil
	}
	for ; len(b) > 0; b = b[10:] {
		r.words = append(r.words, diff.Word{At: diff.Offset(le.Uint16(b)) * 8, Value: le.Uint64(b[2:])})
	}
	return r
}
