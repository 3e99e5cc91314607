package dap

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"x86emu/debug"
	"x86emu/machine"
	"x86emu/mmu"
)

// Bounds of one request: bytes of memory, and instructions.
const (
	maxRead         = 1 << 20
	maxInstructions = 1 << 12
)

// physicalMark begins a reference to physical memory; all others are linear
// addresses.
const physicalMark = "phys:"

func reference(at uint64) string         { return fmt.Sprintf("0x%x", at) }
func physicalReference(at uint64) string { return fmt.Sprintf("%s0x%x", physicalMark, at) }

// location is where a memory reference leads.
type location struct {
	addr     uint64
	physical bool
}

func (l location) String() string {
	if l.physical {
		return physicalReference(l.addr)
	}
	return reference(l.addr)
}

func parseReference(text string, offset int) (l location, err error) {
	digits, physical := strings.CutPrefix(text, physicalMark)
	l.physical = physical
	if l.addr, err = strconv.ParseUint(digits, 0, 64); err != nil {
		return l, fmt.Errorf("memory reference %.40q: must be an address such as 0x100000 or phys:0x1000", text)
	}
	l.addr += uint64(offset)
	return l, nil
}

// peek reads what is there, with no effect on the guest.
func (l location) peek(m *machine.Machine, b []byte) int {
	if l.physical {
		return m.Mem.Peek(mmu.Phys(l.addr), b)
	}
	return debug.Peek(m, mmu.Linear(l.addr), b)
}

// poke stores into RAM.
func (l location) poke(m *machine.Machine, b []byte) int {
	if !l.physical {
		return debug.Poke(m, mmu.Linear(l.addr), b)
	}
	n := m.Mem.Peek(mmu.Phys(l.addr), make([]byte, len(b)))
	m.Mem.WriteBytes(mmu.Phys(l.addr), b[:n])
	return n
}

func (c *client) readMemory(r *dap.ReadMemoryRequest) (dap.Message, error) {
	a := r.Arguments
	l, err := parseReference(a.MemoryReference, a.Offset)
	if err != nil {
		return nil, err
	}
	if a.Count < 0 || a.Count > maxRead {
		return nil, fmt.Errorf("%d bytes: must be a number from 0 to %d", a.Count, maxRead)
	}
	m, _ := c.t.Present()
	b := make([]byte, a.Count)
	n := l.peek(m, b)
	body := dap.ReadMemoryResponseBody{Address: reference(l.addr), Data: base64.StdEncoding.EncodeToString(b[:n])}
	if n < len(b) {
		body.UnreadableBytes = unreadable(m, l, n, len(b))
	}
	return &dap.ReadMemoryResponse{Response: ok(r), Body: body}, nil
}

// unreadable counts the bytes from n on, up to the first page that can be read
// again.
func unreadable(m *machine.Machine, l location, n, end int) int {
	var one [1]byte
	first := n
	for n < end {
		at := location{l.addr + uint64(n), l.physical}
		if at.peek(m, one[:]) == 1 {
			break
		}
		n += int(mmu.PageSize - at.addr&mmu.PageMask)
	}
	return min(n, end) - first
}

// writeMemory changes memory at the present tick, and again whenever the run comes
// by here.
func (c *client) writeMemory(r *dap.WriteMemoryRequest) (dap.Message, error) {
	a := r.Arguments
	l, err := parseReference(a.MemoryReference, a.Offset)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(a.Data)
	if err != nil {
		return nil, fmt.Errorf("the data are not in base64")
	}
	if len(b) > maxRead {
		return nil, fmt.Errorf("%d bytes: at most %d", len(b), maxRead)
	}
	m, _ := c.t.Present()
	n := l.peek(m, make([]byte, len(b)))
	if n < len(b) && !a.AllowPartial || n == 0 && len(b) > 0 {
		return nil, fmt.Errorf("at %s only %d of %d bytes are in memory", l, n, len(b))
	}
	if n > 0 {
		if err := c.t.Change(func(m *machine.Machine) { l.poke(m, b[:n]) }); err != nil {
			return nil, err
		}
		c.vars.forget()
		c.after = func() {
			if c.remembers {
				c.out.send(&dap.MemoryEvent{Event: event("memory"), Body: dap.MemoryEventBody{MemoryReference: a.MemoryReference, Offset: a.Offset, Count: n}})
			}
			c.invalidated()
		}
	}
	return &dap.WriteMemoryResponse{Response: ok(r), Body: dap.WriteMemoryResponseBody{BytesWritten: n}}, nil
}

// disassemble tells as many instructions as are asked for, also where there are
// none.
func (c *client) disassemble(r *dap.DisassembleRequest) (dap.Message, error) {
	a := r.Arguments
	l, err := parseReference(a.MemoryReference, a.Offset)
	switch {
	case err != nil:
		return nil, err
	case l.physical:
		return nil, fmt.Errorf("code is disassembled at linear addresses")
	case a.InstructionCount < 0 || a.InstructionCount > maxInstructions:
		return nil, fmt.Errorf("%d instructions: must be a number from 0 to %d", a.InstructionCount, maxInstructions)
	case a.InstructionOffset < -maxInstructions || a.InstructionOffset > maxInstructions:
		return nil, fmt.Errorf("an offset of %d instructions: must be at most %d either way", a.InstructionOffset, maxInstructions)
	}
	all := make([]dap.DisassembledInstruction, 0, a.InstructionCount)
	last := ""
	for _, i := range c.t.Instructions(l.addr, a.InstructionOffset, a.InstructionCount) {
		d := dap.DisassembledInstruction{Address: reference(i.Addr), InstructionBytes: debug.Spaced(i.Bytes), Instruction: i.Text, Symbol: i.Label}
		if i.Source != "" {
			s := c.sources.source(i.Source)
			d.Line = i.Line - 1 + c.firstLine
			if last != i.Source { // it goes on until another is named
				d.Location, last = s, i.Source
			}
		}
		all = append(all, d)
	}
	return &dap.DisassembleResponse{Response: ok(r), Body: dap.DisassembleResponseBody{Instructions: all}}, nil
}
