package mmu

import (
	"fmt"
	"strings"
)

// String tells the access in words, as in "user write".
func (a Access) String() string {
	who := "supervisor"
	switch {
	case a&User != 0:
		who = "user"
	case a&AC != 0:
		who = "supervisor (AC)"
	}
	switch {
	case a&Exec != 0:
		return who + " fetch"
	case a&Write != 0:
		return who + " write"
	}
	return who + " read"
}

// Flags names the bits set in the entry: "P W U A D".
func (s Step) Flags() string {
	var names []string
	for _, f := range []struct {
		bit  uint64
		name string
	}{
		{PtePresent, "P"}, {PteWritable, "W"}, {PteUser, "U"}, {1 << 3, "PWT"}, {1 << 4, "PCD"},
		{PteAccessed, "A"}, {PteDirty, "D"}, {PteLarge, "PS"}, {PteGlobal, "G"}, {PteXD, "XD"},
	} {
		if s.Raw&f.bit == 0 {
			continue
		}
		if f.bit == PteLarge && s.Level == LevelPTE {
			f.name = "PAT"
		}
		names = append(names, f.name)
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, " ")
}

// String tells the walk, one line for each level and one for the verdict.
func (w *Walk) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %#x, %s paging\n", w.Access, uint64(w.Lin), w.Mode)
	for i, s := range w.Steps[:w.N] {
		at, digits := fmt.Sprintf("[%#x]", uint64(s.At)), 2*int(s.Size)
		if s.Size == 0 {
			at, digits = "register", 16
		}
		fmt.Fprintf(&b, "  %-5s %-14s = 0x%0*x  %s", s.Level, at, digits, s.Raw, s.Flags())
		if i == w.Decider {
			fmt.Fprintf(&b, "  <- %s", w.Rule)
			if w.Rule == RuleReserved {
				fmt.Fprintf(&b, " %#x", w.Bits)
			}
		}
		b.WriteByte('\n')
	}
	if w.FromTLB {
		b.WriteString("  by an entry of the TLB\n")
	}
	if !w.OK() {
		fmt.Fprintf(&b, "  #PF: %s, error code %#x (%s)\n", w.Rule, w.Code, CodeString(w.Code))
		return b.String()
	}
	fmt.Fprintf(&b, "  physical %#x", uint64(w.Phys()))
	if w.Mode != ModeNone {
		fmt.Fprintf(&b, ", %s page, %s", pageSize(w.Shift), w.Rights)
	}
	b.WriteByte('\n')
	return b.String()
}

func pageSize(shift uint8) string {
	switch {
	case shift >= 30:
		return fmt.Sprintf("%dG", 1<<(shift-30))
	case shift >= 20:
		return fmt.Sprintf("%dM", 1<<(shift-20))
	}
	return fmt.Sprintf("%dK", 1<<(shift-10))
}

// String gives the rights as "user rwx dirty global".
func (r Rights) String() string {
	s := "supervisor "
	if r&RightUser != 0 {
		s = "user "
	}
	s += "r"
	for _, f := range []struct {
		bit       Rights
		yes, none string
	}{{RightWrite, "w", "-"}, {RightExec, "x", "-"}, {RightDirty, " dirty", ""}, {RightGlobal, " global", ""}} {
		if r&f.bit != 0 {
			s += f.yes
		} else {
			s += f.none
		}
	}
	return s
}

// CodeString tells a page fault's error code: the names of its bits and what
// they say, "W U: user write, not present".
// [SDM 3A, Interrupt 14—Page-Fault Exception (#PF)]
func CodeString(code uint32) string {
	s := ""
	for i, name := range []string{"P", "W", "U", "RSVD", "I", "PK"} {
		if code>>i&1 != 0 {
			s += name + " "
		}
	}
	if s != "" {
		s = s[:len(s)-1] + ": "
	}
	if code&PFUser != 0 {
		s += "user "
	} else {
		s += "supervisor "
	}
	switch {
	case code&PFFetch != 0:
		s += "fetch, "
	case code&PFWrite != 0:
		s += "write, "
	default:
		s += "read or fetch, " // I is set only where XD or SMEP is on
	}
	switch {
	case code&PFReserved != 0:
		return s + "reserved bit set"
	case code&PFPKey != 0:
		return s + "protection key"
	case code&PFPresent != 0:
		return s + "no right"
	}
	return s + "not present"
}
