package qemu

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
)

// words splits a command line as a shell does, as far as the lines here need it.
func words(line string) []string {
	var list []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

// about tells what a line asks for beyond the defaults, which are: 128 MiB,
// COM1 on standard output, a screen, no ports but COM1.
func about(l *Line) string {
	var b []string
	say := func(format string, args ...any) { b = append(b, fmt.Sprintf(format, args...)) }
	if l.Kernel != "" {
		say("kernel %s", l.Kernel)
	}
	if l.Append != "" {
		say("append %q", l.Append)
	}
	if l.Initrd != "" {
		say("initrd %s", l.Initrd)
	}
	for _, d := range l.Drives {
		kept := ""
		if !d.Write {
			kept = ", kept"
		}
		say("%s %s%s", d.Name, d.File, kept)
	}
	if l.BootFrom != "" {
		say("boot %s", l.BootFrom)
	}
	if l.AnyFloppy {
		say("unsigned")
	}
	if l.BIOS != "" {
		say("bios %s", l.BIOS)
	}
	if l.RAM != defaultRAM {
		say("%dM", l.RAM>>20)
	}
	if l.Serial != (Stream{Stdio: true}) {
		say("serial %+v", l.Serial)
	}
	if l.Serial2 != (Stream{}) {
		say("serial2 %+v", l.Serial2)
	}
	if !l.Date.IsZero() && time.Since(l.Date).Abs() > 24*time.Hour { // not utc or localtime
		say("date %s", l.Date.Format(time.RFC3339))
	}
	if l.TickRate != 0 {
		say("%d ticks", l.TickRate)
	}
	if l.Console != (Stream{}) {
		say("console %+v", l.Console)
	}
	if l.Ports != (machine.PortMap{Serial: machine.StandardPorts.Serial}) {
		say("ports %x", l.Ports)
	}
	for _, f := range l.Files {
		say("fw_cfg %+v", f)
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{!l.Screen, "no screen"}, {l.NoHPET, "no HPET"}, {l.NoReboot, "no reboot"}, {l.NoShutdown, "no shutdown"}, {l.Freeze, "freeze"}, {l.Single, "single"}} {
		if f.on {
			say("%s", f.name)
		}
	}
	if len(l.Log) > 0 {
		say("log %s to %q", strings.Join(l.Log, ","), l.LogTo)
	}
	if l.GDB != "" {
		say("gdb %s", l.GDB)
	}
	for _, a := range l.Absent {
		say("without %s", a)
	}
	return strings.Join(b, " | ")
}

// realLines are command lines out of Makefiles and scripts of hobby kernels and
// teaching systems, the names of their files shortened, and what is made of each.
var realLines = []struct{ line, want string }{
	// A multiboot kernel.
	{`-kernel mykernel.bin`, `kernel mykernel.bin`},
	{`-kernel kernel -serial stdio`, `kernel kernel`},
	{`-kernel src/kernel/kernel.bin -serial stdio -m 16`, `kernel src/kernel/kernel.bin | 16M`},
	{`-serial stdio -kernel skernel -enable-kvm -machine q35 -device intel-iommu -vga std`, `kernel skernel | without intel-iommu (-device)`},
	{`-cpu 486,-vme -serial stdio -kernel kernel.bin`, `kernel kernel.bin`},
	{`-m 256 -kernel kernel -serial mon:stdio`, `kernel kernel | 256M`},
	{`-m 256 -kernel kernel -serial mon:stdio -s -S`, `kernel kernel | 256M | freeze | gdb 127.0.0.1:1234`},
	{`-kernel kernel.bin -m 64M`, `kernel kernel.bin | 64M`},
	{`-d int -kernel kernel.amd64.bin -serial stdio -no-reboot`, `kernel kernel.amd64.bin | no reboot | log int to ""`},
	{`-kernel sos.img -monitor stdio -m 32 -d int`, `kernel sos.img | 32M | log int to "" | without a monitor (-monitor stdio)`},
	{`-m 256 -smp 2 -kernel kernel -drive file=fs.img,index=0,media=disk,format=raw -serial mon:stdio`, `kernel kernel | hda fs.img | 256M | without processors beyond the first (-smp 2)`},
	{`-kernel kernel.elf -drive format=raw,file=dist/os.img,if=ide`, `kernel kernel.elf | hda dist/os.img`},
	{`-kernel kernel.elf -append bench -display none -vga std -serial file:log -drive file=bench.img,format=raw,if=ide,index=0`, `kernel kernel.elf | append "bench" | hda bench.img | serial {Stdio:false File:log Copy:} | no screen`},
	{`-kernel os-multiboot.bin -serial stdio -hda hdd.img -netdev user,id=f1,hostfwd=tcp:127.0.0.1:8000-:8000 -device rtl8139,netdev=f1 -object filter-dump,id=ff1,netdev=f1,file=dump.dat -device isa-debug-exit,iobase=0xf4,iosize=0x04 -display none`, `kernel os-multiboot.bin | hda hdd.img | ports {{3f8 8} {0 0} {f4 4} {0 0} {0 0}} | no screen | without rtl8139 (-device)`},
	{`-kernel tests/bin/a.bin -hda disk.img -serial stdio -no-reboot -display none`, `kernel tests/bin/a.bin | hda disk.img | no screen | no reboot`},
	{`-cpu 486 -device isa-debug-exit -kernel kernel -serial stdio -audiodev pa,id=snd0 -machine pcspk-audiodev=snd0`, `kernel kernel | ports {{3f8 8} {0 0} {501 2} {0 0} {0 0}}`},
	{`-kernel kernel.elf -device isa-debug-exit,iobase=0xf4,iosize=0x04`, `kernel kernel.elf | ports {{3f8 8} {0 0} {f4 4} {0 0} {0 0}}`},
	{`-serial stdio -netdev user,id=n0 -device rtl8139,netdev=n0,bus=pci.0,addr=4,mac=12:34:56:78:9a:bc -device isa-debug-exit,iobase=0xf4,iosize=0x01 -kernel k.elf`, `kernel k.elf | ports {{3f8 8} {0 0} {f4 1} {0 0} {0 0}} | without rtl8139 (-device)`},
	{`-smp 1 -m 128 -nodefaults -vga none -display none -device isa-debug-exit,iobase=0xf4,iosize=0x04 -chardev stdio,mux=on,id=char0 -mon chardev=char0,mode=readline -serial chardev:char0 -serial chardev:char0 -cpu max -kernel t.elf`, `kernel t.elf | serial2 {Stdio:true File: Copy:} | ports {{3f8 8} {0 0} {f4 4} {2f8 8} {0 0}} | no screen`},
	{`-m 512 -smp 1 -s -enable-kvm -no-kvm-irqchip -kernel kernel.bin -initrd initrd -serial stdio`, `kernel kernel.bin | initrd initrd | 512M | gdb 127.0.0.1:1234`},
	{`-kernel kern.elf -m size=512M -smp 4 -nographic -serial mon:stdio -no-reboot`, `kernel kern.elf | 512M | no screen | no reboot | without processors beyond the first (-smp 4)`},
	{`-kernel build/kernel.bin -serial stdio -display sdl -no-reboot -d int,cpu_reset -D qemu.log -machine type=pc-i440fx-3.1`, `kernel build/kernel.bin | no reboot | log int,cpu_reset to "qemu.log" | without a window (-display sdl)`},
	{`-no-reboot -no-shutdown -d guest_errors -d cpu_reset -serial stdio -m 128M -vga std -drive id=disk,if=ide,file=disk.img,format=raw -kernel kernel.bin`, `kernel kernel.bin | hda disk.img | no reboot | no shutdown | log cpu_reset to ""`},
	{`-s -S -no-reboot -no-shutdown -kernel boot/kernel -chardev stdio,id=char0,mux=on,logfile=log.txt,signal=off -serial chardev:char0 -mon chardev=char0 -hda bin/img`, `kernel boot/kernel | hda bin/img | serial {Stdio:true File: Copy:log.txt} | no reboot | no shutdown | freeze | gdb 127.0.0.1:1234`},
	{`-chardev stdio,id=char0,logfile=serial.log,signal=off -serial chardev:char0 -no-reboot -kernel kernel.bin`, `kernel kernel.bin | serial {Stdio:true File: Copy:serial.log} | no reboot`},
	{`-cpu qemu64,+ssse3,+sse4.1,+sse4.2 -smp cpus=1,cores=2,threads=2,maxcpus=4 -machine q35 -m 128M -vga std -serial stdio -kernel k`, `kernel k`},
	{`-m 2G -net none -nographic -serial mon:stdio -kernel tinyos -d int,mmu,guest_errors -D qemu.log -drive file=disk.img,if=none,format=raw,id=x0 -device virtio-blk-pci,drive=x0,bus=pci.0,addr=0x3`, `kernel tinyos | 2048M | no screen | log int to "qemu.log" | without a log of mmu (-d) | without virtio-blk-pci (-device) | without the disk disk.img`},
	{`-gdb tcp::1235 -S -m 128M -d cpu_reset,guest_errors -device VGA,vgamem_mb=64 -drive id=disk,file=img,if=none,format=raw -device ahci,id=ahci -device ide-hd,drive=disk,bus=ahci.0 -kernel kern.bin`, `kernel kern.bin | freeze | log cpu_reset to "" | gdb 127.0.0.1:1235 | without VGA (-device) | without ahci (-device) | without ide-hd (-device) | without the disk img`},
	{`-display none -m 64M -serial file:serial.log -no-reboot -no-shutdown -d guest_errors,trace:ioport_* -D qemu.log -drive id=disk,file=os.img,if=ide,format=raw -chardev file,id=dbg,path=debugcon.log -device isa-debugcon,iobase=0xe9,chardev=dbg -kernel k`, `kernel k | hda os.img | 64M | serial {Stdio:false File:serial.log Copy:} | console {Stdio:false File:debugcon.log Copy:} | ports {{3f8 8} {e9 1} {0 0} {0 0} {0 0}} | no screen | no reboot | no shutdown | without trace events (-d)`},
	{`-soundhw pcspk -m 256M -kernel kernel.bin -blockdev driver=file,node-name=f0,filename=floppy.img -device floppy,drive=f0`, `kernel kernel.bin | 256M | without sound (-soundhw pcspk) | without a disk or file system (-blockdev driver=file,node-name=f0,filename=floppy.img) | without floppy (-device)`},
	{`-M microvm -cpu 486 -m 7802k -kernel bzImage -nographic -append "console=ttyS0" -serial mon:stdio`, `kernel bzImage | append "console=ttyS0" | 7M | no screen`},
	{`-enable-kvm -cpu kvm64,+smep -kernel ./bzImage -append "console=ttyS0 root=/dev/ram rw oops=panic panic=1 quiet" -initrd ./rootfs.cpio -nographic -m 2G -smp cores=2,threads=2,sockets=1 -monitor /dev/null -nographic`, `kernel ./bzImage | append "console=ttyS0 root=/dev/ram rw oops=panic panic=1 quiet" | initrd ./rootfs.cpio | 2048M | no screen | without processors beyond the first (-smp cores=2,threads=2,sockets=1)`},
	{`-m 64M -nographic -kernel bzImage -append "console=ttyS0 panic=-1 pti=on kaslr" -no-reboot -cpu kvm64,+smap,+smep -monitor /dev/null -initrd rootfs.cpio`, `kernel bzImage | append "console=ttyS0 panic=-1 pti=on kaslr" | initrd rootfs.cpio | 64M | no screen | no reboot`},
	{`-m 256M -smp 1 -cpu qemu64,+smep,+smap -kernel ./bzImage -initrd ./initramfs.cpio -append "console=ttyS0 kaslr" -nographic -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=0x01 -monitor /dev/null`, `kernel ./bzImage | append "console=ttyS0 kaslr" | initrd ./initramfs.cpio | 256M | ports {{3f8 8} {0 0} {f4 1} {0 0} {0 0}} | no screen | no reboot`},
	{`-m 512M -kernel bzImage -cpu qemu64,+smep,+smap -smp 4 -netdev user,id=t0, -device e1000,netdev=t0,id=nic0 -nographic -monitor /dev/null --no-reboot -gdb tcp::1234`, `kernel bzImage | 512M | no screen | no reboot | gdb 127.0.0.1:1234 | without processors beyond the first (-smp 4) | without e1000 (-device)`},

	// A disk or a floppy disk.
	{`-fda boot.img`, `fda boot.img | boot fda`},
	{`-debugcon stdio -fda OSImage.img`, `fda OSImage.img | boot fda | console {Stdio:true File: Copy:} | ports {{3f8 8} {e9 1} {0 0} {0 0} {0 0}}`},
	{`-fda boot.img -monitor stdio`, `fda boot.img | boot fda | without a monitor (-monitor stdio)`},
	{`-hda os.img`, `hda os.img | boot hda`},
	{`-nographic os.img`, `hda os.img | boot hda | no screen`},
	{`-monitor stdio os.img`, `hda os.img | boot hda | without a monitor (-monitor stdio)`},
	{`-drive format=raw,file=build/floppy.img`, `hda build/floppy.img | boot hda`},
	{`-machine q35 -drive file=disk.img,format=raw,if=floppy,index=0`, `fda disk.img | boot fda`},
	{`-machine q35 -drive file=./build/bootdisk.img,format=raw,index=0,if=floppy -gdb tcp::26000 -S -D ./.log.txt`, `fda ./build/bootdisk.img | boot fda | freeze | gdb 127.0.0.1:26000`},
	{`-s -fda bin/floppy.img -boot a`, `fda bin/floppy.img | boot fda | gdb 127.0.0.1:1234`},
	{`-fda boot.img -curses`, `fda boot.img | boot fda | without a window (-curses)`},
	{`-localtime -net nic -net user -m 768M -drive file=OS.img,media=disk,format=raw -serial file:serial.log`, `hda OS.img | boot hda | 768M | serial {Stdio:false File:serial.log Copy:} | without a network card (-net nic)`},
	{`-drive file=xv6.img,index=0,media=disk,format=raw -drive file=fs.img,index=1,media=disk,format=raw -smp 2 -m 512 -serial mon:stdio`, `hda xv6.img | hdb fs.img | boot hda | 512M | without processors beyond the first (-smp 2)`},
	{`-d int -no-reboot -no-shutdown -serial mon:stdio -drive file=fs.img,index=1,media=disk,format=raw -drive file=os.img,index=0,media=disk,format=raw -smp 1 -m 256`, `hdb fs.img | hda os.img | boot hda | 256M | no reboot | no shutdown | log int to ""`},
	{`moss.hdd -cpu core2duo -m 512M -no-reboot -no-shutdown -M smm=off -d int`, `hda moss.hdd | boot hda | 512M | no reboot | no shutdown | log int to ""`},
	{`-vga std -drive format=raw,media=disk,index=0,file=os.hdd -d int,cpu_reset -serial stdio -no-reboot -no-shutdown -m 256`, `hda os.hdd | boot hda | 256M | no reboot | no shutdown | log int,cpu_reset to ""`},
	{`-drive file=build/boot.img,format=raw -no-reboot -no-shutdown -enable-kvm -display none -serial mon:stdio`, `hda build/boot.img | boot hda | no screen | no reboot | no shutdown`},
	{`-m 512 -hda fat32disk -hdb sample -hdc minixdisk -boot a -serial stdio -monitor telnet:127.0.0.1:11111,server,nowait -net nic,model=rtl8139 -net tap,ifname=tap0,script=ifup.sh`, `hda fat32disk | hdb sample | hdc minixdisk | boot hda | 512M | without a monitor (-monitor telnet:127.0.0.1:11111,server,nowait) | without a network card (-net nic,model=rtl8139) | without a network card (-net tap,ifname=tap0,script=ifup.sh)`},
	{`-cpu max -smp 4 -monitor stdio -debugcon file:debug.txt -m 4G -no-reboot ./disk.img`, `hda ./disk.img | boot hda | 3072M | console {Stdio:false File:debug.txt Copy:} | ports {{3f8 8} {e9 1} {0 0} {0 0} {0 0}} | no reboot | without processors beyond the first (-smp 4) | without a monitor (-monitor stdio) | without RAM beyond 3072 MiB (-m 4G)`},
	{`-nodefaults -display none -monitor none -no-reboot -nic none -boot a -drive if=floppy,format=raw,file=f.img -drive if=ide,format=raw,file=hdd.img -serial file:s.log -device isa-debug-exit,iobase=0xf4,iosize=0x04`, `fda f.img | hda hdd.img | boot fda | serial {Stdio:false File:s.log Copy:} | ports {{3f8 8} {0 0} {f4 4} {0 0} {0 0}} | no screen | no reboot`},
	{`-enable-kvm -nographic --serial mon:stdio -hdc kernel/kernel.img`, `hdc kernel/kernel.img | boot hdc | no screen`},
}

// refusedLines are lines that ask for another run than there can be, or that
// QEMU refuses as well, and the one line that is said of each.
var refusedLines = []struct{ line, want string }{
	// Real ones.
	{`-cdrom os.iso`, `error: -cdrom os.iso: a CD cannot be booted: there is no drive for it; give the kernel that is on it by -kernel`},
	{`-cdrom kernel.iso -serial stdio -m 512M -enable-kvm -cpu host -smp 4`, `error: -cdrom kernel.iso: a CD cannot be booted: there is no drive for it; give the kernel that is on it by -kernel`},
	{`-m 4096 -machine q35 -bios OVMF.fd -cdrom os.iso -boot d -no-reboot -no-shutdown -serial stdio -d int -D qemu.log -device isa-debug-exit,iobase=0xf4,iosize=0x04`, `error: -cdrom os.iso: a CD cannot be booted: there is no drive for it; give the kernel that is on it by -kernel`},
	{`-rtc base=tomorrow -kernel k`, `error: -rtc base=tomorrow: base=tomorrow: must be utc, localtime or a date as 2006-06-17T16:01:21 or 2006-06-17`},
	{`-rtc bas=utc -kernel k`, `error: -rtc bas=utc: invalid parameter 'bas': must be base, clock or driftfix`},
	{`-icount shift=11 -kernel k`, `error: -icount shift=11: shift=11: must be auto or a number from 0 to 10`},
	{`-icount fast=1 -kernel k`, `error: -icount fast=1: invalid parameter 'fast': must be shift`},
	{`-d int -pflash OVMF.fd -drive file=fat:rw:sysroot/,format=raw -serial stdio`, `error: -pflash OVMF.fd: there is no flash memory on this board: give the ROM of a BIOS by -bios`},
	{`-drive if=pflash,format=raw,file=OVMF.fd -drive format=raw,file=fat:rw:esp`, `error: -drive if=pflash,format=raw,file=OVMF.fd: there is no flash memory on this board: give the ROM of a BIOS by -bios`},
	{`-accel tcg,thread=single -cpu Opteron_G5 -m 1024 -drive format=raw,media=cdrom,file=myos.iso -serial stdio -smp 1 -vga std`, `error: -drive myos.iso: a CD cannot be booted: there is no drive for it; give the kernel that is on it by -kernel`},
	{`-hda fat:rw:out -nographic`, `error: -hda fat:rw:out: cannot be booted: it must be a raw image, in a drive from hda to hdd or fda or fdb`},
	{`-m 16M -gdb stdio -S -kernel kernel`, `error: -gdb stdio: a debugger connects by TCP: tcp:[HOST]:PORT`},
	{`-chardev pty,id=p -serial chardev:p -kernel k`, `error: -serial: chardev p is of kind pty: output goes to stdio, to file:NAME, or nowhere (null, none)`},

	{``, `error: nothing to boot: give a kernel by -kernel, or the image of a disk by -hda, -fda or -drive`},
	{`-frob`, `error: -frob: invalid option`},
	{`--display=none -kernel k`, `error: --display=none: invalid option`},
	{`-kernel`, `error: -kernel: requires an argument`},
	{`-kernel k -m lots`, `error: -m lots: must be a number of MiB, or with a suffix K, M, G or T`},
	{`-kernel k -m -5`, `error: -m -5: must be a number of MiB, or with a suffix K, M, G or T`},
	{`-kernel k -m 0x40`, `error: -m 0x40: must be a number of MiB, or with a suffix K, M, G or T`},
	{`-kernel k -m 640K`, `error: -m 640K: this board has at least 1 MiB of RAM`},
	{`-kernel k -cpu 8086`, `error: unable to find CPU model '8086' (try -cpu help)`},
	{`-kernel k -M raspi2`, `error: -M raspi2: unsupported machine type: must be pc, q35, isapc or microvm`},
	{`-kernel k -smp none`, `error: -smp none: cpus must be a number of processors`},
	{`-kernel k -smp 0`, `error: -smp 0: cpus must be a number of processors`},
	{`-kernel k -serial tcp:localhost:4444`, `error: -serial tcp:localhost:4444: output goes to stdio, to file:NAME, or nowhere (null, none)`},
	{`-kernel k -serial frob`, `error: -serial frob: output goes to stdio, to file:NAME, or nowhere (null, none)`},
	{`-kernel k -serial file:`, `error: -serial file:: output goes to stdio, to file:NAME, or nowhere (null, none)`},
	{`-kernel k -serial chardev:none`, `error: -serial: chardev "none" not found`},
	{`-kernel k -chardev stdio`, `error: -chardev stdio: needs an id`},
	{`-kernel k -chardev file,id=x`, `error: -chardev file,id=x: a file needs its path`},
	{`-kernel k -chardev file,id=x,path=p,append=on -serial chardev:x`, `error: -chardev file,id=x,path=p,append=on: a file is always emptied first: append=on cannot be done`},
	{`-kernel k -display frob`, `error: -display frob: parameter 'type' does not accept value 'frob': must be none`},
	{`-kernel k -d frob`, `error: -d frob: unknown log item "frob": must be of int, exec, in_asm, cpu, fpu, cpu_reset, pcall, mmu, guest_errors, unimp, nochain, page, strace, tid, out_asm, op, op_opt, op_ind, plugin (try -d help)`},
	{`-kernel k -device isa-debug-exit,iobase=0x10000`, `error: -device isa-debug-exit,iobase=0x10000: iobase=0x10000: must be a number from 0 to 0xffff`},
	{`-kernel k -device isa-debug-exit,iosize=0`, `error: -device isa-debug-exit,iosize=0: iosize=0: the device would have no port`},
	{`-kernel k -device isa-debug-exit,frob=1`, `error: -device isa-debug-exit,frob=1: property 'isa-debug-exit.frob' not found`},
	{`-kernel k -device isa-debugcon`, `error: -device isa-debugcon: needs a chardev`},
	{`-kernel k -device loader,file=x,addr=0`, `error: -device loader,file=x,addr=0: what it would load is not there: use -kernel and -initrd`},
	{`-kernel k -fw_cfg opt/a`, `error: -fw_cfg opt/a: must be name=NAME and file=FILE or string=TEXT`},
	{`-kernel k -fw_cfg string=x`, `error: -fw_cfg string=x: must be name=NAME and file=FILE or string=TEXT`},
	{`-kernel k -fw_cfg opt/a,string=x,file=y`, `error: -fw_cfg opt/a,string=x,file=y: must be name=NAME and file=FILE or string=TEXT`},
	{`-kernel k -fw_cfg name=opt/a,file=`, `error: -fw_cfg name=opt/a,file=: file needs a value`},
	{`-kernel k -fw_cfg name=opt/a,gen_id=x`, `error: -fw_cfg name=opt/a,gen_id=x: "gen_id" is neither name, file nor string`},
	{`-kernel k -S`, `error: -S: nobody could start the guest: there is no monitor, and no debugger without -s or -gdb`},
	{`-kernel k -gdb tcp::0`, `error: -gdb tcp::0: port "0": must be a number from 1 to 65535`},
	{`-kernel k -gdb unix:socket`, `error: -gdb unix:socket: a debugger connects by TCP: tcp:[HOST]:PORT`},
	{`-kernel k -action reboot=never`, `error: -action reboot=never: reboot=never: must be reboot=reset|shutdown or shutdown=poweroff|pause`},
	{`-kernel k -loadvm x`, `error: -loadvm x: a state that QEMU saved cannot be read`},
	{`-kernel k -daemonize`, `error: -daemonize: x86emu stays in the foreground and starts at once`},
	{`-append x -hda d`, `error: -append only allowed with -kernel option`},
	{`-initrd x -hda d`, `error: -initrd only allowed with -kernel option`},
	{`-fda ""`, `error: -fda: needs the name of an image`},
	{`one two`, `error: "two": there is a drive 0 of this kind already`},
	{`-kernel k ""`, `error: "": needs the name of an image`},
	{`-hda d -boot z`, `error: -boot z: invalid boot device 'z'`},
	{`-hda a -hda b`, `error: -hda b: there is a drive 0 of this kind already`},
}

func TestRefusedLines(t *testing.T) {
	for _, c := range refusedLines {
		t.Run(c.line, func(t *testing.T) {
			_, err := Parse(words(c.line))
			require.Error(t, err)
			assert.Equal(t, c.want, "error: "+err.Error())
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// Smaller things, each by itself.
var lines = []struct{ line, want string }{
	{`-kernel k -fw_cfg opt/a,string=1,,2 -fw_cfg name=opt/b,file=b.txt`, `kernel k | fw_cfg {Name:opt/a File: Text:1,2} | fw_cfg {Name:opt/b File:b.txt Text:}`},
	{`-display none -kernel k`, `kernel k | serial {Stdio:false File: Copy:} | no screen`},
	{`-nodefaults -kernel k`, `kernel k | serial {Stdio:false File: Copy:} | ports {{0 0} {0 0} {0 0} {0 0} {0 0}}`},
	{`-nographic -kernel k`, `kernel k | no screen`},
	{`-serial none -kernel k`, `kernel k | serial {Stdio:false File: Copy:} | ports {{0 0} {0 0} {0 0} {0 0} {0 0}}`},
	{`-serial null -kernel k`, `kernel k | serial {Stdio:false File: Copy:}`},
	{`-serial vc -display none -kernel k`, `kernel k | serial {Stdio:false File: Copy:} | no screen`},
	{`-serial /dev/stdout -kernel k`, `kernel k | serial {Stdio:false File:/dev/stdout Copy:}`},
	{`-serial mon:stdio -serial file:x -serial null -serial none -kernel k`, `kernel k | serial2 {Stdio:false File:x Copy:} | ports {{3f8 8} {0 0} {0 0} {2f8 8} {0 0}} | without serial port 3 (-serial null)`},
	{`-debugcon null -kernel k`, `kernel k | ports {{3f8 8} {e9 1} {0 0} {0 0} {0 0}}`},
	{`-debugcon stdio -global isa-debugcon.iobase=0x402 -kernel k`, `kernel k | console {Stdio:true File: Copy:} | ports {{3f8 8} {402 1} {0 0} {0 0} {0 0}}`},
	{`-chardev file,id=a,path=x,,y -device isa-serial,chardev=a -nodefaults -kernel k`, `kernel k | serial {Stdio:false File:x,y Copy:}`},
	{`-m 1.5G -kernel k`, `kernel k | 1536M`},
	{`-m 64,slots=2,maxmem=1G -kernel k`, `kernel k | 64M`},
	{`-m 0 -kernel k`, `kernel k`},
	{`-m 1048576k -kernel k`, `kernel k | 1024M`},
	{`-M help -kernel`, `say Supported machines are: pc, q35, isapc and microvm, in all versions.`},
	{`-M pc,graphics=off -kernel k`, `kernel k | no screen`},
	{`-no-hpet -kernel k`, `kernel k | no HPET`},
	{`-machine q35,hpet=off -kernel k`, `kernel k | no HPET`},
	{`-no-hpet -machine hpet=on -kernel k`, `kernel k`},
	{`-rtc base=2006-06-17T16:01:21,clock=vm -kernel k`, `kernel k | date 2006-06-17T16:01:21Z`},
	{`-rtc 2006-06-17 -icount shift=3,align=off,sleep=on -kernel k`, `kernel k | date 2006-06-17T00:00:00Z | 125000000 ticks`},
	{`-rtc clock=host -icount auto -kernel k`, `kernel k`},
	{`-icount 7 -kernel k`, `kernel k | 10000000 ticks | without instructions that take longer than 100 ns (-icount 7)`},
	{`-accel kvm -machine accel=kvm:tcg -rtc base=localtime -name x -k fr -L . -kernel k`, `kernel k`},
	{`-gdb tcp:0.0.0.0:99,server,nowait -kernel k`, `kernel k | gdb 0.0.0.0:99`},
	{`-s -gdb none -kernel k`, `kernel k`},
	{`-action reboot=shutdown,shutdown=pause -kernel k`, `kernel k | no reboot | no shutdown`},
	{`-device isa-debug-exit,iobase=244,iosize=02 -kernel k`, `kernel k | ports {{3f8 8} {0 0} {f4 2} {0 0} {0 0}}`},
	{`-net none -nic none -parallel none -monitor none -kernel k`, `kernel k`},
	{`-nic user,model=e1000 -kernel k`, `kernel k | without a network card (-nic user,model=e1000)`},
	{`-fda f -hda h`, `fda f | hda h | boot hda`},
	{`-fda f -hda h -boot order=ac,menu=on`, `fda f | hda h | boot fda`},
	{`-bios rom.bin`, `bios rom.bin`},
	{`-bios rom.bin -hda h`, `hda h | boot hda | bios rom.bin`},
	{`-bios rom.bin -kernel k`, `kernel k | without firmware (-bios rom.bin)`},
	{`-fda f -no-fd-bootchk`, `fda f | boot fda | unsigned`},
	{`-hdb b -hda a -cdrom c`, `hdb b | hda a | boot hda | without the disk c`},
	{`-kernel k -hda h -snapshot`, `kernel k | hda h, kept`},
	{`-kernel k -drive file=h,snapshot=on -drive file=i,readonly=on -drive file=j`, `kernel k | hda h, kept | hdb i, kept | hdc j`},
	{`-kernel k -drive file=h,format=qcow2 -drive file=i,index=4`, `kernel k | without the disk h | without the disk i`},
	{`-hda h -cdrom c -boot d -kernel k`, `kernel k | hda h | without the disk c`},
	{`-drive if=none,id=x,file=x -fdb b`, `fdb b | boot fdb | without the disk x`},
	{`-cpu SandyBridge -kernel k`, `kernel k | without AVX (-cpu SandyBridge)`},
	{`-cpu max,+avx2,vendor=AuthenticAMD,kvm=off,enforce -kernel k`, `kernel k | without the CPU feature avx2 | without vendor AuthenticAMD (-cpu)`},
	{`-singlestep -d exec,nochain -d in_asm -dfilter 0+1 -kernel k`, `kernel k | single | log exec to "" | without a log of in_asm (-d) | without a filter of the log (-dfilter 0+1)`},
	{`-initrd "a x=1,b" -append "one, two" -kernel k`, `kernel k | append "one, two" | initrd a x=1,b`},
}

func TestLines(t *testing.T) {
	for _, c := range lines {
		t.Run(c.line, func(t *testing.T) {
			l, err := Parse(words(c.line))
			require.NoError(t, err)
			if l.Say != "" {
				assert.Equal(t, c.want, "say "+strings.SplitN(l.Say, "\n", 2)[0])
				return
			}
			assert.Equal(t, c.want, about(l))
		})
	}
}

func TestRealLines(t *testing.T) {
	require.GreaterOrEqual(t, len(realLines), 40)
	for _, c := range realLines {
		t.Run(c.line, func(t *testing.T) {
			l, err := Parse(words(c.line))
			require.NoError(t, err)
			assert.Equal(t, c.want, about(l))
		})
	}
}
