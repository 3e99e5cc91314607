package mutants

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the repository's.
const root = "../.."

// mutate gives the file with the bug in it.
func mutate(t *testing.T, m *Mutant) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(root, m.File))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(src), m.Old), "%s has this once: %s", m.File, m.Old)
	return strings.Replace(string(src), m.Old, m.New, 1)
}

// The list fits the source.
func TestMutantsAreThere(t *testing.T) {
	files := map[string]bool{}
	for _, m := range All {
		t.Run(m.Name, func(t *testing.T) { mutate(t, &m) })
		files[m.Name] = true
	}
	assert.GreaterOrEqual(t, len(files), 10)
}

// Each is found within 50,000 cases. It takes a build and a campaign each, so
// it runs only where X86EMU_MUTANTS is set; what needs a processor to ask is
// skipped where there is none, unless it is "require".
func TestMutantsAreFound(t *testing.T) {
	mode := os.Getenv("X86EMU_MUTANTS")
	if mode == "" {
		t.Skip("set X86EMU_MUTANTS to build and hunt every mutant")
	}
	bin := filepath.Join(t.TempDir(), "x86emu")
	build(t, bin, "")
	list, err := exec.Command(bin, "diff", "list").CombinedOutput()
	require.NoError(t, err, "%s", list)
	for _, m := range All {
		t.Run(m.Name, func(t *testing.T) {
			if strings.Contains(string(list), "not here: "+m.Against) && mode != "require" {
				t.Skip("no " + m.Against + " here")
			}
			overlay := overlayOf(t, &m)
			sick := filepath.Join(t.TempDir(), "x86emu")
			build(t, sick, overlay)
			out, err := exec.Command(sick, "diff", "--gen", m.Gen, "--seed", "1", "--count", "50000", "--first",
				"--oracles", "emu,"+m.Against).CombinedOutput()
			var status *exec.ExitError
			require.True(t, errors.As(err, &status) && status.ExitCode() == 1, "not found: %v\n%s", err, out)
			for _, line := range strings.Split(string(out), "\n") {
				if strings.HasPrefix(line, "unexplained: ") {
					t.Log(line)
					break
				}
			}
		})
	}
}

func build(t *testing.T, bin, overlay string) {
	t.Helper()
	args := []string{"build", "-o", bin}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, "./cmd/x86emu")...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// overlayOf writes the mutated file and the JSON that puts it in the place of the
// right one.
func overlayOf(t *testing.T, m *Mutant) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, filepath.Base(m.File))
	require.NoError(t, os.WriteFile(file, []byte(mutate(t, m)), 0o600))
	where, err := filepath.Abs(filepath.Join(root, m.File))
	require.NoError(t, err)
	text, err := json.Marshal(map[string]map[string]string{"Replace": {where: file}})
	require.NoError(t, err)
	overlay := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	return overlay
}
