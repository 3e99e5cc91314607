package sst

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxFile bounds a file after it is decompressed, in bytes.
const maxFile = 256 << 20

// Sniff tells whether data may begin a file of a suite: MOO, or a list of JSON
// objects; gzip is to be taken off before.
func Sniff(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return bytes.HasPrefix(data, []byte("MOO ")) || bytes.HasPrefix(data, []byte("["))
}

// Read reads a file of a suite, gzip'd or not. name is for errors, which are
// one line.
func Read(r io.Reader, name string) (*File, error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b = bufio.NewReader(z)
	}
	limited := io.LimitReader(b, maxFile)
	f, err := read(limited)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

func read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	switch {
	case len(data) == maxFile:
		return nil, fmt.Errorf("more than %d MiB", maxFile>>20)
	case bytes.HasPrefix(data, []byte("MOO ")):
		return parseMOO(data)
	case Sniff(data):
		return parseJSON(bytes.NewReader(data))
	}
	return nil, errors.New("neither MOO nor a list of JSON objects")
}
