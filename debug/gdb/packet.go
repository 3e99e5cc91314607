package gdb

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// This file is the framing: bytes to packets and back.

// packetSize is the longest packet either side may send, between $ and #.
const packetSize = 16 << 10

// signal is what came from the client.
type signal uint8

const (
	aPacket   signal = iota
	broken           // a packet whose checksum is wrong, or that is too long
	interrupt        // the byte 0x03
	resend           // -, the client wants the last packet again
)

// framer takes packets out of a stream of bytes.
type framer struct {
	r *bufio.Reader
}

func newFramer(r io.Reader) *framer { return &framer{bufio.NewReader(r)} }

// next waits for what comes next. Bytes outside of packets that mean nothing
// are passed over. The error is the reader's.
func (f *framer) next() (signal, []byte, error) {
	for {
		c, err := f.r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		switch c {
		case 0x03:
			return interrupt, nil, nil
		case '-':
			return resend, nil, nil
		case '$':
			return f.packet()
		}
	}
}

// packet reads the rest of a packet. A $ in it begins another one: what came
// before was cut off.
func (f *framer) packet() (signal, []byte, error) {
	var body []byte
	sum, long, escaped := byte(0), false, false
	for {
		c, err := f.r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		switch c {
		case '$':
			body, sum, long, escaped = body[:0], 0, false, false
			continue
		case '#':
			var check [2]byte
			if _, err := io.ReadFull(f.r, check[:]); err != nil {
				return 0, nil, err
			}
			want, err := strconv.ParseUint(string(check[:]), 16, 8)
			if err != nil || byte(want) != sum || long || escaped {
				return broken, nil, nil
			}
			return aPacket, body, nil
		}
		sum += c
		switch {
		case len(body) == packetSize:
			long = true
			continue
		case escaped:
			c ^= 0x20
			escaped = false
		case c == '}':
			escaped = true
			continue
		}
		body = append(body, c)
	}
}

// frame makes a packet of a body, which may be any bytes.
func frame(body string) []byte {
	b := make([]byte, 1, len(body)+8)
	b[0] = '$'
	for _, c := range []byte(body) {
		switch c {
		case '$', '#', '}', '*':
			b = append(b, '}', c^0x20)
		default:
			b = append(b, c)
		}
	}
	sum := byte(0)
	for _, c := range b[1:] {
		sum += c
	}
	return fmt.Appendf(b, "#%02x", sum)
}

// Parts of packets.

// hexNumber reads a number as packets have it: hexadecimal, without 0x.
func hexNumber(text string) (uint64, error) { return strconv.ParseUint(text, 16, 64) }

// addressAndLength reads ADDR,LENGTH.
func addressAndLength(text string) (addr, n uint64, err error) {
	a, b, found := strings.Cut(text, ",")
	if !found {
		return 0, 0, fmt.Errorf("%q: no comma", text)
	}
	if addr, err = hexNumber(a); err != nil {
		return 0, 0, err
	}
	n, err = hexNumber(b)
	return addr, n, err
}

// hexText is text in hexadecimal digits.
func hexText(text string) string { return hex.EncodeToString([]byte(text)) }

// chunk gives the part of a long text that a qXfer packet asks for: after l it
// is the last one, after m there is more.
func chunk(text, window string) (string, error) {
	off, n, err := addressAndLength(window)
	if err != nil {
		return "", err
	}
	if off >= uint64(len(text)) {
		return "l", nil
	}
	rest := text[off:]
	// Escapes may double it.
	if n = min(n, packetSize/2-1); n < uint64(len(rest)) {
		return "m" + rest[:n], nil
	}
	return "l" + rest, nil
}
