package machine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"x86emu/cpu"
	"x86emu/mmu"
)

// Config describes a machine. The zero value of a field is its default.
type Config struct {
	RAM    uint64     // bytes of RAM, a multiple of 4096 from MinRAM to MaxRAM; default DefaultRAM
	Model  *cpu.Model // processor model; default "max"
	TLBOff bool       // walk the page tables at every access

	// TickRate is how many ticks a second of the board's clocks has, from
	// MinTickRate to MaxTickRate; default DefaultTickRate.
	TickRate uint64
	// Date is what the real-time clock shows at tick 0, of the years 0 to 9999, in
	// whatever zone; the zero Time is DefaultDate.
	Date time.Time

	Serial  *Output // where COM1 sends to; nil: nowhere
	Input   *Input  // what COM1 receives; nil: nothing
	Serial2 *Output // likewise of COM2
	Input2  *Input
	Console *Output // where port 0xE9 sends to; nil: nowhere

	// Keys is what is typed on the keyboard; nil: nothing. The bare board has none.
	Keys *Keys

	// ResumeInput tells Restore that Input, Input2 and Keys are those of the machine that was
	// saved, from their beginning: what that machine had taken of them is passed over.
	ResumeInput bool

	Drives Drives // the disks

	Board Board    // which devices there are; default PC
	Ports *PortMap // where some of them stand; nil: StandardPorts
	// NoHPET leaves the PC's HPET out: nothing is at its address, and no table tells of it.
	NoHPET bool

	// Files are what a guest finds by fw_cfg beside the board's own. They belong to
	// the machine, and so to a snapshot of it; nobody may change them.
	Files []File

	// Firmware is ROM that ends at 4 GiB, where the processor begins, and whose end
	// is copied to below 1 MiB, 256 KiB at most; see CheckFirmware. Nil: there is none,
	// and the processor begins with what a loader sets it to.
	Firmware []byte
	// BootFrom is the drive, one of DriveNames, that CMOS memory tells firmware to boot from first;
	// default hda. AnyFloppy tells it to do so from a floppy disk whose first sector does not
	// end in 0x55 0xAA, too.
	BootFrom  string
	AnyFloppy bool

	// Extra, if not nil, adds to the board: ROM and memory-mapped devices to
	// Mem, port devices to Ports, timers to Clock, and each device's state by
	// Attach. It runs for each machine made with this Config, by New, Fork and
	// Restore, so it leaves RAM and the processor alone.
	Extra func(*Machine) error
}

// Limits of RAM. The last GiB below 4 GiB is left to devices.
const (
	MinRAM     = 1 << 20
	MaxRAM     = 3 << 30
	DefaultRAM = 64 << 20
)

// Rates of ticks. The default makes a tick a nanosecond.
const (
	MinTickRate     = 10_000_000
	MaxTickRate     = 1_000_000_000_000
	DefaultTickRate = 1_000_000_000
)

// Device is what a machine keeps of a device: its state, so that it can be
// forked, compared and saved.
type Device interface {
	// Name is one that no other device of the board has, for ever the same:
	// snapshots know the device by it.
	Name() string
	// State points to the device's whole state: a struct of numbers, arrays
	// and such structs, without pointers, exported fields only. The rules for
	// changing it later stand in snapshot.go.
	State() any
}

// Machine is a board with its processor. It is used by one goroutine at a time.
type Machine struct {
	CPU   *cpu.CPU
	MMU   *mmu.MMU
	Mem   *mmu.Memory
	Ports Bus
	Clock Clock
	UART  *UART
	Post  *PostPort

	// The PC's own; nil on a bare board.
	PIC *PIC
	// APIC is nil, too, if the model has none.
	APIC   *APIC
	PIT    *PIT
	RTC    *RTC
	HPET   *HPET
	KBC    *I8042
	UART2  *UART // COM2
	IOAPIC *IOAPIC
	PM     *PM
	PCI    *PCI
	VGA    *VGA

	FWCfg *FWCfg // likewise

	// The PC's controllers for disks; nil on a bare board.
	IDE [2]*IDE
	FDC *FDC
	DMA *DMA

	// OnIO, if not nil, sees each access to a port after it was made.
	OnIO func(IOEvent)
	// OnTick, if not nil, is called by Run and Replay between two instructions:
	// as they begin, and when the clock has reached the tick that it returned
	// the last time. It may look at everything, take moments, and Stop.
	OnTick func(now uint64) (next uint64)

	cfg     Config
	ctx     context.Context // of the Run in progress
	exit    *ExitPort
	console *DebugConsole
	stopped bool   // Stop was called
	asleep  uint64 // when the processor fell asleep whose time was skipped last
	awake   uint64 // up to where it was skipped
	look    uint64 // when OnTick wants to be called
	intr    *Interrupts
	float   *FloatError
	power   *Power
	devices []Device
	parts   []Part
	lazy    []lazyLine

	media     []*medium // in the order of DriveNames
	diskError error     // the host's, of a disk image
}

