package cpu_test

import (
	"context"
	"fmt"
	"log"

	"x86emu/cpu"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// load makes a machine with some code at 1 MiB, about to be run in a mode.
func load(code string, mode guest.Mode) *machine.Machine {
	m, err := machine.New(machine.Config{RAM: 4 << 20})
	if err != nil {
		log.Fatal(err)
	}
	image, err := guest.ParseFlat([]byte(code), 0x100000, mode, 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := image.Load(m, guest.Options{}); err != nil {
		log.Fatal(err)
	}
	return m
}

// run runs it to its end.
func run(m *machine.Machine) {
	result, err := m.Run(context.Background(), 1000)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Reason)
}

// accesses prints what a program reads and writes.
type accesses struct{}

func (accesses) Instruction(*cpu.InstEvent)  {}
func (accesses) Delivery(*idt.DeliveryEvent) {}
func (accesses) Access(a *cpu.AccessEvent) {
	does := "reads"
	if a.Write {
		does = "writes"
	}
	fmt.Printf("tick %d %s %d bytes at 0x%x: 0x%x\n", a.Tick, does, a.Size, uint64(a.Linear), a.Value)
}

// An observer sees each access of the program, with its value. It changes
// nothing but speed.
func ExampleObserver() {
	m := load("\x8b\x05\x00\x00\x20\x00"+ // mov eax,[0x200000]
		"\x66\xff\x05\x04\x00\x20\x00"+ // inc word [0x200004]
		"\xf4", guest.Mode32) // hlt
	m.Mem.Write(0x200000, 8, 0x0000_0029_1234_5678)
	m.CPU.SetObserver(accesses{})
	run(m)
	// Output:
	// tick 0 reads 4 bytes at 0x200000: 0x12345678
	// tick 1 reads 2 bytes at 0x200004: 0x29
	// tick 1 writes 2 bytes at 0x200004: 0x2a
	// halted for good
}

// Memory can be watched at full speed: stores to some of it, whoever makes them.
func ExampleCPU_watch() {
	m := load("\xb9\x05\x00\x00\x00"+ // mov ecx,5
		"\xbf\xfe\xff\x1f\x00"+ // mov edi,0x1ffffe
		"\xf3\xaa"+ // rep stosb
		"\xf4", guest.Mode32) // hlt
	m.Mem.Watch([]mmu.Range{{At: 0x200000, Len: 2}})
	m.Mem.OnStore = func(p mmu.Phys, n int, _ bool) {
		fmt.Printf("%d byte at 0x%x by code at 0x%x\n", n, uint64(p), uint64(m.CPU.CodeAt()))
	}
	run(m)
	// Output:
	// 1 byte at 0x200000 by code at 0x10000a
	// 1 byte at 0x200001 by code at 0x10000a
	// halted for good
}

// OnEvent is asked before an event is delivered. Here the host mends a page
// fault and has the instruction run again, serves an INT 80h itself, and does an
// instruction's work that the processor refuses; the guest has no handler
// and needs none.
func ExampleCPU_onEvent() {
	m := load("\x48\xbb\x00\x00\x00\x40\x01\x00\x00\x00"+ // mov rbx,0x140000000
		"\x48\x8b\x03"+ // mov rax,[rbx]
		"\xcd\x80"+ // int 0x80
		"\x0f\x0b"+ // ud2
		"\xf4", guest.Mode64) // hlt

	const pdpt = guest.BootArea + 0x2000 // of the tables that the loader makes
	m.CPU.OnEvent = func(e *idt.Event) (deliver bool) {
		switch {
		case e.Kind == idt.SoftInt && e.Vector == 0x80:
			fmt.Println("INT 80h with RAX =", m.CPU.GPR()[0])
		case e.Vector == idt.VecPF && e.CR2>>30 == 5:
			fmt.Printf("#PF at 0x%x: mapped to what is at 0\n", e.CR2)
			m.Mem.Write(pdpt+8*5, 8, m.Mem.Read(pdpt, 8))
		case e.Vector == idt.VecUD:
			fmt.Println("#UD: passed over")
			e.Return += 2
		default:
			return true
		}
		return false
	}
	m.Mem.Write(0, 8, 1234)
	run(m)
	// Output:
	// #PF at 0x140000000: mapped to what is at 0
	// INT 80h with RAX = 1234
	// #UD: passed over
	// halted for good
}

// OnDelivery tells how deliveries ended: each event that was met on the way, and
// whether a handler was reached. Changing the event beforehand changes what
// comes of it.
func ExampleCPU_onDelivery() {
	m := load("\x0f\x0b", guest.Mode32) // ud2, and no IDT
	m.CPU.OnEvent = func(e *idt.Event) bool {
		*e = idt.Event{Vector: idt.VecPF, HasCode: true, Code: 4, CR2: 0xdead, Return: e.Return}
		return true
	}
	m.CPU.OnDelivery = func(out *idt.Outcome) {
		for _, e := range out.Chain[:out.N] {
			fmt.Printf("%s code 0x%x\n", e.Vector.Info().Mnemonic, e.Code)
		}
		fmt.Println("shutdown:", out.Shutdown)
	}
	run(m)
	// Output:
	// #PF code 0x4
	// #GP code 0x73
	// #DF code 0x0
	// #GP code 0x43
	// shutdown: true
	// shutdown
}
