package debug

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/machine"
)

func TestUnclaimedLines(t *testing.T) {
	assert.Empty(t, UnclaimedLines(&machine.Unclaimed{}))
	assert.Equal(t, []string{
		"nothing answers at port 0x60: 1 read; first at tick 5 by 0x8:0x100000",
		"nothing answers at port 0x1f0-0x1f7: 3 reads, 1 write; first at tick 7 by 0xf000:0x10",
		"nothing answers at memory 0xfee00000-0xfee00003: 2 writes; first at tick 9 by 0x8:0xffffffff80000000",
		"nothing answers at yet other addresses: 17 accesses",
	}, UnclaimedLines(&machine.Unclaimed{
		Ports: machine.Gaps{List: []machine.Gap{
			{First: 0x60, Last: 0x60, Reads: 1, Tick: 5, CS: 8, RIP: 0x100000},
			{First: 0x1f0, Last: 0x1f7, Reads: 3, Writes: 1, Tick: 7, CS: 0xf000, RIP: 0x10},
		}},
		Mem: machine.Gaps{More: 17, List: []machine.Gap{
			{First: 0xfee00000, Last: 0xfee00003, Writes: 2, Tick: 9, CS: 8, RIP: 0xffffffff80000000},
		}},
	}))
}
