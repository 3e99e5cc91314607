package dap

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"

	"github.com/google/go-dap"
)

// sources relates the names of source files in the line tables to files of this
// host.
type sources struct {
	files   []string // of the line tables
	folders []string
	renamed map[string]string // beginnings of names
	prefix  []string          // of renamed, the longest first
	found   map[string]dap.Source
}

// newSources knows the files of a guest. They are looked for in the folders that
// the configuration names, in the image's, and in the current one.
func newSources(t *target, a *LaunchArguments) sources {
	s := sources{files: t.Symbols().Files(), renamed: a.SourceMap, found: make(map[string]dap.Source)}
	s.folders = append(s.folders, a.SourcePaths...)
	for _, near := range []string{a.Symbols, t.guest.Image, "x"} {
		if near != "" {
			s.folders = append(s.folders, filepath.Dir(near))
		}
	}
	for p := range a.SourceMap {
		s.prefix = append(s.prefix, p)
	}
	sort.Slice(s.prefix, func(i, j int) bool { return len(s.prefix[i]) > len(s.prefix[j]) })
	return s
}

// source is a file of the line tables as the client gets it: with a path if there
// is such a file.
func (s *sources) source(name string) *dap.Source {
	if known, ok := s.found[name]; ok {
		return &known
	}
	found := dap.Source{Name: path.Base(name), Origin: name, PresentationHint: "deemphasize"}
	for _, p := range s.candidates(name) {
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			if whole, err := filepath.Abs(p); err == nil {
				found = dap.Source{Name: path.Base(name), Path: whole}
				break
			}
		}
	}
	s.found[name] = found
	return &found
}

// candidates are where a file may lie.
func (s *sources) candidates(name string) []string {
	for _, p := range s.prefix {
		if rest, ok := strings.CutPrefix(name, p); ok {
			name = s.renamed[p] + rest
			break
		}
	}
	local := filepath.FromSlash(name)
	if filepath.IsAbs(local) || path.IsAbs(name) {
		return []string{local}
	}
	var all []string
	for _, f := range s.folders {
		all = append(all, filepath.Join(f, local))
	}
	return all
}

// match finds the file of the line tables that a client's path is: the one that
// lies there, or the one whose whole name the path ends with.
func (s *sources) match(file string) (string, error) {
	clean := folded(path.Clean(filepath.ToSlash(file)))
	best := ""
	for _, name := range s.files {
		if at := s.source(name).Path; at != "" && folded(filepath.ToSlash(at)) == clean {
			return name, nil
		}
		tail := folded(path.Clean(filepath.ToSlash(name)))
		for strings.HasPrefix(tail, "../") {
			tail = tail[3:]
		}
		if (clean == tail || strings.HasSuffix(clean, "/"+strings.TrimPrefix(tail, "/"))) && len(name) > len(best) {
			best = name
		}
	}
	switch {
	case len(s.files) == 0:
		return "", fmt.Errorf("the image has no line tables: build it with -g, or name a file that has them as \"symbols\"")
	case best == "":
		return "", fmt.Errorf("the line tables know no file %s", path.Base(filepath.ToSlash(file)))
	}
	return best, nil
}

// folded makes two names of one file equal: on Windows editors and compilers write
// letters, that of the drive above all, as they please.
func folded(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToLower(name)
	}
	return name
}

// sourceName is what a client calls a file.
func sourceName(s dap.Source) string {
	switch {
	case s.Path != "":
		return s.Path
	case s.Origin != "":
		return s.Origin
	}
	return s.Name
}

// locate gives a breakpoint the source line of its address.
func (s *sources) locate(b *dap.Breakpoint, c *client, at uint64) {
	if p := c.t.Place(at); p != nil && p.File != "" {
		b.Source, b.Line = s.source(p.File), p.Line-1+c.firstLine
	}
}

func (c *client) loadedSources(r *dap.LoadedSourcesRequest) (dap.Message, error) {
	all := make([]dap.Source, 0, len(c.sources.files))
	for _, name := range c.sources.files {
		all = append(all, *c.sources.source(name))
	}
	return &dap.LoadedSourcesResponse{Response: ok(r), Body: dap.LoadedSourcesResponseBody{Sources: all}}, nil
}

// breakpointLocations are the lines with code.
func (c *client) breakpointLocations(r *dap.BreakpointLocationsRequest) (dap.Message, error) {
	a, all := r.Arguments, []dap.BreakpointLocation{}
	if a == nil {
		return nil, errors.New(`breakpointLocations needs "arguments" with a source and a line`)
	}
	if file, err := c.sources.match(sourceName(a.Source)); err == nil {
		first := a.Line + 1 - c.firstLine
		last := max(first, a.EndLine+1-c.firstLine)
		for _, n := range c.t.Symbols().Lines(file, first, last) {
			all = append(all, dap.BreakpointLocation{Line: n - 1 + c.firstLine})
		}
	}
	return &dap.BreakpointLocationsResponse{Response: ok(r), Body: dap.BreakpointLocationsResponseBody{Breakpoints: all}}, nil
}
