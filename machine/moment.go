package machine

import (
	"context"
	"reflect"
	"slices"

	"x86emu/cpu"
	"x86emu/mmu"
)

// Moment is a machine's whole state at one tick, kept in the host's memory
// and cheap to take: its pages are shared with the machine until that stores
// into them. A machine can return as often as it likes to its own moments and
// to those of the machines that it was forked from.
type Moment struct {
	state   cpu.State
	tlb     []mmu.Entry
	mem     *mmu.Memory
	timers  []uint64
	devices []any
	disks   []sectors // written to each drive's disk
	input   taken
	asleep  uint64 // see Machine.Asleep
	awake   uint64
}

// Moment takes the present state.
func (m *Machine) Moment() *Moment {
	k := &Moment{
		state: m.CPU.State(), tlb: m.MMU.TLB(), mem: m.Mem.Fork(), timers: m.Clock.save(),
		input: m.taken(), asleep: m.asleep, awake: m.awake, disks: m.writtenSectors(),
	}
	for _, d := range m.devices {
		k.devices = append(k.devices, stateOf(d))
	}
	return k
}

// Return puts the machine back, or forward, to a moment. It is the cheapest way to
// run from one state thousands of times: what the last run wrote to is used
// again. Observers and hooks stay. What comes then is what came the first time: serial input
// that was read once is there again at the ticks at which it came. Output is
// sent again: see Mute.
func (m *Machine) Return(to *Moment) {
	m.Mem.Become(to.mem)
	m.CPU.SetState(to.state)
	m.MMU.SetTLB(to.tlb)
	for i, d := range m.devices {
		reflect.ValueOf(d.State()).Elem().Set(reflect.ValueOf(to.devices[i]))
	}
	for i, d := range m.media {
		d.written = to.disks[i]
	}
	m.Clock.load(to.timers)
	m.place()
	m.setTaken(to.input)
	m.asleep, m.awake = to.asleep, to.awake
}

// Tick is the virtual time of the moment.
func (k *Moment) Tick() uint64 { return k.state.Ticks }

// Memory is the moment's memory, to be read only.
func (k *Moment) Memory() *mmu.Memory { return k.mem }

// Equal tells whether two moments are the same in all that decides what comes
// next, virtual time included.
func (k *Moment) Equal(o *Moment) bool {
	return k.state == o.state && reflect.DeepEqual(k.tlb, o.tlb) && reflect.DeepEqual(k.timers, o.timers) &&
		reflect.DeepEqual(k.devices, o.devices) && k.input == o.input && slices.EqualFunc(k.disks, o.disks, sectors.equal) && k.mem.Equal(o.mem)
}

// Size is roughly how many bytes of the host's memory the moment takes while
// next, a later moment of the machine, is there as well.
func (k *Moment) Size(next *Moment) uint64 { return k.size(next.mem, next.disks) }

// SizeNow is Size with the machine's present state for the later moment.
func (m *Machine) SizeNow(k *Moment) uint64 { return k.size(m.Mem, m.writtenSectors()) }

func (k *Moment) size(next *mmu.Memory, disks []sectors) (n uint64) {
	for i := range k.disks {
		n += k.disks[i].alone(disks[i])
	}
	return n + uint64(k.mem.Alone(next))*mmu.PageSize + uint64(len(k.tlb))*uint64(reflect.TypeFor[mmu.Entry]().Size()) + 8192
}

// Mute stops the output of the serial ports and of the debug console, or lets
// it go on: for a replay of what was sent already.
func (m *Machine) Mute(on bool) {
	outs := [...]*Output{m.cfg.Serial, m.cfg.Serial2, m.cfg.Console}
	if on {
		outs = [len(outs)]*Output{}
	}
	m.UART.out, m.console.out = outs[0], outs[2]
	if m.UART2 != nil {
		m.UART2.out = outs[1]
	}
}

// Replay runs to a tick through what has been run before. It does not look
// for endless loops, which were told then, and is as exact as Run: the state
// at the tick is the same as it was.
func (m *Machine) Replay(ctx context.Context, to uint64) (Result, error) {
	return m.runTo(ctx, to, false)
}

// Stop makes Run and Replay come back with Stopped after the instruction
// under way; see cpu.CPU.RequestStop. It is for hooks and observers.
func (m *Machine) Stop() {
	m.stopped = true
	m.CPU.RequestStop()
}

// Asleep tells since which tick a halted processor has been waiting, in the
// last stretch of virtual time that was skipped.
func (m *Machine) Asleep() uint64 { return m.asleep }

// Wake is the first tick at which something may raise an interrupt, and
// whether there is one.
func (m *Machine) Wake() (tick uint64, ok bool) {
	tick = m.Clock.wake()
	return tick, tick != never
}

// setState copies a device's state from its twin.
func setState(to, from Device) {
	reflect.ValueOf(to.State()).Elem().Set(reflect.ValueOf(from.State()).Elem())
}

// stateOf gives a device's state as a comparable value.
func stateOf(d Device) any { return reflect.ValueOf(d.State()).Elem().Interface() }
