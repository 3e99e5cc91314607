package gdb

import (
	"encoding/hex"
	"fmt"
	"strings"

	"x86emu/debug"
	"x86emu/machine"
	"x86emu/mmu"
)

// This file reads and writes memory for the client: at linear addresses, through
// the TLB and the page tables as they are, whatever their rights, and with no
// effect on either; or at physical ones. Devices do not notice: where neither
// RAM nor ROM is, nothing can be read.

// readMemory is the m packet: ADDR,LENGTH. As much is read as there is.
func (t *target) readMemory(text string, physical bool) string {
	addr, n, err := addressAndLength(text)
	if err != nil {
		return badArgument
	}
	b := make([]byte, min(n, packetSize/2))
	if b = b[:t.read(addr, b, physical)]; len(b) == 0 && n > 0 {
		return badAddress
	}
	return hex.EncodeToString(b)
}

// read reads memory and gives how many bytes could be read.
func (t *target) read(addr uint64, b []byte, physical bool) int {
	if physical {
		return t.machine().Mem.Peek(mmu.Phys(addr), b)
	}
	return debug.Peek(t.machine(), mmu.Linear(addr), b)
}

// writeMemory is the M packet, its data in digits, and the X packet, in bytes:
// ADDR,LENGTH:DATA.
func (t *target) writeMemory(text string, digits, physical bool) string {
	place, data, found := strings.Cut(text, ":")
	addr, n, err := addressAndLength(place)
	if err != nil || !found {
		return badArgument
	}
	b := []byte(data)
	if digits {
		if b, err = hex.DecodeString(data); err != nil {
			return badArgument
		}
	}
	if uint64(len(b)) != n {
		return badArgument
	}
	if len(b) == 0 {
		return ok // how gdb asks whether there is an X packet
	}
	if t.read(addr, make([]byte, len(b)), physical) < len(b) {
		return badAddress
	}
	stored := 0
	if err := t.change(len(b), func(m *machine.Machine) {
		if stored = len(b); physical {
			m.Mem.WriteBytes(mmu.Phys(addr), b)
		} else {
			stored = debug.Poke(m, mmu.Linear(addr), b)
		}
	}); err != nil {
		return fault(err)
	}
	if stored < len(b) {
		return fault(fmt.Errorf("at 0x%x there is ROM", addr+uint64(stored)))
	}
	return ok
}
