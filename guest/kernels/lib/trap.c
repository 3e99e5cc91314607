/* trap.c: which function takes which vector. */
#include "lib.h"

extern char trap_stubs[];

static trap_handler *handlers[256];

void on_trap(int vector, trap_handler *handler)
{
	handlers[vector] = handler;
}

word trap_entry(int vector)
{
	return (word)trap_stubs + 16 * vector;
}

/* trap_dispatch is called by the stubs. */
void trap_dispatch(struct trap *t)
{
	if (handlers[t->vector]) {
		handlers[t->vector](t);
		return;
	}
	print("unexpected: vector %lu, error code 0x%lx\n", t->vector, t->error);
	exit_run(3);
}
