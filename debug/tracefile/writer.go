package tracefile

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"x86emu/cpu"
	"x86emu/debug"
)

const (
	magic = "x86emuT\x1a"
	// blockSize is when a block is written: so many bytes of records or a little more.
	blockSize = 1 << 20
	// maxBlock bounds a block's records, maxPacked a block as it stands in the file.
	maxBlock  = blockSize + maxLine + 64
	maxPacked = maxBlock + maxBlock/128 + 1024
	// maxLine bounds a line.
	maxLine = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewJSON begins a trace in JSON lines, or what is left of one in words.
func NewJSON(w io.Writer, h Header, o debug.LineOptions) debug.TraceWriter {
	l := debug.NewLines(w, o)
	if o.JSON {
		l.Line(h.complete().line())
	}
	return l
}

// Writer is a debug.TraceWriter of the binary form.
type Writer struct {
	w   io.Writer
	c   *codec
	z   *zstd.Encoder
	out []byte
	err error // of the first write that failed
}

// NewWriter begins a trace in the binary form.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	h = h.complete()
	line := h.line()
	b := append([]byte(magic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[len(magic):], Version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(line)))
	b = append(b, line...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(line, castagnoli))
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	return &Writer{w: w, c: newCodec(false, len(h.Registers)), z: z}, nil
}

// full writes the block if it is.
func (w *Writer) full() {
	if len(w.c.buf) >= blockSize {
		w.flush()
	}
}

// flush writes the block.
func (w *Writer) flush() {
	if len(w.c.buf) == 0 {
		return
	}
	w.out = w.z.EncodeAll(w.c.buf, append(w.out[:0], make([]byte, 12)...))
	binary.LittleEndian.PutUint32(w.out, uint32(len(w.out)-12))
	binary.LittleEndian.PutUint32(w.out[4:], uint32(len(w.c.buf)))
	binary.LittleEndian.PutUint32(w.out[8:], crc32.Checksum(w.out[12:], castagnoli))
	w.write(w.out)
	w.c.buf = w.c.buf[:0]
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

// Instruction is debug.TraceWriter's. One whose bytes are not all known any more
// is kept as a line.
func (w *Writer) Instruction(i *debug.TraceInst) {
	if len(i.Code) != int(i.Inst.Len) {
		var b bytes.Buffer
		l := debug.NewLines(&b, debug.LineOptions{JSON: true})
		l.Instruction(i)
		if err := l.Close(); err != nil {
			panic("BUG: " + err.Error())
		}
		w.Line(b.Bytes())
		return
	}
	record := *i
	w.c.inst(tagInst, &record)
	w.full()
}

// Access is debug.TraceWriter's.
func (w *Writer) Access(e *cpu.AccessEvent) {
	w.c.access(0, &access{e.Tick, uint64(e.Linear), e.Value, e.Size, e.Write})
	w.full()
}

// Registers is debug.TraceWriter's.
func (w *Writer) Registers(tick uint64, changes []debug.Change) {
	w.c.registers(0, &tick, changes)
	w.full()
}

// Line is debug.TraceWriter's.
func (w *Writer) Line(line []byte) {
	w.c.line(line)
	w.full()
}

// Close is debug.TraceWriter's.
func (w *Writer) Close() error {
	w.flush()
	w.write(make([]byte, 12))
	return w.err
}
