package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"x86emu/diff"
	"x86emu/diff/corpus"
)

// campaign runs cases for a command and tells what came of it.
type campaign struct {
	cmd     *cobra.Command
	oracles []diff.Oracle
	again   func(*diff.Divergence) string
}

// run runs a campaign, its progress on a terminal.
func (k *campaign) run(p *diff.Campaign) (*diff.Summary, error) {
	done := func() {}
	p.Encode = func(c *diff.Case) string {
		text, err := corpus.Encode(c, diff.AllFields, nil)
		if err != nil {
			return ""
		}
		return text
	}
	if w := k.cmd.ErrOrStderr(); isTerminal(w) {
		p.Progress = showProgress(w)
		done = func() { fmt.Fprint(w, "\r\x1b[K") }
	}
	s, err := p.Run(k.cmd.Context())
	done()
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("interrupted after %d cases", s.Cases)
	}
	return s, err
}

// tell prints a summary, and the first unexplained case in full. The error is the
// exit status.
func (k *campaign) tell(s *diff.Summary, rules, uncovered bool) error {
	w := k.cmd.OutOrStdout()
	if err := s.Print(w, rules); err != nil {
		return err
	}
	if uncovered {
		for _, form := range s.Uncovered() {
			fmt.Fprintf(w, "not executed: %s\n", form)
		}
	}
	for i := range s.First {
		fmt.Fprintf(w, "again: %s\n", k.again(&s.First[i]))
	}
	if s.Unexplained() == 0 {
		return nil
	}
	if err := k.first(s); err != nil {
		return err
	}
	return status(statusDiffers)
}

// first minimises the first unexplained case and reports it.
func (k *campaign) first(s *diff.Summary) error {
	if len(s.First) == 0 || s.First[0].Case == "" {
		return nil
	}
	c, _, err := corpus.Decode([]byte(s.First[0].Case))
	if err != nil {
		return err
	}
	v, err := k.ask(c)
	if err != nil {
		return err
	}
	if v.other == nil {
		fmt.Fprintf(k.cmd.OutOrStdout(), "\ncase %s: asked alone, nobody differs\n", c.ID)
		return nil
	}
	small, err := diff.Minimise(k.cmd.Context(), c, known(), k.oracles[0], v.other)
	if err != nil {
		return err
	}
	fmt.Fprintf(k.cmd.OutOrStdout(), "\nThe first one, minimised:\n")
	return k.report(small)
}

// one asks one case, reports it, and minimises it if there is something to.
func (k *campaign) one(c *diff.Case) error {
	v, err := k.ask(c)
	if err != nil {
		return err
	}
	if err := k.report(c); err != nil {
		return err
	}
	w := k.cmd.OutOrStdout()
	for _, line := range v.lines {
		fmt.Fprintln(w, line)
	}
	if v.other == nil {
		return nil
	}
	small, err := diff.Minimise(k.cmd.Context(), c, known(), k.oracles[0], v.other)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nMinimised:\n")
	if err := k.report(small); err != nil {
		return err
	}
	return status(statusDiffers)
}

// verdicts are what the oracles say of one case.
type verdicts struct {
	answers []diff.Result
	lines   []string
	other   diff.Oracle // the first that differs unexplained
}

func (k *campaign) ask(c *diff.Case) (*verdicts, error) {
	v := &verdicts{answers: make([]diff.Result, len(k.oracles))}
	for i, o := range k.oracles {
		if err := o.Run(k.cmd.Context(), []*diff.Case{c}, v.answers[i:i+1]); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name(), err)
		}
	}
	for i := 1; i < len(k.oracles); i++ {
		what, fields, names, err := diff.Judge(c, known(), k.oracles[0], k.oracles[i], &v.answers[0], &v.answers[i])
		if err != nil {
			return nil, err
		}
		line := fmt.Sprintf("%s: %s", k.oracles[i].Name(), what)
		switch what {
		case diff.Unexplained:
			line += " (" + fields.String() + ")"
			if v.other == nil {
				v.other = k.oracles[i]
			}
		case diff.Masked, diff.Known:
			line += " (" + strings.Join(names, "; ") + ")"
		}
		v.lines = append(v.lines, line)
	}
	return v, nil
}

// report asks once more and shows a case with all answers. The command to ask
// again holds the case itself.
func (k *campaign) report(c *diff.Case) error {
	v, err := k.ask(c)
	if err != nil {
		return err
	}
	bare := *c
	bare.ID, bare.Rule = "", ""
	text, err := corpus.Encode(&bare, diff.AllFields, nil)
	if err != nil {
		return err
	}
	again := fmt.Sprintf("echo '%s' | x86emu diff replay --oracles %s -", text, nameList(k.oracles))
	return diff.Report(k.cmd.OutOrStdout(), c, k.oracles, v.answers, again)
}

func nameList(all []diff.Oracle) string {
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = o.Name()
	}
	return strings.Join(names, ",")
}

// isTerminal tells whether somebody looks on.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// showProgress writes a line over itself, five times a second at most.
func showProgress(w io.Writer) func(diff.Progress) {
	var last time.Duration
	return func(p diff.Progress) {
		if p.Elapsed-last < 200*time.Millisecond {
			return
		}
		last = p.Elapsed
		percent := ""
		if p.Total > 0 {
			percent = fmt.Sprintf(" of %d (%d %%)", p.Total, p.Done*100/p.Total)
		}
		fmt.Fprintf(w, "\r\x1b[K%d%s cases, %.0f a second, known differences %d, unexplained %d",
			p.Done, percent, math.Round(float64(p.Done)/p.Elapsed.Seconds()), p.Known, p.Unexplained)
	}
}
