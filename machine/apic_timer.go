package machine

// This file is the timer of the local APIC: a count downwards, once or again and
// again, of a clock of apicHz divided, or a value of the time-stamp counter that is
// waited for. The count is computed when it is looked at. [SDM 3A, APIC Timer]

// apicHz is the frequency of the timer's clock, as QEMU and KVM have it.
const apicHz = 1_000_000_000

// shift is the binary logarithm of what the clock is divided by.
func (a *APIC) shift() uint {
	d := uint(a.s.Divide)
	return (d>>1&4 | d&3 + 1) & 7
}

// waits tells whether the timer is in TSC-deadline mode. In the mode that is
// reserved, it is, too.
func (a *APIC) waits() bool { return a.s.LVT[lvtTimer]&lvtDeadline != 0 }

// catchUp brings the timer up to date, and the request that it makes.
func (a *APIC) catchUp() {
	s := &a.s
	if a.waits() {
		if s.Deadline != 0 && a.m.CPU.TSC() >= s.Deadline {
			s.Deadline = 0
			a.local(lvtTimer)
		}
		return
	}
	if s.Count == 0 {
		return
	}
	steps := a.steps()
	if steps < uint64(s.Count) {
		return
	}
	if s.LVT[lvtTimer]&lvtPeriodic != 0 {
		initial := uint64(max(s.Initial, 1))
		s.Since += steps << a.shift()
		s.Count = uint32(initial - (steps-uint64(s.Count))%initial)
	} else {
		s.Count = 0
	}
	a.local(lvtTimer)
}

// steps is how far the timer has counted since Since.
func (a *APIC) steps() uint64 { return (a.m.beats(apicHz) - a.s.Since) >> a.shift() }

// current is the current count register.
func (a *APIC) current() uint32 {
	a.catchUp()
	if a.waits() || a.s.Count == 0 {
		return 0
	}
	return a.s.Count - uint32(a.steps())
}

// plan sets the host's timer to the next interrupt of this one, if that can be seen.
// A request that was not acknowledged yet hides it.
func (a *APIC) plan() {
	s := &a.s
	next := uint64(never)
	if e := s.LVT[lvtTimer]; e&lvtMasked == 0 && a.enabled() && !s.IRR.has(uint8(e)) {
		switch {
		case a.waits() && s.Deadline != 0:
			if now, wait := a.m.Clock.Now(), s.Deadline-min(s.Deadline, a.m.CPU.TSC()); wait < endOfTime {
				next = now + wait
			}
		case !a.waits() && s.Count != 0:
			next = a.m.tickOf(s.Since+uint64(s.Count)<<a.shift(), apicHz)
		}
	}
	a.timer.Set(next)
}

// setTimer writes the timer's entry of the local vector table. Between TSC-deadline
// mode and the others it stops. [SDM 3A, TSC-Deadline Mode]
func (a *APIC) setTimer(v uint32) {
	a.catchUp()
	if (v^a.s.LVT[lvtTimer])&lvtDeadline != 0 {
		a.s.Initial, a.s.Count, a.s.Deadline = 0, 0, 0
	}
	a.s.LVT[lvtTimer] = v
	a.plan()
}

// setInitial begins a count, or stops it with 0.
func (a *APIC) setInitial(v uint32) {
	if a.waits() {
		return
	}
	a.catchUp()
	a.s.Initial, a.s.Count, a.s.Since = v, v, a.m.beats(apicHz)
	a.plan()
}

// setDivide changes the rate: the count goes on from where it is.
func (a *APIC) setDivide(v uint8) {
	a.s.Count = a.current()
	a.s.Since = a.m.beats(apicHz)
	a.s.Divide = v
	a.plan()
}

// setDeadline is a write to IA32_TSC_DEADLINE, which other modes ignore.
func (a *APIC) setDeadline(v uint64) {
	if !a.waits() {
		return
	}
	a.catchUp()
	a.s.Deadline = v
	a.catchUp() // it may have passed
	a.plan()
}

// TSCLoaded follows a write to the time-stamp counter.
func (a *APIC) TSCLoaded() {
	a.catchUp()
	a.plan()
}
