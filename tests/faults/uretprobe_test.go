package faults

import "x86emu/idt"

// returnProbe is what differs between the two forms of uretprobe: see its
// layout.h, user.S and transcripts.
type returnProbe struct {
	words   int    // of a frame in the kernel, which has no change of stack
	base    uint64 // of the user's code
	entry   uint64 // the probed function
	exit    uint64 // its RET
	leave   uint64 // the instruction behind INT 0x80
	onTop   uint64 // where the outermost call's return address lies
	stepped uint64 // the instruction pointer after the step in the slot
}

// story is that of uretprobe.
func (r returnProbe) story() story {
	const trampoline = 0x700
	user := step{enters: kernel, stack: idt.StackTSS, pushes: 5}
	hit := func(at uint64) step {
		s := user
		s.vector, s.kind, s.gate, s.from = idt.VecBP, idt.SoftExc, openGate, at+1
		return s
	}
	entry, back := hit(r.entry), hit(r.base+trampoline)
	stepped, leave, ret := user, user, user
	stepped.vector, stepped.from = idt.VecDB, r.stepped
	leave.vector, leave.kind, leave.from = 0x80, idt.SoftInt, r.leave
	ret.vector, ret.code, ret.cr2, ret.from, ret.pushes = idt.VecPF, 4, r.onTop, r.exit, 6
	access := func(code uint32) step { // by the pre-handler
		return step{depth: 2, vector: idt.VecPF, code: code, cr2: r.onTop, enters: kernel, pushes: r.words + 1}
	}
	return story{steps: []step{
		entry, stepped, back, leave,
		entry, access(0), stepped, ret, leave, // absent at step 2
		entry, access(2), stepped, ret, leave, // absent at step 3
		entry, access(3), stepped, leave, // read-only at step 3
		entry, stepped, entry, stepped, entry, stepped, back, back, leave, // three calls, two instances
		entry, access(0), stepped, ret, leave, // forgotten
		entry, access(0), stepped, ret, leave, // and again
		entry, stepped, leave, // no instance is left
	}}
}

var (
	uretprobe32 = returnProbe{
		words: 3, base: 0x40000000, entry: 0x40000011, exit: 0x4000001f, leave: 0x40000011,
		onTop: 0x40002ffc, stepped: 0x40000802,
	}
	uretprobe64 = returnProbe{
		words: 5, base: 0x400000000000, entry: 0x400000000017, exit: 0x400000000026, leave: 0x400000000017,
		onTop: 0x400000002ff8, stepped: 0x400000000802,
	}
)
