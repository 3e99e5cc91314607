package faults

import "x86emu/idt"

// chapter is what four processes meet with the handler at an address.
type chapter struct {
	handler uint64
	steps   []step
}

func byAccident(chapters ...chapter) story {
	told := story{names: map[uint64]who{}}
	for _, c := range chapters {
		told.steps = append(told.steps, c.steps...)
		told.names[c.handler] = module
	}
	return told
}

// at is the layout with the module's handler at another address.
func (l layout) at(handler uint64) layout {
	l.module, l.double.from = handler, handler
	return l
}

// all is a chapter in which the four processes end in the same way.
func (l layout) all(end []step) chapter { return chapter{l.module, join(end, end, end, end)} }

func (l layout) allDie() chapter  { return l.all(l.dies()) }
func (l layout) allLive() chapter { return l.all(l.lives()) }

// some is a chapter in which those live who have used a driver before.
func (l layout) some(lives ...bool) chapter {
	var uses, ends []step
	for _, alive := range lives {
		if !alive {
			ends = append(ends, l.dies()...)
			continue
		}
		uses = append(uses, l.call(), step{depth: 2, vector: idt.VecPF, cr2: l.driver, enters: kernel, pushes: l.inner}, l.call())
		ends = append(ends, l.lives()...)
	}
	return chapter{l.module, append(uses, ends...)}
}

// allLackData is a chapter in which all have the handler's code and not its
// data, which the instruction at count reaches for.
func (l layout) allLackData(count, data uint64, rounds int) chapter {
	missing := step{vector: idt.VecPF, code: 2, cr2: data, from: count, enters: nobody}
	again, guard, double := missing, missing, l.doubles(rounds)
	again.times, again.depth, again.deeper, again.enters, again.pushes = rounds, 2, 1, module, l.inner
	guard.cr2, guard.gate, double.from = l.guard, noGate, count
	return l.all([]step{l.heap(module), again, missing, guard, double})
}

var (
	byAccident32 = byAccident(
		in32.at(0xf800c000).allDie(),
		in32.at(0xf801d000).allLive(),
		in32.at(0xf8419000).allDie(),
		in32.at(0xf83da000).allLive(),
		in32.at(0xf83da000).allLackData(0xf83da006, 0xf841a000, 203),
		in32.at(0xf8bda000).allDie(),
		in32.at(0xf8bda000).allLive(),
		in32.at(0xf800a000).some(true, false, false, true),
	)
	byAccident64 = byAccident(
		in64.at(0xffffffffeceb8000).allLive(),
		in64.at(0xffffc90000001000).allDie(),
		in64.at(0xffffc90000012000).allLive(),
		in64.at(0xffffc90000419000).allLive(),
		in64.at(0xffffd27ba0707000).allDie(),
		in64.at(0xffffd27ba0707000).allLive(),
		in64.at(0xffffc9000000b000).some(false, true, false, true),
	)
)
