// Package bios holds the built-in BIOS to a table of calls, on x86emu, and to what
// SeaBIOS answers to the same calls on QEMU. A boot sector, calls.S, makes them.
package bios

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

//go:embed calls.bin
var sector []byte

// Call is one call of the BIOS, and what is to come of it. Numbers are hexadecimal.
type Call struct {
	Name string
	// Do is the vector and the registers that are not 0, as "10 ah=0e al=41"; or
	// "out PORT VALUE", or "in PORT" with the value in AL. DS:SI is &data, DS 0, where there is Data.
	Do string
	// Want are registers after the call, as in Do, and the flags cf and zf.
	Want string
	// Look is what is wanted of memory: "SEGMENT:OFFSET BYTES", a dot for any digit; "data BYTES"
	// is of Data.
	Look string
	// Data lies in memory for the call, in hexadecimal, spaces between bytes left out.
	Data string
	// SeaBIOS says why it answers otherwise, and is not asked to agree.
	SeaBIOS string
	// NotHere says why SeaBIOS answers so on QEMU alone, and not on this board.
	NotHere string
}

const (
	table      = 0x8000
	recordSize = 48
	resultSize = 36
	dataAt     = 0xc000 // Data, 64 bytes for each call that has some
	dataSize   = 64

	diskSize, diskTable     = 1 << 20, 62 // bytes, and sectors of the table: a track's
	floppySize, floppyTable = 1440 << 10, 17
)

// regs are the registers by the place of the 32-bit one in a record, and in a result.
var regs = map[string]struct{ in, out, shift, bits int }{}

func init() {
	for i, r := range []struct {
		name string
		out  int
	}{{"ax", 28}, {"bx", 16}, {"cx", 24}, {"dx", 20}, {"si", 4}, {"di", 0}, {"bp", 8}} {
		in := 8 + 4*i
		regs[r.name] = struct{ in, out, shift, bits int }{in, r.out, 0, 16}
		regs["e"+r.name] = struct{ in, out, shift, bits int }{in, r.out, 0, 32}
		if i < 4 {
			regs[r.name[:1]+"l"] = struct{ in, out, shift, bits int }{in, r.out, 0, 8}
			regs[r.name[:1]+"h"] = struct{ in, out, shift, bits int }{in, r.out, 8, 8}
		}
	}
	regs["ds"] = struct{ in, out, shift, bits int }{2, -1, 0, 16}
	regs["es"] = struct{ in, out, shift, bits int }{4, 32, 0, 16}
	regs["cf"] = struct{ in, out, shift, bits int }{-1, 34, 0, 1}
	regs["zf"] = struct{ in, out, shift, bits int }{-1, 34, 6, 1}
}

// each calls f for each word "register=value".
func each(words []string, f func(name string, value uint32) error) error {
	for _, w := range words {
		name, text, _ := strings.Cut(w, "=")
		v, err := strconv.ParseUint(text, 16, 32)
		if _, ok := regs[name]; !ok || err != nil {
			return fmt.Errorf("%q is no register with a value", w)
		}
		if err := f(name, uint32(v)); err != nil {
			return err
		}
	}
	return nil
}

// record makes the record of a call. n is its number.
func (c *Call) record(n int) ([]byte, error) {
	le := binary.LittleEndian
	b := make([]byte, recordSize)
	words := strings.Fields(c.Do)
	set := func(name string, v uint32) error {
		r := regs[name]
		if r.in < 0 {
			return fmt.Errorf("%s cannot be given", name)
		}
		old := le.Uint32(b[r.in:])
		mask := uint32(1<<r.bits-1) << r.shift
		le.PutUint32(b[r.in:], old&^mask|v<<r.shift)
		return nil
	}
	switch words[0] {
	case "out":
		b[0] = 0xfe
		words = []string{"", "dx=" + words[1], "al=" + words[2]}
	case "in":
		b[0] = 0xfd
		words = []string{"", "dx=" + words[1]}
	default:
		v, err := strconv.ParseUint(words[0], 16, 8)
		if err != nil {
			return nil, err
		}
		b[0] = uint8(v)
	}
	if c.Data != "" {
		le.PutUint32(b[regs["si"].in:], uint32(dataAt+n*dataSize))
	}
	if err := each(words[1:], set); err != nil {
		return nil, err
	}
	if c.Look != "" {
		place, want := c.look()
		segment, offset := uint16(0), uint16(dataAt+n*dataSize)
		if place != "data" {
			if _, err := fmt.Sscanf(place, "%x:%x", &segment, &offset); err != nil {
				return nil, err
			}
		}
		le.PutUint16(b[36:], offset)
		le.PutUint16(b[38:], segment)
		le.PutUint16(b[40:], uint16(len(want)/2))
	}
	return b, nil
}

// look takes what is wanted of memory apart.
func (c *Call) look() (place, want string) {
	place, want, _ = strings.Cut(c.Look, " ")
	return place, strings.ReplaceAll(want, " ", "")
}

// Disk makes the disk that makes the calls, a hard disk or a floppy disk.
func Disk(calls []Call, floppy bool) ([]byte, error) {
	size, sectors := diskSize, diskTable
	if floppy {
		size, sectors = floppySize, floppyTable
	}
	memory := make([]byte, diskTable*512)
	for i := range calls {
		r, err := calls[i].record(i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", calls[i].Name, err)
		}
		copy(memory[i*recordSize:], r)
		data, err := hex.DecodeString(strings.ReplaceAll(calls[i].Data, " ", ""))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", calls[i].Name, err)
		}
		if len(data) > 0 {
			copy(memory[dataAt-table+i*dataSize:], data)
		}
	}
	if len(calls)*recordSize >= min(dataAt-table, sectors*512) {
		return nil, fmt.Errorf("there is no room for %d calls", len(calls))
	}
	disk := make([]byte, size)
	for i := range size / 512 { // a sector tells its number
		binary.LittleEndian.PutUint32(disk[512*i:], uint32(i))
	}
	copy(disk, sector)
	disk[508] = uint8(sectors)
	copy(disk[512:], memory[:512*sectors])
	return disk, nil
}

// Judge compares what a call has given, the beginning of out, with what was wanted. It
// gives what is wrong, if anything is, and the rest of out.
func (c *Call) Judge(out []byte) (wrong []string, rest []byte) {
	place, want := c.look()
	n := resultSize + len(want)/2
	if len(out) < n {
		return []string{"no answer: the run ended before"}, nil
	}
	result, memory := out[:resultSize], fmt.Sprintf("%x", out[resultSize:n])
	err := each(strings.Fields(c.Want), func(name string, v uint32) error {
		r := regs[name]
		b := append(bytes.Clone(result[r.out:]), 0, 0, 0, 0)
		got := binary.LittleEndian.Uint32(b) >> r.shift & uint32(1<<r.bits-1)
		if got != v {
			wrong = append(wrong, fmt.Sprintf("%s=%x, not %x", name, got, v))
		}
		return nil
	})
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for i := range want {
		if want[i] != '.' && want[i] != memory[i] {
			wrong = append(wrong, fmt.Sprintf("%s has %s, not %s", place, memory, want))
			break
		}
	}
	return wrong, out[n:]
}
