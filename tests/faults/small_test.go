package faults

import "x86emu/idt"

// smallStories are those of the small kernels that people start from.
var smallStories = map[string]story{
	"hello-16":         {},
	"hello-32":         {},
	"hello-64":         {},
	"demand-paging-32": demandPaging(in32),
	"demand-paging-64": demandPaging(in64),

	"missing-invlpg-32": missingINVLPG(in32),
	"missing-invlpg-64": missingINVLPG(in64),
	"cow-fork-32":       cowFork(in32, 0x40000000),
	"cow-fork-64":       cowFork(in64, 0x40000000000a),
	"stack-guard-32":    stackGuard(in32, 4, 0x40000005),
	"stack-guard-64":    stackGuard(in64, 8, 0x40000000000a),
	"single-step-32":    singleStep(3, [...]uint64{0x0f, 0x11, 0x14, 0x15, 0x16, 0x02, 0x1b, 0x20, 0x23, 0x28, 0x28, 0x28, 0x2a, 0x2d, 0x2e, 0x35, 0x36}),
	"single-step-64":    singleStep(5, [...]uint64{0x0f, 0x11, 0x14, 0x15, 0x16, 0x02, 0x1b, 0x22, 0x26, 0x2b, 0x2b, 0x2b, 0x2d, 0x30, 0x31, 0x38, 0x39}),
	"breakpoints-32":    breakpoints(3, 0x0b, 0x0e, 0x12, 0x1b, 0x1d),
	"breakpoints-64":    breakpoints(5, 0x0d, 0x11, 0x15, 0x1e, 0x20),
	"nx-smep-smap-32":   nxSMEPSMAP(in32),
	"nx-smep-smap-64":   nxSMEPSMAP(in64),
	"task-gate-32":      taskGate(),
	"fpu-switch-32": fpuSwitch(in32, 0x10, 0x0c, 0x27, 0x38,
		needed(in32, 0x29), in32.call()), // B's last turn
	"fpu-switch-64": fpuSwitch(in64, 0x10, 0x12, 0x29, 0x3a,
		needed(in64, 0x39), in64.call(), // B unmasks
		needed(in64, 0x54), in64.call(), // A divides
		needed(in64, 0x47), floating(in64, idt.VecXM, 0x4e), in64.call()), // B divides
	"acpi-off-32":        {},
	"timer-irq-32":       {steps: []step{interrupt(0x20, 9)}},
	"ide-read-write-32":  {steps: []step{interrupt(0x2e, 11)}},
	"rtc-alarm-32":       {steps: []step{interrupt(0x28, 7)}},
	"user-mode-32":       userMode(in32, 2, 5, 5),
	"user-mode-64":       userMode(in64, 3, 7, 0x15),
	"multiboot2-info-32": {},
	"text-screen-32":     {},
	"keyboard-echo-32":   {steps: []step{interrupt(0x21, 36)}},
	"ioapic-redirect-32": {steps: []step{interrupt(0x51, 1), interrupt(0x41, 1), interrupt(0x61, 1), // edges, another vector
		interrupt(0x41, 5)}}, // levels: once, left twice, to a set of processors
	"apic-timer-32": {steps: []step{interrupt(0x50, 6), interrupt(0x62, 1), interrupt(0x41, 1), interrupt(0x31, 1), // by order
		interrupt(0x62, 1), interrupt(0x41, 1), interrupt(0x31, 1), // by task priority
		interrupt(0x31, 1), within(interrupt(0x41, 1)), interrupt(0x3a, 1),
		interrupt(0x50, 2), interrupt(0x62, 1)}}, // TSC-deadline, x2APIC
}

// interrupt is a number of interrupts of a device, in a 32-bit kernel's own code.
func interrupt(vector idt.Vector, times int) step {
	return step{times: times, vector: vector, kind: idt.External, enters: kernel, pushes: 3}
}

// within is an event while the handler of another is at work.
func within(s step) step {
	s.depth = 2
	return s
}

// inKernel is a page fault of the kernel's own.
func (l layout) inKernel(code uint32, cr2 uint64) step {
	return step{vector: idt.VecPF, code: code, cr2: cr2, enters: kernel, pushes: l.inner}
}

// inUser is one of a program, at an instruction.
func inUser(code uint32, cr2, from uint64) step {
	return step{vector: idt.VecPF, code: code, cr2: cr2, from: from, enters: kernel, stack: idt.StackTSS, pushes: 6}
}

func demandPaging(l layout) story {
	const heap = 0x40000000
	return story{steps: []step{
		l.inKernel(2, heap), l.inKernel(2, heap+0x5000), l.inKernel(2, heap+0xa000), l.inKernel(2, heap+0xf000),
		l.inKernel(0, heap+0x7000),
		l.inKernel(2, heap+0x10000), // beyond the promise
	}}
}