// New makes a machine, its processor in the state after reset.
func New(cfg Config) (*Machine, error) {
	if cfg.RAM == 0 {
		cfg.RAM = DefaultRAM
	}
	if cfg.Model == nil {
		cfg.Model, _ = cpu.ModelByName("max")
	}
	if cfg.RAM < MinRAM || cfg.RAM > MaxRAM || cfg.RAM%mmu.PageSize != 0 {
		return nil, fmt.Errorf("RAM must be a multiple of 4K between %dM and %dM", MinRAM>>20, MaxRAM>>20)
	}
	if cfg.TickRate == 0 {
		cfg.TickRate = DefaultTickRate
	}
	if cfg.TickRate < MinTickRate || cfg.TickRate > MaxTickRate {
		return nil, fmt.Errorf("a second must have from %d to %d ticks", uint64(MinTickRate), uint64(MaxTickRate))
	}
	if err := CheckFiles(cfg.Board, cfg.Files); err != nil {
		return nil, err
	}
	if y := cfg.Date.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("the real-time clock shows the years 0 to 9999")
	}
	if err := cfg.Drives.Check(cfg.Board); err != nil {
		return nil, err
	}
	mem := mmu.NewMemory(cfg.RAM, cfg.Model.MaxPhysBits)
	if cfg.Board == PC {
		if err := mem.MapShared(textAt, textSize, blankText); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	if cfg.Firmware != nil {
		if err := mapFirmware(mem, cfg.Firmware); err != nil {
			return nil, err
		}
	}
	m, err := build(cfg, mem)
	if err != nil {
		return nil, err
	}
	return m, m.checkNames()
}

