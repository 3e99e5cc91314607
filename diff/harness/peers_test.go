package harness

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

func TestMissingPeerIsTold(t *testing.T) {
	for _, e := range []Engine{NewQEMU("/no/such/qemu"), NewBochs("/no/such/bochs")} {
		_, err := New(e)
		require.Error(t, err)
		assert.Equal(t, e.Name()+": no program /no/such/"+e.Name(), err.Error())
	}
}

// TestPeersAnswer is for CI: X86EMU_PEERS=require.
func TestPeersAnswer(t *testing.T) {
	if os.Getenv("X86EMU_PEERS") == "" {
		t.Skip("X86EMU_PEERS is not set")
	}
	for _, e := range []Engine{NewQEMU(""), NewBochs("")} {
		t.Run(e.Name(), func(t *testing.T) {
			t.Log(e.Version())
			var cases []*diff.Case
			for _, c := range simpleCases() {
				if e.Answers(c) != 0 {
					cases = append(cases, c)
				}
			}
			cases = append(cases, shutdown("sys32"), shutdown("sys64"), simple("sys64", 0x90))
			// QEMU saves RFLAGS without RF, has error codes of its own, and sets A in PDPTEs: diff/peers.
			check(t, e, diff.FieldFlags|diff.FieldError|diff.FieldMem|diff.FieldTables, cases)
		})
	}
}
