package debug

import "strings"

// LineFilter is a Filter for the lines of a trace that was made before.
type LineFilter struct {
	Filter
	here, cr2 uint64 // of the last instruction, and of the last #PF
	kept      uint64
}

// kindOf is the kind that a line's kind belongs to, 0 for the end.
func kindOf(kind string) Kinds {
	switch kind {
	case "inst":
		return KindInst
	case "read", "write":
		return KindMem
	case "walk":
		return KindWalk
	case "in", "out":
		return KindIO
	case "regs":
		return KindRegs
	case "vector", "gate", "selector", "check", "stack", "push":
		return KindStage
	case KindEnd:
		return 0
	}
	return KindEvent
}

// Keep tells whether a JSON line is chosen, as a Tracer with the same Filter
// would. The lines are given in order, all of them. The end always is.
func (f *LineFilter) Keep(line []byte) bool {
	_, name, _ := LineKind(line)
	kind := kindOf(name)
	if kind == 0 {
		return true
	}
	at := f.address(kind, line)
	if f.Done() || !f.Holds(kind, at) {
		return false
	}
	f.kept++
	return true
}

// Done tells whether Filter.Count lines have been chosen.
func (f *LineFilter) Done() bool { return f.Count != 0 && f.kept >= f.Count }

// address is the linear address that a line is about.
func (f *LineFilter) address(kind Kinds, line []byte) uint64 {
	var rip, lin, cr2 Hex
	var event string
	hasLin, hasCR2 := false, false
	for s := (fieldScanner{rest: line}); s.next(); {
		switch s.key {
		case "rip":
			f.parse(&rip, s.value)
		case "lin":
			hasLin = f.parse(&lin, s.value)
		case "cr2":
			hasCR2 = f.parse(&cr2, s.value)
		case "event":
			event = s.value
		}
	}
	switch {
	case kind == KindInst && !hasLin:
		f.here = uint64(rip)
	case kind == KindInst:
		f.here = uint64(lin)
	case kind&(KindMem|KindWalk) != 0:
		return uint64(lin)
	case kind == KindEvent && hasCR2:
		f.cr2 = uint64(cr2)
		return f.cr2
	case kind == KindEvent && strings.HasPrefix(event, "#PF"):
		return f.cr2
	}
	return f.here
}

func (f *LineFilter) parse(to *Hex, text string) bool { return to.UnmarshalText([]byte(text)) == nil }
