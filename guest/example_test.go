package guest_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// A kernel runs inside a Go program.
func Example() {
	var serial bytes.Buffer
	m, err := guest.Boot("unmapped-handler-32", machine.Config{RAM: 16 << 20, Serial: machine.NewOutput(&serial)}, guest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	result, err := m.Run(context.Background(), 1_000_000) // ticks
	if err != nil {
		log.Fatal(err)
	}
	lines := bytes.Split(serial.Bytes(), []byte("\n"))
	fmt.Printf("%s\n", lines[0])
	fmt.Println(result.Reason, result.Value)
	// Output:
	// unmapped-handler-32: a page-fault handler that not every page table maps
	// exited 0
}

// A test of a kernel can assert on its faults: vector, error code, CR2, and what
// became of each. Most of these are for the page-fault handler, which is not mapped,
// until there is no stack left and the double fault comes.
func Example_faults() {
	m, err := guest.Boot("unmapped-handler-32", machine.Config{RAM: 16 << 20}, guest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	count := make(map[string]int)
	m.CPU.OnDelivery = func(out *idt.Outcome) {
		e := out.Chain[0] // the event itself; what was met while it was delivered follows
		if e.Kind != idt.Exception {
			return
		}
		if count[e.Vector.Info().Mnemonic]++; out.N > 1 {
			fmt.Printf("%s with CR2 0x%x met another one at tick %d, and became %s\n", e.Vector.Info().Mnemonic, e.CR2, m.CPU.Ticks(), out.Last().Vector.Info().Mnemonic)
		}
	}
	result, err := m.Run(context.Background(), machine.NoBudget)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Reason, result.Value, count)
	// Output:
	// #PF with CR2 0xf8400000 met another one at tick 203598, and became #DF
	// exited 0 map[#PF:259]
}
