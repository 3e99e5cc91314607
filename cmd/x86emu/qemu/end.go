package qemu

import "x86emu/machine"

// End tells how a run that is over ends on QEMU: the exit status, and what is to
// be said on standard error beside the run's own story.
//
// QEMU has two ends: the status of isa-debug-exit, value*2+1 (mod 256), and 0
// for all others: the guest turned the machine off; it reset the machine, or
// shut its processor down, and -no-reboot was given; or somebody stopped QEMU.
// Where QEMU would go on for ever (a guest that waits for an interrupt that
// cannot come, or goes round) or begin again (a reset without -no-reboot), the
// run ends all the same, with the even status that "x86emu run" has for it, so
// that no script takes it for the guest's word.
func (l *Line) End(r machine.Result) (status int, note string) {
	const again = "QEMU would reset the machine and begin again (-no-reboot: it would end with status 0); x86emu ends here"
	switch r.Reason {
	case machine.Exited:
		return int(r.Value<<1|1) & 0xff, ""
	case machine.TurnedOff:
		if l.NoShutdown {
			return 0, "the guest turned the machine off: QEMU would stand still (-no-shutdown); x86emu ends here"
		}
		return 0, ""
	case machine.Cancelled:
		return 0, ""
	case machine.Shutdown, machine.Reset:
		if l.Resets(r) {
			return r.Status(), again
		}
		return 0, ""
	}
	return r.Status(), "QEMU would go on for ever; x86emu ends here"
}

// Resets tells whether QEMU would reset the machine at the end of a run.
func (l *Line) Resets(r machine.Result) bool {
	return !l.NoReboot && (r.Reason == machine.Shutdown || r.Reason == machine.Reset)
}
