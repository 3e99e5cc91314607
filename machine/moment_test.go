package machine

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A machine that has returned to a moment goes the way it went.
func TestReturn(t *testing.T) {
	for _, c := range []struct {
		name string
		m    func() *Machine
	}{
		{"real mode with devices", func() *Machine { return boot(t, Config{Extra: withTicker(1000, func(*Machine) {})}, counting) }},
		{"paging", func() *Machine { return paged(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.m()
			var moments []*Moment
			for range 5 {
				run(t, m, 12345)
				moments = append(moments, m.Moment())
			}
			for _, way := range [][2]int{{0, 4}, {3, 4}, {1, 2}, {2, 2}} {
				m.Return(moments[way[0]])
				require.True(t, m.Moment().Equal(moments[way[0]]))
				_, err := m.Replay(context.Background(), moments[way[1]].Tick())
				require.NoError(t, err)
				require.True(t, m.Moment().Equal(moments[way[1]]), "from %d to %d", way[0], way[1])
			}
		})
	}
}

func TestMute(t *testing.T) {
	var out bytes.Buffer
	m := boot(t, Config{Serial: NewOutput(&out)}, "\xba\xf8\x03\xb0h\xee\xeb\xfe") // mov dx,0x3f8; mov al,'h'; out dx,al; jmp $
	begin := m.Moment()
	for _, c := range []struct {
		mute bool
		want string
	}{{false, "h"}, {true, "h"}, {false, "hh"}} {
		m.Return(begin)
		m.Mute(c.mute)
		run(t, m, 100)
		assert.Equal(t, c.want, out.String())
	}
}

// OnTick comes at the ticks that it asks for, and may stop the run.
func TestOnTick(t *testing.T) {
	m := boot(t, Config{}, "\xeb\xfe")
	var at []uint64
	m.OnTick = func(now uint64) uint64 {
		if at = append(at, now); now >= 500 {
			m.Stop()
		}
		return now + 250
	}
	assert.Equal(t, Stopped, run(t, m, 10000).Reason)
	assert.Equal(t, []uint64{0, 250, 500}, at)
	m.OnTick = nil
	assert.Equal(t, Budget, run(t, m, 100).Reason, "and runs on")
}

// A fork returns to moments of its parent, and does not disturb it.
func TestForkReturnsToParentsMoment(t *testing.T) {
	m := paged(t)
	run(t, m, 5000)
	moment := m.Moment()
	f, err := m.Fork()
	require.NoError(t, err)
	run(t, m, 5000)
	for range 3 {
		run(t, f, 7777)
		f.Return(moment)
		require.True(t, f.Moment().Equal(moment))
	}
	run(t, f, 5000)
	assert.Empty(t, same(m, f))
}
