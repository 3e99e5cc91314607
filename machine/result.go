package machine

import (
	"fmt"
	"strings"

	"x86emu/idt"
)

// Reason is why a run ended.
type Reason uint8

const (
	Exited    Reason = iota // the guest wrote to port 0xF4
	Halted                  // HLT, and nothing can wake the processor
	Shutdown                // a fault while delivering a double fault
	Looping                 // an endless loop of deliveries
	Budget                  // the ticks are spent
	Cancelled               // the context ended
	Stopped                 // Machine.Stop was called
	TurnedOff               // the guest turned the machine off (see Power)
	Reset                   // the guest reset the machine
)

func (r Reason) String() string {
	return [...]string{"exited", "halted for good", "shutdown", "endless delivery loop", "budget spent", "interrupted", "stopped", "turned off", "reset"}[r]
}

// Result tells how a run ended.
type Result struct {
	Reason Reason
	Value  uint32      // Exited: what the guest wrote to port 0xF4
	Chain  idt.Outcome // Shutdown: the events that led to it
	Loop   Loop        // Looping: what goes round
	Ticks  uint64      // virtual time at the end

	// FloatError, of Halted, tells that an x87 exception was reported with
	// CR0.NE = 0 (FERR#) and nobody has served it. The processor may be frozen
	// before the x87 instruction that found it.
	FloatError bool
}

// Loop describes an endless delivery loop: a state that comes round again,
// the clock left out.
type Loop struct {
	Period       uint64      // deliveries in one round
	Instructions uint64      // instructions, and iterations of REP, in one round
	Vectors      [256]uint64 // how many of the deliveries by vector
}

// Status is the exit status of a process that stands for the run: 0 when the
// guest wrote 0 to port 0xF4 or turned the machine off, for another value
// value*2+1 (mod 256); an even number for what is not the guest's word.
func (r Result) Status() int {
	switch r.Reason {
	case Exited:
		if r.Value == 0 {
			return 0
		}
		return int(r.Value*2+1) & 0xff
	case Halted:
		return 120
	case Looping:
		return 122
	case Budget:
		return 124
	case Shutdown, Reset:
		return 126
	case TurnedOff:
		return 0
	}
	return 130
}

// Story tells in lines what a user wants to know of a run that did not end by
// the guest's word; it is empty for one that did.
func (r Result) Story() []string {
	switch r.Reason {
	case Exited, TurnedOff:
		return nil
	case Shutdown:
		lines := []string{fmt.Sprintf("shutdown at tick %d: a fault while delivering a double fault", r.Ticks)}
		for i := range r.Chain.N {
			lines = append(lines, fmt.Sprintf("  %d. %s", i+1, describe(r.Chain.Chain[i])))
		}
		return lines
	case Looping:
		between := "no instruction retired"
		if n := r.Loop.Instructions; n != 0 {
			between = fmt.Sprintf("%d instructions retired", n)
		}
		return []string{fmt.Sprintf("endless delivery loop at tick %d: the same state comes round with every %s, %s (%s)",
			r.Ticks, r.Loop.period(), between, r.Loop.vectors())}
	}
	line := fmt.Sprintf("%s at tick %d", r.Reason, r.Ticks)
	if r.FloatError {
		line += ": an x87 exception with CR0.NE = 0 waits for IRQ 13 to be served"
	}
	return []string{line}
}

// period tells the length of a round.
func (l *Loop) period() string {
	if l.Period == 1 {
		return "delivery"
	}
	return fmt.Sprintf("%d deliveries", l.Period)
}

// vectors lists the vectors of a round with their numbers.
func (l *Loop) vectors() string {
	var s []string
	for v, n := range l.Vectors {
		if n != 0 {
			s = append(s, fmt.Sprintf("%s x%d", idt.Vector(v), n))
		}
	}
	return strings.Join(s, ", ")
}

// describe tells one event: vector, error code, CR2, RIP.
func describe(e idt.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (vector %d)", e.Name(), e.Vector)
	if e.HasCode {
		fmt.Fprintf(&b, ", error code 0x%x", e.Code)
		if text := e.CodeText(); text != "" {
			fmt.Fprintf(&b, " (%s)", text)
		}
	}
	if e.IsPageFault() {
		fmt.Fprintf(&b, ", CR2=0x%x", e.CR2)
	}
	fmt.Fprintf(&b, ", RIP=0x%x", e.Return)
	return b.String()
}