// missingINVLPG faults only where the INVLPG is given.
func missingINVLPG(l layout) story {
	const heap = 0x40029000
	return story{steps: []step{l.inKernel(0, heap), l.inKernel(2, heap), l.inKernel(3, heap+0x2000)}}
}

// cowFork is that of cow-fork, whose program stores at an address.
func cowFork(l layout, store uint64) story {
	data := l.user + 0x1000
	return story{steps: []step{
		l.call(),                         // the parent, before
		inUser(7, data, store), l.call(), // the child
		inUser(7, data, store), l.call(), // the parent: the last owner
		l.call(), // again
		l.inKernel(3, data),
	}}
}

// stackGuard is that of stack-guard: the bytes of a word, and where its
// program pushes.
func stackGuard(l layout, word, push uint64) story {
	top := l.user + 0x10000 - word
	lost := step{vector: idt.VecPF, code: 2, cr2: 0x3c1000 - word, enters: nobody}
	pushed := lost
	pushed.gate = noGate
	double := l.double
	double.from = 0
	return story{steps: []step{
		inUser(6, top, push), inUser(6, top-0x1000, push), inUser(6, top-0x2000, push), inUser(6, top-0x3000, push),
		lost, pushed, // the call, and the delivery of its fault
		double,
	}}
}

// userMode is that of user-mode: how many ways it tries, of which INT 0x80
// alone is an event; where its programs read and jump; the error code of a
// fetch from kernel memory.
func userMode(l layout, ways int, access uint64, fetch uint32) story {
	steps := []step{l.call()}
	for range ways {
		steps = append(steps, l.call()) // they leave by one
	}
	denied := step{vector: idt.VecGP, from: l.user, enters: kernel, stack: idt.StackTSS, pushes: 6}
	return story{steps: append(steps, denied, denied, denied,
		inUser(5, 0x3c1000, l.user+access),
		inUser(fetch, 0x3c1000, 0x3c1000),
	)}
}

// taskGate is that of task-gate: an INT through the gate, again, and one in the
// task itself, which its own busy TSS refuses. The far CALL is no event.
func taskGate() story {
	visit := step{vector: 0x40, kind: idt.SoftInt, enters: kernel, task: 0x30}
	refused := visit
	refused.enters, refused.task, refused.gate = nobody, 0, toTask
	return story{steps: []step{
		visit,
		visit, refused, {depth: 2, vector: idt.VecGP, code: 0x30, enters: kernel, pushes: 4},
	}}
}

// singleStep is that of single-step: the words of a frame, and where in its
// piece of code each #DB is. After the 13th comes the system call.
func singleStep(words int, next [17]uint64) story {
	var steps []step
	for i, at := range next {
		if i == 13 {
			steps = append(steps, step{vector: 0x80, kind: idt.SoftInt, enters: kernel, pushes: words})
		}
		steps = append(steps, single(0x3d0000+at, words))
	}
	return story{steps: steps}
}

// breakpoints is that of breakpoints: the words of a frame, and where in its
// piece of code each #DB is, and the last one, the #BP.
func breakpoints(words int, at ...uint64) story {
	last := len(at) - 1
	var steps []step
	for _, a := range at[:last] {
		steps = append(steps, single(0x3d0000+a, words))
	}
	return story{steps: append(steps, probe{address: 0x3d0000 + at[last] - 1}.hit(words))}
}

// nxSMEPSMAP is that of nx-smep-smap: fetches that NX (64 bits) and SMEP
// forbid, and the reads that SMAP does.
func nxSMEPSMAP(l layout) story {
	fetch := func(at uint64) step {
		s := l.inKernel(0x11, at)
		s.from = at
		return s
	}
	var steps []step
	if l.fetch != 0 {
		steps = append(steps, fetch(l.user+0x2000))
	}
	read := l.inKernel(1, l.user+0x1000)
	return story{steps: append(steps, fetch(l.user), read, read)}
}

// fpuSwitch is that of fpu-switch: where A and B go on in their loops, where A sets out
// to divide and where it waits; then what is told at the end.
func fpuSwitch(l layout, a, b, divides, waits uint64, end ...step) story {
	steps := []step{l.call(), needed(l, 0), l.call(), l.call(), l.call(), l.call()}
	for _, at := range []uint64{0, a, b, a, b} {
		if at == 0 {
			steps = append(steps, l.call())
		}
		steps = append(steps, needed(l, at), l.call())
	}
	steps = append(steps, l.call(),
		needed(l, divides), l.call(),
		needed(l, b), l.call(),
		needed(l, waits), floating(l, idt.VecMF, waits), l.call(),
		l.call())
	return story{steps: append(steps, end...)}
}

// needed is the #NM of a program that needs the floating-point registers.
func needed(l layout, at uint64) step { return floating(l, idt.VecNM, at) }

// floating is an exception of a program's floating-point instruction.
func floating(l layout, vector idt.Vector, at uint64) step {
	return step{vector: vector, from: l.user + at, enters: kernel, stack: idt.StackTSS, top: l.top, pushes: 5}
}
