package machine

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// com2Echo sends back what COM2 receives, by its interrupt, of which the FIFO's
// time-out is the only one: the trigger level is above what comes. A full stop ends it.
func com2Echo(t *testing.T, out *bytes.Buffer) *Machine {
	const (
		fifo = "\xba\xfa\x02\xb0\xc1\xee"       // mov dx,0x2fa; mov al,0xc1; out dx,al
		gate = "\xba\xfc\x02\xb0\x08\xee"       // mov dx,0x2fc; mov al,8; out dx,al
		ask  = "\xba\xf9\x02\xb0\x01\xee"       // mov dx,0x2f9; mov al,1; out dx,al
		idle = "\xfb\xf4\xeb\xfd"               // sti; l: hlt; jmp l
		echo = "\xba\xf8\x02\xec\xee\x3c\x2e" + // mov dx,0x2f8; in al,dx; out dx,al; cmp al,'.'
			"\x75\x07\xb0\x07\xba\x01\x05\xee\xf4" + // jne eoi; mov al,7; mov dx,0x501; out dx,al; hlt
			"\xb0\x20\xe6\x20\xcf" // eoi: mov al,0x20; out 0x20,al; iret
	)
	m := boot(t, Config{Serial2: NewOutput(out), Input2: NewInput(strings.NewReader("hello.!"))}, initPICs+fifo+gate+ask+idle)
	m.vector(8+uart2IRQ, 0x600)
	m.Mem.WriteBytes(0x600, []byte(echo))
	return m
}

// COM2 interrupts on IRQ 3, and has an input and an output of its own; 0x501 ends the run.
func TestCOM2(t *testing.T) {
	var out bytes.Buffer
	m := com2Echo(t, &out)
	r := run(t, m, 10_000_000)
	require.Equal(t, Exited, r.Reason)
	assert.EqualValues(t, 7, r.Value)
	assert.Equal(t, "hello.", out.String())
	assert.Greater(t, r.Ticks, 6*m.UART2.timeout(), "a time-out for each")
	assert.Equal(t, taken{0, 7}, m.taken())

	var first, rest bytes.Buffer
	half := com2Echo(t, &first)
	run(t, half, r.Ticks/2)
	fork, err := half.Fork()
	require.NoError(t, err)
	moment := half.Moment()
	var file bytes.Buffer
	require.NoError(t, half.Save(&file))
	restored, err := Restore(&file, Config{Serial2: NewOutput(&rest), Input2: NewInput(strings.NewReader("hello.!")), ResumeInput: true})
	require.NoError(t, err)
	run(t, half, NoBudget)
	half.Return(moment)
	for name, x := range map[string]*Machine{"fork": fork, "moment": half, "snapshot": restored} {
		assert.Equal(t, r, run(t, x, NoBudget), name)
		assert.Empty(t, same(m, x), name)
		assert.Equal(t, m.taken(), x.taken(), name)
	}
	assert.Equal(t, "hello.", first.String()[:6-len(rest.String())]+rest.String())
}
