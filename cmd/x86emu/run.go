package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"x86emu/debug"
	"x86emu/machine"
)

func newRun() *cobra.Command {
	var b board
	var s streams
	var budget uint64
	var reportStale, reportUnclaimed, stopped bool
	var d debugger
	var save saving
	var p profileFlags
	var screen screenFlag
	cmd := &cobra.Command{
		Use:   "run IMAGE",
		Short: "Run a guest until it ends",
		Long: `Run a guest until it ends. IMAGE is the name of a built-in kernel (see
"x86emu guests") or a file: multiboot 1 or 2, a Linux bzImage, PVH, ELF32, ELF64,
a 512-byte boot sector or a disk image, told by its bytes; or a flat binary with
--load-addr. A
name with a slash is always a file. It may also be a snapshot, here and wherever an IMAGE is run: the
guest goes on where it was saved.

The guest has COM1 at port 0x3F8, COM2 at 0x2F8, a debug console at port 0xE9, and ends the
run by a write to port 0xF4 or 0x501. The exit status tells how the run ended:

    0  the guest wrote 0 to port 0xF4, or turned the machine off (ACPI's S5, by
       port 0x604); for another value at port 0xF4: value*2+1 (mod 256)
    2  bad usage or a bad image
  120  halted for good: HLT, and nothing can wake the processor
  122  an endless loop of deliveries: the same state comes round for ever
  124  the budget is spent
  126  shutdown (triple fault); stderr tells the faults that led to it
  130  interrupted

--hda, --hdb, --hdc and --hdd give the guest disks, --fda and --fdb floppy disks, by files of
their sectors. What it writes stays in memory, at most --disk-memory. With --write the files
get it too, when the run ends, by Ctrl-C or a budget as well: until then they are as they
were, whatever becomes of the run.

--keys types on the guest's keyboard, in virtual time and so the same in each run. A text is
characters of a US keyboard, and
    \n \t \e \b \\ \<        Enter, Tab, Esc, Backspace, the characters \ and <
    <f1> <up> <kp-5>        a key by its name (a wrong one has them listed)
    <ctrl-c> <alt-f4>       with ctrl, shift, alt or win held
    <left-shift down>       a key that stays down, and repeats, until <left-shift up>
    <wait 10ms>             a pause
The first key comes 10 ms after the guest has unmasked IRQ 1 or looked at the keyboard's
ports 64 times in vain, each next one 5 ms after it has read all before: none is lost. With
--keys live the terminal is the keyboard, and COM1 receives nothing: Ctrl-C ends the
run, Ctrl-A Ctrl-C types it.

--save writes the machine to a file when the run ends, by Ctrl-C too; --at ends it
at a tick for that, with exit status 0. What the guest had read of its serial input
is gone: a run of the snapshot reads its own from the beginning.

With --report-stale-tlb stderr also tells each access that uses a TLB entry which the
page tables no longer support: the entry, the store that changed the table, and
the flush that is missing. The guest does the same, but runs one instruction at a time.

With --report-unclaimed stderr tells at the end which ports and physical addresses the
guest touched though nothing answers there ("x86emu board" lists what does), how often,
and who did so first. It costs no time. That a kernel looks for devices by touching
ports is normal; a device that it goes on to use is one that this board lacks.

With --profile a file tells where the guest spent its ticks, by symbol and with call
stacks, for "go tool pprof -http :8080 FILE". Samples are taken by virtual time, so
that the same run gives the same profile.

With --screen the text screen at 0xB8000 is printed when the run ends, in colour on a
terminal (NO_COLOR is respected). --screen=live draws it there while the guest runs, with its cursor;
Ctrl-C ends the run. COM1 and port 0xE9 then go nowhere unless --serial and --debugcon
name a FILE.

With --gdb a debugger may attach at any time, which stops the guest: see "x86emu gdb".
-S lets the guest stand until it does.`,
		Example: `  x86emu run unmapped-handler-32
  x86emu run kernel.elf -m 128M --append "root=/dev/ram" --initrd "fs.img ro,mod.ko"
  x86emu run bzImage -m 256M --append "console=ttyS0" --initrd initrd.cpio.gz
  x86emu run kernel.elf --budget 1000000
  x86emu run boot.bin --cpu 386
  x86emu run missing-invlpg-32 --report-stale-tlb
  x86emu run kernel.elf --profile kernel.pprof
  x86emu run kernel.elf --screen=live --serial com1.txt
  x86emu run kernel.elf --gdb 1234 -S
  x86emu run kernel.elf --hda disk.img --write
  x86emu run disk.img
  x86emu run --bios bios-256k.bin --hda disk.img
  x86emu run kernel.elf --at 5000000 --save booted
  x86emu run booted
  x86emu run kernel.elf --keys "ls\n<wait 1s><ctrl-alt-delete>"
  x86emu run kernel.elf --keys live
  x86emu run code.bin --load-addr 0x100000 --mode 64 --cpl 3`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case stopped && d.address == "":
				return fmt.Errorf("-S needs --gdb: nobody could continue the guest")
			case reportStale && d.address != "":
				return fmt.Errorf("--report-stale-tlb and --gdb exclude each other (in gdb: monitor stale)")
			case reportUnclaimed && d.address != "":
				return fmt.Errorf("--report-unclaimed and --gdb exclude each other: a debugger takes the guest through the same accesses again")
			case p.file != "" && (reportStale || d.address != ""):
				return fmt.Errorf("--profile goes with neither --report-stale-tlb nor --gdb")
			case screen == screenLive && (p.file != "" || reportStale || d.address != ""):
				return fmt.Errorf("--screen=live goes with none of --profile, --report-stale-tlb and --gdb (in gdb: monitor screen)")
			}
			if err := screen.settle(cmd, &s); err != nil {
				return err
			}
			if err := b.drives.check(); err != nil {
				return err
			}
			defer s.close()
			if err := p.create(cmd, &s); err != nil {
				return err
			}
			defer save.close()
			if err := save.open(cmd); err != nil {
				return err
			}
			if d.address != "" {
				if err := d.open(cmd, "gdb", args[0]); err != nil {
					return err
				}
				defer d.listener.Close()
			}
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			ticks, err := ticksTo(cmd, m, "at", save.at)
			if err != nil {
				return err
			}
			ticks = min(ticks, budgetOf(cmd, budget))
			var w *staleReport
			if reportStale {
				if w, err = reportStaleTLB(cmd, m); err != nil {
					return err
				}
			}
			var unclaimed *machine.Unclaimed
			if reportUnclaimed {
				unclaimed = m.CountUnclaimed()
			}
			if err := p.watch(cmd, m, args[0]); err != nil {
				return err
			}
			endScreen, err := screen.watch(cmd, m, s.keyboard)
			if err != nil {
				return err
			}
			var r machine.Result
			if d.address != "" {
				r, err = d.serve(cmd, m, ticks, stopped)
			} else {
				r, err = m.Run(cmd.Context(), ticks)
			}
			if err = cmp.Or(err, endScreen(), s.keyboard.close()); err == nil {
				err = screen.print(cmd, m)
			}
			if err == nil {
				err = save.write(m)
			}
			if err == nil {
				err = b.drives.writeBack(m)
			}
			if err = cmp.Or(err, p.end(), s.close()); err != nil {
				return err
			}
			w.end()
			tellUnclaimed(cmd, unclaimed)
			if save.reached(cmd, r) {
				return nil
			}
			return end(cmd, r)
		},
	}
	b.addFlags(cmd)
	s.addFlags(cmd, "stdio")
	screen.addFlags(cmd)
	p.addFlags(cmd)
	cmd.Flags().StringVar(&p.symbols, "symbols", "", "take the names of --profile from this ELF `FILE` (default the image)")
	cmd.Flags().BoolVar(&reportStale, "report-stale-tlb", false, "tell each use of a TLB entry that the page tables no longer support")
	cmd.Flags().BoolVar(&reportUnclaimed, "report-unclaimed", false, "tell at the end which ports and physical addresses the guest touched though nothing answers there")
	b.drives.addWrite(cmd)
	save.addFlags(cmd)
	d.history = size(debug.DefaultHistory)
	cmd.Flags().StringVar(&d.address, "gdb", "", "let gdb attach at `HOST:PORT`, or a PORT of this host")
	cmd.Flags().BoolVarP(&stopped, "stopped", "S", false, "with --gdb: stand still until gdb continues")
	cmd.Flags().Uint64Var(&budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	return cmd
}

// tellUnclaimed tells on stderr of the accesses that nothing answered, if they were
// counted.
func tellUnclaimed(cmd *cobra.Command, u *machine.Unclaimed) {
	if u == nil {
		return
	}
	for _, line := range debug.UnclaimedLines(u) {
		fmt.Fprintln(cmd.ErrOrStderr(), "x86emu: "+line)
	}
}

// budgetOf is the budget that a flag gives, or none.
func budgetOf(cmd *cobra.Command, budget uint64) uint64 {
	if cmd.Flags().Changed("budget") {
		return budget
	}
	return machine.NoBudget
}

// end tells how a run ended, on stderr and by the exit status.
func end(cmd *cobra.Command, r machine.Result) error {
	tellEnd(cmd, r)
	if s := r.Status(); s != 0 {
		return status(s)
	}
	return nil
}

// tellEnd tells on stderr how a run ended, if it was not by the guest's word.
func tellEnd(cmd *cobra.Command, r machine.Result) {
	for i, line := range r.Story() {
		if i == 0 {
			line = "x86emu: " + line
		}
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
}
