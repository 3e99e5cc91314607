/* process.h: processes, each with a page table of its own, made from the
   kernel's, the master. What the kernel maps later goes into the master only;
   the page-fault handler copies the missing top-level entry when a process
   comes upon it. Kernels that use this name it in the Makefile. */
#ifndef PROCESS_H
#define PROCESS_H

#include "layout.h"
#include "lib.h"

struct process {
	const char *name;
	entry *table;
	void *code; /* its page at USER_BASE */
};

extern entry *master;
extern volatile int faults; /* page faults that reached the kernel's handler */
extern volatile int copied; /* of these, by copying an entry from the master */

/* page_fault is the kernel's handler of vector 14: it copies a top-level entry,
   or brings a page that was promised, or ends the run. */
void page_fault(struct trap *t);

/* processes_init turns paging on, with the master as the table, and sets up the
   kernel stack of processes with its guard page, page faults, system calls and
   the handler of double faults, which runs on the master in 32 bits. */
void processes_init(void (*double_fault)(void));

/* make_process gives a process a page table that begins as a copy of another
   one's entries (user memory excepted), and a page for its program. */
void make_process(struct process *p, const char *name, const entry *from);

/* run runs a program in user mode on the process's own table. It comes back
   when the program has left, or when leave_double_fault ends it. */
void run(struct process *p, const char *program, const char *end);

/* in_kernel lets a process enter the kernel by a system call, which does some
   work on the process's table. */
void in_kernel(struct process *p, void (*work)(void));

/* write_heap lets a process write to USER_HEAP: an ordinary page fault. */
void write_heap(struct process *p);

/* load maps a page of new kernel code, in the master and nowhere else, and
   returns where the kernel sees it. */
char *load(word address, const char *code, const char *end);

/* load_driver loads a function at DRIVER_BASE that returns how often it was
   called. load_module loads a page-fault handler at MODULE_BASE that counts,
   then jumps to the kernel's; take_over makes the gate of vector 14 lead to
   it. Nothing is wrong with it. */
void load_driver(void);
int call_driver(void);
void load_module(void);
void take_over(void);
int module_faults(void);

/* leave_double_fault ends the process that met a double fault and goes on where
   run was called, on the master. A kernel that panics would not do that; it
   serves to show several double faults in a row. */
void leave_double_fault(void) __attribute__((noreturn));

/* modules.S: what is copied to where it will run. */
extern const char driver[], driver_end[];
extern const char module[], module_end[], module_count[], module_next[];
extern const char enter_kernel[], enter_kernel_end[];
extern const char touch_heap[], touch_heap_store[], touch_heap_end[];

#endif
