// Package session is a debugger's session with one machine, without a screen:
// where the machine stands, what it is about to do, how it gets there and back,
// breakpoints, the faults of the whole run, and what a screen shows of all that
// as plain data (Frame). Package ui draws it.
//
// A session moves its machine by a debug.History and so always stands between
// two instructions. What the next step will do is found on a fork: all its
// stages are known before it is made, and a screen can show them. To stand in
// the midst of a step is to hold such a fork at a stage; stepping back from
// there is another fork, and the machine itself knows nothing of it.
//
// A stop is always before what it is for: before an instruction at an address,
// before the store to a watched place, before the step that raises an exception.
// So what is to be seen is still to come, forward and backward alike.
//
// Change is the one way to change the guest from outside: what follows it is
// another run, and going back and forth over it repeats the change.
package session
