package idt

// Word is what a word of a frame is.
type Word uint8

const (
	WordIP    Word = iota // where the interrupted or calling program goes on
	WordCS                // its code segment
	WordFLAGS             // its flags
	WordSP                // its stack pointer, if the stack changes or the mode is 64-bit
	WordSS                // and its stack segment
	WordES                // its data segments, if it is in virtual-8086 mode
	WordDS
	WordFS
	WordGS
	WordCode  // the error code
	WordParam // a parameter that a call gate copies
)

var (
	wordNames = [...]string{"IP", "CS", "FLAGS", "SP", "SS", "ES", "DS", "FS", "GS", "error code", "parameter"}
	wideNames = map[uint8]string{4: "E", 8: "R"} // by the word's size in bytes
)

// Name names the word, a register by its size in bytes: "EIP", "SS".
func (w Word) Name(size uint8) string {
	switch w {
	case WordIP, WordFLAGS, WordSP:
		return wideNames[size] + wordNames[w]
	}
	return wordNames[w]
}

// The words of an event's frame, the last one pushed first, without the error
// code, and those that a call gate puts around its parameters.
var (
	eventWords = [...]Word{WordIP, WordCS, WordFLAGS, WordSP, WordSS, WordES, WordDS, WordFS, WordGS}
	gateWords  = [...]Word{WordSS, WordSP}
)

// word tells what word i is. An event's frame has 3, 5 or 9 words, and one more
// with an error code; behind a task gate it has that one alone.
// [SDM 3A, Exception- or Interrupt-Handler Procedures; Stack Switching]
func (f *frame) word(i int) Word {
	last := f.n - 1 - i // 0: the last one pushed
	switch {
	case f.call && last < 2:
		return eventWords[last]
	case f.call && i < len(gateWords):
		return gateWords[i]
	case f.call:
		return WordParam
	case f.n%2 == 1 && f.n > 1:
		return eventWords[last]
	case last == 0:
		return WordCode
	}
	return eventWords[last-1]
}
