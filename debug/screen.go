package debug

import (
	"strings"

	"x86emu/mmu"
)

// The text screen of a PC: 25 lines of 80 cells from 0xB8000, a byte for the
// character and one for its colours. [IBM VGA, alphanumeric modes]
const (
	screenAt      = mmu.Phys(0xb8000)
	screenLines   = 25
	screenColumns = 80
)

// TextScreen reads what a guest has written to the text screen, line by line,
// without blanks at the ends of lines and of the screen; there is no line if it
// wrote nothing. The board has no VGA: a cursor, another page or another mode
// would not be noticed.
func TextScreen(mem *mmu.Memory) []string {
	var cells [2 * screenLines * screenColumns]byte
	mem.Peek(screenAt, cells[:])
	var lines []string
	filled := 0
	for y := range screenLines {
		var line strings.Builder
		for x := range screenColumns {
			line.WriteRune(codePage437[cells[2*(y*screenColumns+x)]])
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
		if lines[y] != "" {
			filled = y + 1
		}
	}
	return lines[:filled]
}

// codePage437 is the PC's character set.
var codePage437 = []rune(" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂" +
	"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
	"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ")
