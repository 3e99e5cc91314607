// Package debug turns what the floors below report while a machine runs into
// lines for people and programs: traces of instructions, accesses, walks,
// deliveries and port accesses; disassembly.
//
// It watches through the observers of cpu, idt, mmu and machine, and changes
// nothing in what it watches.
package debug
