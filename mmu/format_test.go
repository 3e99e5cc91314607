package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWalkText(t *testing.T) {
	m := New(NewMemory(1<<20, 40), Config{MaxPhysBits: 40})
	require.Equal(t, `supervisor read of 0x403123, no paging
  physical 0x403123
`, explained(m, 0))

	e := []uint64{tablePDPT | pwu, tablePD | bP | bW, tablePT | pwu, pageAt | pwu | bS | bX | bG}
	place(m, Mode4Level, defaultLin, e)
	m.SetControl(Control{CR0: CR0PE | CR0PG, CR3: tablePML4, CR4: CR4PAE, EFER: EFERLME | EFERLMA | EFERNXE, A20: true})
	require.Equal(t, `user write of 0x403123, 4-level paging
  PML4E [0x4000]       = 0x0000000000003007  P W U
  PDPTE [0x3000]       = 0x0000000000002003  P W  <- U/S=0
  PDE   [0x2010]       = 0x0000000000001007  P W U
  PTE   [0x1018]       = 0x8000000000006187  P W U PAT G XD
  #PF: U/S=0, error code 0x7 (P W U: user write, no right)
`, explained(m, User|Write))
	require.Equal(t, `supervisor (AC) write of 0x403123, 4-level paging
  PML4E [0x4000]       = 0x0000000000003007  P W U
  PDPTE [0x3000]       = 0x0000000000002003  P W
  PDE   [0x2010]       = 0x0000000000001007  P W U
  PTE   [0x1018]       = 0x8000000000006187  P W U PAT G XD
  physical 0x6123, 4K page, supervisor rw- dirty
`, explained(m, AC|Write))

	place(m, ModePAE, defaultLin, []uint64{0x00a00000 | 1<<13 | pwu | bS})
	m.SetControl(Control{CR0: CR0PE | CR0PG, CR4: CR4PAE, PDPTE: m.Ctl.PDPTE, A20: true})
	require.Equal(t, `supervisor fetch of 0x403123, PAE paging
  PDPTE register       = 0x0000000000002001  P
  PDE   [0x2010]       = 0x0000000000a02087  P W U PS  <- reserved bit 0x2000
  #PF: reserved bit, error code 0x9 (P RSVD: supervisor read or fetch, reserved bit set)
`, explained(m, Exec))
	for code, want := range map[uint32]string{
		0:                           "supervisor read or fetch, not present",
		PFWrite | PFUser:            "W U: user write, not present",
		PFPresent | PFFetch:         "P I: supervisor fetch, no right",
		PFPresent | PFUser | PFPKey: "P U PK: user read or fetch, protection key",
	} {
		require.Equal(t, want, CodeString(code))
	}
	require.Equal(t, "-", Step{}.Flags())
	for shift, want := range map[uint8]string{12: "4K", 21: "2M", 22: "4M", 30: "1G"} {
		require.Equal(t, want, pageSize(shift))
	}
}

func explained(m *MMU, a Access) string {
	w := m.Explain(defaultLin, a)
	return w.String()
}
