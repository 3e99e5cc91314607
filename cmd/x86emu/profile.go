package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/debug/profile"
	"x86emu/machine"
)

// profileFlags are those of a profile of the guest.
type profileFlags struct {
	file    string
	stacks  string
	symbols string // file; the command's own flag
	o       profile.Options

	w io.Writer
	p *profile.Profiler
}

func (p *profileFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.file, "profile", "", "write a profile of the guest to this `FILE`, for go tool pprof")
	f.Uint64Var(&p.o.Period, "profile-period", profile.DefaultPeriod, "take a sample every so many `ticks`")
	f.StringVar(&p.stacks, "profile-stacks", "calls", "`calls|leaf`: follow calls, one instruction at a time; or only where the guest is, at full speed")
}

// create checks the flags and opens the file.
func (p *profileFlags) create(cmd *cobra.Command, s *streams) (err error) {
	if p.file == "" {
		if bad := anyOf(cmd.Flags(), "profile-period", "profile-stacks"); bad != "" {
			return fmt.Errorf("--%s needs --profile", bad)
		}
		return nil
	}
	if p.o.Period == 0 {
		return fmt.Errorf("--profile-period 0: must be 1 or more")
	}
	switch p.stacks {
	case "calls":
	case "leaf":
		p.o.Leaf = true
	default:
		return fmt.Errorf("--profile-stacks %q: must be calls or leaf", p.stacks)
	}
	p.w, err = s.create(cmd, "profile", p.file)
	return err
}

// watch begins the profile, if there is to be one, with others that observe.
func (p *profileFlags) watch(cmd *cobra.Command, m *machine.Machine, image string, others ...cpu.Observer) (err error) {
	all := debug.Observers(others)
	if p.file != "" {
		if p.o.Syms, err = openSymbols(cmd, image, p.symbols); err != nil {
			return err
		}
		p.p = profile.Watch(m, p.o)
		if !p.o.Leaf {
			all = append(all, p.p)
		}
	}
	if len(all) > 0 {
		m.CPU.SetObserver(all)
	}
	return nil
}

// end writes the profile.
func (p *profileFlags) end() error {
	if p.p == nil {
		return nil
	}
	if err := p.p.Close().Write(p.w); err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	return nil
}
