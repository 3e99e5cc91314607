package dap

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The description for VS Code names each word of a configuration, and no other;
// the example in the documentation uses them as the server reads them.
func TestEditorFiles(t *testing.T) {
	known := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[LaunchArguments]()) {
		known[f.Tag.Get("json")] = true
	}
	delete(known, "noDebug") // the editor's own

	data, err := os.ReadFile("../../docs/vscode/package.json")
	require.NoError(t, err)
	var pack struct {
		Contributes struct {
			Debuggers []struct {
				Type                    string
				ConfigurationAttributes map[string]struct{ Properties map[string]any }
			}
		}
	}
	require.NoError(t, json.Unmarshal(data, &pack))
	require.Len(t, pack.Contributes.Debuggers, 1)
	described := map[string]bool{}
	for _, request := range pack.Contributes.Debuggers[0].ConfigurationAttributes {
		for name := range request.Properties {
			described[name] = true
		}
	}
	assert.Equal(t, known, described)

	data, err = os.ReadFile("../../docs/dap.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(data), "```json\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(rest, "```")
	var launch struct{ Configurations []map[string]json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(example), &launch))
	require.NotEmpty(t, launch.Configurations)
	for _, c := range launch.Configurations {
		raw, err := json.Marshal(c)
		require.NoError(t, err)
		_, err = arguments(raw)
		assert.NoError(t, err)
		assert.Equal(t, `"`+pack.Contributes.Debuggers[0].Type+`"`, string(c["type"]))
		for name := range c {
			if name != "name" && name != "type" && name != "request" && name != "debugServer" {
				assert.True(t, known[name], name)
			}
		}
	}
	for name := range known {
		assert.Contains(t, string(data), "`"+name+"`", "docs/dap.md tells of it")
	}
}

// A real-mode guest's registers point to where their segments lie.
func TestRealMode(t *testing.T) {
	e := launched(t, "hello-16")
	regs := e.scope(presentFrame, scopeRegisters)
	eip := find(t, regs, "eip")
	assert.Equal(t, e.frames()[0].InstructionPointerReference, eip.MemoryReference)
	assert.Equal(t, "step", e.move("stepIn", "instruction").Reason)
	assert.Equal(t, "exit", e.move("continue", "").Reason)
	assert.NotEmpty(t, e.got)
}
