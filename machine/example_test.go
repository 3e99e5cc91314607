package machine_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// load makes a machine with some code at address 0x1000, about to be run.
func load(cfg machine.Config, code string, mode guest.Mode) *machine.Machine {
	cfg.RAM = 64 << 20
	m, err := machine.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	image, err := guest.ParseFlat([]byte(code), 0x1000, mode, 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := image.Load(m, guest.Options{}); err != nil {
		log.Fatal(err)
	}
	return m
}

// run runs a machine for some ticks and tells why it stopped.
func run(m *machine.Machine, ticks uint64) machine.Result {
	result, err := m.Run(context.Background(), ticks)
	if err != nil {
		log.Fatal(err) // the host's: output that could not be written
	}
	return result
}

// Interrupts are raised between two runs, or from any hook: INTR waits for IF,
// NMI for the end of the last one; an injected event comes first of all.
func ExampleMachine_RaiseINTR() {
	var out bytes.Buffer
	m := load(machine.Config{Console: machine.NewOutput(&out)}, "\xfb\xeb\xfe", guest.Mode16) // sti; jmp $
	for vector, letter := range map[uint8]string{0: "D", 2: "N", 0x40: "I"} {
		handler := 0x600 + 8*mmu.Phys(vector)
		m.Mem.Write(4*mmu.Phys(vector), 4, uint64(handler))
		m.Mem.WriteBytes(handler, []byte("\xb0"+letter+"\xe6\xe9\xcf")) // mov al,letter; out 0xe9,al; iret
	}
	m.RaiseINTR(0x40)
	run(m, 1)
	fmt.Printf("at first IF is clear: %q\n", out.String())
	run(m, 10)
	fmt.Printf("INTR: %q\n", out.String())
	m.RaiseNMI()
	m.CPU.Inject(idt.Event{Vector: idt.VecDE})
	run(m, 20)
	fmt.Printf("a divide error, whose handler the NMI interrupts at once: %q\n", out.String())
	// Output:
	// at first IF is clear: ""
	// INTR: "I"
	// a divide error, whose handler the NMI interrupts at once: "IND"
}

// A fork is a machine of its own in the same state. It may run in another
// goroutine.
func ExampleMachine_Fork() {
	m := load(machine.Config{}, "\x8b\x05\x00\x00\x20\x00"+ // mov eax,[0x200000]
		"\xe7\xf4", guest.Mode32) // out 0xf4,eax
	values := make(chan uint32)
	for i := range uint64(3) {
		f, err := m.Fork()
		if err != nil {
			log.Fatal(err)
		}
		f.Mem.Write(0x200000, 4, 100+i)
		go func() { values <- run(f, 100).Value }()
	}
	fmt.Println(<-values+<-values+<-values, run(m, 100).Value)
	// Output: 303 0
}

// Thousands of runs from the same state cost little if one machine returns to a
// moment: the memory that a run wrote to is used again.
func ExampleMachine_Return() {
	m := load(machine.Config{}, "\xf6\xf3\xf4", guest.Mode32) // div bl; hlt
	begin := m.Moment()
	fits := 0
	for dividend := range uint64(1 << 16) {
		m.Return(begin)
		m.CPU.GPR()[0], m.CPU.GPR()[3] = dividend, 7
		if run(m, 10).Reason == machine.Halted {
			fits++
		}
	}
	fmt.Println(fits, "dividends give a quotient that fits AL; the others a divide error")
	// Output: 1792 dividends give a quotient that fits AL; the others a divide error
}

// A machine can be kept in a file, or anything else that bytes go to.
func ExampleMachine_Save() {
	m := load(machine.Config{}, "\x40\xeb\xfd", guest.Mode32) // l: inc eax; jmp l
	run(m, 2000)
	var file bytes.Buffer
	if err := m.Save(&file); err != nil {
		log.Fatal(err)
	}
	back, err := machine.Restore(&file, machine.Config{})
	if err != nil {
		log.Fatal(err)
	}
	run(m, 10_000)
	run(back, 10_000)
	fmt.Println(back.CPU.State() == m.CPU.State(), back.Mem.Equal(m.Mem), back.CPU.State().GPR[0])

	_, err = machine.Restore(bytes.NewReader([]byte("hello, world, and more")), machine.Config{})
	fmt.Println(err)
	// Output:
	// true true 6000
	// snapshot: not a snapshot file
}
