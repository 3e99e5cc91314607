package qemulog

import (
	"fmt"

	"x86emu/cpu"
)

// Reset writes what QEMU has for a reset of the processor, if Options.Reset asks
// for it: the registers as they are before.
func (l *Log) Reset() {
	if !l.o.Reset {
		return
	}
	s := l.m.CPU.State()
	l.buf = append(l.buf[:0], "CPU Reset (CPU 0)\n"...)
	l.buf = appendState(l.buf, &s)
	l.buf = appendFloat(l.buf, &s)
	l.w.Write(l.buf) // the error comes out of Flush
}

// appendFloat adds the registers of x87 and SSE.
func appendFloat(b []byte, s *cpu.State) []byte {
	f := &s.FP
	b = fmt.Appendf(b, "FCW=%04x FSW=%04x [ST=%d] FTW=%02x MXCSR=%08x\n", f.CW, f.SW, f.SW>>11&7, f.Used, f.MXCSR)
	for i, r := range f.R {
		b = fmt.Appendf(b, "FPR%d=%016x %04x%c", i, r.Sig, r.SE, lineEnd(i))
	}
	n := 8
	if code64(s) {
		n = len(f.XMM)
	}
	for i, x := range f.XMM[:n] {
		b = fmt.Appendf(b, "XMM%02d=%016x %016x%c", i, x.Hi, x.Lo, lineEnd(i))
	}
	return b
}

// lineEnd sets two to a line.
func lineEnd(i int) byte { return " \n"[i&1] }
