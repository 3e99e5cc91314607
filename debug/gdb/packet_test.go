package gdb

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFraming(t *testing.T) {
	long := strings.Repeat("a", packetSize)
	for _, c := range []struct {
		name, in string
		want     []string // bodies; or the names of signals
	}{
		{"a packet", "$g#67", []string{"g"}},
		{"an empty packet", "$#00", []string{""}},
		{"digits of either case", "$jjj#3e$jjj#3E", []string{"jjj", "jjj"}},
		{"acknowledgements between packets are passed over", "+$g#67++$s#73+", []string{"g", "s"}},
		{"what is no packet is passed over", "hello\r\n$g#67", []string{"g"}},
		{"a wrong sum", "$g#68", []string{"broken"}},
		{"a sum of no digits", "$g#xy", []string{"broken"}},
		{"an escaped byte is another", "$}\x03}]#5a", []string{"#}"}},
		{"an escape of nothing", "$g}#e4", []string{"broken"}},
		{"a packet that was begun again", "$m1000$g#67", []string{"g"}},
		{"an interrupt", "\x03", []string{"interrupt"}},
		{"an interrupt within a packet is a byte of it", "$\x03#03", []string{"\x03"}},
		{"the last one again", "-", []string{"resend"}},
		{"the longest packet", string(frame(long)), []string{long}},
		{"a packet that is too long", string(frame(long+"a")) + "$g#67", []string{"broken", "g"}},
		{"half a packet", "$m10", nil},
		{"half a sum", "$g#6", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			f := newFramer(strings.NewReader(c.in))
			for {
				what, body, err := f.next()
				if err != nil {
					assert.ErrorIs(t, err, map[bool]error{true: io.ErrUnexpectedEOF, false: io.EOF}[c.name == "half a sum"])
					break
				}
				switch what {
				case aPacket:
					got = append(got, string(body))
				default:
					got = append(got, map[signal]string{broken: "broken", interrupt: "interrupt", resend: "resend"}[what])
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestChunks(t *testing.T) {
	text := strings.Repeat("x", packetSize)
	for _, c := range []struct{ window, want string }{
		{"0,5", "mxxxxx"},
		{"3ffe,5", "lxx"},
		{"4000,5", "l"},
		{"ffffffffffffffff,ffffffffffffffff", "l"},
		{"0,ffffffffffffffff", "m" + text[:packetSize/2-1]},
	} {
		got, err := chunk(text, c.window)
		require.NoError(t, err, c.window)
		assert.Equal(t, c.want, got, c.window)
	}
	for _, window := range []string{"", "0", "0,", ",5", "g,5", "0,10000000000000000"} {
		_, err := chunk(text, window)
		assert.Error(t, err, window)
	}
}

// Any bytes are framed so that they come out again.
func FuzzFraming(f *testing.F) {
	for _, s := range []string{"g", "m1000,4", "$#}*\x03", "}", "\x00\xff", "QStartNoAckMode"} {
		f.Add([]byte(s), []byte("+-"+s))
	}
	f.Fuzz(func(t *testing.T, body, noise []byte) {
		if len(body) > packetSize {
			body = body[:packetSize]
		}
		what, got, err := newFramer(bytes.NewReader(frame(string(body)))).next()
		require.NoError(t, err)
		require.Equal(t, aPacket, what)
		require.Equal(t, body, append([]byte{}, got...))

		// Whatever comes, the framer ends with the stream.
		fr := newFramer(bytes.NewReader(noise))
		for err = nil; err == nil; {
			var body []byte
			_, body, err = fr.next()
			require.LessOrEqual(t, len(body), packetSize)
		}
	})
}
