package machine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/mmu"
)

// Pieces of real-mode programs.
const (
	// ICW1 to ICW4 of both controllers: vectors from 0x08 and 0x70.
	initPICs = "\xb0\x11\xe6\x20\xe6\xa0\xb0\x08\xe6\x21\xb0\x70\xe6\xa1\xb0\x04\xe6\x21\xb0\x02\xe6\xa1\xb0\x01\xe6\x21\xe6\xa1"
	// fninit; mov word [0x500],0x37b; fldcw [0x500]: division by zero is unmasked.
	unmaskZE = "\xdb\xe3\xc7\x06\x00\x05\x7b\x03\xd9\x2e\x00\x05"
	// fld1; fldz; fdivp; nop
	divide = "\xd9\xe8\xd9\xee\xde\xf9\x90"
	fwait  = "\x9b"

	// Of handlers: inc bp; pop word [0x502]; push word [0x502]; fnstsw [0x504]
	note = "\x45\x8f\x06\x02\x05\xff\x36\x02\x05\xdd\x3e\x04\x05"
	// out 0xf0,al; fnclex
	ignore, fnclex = "\xe6\xf0", "\xdb\xe2"
	// mov al,0x20; out 0xa0,al; out 0x20,al; iret
	eoiIRET = "\xb0\x20\xe6\xa0\xe6\x20\xcf"
)

func TestFloatErrorIsIRQ13(t *testing.T) {
	const (
		before = len(initPICs) + 4 + 1 + len(unmaskZE) + len(divide)
		at     = 0x7c00 + before // the first waiting instruction
	)
	for _, c := range []struct {
		rule    string
		code    string // after STI or not and the division
		handler string
		noIF    bool
		mask    byte // of the slave
		count   uint64
		float   bool // told with the result
	}{
		{rule: "the next waiting instruction freezes until IRQ 13", code: fwait + "\xf4", handler: note + ignore + fnclex + eoiIRET, count: 1},
		{rule: "an arithmetic instruction waits as well", code: "\xd9\xe8\xf4", handler: note + ignore + fnclex + eoiIRET, count: 1},
		{rule: "an MMX instruction waits as well", code: "\x0f\x77\xf4", handler: note + ignore + fnclex + eoiIRET, count: 1},
		{rule: "under IGNNE# it runs with the exception pending", code: fwait + fwait + "\xf4", handler: note + ignore + eoiIRET, count: 1},
		{rule: "IGNNE# ends with the exception: the next one freezes again", code: fwait + "\xdb\xe2" + divide + fwait + "\xf4",
			handler: "\x45\xe6\xf0" + eoiIRET, count: 2},
		{rule: "cleared without port 0xF0 the latch stays: no second edge", code: fwait + divide + fwait + "\xf4", handler: note + fnclex + eoiIRET, count: 1, float: true},
		{rule: "with IF=0 it freezes for good", noIF: true, code: fwait + "\xf4", float: true},
		{rule: "masked in the slave it freezes for good", mask: 0x20, code: fwait + "\xf4", float: true},
		{rule: "no-wait forms go on", code: "\xdf\xe0\xdb\xe2" + fwait + "\xf4"}, // fnstsw ax; fnclex
	} {
		t.Run(c.rule, func(t *testing.T) {
			start := "\xfb" // sti
			if c.noIF {
				start = "\xfa"
			}
			mask := "\xb0" + string(rune(c.mask)) + "\xe6\xa1" // mov al,mask; out 0xa1,al
			program := func() *Machine {
				m := boot(t, Config{}, initPICs+mask+start+unmaskZE+divide+c.code)
				m.vector(0x75, 0x600)
				m.Mem.WriteBytes(0x600, []byte(c.handler))
				return m
			}
			m, stepped := program(), program()
			r := run(t, m, 100000)
			assert.Equal(t, Halted, r.Reason)
			assert.Equal(t, c.float, r.FloatError)
			assert.Equal(t, c.count, m.CPU.State().GPR[5], "interrupts")
			if strings.HasPrefix(c.handler, note) {
				assert.EqualValues(t, at, m.Mem.Read(0x502, 2), "the interrupt returns to the instruction that waited")
				assert.EqualValues(t, 0x84, m.Mem.Read(0x504, 2)&0xff, "ES and ZE are seen")
			}
			for range r.Ticks {
				run(t, stepped, 1)
			}
			assert.Empty(t, same(m, stepped), "in steps it is the same")
		})
	}
}

func TestFloatErrorStaysInsideWithNE(t *testing.T) {
	m := boot(t, Config{}, unmaskZE+divide+fwait+"\xf4")
	m.vector(16, 0x600)
	m.Mem.WriteBytes(0x600, []byte("\x45\xf4")) // inc bp; hlt
	s := m.CPU.State()
	s.CR0 |= mmu.CR0NE
	m.CPU.SetState(s)
	assert.Equal(t, Halted, run(t, m, 1000).Reason)
	assert.EqualValues(t, 1, m.CPU.State().GPR[5], "#MF")
	assert.False(t, m.float.s.FERR)
}
