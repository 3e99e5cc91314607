// Package gen makes cases: each generator is a set of questions without end, of
// which a seed and a number name one.
//
//	insn.go, seq.go    instructions at CPL 3, one or several, in the user world
//	paging*.go         one access through page tables that deviate from valid ones
//	delivery*.go       events, returns, far transfers and segment loads through gates,
//	                   descriptors, task states and stacks that are broken
//
// Generators know nothing of what is right. A case says in its Rule what was meant by it;
// whoever is asked says the rest. What another emulator would not come back from,
// or what its harness cannot set up, is left out where a generator says so.
package gen
