// Package tests holds what checks the house as a whole. Nothing imports it.
package tests

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// floors is the plan of ARCHITECTURE.md: a package imports only from floors
// below its own.
var floors = map[string]int{
	"decode":  1,
	"mmu":     1,
	"idt":     2,
	"cpu":     3,
	"machine": 4,
	"guest":   5,
	"debug":   6,
	"diff":    6,
	"cmd":     7,
	"tests":   8,
}

// room is the floor plan's name of a package: the first folder of its path.
func room(dir string) string {
	return strings.Split(filepath.ToSlash(dir), "/")[0]
}

// sourceFiles calls visit with every Go file of the module, its folder and its
// imports.
func sourceFiles(t *testing.T, visit func(dir, name string, imports []string)) {
	t.Helper()
	const root = ".."
	require.NoError(t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(p) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, name)
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		visit(filepath.Dir(rel), d.Name(), imports)
		return nil
	}))
}

func TestImportsRunDownward(t *testing.T) {
	sourceFiles(t, func(dir, name string, imports []string) {
		if strings.HasSuffix(name, "_test.go") {
			return // a test may look from above
		}
		here, known := floors[room(dir)]
		if !assert.True(t, known, "%s is on no floor: give it one", dir) {
			return
		}
		for _, imp := range imports {
			inside, ours := strings.CutPrefix(imp, "x86emu/")
			if !ours || room(inside) == room(dir) {
				continue
			}
			assert.Less(t, floors[room(inside)], here, "%s/%s imports %s: imports run downward", dir, name, imp)
			assert.NotEqual(t, "tests", room(inside), "%s/%s imports %s: nothing imports tests", dir, name, imp)
		}
	})
}

// Code for one host only, or code that the type system does not check, is in
// files whose names say so.
func TestHostSpecificFilesSaySo(t *testing.T) {
	sourceFiles(t, func(dir, name string, imports []string) {
		for _, imp := range imports {
			assert.NotEqual(t, "C", imp, "%s/%s: no cgo", dir, name)
			if imp == "unsafe" {
				assert.Regexp(t, `_unsafe(_linux)?(_amd64)?(_test)?\.go$`, name, "%s/%s imports unsafe", dir, name)
			}
			if imp == "syscall" || strings.HasPrefix(imp, "golang.org/x/sys") {
				assert.Regexp(t, `_(linux|darwin|windows|unix|other)(_amd64)?(_test)?\.go$`, name, "%s/%s imports %s", dir, name, imp)
			}
		}
	})
}
