// Package dap speaks the Debug Adapter Protocol, so that an editor (VS Code,
// Neovim, Emacs and others) debugs a guest as it debugs a program: one client
// at a time, over any stream.
//
// A client launches an image, or attaches to a machine that the server holds or
// to a snapshot. The one thread is the processor. The frames are what is known,
// not what is guessed: the next instruction, and below it the instructions that
// the handlers at work have interrupted, each with the registers of that moment.
// Callers are not among them, for a stack tells return addresses only by
// convention. Steps go by source line where the image has line tables, else, or
// when asked, by instruction; they go back as well as forward.
//
// A stop is always before what it is for: the store that a data breakpoint is
// about, the step that raises the exception. Exceptions are vectors, with
// conditions on error code and CR2. Scopes show registers, the walk of the page
// tables and the story of each fault as trees.
//
// What a client changes (registers, memory) is a change at a tick, made again
// whenever the run comes by there; what came afterwards is another run.
//
// Nothing that a client sends or leaves out harms the server: lengths are
// bounded, a message that cannot be read is answered, a client that dies ends
// its session. Source: the Debug Adapter Protocol's specification and its JSON
// schema, as package github.com/google/go-dap has it.
package dap
