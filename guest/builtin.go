package guest

import (
	"embed"
	"fmt"

	"x86emu/machine"
)

// Kernel is a guest kernel that comes with the emulator: a small real kernel
// that shows one thing and tells on its serial port what it sees. Its source
// is under guest/kernels. It ends with exit code 0 when all came out as it
// tells, or with the shutdown, endless loop or power off that it tells of.
type Kernel struct {
	Name       string // as the command line knows it
	Bits       int    // 16, 32 or 64: the mode in which its story takes place
	Summary    string // one line, no full stop
	Source     string // the folder of its source, from the root of the repository
	Story      string // what it shows, and what to look for
	Image      []byte // a multiboot 1 or 2 file; of 16 bits, a boot sector
	Transcript string // what it prints, whole
	Disk       []byte // the disk that it wants in the first drive, if any

	// End is how its run ends: machine.Exited with code 0, or what the story
	// foretells. Then the transcript ends before it.
	End machine.Reason
	// StaleTLB says that it leaves out a flush to show what the TLB keeps: with
	// the TLB off it prints something else.
	StaleTLB bool
	// Keys is what has to be typed on its keyboard, as machine.ParseKeys reads it;
	// most kernels want nothing.
	Keys string
}

// builtin is a kernel in the table: its folder below kernels/, 16, 32 or 64 bits.
type builtin struct {
	folder  string
	bits    int
	summary string
}

// builtins is the table of kernels, in the order in which they are listed.
var builtins = []builtin{
	{"hello", 16, "a boot sector that prints a line and ends: real mode, 512 bytes"},
	{"hello", 32, "the smallest kernel on the shared runtime: prints a line and ends"},
	{"hello", 64, "the same in long mode"},
	{"demand-paging", 32, "memory that comes when it is touched: one fault a page, and the entry's A and D bits"},
	{"demand-paging", 64, "the same with four-level tables"},
	{"cow-fork", 32, "fork shares a frame read-only, and copies it when somebody writes"},
	{"cow-fork", 64, "the same with four-level tables"},
	{"stack-guard", 32, "a page not present below a stack: a program's grows, the kernel's ends in #DF by task gate"},
	{"stack-guard", 64, "the same, with #DF on an interrupt stack"},
	{"user-mode", 32, "ring 3, and system calls by INT 0x80 and SYSENTER"},
	{"user-mode", 64, "the same, and by SYSCALL"},
	{"task-gate", 32, "an interrupt that is a task switch: TSS, back link, NT, busy"},
	{"single-step", 32, "TF: a #DB after each instruction, into calls, through REP, over INT"},
	{"single-step", 64, "the same in 64-bit mode"},
	{"breakpoints", 32, "DR0 to DR3 on instructions and data, and INT3"},
	{"breakpoints", 64, "the same in 64-bit mode"},
	{"nx-smep-smap", 32, "pages of the user's that the kernel may not execute, or touch"},
	{"nx-smep-smap", 64, "the same, and pages that nobody may execute"},
	{"unmapped-handler", 32, "a page-fault handler missing in a process's page table: recursion, then #DF by task gate"},
	{"unmapped-handler", 64, "the same with four-level tables: recursion, then #DF on an interrupt stack"},
	{"kernel-thread", 32, "a kernel thread's page fault on the master, and on the table of the process that ran last"},
	{"kernel-thread", 64, "the same with four-level tables"},
	{"stack-over-tables", 32, "no guard page: the nested frames become entries of the page table under the stack"},
	{"stack-over-tables", 64, "the same with four-level tables and frames of six words"},
	{"stack-over-top", 32, "the page directory under the stack: the frames destroy the way to the #DF's TSS; shutdown"},
	{"stack-over-top", 64, "the PML4 table under the stack: the frames destroy the way to the #DF's stack; shutdown"},
	{"df-no-gate", 32, "the #DF's gate not present: shutdown"},
	{"df-no-gate", 64, "the same in 64 bits: shutdown"},
	{"df-no-stack", 32, "the stack of the #DF's task not mapped: shutdown"},
	{"df-no-stack", 64, "the #DF's interrupt stack not mapped: shutdown"},
	{"df-no-tss", 32, "the TSS of the #DF's task not present: shutdown"},
	{"df-no-tss", 64, "the TSS ends before the #DF's entry of the interrupt stack table: shutdown"},
	{"df-unmapped", 32, "the #DF's code not mapped: its task's stack runs down, then its TSS is busy; shutdown"},
	{"df-unmapped", 64, "the #DF's code not mapped: one #DF and 84 #PFs, round and round for ever"},
	{"pf-ist", 64, "page faults on an interrupt stack, begun anew each time: no #DF ever, an endless loop"},
	{"lazy-sync", 32, "a mapping of the kernel's that each process comes upon by one page fault: PDEs copied"},
	{"lazy-sync", 64, "the same with four-level tables: PML4 entries copied"},
	{"fork-inherits", 32, "children of processes that map the page-fault handler, and of those that do not"},
	{"fork-inherits", 64, "the same with four-level tables"},
	{"seed-all", 32, "the fix, the handler put into every table at load time, and five traps on the way"},
	{"seed-all", 64, "the same with four-level tables"},
	{"reload", 32, "a module goes and comes back: stale entries, stale translations, and the right way"},
	{"reload", 64, "the same with four-level tables"},
	{"missing-invlpg", 32, "entries are cleared, moved, made read-only, and the CPU goes by the old ones until INVLPG"},
	{"missing-invlpg", 64, "the same with four-level tables"},
	{"by-accident", 32, "which page tables have a module's handler without anybody's doing: entries of 4 MiB"},
	{"by-accident", 64, "the same with entries of 512 GiB"},
	{"kprobe", 32, "an instruction displaced by INT3 and stepped elsewhere; TF left by the wrong way of restoring flags"},
	{"kprobe", 64, "the same, with an operand relative to RIP"},
	{"kprobe-fault", 32, "a page fault while a probe is at work, and six ways on: fixup, longjmp, step again, and three wrong ones"},
	{"kprobe-fault", 64, "the same in 64-bit mode"},
	{"uretprobe", 32, "a probe at the return of a user's function, whose stack is absent or read-only"},
	{"uretprobe", 64, "the same in 64-bit mode"},
	{"fpu-switch", 32, "floating-point registers switched by #NM alone, and an exception that waits for its process"},
	{"fpu-switch", 64, "the same with FXSAVE64 and SSE, whose exceptions do not wait"},
	{"timer-irq", 32, "the 8254's interrupt through the 8259A: a mask, an end of interrupt forgotten, a countdown"},
	{"ide-read-write", 32, "a disk by programmed I/O: three forms of addresses, polled and by IRQ 14, in blocks, and its errors"},
	{"multiboot2-info", 32, "the tags of multiboot 2, from the loader: command line, modules, memory, screen, sections"},
	{"rtc-alarm", 32, "the real-time clock: periodic, update and alarm interrupts by the slave 8259A"},
	{"text-screen", 32, "the text screen: colours, cursor, scrolling, other sizes, and what the VGA's registers read back"},
	{"acpi-off", 32, "ACPI's tables from the root on, the PM timer, and the port that turns the machine off"},
	{"keyboard-echo", 32, "the 8042 and its keyboard: tests, who it is, and scan codes by interrupt, echoed"},
	{"apic-timer", 32, "the local APIC: its timer, and which interrupt comes first, waits, or nests"},
	{"ioapic-redirect", 32, "the I/O APIC: vectors for the timer and the serial port, edges, levels, destinations"},
}

