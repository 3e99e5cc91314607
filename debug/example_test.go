package debug_test

import (
	"context"
	"fmt"
	"log"

	"x86emu/debug"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// boot makes a machine with a built-in kernel in it.
func boot(name string) *machine.Machine {
	m, err := guest.Boot(name, machine.Config{RAM: 16 << 20}, guest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// The story of a fault is a value: a test can look for the entry of the page
// tables that refused an access, or print the whole of it.
func ExampleExplain() {
	m := boot("cow-fork-64")
	o := debug.ExplainOptions{ByVector: true, Vector: idt.VecPF, Count: 1, Budget: machine.NoBudget}
	_, err := debug.Explain(context.Background(), m, o, func(s *debug.Story) error {
		fault := &s.Events[0]
		fmt.Println(fault.Name, "at tick", fault.Tick)
		for _, kind := range []debug.StageKind{debug.StageInstruction, debug.StageVerdict, debug.StageStack, debug.StageEntered} {
			fmt.Println(fault.Find(kind))
		}
		return nil // and s.WriteText prints all of it
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// #PF at tick 193157
	// instruction 0x2b:0x40000000000a  inc DWORD PTR [rbx]
	// verdict refused, R/W=0: not to be written
	// stack 0x0:0x3c2000: CPL 0 is entered from CPL 3, so it is RSP0 of the TSS, aligned down to 16
	// entered 0x8:0x100170, CPL 0, stack 0x0:0x3c1fd0
}

// A History goes back: here from a kernel's end to the page fault at which its
// double fault began, and one step further.
func ExampleHistory() {
	ctx := context.Background()
	h := debug.NewHistory(boot("unmapped-handler-32"), debug.DefaultHistory)
	defer h.Close()
	end, err := h.Run(ctx, machine.NoBudget)
	if err != nil {
		log.Fatal(err)
	}
	fault, _, err := h.FaultStart(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("from tick", end.Tick, "to", fault.Tick)
	fmt.Println(debug.Next(h.Machine(), nil))
	before, err := h.StepBack(ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("and to", before.Tick)
	// Output:
	// from tick 235045 to 203342
	// 0x40000005: c703d2040000  mov DWORD PTR [ebx],0x4d2
	// and to 203341
}
