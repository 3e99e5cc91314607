// Package diff asks several processors the same question and compares their
// answers.
//
// A question is a [Case]: registers, a memory of a few pages (the arena), and
// somewhere to begin. An answer is a [Result]: how it ended, the registers, and
// the words of the arena that changed. Whoever answers is an [Oracle]: this
// emulator, the processor of the host, KVM, QEMU and Bochs behind a guest of
// ours, or a second reading of the manual (diff/model). No oracle is trusted:
// the manual is the specification, silicon the judge, the others are opinions,
// and every difference that stands is a row of a table with its citation.
//
// Cases come from generators, deterministic by their seed, and from corpora, one
// case a line. What the manual leaves undefined is masked in one table (by field,
// never by leaving a case out). A difference is made as small as it gets before
// it is shown.
//
// There are two kinds of world that a case begins in. The user world is a process:
// CPL 3, the segments that an operating system gives it and an LDT, code and data
// pages some of which are missing or read-only; the host's own processor can
// answer there. System worlds are machines: tables, gates and tasks lie in the
// arena, and the case may break any of them.
//
// Not modelled: time, devices, more than one processor.
package diff
