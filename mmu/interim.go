// Interim: signatures that the run loop uses (Control setter, FetchPage, Load8..Store64, TLBOff, Gen); whoever builds them deletes this file.

package mmu

func Load8(p *Page, o uint64) uint8                             { return p[o&PageMask] }
func Load16(p *Page, o uint64) uint16                           { return 0 }
func Load32(p *Page, o uint64) uint32                           { return 0 }
func Load64(p *Page, o uint64) uint64                           { return 0 }
func Store8(p *Page, o uint64, v uint8)                         {}
func Store16(p *Page, o uint64, v uint16)                       {}
func Store32(p *Page, o uint64, v uint32)                       {}
func Store64(p *Page, o uint64, v uint64)                       {}
func (m *MMU) FetchPage(l Linear, a Access) (Phys, *Page, bool) { return 0, nil, false }
func (m *MMU) TLBOff() bool                                     { return false }
func (m *MMU) SetControl(c Control)                             {}
