package guest_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"x86emu/guest"
	"x86emu/machine"
)

// A kernel runs inside a Go program: here one that comes with the emulator;
// for your own, read its file with guest.Open.
func Example() {
	kernel, _ := guest.KernelNamed("unmapped-handler-32")

	var serial bytes.Buffer
	m, err := machine.New(machine.Config{RAM: 16 << 20, Serial: machine.NewOutput(&serial)})
	if err != nil {
		log.Fatal(err)
	}
	image, err := guest.Parse(kernel.Image)
	if err != nil {
		log.Fatal(err)
	}
	if err := image.Load(m, guest.Options{}); err != nil {
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
