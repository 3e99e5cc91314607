package faults

import "x86emu/idt"

// layout is what differs between the two modes in the stories about processes:
// addresses of guest/kernels/lib/layout.h, and what a processor does.
type layout struct {
	width                uint64 // of a word in bytes
	top                  uint64 // of the kernel stack
	user, driver, module uint64
	store                uint64 // the process's instruction that faults
	inner                int    // words of a frame pushed without a change of stack
	fetch                uint32 // error code of a fetch from a page that is missing
	nested               int    // deliveries that fit the stack
	guard                uint64 // where the one that does not meets the guard page
	double               step
}

const (
	kernelHeap = 0x3d0000
	spareTop   = 0x3c5000 // of another stack, where a story has one
)

var (
	in32 = layout{
		width: 4, top: stackTop, user: 0x40000000, driver: 0xf8000000, module: 0xf8400000, store: 0x40000005,
		inner: 4, fetch: 0, nested: 254, guard: 0x3c0ffc,
		double: step{vector: idt.VecDF, gate: toTask, from: 0xf8400000, enters: kernel, pushes: 1, task: 0x38},
	}
	in64 = layout{
		width: 8, top: stackTop, user: 0x400000000000, driver: 0xffffc90000000000, module: 0xffffc98000000000, store: 0x40000000000a,
		inner: 6, fetch: 0x10, nested: 84, guard: 0x3c0ff8,
		double: step{vector: idt.VecDF, gate: istGate(1), from: 0xffffc98000000000, enters: kernel, pushes: 6, stack: idt.StackIST},
	}
	layouts = map[string]layout{"unmapped-handler-32": in32, "unmapped-handler-64": in64}
)

// call is a system call of a process.
func (l layout) call() step {
	return step{vector: 0x80, kind: idt.SoftInt, enters: kernel, stack: idt.StackTSS, top: l.top, pushes: 5}
}

// calls is a process that enters the kernel, meets so many page faults at the
// driver there, and leaves.
func (l layout) calls(faults int) []step {
	steps := []step{l.call()}
	if faults > 0 {
		steps = append(steps, step{times: faults, depth: 2, vector: idt.VecPF, code: l.fetch, cr2: l.driver, from: l.driver, enters: kernel, pushes: l.inner})
	}
	return append(steps, l.call())
}

// heap is the page fault of a process that writes to its heap.
func (l layout) heap(enters who) step {
	return step{vector: idt.VecPF, code: 6, cr2: l.user + 0x1000, from: l.store, enters: enters, stack: idt.StackTSS, top: l.top, pushes: 6}
}

// down is the module's handler that is missing: page faults down the stack from
// below a process's own, one that is lost, and what its push meets.
func (l layout) down() []step { return l.downFrom(l.top - 6*l.width) }

func (l layout) downFrom(top uint64) []step {
	missing := step{vector: idt.VecPF, code: l.fetch, cr2: l.module, from: l.module, enters: module, pushes: l.inner}
	lost := missing
	missing.times, missing.depth, missing.deeper = l.nested, 2, 1
	missing.top, missing.lower = top, uint64(l.inner)*l.width
	lost.enters, lost.pushes = nobody, 0
	return []step{missing, lost, {vector: idt.VecPF, code: 2, cr2: l.guard, gate: noGate, from: l.module, enters: nobody}}
}

// doubles is the double fault after a fault and the nested ones.
func (l layout) doubles(nested int) step {
	double := l.double
	double.depth = nested + 2
	return double
}

// dies is a process that writes to its heap and ends with a double fault.
func (l layout) dies() []step {
	return join([]step{l.heap(module)}, l.down(), []step{l.doubles(l.nested)})
}

// lives is one whose fault the module takes.
func (l layout) lives() []step { return []step{l.heap(module), l.call()} }

