package faults

import "x86emu/idt"

// probe is a probe of the kernels that use lib/kprobe.c: the instruction, its
// slot, and the instruction pointer after one step in the slot.
type probe struct{ address, slot, stepped uint64 }

// hit is the INT3 at a probe, in the kernel itself.
func (p probe) hit(words int) step {
	return step{vector: idt.VecBP, kind: idt.SoftExc, from: p.address + 1, enters: kernel, pushes: words}
}

// single is a #DB after one instruction of the kernel's.
func single(next uint64, words int) step {
	return step{vector: idt.VecDB, from: next, enters: kernel, pushes: words}
}

// kprobeStory is that of kprobe: words are what a frame has without a change
// of stack, strays the instruction pointers in load where TF was left.
func kprobeStory(words int, probes []probe, load probe, strays []uint64) story {
	const promised = 0x3d0000
	var steps []step
	for _, p := range probes {
		steps = append(steps, p.hit(words), single(p.stepped, words))
	}
	// A step that faults begins again at the probe.
	faulting := []step{
		load.hit(words),
		{vector: idt.VecPF, cr2: promised, from: load.slot, enters: kernel, pushes: words + 1}, // the error code
		load.hit(words),
		single(load.stepped, words),
	}
	steps = append(steps, faulting...)
	for _, next := range strays {
		steps = append(steps, single(next, words))
	}
	steps = append(steps, single(0, words)) // behind the function
	return story{steps: append(steps, faulting...)}
}

var (
	kprobe32 = kprobeStory(3, []probe{
		{0x3a0005, 0x3b0000, 0x3b0003}, // add
		{0x3a0020, 0x3b0010, 0x3b0015}, // mov
		{0x3a0040, 0x3b0020, 0x3b0027}, // call
		{0x3a006b, 0x3b0030, 0x3b0037}, // jz, taken
		{0x3a006b, 0x3b0040, 0x3b0042}, // and not
		{0x3a0083, 0x3b0050, 0x3b0051}, // pushf
	}, probe{0x3a00a4, 0x3b0000, 0x3b0002}, []uint64{0x3a00a7, 0x3a00a8})

	kprobe64 = kprobeStory(5, []probe{
		{0x3a0005, 0x3b0000, 0x3b0003},
		{0x3a0020, 0x3b0010, 0x3b0016},
		{0x3a0040, 0x3b0020, 0x3b0028},
		{0x3a006b, 0x3b0030, 0x3b0037},
		{0x3a006b, 0x3b0040, 0x3b0042},
		{0x3a0083, 0x3b0050, 0x3b0051},
	}, probe{0x3a00a3, 0x3b0000, 0x3b0002}, []uint64{0x3a00a7, 0x3a00a9})
)

// kprobeFaultStory is that of kprobe-fault. A read of the pre-handler's is
// somewhere in the kernel; chapter 6 steps the read itself.
func kprobeFaultStory(words int, promised, nowhere uint64, seven, load probe) story {
	missing := func(at uint64) step {
		return step{depth: 2, vector: idt.VecPF, cr2: at, enters: kernel, pushes: words + 1}
	}
	inSlot := missing(promised)
	inSlot.depth, inSlot.from = 1, load.slot
	repeated := missing(promised)
	repeated.times = 4
	return story{steps: []step{
		seven.hit(words), missing(nowhere), // no one takes it
		seven.hit(words),           // and a second task
		seven.hit(words), repeated, // taken, says the probe's fault handler
		seven.hit(words), missing(promised), // not taken
		seven.hit(words), missing(promised), single(seven.stepped, words), // a fixup
		seven.hit(words), missing(promised), single(seven.stepped, words), // a longjmp
		load.hit(words), inSlot, load.hit(words), single(load.stepped, words),
	}}
}

var (
	kprobeFault32 = kprobeFaultStory(3, 0x40000000, 0x50000000,
		probe{0x3a0000, 0x3b0000, 0x3b0005}, probe{0x3a000a, 0x3b0000, 0x3b0002})
	kprobeFault64 = kprobeFaultStory(5, 0x400000000000, 0x500000000000,
		probe{0x3a0000, 0x3b0000, 0x3b0005}, probe{0x3a0009, 0x3b0000, 0x3b0002})
)
