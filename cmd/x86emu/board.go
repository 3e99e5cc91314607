package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/debug"
	"x86emu/machine"
)

func newBoard() *cobra.Command {
	var b board
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "board",
		Short: "List the devices of a board",
		Long: `List the devices that a guest finds: the ports and physical addresses at which
each answers, and the interrupt lines that it drives (IRQ 0 to 15). RAM lies from
address 0 on. Anything else reads as all ones and loses what is written; "x86emu run
--report-unclaimed" tells what a guest touched of that.

"x86emu run --board bare" leaves out what only a PC has.`,
		Example: `  x86emu board
  x86emu board --board bare
  x86emu board --json | jq 'select(.irqs)'`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := machine.New(machine.Config{Board: machine.Board(b.board)})
			if err != nil {
				return err
			}
			write := debug.WriteBoard
			if asJSON {
				write = debug.WriteBoardJSON
			}
			return write(cmd.OutOrStdout(), debug.Board(m))
		},
	}
	b.addBoard(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each device")
	return cmd
}

// boardName is a board that is chosen by its name.
type boardName machine.Board

func (n *boardName) String() string { return machine.Board(*n).String() }
func (n *boardName) Type() string   { return "board" }

func (n *boardName) Set(text string) error {
	i := slices.Index(machine.Boards[:], text)
	if i < 0 {
		return errors.New("must be " + strings.Join(machine.Boards[:], " or "))
	}
	*n = boardName(i)
	return nil
}