func join(parts ...[]step) []step {
	var all []step
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// modules names what page faults enter when the module has taken over.
func (l layout) modules(parts ...[]step) story {
	return story{steps: join(parts...), names: map[uint64]who{l.module: module}}
}

func unmappedHandler(l layout) story {
	return l.modules(
		l.calls(1), l.calls(0), l.calls(1), // A calls the driver, A again, B
		[]step{{vector: idt.VecPF, code: 2, cr2: kernelHeap, enters: module, pushes: l.inner}}, // the kernel thread
		l.dies(), // A
	)
}

func lazySync(l layout) story {
	return story{steps: join(
		l.calls(1), l.calls(0), // A
		l.calls(1), l.calls(0), // B
		l.calls(1), l.calls(0), // C
		l.calls(0), // A: a page under the same entry
		l.calls(0), // D, made later
	)}
}

func forkInherits(l layout) story {
	return l.modules(
		l.calls(1), l.calls(0), l.calls(1), l.calls(1), // P, its child, Q's child, Q
		l.lives(), l.lives(), l.lives(), // P, its child, its grandchild
		l.dies(), l.dies(), // Q's child, Q
		l.lives(), // Q's second child
	)
}

// parts is what the handlers of seed-all need beyond their code: see its
// modules.h and handlers.S.
type parts struct {
	data, stack  uint64 // addresses; the stack's is its top
	count, push  uint64 // the instructions that reach for them
	width        uint64 // of a push
	roundsOnData int    // deliveries that fit the stack, with what the handler pushes
}

var (
	parts32 = parts{data: 0xf8800000, stack: 0xf8c01000, count: 0xf8400006, push: 0xf840000b, width: 4, roundsOnData: 203}
	parts64 = parts{data: 0xffffca0000000000, stack: 0xffffca8000001000, count: 0xffffc9800000000b, push: 0xffffc98000000011, width: 8, roundsOnData: 63}
)

func seedAll(l layout, p parts) story {
	write := step{vector: idt.VecPF, code: 2, enters: nobody}
	toData, toGuard, toStack := write, write, write
	toData.cr2, toData.from = p.data, p.count
	toGuard.cr2, toGuard.from, toGuard.gate = l.guard, p.count, noGate
	toStack.cr2, toStack.from = p.stack-p.width, p.push
	again := toData
	again.times, again.depth, again.deeper, again.enters, again.pushes = p.roundsOnData, 2, 1, module, l.inner
	noStack := toStack
	noStack.gate = noGate
	counting, pushing := l.doubles(p.roundsOnData), l.doubles(0)
	counting.from, pushing.from = p.count, p.push
	return l.modules(
		l.lives(), l.lives(), l.lives(), l.lives(), // A, B, C, A's child
		l.lives(), l.dies(), l.lives(), // A, its late child, unseeded and seeded
		l.dies(), l.lives(), // D, E
		[]step{l.heap(module), again, toData, toGuard, counting}, l.lives(), // A, without the data and with it
		[]step{l.heap(module), toStack, noStack, pushing}, l.lives(), // A, without the stack and with it
		[]step{l.call(), {depth: 2, vector: idt.VecPF, cr2: l.driver + 0x1000, enters: kernel, pushes: l.inner}, l.call()},
	)
}

// reload has a module at its usual address and at a second one, and a module
// without a handler beside the driver's place.
func reload(l layout, second uint64) story {
	again := l
	again.module, again.double.from = second, second
	rounds := l.heap(module)
	rounds.times = 1000
	code, data := l.driver+0x80000, l.driver+0x81000
	call := step{depth: 2, vector: idt.VecPF, code: l.fetch, cr2: code, from: code, enters: module, pushes: l.inner}
	write := step{depth: 2, vector: idt.VecPF, code: 2, cr2: data, enters: module, pushes: l.inner}
	gone := l.inKernel(2, l.module+0x800)
	gone.depth = 2
	told := l.modules(
		l.lives(), l.lives(), l.lives(), // A, B, C
		l.lives(), l.lives(), l.lives(), // loaded again at the same address, the page table kept
		again.dies(),                    // A, at the second address
		l.lives(),                       // A, with the freed copy
		[]step{rounds},                  // A, with another driver's handler
		l.dies(),                        // A, with a page table that is cleared
		[]step{l.call()},                // B keeps its number
		[]step{l.call()},                // A writes to the kernel's page: no fault
		l.lives(), l.lives(), l.lives(), // seeded
		[]step{l.call(), call, call, write, l.call()}, // the first call, and what INVLPG has ended
		[]step{l.call(), gone, l.call()},              // the old address, unloaded the right way
		again.lives(), again.lives(), again.lives(),
	)
	told.names[second] = module
	return told
}

// stackOverTables has one page more for the frames than other stories have,
// and a stack that begins lower, so that the last frame ends at the guard;
// store is the instruction that faults with the carry flag set.
func stackOverTables(l layout, nested int, store uint64) story {
	l.nested, l.guard = nested, l.guard-0x1000
	l.top = l.guard + l.width + 6*l.width + uint64(nested*l.inner)*l.width
	carry := l
	carry.store = store
	return l.modules(l.dies(), carry.dies(), []step{l.call()})
}

// shutdown is a process whose double fault meets another exception; lower is
// how far the guard page lies below its usual place.
func (l layout) shutdown(nested int, lower uint64, third step) story {
	l.nested, l.guard = nested, l.guard-lower
	double := step{vector: idt.VecDF, gate: l.double.gate, from: l.module, enters: nobody}
	third.enters, third.gate = nobody, noGate
	return l.modules([]step{l.heap(module)}, l.down(), []step{double, third})
}

const doubleFault = who("the #DF's handler") // at the driver's place, not mapped

// again is the double fault's handler that is missing, then the module: page
// faults down another stack, of which its own frame takes so many bytes.
func (l layout) again(depth int, frame uint64) []step {
	l.guard += 0x3000 // a guard page of its own
	l.nested--
	first := step{depth: depth + 1, vector: idt.VecPF, code: l.fetch, cr2: l.driver, from: l.driver, enters: module, pushes: l.inner}
	first.top = spareTop - frame
	down := l.downFrom(first.top - uint64(l.inner)*l.width)
	down[0].depth += depth
	return join([]step{first}, down)
}

// The error code takes 4 bytes of the task's stack, each #PF 16.
func dfUnmapped32() story {
	l := in32
	entered, busy := l.doubles(l.nested), l.double
	entered.enters, entered.top = doubleFault, spareTop
	busy.enters, busy.pushes, busy.task = nobody, 0, 0
	begin := join([]step{l.heap(module)}, l.down())
	l.nested = (4096 - 4) / 16
	told := l.modules(begin, []step{entered}, l.again(entered.depth, 4), []step{busy, {vector: idt.VecGP, code: dfTask + 1, gate: noGate, enters: nobody}})
	told.names[l.driver] = doubleFault
	return told
}

func dfUnmapped64() story {
	l := in64
	entered := l.doubles(l.nested)
	entered.enters, entered.top = doubleFault, spareTop
	told := l.modules([]step{l.heap(module)}, l.down())
	told.round = join([]step{entered}, l.again(entered.depth, 48))
	told.names[l.driver] = doubleFault
	return told
}

func pfIST() story {
	first := in64.heap(module)
	first.stack, first.gate, first.top = idt.StackIST, istGate(2), spareTop
	told := in64.modules([]step{first})
	told.round = []step{{vector: idt.VecPF, gate: istGate(2), code: in64.fetch, cr2: in64.module, from: in64.module, enters: module, stack: idt.StackIST, top: spareTop, pushes: 6}}
	return told
}

// kernelThread has a fault of the kernel's first: no change of stack, so its
// frame is like the others.
func kernelThread(l layout, nested int, guard uint64) story {
	l.nested, l.guard = nested, guard
	thread := []step{{vector: idt.VecPF, code: 2, cr2: kernelHeap, enters: module, pushes: l.inner}}
	return l.modules(
		thread,             // on the master
		l.calls(0), thread, // B ran last
		l.calls(0), thread, l.downFrom(l.top-uint64(l.inner)*l.width), []step{l.doubles(l.nested)}, // A did
	)
}
