package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tellFile is 32-bit code that sends what the first file behind the board's own, at key 0x25,
// has up to a zero: select; then read a byte, and send it, as long as it is not zero.
const tellFile = "\x66\xba\x10\x05\x66\xb8\x25\x00\x66\xef" +
	"\x66\xba\x11\x05\xec\x84\xc0\x74\x07\x66\xba\xf8\x03\xee\xeb\xf0"

func TestFilesOfFWCfg(t *testing.T) {
	image := file(t, "kernel", multiboot(tellFile+exit0))
	data := file(t, "data", "of a file")
	large := file(t, "large", "")
	require.NoError(t, os.Truncate(large, 16<<20+1))
	for _, c := range []struct {
		line   string
		status int
		stdout string
		stderr string
	}{
		{"run IMAGE --fw-cfg name=opt/a,string=text", 0, "text", ""},
		{"run IMAGE --fw-cfg opt/a,file=DATA", 0, "of a file", ""},
		{"run IMAGE --fw-cfg opt/b,string=b --fw-cfg opt/a,string=1,,2", 0, "1,2", ""},
		{"run IMAGE", 0, "", ""},
		{"qemu -kernel IMAGE -fw_cfg name=opt/a,string=text -serial stdio" + debugExit, 1, "text", ""},

		{"run IMAGE --fw-cfg opt/a", 2, "", `--fw-cfg "opt/a": must be name=NAME and file=FILE or string=TEXT`},
		{"run IMAGE --fw-cfg opt/a,file=DATA.missing", 2, "", "--fw-cfg: open "},
		{"run IMAGE --fw-cfg opt/a,file=LARGE", 2, "", "large: larger than the 16 MiB that files of fw_cfg may have"},
		{"run IMAGE --fw-cfg etc/e820,string=x", 2, "", `--fw-cfg: fw_cfg file "etc/e820" is there already`},
		{"run IMAGE --fw-cfg opt/a,string=x --board bare", 2, "", "--fw-cfg: board bare has no fw_cfg"},
		{"qemu -kernel IMAGE -fw_cfg opt/a,file=DATA.missing", 1, "", "x86emu qemu: -fw_cfg: open "},
		{"qemu -kernel IMAGE -fw_cfg etc/e820,string=x", 1, "", `fw_cfg file "etc/e820" is there already`},
	} {
		t.Run(c.line, func(t *testing.T) {
			words := strings.Fields(strings.NewReplacer("IMAGE", image, "DATA", data, "LARGE", large).Replace(c.line))
			status, stdout, stderr := cli(t, "", words...)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.stdout, stdout)
			assert.Contains(t, stderr, c.stderr)
			if c.stderr != "" {
				assert.Equal(t, 1, strings.Count(stderr, "\n"))
			}
		})
	}
	saved := filepath.Join(t.TempDir(), "saved")
	status, _, stderr := cli(t, "", "run", image, "--fw-cfg", "opt/a,string=kept", "--at", "2", "--save", saved)
	require.Zero(t, status, stderr)
	require.NoError(t, os.Remove(data))
	status, stdout, _ := cli(t, "", "run", saved)
	assert.Zero(t, status)
	assert.Equal(t, "kept", stdout, "a snapshot has its files")
	status, _, stderr = cli(t, "", "run", saved, "--fw-cfg", "opt/a,string=other")
	assert.Equal(t, 2, status)
	assert.Contains(t, stderr, "is a snapshot: --fw-cfg is as it was saved")
}
