package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/gdb"
)

// debugged runs a command that listens for gdb, gives it a debugger's bytes until
// it answers with the last one of those expected, and tells how it ended.
func debugged(t *testing.T, talk []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	in, errs := io.Pipe()
	var out bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- execute(args, strings.NewReader(""), &out, errs)
		errs.Close()
	}()
	lines := bufio.NewReader(in)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	address := regexp.MustCompile(`listening on (\S+) `).FindStringSubmatch(first)
	require.NotNil(t, address, first)
	rest := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(lines)
		rest <- first + string(b)
	}()
	if len(talk) > 0 {
		conn, err := net.Dial("tcp", address[1])
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		r := bufio.NewReader(conn)
		for i := 0; i < len(talk); i += 2 {
			_, err := conn.Write([]byte(talk[i]))
			require.NoError(t, err)
			for got := ""; !strings.Contains(got, talk[i+1]); {
				part, err := r.ReadString('#')
				require.NoError(t, err, "after %q", got)
				got += part
			}
		}
	}
	return <-done, out.String(), <-rest
}

func TestGDB(t *testing.T) {
	image := file(t, "image", multiboot("\xb0x\xe6\xe9"+exit5)) // x to port 0xE9
	status, out, errs := debugged(t, []string{"$?#3f", "$T05", "$c#63", "$T09", "$c#63", "$W0b"}, "gdb", image, "--listen", "0")
	assert.Equal(t, 11, status)
	assert.Equal(t, "x", out)
	assert.Regexp(t, `^x86emu: gdb: listening on 127\.0\.0\.1:\d+ \(in gdb: target remote 127\.0\.0\.1:\d+\)\nx86emu: gdb: \S+ attached\n$`, errs)

	status, _, errs = debugged(t, []string{"$?#3f", "$T05", "$k#6b", ""}, "run", image, "--gdb", "0", "-S")
	assert.Equal(t, 130, status, "killed")
	assert.Contains(t, errs, "x86emu: interrupted at tick 0\n")

	status, out, _ = debugged(t, nil, "run", image, "--gdb", "127.0.0.1:0")
	assert.Equal(t, 11, status, "nobody has attached")
	assert.Equal(t, "x", out)

	status, out, errs = cli(t, "", "gdb", "--init")
	assert.Zero(t, status)
	assert.Equal(t, gdb.Init, out)
	assert.Empty(t, errs)
}
