// Package experiment measures with the guest kernel by-accident what the kernel
// shows: when a module's page-fault handler is in every page table without
// anybody's doing, and when a process meets a double fault instead.
//
// A Setting says where modules are placed, what was loaded before the first
// process, how large the module is and where in it handler and data lie. Sweep
// is the plan: panels of series of settings, of which one variable grows. Do
// runs each of them many times with different seeds, on a machine of its own each
// time, as many at once as the host has processors; the outcomes are the same
// however many run at once. Expected is what arithmetic says of a setting, so
// that measured and expected can be compared. WriteCSV has a row for each run,
// WriteTable a summary for people, and Draw makes a picture.
//
// Nothing about the outcome is computed here: each run boots the kernel, which
// makes the page tables, loads the modules, lets every process have a page fault
// and tells what became of it.
package experiment

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Any is a Setting's Handler that is drawn.
const Any = -1

// Setting is one case of the kernel by-accident; guest/kernels/by-accident/story.txt
// says what the words mean.
type Setting struct {
	Bits      int    // 32 or 64
	Area      string // vmalloc, and in 64 bits modules
	Place     string // row, shifted or anywhere
	Boot      int    // modules loaded before the first process
	BootPages int    // pages of each
	Late      int    // drivers of a page loaded after it
	Use       int    // per cent: a process uses a late driver
	Pages     int    // pages of the module's code
	Handler   int    // which of them has the handler, or Any
	Data      string // none, behind or apart
	Tables    string // copied or advance
	Processes int
}

// Kernel is the name of the built-in kernel that tries the setting.
func (s Setting) Kernel() string { return "by-accident-" + strconv.Itoa(s.Bits) }

// Options is the setting as the kernel's command line has it, with a seed.
func (s Setting) Options(seed uint32) string {
	words := []string{
		"area=" + s.Area, "place=" + s.Place,
		fmt.Sprintf("boot=%d bootpages=%d", s.Boot, s.BootPages),
		fmt.Sprintf("late=%d use=%d", s.Late, s.Use),
		fmt.Sprintf("pages=%d", s.Pages),
	}
	if s.Handler != Any {
		words = append(words, fmt.Sprintf("handler=%d", s.Handler))
	}
	words = append(words, "data="+s.Data, "tables="+s.Tables,
		fmt.Sprintf("processes=%d seed=%d", s.Processes, seed))
	return strings.Join(words, " ")
}

// Panel is one picture of the plot: series over the same variable.
type Panel struct {
	Name   string // one word
	Title  string
	X      string // the variable
	Series []Series
}

// Series is a line of a panel: one setting, of which the variable grows.
type Series struct {
	Name   string
	Points []Point
}

// Point is a setting and the value of the panel's variable.
type Point struct {
	X int
	Setting
}

// Run is one run of the plan.
type Run struct {
	Panel, Series string
	Point
	Number int // of the runs of this point, from 0
	Seed   uint32
}

// Plan lists every run of a sweep, each point so many times. A run's seed
// depends on the seed of the whole, the point and the number of the run alone.
func Plan(sweep []Panel, times int, seed uint64) []Run {
	var all []Run
	for _, p := range sweep {
		for _, s := range p.Series {
			for _, pt := range s.Points {
				for i := range times {
					h := fnv.New64a()
					fmt.Fprintf(h, "%d/%s/%s/%d/%d", seed, p.Name, s.Name, pt.X, i)
					sum := h.Sum64()
					all = append(all, Run{p.Name, s.Name, pt, i, uint32(sum ^ sum>>32)})
				}
			}
		}
	}
	return all
}
