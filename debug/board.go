package debug

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"x86emu/machine"
)

// BoardPart is a device of a board for a program: places as text, "0x20-0x21".
type BoardPart struct {
	Name  string   `json:"name"`
	What  string   `json:"what"`
	Ports []string `json:"ports,omitempty"`
	Mem   []string `json:"memory,omitempty"` // physical addresses
	IRQs  []int    `json:"irqs,omitempty"`
}

// interval is a range of ports or of physical addresses, both ends included.
type interval struct{ first, last uint64 }

func (i interval) String() string {
	if i.first == i.last {
		return fmt.Sprintf("0x%x", i.first)
	}
	return fmt.Sprintf("0x%x-0x%x", i.first, i.last)
}

// joined sorts intervals and makes one of those that touch.
func joined(list []interval) (out []interval) {
	slices.SortFunc(list, func(a, b interval) int { return cmp.Compare(a.first, b.first) })
	for _, i := range list {
		if n := len(out); n > 0 && i.first <= out[n-1].last+1 {
			out[n-1].last = max(out[n-1].last, i.last)
			continue
		}
		out = append(out, i)
	}
	return out
}

// places are a part's ports and memory.
func places(p machine.Part) (ports, mem []interval) {
	for _, r := range p.Ports {
		ports = append(ports, interval{uint64(r.First), uint64(r.First) + uint64(r.N) - 1})
	}
	for _, r := range p.Mem {
		mem = append(mem, interval{uint64(r.At), uint64(r.At) + r.Len - 1})
	}
	return joined(ports), joined(mem)
}

// Board describes the devices of a machine's board, those with the lowest ports
// first, those without ports by their memory at the end.
func Board(m *machine.Machine) []BoardPart {
	parts := slices.Clone(m.Parts())
	begin := func(p machine.Part) uint64 {
		ports, mem := places(p)
		switch {
		case len(ports) > 0:
			return ports[0].first
		case len(mem) > 0:
			return 1<<16 + mem[0].first
		}
		return 1 << 63
	}
	slices.SortStableFunc(parts, func(a, b machine.Part) int { return cmp.Compare(begin(a), begin(b)) })
	list := make([]BoardPart, len(parts))
	for i, p := range parts {
		ports, mem := places(p)
		list[i] = BoardPart{Name: p.Name, What: p.What, Ports: words(ports), Mem: words(mem)}
		for _, irq := range p.IRQs {
			list[i].IRQs = append(list[i].IRQs, int(irq))
		}
	}
	return list
}

func words(list []interval) (out []string) {
	for _, i := range list {
		out = append(out, i.String())
	}
	return out
}

// WriteBoard writes the devices as a table; a device at several places has a
// line for each.
func WriteBoard(w io.Writer, parts []BoardPart) error {
	b := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(b, "DEVICE\tIRQ\tWHAT\tAT")
	for _, p := range parts {
		var at []string
		for _, r := range p.Ports {
			at = append(at, "port "+r)
		}
		for _, r := range p.Mem {
			at = append(at, "memory "+r)
		}
		if len(at) == 0 {
			at = []string{"-"}
		}
		irqs := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(p.IRQs), "[]")), ",")
		fmt.Fprintf(b, "%s\t%s\t%s\t%s\n", p.Name, irqs, p.What, at[0])
		for _, r := range at[1:] {
			fmt.Fprintf(b, "\t\t\t%s\n", r)
		}
	}
	return b.Flush()
}

// WriteBoardJSON writes the devices as JSON, a line for each.
func WriteBoardJSON(w io.Writer, parts []BoardPart) error {
	to := json.NewEncoder(w)
	for _, p := range parts {
		if err := to.Encode(p); err != nil {
			return err
		}
	}
	return nil
}
