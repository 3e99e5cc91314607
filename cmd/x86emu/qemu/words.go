package qemu

import (
	"fmt"
	"strconv"
	"strings"
)

// prop is one of the settings of an option: "format=raw", or a bare word.
type prop struct {
	key, value string // a bare word is a key without value
	set        bool   // it had a value
}

// props splits the value of an option at its commas; a doubled comma is one
// within a value. first is the key that the first word has if it is bare.
func props(value, first string) []prop {
	var list []prop
	for i, word := range splitCommas(value) {
		key, v, set := strings.Cut(word, "=")
		if i == 0 && !set && first != "" {
			key, v, set = first, word, true
		}
		list = append(list, prop{key, v, set})
	}
	return list
}

// splitCommas splits at single commas.
func splitCommas(value string) []string {
	var words []string
	var word strings.Builder
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] != ',':
			word.WriteByte(value[i])
		case i+1 < len(value) && value[i+1] == ',':
			word.WriteByte(',')
			i++
		default:
			words = append(words, word.String())
			word.Reset()
		}
	}
	return append(words, word.String())
}

// find gives the value of a key, the last one if there are several.
func find(list []prop, key string) (value string, ok bool) {
	for _, p := range list {
		if p.key == key {
			value, ok = p.value, true
		}
	}
	return value, ok
}

// port reads a port or a number of ports: decimal, octal with 0, hexadecimal
// with 0x.
func port(key, text string) (int, error) {
	v, err := strconv.ParseUint(text, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("%s=%s: must be a number from 0 to 0xffff", key, text)
	}
	return int(v), nil
}

// size reads an amount of memory in bytes: a number of MiB, or with one of the
// suffixes B, K, M, G and T.
func size(text string) (uint64, error) {
	digits, unit := text, float64(1<<20)
	if n := len(text); n > 0 {
		if i := strings.IndexByte("BKMGT", text[n-1]&^0x20); i >= 0 && text[n-1] >= 'A' {
			digits, unit = text[:n-1], float64(uint64(1)<<(10*i))
		}
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(v >= 0 && v*unit < 1<<63) || strings.ContainsAny(digits, "xXpPeEnN_+-") {
		return 0, fmt.Errorf("must be a number of MiB, or with a suffix K, M, G or T")
	}
	return uint64(v * unit), nil
}
