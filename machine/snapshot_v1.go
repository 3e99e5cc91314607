package machine

import (
	"bufio"
	_ "embed"
	"errors"
	"io"
	"strings"
)

// A file of version 1 does not tell its fields. After magic and version comes a
// zlib stream,
//
//	layout    8 bytes: a hash over the types of what follows
//	model     1 byte length, name
//	RAM       8 bytes, TLB off 1 byte
//	State     of the processor
//	TLB       4 bytes count, entries
//	timers    8 bytes each
//	devices   their states
//	pages     address 8 bytes, 4096 bytes each; pages of zeros are left out
//	end       8 bytes of ones
//
// and the SHA-256 of the stream before compression. The fields that such files
// had at last are in snapshot_v1.txt, in the order of the file; others, those
// of boards with more devices among them, cannot be read any more.
//
//go:embed snapshot_v1.txt
var version1Fields string

const (
	version1Layout = 0xfc22ed6f61f3d109
	endOfPages     = ^uint64(0)
)

// readVersion1 reads what the zlib stream of a file of version 1 holds.
func readVersion1(r *bufio.Reader, cfg Config) (*Machine, error) {
	layout, err := readUint64(r)
	if err != nil {
		return nil, err
	}
	if layout != version1Layout {
		return nil, errors.New("it is of version 1, with other fields or devices than this build can read")
	}
	var about board
	about.setPorts(&firstPorts)
	n, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	if int(n) > len(about.Model) {
		return nil, errDamaged
	}
	if _, err := io.ReadFull(r, about.Model[:n]); err != nil {
		return nil, err
	}
	if about.RAM, err = readUint64(r); err != nil {
		return nil, err
	}
	tlbOff, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	about.TLBOff = tlbOff != 0
	m, err := about.make(cfg)
	if err != nil {
		return nil, err
	}
	l := loading{m: m, state: m.CPU.State()}
	for text := range strings.SplitSeq(version1Fields, "# ") {
		name, fields, found := strings.Cut(text, "\n")
		if !found {
			continue // before the first
		}
		s := section{name: name, records: 1}
		if s.fields, s.size, err = parseFields(fields); err != nil {
			panic("BUG: " + name + ": " + err.Error())
		}
		if name == sectionTLB {
			if s.records, err = readUint32(r); err != nil {
				return nil, err
			}
		}
		if err := l.read(r, &s); err != nil {
			return nil, err
		}
	}
	for {
		at, err := readUint64(r)
		if err != nil {
			return nil, err
		}
		if at == endOfPages {
			break
		}
		if err := m.readPage(r, at); err != nil {
			return nil, err
		}
	}
	return l.done(), nil
}
