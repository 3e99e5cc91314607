package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"x86emu/diff"
	"x86emu/mmu"
)

type bochs struct{ peer }

// NewBochs makes an engine of Bochs; program is its path, "" if it is to be
// found in PATH.
func NewBochs(program string) Engine {
	return &bochs{peer{name: "bochs", programs: []string{"bochs-bin", "bochs"}, program: program}}
}

// bochsCPU is the model that has most of what our model "max" has.
const bochsCPU = "corei7_icelake_u"

// bochsConfig is for the Bochs of Debian. Its debugger is built in; the file
// "commands" lets it run, and run on after each reset. Sound, network and USB plugins are off since it aborts
// at start with them, and that line is the last: it crashes where the line
// comes first. The rfb display needs no screen.
const bochsConfig = `cpu: model=` + bochsCPU + `, count=1, ips=50000000, reset_on_triple_fault=1, ignore_bad_msrs=1
memory: guest=64, host=64
romimage: file=%s
vgaromimage: file=%s
display_library: rfb, options="timeout=0"
config_interface: textconfig
clock: sync=none, time0=1
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, mode=flat, path=disk, cylinders=%d, heads=16, spt=63
port_e9_hack: enabled=1
log: log.txt
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
plugin_ctrl: sb16=0, es1370=0, ne2k=0, e1000=0, voodoo=0, usb_uhci=0, parallel=0, gameport=0, speaker=0, busmouse=0
`

// maxResets is how often a run can come back from a reset, at each of which the
// debugger stops.
const maxResets = 20000

// Where distributions keep its firmware.
var (
	bochsBIOS = []string{"/usr/share/bochs/BIOS-bochs-latest", "/usr/share/seabios/bios.bin"}
	bochsVGA  = []string{"/usr/share/bochs/VGABIOS-lgpl-latest", "/usr/share/vgabios/vgabios.bin", "/usr/share/seabios/vgabios-stdvga.bin"}
)

func (b *bochs) Name() string    { return b.name }
func (b *bochs) Version() string { return b.named(", " + bochsCPU) }
func (b *bochs) Close() error    { return nil }

// Look finds its firmware too.
func (b *bochs) Look() error {
	if err := b.peer.Look(); err != nil {
		return err
	}
	for _, files := range [][]string{bochsBIOS, bochsVGA} {
		if first(files) == "" {
			return fmt.Errorf("its firmware is missing: none of %s", strings.Join(files, ", "))
		}
	}
	return nil
}

// Answers leaves out what the model has not: 5-level paging.
func (b *bochs) Answers(c *diff.Case) diff.Fields {
	if c.Model != "max" || c.Regs.CR4&mmu.CR4LA57 != 0 {
		return 0
	}
	return diff.AllFields
}

func (b *bochs) Boot(ctx context.Context, table []byte, console io.Writer) error {
	const cylinder = 16 * 63 * sector
	d := disk(table)
	cylinders := len(d)/cylinder + 1
	d = append(d, make([]byte, cylinders*cylinder-len(d))...)
	files := map[string][]byte{
		"disk":     d,
		"bochsrc":  fmt.Appendf(nil, bochsConfig, first(bochsBIOS), first(bochsVGA), cylinders),
		"commands": []byte(strings.Repeat("c\n", maxResets) + "q\n"),
	}
	return b.run(ctx, files, console, "-q", "-f", "bochsrc", "-rc", "commands")
}

// first is the first of the files that there is.
func first(files []string) string {
	for _, f := range files {
		if _, err := os.Stat(f); err == nil {
			return f
		}
	}
	return ""
}
