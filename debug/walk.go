package debug

import (
	"fmt"
	"strings"

	"x86emu/mmu"
)

// entryFlags are the letters of an entry's bits, lowest first.
// [SDM 3A, Figure "Formats of CR3 and Paging-Structure Entries"]
var entryFlags = []struct {
	bit  uint64
	name string
}{
	{mmu.PtePresent, "P"}, {mmu.PteWritable, "W"}, {mmu.PteUser, "U"}, {1 << 3, "PWT"}, {1 << 4, "PCD"},
	{mmu.PteAccessed, "A"}, {mmu.PteDirty, "D"}, {mmu.PteLarge, "PS"}, {mmu.PteGlobal, "G"}, {mmu.PteXD, "XD"},
}

// WalkLines tells a walk: a line for each level, then the verdict.
func WalkLines(w *mmu.Walk, cr3 uint64) []string {
	lines := []string{fmt.Sprintf("0x%x: %s, paging %s, CR3 0x%x", uint64(w.Lin), accessText(w.Access), w.Mode, cr3)}
	for i := range w.Steps[:w.N] {
		lines = append(lines, stepLine(w, i))
	}
	if !w.OK() {
		return append(lines, fmt.Sprintf("  #PF, error code 0x%x, CR2 0x%x: %s", w.Code, uint64(w.Lin), w.Rule))
	}
	return append(lines, fmt.Sprintf("  physical 0x%x, %s page%s", uint64(w.Phys()), pageSize(w.Shift), rights(w.Translation)))
}

// stepLine tells one entry.
func stepLine(w *mmu.Walk, i int) string {
	s := &w.Steps[i]
	var b strings.Builder
	if s.Size == 0 {
		fmt.Fprintf(&b, "  %-5s register %-10d", s.Level, w.Lin>>30&3)
	} else {
		fmt.Fprintf(&b, "  %-5s %4d at 0x%-10x", s.Level, uint64(s.At)&mmu.PageMask/uint64(s.Size), uint64(s.At))
	}
	fmt.Fprintf(&b, " 0x%0*x", max(8, 2*int(s.Size)), s.Raw)
	for _, f := range entryFlags {
		if s.Raw&f.bit != 0 && (s.Size != 4 || f.bit != mmu.PteXD) {
			b.WriteString(" " + f.name)
		}
	}
	if w.Decider == i {
		fmt.Fprintf(&b, "   <- %s (bits 0x%x)", w.Rule, w.Bits)
	}
	return b.String()
}

// pageSize names a size by its log2.
func pageSize(shift uint8) string {
	switch {
	case shift >= 30:
		return fmt.Sprintf("%d GiB", 1<<(shift-30))
	case shift >= 20:
		return fmt.Sprintf("%d MiB", 1<<(shift-20))
	}
	return fmt.Sprintf("%d KiB", 1<<(shift-10))
}

// rights tells what all levels together allow.
func rights(e mmu.Translation) string {
	s := ", read"
	if e.Rights&mmu.RightWrite != 0 {
		s += " write"
	}
	if e.Rights&mmu.RightExec != 0 {
		s += " execute"
	}
	if e.Rights&mmu.RightUser != 0 {
		s += ", user"
	} else {
		s += ", supervisor"
	}
	if e.Rights&mmu.RightGlobal != 0 {
		s += ", global"
	}
	if e.Key != 0 {
		s += fmt.Sprintf(", key %d", e.Key)
	}
	return s
}
