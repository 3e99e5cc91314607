package debug

import (
	"x86emu/debug/stale"
	"x86emu/decode"
	"x86emu/machine"
)

// StaleUse is an access through an entry of the TLB that the page tables no
// longer support, because a flush is missing. It is told once for an instruction,
// page and store; see package stale for what counts.
type StaleUse struct {
	Tick   uint64 `json:"tick"`
	Access string `json:"access"` // "user write", "supervisor fetch", ...
	Lin    Hex    `json:"lin"`
	CS     Hex    `json:"cs"` // of the instruction
	RIP    Hex    `json:"rip"`
	At     *Place `json:"at,omitempty"`

	TLB     StaleEntry   `json:"tlb"`
	Tables  string       `json:"tables"` // what they say by now: a frame, or what is missing
	Changed *StaleChange `json:"changed,omitempty"`
	Change  string       `json:"change"`  // the same in words
	Missing string       `json:"missing"` // the flush
	Details []string     `json:"details"` // all of this in words
}

// StaleEntry is what the TLB has.
type StaleEntry struct {
	Page   Hex     `json:"page"`
	Frame  Hex     `json:"frame"`
	Rights string  `json:"rights"`
	Since  *uint64 `json:"since,omitempty"` // tick; absent where it was not seen
}

// StaleChange is the entry of the page tables that has changed since. Its store is
// absent where it was not seen.
type StaleChange struct {
	Level string  `json:"level"`
	At    Hex     `json:"at"`
	Was   Hex     `json:"was"`
	Is    Hex     `json:"is"`
	Tick  *uint64 `json:"tick,omitempty"`
	RIP   *Hex    `json:"rip,omitempty"`
}

// Stale makes a use as package stale tells it into one with names of places.
func (s *Symbols) Stale(m *machine.Machine, u *stale.Use) *StaleUse {
	v := &StaleUse{
		Tick: u.Tick, Access: u.Access.String(), Lin: Hex(u.Lin), CS: Hex(u.CS), RIP: Hex(u.RIP),
		TLB:    StaleEntry{Page: Hex(u.Entry.Page), Frame: Hex(u.Entry.Frame), Rights: u.Entry.Rights.String()},
		Tables: u.Says(), Change: u.Change(), Missing: u.Flush(), Details: u.Details(),
	}
	if u.Known {
		v.TLB.Since = &u.Made.Tick
	}
	if u.Was.Size != 0 {
		v.Changed = &StaleChange{Level: u.Was.Level.String(), At: Hex(u.Was.At), Was: Hex(u.Was.Raw), Is: Hex(u.Is)}
		if u.Write != nil {
			v.Changed.Tick, v.Changed.RIP = &u.Write.Tick, hexOf(u.Write.RIP)
		}
	}
	lin := u.RIP
	if m.CPU.Mode() != decode.Mode64 {
		lin = uint64(uint32(m.CPU.Regs().Seg[decode.CS].Base + u.RIP))
	}
	v.At = s.At(lin)
	return v
}

// Head tells who used the entry, for what.
func (u *StaleUse) Head() string {
	return u.Access + " of " + u.Lin.String() + " at " + u.CS.String() + ":" + u.RIP.String() + at(u.At)
}

// StaleUses counts the uses of stale TLB entries that the story tells.
func (s *Story) StaleUses() uint64 {
	n := uint64(len(s.Stale)) + s.StaleMore
	for i := range s.Events {
		for j := range s.Events[i].Stages {
			if s.Events[i].Stages[j].Kind == StageStale {
				n++
			}
		}
	}
	return n
}