// ends names the kernels that end otherwise than by their own word.
var ends = map[string]machine.Reason{
	"stack-over-top-32": machine.Shutdown,
	"stack-over-top-64": machine.Shutdown,
	"df-no-gate-32":     machine.Shutdown,
	"df-no-gate-64":     machine.Shutdown,
	"df-no-stack-32":    machine.Shutdown,
	"df-no-stack-64":    machine.Shutdown,
	"df-no-tss-32":      machine.Shutdown,
	"df-no-tss-64":      machine.Shutdown,
	"df-unmapped-32":    machine.Shutdown,
	"df-unmapped-64":    machine.Looping,
	"pf-ist-64":         machine.Looping,
	"acpi-off-32":       machine.TurnedOff,
}

// disks makes the disks of those kernels that want one.
var disks = map[string]func() []byte{"ide-read-write": numberedDisk}

// stale names the kernels that leave out a flush.
var stale = map[string]bool{"seed-all": true, "reload": true, "missing-invlpg": true}

// keys are what is typed to the kernels that want keys.
var keys = map[string]string{
	"keyboard-echo-32": `Hello, 8042!<f1><up>\n`,
}

//go:embed kernels/images/*.elf kernels/images/*.bin kernels/*/story.txt kernels/*/transcript-*.txt
var kernelFiles embed.FS

// Kernels returns every built-in kernel. The caller may change what it gets.
func Kernels() []Kernel {
	all := make([]Kernel, len(builtins))
	for i := range builtins {
		all[i] = builtins[i].kernel()
	}
	return all
}

// KernelNamed returns the built-in kernel of a name, and whether there is one.
func KernelNamed(name string) (Kernel, bool) {
	for i := range builtins {
		if b := &builtins[i]; b.name() == name {
			return b.kernel(), true
		}
	}
	return Kernel{}, false
}

// name is the kernel's for the command line.
func (b *builtin) name() string { return fmt.Sprintf("%s-%d", b.folder, b.bits) }

// kernel is the kernel with its files.
func (b *builtin) kernel() Kernel {
	name, extension := b.name(), ".elf"
	if b.bits == 16 {
		extension = ".bin"
	}
	k := Kernel{
		Name:       name,
		Bits:       b.bits,
		Summary:    b.summary,
		Source:     "guest/kernels/" + b.folder,
		Story:      string(kernelFile(b.folder + "/story.txt")),
		Image:      kernelFile("images/" + name + extension),
		Transcript: string(kernelFile(fmt.Sprintf("%s/transcript-%d.txt", b.folder, b.bits))),
		End:        ends[name],
		StaleTLB:   stale[b.folder],
		Keys:       keys[name],
	}
	if disk := disks[b.folder]; disk != nil {
		k.Disk = disk()
	}
	return k
}

// BuiltinKeys is what has to be typed for the built-in kernel of a name, nil for any other
// image and for kernels that want no keys.
func BuiltinKeys(image string) *machine.Keys {
	k, _ := KernelNamed(image)
	if k.Keys == "" {
		return nil
	}
	strokes, err := machine.ParseKeys(k.Keys)
	if err != nil {
		panic("BUG: " + k.Name + ": " + err.Error())
	}
	return machine.NewKeys(strokes)
}

// kernelFile returns an embedded file by its path below kernels/.
func kernelFile(path string) []byte {
	data, err := kernelFiles.ReadFile("kernels/" + path)
	if err != nil {
		panic("BUG: built-in kernel without a file: " + err.Error())
	}
	return data
}
