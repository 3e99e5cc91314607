// Package corpus keeps cases in files and reads those that others keep.
//
// A corpus is text, one JSON object a line, gzip'd or not. Numbers that may need
// 64 bits are hexadecimal strings without 0x; bytes are hexadecimal, in order.
// What is left out has its default, so that a line says only what is special.
// A line is a header or a case. A header tells who gave the answers below it, up
// to the next header:
//
//	{"format":"x86emu-cases 1","source":"hw","version":"AMD EPYC, Linux 6.1"}
//
// source is hw (the host's processor), kvm, sdm (by hand from the manual) or majority
// (what most oracles say). A case is
//
//	{"id":"insn/1/7","rule":"ADD Ev,Gv","code":"4801c8","regs":{"rax":"ff","rsp":"20001000"},
//	 "patches":[["2000","0102"]],"want":{"vector":3,"regs":{"rax":"100","rip":"10000804"},"mem":[["2008","7"]]}}
//
// and may have
//
//	kind     insn (default), sequence, paging, delivery
//	world    user (default) or another of diff.Worlds
//	model    a CPU model; default max
//	regs     registers of the beginning where they are not the world's, by name
//	patches  place in the arena and bytes
//	steps    bound of the run
//	access   of a paging case: linear, size, write, fetch, user, implicit;
//	         poke, cr3: a store and a MOV to CR3 before it
//	event    of a delivery case: how, vector, error, selector, offset, opsize
//	except   what the answer does not bind: bits of flags, regs, error, cr2,
//	         dr6, tables, words of mem, and whole fields by name
//	want     the answer; left out: none is known
//
// want has end (trap by default, shutdown, stopped), vector, error if there is
// an error code, cr2 of a page fault, regs where they are not those of the
// beginning, and mem, the words of the arena that have changed.
package corpus
