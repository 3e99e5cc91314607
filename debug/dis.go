package debug

import (
	"bufio"
	"fmt"
	"io"

	"x86emu/decode"
)

// DisOptions are how code is disassembled.
type DisOptions struct {
	Mode     decode.Mode
	Features decode.Feature // of the CPU model
	GNU      bool           // AT&T syntax, else Intel
	Count    uint64         // at most so many instructions; 0: no limit
}

// Disassemble writes a line for each instruction of code that starts at addr.
// A byte that begins no instruction is told as (bad), one that the end of the
// code cuts off as (cut).
func Disassemble(w io.Writer, code []byte, addr uint64, o DisOptions) error {
	b := bufio.NewWriter(w)
	d := decode.Decoder{Features: o.Features}
	var in decode.Inst
	for n := uint64(0); len(code) > 0 && (o.Count == 0 || n < o.Count); n++ {
		text, size := "(bad)", 1
		switch d.Decode(&in, code[:min(len(code), 15)], o.Mode) {
		case decode.OK:
			size = int(in.Len)
			if text = in.Intel(addr); o.GNU {
				text = in.GNU(addr)
			}
		case decode.NeedMore:
			text, size = "(cut)", len(code)
		}
		fmt.Fprintf(b, "%8x:  %-30x  %s\n", addr, code[:size], text)
		code, addr = code[size:], addr+uint64(size)
	}
	return b.Flush()
}
