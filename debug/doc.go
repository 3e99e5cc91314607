// Package debug turns what the floors below report while a machine runs into
// lines for people and programs: traces of instructions, accesses, walks,
// deliveries and port accesses; disassembly.
//
// A line of a trace begins with the tick and the kind:
//
//	inst                 cs, rip, text: an instruction is about to run
//	regs                 what has changed since the last such line
//	read write           lin, size, value: the program's data, each access
//	in out               port, size, value
//	walk                 lin, access, then each level from the top: the entry,
//	                     its address (@), its bits; phys, or what failed with
//	                     the page fault's error code
//	event                an exception or interrupt is taken: code, cr2, return;
//	                     a second one before "entered" came up during delivery
//	entered shutdown     its handler was reached (cs, rip); or nothing will be
//	task-save -link -load -done the stages of a task switch
//	vector gate selector what was read from the IVT, IDT, GDT or LDT
//	check                ok or FAIL, and the rule in the words of package idt
//	stack push           which stack was chosen and why; each word pushed
//
// As JSON a line is an object with the same names, and that is how it is made;
// Words makes the line for people of it. docs/trace.md describes the JSON.
//
// A Story is the whole of one chain of events, from the access that failed to
// the handler whose first instruction runs, or to shutdown. It is a list of
// Events, each with its cause, and each event a list of Stages. The stages are
// the one model of what happens below: Recorder makes them of what the floors
// report, Explain collects them into stories, Stepper stops at them. As JSON a
// story is one line; the names of its fields are those of the types, and stay.
//
// History goes back in time, by moments of the machine and replays.
//
// Not modelled are the steps that a real processor takes at the same time or in
// an order that no program can see; the stages come in the order in which the
// manual describes the operation.
//
// The package watches through the observers of cpu, idt, mmu and machine, and
// changes nothing in what it watches.
package debug
