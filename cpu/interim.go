// Interim: signatures that the run loop uses (Control setter, FetchPage, Load8..Store64, TLBOff, Gen); whoever builds them deletes this file.

package cpu

func (c *CPU) debugArmed() bool                            { return false }
func (c *CPU) checkInstrBreak(l uint64) bool               { return false }
func (c *CPU) checkDataBreak(l uint64, size uint8, w bool) {}

const dr6BS = 1 << 14
