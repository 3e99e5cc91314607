package debug

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/mmu"
)

func TestTextScreen(t *testing.T) {
	assert.Len(t, codePage437, 256)
	mem := mmu.NewMemory(1<<20, 40)
	assert.Empty(t, TextScreen(mem))

	put := func(line, column int, text string) {
		for i := range len(text) {
			mem.WriteBytes(mmu.Phys(0xb8000+2*(line*80+column+i)), []byte{text[i], 0x07})
		}
	}
	put(0, 0, "Hello  ")
	put(2, 78, "\xdb!")
	put(24, 0, "      ")
	want := []string{"Hello", "", "                                                                              █!"}
	assert.Equal(t, want, TextScreen(mem))
}
