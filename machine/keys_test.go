package machine

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spell writes strokes as the codes of set 1 that they give, pauses in parentheses.
func spell(strokes []Keystroke) string {
	var b strings.Builder
	for _, s := range strokes {
		switch {
		case s.Key == 0:
			fmt.Fprintf(&b, "(%v) ", s.Wait)
			continue
		case s.Held:
			b.WriteString("held ")
		}
		fmt.Fprintf(&b, "%x ", s.Key.scanCodes(1, s.Released))
	}
	return strings.TrimSpace(b.String())
}

func TestParseKeys(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"aA":                       "1e 9e 2a 1e 9e aa",
		"1!":                       "02 82 2a 02 82 aa",
		" /?":                      "39 b9 35 b5 2a 35 b5 aa",
		`\n\t\e\b`:                 "1c 9c 0f 8f 01 81 0e 8e",
		"\n\t":                     "1c 9c 0f 8f",
		`\\\<>`:                    "2b ab 2a 33 b3 aa 2a 34 b4 aa",
		"<enter><f1><f12><up>":     "1c 9c 3b bb 58 d8 e048 e0c8",
		"<ctrl-c>":                 "1d 2e ae 9d",
		"<ctrl-alt-delete>":        "1d 38 e053 e0d3 b8 9d",
		"<ctrl-C>":                 "1d 2a 2e ae aa 9d",
		"<ctrl-->":                 "1d 0c 8c 9d",
		"<win-r>":                  "e05b 13 93 e0db",
		"<a>":                      "1e 9e",
		"<left-shift down>a<up>":   "held 2a 1e 9e e048 e0c8",
		"<left-shift up><a up>":    "aa 9e",
		"<wait 10ms>a<wait 1.5us>": "(10ms) 1e 9e (1µs)",
		"<wait 1h>":                "(1h0m0s)",
	} {
		strokes, err := ParseKeys(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, spell(strokes), text)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"é":              `no key of a US keyboard gives 'é'`,
		"\x01":           `no key of a US keyboard gives '\x01'`,
		"\xff":           `no key of a US keyboard gives '�'`,
		"a<b":            `"<b" has no ">" (the character "<" is "\<")`,
		`\x`:             `"\\x": after "\" comes n, t, e, b, "\" or "<"`,
		`a\`:             `"\\": after "\" comes n, t, e, b, "\" or "<"`,
		"<>":             "<>: no key of this name; there are the characters and 102nd backspace ",
		"<f13>":          "<f13>: no key of this name",
		"<shift>":        "<shift>: no key of this name",
		"<ctrl->":        "<ctrl->: no key of this name",
		"<up sideways>":  "<up sideways>: after the name of one key may come down or up",
		"<ctrl-c down>":  "<ctrl-c down>: after the name of one key may come down or up",
		"<A down>":       "<A down>: after the name of one key may come down or up",
		"<wait>":         "<wait>: a pause is one from 1us to 1h, such as <wait 10ms>",
		"<wait 5>":       "<wait 5>: a pause is one from 1us to 1h",
		"<wait 1ns>":     "<wait 1ns>: a pause is one from 1us to 1h",
		"<wait 61m>":     "<wait 61m>: a pause is one from 1us to 1h",
		"<wait -1s>":     "<wait -1s>: a pause is one from 1us to 1h",
		"<wait 1s><f13>": "<f13>: no key of this name",
	} {
		_, err := ParseKeys(text)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// Each key of a name can be typed by it, and no two names are one key.
func TestKeyNames(t *testing.T) {
	seen := map[Key]string{}
	for _, name := range KeyNames() {
		strokes, err := ParseKeys("<" + name + ">")
		require.NoError(t, err)
		require.Equal(t, press(keyNames[name]), strokes)
		assert.Empty(t, seen[strokes[0].Key], name)
		seen[strokes[0].Key] = name
	}
}

// Each printable character has a key, and comes from a terminal as from a text.
func TestEveryCharacterHasAKey(t *testing.T) {
	for c := byte(' '); c < 0x7f; c++ {
		text := string(c)
		if c == '\\' || c == '<' {
			text = `\` + text
		}
		strokes, err := ParseKeys(text)
		require.NoError(t, err)
		assert.Equal(t, strokes, parseTerminal([]byte{c}), text)
	}
}

func TestTerminalKeys(t *testing.T) {
	for sent, same := range map[string]string{
		"\r":                   "<enter>",
		"\n":                   "<enter>",
		"\t":                   "<tab>",
		"\x7f":                 "<backspace>",
		"\b":                   "<backspace>",
		"\x1b":                 "<esc>",
		"\x1b\x1b":             "<esc><esc>",
		"\x00":                 "<ctrl-space>",
		"\x03":                 "<ctrl-c>",
		"\x1a":                 "<ctrl-z>",
		"\x1c\x1d\x1e\x1f":     `<ctrl-\><ctrl-]><ctrl-6><ctrl-->`,
		"\x1bx":                "<alt-x>",
		"\x1bX":                "<alt-X>",
		"\x1b\x03":             "<alt-ctrl-c>",
		"\x1b[A\x1b[B":         "<up><down>",
		"\x1bOC\x1bOD":         "<right><left>",
		"\x1b[H\x1b[F":         "<home><end>",
		"\x1b[1~\x1b[4~":       "<home><end>",
		"\x1b[2~\x1b[3~":       "<insert><delete>",
		"\x1b[5~\x1b[6~":       "<pgup><pgdn>",
		"\x1bOP\x1bOS":         "<f1><f4>",
		"\x1b[11~\x1b[15~":     "<f1><f5>",
		"\x1b[17~\x1b[24~":     "<f6><f12>",
		"\x1b[[A\x1b[[E":       "<f1><f5>",
		"\x1b[1;5C":            "<ctrl-right>",
		"\x1b[1;4A":            "<shift-alt-up>",
		"\x1b[3;2~":            "<shift-delete>",
		"\x1b[Z":               "<shift-tab>",
		"\x1b[200~a\x1b[201~":  "a",
		"\x1b[99;99;99xb":      "b",
		"\x1b[":                "<alt-[>",
		"\x1b[1":               "",
		"caf\xc3\xa9":          "caf",
		"\x1b[9999999999999~c": "c",
	} {
		want, err := ParseKeys(same)
		require.NoError(t, err)
		assert.Equal(t, spell(want), spell(parseTerminal([]byte(sent))), "%q", sent)
	}
}

// However a terminal is read, whole strokes come, up to its end.
func TestTerminalReader(t *testing.T) {
	const text = "the quick brown fox"
	want, err := ParseKeys(text)
	require.NoError(t, err)
	for name, r := range map[string]io.Reader{
		"at once":       strings.NewReader(text),
		"bytes":         iotest.OneByteReader(strings.NewReader(text)),
		"end with data": iotest.DataErrReader(strings.NewReader(text)),
	} {
		keys := &terminalKeys{from: r}
		var got []byte
		for {
			b := make([]byte, 100)
			n, err := keys.Read(b)
			got = append(got, b[:n]...)
			require.Zero(t, n%strokeSize)
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
		}
		assert.Equal(t, appendStrokes(nil, want), got, name)
	}
}

// Whatever the text and whatever a terminal sends: strokes that survive their stream.
func FuzzKeys(f *testing.F) {
	for _, text := range []string{`Hi\n<ctrl-c><left-shift down><wait 10ms>\<`, "\x1b[1;5C\x1bOP\x1bx", "<<>", `\`, "\x1b[[", "<wait 1h>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		strokes, err := ParseKeys(text)
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
		}
		for _, s := range append(strokes, parseTerminal([]byte(text))...) {
			require.True(t, s.Key != 0 || s.Wait > 0 && s.Wait <= time.Hour, "%+v", s)
			b := appendStrokes(nil, []Keystroke{s})
			require.Equal(t, s, decodeStroke([strokeSize]byte(b)))
		}
	})
}
