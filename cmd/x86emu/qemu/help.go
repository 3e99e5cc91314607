package qemu

// Help teaches "x86emu qemu".
const Help = `Run a guest by a command line of qemu-system-i386 or qemu-system-x86_64, so that
a Makefile with QEMU = x86emu qemu works. Options have one dash or two.

  -kernel FILE -append TEXT -initrd FILE[ args],...
                    a Linux bzImage and its initrd; a multiboot or PVH kernel,
                    ELF32 or ELF64, and its modules
  -hda FILE, -fda FILE, -drive file=FILE[,if=floppy], FILE, -boot a|c
                    up to -hdd and -fdb: disks, raw images; the files get what the
                    guest writes as the run ends, but for snapshot=on, -snapshot
                    and readonly=on. Without -kernel the built-in BIOS boots one.
  -bios FILE        a ROM in place of the built-in BIOS, as SeaBIOS's bios-256k.bin
  -m 128M -cpu qemu64,+smap,-nx -machine pc|q35[,hpet=off] -no-hpet
  -serial stdio|file:NAME|null|none|mon:stdio|chardev:ID
                    without it COM1 is standard output, as there is no window;
                    with -display none it is nowhere, as on QEMU; a second one is COM2
  -rtc base=utc|localtime|2006-06-17T16:01:21   -icount shift=0|...|6|auto
                    the clock goes on in virtual time; without -rtc it begins at a fixed date
  -debugcon stdio|file:NAME, -chardev stdio|file|null,id=ID[,path=NAME][,logfile=NAME]
  -device isa-debug-exit[,iobase=0x501][,iosize=2]   -device isa-debugcon,chardev=ID
  -fw_cfg [name=]NAME,file=FILE|string=TEXT
  -nographic -display none -nodefaults -no-reboot -no-shutdown
  -d int,exec,cpu_reset [-D FILE] [-singlestep]  QEMU's log, in its layout
  -s, -gdb tcp:[HOST]:PORT, -S              gdb may connect, on loopback unless HOST says otherwise
  -cpu help, -machine help, -device help, -d help

What a guest can do without (a window, network, USB, sound, CDs, more than
one processor, the monitor) is named in one line on standard error, and the run goes
on. What would make another run of it (flash memory, a CD to boot from, a saved
state) and what QEMU does not know either ends with status 1.

Exit status:
  value*2+1 (mod 256)   the guest wrote to isa-debug-exit: 1 for 0
    0   the guest turned the machine off (port 0x604), or with -no-reboot reset it
        (ports 0x64, 0x92, 0xCF9) or shut down (triple fault); or Ctrl-C
    1   a bad command line or image
  120, 122, 126   where QEMU would go on for ever or begin again: halted for good,
        an endless loop of deliveries, a reset or triple fault without -no-reboot`
