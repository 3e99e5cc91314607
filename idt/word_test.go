package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWordsOfFrames(t *testing.T) {
	for _, c := range []struct {
		name string
		call bool
		size uint8
		want []string
	}{
		{"real mode", false, 2, []string{"FLAGS", "CS", "IP"}},
		{"same level, no error code", false, 4, []string{"EFLAGS", "CS", "EIP"}},
		{"same level", false, 4, []string{"EFLAGS", "CS", "EIP", "error code"}},
		{"inner level, a 16-bit gate", false, 2, []string{"SS", "SP", "FLAGS", "CS", "IP"}},
		{"inner level", false, 4, []string{"SS", "ESP", "EFLAGS", "CS", "EIP", "error code"}},
		{"64-bit mode", false, 8, []string{"SS", "RSP", "RFLAGS", "CS", "RIP"}},
		{"out of virtual-8086 mode", false, 4, []string{"GS", "FS", "DS", "ES", "SS", "ESP", "EFLAGS", "CS", "EIP"}},
		{"and with an error code", false, 4, []string{"GS", "FS", "DS", "ES", "SS", "ESP", "EFLAGS", "CS", "EIP", "error code"}},
		{"behind a task gate", false, 4, []string{"error code"}},
		{"a far call", true, 4, []string{"CS", "EIP"}},
		{"a call gate", true, 4, []string{"SS", "ESP", "CS", "EIP"}},
		{"with three parameters", true, 4, []string{"SS", "ESP", "parameter", "parameter", "parameter", "CS", "EIP"}},
	} {
		f := frame{call: c.call, n: len(c.want)}
		var got []string
		for i := range f.n {
			got = append(got, f.word(i).Name(c.size))
		}
		assert.Equal(t, c.want, got, c.name)
	}
}
