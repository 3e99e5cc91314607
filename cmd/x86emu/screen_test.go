package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// drawing is a boot sector that writes HELLO at the top left of the text screen, white on
// blue, puts the cursor behind it, and goes on with some code, ES at text memory.
func drawing(ending string) string {
	const text = "HELLO\x00"
	code := "\xb8\x00\xb8\x8e\xc0" + // mov ax,0xb800; mov es,ax
		"\x31\xc0\x8e\xd8\x31\xff" + // xor ax,ax; mov ds,ax; xor di,di
		"\xbe\x21\x7c\xb4\x1f" + // mov si,text; mov ah,0x1f
		"\xeb\x01\xab\xac\x84\xc0\x75\xfa" + // jmp l; n: stosw; l: lodsb; test al,al; jnz n
		"\xba\xd4\x03\xb8\x0f\x05\xef" + // mov dx,0x3d4; mov ax,0x050f; out dx,ax
		"\xeb\x06" // jmp behind the text
	return sector(code + text + ending)
}

func TestScreenAtEnd(t *testing.T) {
	for _, c := range []struct {
		name, image  string
		args         []string
		status       int
		stdout, errs string
	}{
		{"drawn", drawing(exit0), nil, 0, "HELLO\n", ""},
		{"behind what was sent", drawing(hello + exit5), nil, 11, "hi\nHELLO\n", ""},
		{"without a guest's end", drawing(forever), []string{"--budget", "500"}, 124, "HELLO\n", "x86emu: budget spent at tick 51015\n"},
		{"blank", sector(exit0), nil, 0, "", "x86emu: the screen is blank\n"},
		// mov dx,0x3ce; mov ax,0x0506; out dx,ax
		{"graphics", drawing("\xba\xce\x03\xb8\x06\x05\xef" + exit0), nil, 0, "", "x86emu: the screen is in a graphics mode, of which nothing can be shown\n"},
		{"no such word", sector(exit0), []string{"--screen=dead"}, 2, "", "x86emu: --screen \"dead\": must be end or live\n"},
		{"no screen", sector(exit0), []string{"--board", "bare"}, 2, "", "x86emu: --screen: the bare board has no screen\n"},
		{"live into a pipe", sector(exit0), []string{"--screen=live"}, 2, "", "x86emu: --screen=live needs a terminal: standard output is none (--screen prints it when the run ends)\n"},
		{"live with another observer", sector(exit0), []string{"--screen=live", "--gdb", "1"}, 2, "", "x86emu: --screen=live goes with none of --profile, --report-stale-tlb and --gdb (in gdb: monitor screen)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", append([]string{"run", file(t, "image", c.image), "--screen"}, c.args...)...)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.stdout, out)
			assert.Equal(t, c.errs, errs)
		})
	}
}