// build wires a board around a memory.
func build(cfg Config, mem *mmu.Memory) (*Machine, error) {
	m := &Machine{cfg: cfg, Mem: mem, ctx: context.Background()}
	paging := cfg.Model.Paging()
	paging.TLBOff = cfg.TLBOff
	m.MMU = mmu.New(mem, paging)
	m.Clock.next = never
	io := cpu.IO(wires{m})
	if kind, ok := cfg.Model.LocalAPIC(); ok && cfg.Board == PC {
		m.APIC = newAPIC(m, kind)
		io = apicWires{wires{m}, m.APIC}
	}
	m.CPU = cpu.New(cfg.Model, m.MMU, io)
	m.Clock.now, m.Clock.arm = m.CPU.Ticks, m.CPU.SetDeadline
	m.Clock.schedule()
	m.CPU.SetStreak(streak)

	m.putMedia()
	if err := m.populate(); err != nil {
		return nil, err
	}
	m.fitFirmware()
	if cfg.Extra != nil {
		if err := cfg.Extra(m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Attach makes a device part of the machine's forks and snapshots.
func (m *Machine) Attach(d Device) { m.devices = append(m.devices, d) }

// Config is what the machine was made with, defaults filled in.
func (m *Machine) Config() Config { return m.cfg }

// RAM is the size of RAM in bytes.
func (m *Machine) RAM() uint64 { return m.cfg.RAM }

// RaiseINTR requests a maskable interrupt with a vector of its own, beside the
// interrupt controllers; the processor takes it when EFLAGS.IF allows.
func (m *Machine) RaiseINTR(vector uint8) { m.intr.raise(vector) }

// RaiseNMI requests a non-maskable interrupt: by the pin LINT1, if there is a local APIC.
func (m *Machine) RaiseNMI() {
	if m.APIC == nil {
		m.CPU.RaiseNMI()
		return
	}
	m.APIC.pin(1, true)
	m.APIC.pin(1, false)
}

// wires is the machine as its processor sees it.
type wires struct{ m *Machine }

func (w wires) In(port uint16, size uint8) uint32 {
	v := w.m.Ports.In(port, size)
	if w.m.OnIO != nil {
		w.m.OnIO(IOEvent{Port: port, Size: size, Value: v})
	}
	return v
}

func (w wires) Out(port uint16, size uint8, v uint32) {
	w.m.Ports.Out(port, size, v)
	if w.m.OnIO != nil {
		w.m.OnIO(IOEvent{Port: port, Size: size, Write: true, Value: v})
	}
}

func (w wires) Ack() uint8 { return w.m.acknowledge() }

func (w wires) FERR(level bool) bool { return w.m.float.ferr(level) }

// apicWires are those of a processor with a local APIC.
type apicWires struct {
	wires
	*APIC
}

// IOEvent is one access to a port: size in bytes, and the value read or written.
type IOEvent struct {
	Port  uint16
	Size  uint8
	Write bool
	Value uint32
}

// Fork makes an independent machine in the same state. Memory pages are shared
// until one of the two writes to them. The fork reads the same serial input
// from where it stands and sends its output nowhere.
func (m *Machine) Fork() (*Machine, error) {
	cfg := m.cfg
	cfg.Serial, cfg.Serial2, cfg.Console = nil, nil, nil
	f, err := build(cfg, m.Mem.Fork())
	if err != nil {
		return nil, err
	}
	f.CPU.SetState(m.CPU.State())
	f.MMU.SetTLB(m.MMU.TLB())
	if len(f.devices) != len(m.devices) || len(f.Clock.timers) != len(m.Clock.timers) {
		return nil, fmt.Errorf("devices were added outside of Config.Extra")
	}
	for i, d := range f.devices {
		setState(d, m.devices[i])
	}
	for i, t := range f.Clock.timers {
		t.at = m.Clock.timers[i].at
	}
	for i, s := range m.writtenSectors() {
		f.media[i].written = s
	}
	f.Clock.schedule()
	f.place()
	f.setTaken(m.taken())
	return f, nil
}

// NoBudget is a budget that is never spent.
const NoBudget = math.MaxUint64

// Run runs until the guest or the machine comes to an end, budget ticks have
// passed, or ctx ends. The error is the host's: serial output that could not
// be written, or a disk image that could not be read. A machine that was stopped by budget or context can run on.
func (m *Machine) Run(ctx context.Context, budget uint64) (Result, error) {
	end := m.CPU.Ticks() + budget
	if end < budget {
		end = never
	}
	return m.runTo(ctx, end, true)
}

// runTo runs to a tick at most; patrolled says to look for endless loops.
func (m *Machine) runTo(ctx context.Context, end uint64, patrolled bool) (Result, error) {
	defer context.AfterFunc(ctx, m.CPU.Interrupt)()
	m.ctx = ctx
	m.stopped, m.look = false, 0
	if !patrolled {
		m.CPU.SetStreak(0)
		defer func() { m.CPU.SetStreak(m.CPU.Streak() + streak) }()
	}
	r := m.run(ctx, end, patrolled)
	r.Ticks = m.CPU.Ticks()
	m.ctx = context.Background()
	return r, cmp.Or(m.cfg.Serial.Flush(), m.cfg.Serial2.Flush(), m.cfg.Console.Flush(), m.diskError)
}

func (m *Machine) run(ctx context.Context, end uint64, patrolled bool) Result {
	var patrol *patrol
	if patrolled {
		patrol = newPatrol(m)
	}
	defer m.CPU.StopAfter(0)
	for {
		m.between()
		if r, ended := m.ended(); ended {
			return r
		}
		switch {
		case m.stopped:
			return Result{Reason: Stopped}
		case ctx.Err() != nil:
			return Result{Reason: Cancelled}
		case m.CPU.Ticks() >= end:
			return Result{Reason: Budget}
		}
		stop := m.CPU.Run(min(end, m.look))
		if stop == cpu.StopStreak {
			var loop *Loop
			if stop, loop = m.watch(ctx, end); loop != nil {
				return Result{Reason: Looping, Loop: *loop}
			}
			patrol = newPatrol(m)
		}
		switch stop {
		case cpu.StopDelivery:
			if loop := patrol.delivered(m); loop != nil {
				return Result{Reason: Looping, Loop: *loop}
			}
		case cpu.StopShutdown:
			return Result{Reason: Shutdown, Chain: m.CPU.Shutdown()}
		case cpu.StopHalt:
			if !m.skip(min(end, m.look)) {
				return Result{Reason: Halted, FloatError: m.float.waits()}
			}
		}
	}
}

// ended tells how the guest has ended the run, if it has.
func (m *Machine) ended() (r Result, ended bool) {
	switch p := m.power; {
	case m.exit.s.Done:
		return Result{Reason: Exited, Value: m.exit.s.Value}, true
	case p != nil && p.s.Off:
		return Result{Reason: TurnedOff}, true
	case p != nil && p.s.Reset:
		return Result{Reason: Reset}, true
	}
	return r, false
}

// between does what is due between two instructions.
func (m *Machine) between() {
	now := m.CPU.Ticks()
	m.Clock.run(now)
	if m.OnTick == nil {
		m.look = never
	} else if now >= m.look {
		m.look = max(m.OnTick(now), now+1)
	}
}

// skip moves a halted processor's time to the next tick at which something may
// wake it, or to end. It tells whether there is such a tick.
func (m *Machine) skip(end uint64) bool {
	wake := m.Clock.wake()
	if wake == never {
		return false
	}
	if now := m.CPU.Ticks(); now != m.awake {
		m.asleep = now
	}
	m.awake = min(wake, end)
	m.CPU.SkipTo(m.awake)
	return true
}
