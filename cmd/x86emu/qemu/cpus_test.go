package qemu

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
)

func TestCPUModelsAreWhole(t *testing.T) {
	for i, m := range cpuModels {
		for _, f := range strings.Fields(m.with) {
			assert.True(t, f == "*" || slices.Contains(cpu.FeatureNames(), f), "%s: %s", m.name, f)
		}
		above := slices.IndexFunc(cpuModels, func(o cpuModel) bool { return o.name == m.on })
		_, ours := cpu.ModelByName(m.on)
		assert.True(t, ours || m.on == "" || above >= 0 && above < i, "%s on %s", m.name, m.on)
		_, _, err := lookUp(m.name)
		assert.NoError(t, err)
	}
}

func TestCPUModel(t *testing.T) {
	for _, c := range []struct {
		value string
		has   string // of the features that matter here
	}{
		{"", "nx lm pni cx16"},
		{"qemu32", "pni"},
		{"qemu64,+smap,+sse4_1", "nx smap lm pni sse4.1 cx16"},
		{"qemu64,smep=on,nx=off", "smep lm pni cx16"},
		{"max,-lm,-xd", "smep smap pni sse4.1 cx16"},
		{"host", "nx smep smap lm pni sse4.1 cx16"},
		{"Nehalem-v2", "nx lm pni sse4.1 cx16"},
		{"Haswell-noTSX-IBRS", "nx smep lm pni sse4.1 cx16"},
		{"EPYC-Rome-v2,-smap,+smap", "nx smep smap lm pni sse4.1 cx16"},
		{"486", ""},
		{"486,+nx", ""},
		{"pentium3", ""},
	} {
		t.Run(c.value, func(t *testing.T) {
			args := []string{"-kernel", "k"}
			if c.value != "" {
				args = append(args, "-cpu", c.value)
			}
			l, err := Parse(args)
			require.NoError(t, err)
			var has []string
			for _, f := range []string{"nx", "smep", "smap", "lm", "pni", "sse4.1", "cx16"} {
				if l.Model.Has(f) {
					has = append(has, f)
				}
			}
			assert.Equal(t, c.has, strings.Join(has, " "))
		})
	}
}

// QEMU itself says of its models what the table says.
func TestCPUModelsOfQEMU(t *testing.T) {
	program, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		if os.Getenv("X86EMU_PEERS") == "require" {
			t.Fatal("qemu-system-x86_64 is not installed, and X86EMU_PEERS=require")
		}
		t.Skip("qemu-system-x86_64 is not installed")
	}
	ask := startQMP(t, program)
	for _, m := range cpuModels {
		if m.on == "" || m.on == "max" || m.name == "pentium2" {
			continue // x86emu's own models, or none of QEMU's
		}
		var answer struct {
			Model struct{ Props map[string]any }
		}
		ask("query-cpu-model-expansion", fmt.Sprintf(`{"type":"full","model":{"name":%q}}`, m.name), &answer)
		_, has, err := lookUp(m.name)
		require.NoError(t, err)
		for _, f := range cpu.FeatureNames() {
			if f != "vme" {
				assert.Equal(t, answer.Model.Props[f] == true, slices.Contains(has, f), "%s: %s", m.name, f)
			}
		}
		assert.Equal(t, answer.Model.Props["avx"] == true, slices.Contains(withAVX, m.name), "%s: AVX", m.name)
	}
}

// startQMP starts QEMU, to be asked in its own protocol.
func startQMP(t *testing.T, program string) func(command, arguments string, answer any) {
	t.Helper()
	cmd := exec.Command(program, "-S", "-display", "none", "-nodefaults", "-qmp", "stdio")
	to, err := cmd.StdinPipe()
	require.NoError(t, err)
	from, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewReader(from)
	_, err = lines.ReadString('\n')
	require.NoError(t, err)
	ask := func(command, arguments string, answer any) {
		_, err := fmt.Fprintf(to, `{"execute":%q,"arguments":%s}`+"\n", command, arguments)
		require.NoError(t, err)
		for {
			line, err := lines.ReadString('\n')
			require.NotErrorIs(t, err, io.EOF)
			var reply struct{ Return, Error json.RawMessage }
			require.NoError(t, json.Unmarshal([]byte(line), &reply))
			require.Empty(t, reply.Error, command)
			if reply.Return != nil {
				require.NoError(t, json.Unmarshal(reply.Return, answer))
				return
			}
		}
	}
	ask("qmp_capabilities", "{}", new(any))
	return ask
}
