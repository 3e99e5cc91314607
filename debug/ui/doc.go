// Package ui draws a session on a terminal and takes its keys: code, registers,
// the stages of the step that comes, the walk of its access, stack, what the
// guest has sent, and the faults of the whole run.
//
// What is drawn is a session.Frame, plain data that is made once a movement;
// drawing is a function of it, of the size of the screen and of what the user
// looks at. Movements run beside the screen, one at a time; keys that come
// meanwhile wait for their turn, and Ctrl-C stops a movement.
//
// Without colour nothing is lost: what colour says is also said by a mark. No
// byte of the guest's reaches the terminal but as a printable character.
package ui
