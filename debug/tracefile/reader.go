package tracefile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/decode"
	"x86emu/mmu"
)

// Reader reads a trace of either form, line by line.
type Reader struct {
	Header Header

	r     *bufio.Reader
	ended bool // the last line has been read
	line  []byte

	// binary
	c       *codec // nil: JSON lines
	z       *zstd.Decoder
	dec     decode.Decoder
	block   []byte
	packed  []byte
	changes []debug.Change
	text    bytes.Buffer
	lines   *debug.Lines
}

// Open reads a trace's header. Instructions of the binary form are printed in
// AT&T syntax if gnu is set.
func Open(r io.Reader, gnu bool) (*Reader, error) {
	t := &Reader{r: bufio.NewReaderSize(r, 1<<16)}
	mark, err := t.r.Peek(len(magic))
	if err == nil && string(mark) == magic {
		return t, t.openBinary(gnu)
	}
	if len(mark) == 0 || mark[0] != '{' {
		return nil, errForeign
	}
	line, err := t.readLine(maxHeader)
	if err != nil {
		return nil, errForeign
	}
	t.Header, err = parseHeader(line)
	return t, err
}

// openBinary reads the binary form's header.
func (t *Reader) openBinary(gnu bool) error {
	var fixed [len(magic) + 8]byte
	if _, err := io.ReadFull(t.r, fixed[:]); err != nil {
		return cut(err)
	}
	if err := checkVersion(int(binary.LittleEndian.Uint32(fixed[len(magic):]))); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(fixed[len(magic)+4:])
	if n > maxHeader {
		return errDamaged
	}
	line := make([]byte, n+4)
	if _, err := io.ReadFull(t.r, line); err != nil {
		return cut(err)
	}
	if binary.LittleEndian.Uint32(line[n:]) != crc32.Checksum(line[:n], castagnoli) {
		return errDamaged
	}
	var err error
	if t.Header, err = parseHeader(line[:n]); err != nil {
		return err
	}
	model, ok := cpu.ModelByName(t.Header.CPU)
	if !ok || len(t.Header.Registers) < others {
		return errDamaged
	}
	t.dec.Features = model.Features
	if t.z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxBlock)); err != nil {
		return err
	}
	t.c = newCodec(true, len(t.Header.Registers))
	t.lines = debug.NewLines(&t.text, debug.LineOptions{JSON: true, GNU: gnu, Registers: t.Header.Registers})
	return nil
}

// cut makes the end of a file that came too soon an error that says so.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTruncated
	}
	return err
}

// Next gives the next JSON line, with its newline, good until the next call.
// The error is io.EOF after the line of kind "end".
func (t *Reader) Next() ([]byte, error) {
	switch {
	case t.ended:
		return nil, t.end()
	case t.c != nil:
		return t.nextRecord()
	}
	line, err := t.readLine(maxLine)
	if err != nil {
		return nil, err
	}
	return t.foreign(line)
}

// foreign checks a line that stood in the file as such, and notes the last.
func (t *Reader) foreign(line []byte) ([]byte, error) {
	_, kind, ok := debug.LineKind(line)
	if !ok || !isLine(line) {
		return nil, errDamaged
	}
	t.ended = kind == debug.KindEnd
	return line, nil
}

// end checks that nothing follows.
func (t *Reader) end() error {
	if t.c != nil {
		if len(t.c.buf) != 0 {
			return errDamaged
		}
		more, err := t.readBlock()
		if err != nil {
			return err
		}
		if more {
			return errMore
		}
	}
	if _, err := t.r.ReadByte(); err != io.EOF {
		if err != nil {
			return err
		}
		return errMore
	}
	return io.EOF
}

// isLine tells whether a line is JSON, and one line.
func isLine(line []byte) bool {
	return bytes.IndexByte(line, '\n') == len(line)-1 && json.Valid(line)
}

// readLine reads a line of at most a length.
func (t *Reader) readLine(most int) ([]byte, error) {
	t.line = t.line[:0]
	for {
		part, err := t.r.ReadSlice('\n')
		if t.line = append(t.line, part...); len(t.line) > most {
			return nil, errDamaged
		}
		if err == nil {
			return t.line, nil
		}
		if err != bufio.ErrBufferFull {
			return nil, cut(err)
		}
	}
}

// readBlock reads the next block; false is the end.
func (t *Reader) readBlock() (bool, error) {
	var head [12]byte
	if _, err := io.ReadFull(t.r, head[:]); err != nil {
		return false, cut(err)
	}
	if head == [12]byte{} {
		return false, nil
	}
	packed, size, sum := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	if packed > maxPacked || size > maxBlock || size == 0 {
		return false, errDamaged
	}
	if cap(t.packed) < int(packed) {
		t.packed = make([]byte, packed)
	}
	t.packed = t.packed[:packed]
	if _, err := io.ReadFull(t.r, t.packed); err != nil {
		return false, cut(err)
	}
	if crc32.Checksum(t.packed, castagnoli) != sum {
		return false, errDamaged
	}
	var err error
	if t.block, err = t.z.DecodeAll(t.packed, t.block[:0]); err != nil || len(t.block) != int(size) {
		return false, errDamaged
	}
	t.c.buf = t.block
	return true, nil
}

// nextRecord turns the next record into a line.
func (t *Reader) nextRecord() ([]byte, error) {
	for len(t.c.buf) == 0 {
		more, err := t.readBlock()
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, errDamaged // the mark of the end without its line
		}
	}
	t.text.Reset()
	var tag uint8
	t.c.octet(&tag)
	switch tag & tagKind {
	case tagInst:
		var i debug.TraceInst
		t.c.inst(tag, &i)
		var in decode.Inst
		if t.c.bad || t.dec.Decode(&in, i.Code, i.Mode) != decode.OK || int(in.Len) != len(i.Code) {
			return nil, errDamaged
		}
		i.Inst = &in
		t.lines.Instruction(&i)
	case tagRead, tagWrite:
		var a access
		t.c.access(tag, &a)
		t.lines.Access(&cpu.AccessEvent{Tick: a.tick, Linear: mmu.Linear(a.lin), Size: a.size, Write: a.write, Value: a.value})
	case tagRegs:
		var tick uint64
		t.changes = t.c.registers(tag, &tick, t.changes)
		if !t.c.bad {
			t.lines.Registers(tick, t.changes)
		}
	case tagLine:
		line := t.c.line(nil)
		if t.c.bad {
			return nil, errDamaged
		}
		return t.foreign(line)
	default:
		return nil, errDamaged
	}
	if t.c.bad {
		return nil, errDamaged
	}
	if err := t.lines.Close(); err != nil {
		return nil, err
	}
	return t.text.Bytes(), nil
}
